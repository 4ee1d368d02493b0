//! `run-test-server`, as the callers of the script that it stands in for use it.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use common::servers::Servers;
use common::{Done, is_installed};

/// A process that is none of ours, and ends with the test.
struct Innocent(Child);

impl Innocent {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").spawn().unwrap())
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The wrapper that the documentation shows.
fn wrapper() -> &'static str {
    let page = include_str!("../../docs/run-test-server.md");
    page.split("```python\n").nth(1).unwrap().split("```").next().unwrap()
}

/// The archive of repositories that the checkout has, which belongs to somebody else.
fn archive(servers: &Servers) {
    let folder = servers.ours.root().join("to be packed");
    let repository = folder.join("test/zzzzz-s0uqq-382brsig8rp3666");
    fs_err::create_dir_all(&repository).unwrap();
    fs_err::write(repository.join("from"), "checkout").unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repository).args([
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
        ]);
        Done::from(git.args(arguments).output().unwrap()).ok();
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--directory").arg(&folder).args(["--owner=4242", "--group=4242"]);
    tar.arg("--file").arg(servers.arvados.join("services/api/test/test.git.tar")).arg("test");
    Done::from(tar.output().unwrap()).ok();
}

/// As with the original, through the wrapper.
#[test]
fn a_caller_of_the_script_is_served_again_and_again_though_its_services_are_killed() {
    if !["python3", "git", "curl", "tar"].iter().all(|program| is_installed(program)) {
        return;
    }
    let servers = Servers::new();
    archive(&servers);
    let root = servers.ours.root();
    // The wrapper calls cargo, which would only call us.
    let cargo = format!(
        "#!/bin/sh\nwhile test \"$1\" != --; do shift; done; shift\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_xtask")
    );
    program(&root.join("bin/cargo"), &cargo);
    let wrapper_file = servers.arvados.join("sdk/python/tests/run_test_server.py");
    fs_err::write(wrapper_file, wrapper()).unwrap();
    let work = root.join("work");
    fs_err::create_dir_all(&work).unwrap();
    let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run_test_server/caller.sh");
    let mut caller = Command::new("sh");
    caller.arg("-x").arg(script).env("PATH", path).env("XTASK_ROOT", &root);
    caller.env("ARVADOS", &servers.arvados).env("WORK", work);
    for name in ["ARVADOS_TEST_API_HOST", "ARVADOS_TEST_PROXY_SERVICES", "XTASK_STACK"] {
        caller.env_remove(name);
    }
    Done::from(caller.output().unwrap()).ok();
}

#[test]
fn arguments_are_refused_as_by_the_script() {
    let servers = Servers::new();
    let unknown = servers.run(&["launch"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
    assert!(unknown.stderr.starts_with("Unrecognized action 'launch'. Actions are: ['start', "));
    for wrong in [&[][..], &["start", "--aut"], &["start", "stop"], &["start", "--auth", "nobody"]]
    {
        let wrong = servers.run(wrong);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""), "{wrong:?}");
    }
    let help = servers.run(&["--help"]).ok().stdout;
    assert!(help.contains("--auth <FIXTURE_NAME>"), "{help}");
}

