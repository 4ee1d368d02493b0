//! What holds for the public keys with which users log in.

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::object::{self, Object, is_changed, text};
use super::resources::AUTHORIZED_KEYS;

/// The types of keys that a server takes.
const TYPES: &[&str] = &["ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256"];

/// Checks `changes` of a key.
///
/// # Errors
/// When it is no key, another one is the same, or it is for somebody else.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &Object,
    old: Option<&Object>,
) -> Result<()> {
    let (account, user) = (context.account()?, text(changes, "authorized_user_uuid"));
    if !user.is_empty() && user != account.uuid && !account.is_admin {
        return Err(unprocessable("Authorized user uuid can only be your own"));
    }
    let key = text(changes, "public_key");
    if key.is_empty() || !is_changed("public_key", changes, old) {
        return Ok(());
    }
    if !is_public_key(key) {
        let what = "does not appear to be a valid ssh-rsa or dsa public key";
        return Err(unprocessable(format!("Public key {what}")));
    }
    let same = Condition::all([
        Condition::new("instr(public_key, ?) > 0", [key.to_owned().into()]),
        Condition::equals("uuid", text(old.unwrap_or(changes), "uuid")).negated(),
    ]);
    match object::exists(context.db, &AUTHORIZED_KEYS, &same)? {
        true => {
            Err(unprocessable("Public key already exists in the database, use a different key."))
        }
        false => Ok(()),
    }
}

/// Whether `text` is a type, a key in base 64 and perhaps a comment.
fn is_public_key(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let known = words.next().is_some_and(|word| TYPES.contains(&word));
    // The key begins with the length of its type, whose first two bytes are zero.
    let key = words.next().and_then(|word| word.strip_prefix("AAA")).unwrap_or_default();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    known && !key.is_empty() && key.bytes().all(base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_other_texts() {
        assert!(is_public_key("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC me@example.com"));
        assert!(is_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI+/=\n"));
        for wrong in ["", "ssh-rsa", "rsa AAAAB3", "ssh-rsa QUJD", "ssh-rsa AAAA\u{fc}"] {
            assert!(!is_public_key(wrong), "{wrong}");
        }
    }
}
