//! Signals, while a run goes on: the first asks everything to end, the second does not wait.
//!
//! Workers notice the first one by themselves, wherever they wait.

use crate::latch::Latch;
use crate::output::say;
use crate::process::poll;
use crate::signals::Interrupt;

/// Says what happens, until the run is over.
pub(super) fn attend(signals: &Interrupt, is_over: &Latch, hurry: &Latch) {
    let mut number = 0;
    while let Ok(ready) = poll::until_readable(&[signals, is_over], None) {
        if ready.contains(&1) {
            return;
        }
        let Ok(Some(_)) = signals.take() else { continue };
        number += 1;
        match number {
            1 => say("ending the suites, and taking their clusters down; once more to kill them"),
            _ => hurry.set(),
        }
    }
}
