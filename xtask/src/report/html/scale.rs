//! Where a time is on an axis.

use std::time::Duration;

use crate::results::Span;

/// How many marks there may be on an axis.
const MARKS: u32 = 8;

/// From the left to the right.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    began: Duration,
    length: Duration,
}

impl Scale {
    pub(super) fn of(span: Span) -> Self {
        Self { began: span.began, length: span.length().max(Duration::from_micros(1)) }
    }

    /// As a style of an element: where it begins, and how wide it is.
    pub(super) fn style(self, span: Span) -> String {
        let (left, right) = (self.percent(span.began), self.percent(span.ended));
        format!("left:{left:.3}%;width:{:.3}%", (right - left).max(0.0))
    }

    /// What is beyond the axis is at its end.
    pub(super) fn percent(self, at: Duration) -> f64 {
        let part = at.saturating_sub(self.began).as_secs_f64() / self.length.as_secs_f64();
        (part * 100.0).min(100.0)
    }

    /// At round times, from its beginning on.
    pub(super) fn marks(self) -> Vec<Duration> {
        let step = self.step();
        let marks = (0..=MARKS).map(|number| self.began + step * number);
        marks.take_while(|mark| *mark <= self.began + self.length).collect()
    }

    pub(super) fn step(self) -> Duration {
        let steps = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let milliseconds = steps.take_while(|step| *step < 15_000).map(Duration::from_millis);
        let longer = [15, 30, 60, 120, 300, 600, 900, 1800].map(Duration::from_secs);
        let hours = (1..).map(|hours| Duration::from_secs(3600 * hours));
        let mut all = milliseconds.chain(longer).chain(hours);
        all.find(|step| *step * MARKS >= self.length).unwrap_or(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(milliseconds: u64) -> Scale {
        Scale::of(Span { began: Duration::ZERO, ended: Duration::from_millis(milliseconds) })
    }

    #[test]
    fn marks_are_round_and_not_too_many() {
        for (length, step, number) in [
            (1, 1, 2),
            (41, 10, 5),
            (1_000, 200, 6),
            (61_480, 10_000, 7),
            (100_000, 15_000, 7),
            (300_000, 60_000, 6),
            (9_000_000, 1_800_000, 6),
            (86_400_000, 10_800_000, 9),
        ] {
            let scale = scale(length);
            assert_eq!(scale.step(), Duration::from_millis(step), "{length}");
            assert_eq!(scale.marks().len(), number, "{length}");
        }
    }

    #[test]
    fn what_is_beyond_the_axis_is_at_its_end() {
        let span = |began, ended| Span {
            began: Duration::from_millis(began),
            ended: Duration::from_millis(ended),
        };
        assert_eq!(scale(1000).style(span(250, 500)), "left:25.000%;width:25.000%");
        assert_eq!(scale(1000).style(span(900, 9000)), "left:90.000%;width:10.000%");
        assert_eq!(scale(1000).style(span(9000, 1)), "left:100.000%;width:0.000%");
        assert_eq!(scale(0).percent(Duration::ZERO), 0.0);
    }
}
