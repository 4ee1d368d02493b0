//! Our cluster inside a parent's, of which two variables tell.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::Command;

use common::{Checkout, Done};
use serde_json::{Value, json};

/// The parent's checkout with its cluster, and one of ours.
struct Family {
    parent: Checkout,
    ours: Checkout,
    /// What the parent exports.
    exported: Value,
}

impl Family {
    fn new() -> Self {
        let parent = Checkout::new();
        let exported = parent.up(&["--format", "json"]).stdout;
        let exported: Value = serde_json::from_str(&exported).unwrap();
        Self { parent, ours: Checkout::new(), exported: exported["set"].clone() }
    }

    fn value(&self, name: &str) -> &str {
        self.exported[name].as_str().unwrap()
    }

    fn host(&self) -> &str {
        self.value("ARVADOS_TEST_API_HOST")
    }

    /// A command of ours that knows of the parent's API server, and of these variables of the parent.
    fn command(&self, variables: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.ours.command(arguments);
        for name in ["ARVADOS_TEST_PROXY_SERVICES", "XTASK_STACK", "ARVADOS_API_HOST_INSECURE"] {
            command.env_remove(name);
        }
        command.env("ARVADOS_TEST_API_HOST", self.host());
        let known = ["ARVADOS_TEST_CA_CERT"];
        for name in known.iter().chain(variables) {
            command.env(name, self.value(name));
        }
        command
    }

    fn run(&self, variables: &[&str], arguments: &[&str]) -> Done {
        self.command(variables, arguments).output().unwrap().into()
    }

