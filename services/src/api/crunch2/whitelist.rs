//! What may still be changed in which state, for containers and for the requests for them.

use crate::api::attributes::sentence_start;
use crate::api::error::{Result, unprocessable};
use crate::api::object::{Object, is_changed, text};

/// Checks that `changes` are of `permitted` attributes only.
///
/// # Errors
/// Names the first that is not.
pub(super) fn check(
    changes: &Object,
    old: Option<&Object>,
    state: &str,
    permitted: &[&str],
) -> Result<()> {
    let names = changes.keys().map(String::as_str);
    let refused = names.into_iter().find(|name| {
        *name != "state" && is_changed(name, changes, old) && !permitted.contains(name)
    });
    match refused {
        None => Ok(()),
        Some(name) => {
            let start = sentence_start(name);
            Err(unprocessable(format!("{start} cannot be modified in state '{state}'")))
        }
    }
}

/// Checks that there is a way from the state of `old` to `new`.
///
/// # Errors
/// When there is none.
pub(super) fn check_state(new: &str, old: Option<&Object>, ways: &[(&str, &[&str])]) -> Result<()> {
    let before = old.map(|old| text(old, "state")).unwrap_or_default();
    let known = ways.iter().find(|(from, _)| *from == before).map_or(&[][..], |(_, to)| to);
    if (old.is_some() && before == new) || known.contains(&new) {
        return Ok(());
    }
    let before = if before.is_empty() { "nil" } else { before };
    Err(unprocessable(format!("State cannot change from {before} to {new}")))
}
