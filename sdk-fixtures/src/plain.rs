//! What a scalar without quotes means, as YAML 1.1 and Ruby read it.
//!
//! Text of the kinds below could as well be a token, a name or a hash: which of both it is, the
//! column decides that has it.

use crate::value::Value;

/// What plain text is in YAML 1.1: a boolean, a number, [`Value::Plain`] if it is a date or time, the
/// name of a symbol, and the text itself if it is nothing of that, or a number that no `i64` holds.
pub(crate) fn meaning(text: &str) -> Value {
    other_meaning(text).unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// The same; `None` if it is the text itself.
pub(crate) fn other_meaning(text: &str) -> Option<Value> {
    match text.bytes().next()? {
        // Most scalars end here.
        b'a'..=b'z' | b'A'..=b'Z' => boolean(text).map(Value::Bool),
        b':' => symbol(text).map(|name| Value::Text(name.to_owned())),
        b'0'..=b'9' if is_date(text) || moment(text).is_some() => {
            Some(Value::Plain(text.to_owned()))
        }
        b'0'..=b'9' | b'+' | b'-' | b'.' => integer(text)
            .map(Value::Integer)
            .or_else(|| float(text).map(Value::Float))
            .or_else(|| sexagesimal(text)),
        _ => None,
    }
}

/// The name of the Ruby symbol that plain text is: `:name`, `:"any name"`.
pub(crate) fn symbol(text: &str) -> Option<&str> {
    let name = text.strip_prefix(':').filter(|name| !name.is_empty())?;
    let unquoted =
        ['\'', '"'].iter().find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote));
    Some(unquoted.unwrap_or(name))
}

fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text.len() {
        2..=5 if is_one_of(["yes", "true", "on"]) => Some(true),
        2..=5 if is_one_of(["no", "false", "off"]) => Some(false),
        _ => None,
    }
}

/// The sign of a number, and what follows it.
fn signed(text: &str) -> (&str, &str) {
    let is_signed = text.starts_with(['+', '-']);
    text.split_at_checked(usize::from(is_signed)).unwrap_or(("", text))
}

/// In binary, octal (`010`), decimal or hexadecimal notation, with commas or underlines within.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let (radix, digits) = match digits.split_at_checked(2) {
        Some(("0b", digits)) => (2, digits),
        Some(("0x", digits)) => (16, digits),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        _ => (10, digits),
    };
    let is_gap = |c: char| c == '_' || c == ',';
    let gaps_are_single = || {
        let mut parts = digits.split(is_gap);
        radix != 10 || parts.all(|part| !part.is_empty())
    };
    if !digits.chars().all(|c| c.is_digit(radix) || is_gap(c)) || !gaps_are_single() {
        return None;
    }
    let digits: String = digits.chars().filter(|c| !is_gap(*c)).collect();
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// Ruby's YAML wants a decimal point in a fraction and a sign in an exponent; without them the
/// text may well be a token or a hash (`1e5`, fifty digits), which no digit may be lost of.
fn float(text: &str) -> Option<f64> {
    let (sign, number) = signed(text);
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number, None),
    };
    let value = match number {
        _ if number.eq_ignore_ascii_case(".nan") && sign.is_empty() => f64::NAN,
        _ if number.eq_ignore_ascii_case(".inf") => f64::INFINITY,
        _ => {
            let (whole, fraction) = mantissa.split_once('.')?;
            let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            let whole: String = whole.chars().filter(|c| !matches!(c, '_' | ',')).collect();
            let starts_well = !mantissa.starts_with(['_', ',']) && mantissa != ".";
            let has_sign = |it: &str| it.starts_with(['+', '-']) && it.len() > 1;
            let exponent_is_one = exponent.is_none_or(|it| has_sign(it) && is_number(signed(it).1));
            if !is_number(&whole) || !is_number(fraction) || !starts_well || !exponent_is_one {
                return None;
            }
            format!("0{whole}.{fraction}0e{}", exponent.unwrap_or("0")).parse().ok()?
        }
    };
    Some(if sign == "-" { -value } else { value })
}