#[test]
fn without_an_api_server_keepstores_are_not_started() {
    let servers = Servers::new();
    let missing = servers.run(&["start_keep"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("_TOKEN is not set: evaluate what `run-test-server start"));
    let nobody = [("ARVADOS_API_HOST", "localhost:9"), ("ARVADOS_API_TOKEN", "x")];
    let nobody = nobody.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let useless = "the API server that ARVADOS_API_HOST names is of no use; evaluate what \
                   `run-test-server start --auth admin` prints: ";
    // Keepproxy is not even ready without an API server.
    let registered = "the keep services could not be registered: ";
    for (action, context) in [("start_keep", useless), ("start_keep_proxy", registered)] {
        let unreachable = servers.with(&nobody, &[action]);
        assert_eq!(unreachable.code, Some(1), "{unreachable:?}");
        let said = format!("error: {context}GET https://localhost:9/arvados/v1/keep_services");
        assert!(unreachable.stderr.contains(&said), "{unreachable:?}");
    }
    let parent = [("ARVADOS_TEST_API_HOST".to_owned(), "localhost:9".to_owned())];
    let parent = servers.with(&parent, &["start"]);
    assert_eq!((parent.code, parent.stdout.as_str()), (Some(1), ""), "{parent:?}");
    let said =
        "the parent's API server at localhost:9 could not be reset: POST https://localhost:9/";
    assert!(parent.stderr.contains(said), "{parent:?}");
    assert_eq!(servers.ours.processes(), [0; 0]);
}

/// Whoever looks at the stacks of the checkout first, the exit code of a failure is the script's.
#[test]
fn stacks_that_cannot_be_read_are_a_failure_as_any_other() {
    let servers = Servers::new();
    fs_err::write(servers.ours.root().join(".services"), "no folder").unwrap();
    let failed = servers.run(&["start"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""), "{failed:?}");
    assert!(failed.stderr.contains(".services"), "{failed:?}");
    assert_eq!(servers.run(&["launch"]).code, Some(1));
}

#[test]
fn start_prints_the_host_alone_unless_a_token_is_asked_for() {
    let servers = Servers::new();
    let host = servers.run(&["start"]).ok().stdout;
    let (address, port) = host.strip_suffix('\n').unwrap().rsplit_once(':').unwrap();
    assert_eq!(address, "127.0.0.1");
    port.parse::<u16>().unwrap();
    let first = servers.started("active");
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ARVADOS_API_TOKEN", "ARVADOS_API_HOST", "ARVADOS_API_HOST_INSECURE"]);
    assert_eq!(first[0].1, sdk_fixtures::auth_token("active").unwrap());
}

#[test]
fn pid_files_with_the_numbers_of_innocent_processes_end_nobody() {
    let servers = Servers::new();
    let mut innocent = Innocent::new();
    let pid = innocent.0.id().to_string();
    let write_all = || {
        fs_err::create_dir_all(servers.arvados.join("services/api/tmp/pids")).unwrap();
        fs_err::create_dir_all(servers.file("")).unwrap();
        let api = servers.arvados.join("services/api/tmp/pids/test-server.pid");
        fs_err::write(api, &pid).unwrap();
        for service in ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"] {
            fs_err::write(servers.file(&format!("{service}.pid")), &pid).unwrap();
        }
    };
    write_all();
    let variables = servers.started("admin");
    for action in ["start_keep", "start_keep_proxy", "start_arv-git-httpd", "start_nginx"] {
        servers.with(&variables, &[action]).ok();
        write_all();
        servers.with(&variables, &[action]).ok();
        write_all();
    }
    for action in ["stop_nginx", "stop_arv-git-httpd", "stop_keep_proxy", "stop_keep", "stop"] {
        servers.with(&variables, &[action]).ok();
        write_all();
        servers.with(&variables, &[action]).ok();
        write_all();
    }
    assert!(innocent.is_alive());
}

#[test]
fn keepstores_that_are_started_twice_at_once_are_two() {
    let servers = Servers::new();
    let variables = servers.started("admin");
    std::thread::scope(|scope| {
        let start = || servers.with(&variables, &["start_keep"]).ok();
        let threads = [scope.spawn(start), scope.spawn(start)];
        threads.into_iter().for_each(|thread| drop(thread.join().unwrap()));
    });
    let mut ports = servers.registered(&variables, "disk");
    ports.sort_unstable();
    let mut running: Vec<i64> = (0..2)
        .map(|number| {
            let keepstore = format!("keep{number}");
            assert!(common::runs(servers.number(&format!("{keepstore}.pid"))));
            servers.ours.service(&servers.stack(), &keepstore)["ports"][&keepstore]
                .as_i64()
                .unwrap()
        })
        .collect();
    running.sort_unstable();
    assert_eq!(ports, running);
    assert_eq!(servers.listed(&variables, "keep_disks").as_array().unwrap().len(), 2);
}

