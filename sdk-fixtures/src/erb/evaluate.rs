//! What expressions evaluate to.

use md5::{Digest, Md5};

use super::duration;
use super::ruby::Ruby;
use super::syntax::Expression;
use super::token::{Reason, UNKNOWN};

const OVERFLOW: Reason = "the number is too large";

/// The widest that a text is padded to.
const MAX_WIDTH: usize = 1000;

/// The value of a loop's variable; what stands later hides what stands before it.
pub(super) type Variables<'a> = Vec<(&'a str, i64)>;

/// The value of `expression`.
///
/// # Errors
/// When it has none, or is not of the Ruby that fixtures use.
pub(super) fn value(expression: &Expression, variables: &Variables<'_>) -> Result<Ruby, Reason> {
    let value_of = |expression: &Expression| value(expression, variables);
    match expression {
        Expression::Integer(number) => Ok(Ruby::Integer(*number)),
        Expression::Float(number) => Ok(Ruby::Float(*number)),
        Expression::Text(text) => Ok(Ruby::Text(text.clone())),
        Expression::Symbol(name) => Ok(Ruby::Symbol(name.clone())),
        Expression::Name(name) => named(name, variables),
        Expression::Negative(inner) => match value_of(inner)? {
            Ruby::Integer(number) => number.checked_neg().map(Ruby::Integer).ok_or(OVERFLOW),
            Ruby::Float(number) => Ok(Ruby::Float(-number)),
            _ => Err(UNKNOWN),
        },
        Expression::Arithmetic(left, sign, right) => {
            arithmetic(&value_of(left)?, sign, &value_of(right)?)
        }
        Expression::List(items) => {
            items.iter().map(value_of).collect::<Result<_, _>>().map(Ruby::List)
        }
        Expression::Hash(entries) => {
            let entry = |(key, item): &(_, _)| Ok((value_of(key)?, value_of(item)?));
            entries.iter().map(entry).collect::<Result<_, _>>().map(Ruby::Hash)
        }
        Expression::Call(receiver, method, arguments) => {
            let arguments = arguments.iter().map(value_of).collect::<Result<Vec<_>, _>>()?;
            call(value_of(receiver)?, method, &arguments)
        }
    }
}

fn named(name: &str, variables: &Variables<'_>) -> Result<Ruby, Reason> {
    if let Some((_, number)) = variables.iter().rev().find(|(variable, _)| *variable == name) {
        return Ok(Ruby::Integer(*number));
    }
    match name {
        "true" => Ok(Ruby::Bool(true)),
        "false" => Ok(Ruby::Bool(false)),
        "nil" => Ok(Ruby::Nil),
        _ if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
            Ok(Ruby::Constant(name.to_owned()))
        }
        _ => Err(UNKNOWN),
    }
}

fn arithmetic(left: &Ruby, sign: &str, right: &Ruby) -> Result<Ruby, Reason> {
    match (left, right) {
        (Ruby::Integer(left), Ruby::Integer(right)) => whole(*left, sign, *right),
        (Ruby::Text(left), Ruby::Text(right)) if sign == "+" => {
            Ok(Ruby::Text(format!("{left}{right}")))
        }
        _ => {
            let (left, right) = (float(left)?, float(right)?);
            Ok(Ruby::Float(match sign {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                _ => return Err(UNKNOWN),
            }))
        }
    }
}

/// Division rounds down, as in Ruby.
fn whole(left: i64, sign: &str, right: i64) -> Result<Ruby, Reason> {
    if right == 0 && ["/", "%"].contains(&sign) {
        return Err("it divides by zero");
    }
    let number = match sign {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right).map(|it| it - i64::from(is_below(left, right))),
        _ => left.checked_rem(right).map(|it| it + right * i64::from(is_below(left, right))),
    };
    number.map(Ruby::Integer).ok_or(OVERFLOW)
}

/// Whether the quotient lies between two whole numbers, and below zero.
fn is_below(left: i64, right: i64) -> bool {
    (left < 0) != (right < 0) && left.checked_rem(right).is_some_and(|rest| rest != 0)
}

fn float(value: &Ruby) -> Result<f64, Reason> {
    match value {
        Ruby::Integer(number) => Ok(*number as f64),
        Ruby::Float(number) => Ok(*number),
        _ => Err(UNKNOWN),
    }
}

fn call(receiver: Ruby, method: &str, arguments: &[Ruby]) -> Result<Ruby, Reason> {
    match (receiver, method, arguments) {
        (Ruby::Duration(ago), "ago", []) => Ok(Ruby::Time(ago)),
        (Ruby::Time(ago), "to_s" | "to_fs" | "to_formatted_s", [Ruby::Symbol(form)])
            if form == "db" =>
        {
            Ok(Ruby::TimeText(ago))
        }
        (Ruby::Constant(name), _, [argument]) => function(&name, method, argument),
        (Ruby::Text(text), "rjust", [width, rest @ ..]) => {
            pad(&text, width, rest).map(|padding| Ruby::Text(padding + &text))
        }
        (Ruby::Text(text), "ljust", [width, rest @ ..]) => {
            pad(&text, width, rest).map(|padding| Ruby::Text(text + &padding))
        }
        (value, "to_s", []) => value.to_text().map(Ruby::Text).ok_or(UNKNOWN),
        (value, "to_json", []) => value.to_json().map(Ruby::Text).ok_or(UNKNOWN),
        (number @ (Ruby::Integer(_) | Ruby::Float(_)), unit, []) => {
            duration::of(float(&number)?, unit).map(Ruby::Duration).ok_or(UNKNOWN)
        }
        _ => Err(UNKNOWN),
    }
}

