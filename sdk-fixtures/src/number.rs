//! Which text is a number, in fixtures.

use crate::value::Value;

/// What plain text means that YAML 1.2 takes for a number with a fraction, an exponent or more
/// digits than an `i64` holds.
///
/// Ruby's YAML wants a decimal point in a fraction and a sign in an exponent; without them the
/// text may well be a token or a hash (`1e5`, fifty digits), which no digit may be lost of.
pub(crate) fn read(text: &str) -> Value {
    let signed_exponent = text
        .split_once(['e', 'E'])
        .is_none_or(|(_, exponent)| exponent.starts_with(['+', '-']));
    match text.to_ascii_lowercase().trim_start_matches('+') {
        ".nan" => Value::Float(f64::NAN),
        ".inf" => Value::Float(f64::INFINITY),
        "-.inf" => Value::Float(f64::NEG_INFINITY),
        lower => lower
            .parse()
            .ok()
            .filter(|_| lower.contains('.') && signed_exponent)
            .map_or_else(|| Value::Text(text.to_owned()), Value::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_a_float() {
        for (text, number) in [
            ("1.5", 1.5),
            ("-0.25", -0.25),
            ("+1.e+3", 1e3),
            (".5E-1", 0.05),
        ] {
            assert_eq!(read(text), Value::Float(number), "{text}");
        }
        assert_eq!(read("-.inf"), Value::Float(f64::NEG_INFINITY));
    }

    #[test]
    fn what_could_be_a_token_keeps_every_digit() {
        let digits = "1".repeat(50);
        for text in ["1e5", "738e12", "1.5e3", "18446744073709551616", &digits] {
            assert_eq!(read(text), Value::Text(text.to_owned()));
        }
    }
}
