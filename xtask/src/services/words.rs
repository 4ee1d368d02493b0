//! The words of a command in services.yml. YAML would let a null be a text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// All words.
///
/// # Errors
/// When one is a null.
pub(super) fn all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words: Vec<Option<String>> = Deserialize::deserialize(deserializer)?;
    let is_null = || D::Error::custom("null is no word of a command, unless it is in quotes");
    words.into_iter().map(|word| word.ok_or_else(is_null)).collect()
}

/// The same of a command that need not be there.
///
/// # Errors
/// As [`all`].
pub(super) fn if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    struct Words(#[serde(deserialize_with = "all")] Vec<String>);
    let found: Option<Words> = Deserialize::deserialize(deserializer)?;
    Ok(found.map(|Words(words)| words))
}
