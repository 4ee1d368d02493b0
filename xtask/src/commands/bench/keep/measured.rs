//! What came of the cells, and what that means for the command.

use super::super::load::Outcome;
use super::cell::Cell;
use crate::failure::CheckFailed;

/// A cell, and what came of it.
pub(super) struct Measured {
    pub(super) cell: Cell,
    /// None if it failed.
    pub(super) figures: Option<Figures>,
}

/// What a cell took.
pub(super) struct Figures {
    pub(super) outcome: Outcome,
    /// The most that all servers on the way had in memory, each at its own time, in bytes.
    pub(super) memory: u64,
}

/// The programs on PATH may lack what our services have, so only these are judged.
///
/// # Errors
/// [`CheckFailed`] when a cell of `ours` failed.
pub(super) fn verdict(ours: &[Measured]) -> Result<(), CheckFailed> {
    match ours.iter().filter(|measured| measured.figures.is_none()).count() {
        0 => Ok(()),
        failed => {
            let all = ours.len();
            Err(CheckFailed(format!("{failed} of {all} measurements of our services failed")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cell::Route;
    use super::*;

    #[test]
    fn one_of_ours_that_failed_fails_the_command() {
        let figures = || {
            let outcome = Outcome::new(Vec::new(), Duration::from_secs(1), Duration::ZERO);
            Figures { outcome, memory: 0 }
        };
        let cells = Cell::all(&[Route::Direct], 1).into_iter();
        let mut ours: Vec<Measured> =
            cells.map(|cell| Measured { cell, figures: Some(figures()) }).collect();
        assert!(verdict(&ours).is_ok());
        ours[3].figures = None;
        let failed = verdict(&ours).unwrap_err();
        assert_eq!(failed.to_string(), "1 of 12 measurements of our services failed");
    }
}
