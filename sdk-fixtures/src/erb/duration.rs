//! Durations as Rails has them: `3.1.minutes`, `2.months`.

use crate::ago::Ago;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// The mean of the Gregorian calendar, as in Active Support.
const YEAR: f64 = 365.2425 * DAY;

/// `number` of what `unit` names; `None` if that is no unit, or no number of them that there is.
///
/// Whole months and years are those of the calendar; parts of them are parts of the mean.
pub(super) fn of(number: f64, unit: &str) -> Option<Ago> {
    let (months, seconds) = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => (0, 1.0),
        "minute" => (0, MINUTE),
        "hour" => (0, HOUR),
        "day" => (0, DAY),
        "week" => (0, 7.0 * DAY),
        "month" => (1, YEAR / 12.0),
        "year" => (12, YEAR),
        _ => return None,
    };
    let whole = number * f64::from(months);
    if months > 0 && number.fract() == 0.0 && whole.abs() < f64::from(i32::MAX) {
        return Some(Ago { months: whole as i32, seconds: 0.0 });
    }
    let seconds = number * seconds;
    seconds.is_finite().then_some(Ago { months: 0, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_in_singular_and_plural() {
        for (number, unit, months, seconds) in [
            (1.0, "second", 0, 1.0),
            (13.0, "minutes", 0, 780.0),
            (3.1, "minute", 0, 186.0),
            (23.0, "hour", 0, 82_800.0),
            (365.0, "days", 0, 31_536_000.0),
            (1.0, "week", 0, 604_800.0),
            (1.0, "month", 1, 0.0),
            (2.0, "years", 24, 0.0),
            (0.5, "month", 0, 1_314_873.0),
            (-1.0, "hour", 0, -3600.0),
        ] {
            assert_eq!(of(number, unit), Some(Ago { months, seconds }), "{number}.{unit}");
        }
    }

    #[test]
    fn other_units_and_endless_durations_are_none() {
        for (number, unit) in [(1.0, "fortnight"), (1.0, "s"), (1.0, ""), (f64::MAX, "year")] {
            assert_eq!(of(number, unit), None, "{number}.{unit}");
        }
    }
}
