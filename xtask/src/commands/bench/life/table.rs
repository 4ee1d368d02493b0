//! The table that a person reads.

use std::time::Duration;

/// One line of it.
pub(super) struct Row {
    what: String,
    ours: String,
    floor: String,
    ratio: String,
    aim: &'static str,
}

impl Row {
    /// Medians of both lists, and the ratio of the two.
    pub(super) fn time(
        what: &str,
        ours: &[Duration],
        floor: Option<&[Duration]>,
        aim: &'static str,
    ) -> Self {
        let ours = median(ours);
        let floor = floor.map(median);
        let text = |milliseconds: f64| format!("{milliseconds:.1} ms");
        Self {
            what: what.to_owned(),
            ours: text(ours),
            floor: floor.map(text).unwrap_or_default(),
            ratio: floor.map(|floor| format!("{:.2}", ours / floor)).unwrap_or_default(),
            aim,
        }
    }

    /// A size in bytes.
    pub(super) fn memory(what: &str, bytes: u64, aim: &'static str) -> Self {
        let ours = format!("{} MB", bytes / 1_000_000);
        Self { what: what.to_owned(), ours, floor: String::new(), ratio: String::new(), aim }
    }
}

/// The rows below a heading.
pub(super) fn render(rows: &[Row]) -> String {
    let line = |what: &str, ours: &str, floor: &str, ratio: &str, aim: &str| {
        let line = format!("{what:<29} {ours:>9} {floor:>9} {ratio:>6}  {aim}");
        format!("{}\n", line.trim_end())
    };
    let heading = line("", "OURS", "FLOOR", "RATIO", "AIM");
    let lines = rows.iter().map(|row| line(&row.what, &row.ours, &row.floor, &row.ratio, row.aim));
    std::iter::once(heading).chain(lines).collect()
}

/// In milliseconds; 0 of nothing.
fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_medians_and_their_ratio() {
        let of = |milliseconds: [u64; 3]| milliseconds.map(Duration::from_millis);
        let row = Row::time("up", &of([30, 90, 20]), Some(&of([20, 1, 80])), "40 ms");
        insta::assert_snapshot!(render(&[row, Row::memory("memory", 59_000_000, "60 MB")]));
    }
}
