//! Times before now, as Rails writes them: `3.1.minutes.ago.to_s(:db)`.

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// The mean of the Gregorian calendar, as in Active Support.
const YEAR: f64 = 365.2425 * DAY;

/// How many seconds before now `expression` is; `None` if it is no such expression.
pub(super) fn seconds(expression: &str) -> Option<f64> {
    let duration = expression
        .strip_suffix(".ago.to_s(:db)")
        .or_else(|| expression.strip_suffix(".ago.to_fs(:db)"))?;
    let (number, unit) = duration.rsplit_once('.')?;
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => 1.0,
        "minute" => MINUTE,
        "hour" => HOUR,
        "day" => DAY,
        "month" => YEAR / 12.0,
        "year" => YEAR,
        _ => return None,
    };
    Some(decimal(number)? * unit)
}

/// A number of digits with at most one point between them: Rust reads more than Ruby does.
fn decimal(text: &str) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').all(digits).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_in_singular_and_plural() {
        for (expression, expected) in [
            ("1.second.ago.to_s(:db)", 1.0),
            ("13.minutes.ago.to_s(:db)", 780.0),
            ("23.hour.ago.to_fs(:db)", 82_800.0),
            ("365.days.ago.to_s(:db)", 31_536_000.0),
            ("1.month.ago.to_fs(:db)", 2_629_746.0),
            ("2.years.ago.to_fs(:db)", 63_113_904.0),
            ("0.5.hours.ago.to_s(:db)", 1800.0),
        ] {
            assert_eq!(seconds(expression), Some(expected), "{expression}");
        }
    }

    #[test]
    fn anything_else_is_none_of_them() {
        for expression in [
            "1.minute.ago",
            "1.minute.from_now.to_s(:db)",
            "i.minute.ago.to_s(:db)",
            "minute.ago.to_s(:db)",
            "1.fortnight.ago.to_s(:db)",
            "-1.minute.ago.to_s(:db)",
            "1..minute.ago.to_s(:db)",
            "inf.minute.ago.to_s(:db)",
            "1.2.3.minute.ago.to_s(:db)",
        ] {
            assert_eq!(seconds(expression), None, "{expression}");
        }
    }
}
