//! The values of Ruby expressions, and what Ruby makes of them as text.

use crate::ago::Ago;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ruby {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Symbol(String),
    /// A module whose methods are called.
    Constant(String),
    Duration(Ago),
    Time(Ago),
    /// A time as text, which is not known before fixtures are loaded.
    TimeText(Ago),
    List(Vec<Ruby>),
    Hash(Vec<(Ruby, Ruby)>),
}

impl Ruby {
    /// What `to_json` makes of it; `None` if that depends on the time, or is nothing fixtures need.
    pub(super) fn to_json(&self) -> Option<String> {
        Some(match self {
            Self::Nil => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => format!("{number:?}"),
            Self::Text(text) | Self::Symbol(text) => quoted(text),
            Self::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items?.join(","))
            }
            Self::Hash(entries) => {
                let entry = |(key, value): &(Self, Self)| {
                    Some(format!("{}:{}", quoted(&key.to_text()?), value.to_json()?))
                };
                let entries: Option<Vec<String>> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries?.join(","))
            }
            Self::Constant(_) | Self::Duration(_) | Self::Time(_) | Self::TimeText(_) => {
                return None;
            }
        })
    }

    /// What `to_s` makes of it; `None` as for [`Self::to_json`].
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Nil => Some(String::new()),
            Self::Text(text) | Self::Symbol(text) => Some(text.clone()),
            Self::Bool(_) | Self::Integer(_) | Self::Float(_) => self.to_json(),
            _ => None,
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_as_ruby_writes_it() {
        let hash = Ruby::Hash(vec![
            (Ruby::Text("a\"".to_owned()), Ruby::List(vec![Ruby::Nil, Ruby::Float(2.0)])),
            (Ruby::Symbol("b".to_owned()), Ruby::Text("é\n".to_owned())),
            (Ruby::Integer(1), Ruby::Bool(true)),
        ]);
        let expected = r#"{"a\"":[null,2.0],"b":"é\n","1":true}"#;
        assert_eq!(hash.to_json().as_deref(), Some(expected));
    }

    #[test]
    fn what_depends_on_the_time_has_no_text() {
        let list = Ruby::List(vec![Ruby::TimeText(Ago::default())]);
        assert_eq!((list.to_json(), list.to_text()), (None, None));
    }
}
