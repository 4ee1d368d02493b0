//! The small commands that services.yml names for asking, emptying and stopping a service: they end
//! with the command that runs them, and what they leave goes down with the service.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::Path;

use common::{Checkout, kill, wait_for, wait_until_gone, working_in};
use serde_json::{Value, json};

/// Tells its number, and leaves a child that outlives it.
const HANGING: &str = "echo $$ >pid; mv pid asked; sleep 600 & wait";

fn declaring(key: &str, value: &Value) -> Checkout {
    let checkout = Checkout::declaring(&json!({"x": {"command": ["sleep", "600"], key: value}}));
    checkout.configure("stop_timeout: 5", "stop_timeout: 1");
    checkout
}

/// Kills that command while its helper hangs: the helper ends, and a `down` ends its child.
fn kill_while_it_asks(checkout: &Checkout, arguments: &[&str]) {
    let mut asking = checkout.command(&[&["services"], arguments].concat()).spawn().unwrap();
    let asked = checkout.stack("default", "data/x/asked");
    wait_for(|| asked.exists());
    let helper = fs_err::read_to_string(&asked).unwrap().trim().parse().unwrap();
    kill(i32::try_from(asking.id()).unwrap());
    asking.wait().unwrap();
    wait_until_gone(helper);
    let left = |folder: &Path| working_in(folder).len();
    assert!(left(asked.parent().unwrap()) > 0, "the helper has left something");
    fs_err::remove_file(&asked).unwrap();
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn nothing_is_left_of_a_reset_that_was_killed() {
    let checkout = declaring("reset", &json!(["sh", "-c", HANGING]));
    checkout.up(&["x"]);
    kill_while_it_asks(&checkout, &["reset"]);
}

#[test]
fn nothing_is_left_of_a_probe_whose_command_was_killed() {
    let checkout = declaring("probe", &json!({"exec": ["sh", "-c", HANGING]}));
    kill_while_it_asks(&checkout, &["up", "x"]);
}

#[test]
fn nothing_is_left_of_a_stop_command_whose_down_was_killed() {
    let hanging_once = format!("test -e once && exit; touch once; {HANGING}");
    let checkout = declaring("stop", &json!({"command": ["sh", "-c", hanging_once]}));
    checkout.configure("stop_timeout: 1", "stop_timeout: 60");
    checkout.up(&["x"]);
    kill_while_it_asks(&checkout, &["down"]);
}

#[test]
fn what_a_reset_starts_anew_goes_down_with_the_service() {
    let checkout = declaring("reset", &json!(["sh", "-c", "sleep 600 >/dev/null 2>&1 &"]));
    checkout.up(&["x"]);
    checkout.services(&["reset"]).ok();
    assert_eq!(working_in(&checkout.stack("default", "data/x")).len(), 2);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}
