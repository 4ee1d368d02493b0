//! A cluster for a run of cargo-nextest, by the setup script that comes with us.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use common::{Checkout, Done};
use nix::sys::stat::Mode;

/// A test that asks the API server who it is; and one that waits until somebody opens its pipe.
const TESTS: &str = r#"
#[test]
fn asks() {
    let script = "exec curl --silent --fail --noproxy '*' --cacert \"$ARVADOS_TEST_CA_CERT\" \
        --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
        \"https://$ARVADOS_API_HOST/arvados/v1/users/current\"";
    let output = std::process::Command::new("sh").args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("zzzzz-tpzed-xurymjxw79nv3jz"), "{text}");
    assert_eq!(std::env::var("ARVADOS_KEEP_PROXY").unwrap(), "");
    println!("stack {}", std::env::var("XTASK_STACK").unwrap());
}

#[test]
#[ignore]
fn waits() {
    println!("\nstack {}", std::env::var("XTASK_STACK").unwrap());
    std::fs::read("pipe").unwrap();
}
"#;

/// A crate without dependencies, whose tests have the cluster of a setup script with these
/// arguments for `up`.
fn make_crate(folder: &Path, arguments: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-fixtures/nextest-setup.sh");
    let script = script.canonicalize().unwrap();
    let nextest = format!(
        "experimental = ['setup-scripts']\n\
         [scripts.setup.cluster]\ncommand = ['{}', {arguments}]\n\
         [[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'cluster'\n",
        script.display()
    );
    let manifest = "[package]\nname = 'theirs'\nedition = '2021'\n[workspace]\n";
    for (name, text) in [
        (".config/nextest.toml", nextest.as_str()),
        ("Cargo.toml", manifest),
        ("src/lib.rs", TESTS),
    ] {
        fs_err::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs_err::write(folder.join(name), text).unwrap();
    }
}

fn nextest(checkout: &Checkout, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    sdk_fixtures::environment::clean(&mut command);
    command.args(["nextest", "run", "--offline", "--no-capture"]).args(arguments);
    command.args(["--target-dir", "target"]).current_dir(checkout.root().join("theirs"));
    command.env("XTASK_ROOT", checkout.root()).stdin(Stdio::null());
    command
}

/// A checkout with that crate in it, where nextest is installed.
fn with_a_crate(arguments: &str) -> Option<Checkout> {
    if !common::is_installed("cargo-nextest") {
        return None;
    }
    // By the first run it would be built anew, while another test uses it.
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut command = Command::new("cargo");
        sdk_fixtures::environment::clean(&mut command);
        command.args(["build", "--quiet", "--workspace", "--bin", "xtask"]);
        assert!(command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    });
    let checkout = Checkout::new();
    make_crate(&checkout.root().join("theirs"), arguments);
    Some(checkout)
}

#[track_caller]
fn assert_nothing_is_left(checkout: &Checkout) {
    common::wait_for(|| checkout.processes().is_empty());
    assert_eq!(stacks(checkout), [""; 0]);
}

fn stacks(checkout: &Checkout) -> Vec<String> {
    let entries = fs_err::read_dir(checkout.root().join(".services")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn tests_of_a_run_find_a_cluster_that_is_gone_after_it() {
    let Some(checkout) = with_a_crate("'--auth', 'active'") else { return };
    let done = Done::from(nextest(&checkout, &[]).output().unwrap()).ok();
    let output = done.stdout + &done.stderr;
    assert!(output.contains("stack nextest-"), "{output}");
    assert_nothing_is_left(&checkout);
}

#[test]
fn a_cluster_goes_down_when_nextest_is_killed() {
    let Some(checkout) = with_a_crate("'api'") else { return };
    let pipe = checkout.root().join("theirs/pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let mut command = nextest(&checkout, &["--run-ignored", "only"]);
    let mut nextest = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(nextest.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("stack nextest-")));
    assert!(checkout.processes().len() > 3, "the run, its test, a service and a guardian");
    nextest.kill().unwrap();
    nextest.wait().unwrap();
    common::wait_for(|| stacks(&checkout).is_empty());
    // The test itself is nextest's affair, and has gone on.
    fs_err::write(pipe, "").unwrap();
    assert_nothing_is_left(&checkout);
}

#[test]
fn a_cluster_that_cannot_be_fails_the_run_and_says_why() {
    let Some(checkout) = with_a_crate("'--profile', 'enforced'") else { return };
    let done = Done::from(nextest(&checkout, &[]).output().unwrap());
    assert_ne!(done.code, Some(0), "{done:?}");
    let output = done.stdout + &done.stderr;
    assert!(output.contains("unknown profile enforced; did you mean enforce?"), "{output}");
}
