//! The API server under Phusion Passenger Standalone, in a checkout of Arvados: the real Passenger with
//! its builtin engine, and one with the nginx engine that accepts nothing but the flags of Arvados'
//! own tests.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Checkout, Done, conformance};

/// A root with a checkout of Arvados in it, as far as its API server goes.
struct Arvados {
    checkout: Checkout,
}

impl Arvados {
    fn new() -> Self {
        // Passenger keeps sockets in the stack's folder.
        let checkout = Checkout::with_short_path();
        let api = checkout.root().join("arvados/services/api");
        fs_err::create_dir_all(api.join("log")).unwrap();
        repositories(&api.join("packed/test"));
        fs_err::create_dir_all(api.join("test")).unwrap();
        // As whoever packed it: nobody.
        let tar =
            ["--owner=65534", "--group=65534", "-C", "packed", "-cf", "test/test.git.tar", "test"];
        let packed = Command::new("tar").args(tar).current_dir(&api).status().unwrap();
        assert!(packed.success());
        // Starting Ruby under load takes its time.
        checkout.configure("start_timeout: 30", "start_timeout: 300");
        checkout.configure("stop_timeout: 5", "stop_timeout: 60");
        Self { checkout }
    }

    fn api(&self) -> PathBuf {
        self.checkout.root().join("arvados/services/api")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.checkout.command(&[&["services"], arguments].concat());
        // A shell that is set up for another cluster.
        command
            .env("ARVADOS_API_HOST", "production.example.com")
            .env("ARVADOS_API_TOKEN", "secret");
        command
    }

    /// `services up` with the real API server.
    fn up(&self, provider: &str, more: &[&str]) -> Done {
        let checkout = self.checkout.root().join("arvados");
        let provider = format!("api={provider}");
        let arguments =
            ["up", "--provider", &provider, "--arvados-src", checkout.to_str().unwrap()];
        self.command(&[&arguments, more].concat()).output().unwrap().into()
    }

    /// Takes the stack down, after which nothing is left: no process, no socket, no pid file.
    fn goes_down(&self) {
        let down = self.checkout.services(&["down"]).ok();
        assert!(!down.stderr.contains("api:"), "neither failed nor killed: {down:?}");
        self.has_left_nothing();
    }

    fn has_left_nothing(&self) {
        assert_eq!(common::working_in(&self.checkout.stack("default", "")), [0; 0]);
        assert_eq!(common::working_in(&self.api()), [0; 0]);
        let left = fs_err::read_dir(self.checkout.stack("default", "")).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let more = left.filter(|name| name != "log" && name != "stack.lock");
        assert_eq!(more.collect::<Vec<_>>(), [""; 0]);
        assert!(!self.api().join("tmp/pids/test-server.pid").exists());
    }
}

/// Those of our fixtures, in a folder that is made.
fn repositories(folder: &Path) {
    let found = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let git = PathBuf::from(Done::from(found).ok().stdout.trim());
    let cache = tempfile::tempdir().unwrap();
    let fixtures = sdk_fixtures::Fixtures::builtin();
    let prepared = sdk_fixtures::git::prepare(&git, &fixtures, cache.path()).unwrap();
    fs_err::create_dir_all(folder.parent().unwrap()).unwrap();
    sdk_fixtures::git::install(&prepared, folder).unwrap();
}

/// Passenger with an application that passes every request on to an API server of ours.
fn with_passenger() -> Option<Arvados> {
    if !["passenger", "bundle", "ruby"].into_iter().all(common::is_installed) {
        return None;
    }
    let arvados = Arvados::new();
    let rackup = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passenger/config.ru");
    fs_err::copy(rackup, arvados.api().join("config.ru")).unwrap();
    fs_err::write(arvados.api().join("Gemfile"), "gem 'rack'\n").unwrap();
    arvados.checkout.up(&["--stack", "behind", "api"]);
    let port = arvados.checkout.service("behind", "api")["ports"]["api"].clone();
    fs_err::write(arvados.api().join("backend"), format!("127.0.0.1:{port}\n")).unwrap();
    Some(arvados)
}

