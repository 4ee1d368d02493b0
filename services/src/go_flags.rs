//! Command-line flags as Go's `flag` package reads them, which the real programs use:
//! `-name=value`, `-name value`, one dash or two, and a boolean that needs no value.

/// One flag that a program knows.
pub(crate) struct Flag {
    /// Its name without dashes.
    pub(crate) name: &'static str,
    /// A boolean takes a value only behind `=`.
    pub(crate) boolean: bool,
}

/// Shorthand for a flag that takes a value.
pub(crate) const fn value(name: &'static str) -> Flag {
    Flag { name, boolean: false }
}

/// Shorthand for a flag that is on or off.
pub(crate) const fn boolean(name: &'static str) -> Flag {
    Flag { name, boolean: true }
}

/// The flags given, in the order given: some of them change what a later one means.
///
/// # Errors
/// Says which argument is unknown or lacks its value, in the words of Go's package.
pub(crate) fn parse(
    known: &[Flag],
    arguments: &[String],
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut given = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(text) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            anyhow::bail!("unexpected argument {argument:?}");
        };
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let Some(flag) = known.iter().find(|flag| flag.name == name) else {
            anyhow::bail!("flag provided but not defined: -{name}");
        };
        let value = match inline {
            Some(value) => value,
            None if flag.boolean => "true".to_owned(),
            None => match rest.next() {
                Some(value) => value.clone(),
                None => anyhow::bail!("flag needs an argument: -{name}"),
            },
        };
        given.push((flag.name, value));
    }
    Ok(given)
}

/// A boolean as Go's `strconv.ParseBool` reads it.
///
/// # Errors
/// Names the flag whose value is no boolean.
pub(crate) fn parse_bool(name: &str, text: &str) -> anyhow::Result<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => anyhow::bail!("invalid boolean value {text:?} for -{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Flag] = &[value("volume"), boolean("serialize")];

    fn parsed(arguments: &[&str]) -> anyhow::Result<Vec<(&'static str, String)>> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        parse(KNOWN, &arguments)
    }

    #[test]
    fn one_dash_two_dashes_and_a_separate_value_mean_the_same() {
        for form in [&["-volume=/a"][..], &["--volume=/a"], &["-volume", "/a"], &["--volume", "/a"]]
        {
            assert_eq!(parsed(form).unwrap(), [("volume", "/a".to_owned())]);
        }
    }

    #[test]
    fn a_boolean_takes_no_separate_value_and_order_is_kept() {
        let given = parsed(&["-serialize", "-volume=/a", "-serialize=false"]).unwrap();
        let names: Vec<_> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(names, [("serialize", "true"), ("volume", "/a"), ("serialize", "false")]);
    }

    #[test]
    fn an_unknown_flag_and_a_missing_value_are_errors() {
        assert_eq!(parsed(&["-x"]).unwrap_err().to_string(), "flag provided but not defined: -x");
        assert_eq!(
            parsed(&["-volume"]).unwrap_err().to_string(),
            "flag needs an argument: -volume"
        );
        assert_eq!(parsed(&["stray"]).unwrap_err().to_string(), "unexpected argument \"stray\"");
    }
}
