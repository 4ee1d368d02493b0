//! The known name that a mistyped one most likely meant.

/// The name of `known` that is the most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.to_owned())
}

/// The uuid of `known` that differs from `uuid` in a few letters at most, as a slip of the finger
/// does; likeness as a whole would find one for any, since all begin alike.
pub(crate) fn nearest_uuid<'a>(
    uuid: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const FEW: usize = 3;
    let distances = known.into_iter().map(|it| (strsim::damerau_levenshtein(uuid, it), it));
    distances.filter(|(distance, _)| *distance <= FEW).min().map(|(_, near)| near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name() {
        let known = ["active", "admin", "spectator"];
        assert_eq!(nearest("actve", known).as_deref(), Some("active"));
        assert_eq!(nearest("adimn", known).as_deref(), Some("admin"));
    }

    #[test]
    fn nothing_is_suggested_when_nothing_is_like_it() {
        assert_eq!(nearest("zzz", ["active", "admin"]), None);
        assert_eq!(nearest("active", []), None);
    }
}
