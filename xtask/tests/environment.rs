//! The exported environment as those read it for whom it is written: shells and other programs.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::{Checkout, Done};
use serde_json::Value;

/// What a service may export, and each format has to write.
const ODD: [(&str, &str); 5] = [
    ("ODD_BACKSLASH", r"\a \\ \n"),
    ("ODD_EMPTY", ""),
    ("ODD_LINES", "one\n two\n"),
    ("ODD_QUOTES", r#"it's "said" \"so\" 'here'"#),
    ("ODD_SPACES", "  a  b\t"),
];

/// For these, python-dotenv has no escape.
const ODDER: [(&str, &str); 2] =
    [("ODD_DOLLAR", "$HOME ${HOME} $(id) `id` %HOME% #"), ("ODD_END", r"it's \")];

fn with_values(values: &[(&str, &str)]) -> Checkout {
    let checkout = Checkout::new();
    // What is JSON is YAML too.
    let exported: BTreeMap<_, _> = values.iter().copied().collect();
    let exported = serde_json::to_string(&exported).unwrap();
    let odd = format!("{{command: [sleep, '100000'], export: {exported}}}");
    checkout.configure("services: {}", &format!("services: {{odd: {odd}}}"));
    checkout.up(&[]);
    checkout
}

fn with_odd_values() -> Checkout {
    with_values(&[&ODD[..], &ODDER].concat())
}

/// `NAME=VALUE` as `env -0` has written them to that file of the checkout.
fn variables(checkout: &Checkout, file: &str) -> BTreeMap<String, String> {
    let text = fs_err::read_to_string(checkout.root().join(file)).unwrap();
    let pairs = text.split_terminator('\0').map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn json(checkout: &Checkout, arguments: &[&str]) -> Value {
    let mut command = checkout.plainly(&["env", "--format", "json"]);
    let done = Done::from(command.args(arguments).output().unwrap()).ok();
    serde_json::from_str(&done.stdout).unwrap()
}

/// Has the script run by a shell in the checkout, where `$xtask` is our program, and a client would
/// be led elsewhere.
fn run(checkout: &Checkout, shell: &str, script: &str) {
    let ours = checkout.plainly(&[]);
    let mut command = Command::new(shell);
    command.args(["-c", script]).current_dir(checkout.root());
    command.env("xtask", ours.get_program()).env("XTASK_ROOT", checkout.root());
    // Whatever it keeps of itself, it keeps here.
    command.env("HOME", checkout.root()).env("XDG_CONFIG_HOME", checkout.root().join("config"));
    command.env("XDG_DATA_HOME", checkout.root().join("data"));
    command.env("XDG_RUNTIME_DIR", checkout.root()).env("TMPDIR", checkout.root());
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ARVADOS_")) {
        command.env_remove(name);
    }
    command.env_remove("XTASK_STACK").env("KEEP_LOCAL_STORE", "/elsewhere");
    let done = Done::from(command.output().unwrap()).ok();
    assert_eq!(done.stderr, "", "{shell}");
}

/// After the script, `inside` and `after` are as they have to be.
fn set_and_unset(checkout: &Checkout, shell: &str, script: &str) {
    run(checkout, shell, script);
    let [mut before, inside, mut after] =
        ["before", "inside", "after"].map(|file| variables(checkout, file));
    let env = json(checkout, &[]);
    for (name, value) in env["set"].as_object().unwrap() {
        assert_eq!(inside.get(name).map(String::as_str), value.as_str(), "{shell}: {name}");
    }
    for name in env["unset"].as_array().unwrap() {
        assert!(!inside.contains_key(name.as_str().unwrap()), "{shell}: {name}");
    }
    // What led elsewhere stays away.
    before.remove("KEEP_LOCAL_STORE").unwrap();
    // zsh counts differently for the last command of a script.
    assert!(before.remove("SHLVL").is_some() == after.remove("SHLVL").is_some());
    assert_eq!(after, before, "{shell}");
}

#[test]
fn shells_read_every_value_and_are_as_before_when_it_is_undone() {
    let checkout = with_odd_values();
    let posix = "set -eu
        env -0 >before
        eval \"$(\"$xtask\" services env --format sh)\"
        env -0 >inside
        eval \"$(\"$xtask\" services env --unset --format sh)\"
        env -0 >after";
    for shell in ["sh", "dash", "bash", "zsh"] {
        if common::is_installed(shell) {
            set_and_unset(&checkout, shell, posix);
        }
    }
    let fish = "env -0 >before
        $xtask services env --format fish | source
        env -0 >inside
        $xtask services env --unset --format fish | source
        env -0 >after; or exit 1";
    if common::is_installed("fish") {
        set_and_unset(&checkout, "fish", fish);
    }
}

#[test]
fn fish_keeps_what_the_user_has_set_for_good() {
    if !common::is_installed("fish") {
        return;
    }
    let checkout = Checkout::new();
    let script = "set -Ux ARVADOS_API_TOKEN mine
        $xtask services env --unset --format fish | source
        env -0 >after";
    run(&checkout, "fish", script);
    assert_eq!(variables(&checkout, "after")["ARVADOS_API_TOKEN"], "mine");
}

#[test]
fn a_shell_reads_a_dotenv_file_of_plain_values() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let script = "set -eu
        \"$xtask\" services env --format dotenv >.env
        set -a; . ./.env
        env -0 >inside";
    run(&checkout, "sh", script);
    let inside = variables(&checkout, "inside");
    let env = json(&checkout, &[]);
    for (name, value) in env["set"].as_object().unwrap() {
        assert_eq!(inside.get(name).map(String::as_str), value.as_str(), "{name}");
    }
    for name in env["unset"].as_array().unwrap() {
        assert_eq!(inside[name.as_str().unwrap()], "");
    }
}

#[test]
fn python_reads_a_dotenv_file() {
    let found = Command::new("python3").args(["-c", "import dotenv"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("not tried: python-dotenv is not installed");
        return;
    }
    let checkout = with_values(&ODD);
    let file = checkout.root().join(".env");
    let dotenv = checkout.plainly(&["env", "--format", "dotenv"]).output().unwrap();
    fs_err::write(&file, Done::from(dotenv).ok().stdout).unwrap();
    let script = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    let read = Command::new("python3").args(["-c", script]).arg(file).output().unwrap();
    let read: Value = serde_json::from_str(&Done::from(read).ok().stdout).unwrap();
    for (name, value) in json(&checkout, &[])["set"].as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
}

/// The names in `"set"` or `"unset"`.
fn names(env: &Value, key: &str) -> Vec<String> {
    match &env[key] {
        Value::Object(map) => map.keys().cloned().collect(),
        list => serde_json::from_value(list.clone()).unwrap(),
    }
}

#[test]
fn all_that_may_be_set_is_unset_whether_the_stack_is_up_or_not() {
    let checkout = with_odd_values();
    let set = names(&json(&checkout, &[]), "set");
    assert!(set.contains(&"ODD_LINES".to_owned()), "{set:?}");
    let undone = json(&checkout, &["--unset"]);
    assert_eq!(undone["set"], serde_json::json!({}));
    assert_eq!(names(&undone, "unset"), set);
    // A stack that is up tells what services.yml has forgotten; one that is not, cannot.
    let yml = fs_err::read_to_string(checkout.services_yml()).unwrap();
    checkout.configure("ODD_LINES", "ODD_ROWS");
    let both = names(&json(&checkout, &["--unset"]), "unset");
    assert!(["ODD_LINES", "ODD_ROWS"].iter().all(|name| both.contains(&(*name).to_owned())));
    checkout.services(&["down"]).ok();
    let down = names(&json(&checkout, &["--unset"]), "unset");
    assert!(!down.contains(&"ODD_LINES".to_owned()), "{down:?}");
    fs_err::write(checkout.services_yml(), yml).unwrap();
    assert_eq!(names(&json(&checkout, &["--unset"]), "unset"), set);
}

#[test]
fn the_users_own_proxy_settings_are_extended_and_never_unset() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let mut command = checkout.plainly(&["env", "--format", "json"]);
    command.env("https_proxy", "http://proxy:3128").env("no_proxy", "intranet");
    let env: Value =
        serde_json::from_str(&Done::from(command.output().unwrap()).ok().stdout).unwrap();
    assert_eq!(env["set"]["no_proxy"], "intranet,localhost,127.0.0.1,::1");
    let mut command = checkout.plainly(&["env", "--unset"]);
    command.env("https_proxy", "http://proxy:3128");
    let undone = Done::from(command.output().unwrap()).ok().stdout;
    assert!(!undone.to_lowercase().contains("no_proxy"), "{undone}");
}

#[test]
fn a_name_that_a_shell_would_evaluate_is_refused() {
    let checkout = Checkout::new();
    let odd = "services: {odd: {command: [sleep, '1'], export: {'A;id': x}}}";
    checkout.configure("services: {}", odd);
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("service odd: \"A;id\" is no name of a variable"), "{done:?}");
    assert!(!checkout.root().join(".services").exists(), "nothing was started");
}
