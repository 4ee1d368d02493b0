//! The values that a fixture's column can have.

/// A value as YAML and ERB give it. Dates are text: the column's type decides what text means.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `~`, `null` or nothing at all.
    Null,
    /// `true` or `false`; `yes` and `no` are text.
    Bool(bool),
    /// A whole number in decimal, hexadecimal (`0x`) or binary (`0b`) notation.
    Integer(i64),
    /// A number with a decimal point.
    Float(f64),
    /// All other scalars, exactly as written: also numbers that no [`Value::Integer`] can hold.
    Text(String),
    /// A time, as seconds before the moment at which the fixture is loaded.
    SecondsAgo(f64),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping, in the order of the file; no key comes twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text, if this is [`Value::Text`].
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
