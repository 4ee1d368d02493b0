//! Clusters for test code: what they are, and that nothing of them is left.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed helper is a failed test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sdk_fixtures::TestServers;
use sdk_fixtures::test_servers::Error;

const ACTIVE: &str = "\"uuid\":\"zzzzz-tpzed-xurymjxw79nv3jz\"";

/// What the API server answers to a client of the cluster.
fn ask(servers: &TestServers, path: &str, options: &[&str]) -> String {
    let mut curl = servers.command("sh");
    let script = "path=$1; shift; exec curl --silent --show-error --noproxy '*' \
                  --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
                  \"$@\" \"https://$ARVADOS_API_HOST/arvados/v1/$path\"";
    let output = curl.args(["-c", script, "sh", path]).args(options).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of those that run, by a file of theirs that tells.
fn running(servers: &TestServers) -> Vec<String> {
    let entries = fs_err::read_dir(servers.folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".pid")?.to_owned())).collect();
    names.sort();
    names
}

/// The numbers of all processes that work in a folder.
fn working_in(folder: &Path) -> Vec<String> {
    let all = fs_err::read_dir("/proc").unwrap();
    let names = all.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let works = |pid: &String| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
    };
    names.filter(works).collect()
}

#[track_caller]
fn assert_is_gone(folder: &Path) {
    assert!(!folder.exists(), "{}", folder.display());
    assert_eq!(working_in(folder), [""; 0]);
}

#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::yield_now();
    }
}

#[test]
fn an_api_server_alone_comes_with_a_local_store_and_goes_with_the_value() {
    let servers = TestServers::builder().start().unwrap();
    assert_eq!(running(&servers), ["api"]);
    let env: BTreeMap<&str, &str> = servers.env().collect();
    assert_eq!(env["ARVADOS_API_HOST"], servers.api_host());
    assert_eq!(env["XTASK_STACK"], servers.stack());
    assert_eq!(
        servers.port("api").unwrap().to_string(),
        servers.api_host().split(':').nth(1).unwrap()
    );
    assert!(servers.ca_cert().is_file());
    assert!(!env.contains_key("ARVADOS_KEEP_PROXY"));
    assert_eq!((servers.keepproxy_url(), servers.git_url()), (None, None));
    assert!(matches!(servers.port("keep0"), Err(Error::Io(_))));
    let store = PathBuf::from(env["KEEP_LOCAL_STORE"]);
    assert!(store.is_dir());
    let folder = servers.folder();
    drop(servers);
    assert_is_gone(&folder);
    assert!(!store.exists());
}

#[test]
fn all_services_come_up_when_they_are_asked_for() {
    let servers = TestServers::builder().proxy().git().tls().start().unwrap();
    assert_eq!(running(&servers), ["api", "arv-git-httpd", "keep0", "keep1", "keepproxy", "nginx"]);
    let env: BTreeMap<&str, &str> = servers.env().collect();
    assert_eq!(env.get("ARVADOS_KEEP_PROXY").copied(), servers.keepproxy_url());
    assert!(servers.keepproxy_url().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    assert!(servers.keepproxy_ssl_url().is_some_and(|url| url.starts_with("https://")));
    assert!(servers.git_url().is_some() && servers.git_ssl_url().is_some());
    assert!(!env.contains_key("KEEP_LOCAL_STORE"));
    let folder = servers.folder();
    servers.stop().unwrap();
    assert_is_gone(&folder);
}

#[test]
fn keepstores_sign_with_the_key_and_refuse_as_told() {
    let servers = TestServers::builder().blob_signing_key("0123").enforce_permissions().start();
    let servers = servers.unwrap();
    assert_eq!(running(&servers), ["api", "keep0", "keep1"]);
    let request = |path: &str, options: &[&str]| {
        let url = format!("http://127.0.0.1:{}/{path}", servers.port("keep1").unwrap());
        let mut curl = servers.command("curl");
        curl.args(["--silent", "--noproxy", "*", "--write-out", " %{http_code}", &url, "--header"]);
        curl.arg(format!("Authorization: Bearer {}", servers.api_token())).args(options);
        String::from_utf8(curl.output().unwrap().stdout).unwrap()
    };
    let foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    let stored = request(foo, &["--request", "PUT", "--data-binary", "foo"]);
    let locator = stored.split_ascii_whitespace().next().unwrap();
    assert_eq!(request(locator, &[]), "foo 200", "{stored}");
    let refused = request(&format!("{foo}+3"), &[]);
    assert!(refused.ends_with(" 400"), "{refused}");
    let key = fs_err::read_to_string(servers.folder().join("keep.blob_signing_key")).unwrap();
    assert_eq!(key.trim_end(), "0123");
}

#[test]
fn a_client_is_who_it_was_authorized_as_until_that_changes() {
    let mut servers = TestServers::builder().start().unwrap();
    assert!(ask(&servers, "users/current", &[]).contains("\"is_admin\":true"));
    let admin = servers.api_token().to_owned();
    servers.authorize_with("active").unwrap();
    assert_ne!(servers.api_token(), admin);
    assert!(ask(&servers, "users/current", &[]).contains(ACTIVE));
    let error = servers.authorize_with("actve").unwrap_err().to_string();
    assert!(error.contains("did you mean \"active\"?"), "{error}");
    assert!(ask(&servers, "users/current", &[]).contains(ACTIVE));
}

#[test]
fn a_reset_undoes_what_clients_have_done() {
    let servers = TestServers::builder().start().unwrap();
    let store = servers.env().find(|(name, _)| *name == "KEEP_LOCAL_STORE").unwrap().1;
    fs_err::write(Path::new(store).join("block"), "x").unwrap();
    let count = || {
        let list = ask(&servers, "collections?limit=0", &[]);
        list.split("\"items_available\":").nth(1).unwrap().to_owned()
    };
    let before = count();
    ask(&servers, "collections", &["--request", "POST"]);
    assert_ne!(count(), before);
    servers.reset().unwrap();
    assert_eq!(count(), before);
    assert_eq!(fs_err::read_dir(store).unwrap().count(), 0);
    assert!(servers.logs().unwrap().contains("/database/reset"));
}

#[test]
fn a_command_sees_this_cluster_and_nothing_of_another() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let outer = TestServers::builder().start().unwrap();
    // A test that itself runs on a cluster, which a developer's shell makes worse.
    let mut test = outer.command(this_program());
    test.env("ARVADOS_KEEP_SERVICES", "http://production.example.com").current_dir(checkout);
    let inner = Holder::spawn(test);
    assert_ne!(inner.folder, outer.folder());
    let mut env = outer.command("env");
    env.env_remove("HOME");
    let seen = String::from_utf8(env.output().unwrap().stdout).unwrap();
    for line in
        seen.lines().filter(|line| line.starts_with("ARVADOS_") || line.starts_with("KEEP_"))
    {
        let (name, value) = line.split_once('=').unwrap();
        assert!(outer.env().any(|set| set == (name, value)), "{line}");
    }
    assert!(!seen.contains("\nCARGO_MANIFEST_DIR="), "{seen}");
    inner.end(|holder| drop(holder.stdin.take()));
}

