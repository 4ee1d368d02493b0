//! Command-line flags as Go's `flag` package reads them, which the real programs use:
//! `-name=value`, `-name value`, one dash or two, and a boolean that needs no value.

use std::fmt::{Display, Write as _};
use std::str::FromStr;

/// One flag that a program knows.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    /// Its name without dashes.
    pub(crate) name: &'static str,
    kind: Kind,
    /// What `-h` says of it.
    meaning: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any text.
    Text,
    /// A whole number from this one to `i32::MAX`.
    Number(i64),
    /// Nothing, or behind `=` whether it is on.
    Boolean,
}

/// A flag that takes a text.
pub(crate) const fn value(name: &'static str) -> Flag {
    Flag { name, kind: Kind::Text, meaning: "" }
}

/// A flag that takes a whole number, which is `least` or more.
pub(crate) const fn number(name: &'static str, least: i64) -> Flag {
    Flag { name, kind: Kind::Number(least), meaning: "" }
}

/// A flag that is on or off.
pub(crate) const fn boolean(name: &'static str) -> Flag {
    Flag { name, kind: Kind::Boolean, meaning: "" }
}

impl Flag {
    /// The same, of which `-h` says this.
    pub(crate) const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    /// What is wrong with a value, in the words of Go's package.
    fn fault(self, text: &str) -> Option<String> {
        let name = self.name;
        let is_right = match self.kind {
            Kind::Text => true,
            Kind::Number(least) => text.parse().is_ok_and(|number: i32| i64::from(number) >= least),
            Kind::Boolean => as_bool(text).is_some(),
        };
        let what = if self.kind == Kind::Boolean { "boolean value" } else { "value" };
        let link = if self.kind == Kind::Boolean { "" } else { "flag " };
        (!is_right).then(|| format!("invalid {what} {text:?} for {link}-{name}: parse error"))
    }
}

/// Why a program does not start with these arguments.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct WrongUsage {
    /// What is wrong; nothing is if help was asked for.
    pub(crate) message: String,
    /// All flags, as Go's package shows them.
    pub(crate) usage: String,
}

/// The flags given, in the order given: some of them change what a later one means.
///
/// # Errors
/// [`WrongUsage`] says which argument is unknown, wrong or lacks its value, in the words of Go's
/// package.
pub(crate) fn parse(
    known: &[Flag],
    arguments: &[String],
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let wrong = |message: String| WrongUsage { message, usage: usage(known) };
    let mut given = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'));
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            // Go's package stops here and leaves the rest to a program, which then ignores it.
            return Err(wrong(format!("unexpected argument {argument:?}")).into());
        };
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let Some(flag) = known.iter().find(|flag| flag.name == name) else {
            let help = matches!(name, "h" | "help");
            let unknown = format!("flag provided but not defined: -{name}");
            return Err(wrong(if help { String::new() } else { unknown }).into());
        };
        let value = match inline {
            Some(value) => value,
            None if flag.kind == Kind::Boolean => "true".to_owned(),
            None => match rest.next() {
                Some(value) => value.clone(),
                None => return Err(wrong(format!("flag needs an argument: -{name}")).into()),
            },
        };
        if let Some(fault) = flag.fault(&value) {
            return Err(wrong(fault).into());
        }
        given.push((flag.name, value));
    }
    Ok(given)
}

/// The value of a flag as something that has a text of its own.
///
/// # Errors
/// [`WrongUsage`] says that it is none, and why.
pub(crate) fn parsed<T>(known: &[Flag], name: &str, value: &str) -> anyhow::Result<T>
where
    T: FromStr<Err: Display>,
{
    value.parse().map_err(|why| invalid(known, name, value, why))
}

/// That the program makes nothing of a flag's value, although it has the right form.
pub(crate) fn invalid(known: &[Flag], name: &str, value: &str, why: impl Display) -> anyhow::Error {
    let message = format!("invalid value {value:?} for flag -{name}: {why}");
    WrongUsage { message, usage: usage(known) }.into()
}

/// The flags in alphabetical order, each with its meaning on the next line.
fn usage(known: &[Flag]) -> String {
    let mut known = known.to_vec();
    known.sort_by_key(|flag| flag.name);
    let mut text = String::new();
    for flag in known {
        let kind = match flag.kind {
            Kind::Text => " string",
            Kind::Number(_) => " int",
            Kind::Boolean => "",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  -{}{kind}", flag.name);
        if !flag.meaning.is_empty() {
            let _ = writeln!(text, "    \t{}", flag.meaning);
        }
    }
    text
}

/// A boolean as Go's `strconv.ParseBool` reads it; of a flag whose value was checked.
///
/// # Errors
/// Names the flag whose value is no boolean.
pub(crate) fn parse_bool(name: &str, text: &str) -> anyhow::Result<bool> {
    let value = as_bool(text);
    value.ok_or_else(|| anyhow::anyhow!("invalid boolean value {text:?} for -{name}: parse error"))
}

fn as_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Flag] =
        &[value("volume").meaning("where blocks are"), boolean("serialize"), number("max", 1)];

    fn given(arguments: &[&str]) -> anyhow::Result<Vec<(&'static str, String)>> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        parse(KNOWN, &arguments)
    }

    #[test]
    fn one_dash_two_dashes_and_a_separate_value_mean_the_same() {
        for form in [&["-volume=/a"][..], &["--volume=/a"], &["-volume", "/a"], &["--volume", "/a"]]
        {
            assert_eq!(given(form).unwrap(), [("volume", "/a".to_owned())]);
        }
    }

    #[test]
    fn a_boolean_takes_no_separate_value_and_order_is_kept() {
        let found = given(&["-serialize", "-volume=/a", "-serialize=false"]).unwrap();
        let names: Vec<_> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(names, [("serialize", "true"), ("volume", "/a"), ("serialize", "false")]);
    }

    #[test]
    fn an_unknown_flag_and_a_missing_value_are_errors() {
        assert_eq!(given(&["-x"]).unwrap_err().to_string(), "flag provided but not defined: -x");
        assert_eq!(given(&["-volume"]).unwrap_err().to_string(), "flag needs an argument: -volume");
        for (argument, fault) in [
            ("-max=x", "invalid value \"x\" for flag -max: parse error"),
            ("-max=0", "invalid value \"0\" for flag -max: parse error"),
            ("-serialize=yes", "invalid boolean value \"yes\" for -serialize: parse error"),
        ] {
            assert_eq!(given(&[argument]).unwrap_err().to_string(), fault);
        }
        assert_eq!(given(&["stray"]).unwrap_err().to_string(), "unexpected argument \"stray\"");
    }

    #[test]
    fn help_shows_every_flag() {
        for asked in ["-h", "--help"] {
            let wrong = given(&[asked]).unwrap_err().downcast::<WrongUsage>().unwrap();
            assert_eq!(wrong.message, "");
            let expected = "  -max int\n  -serialize\n  -volume string\n    \twhere blocks are\n";
            assert_eq!(wrong.usage, expected);
        }
    }
}
