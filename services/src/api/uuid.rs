//! Arvados uuids, `zzzzz-INFIX-15 characters of [0-9a-z]`, and those that every cluster has.

use crate::request_log::random_base36;

/// The five characters that all uuids of this cluster start with.
pub(crate) const CLUSTER: &str = "zzzzz";

/// Owner of what belongs to nobody in particular, and an admin.
pub(crate) const SYSTEM_USER: &str = "zzzzz-tpzed-000000000000000";
/// The group of the system user.
pub(crate) const SYSTEM_GROUP: &str = "zzzzz-j7d0g-000000000000000";
/// The group that every activated user can read.
pub(crate) const ALL_USERS_GROUP: &str = "zzzzz-j7d0g-fffffffffffffff";
/// The group whose readable objects everybody can read.
pub(crate) const ANONYMOUS_GROUP: &str = "zzzzz-j7d0g-anonymouspublic";
/// The user of those who did not log in.
pub(crate) const ANONYMOUS_USER: &str = "zzzzz-tpzed-anonymouspublic";

/// The infix of users.
pub(crate) const USER: &str = "tpzed";
/// The infix of groups.
pub(crate) const GROUP: &str = "j7d0g";

/// A new uuid for an object whose class has `infix`.
pub(crate) fn new(infix: &str) -> String {
    format!("{CLUSTER}-{infix}-{}", random_base36(15))
}

/// The infix of `text`; `None` if it is no uuid of any cluster.
pub(crate) fn infix(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (cluster, infix, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let base36 = |part: &str, length| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    let valid = base36(cluster, 5) && base36(infix, 5) && base36(rest, 15);
    (valid && parts.next().is_none()).then_some(infix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_uuid_is_of_its_class() {
        assert_eq!(infix(&new("4zz18")), Some("4zz18"));
    }

    #[test]
    fn what_is_no_uuid_has_no_infix() {
        for wrong in [
            "",
            "zzzzz-tpzed",
            "zzzzz-tpzed-00000000000000",
            "zzzzz-tpzed-000000000000000-",
            "zzzzz-tpzed-00000000000000A",
            "d41d8cd98f00b204e9800998ecf8427e+0",
        ] {
            assert_eq!(infix(wrong), None, "{wrong:?}");
        }
    }
}