/// Two or three numbers with colons, each sixty of the next: `1:30`. As Ruby reads two of them,
/// they are hours and minutes.
fn sexagesimal(text: &str) -> Option<Value> {
    let (sign, digits) = signed(text);
    let parts: Vec<&str> = digits.split(':').collect();
    let (first, rest) = parts.split_first()?;
    let is_small = |part: &str| {
        let number = part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        number && part.parse::<u8>().is_ok_and(|it| it < 60)
    };
    let first = first.replace('_', "");
    if !matches!(rest.len(), 1 | 2) || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // The sign is that of the first number alone, which is how Ruby adds them up.
    let first: i64 = format!("{sign}{first}").parse().ok()?;
    let (last, before) = rest.split_last()?;
    let (last, fraction) = last.split_once('.').map_or((*last, None), |(a, b)| (a, Some(b)));
    if !before.iter().all(|part| is_small(part)) || !is_small(last) {
        return None;
    }
    let mut total = first.checked_mul(3600)?;
    let mut weight = 60;
    for part in before.iter().copied().chain([last]) {
        total = total.checked_add(part.parse::<i64>().ok()? * weight)?;
        weight /= 60;
    }
    let Some(fraction) = fraction else {
        return Some(Value::Integer(total));
    };
    let fraction: f64 = format!("0.{}0", fraction.replace('_', "")).parse().ok()?;
    Some(Value::Float(total as f64 + fraction * if rest.len() == 1 { 60.0 } else { 1.0 }))
}