#[test]
fn clusters_of_many_threads_are_clusters_of_their_own() {
    let hosts = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| TestServers::builder().start().unwrap())).collect();
        let servers: Vec<TestServers> =
            threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        servers.iter().map(|servers| servers.api_host().to_owned()).collect::<Vec<_>>()
    });
    let mut unique = hosts.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), hosts.len(), "{hosts:?}");
}

#[test]
fn a_wrong_setting_or_profile_is_an_error_that_names_the_nearest() {
    let setting = TestServers::builder().set("kepstores", "1").start().unwrap_err();
    assert!(setting.to_string().contains("did you mean keepstores?"), "{setting}");
    let Error::Command { status, .. } = setting else { panic!("{setting:?}") };
    assert_eq!(status.code(), Some(2));
    let profile = TestServers::builder().profile("enforced").start().unwrap_err();
    assert!(profile.to_string().contains("did you mean enforce?"), "{profile}");
}

#[test]
#[ignore = "run in a process of its own, which is ended in some way, by tests of this file"]
fn holds_a_cluster_until_its_input_ends() {
    let servers = TestServers::builder().start().unwrap();
    // What a test prints does not begin a line.
    println!("\n{}", servers.folder().display());
    for line in std::io::stdin().lock().lines() {
        assert_ne!(line.unwrap(), "panic", "a test fails");
    }
}

/// The test above in a process of its own, which is there when its cluster is.
struct Holder {
    child: Child,
    folder: PathBuf,
}

impl Holder {
    fn spawn(mut command: Command) -> Self {
        command.args(["--exact", "holds_a_cluster_until_its_input_ends"]);
        command.args(["--include-ignored", "--nocapture"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let folder = lines.map(Result::unwrap).find(|line| line.starts_with('/'));
        let folder = PathBuf::from(folder.unwrap());
        assert!(!working_in(&folder).is_empty());
        Self { child, folder }
    }

    /// Ends it in some way, after which nothing of its cluster is left before long.
    fn end(mut self, how: impl FnOnce(&mut Child)) {
        how(&mut self.child);
        self.child.wait().unwrap();
        wait_for(|| !self.folder.exists() && working_in(&self.folder).is_empty());
    }
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    Holder::spawn(Command::new(this_program())).end(|child| {
        child.stdin.take().unwrap().write_all(b"panic\n").unwrap();
        assert!(!child.wait().unwrap().success());
    });
}

#[test]
fn a_test_program_that_is_killed_leaves_nothing() {
    Holder::spawn(Command::new(this_program())).end(|child| child.kill().unwrap());
}

#[test]
fn a_program_outside_the_checkout_finds_the_one_that_it_was_built_with() {
    let elsewhere = tempfile::Builder::new().prefix("their crate ").tempdir().unwrap();
    let program = elsewhere.path().join("their test");
    fs_err::copy(this_program(), &program).unwrap();
    let mut command = Command::new(program);
    command.current_dir(elsewhere.path()).env("CARGO_MANIFEST_DIR", elsewhere.path());
    Holder::spawn(command).end(|child| drop(child.stdin.take()));
}
