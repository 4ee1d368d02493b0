//! How long processes have been on a processor.

use std::time::Duration;

use crate::process::table::{self, Entry};

/// The time that `roots` and all that descend from them have worked so far, those included that have
/// ended and been waited for.
pub(super) fn of(roots: &[i32]) -> Duration {
    family(roots).iter().map(|entry| entry.worked).sum()
}

/// `roots`, and all that descend from them.
pub(in super::super) fn family(roots: &[i32]) -> Vec<Entry> {
    let entries = table::read();
    let belongs = |entry: &Entry| {
        let mut ancestors = std::iter::successors(Some(entry), |entry| {
            entries.iter().find(|other| other.pid == entry.parent)
        });
        ancestors.any(|entry| roots.contains(&entry.pid))
    };
    let belongs: Vec<bool> = entries.iter().map(belongs).collect();
    entries
        .into_iter()
        .zip(belongs)
        .filter_map(|(entry, belongs)| belongs.then_some(entry))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_work_is_seen_and_that_of_nobody_is_none() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = of(&[own]);
        // The kernel counts in hundredths of a second.
        let mut sum = 0_u64;
        while of(&[own]) < before + Duration::from_millis(20) {
            sum = (0..100_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        assert_eq!(of(&[]), Duration::ZERO);
    }
}
