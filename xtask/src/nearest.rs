//! The nearest known name, for whoever mistyped one.

/// `; did you mean NAME?` when a known name is near, else the list of all of them.
pub(crate) fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(wrong.len()) / 2)
        .min();
    match near {
        Some((_, name)) => format!("; did you mean {name}?"),
        None if known.is_empty() => String::new(),
        None => format!("; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(hint("kepproxy", ["api", "keepproxy"]), "; did you mean keepproxy?");
    }

    #[test]
    fn without_a_near_one_all_are_listed() {
        assert_eq!(hint("postgresql", ["api", "nginx"]), "; known are api, nginx");
    }
}
