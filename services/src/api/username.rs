//! The name by which a new user logs in, from its email.

use super::condition::Condition;
use super::context::Context;
use super::error::Result;
use super::object;
use super::resources::USERS;

/// Names of accounts that machines have anyway.
const RESERVED: &[&str] = &["arvados", "git", "gitolite", "gitolite-admin", "root", "syslog"];

/// A name that is free, for a user with `email`; `None` if nothing in it makes a name.
///
/// # Errors
/// Those of the database.
pub(crate) fn from_email(context: &Context<'_>, email: &str) -> Result<Option<String>> {
    let Some(wanted) = candidate(email) else {
        return Ok(None);
    };
    let (mut name, mut number) = (wanted.clone(), 1_u32);
    while RESERVED.contains(&name.as_str()) || is_taken(context, &name)? {
        number += 1;
        name = format!("{wanted}{number}");
    }
    Ok(Some(name))
}

fn is_taken(context: &Context<'_>, name: &str) -> Result<bool> {
    Ok(object::exists(context.db, &USERS, &Condition::equals("username", name))?)
}

/// What stands before the `@`, and before any `+`, from its first letter on, without punctuation.
fn candidate(email: &str) -> Option<String> {
    let (local, domain) = email.split_once('@')?;
    let before_plus = local.split_once('+').map_or(local, |(before, _)| before);
    let start = if before_plus.is_empty() { local } else { before_plus };
    let from_letter = start.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let name: String = from_letter.chars().filter(char::is_ascii_alphanumeric).collect();
    (!domain.is_empty() && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_letters_and_digits_of_the_local_part() {
        for (email, expected) in [
            ("jane.doe2@example.com", Some("janedoe2")),
            ("jane+lists@example.com", Some("jane")),
            ("+lists@example.com", Some("lists")),
            ("1-jane@example.com", Some("jane")),
            ("123@example.com", None),
            ("@example.com", None),
            ("jane@", None),
            ("jane", None),
        ] {
            assert_eq!(candidate(email).as_deref(), expected, "{email}");
        }
    }
}