fn function(module: &str, method: &str, argument: &Ruby) -> Result<Ruby, Reason> {
    match (module, method, argument) {
        ("Digest::MD5", "hexdigest", Ruby::Text(text)) => {
            let digest = Md5::digest(text);
            Ok(Ruby::Text(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
        }
        ("JSON" | "SafeJSON", "dump" | "generate", value) => {
            value.to_json().map(Ruby::Text).ok_or(UNKNOWN)
        }
        _ => Err(UNKNOWN),
    }
}

/// What makes `text` as wide as `width`.
fn pad(text: &str, width: &Ruby, rest: &[Ruby]) -> Result<String, Reason> {
    let Ruby::Integer(width) = width else {
        return Err(UNKNOWN);
    };
    let filler = match rest {
        [] => " ",
        [Ruby::Text(filler)] if !filler.is_empty() => filler,
        _ => return Err(UNKNOWN),
    };
    let width = usize::try_from(*width).unwrap_or_default();
    if width > MAX_WIDTH {
        return Err("the width is too large");
    }
    Ok(filler.chars().cycle().take(width.saturating_sub(text.chars().count())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ago::Ago;
    use crate::erb::syntax::expression;

    fn evaluated(source: &str) -> Result<Ruby, Reason> {
        value(&expression(source)?, &vec![("i", 9), ("j", -7)])
    }

    #[test]
    fn numbers_are_calculated_as_in_ruby() {
        for (source, expected) in [
            ("i", 9),
            ("2*(i-1)", 16),
            ("(i+5)/5", 2),
            ("1+2*3-4", 3),
            ("j/2", -4),
            ("i/-2", -5),
            ("j/-2", 3),
            ("j%3", 2),
            ("i%-4", -3),
            ("--i", 9),
        ] {
            assert_eq!(evaluated(source), Ok(Ruby::Integer(expected)), "{source}");
        }
        assert_eq!(evaluated("1.5*2"), Ok(Ruby::Float(3.0)));
    }

    #[test]
    fn times_are_so_long_ago() {
        for (source, months, seconds) in [
            ("3.1.minute.ago.to_s(:db)", 0, 186.0),
            ("i.hour.ago.to_fs(:db)", 0, 32400.0),
            ("((i+5)/5).minutes.ago.to_s(:db)", 0, 120.0),
            ("2.month.ago.to_fs(:db)", 2, 0.0),
            ("1.year.ago.to_fs(:db)", 12, 0.0),
        ] {
            let expected = Ruby::TimeText(Ago { months, seconds });
            assert_eq!(evaluated(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn texts_are_those_of_ruby() {
        for (source, expected) in [
            ("i.to_s.rjust(3, '0')", "009"),
            ("'1234'.rjust(3, '0')", "1234"),
            ("i.to_s.rjust(6, 'ab')", "ababa9"),
            ("i.to_s.ljust(3)", "9  "),
            ("'a' + \"b\" + i.to_s", "ab9"),
            ("JSON.dump({'a' => [1, nil]})", "{\"a\":[1,null]}"),
            (
                "Digest::MD5.hexdigest(SafeJSON.dump({'a' => 1}))",
                "bb6cb5c68df4652941caf652a366f2d8",
            ),
            ("Digest::MD5.hexdigest({'a' => 1}.to_json)", "bb6cb5c68df4652941caf652a366f2d8"),
        ] {
            assert_eq!(evaluated(source), Ok(Ruby::Text(expected.to_owned())), "{source}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        for source in [
            "1.minute.from_now.to_s(:db)",
            "minute.ago.to_s(:db)",
            "1.fortnight.ago",
            "1.minute.ago.to_s(:long)",
            "k.to_s",
            "1.2.3.minute",
            "'a' + 1",
            "i.to_s.rjust('x')",
            "i.to_s.rjust(3, '')",
            "JSON.dump(1.day.ago)",
            "File.read('/etc/passwd')",
            "`id`",
        ] {
            assert_eq!(evaluated(source), Err(UNKNOWN), "{source}");
        }
    }

    #[test]
    fn limits_are_told() {
        assert_eq!(evaluated("1/0"), Err("it divides by zero"));
        assert_eq!(evaluated("1%0"), Err("it divides by zero"));
        assert_eq!(evaluated("9223372036854775807 + 1"), Err(OVERFLOW));
        assert_eq!(evaluated("(-9223372036854775807 - 1) / -1"), Err(OVERFLOW));
        assert_eq!(evaluated("(-9223372036854775807 - 1) % -1"), Err(OVERFLOW));
        assert!(evaluated("'x'.rjust(1000)").is_ok());
        assert_eq!(evaluated("'x'.rjust(1001)"), Err("the width is too large"));
    }
}