#[test]
fn a_cluster_with_the_real_passenger_is_as_ours() {
    let Some(arvados) = with_passenger() else { return };
    let nginx = if common::is_installed("nginx") { "nginx=system" } else { "nginx=embedded" };
    let up = arvados.up("system", &["--provider", nginx]).ok();
    let status = arvados.checkout.status(&[]);
    assert_eq!(status["era"], "current", "{status:#}");
    let names: Vec<_> = arvados.checkout.health().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..2], ["api", "api-front"], "the builtin engine speaks no TLS: {up:?}");
    conformance::passes(&arvados.checkout, &[]);
    arvados.checkout.services(&["reset"]).ok();
    conformance::passes(&arvados.checkout, &["api-lists.yml", "keepproxy.yml"]);
    for repository in fs_err::read_dir(arvados.api().join("tmp/git/test")).unwrap() {
        let owner = std::os::unix::fs::MetadataExt::uid(&repository.unwrap().metadata().unwrap());
        assert_eq!(owner, nix::unistd::geteuid().as_raw(), "git refuses what is another's");
    }
    arvados.goes_down();
}

#[test]
fn passenger_is_started_again_when_it_was_killed() {
    let Some(arvados) = with_passenger() else { return };
    arvados.up("system", &["api"]).ok();
    let pid = arvados.checkout.service("default", "api")["pid"].as_i64().unwrap();
    common::kill(i32::try_from(pid).unwrap());
    arvados.up("system", &["api"]).ok();
    assert!(arvados.checkout.health().iter().all(|(_, ready)| *ready));
    arvados.checkout.services(&["restart", "api"]).ok();
    assert!(arvados.checkout.health().iter().all(|(_, ready)| *ready));
    let pid = arvados.checkout.service("default", "api")["pid"].as_i64().unwrap();
    common::kill(i32::try_from(pid).unwrap());
    arvados.checkout.services(&["down"]).ok();
    arvados.has_left_nothing();
}

/// A `bundle` that accepts nothing but what Arvados' own tests call it with.
fn with_nginx_engine() -> (Arvados, String) {
    let arvados = Arvados::new();
    let root = arvados.checkout.root();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passenger/bundle");
    let quoted = |path: &Path| format!("'{}'", path.display());
    let key = common::signing_key(&arvados.checkout);
    let script = fs_err::read_to_string(script)
        .unwrap()
        .replace("=SERVICES", &format!("={}", quoted(&common::services_binary())))
        .replace("=FIXTURES", &format!("={}", quoted(sdk_fixtures::Fixtures::builtin().dir())))
        .replace("$KEY_OF_FIXTURES", &key);
    let bundle = common::executable(&root.join("bundle"), &script);
    (arvados, bundle)
}

#[test]
fn passenger_with_nginx_is_started_as_the_tests_of_arvados_do() {
    let (arvados, bundle) = with_nginx_engine();
    arvados.up(&bundle, &[]).ok();
    let api = arvados.checkout.service("default", "api");
    let pid = fs_err::read_to_string(arvados.api().join("tmp/pids/test-server.pid")).unwrap();
    assert_eq!(api["pid"].to_string(), pid.trim(), "it went into the background");
    assert!(arvados.checkout.health().iter().all(|(name, ready)| *ready && name != "api-front"));
    conformance::passes(&arvados.checkout, &[]);
    arvados.checkout.services(&["reset"]).ok();
    conformance::passes(&arvados.checkout, &["api-lists.yml", "keepproxy.yml"]);
    arvados.goes_down();
    // Its database is what it was, until it is reset.
    arvados.up(&bundle, &[]).ok();
    conformance::passes(&arvados.checkout, &["api-lists.yml"]);
    arvados.goes_down();
}

#[test]
fn a_server_that_is_elsewhere_than_asked_for_is_not_waited_for() {
    let arvados = Arvados::new();
    let bundle = arvados.checkout.root().join("bundle");
    let script = "#!/bin/sh\n[ \"$3\" = start ] && echo 'Accessible via: https://0.0.0.0:1/'\n";
    let bundle = common::executable(&bundle, script);
    let failed = arvados.up(&bundle, &["api"]);
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert!(
        failed
            .stderr
            .contains("api has not started as it should: it says that it is at https://0.0.0.0:1/"),
        "{failed:?}"
    );
}

#[test]
fn the_real_api_server_needs_a_checkout() {
    let checkout = Checkout::new();
    let refused = checkout.services(&["up", "--provider", "api=system"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert_eq!(
        refused.stderr,
        "error: api: the real API server is in a checkout of Arvados: name that with --arvados-src \
         DIR\n"
    );
}
