//! Under a first process that never reaps, a dead process stays in the table: it is dead all the
//! same. A test program of its own, since it becomes such a process itself.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::Checkout;

#[test]
fn zombies_do_not_keep_a_stack_from_going_down() {
    // From here on, all that loses its parent is ours, and nobody waits for it.
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let checkout = Checkout::new();
    for _ in 0..2 {
        checkout.up(&[]);
        let pid = checkout.service("default", "keep0")["pid"].clone();
        let down = checkout.services(&["down"]).ok();
        assert!(!down.stderr.contains("was killed"), "{down:?}");
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        assert!(stat.contains(") Z "), "it is a zombie of ours: {stat}");
        assert_eq!(checkout.processes(), [0; 0]);
    }
    let exec = checkout.services(&["exec", "--", "true"]);
    assert_eq!(exec.code, Some(0), "{exec:?}");
}
