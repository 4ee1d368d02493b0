//! Moments as the database holds them and clients see them: `YYYY-MM-DDThh:mm:ss.nnnnnnnnnZ`.
//!
//! The form has a fixed width, so that texts compare as the moments do. The precision is that of
//! PostgreSQL: microseconds, the last three digits are zero.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Now.
pub(crate) fn now() -> String {
    format(Timestamp::now())
}

/// The moment `seconds` before `now`; `now` itself if that is out of range.
pub(crate) fn ago(now: Timestamp, seconds: f64) -> String {
    let moment = SignedDuration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|duration| now.checked_sub(duration).ok());
    format(moment.unwrap_or(now))
}

/// Seconds from now on, as text.
pub(crate) fn from_now(seconds: f64) -> String {
    ago(Timestamp::now(), -seconds)
}

/// The moment `seconds` after `moment`, which is in the database's form; `moment` itself if that is out
/// of range.
pub(crate) fn after(moment: &str, seconds: f64) -> String {
    match moment.parse::<Timestamp>() {
        Ok(moment) => ago(moment, -seconds),
        Err(_) => moment.to_owned(),
    }
}

/// `moment` in the database's form.
pub(crate) fn format(moment: Timestamp) -> String {
    let rounded = Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment);
    format!("{rounded:.9}")
}

/// Reads a date and time with or without a zone; without one it is UTC.
///
/// Accepts `T` or a blank between date and time, and zones `Z`, `UTC`, `+hh:mm`, `-hhmm`, with or
/// without a blank before them. `None` if `text` is nothing like that.
pub(crate) fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    let (moment, offset) = split_zone(text)?;
    let civil: DateTime = moment.trim_end().parse().ok()?;
    let offset = Offset::from_seconds(offset).ok()?;
    Some(format(offset.to_timestamp(civil).ok()?))
}

/// The part without the zone, and the zone's distance from UTC in seconds.
fn split_zone(text: &str) -> Option<(&str, i32)> {
    for utc in ["Z", "z", "UTC"] {
        if let Some(moment) = text.strip_suffix(utc) {
            return Some((moment, 0));
        }
    }
    // A sign within the date is no zone.
    let sign = text.rfind(['+', '-']).filter(|at| *at > 10);
    let Some(sign) = sign else {
        return Some((text, 0));
    };
    let (moment, zone) = text.split_at_checked(sign)?;
    let (sign, digits) = zone.split_at_checked(1)?;
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).map_or(Some(0), |minutes| match minutes {
        "" => Some(0),
        _ => minutes.parse().ok(),
    })?;
    let seconds = (hours * 60 + minutes) * 60;
    Some((moment, if sign == "-" { -seconds } else { seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_form_means_the_same_moment() {
        for text in [
            "2014-04-21T19:37:48Z",
            "2014-04-21 19:37:48",
            "2014-04-21T19:37:48",
            "2014-04-21 15:37:48 -0400",
            "2014-04-21T15:37:48-04:00",
            "2014-04-22 00:37:48.000000000 +05",
            "2014-04-21 19:37:48 UTC",
        ] {
            let expected = "2014-04-21T19:37:48.000000000Z";
            assert_eq!(parse(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_date_alone_is_its_midnight_and_microseconds_are_kept() {
        assert_eq!(parse("2038-01-01").as_deref(), Some("2038-01-01T00:00:00.000000000Z"));
        assert_eq!(
            parse("2015-02-07 00:19:28.596506247 Z").as_deref(),
            Some("2015-02-07T00:19:28.596506000Z")
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2014-13-01",
            "2014-04-21 15:37:48 +99999",
            "2026-11-22 22:31:08.1 +0000 UTC m=+1.23",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn ago_counts_back() {
        let now: Timestamp = "2020-01-02T00:00:00Z".parse().unwrap();
        assert_eq!(ago(now, 86400.0), "2020-01-01T00:00:00.000000000Z");
        assert_eq!(ago(now, f64::NAN), "2020-01-02T00:00:00.000000000Z");
    }
}
