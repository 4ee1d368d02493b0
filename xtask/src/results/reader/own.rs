//! A closing line of our own form: `N passed, N failed, N skipped`.

use super::{Format, Found, number_of};
use crate::results::count::Count;

/// Several such lines add up.
#[derive(Default)]
pub(super) struct Own(Found);

impl Format for Own {
    fn line(&mut self, line: &str) -> bool {
        let count = count(line);
        self.0.count += count.unwrap_or_default();
        count.is_some()
    }

    fn end(self: Box<Self>) -> Found {
        self.0
    }
}

/// The skipped ones may be left out.
fn count(line: &str) -> Option<Count> {
    let mut parts = line.split(", ");
    let passed = number_of(parts.next()?, " passed")?;
    let failed = number_of(parts.next()?, " failed")?;
    let skipped = parts.next().map_or(Some(0), |part| number_of(part, " skipped"))?;
    parts.next().is_none().then_some(Count { passed, failed, skipped })
}