#[test]
fn an_action_killed_at_any_moment_can_be_done_again_and_undone() {
    const POINTS: u32 = 6;
    let servers = Servers::new();
    let variables = servers.started("admin");
    let before = servers.ours.processes();
    let start = || {
        let mut command = servers.command(&["start_keep"]);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let began = Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = began.elapsed();
    for point in 0..POINTS {
        let mut child = start();
        // No event to wait for: any moment may be the bad one.
        std::thread::sleep(whole * point / POINTS);
        child.kill().unwrap();
        child.wait().unwrap();
        if point % 2 == 0 {
            servers.with(&variables, &["start_keep"]).ok();
            assert_eq!(servers.registered(&variables, "disk").len(), 2);
        }
        servers.with(&variables, &["stop_keep"]).ok();
        assert_eq!(servers.ours.processes(), before);
        for file in ["keep0.pid", "keep0.volume", "keep1.pid", "keep1.volume"] {
            assert!(!servers.file(file).exists(), "{file}");
        }
        assert!(!servers.ours.stack(&servers.stack(), "keep0").exists());
    }
}

#[test]
fn what_does_not_come_up_is_an_error_and_is_not_registered() {
    let servers = Servers::new();
    let variables = servers.started("admin");
    for (kind, action) in
        [("keepstore", "start_keep"), ("keepproxy", "start_keep_proxy"), ("nginx", "start_nginx")]
    {
        let before = servers.ours.processes();
        let provider = format!("{kind}=/bin/false");
        let failed = servers.with(&variables, &[action, "--provider", &provider]);
        assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""), "{failed:?}");
        assert!(failed.stderr.contains("has ended (exit status: 1) before it was ready"));
        assert_eq!(servers.ours.processes(), before);
        let missing =
            servers.with(&variables, &[action, "--provider", &format!("{kind}=/no/such")]);
        assert!(missing.stderr.contains("/no/such is no program that can be run"), "{missing:?}");
    }
    assert_eq!(servers.registered(&variables, "disk"), [0; 0]);
}