fn is_date(text: &str) -> bool {
    date(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Year, month and day at the start of `text`, and the rest of `text`.
fn date(text: &str) -> Option<([&str; 3], &str)> {
    let (year, rest) = text.split_at_checked(4).filter(|(year, _)| is_digits(year))?;
    let (month, rest) = one_or_two(rest.strip_prefix('-')?)?;
    let (day, rest) = one_or_two(rest.strip_prefix('-')?)?;
    Some(([year, month, day], rest))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One or two digits, and the rest.
fn one_or_two(text: &str) -> Option<(&str, &str)> {
    let count = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if count == 0 { None } else { text.split_at_checked(count) }
}

/// `text` as `YYYY-MM-DDThh:mm:ss.fffZ`, or with `+hh:mm` in the place of `Z`, if it is a date and
/// time of YAML 1.1: months, days and hours may have one digit there, `T` may be a blank, and there
/// may be blanks before the zone. Without a zone the time is UTC.
pub fn timestamp(text: &str) -> Option<String> {
    let Moment { date: [year, month, day], time: [hour, minute, second], fraction, zone } =
        moment(text)?;
    let mut text = String::with_capacity("YYYY-MM-DDThh:mm:ss.nnnnnnnnn+hh:mm".len());
    let mut push = |before: &str, digits: &str, least: usize| {
        text.push_str(before);
        text.extend(std::iter::repeat_n('0', least.saturating_sub(digits.len())));
        text.push_str(digits);
    };
    push("", year, 4);
    push("-", month, 2);
    push("-", day, 2);
    push("T", hour, 2);
    push(":", minute, 2);
    push(":", second, 2);
    push(".", fraction, 1);
    match zone {
        None => push("Z", "", 0),
        Some([sign, hours, minutes]) => {
            push(sign, hours, 2);
            push(":", minutes, 2);
        }
    }
    Some(text)
}

/// A date and time of YAML 1.1, as it is written.
struct Moment<'a> {
    date: [&'a str; 3],
    time: [&'a str; 3],
    fraction: &'a str,
    /// Sign, hours and minutes from UTC; `None` if it is UTC.
    zone: Option<[&'a str; 3]>,
}

fn moment(text: &str) -> Option<Moment<'_>> {
    let (date, rest) = date(text)?;
    let time = rest.strip_prefix(['T', 't']).or_else(|| {
        let time = rest.trim_start_matches([' ', '\t']);
        (time.len() < rest.len()).then_some(time)
    })?;
    let (hour, rest) = one_or_two(time)?;
    let (minute, rest) = rest.strip_prefix(':')?.split_at_checked(2)?;
    let (second, rest) = rest.strip_prefix(':')?.split_at_checked(2)?;
    if !is_digits(minute) || !is_digits(second) {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let zone = match zone.trim_start_matches([' ', '\t']) {
        "" | "Z" => None,
        zone => Some(offset(zone)?),
    };
    Some(Moment { date, time: [hour, minute, second], fraction, zone })
}

/// Sign, hours and minutes of a distance from UTC; the minutes may be missing.
fn offset(text: &str) -> Option<[&str; 3]> {
    let (sign, digits) = signed(text);
    let (hours, rest) = one_or_two(digits)?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let minutes_are_two = minutes.len() == 2 && is_digits(minutes);
    let is_whole = !sign.is_empty() && (minutes.is_empty() || minutes_are_two);
    is_whole.then_some([sign, hours, minutes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_those_of_yaml_1_1() {
        for text in ["yes", "Yes", "on", "ON", "true", "tRue"] {
            assert_eq!(meaning(text), Value::Bool(true), "{text}");
        }
        for text in ["no", "Off", "false"] {
            assert_eq!(meaning(text), Value::Bool(false), "{text}");
        }
    }

    #[test]
    fn integers_are_those_of_yaml_1_1() {
        for (text, number) in [
            ("0", 0),
            ("00", 0),
            ("010", 8),
            ("-0123", -83),
            ("0x1f", 31),
            ("0b11", 3),
            ("0b1_0", 2),
            ("1_000", 1000),
            ("1,000", 1000),
            ("+3", 3),
            ("1:30", 5400),
            ("190:20:30", 685_230),
            ("12:30:45", 45045),
            ("-1:30", -1800),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(meaning(text), Value::Integer(number), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_a_float() {
        for (text, number) in [
            ("1.5", 1.5),
            ("-0.25", -0.25),
            ("+1.e+3", 1e3),
            (".5E-1", 0.05),
            ("1.", 1.0),
            ("1_000.5", 1000.5),
            ("1:30.5", 5430.0),
            ("1:0:1.5", 3601.5),
            ("-.inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(meaning(text), Value::Float(number), "{text}");
        }
    }

    #[test]
    fn what_could_be_a_token_keeps_every_digit() {
        let digits = "1".repeat(50);
        for text in [
            "1e5",
            "738e12",
            "1.5e3",
            "1.0e+",
            "18446744073709551616",
            &digits,
            "08",
            "0o17",
            "0x",
            "0b2",
            "1__0",
            "1:90",
            "1:2:3:4",
            "1.5_0",
            ".",
            "-",
            "+",
            "y",
            "n",
            "yesterday",
            "2014-04-21 1:2",
            "acbd18db4cc2f85cedef654fccc4a4d8+3",
            "é",
            "",
        ] {
            assert_eq!(meaning(text), Value::Text(text.to_owned()));
        }
    }

    #[test]
    fn a_symbol_is_its_name() {
        for (text, name) in [(":waz", "waz"), (":'w z'", "w z"), (":", ":"), ("a:b", "a:b")] {
            assert_eq!(meaning(text), Value::Text(name.to_owned()), "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_for_the_reader_to_take_as_such() {
        for (text, expected) in [
            ("2014-02-03", None),
            ("2014-4-1 9:37:48", Some("2014-04-01T09:37:48.0Z")),
            ("2014-04-21T19:37:48Z", Some("2014-04-21T19:37:48.0Z")),
            ("2015-02-07 00:19:28.596506247 Z", Some("2015-02-07T00:19:28.596506247Z")),
            ("2014-04-21t15:37:48.5-4", Some("2014-04-21T15:37:48.5-04:00")),
            ("2014-04-21 15:37:48 -0430", Some("2014-04-21T15:37:48.0-04:30")),
            ("2014-04-21 15:37:48 +04:30", Some("2014-04-21T15:37:48.0+04:30")),
        ] {
            assert_eq!(timestamp(text).as_deref(), expected, "{text}");
            assert_eq!(meaning(text), Value::Plain(text.to_owned()));
        }
    }
}