    /// A resource of the parent's API server.
    fn listed(&self, resource: &str) -> Vec<Value> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--noproxy", "*"]);
        curl.args(["--cacert", self.value("ARVADOS_TEST_CA_CERT"), "--header"]);
        curl.arg(format!("Authorization: Bearer {}", self.value("ARVADOS_API_TOKEN")));
        curl.arg(format!("https://{}/arvados/v1/{resource}", self.host()));
        let done = Done::from(curl.output().unwrap()).ok();
        let list: Value = serde_json::from_str(&done.stdout).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    fn group(&self) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--noproxy", "*"]);
        curl.args(["--cacert", self.value("ARVADOS_TEST_CA_CERT"), "--header"]);
        curl.arg(format!("Authorization: Bearer {}", self.value("ARVADOS_API_TOKEN")));
        curl.args(["--data-urlencode", r#"group={"name":"left over","group_class":"project"}"#]);
        curl.arg(format!("https://{}/arvados/v1/groups", self.host()));
        Done::from(curl.output().unwrap()).ok();
        assert!(self.has_group());
    }

    fn has_group(&self) -> bool {
        self.listed("groups?limit=1000").iter().any(|group| group["name"] == "left over")
    }

    fn names(&self) -> Vec<String> {
        let status = self.ours.status(&[]);
        let services = status["services"].as_array().unwrap().iter();
        services.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_parents_api_server_is_reset_and_told_of_our_keepstores() {
    let family = Family::new();
    let api = family.parent.service("default", "api")["pid"].clone();
    family.group();
    let up = family.run(&[], &["services", "up"]).ok();
    assert!(up.stderr.contains(&format!("api is the parent's, at {}", family.host())), "{up:?}");
    assert_eq!(family.names(), ["keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"]);
    assert!(!family.has_group());
    let ours: Vec<Value> = ["keep0", "keep1", "keepproxy"]
        .map(|name| family.ours.service("default", name)["ports"][name].clone())
        .into();
    let ports = || -> Vec<Value> {
        let mut listed = family.listed("keep_services");
        listed.sort_by_key(|item| format!("{} {}", item["service_type"], item["uuid"]));
        listed.iter().map(|item| item["service_port"].clone()).collect()
    };
    assert_eq!(ports(), ours);
    // It is said again to whoever asks, and a reset includes it.
    let status = family.ours.services(&["status"]).ok().stdout;
    assert!(status.contains("api is the parent's, at "), "{status}");
    let told = json!({"api": family.host(), "proxies": false});
    assert_eq!(family.ours.status(&[])["parent"], told);
    family.group();
    family.ours.services(&["reset"]).ok();
    assert!(!family.has_group());
    assert_eq!(ports(), ours);
    // Clients find both, and may verify both.
    let env = family.ours.services(&["env", "--format", "json"]).ok().stdout;
    let env: Value = serde_json::from_str(&env).unwrap();
    assert_eq!(env["set"]["ARVADOS_API_HOST"], family.host());
    let trusted = env["set"]["ARVADOS_TEST_CA_CERT"].as_str().unwrap();
    for url in [
        format!("https://{}/arvados/v1/keep_services", family.host()),
        env["set"]["ARVADOS_TEST_KEEPPROXY_SSL_URL"].as_str().unwrap().to_owned(),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--noproxy", "*", "--cacert", trusted, &url]);
        Done::from(curl.output().unwrap()).ok();
    }
    family.ours.services(&["down"]).ok();
    assert_eq!(family.parent.service("default", "api")["pid"], api);
    assert_eq!(family.parent.status(&[])["ready"], true);
}

#[test]
fn a_parents_proxies_are_left_alone() {
    let family = Family::new();
    family.run(&["ARVADOS_TEST_PROXY_SERVICES"], &["services", "up"]).ok();
    assert_eq!(family.names(), ["keep0", "keep1"]);
    let listed = family.listed("keep_services");
    assert_eq!(listed.iter().filter(|item| item["service_type"] == "disk").count(), 2);
    assert_eq!(family.ours.status(&[])["parent"]["proxies"], true);
}

#[test]
fn a_command_runs_on_the_parents_api_server() {
    let family = Family::new();
    family.group();
    let script = "echo $ARVADOS_API_HOST $ARVADOS_TEST_API_HOST";
    let exec = family.run(&[], &["services", "exec", "--", "sh", "-c", script]).ok();
    assert_eq!(exec.stdout, format!("{0} {0}\n", family.host()));
    assert!(!family.has_group());
    assert_eq!(family.parent.status(&[])["ready"], true);
}

#[test]
fn suites_have_the_parents_api_server_one_after_the_other() {
    let family = Family::new();
    let alone = family.ours.root().join("alone");
    let script = format!(
        "mkdir '{0}' && test $ARVADOS_API_HOST = {1} && rmdir '{0}' && echo 1 passed, 0 failed",
        alone.display(),
        family.host()
    );
    let suite = |name: &str| format!("  {name}: {{command: {}}}\n", json!(["sh", "-c", script]));
    let suites: String = ["a", "b", "c", "d"].map(suite).concat();
    common::suites::write(&family.ours, &suites);
    let done = family.run(&[], &["test-all", "--jobs", "4"]).ok();
    assert_eq!(done.stdout.lines().last(), Some("4 passed, 0 failed, 0 skipped"), "{done:?}");
    assert!(done.stderr.contains("api is the parent's, at "), "{done:?}");
    assert_eq!(family.parent.status(&[])["ready"], true);
}

#[test]
fn without_a_cluster_a_reset_is_the_parents() {
    let family = Family::new();
    family.group();
    let reset = family.run(&[], &["services", "reset"]).ok();
    assert!(reset.stderr.contains("as in the fixtures again"), "{reset:?}");
    assert!(!family.has_group());
}

#[test]
fn a_certificate_that_the_parent_does_not_vouch_for_is_refused() {
    let family = Family::new();
    let other = Checkout::new();
    other.up(&["api"]);
    let mut up = family.command(&[], &["services", "up"]);
    up.env("ARVADOS_TEST_CA_CERT", other.stack("default", "tls/ca.pem"));
    let up = Done::from(up.output().unwrap());
    assert_eq!(up.code, Some(3), "{up:?}");
    assert!(up.stderr.contains("the parent's API server at "), "{up:?}");
    assert!(up.stderr.contains("certificate"), "{up:?}");
    let mut unknown = family.command(&[], &["services", "up", "keep0"]);
    Done::from(unknown.env_remove("ARVADOS_TEST_CA_CERT").output().unwrap()).ok();
}

#[test]
fn what_our_own_environment_names_is_no_parent() {
    let checkout = Checkout::new();
    let exported = checkout.up(&["--format", "json"]).stdout;
    let exported: Value = serde_json::from_str(&exported).unwrap();
    let run = |without: &str, arguments: &[&str]| {
        let mut command = checkout.command(arguments);
        for (name, value) in exported["set"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        Done::from(command.env_remove(without).output().unwrap())
    };
    // The same cluster, and another one beside it.
    run("", &["services", "up"]).ok();
    let other = run("", &["services", "up", "--stack", "other", "api"]).ok();
    assert!(other.stderr.contains("is up (1 service started)"), "{other:?}");
    assert_eq!(checkout.status(&["--stack", "other"])["parent"]["api"], Value::Null);
    // Even if only the address is known, a cluster is not its own parent.
    run("XTASK_STACK", &["services", "up"]).ok();
    assert_eq!(checkout.status(&[])["parent"]["api"], Value::Null);
    assert_eq!(checkout.status(&[])["services"].as_array().unwrap().len(), 6);
    // A running one does not change to another.
    let changed = run("XTASK_STACK", &["services", "up", "--stack", "other"]);
    assert_eq!(changed.code, Some(2), "{changed:?}");
    assert!(changed.stderr.contains("take it down first, or unset the variable"), "{changed:?}");
}

#[test]
fn a_wrong_address_is_refused() {
    let checkout = Checkout::new();
    for (host, wanted) in [
        (
            "https://localhost:1/",
            "ARVADOS_TEST_API_HOST is \"https://localhost:1/\": write HOST:PORT",
        ),
        ("api.example.com", "set ARVADOS_TEST_CA_CERT to the file"),
    ] {
        let mut up = checkout.command(&["services", "up"]);
        up.env_remove("XTASK_STACK").env_remove("ARVADOS_TEST_CA_CERT");
        up.env_remove("ARVADOS_API_HOST_INSECURE").env("ARVADOS_TEST_API_HOST", host);
        let up = Done::from(up.output().unwrap());
        assert_eq!(up.code, Some(2), "{up:?}");
        assert!(up.stderr.contains(wanted), "{up:?}");
    }
}

#[test]
fn what_clients_remember_of_the_address_is_forgotten_and_nothing_else() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let api = checkout.service("default", "api");
    let url =
        format!("https://127.0.0.1:{}/discovery/v1/apis/arvados/v1/rest", api["ports"]["api"]);
    let sum = Command::new("sh").args(["-c", "printf %s \"$0\" | md5sum", &url]).output().unwrap();
    let digest = Done::from(sum).ok().stdout[..32].to_owned();
    let home = checkout.root().join("home");
    let cache = home.join(".cache/arvados/discovery");
    fs_err::create_dir_all(&cache).unwrap();
    let forgotten = [format!("{digest}.tmp"), format!("127.0.0.1discovery,{digest}")];
    let kept = ["00000000000000000000000000000000.tmp".to_owned(), "mine".to_owned()];
    for name in forgotten.iter().chain(&kept) {
        fs_err::write(cache.join(name), "").unwrap();
    }
    common::kill(i32::try_from(api["pid"].as_i64().unwrap()).unwrap());
    // It has its port again as long as anything of the cluster runs.
    let mut up = checkout.command(&["services", "up", "api"]);
    Done::from(up.env("HOME", &home).env_remove("XDG_CACHE_HOME").output().unwrap()).ok();
    let exists =
        |names: &[String]| names.iter().map(|name| cache.join(name).exists()).collect::<Vec<_>>();
    assert_eq!((exists(&forgotten), exists(&kept)), (vec![false; 2], vec![true; 2]));
}