#[test]
fn a_service_of_which_callers_cannot_be_told_does_not_run() {
    let servers = Servers::new();
    let variables = servers.started("admin");
    let before = servers.ours.processes();
    fs_err::create_dir_all(servers.file("arv-git-httpd.pid/x")).unwrap();
    let failed = servers.with(&variables, &["start_arv-git-httpd"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("arv-git-httpd.pid"), "{failed:?}");
    fs_err::remove_dir_all(servers.file("arv-git-httpd.pid")).unwrap();
    assert_eq!(servers.ours.processes(), before);
    servers.with(&variables, &["start_arv-git-httpd"]).ok();
}

#[test]
fn the_front_may_be_started_again_and_again() {
    let servers = Servers::new();
    servers.ours.configure("nginx: embedded", "nginx: auto");
    for _ in 0..3 {
        servers.run(&["start_nginx"]).ok();
        let pid = servers.number("nginx.pid");
        servers.run(&["start_nginx"]).ok();
        assert!(!common::runs(pid));
    }
    servers.run(&["stop_nginx"]).ok();
    servers.run(&["start_nginx"]).ok();
}

#[test]
fn folders_of_temporary_files_have_a_cluster_each() {
    let servers = Servers::new();
    let folders = ["one", "other"].map(|name| servers.ours.root().join(name).display().to_string());
    let start = |folder: &String| servers.run(&["start", "--tmpdir", folder]).ok().stdout;
    let hosts = [start(&folders[0]), start(&folders[1])];
    assert_ne!(hosts[0], hosts[1]);
    servers.run(&["stop", "--tmpdir", &folders[0]]).ok();
    let pid = fs_err::read_to_string(Path::new(&folders[1]).join("api.pid")).unwrap();
    assert!(common::runs(pid.parse().unwrap()));
}

#[test]
fn a_parents_api_server_is_reset_and_nothing_else() {
    let servers = Servers::new();
    let variables = servers.started("admin");
    servers.with(&variables, &["start_keep"]).ok();
    let api = fs_err::read_to_string(servers.file("api.pid")).unwrap();
    let host = variables[1].1.clone();
    let child = |arguments: &[&str]| {
        let mut command = servers.command(arguments);
        command.env("ARVADOS_TEST_API_HOST", &host).env("ARVADOS_TEST_PROXY_SERVICES", "1");
        Done::from(command.output().unwrap())
    };
    assert_eq!(servers.registered(&variables, "disk").len(), 2);
    let started = child(&["start", "--auth", "active"]).ok().stdout;
    assert!(started.contains(&format!("export ARVADOS_API_HOST={host}\n")), "{started}");
    let fixtures = servers.registered(&variables, "disk");
    assert_eq!(
        servers.listed(&variables, "keep_services")[0]["uuid"],
        "zzzzz-bi6l4-6zhilxar6r8ey90"
    );
    assert_eq!(fixtures.len(), 2, "those of the fixtures");
    child(&["stop"]).ok();
    for action in ["start_keep_proxy", "stop_keep_proxy", "start_arv-git-httpd", "start_nginx"] {
        let done = child(&[action]).ok();
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    }
    assert!(!servers.file("keepproxy.pid").exists());
    assert_eq!(fs_err::read_to_string(servers.file("api.pid")).unwrap(), api);
    assert!(common::runs(api.parse().unwrap()));
    child(&["database_reset"]).ok();
}

#[test]
fn keepstores_sign_with_the_key_of_the_checkout_if_that_is_asked_for() {
    let servers = Servers::new();
    let config = servers.arvados.join("services/api/config/application.default.yml");
    fs_err::write(config, "test:\n  blob_signing_key: thekeyofthecheckout\n").unwrap();
    let variables = servers.started("admin");
    servers.with(&variables, &["start_keep", "--keep-enforce-permissions"]).ok();
    let key = fs_err::read_to_string(servers.file("keep.blob_signing_key")).unwrap();
    assert_eq!(key, "thekeyofthecheckout");
    servers.with(&variables, &["stop_keep"]).ok();
    assert!(!servers.file("keep.blob_signing_key").exists());
}

#[test]
fn no_lsof_or_openssl_is_needed() {
    let servers = Servers::new();
    let programs = tempfile::tempdir().unwrap();
    let git = common::project::on_path("git");
    fs_err::os::unix::fs::symlink(git, programs.path().join("git")).unwrap();
    let mut start = servers.command(&["start", "--auth", "admin"]);
    let started = Done::from(start.env("PATH", programs.path()).output().unwrap()).ok();
    assert_eq!(started.stderr, "");
}

/// The action with these redirections.
fn redirected(servers: &Servers, action: &str, redirections: &str) -> Command {
    let ours = servers.command(&[action]);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("\"$0\" \"$@\" {redirections}")).arg(ours.get_program());
    command.args(ours.get_args());
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[test]
fn closed_streams_do_no_harm() {
    let servers = Servers::new();
    for closed in ["<&-", "2>&-", "<&- >&- 2>&-"] {
        Done::from(redirected(&servers, "start", closed).output().unwrap()).ok();
        Done::from(redirected(&servers, "start_nginx", closed).output().unwrap()).ok();
        assert!(common::runs(servers.number("nginx.pid")), "{closed}");
        let port = servers.number("keepproxy-ssl.port");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--noproxy", "*", "--cacert"]);
        curl.arg(servers.arvados.join("services/api/tmp/self-signed.pem"));
        let done = curl.arg(format!("https://localhost:{port}/")).output().unwrap();
        // There is no keepproxy behind it.
        assert!(Done::from(done).ok().stdout.contains("502 Bad Gateway"), "{closed}");
    }
}

#[test]
fn a_pipe_behind_an_action_ends_with_it() {
    let servers = Servers::new();
    for action in ["start", "start_nginx"] {
        Done::from(redirected(&servers, action, "2>&1 | cat").output().unwrap()).ok();
        assert_eq!(servers.ours.processes().len(), if action == "start" { 1 } else { 2 });
    }
}

/// Each row of the table of the documentation names tests, and they are there.
#[test]
fn every_fault_of_the_script_has_a_test() {
    let page = include_str!("../../docs/run-test-server.md");
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && line.contains("::")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        for name in row.split('`').filter(|word| word.contains("::")) {
            let (file, test) = name.split_once("::").unwrap();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
            let text = fs_err::read_to_string(folder.join(format!("{file}.rs"))).unwrap();
            assert!(text.contains(&format!("\nfn {test}() {{")), "{name}");
        }
    }
}
