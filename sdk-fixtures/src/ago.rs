//! Times before the moment at which fixtures are loaded.

use std::fmt;
use std::str::FromStr;

/// How long before now a time is. The calendar decides how long a month is, so months are counted
/// for themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ago {
    /// Months; twelve to a year.
    pub months: i32,
    /// Seconds, beside the months.
    pub seconds: f64,
}

/// As text that [`FromStr`] reads back: `2/0`, `0/186`.
impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.months, self.seconds)
    }
}

impl FromStr for Ago {
    /// That the text is no such time; there is nothing to add to it.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (months, seconds) = text.split_once('/').ok_or(())?;
        let seconds: f64 = seconds.parse().map_err(drop)?;
        let months = months.parse().map_err(drop)?;
        if seconds.is_finite() { Ok(Self { months, seconds }) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for ago in [Ago::default(), Ago { months: 14, seconds: 186.25 }] {
            assert_eq!(ago.to_string().parse(), Ok(ago));
        }
        for text in ["", "1", "1/", "/1", "1/inf", "x/1", "1/2/3"] {
            assert_eq!(text.parse::<Ago>(), Err(()), "{text}");
        }
    }
}
