//! The tokens of the fixtures that services are started with.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sdk_fixtures::Fixtures;

/// Each is looked for once: to read the fixtures takes a millisecond, and a keepstore asks for two
/// whenever it is started or asked.
#[derive(Debug)]
pub(crate) struct Tokens {
    fixtures: Fixtures,
    known: Mutex<BTreeMap<&'static str, Option<String>>>,
}

impl Tokens {
    /// Those of these fixtures.
    pub(crate) fn of(fixtures: Fixtures) -> Self {
        Self { fixtures, known: Mutex::default() }
    }

    /// The one of that label, if the fixtures have it.
    pub(crate) fn get(&self, label: &'static str) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(label).or_insert_with(|| self.fixtures.auth_token(label).ok()).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_looked_for_once_whether_it_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("api_client_authorizations.yml");
        let write = |text: &str| fs_err::write(&file, text).unwrap();
        let tokens = Tokens::of(Fixtures::open(folder.path()));
        write("one: {api_token: first}");
        assert_eq!(tokens.get("one").as_deref(), Some("first"));
        assert_eq!(tokens.get("two"), None);
        write("{one: {api_token: second}, two: {api_token: third}}");
        assert_eq!(tokens.get("one").as_deref(), Some("first"));
        assert_eq!(tokens.get("two"), None);
    }
}
