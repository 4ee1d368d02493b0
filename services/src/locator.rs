//! Keep locators: `HASH[+SIZE][+HINT…]`, where a hint starts with an upper-case letter.

/// The MD5 of no bytes at all: this block always exists and needs no permission.
pub(crate) const EMPTY_HASH: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The largest block, in bytes (64 MiB).
pub(crate) const MAX_BLOCK_SIZE: u64 = 64 << 20;

/// The parts of a locator, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locator<'a> {
    /// 32 lower-case hexadecimal digits.
    pub(crate) hash: &'a str,
    /// Bytes, if the locator says so.
    pub(crate) size: Option<u64>,
    /// All that follows hash and size, without the leading `+`.
    hints: &'a str,
}

impl<'a> Locator<'a> {
    /// Reads `text`; `None` if it is no locator.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (hash, rest) = match text.split_once('+') {
            Some((hash, rest)) => (hash, Some(rest)),
            None => (text, None),
        };
        if !is_hash(hash) {
            return None;
        }
        let Some(rest) = rest else {
            return Some(Self { hash, size: None, hints: "" });
        };
        let (first, others) = rest.split_once('+').unwrap_or((rest, ""));
        let (size, hints) = if first.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = first.bytes().all(|byte| byte.is_ascii_digit());
            (Some(first.parse().ok().filter(|_| digits)?), others)
        } else {
            (None, rest)
        };
        let no_hints = hints.is_empty() && !rest.is_empty() && !rest.ends_with('+');
        (no_hints || hints.split('+').all(is_hint)).then_some(Self { hash, size, hints })
    }

    /// Reads `text` as keepstores do, to whom hints may come in any order, that of the size
    /// included, and may be any text.
    pub(crate) fn parse_loosely(text: &'a str) -> Option<Self> {
        let (hash, hints) = match text.split_once('+') {
            Some((hash, hints)) => (hash, Some(hints)),
            None => (text, None),
        };
        let are_hints = |hints: &str| hints.split('+').all(|hint| !hint.is_empty());
        let hints = match hints {
            Some(hints) if text.contains('/') || !are_hints(hints) => return None,
            Some(hints) => hints,
            None => "",
        };
        let size = hints.split('+').find_map(|hint| hint.parse().ok());
        is_hash(hash).then_some(Self { hash, size, hints })
    }

    /// The hints in their order, each without its `+`.
    pub(crate) fn hints(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.hints.split('+').filter(|hint| !hint.is_empty())
    }

    /// Signature and expiry (both hexadecimal) of the permission hint `A…@…`, if there is one; of
    /// several, the last counts.
    pub(crate) fn permission(&self) -> Option<(&'a str, &'a str)> {
        self.hints().filter_map(|hint| hint.strip_prefix('A')?.split_once('@')).last()
    }

    /// The same of the hint `RCLUSTER-…@…`, with which another cluster has signed.
    pub(crate) fn remote_permission(&self) -> Option<(&'a str, &'a str)> {
        let signed = |hint: &'a str| {
            let (cluster, signature) = hint.strip_prefix('R')?.split_once('-')?;
            signature.split_once('@').filter(|_| cluster.len() == 5)
        };
        self.hints().filter_map(signed).last()
    }
}

/// Whether `text` is 32 lower-case hexadecimal digits.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_hint(hint: &str) -> bool {
    hint.starts_with(|c: char| c.is_ascii_uppercase())
        && hint
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";

    #[test]
    fn hash_size_and_hints_are_told_apart() {
        let text = format!("{FOO}+3+Kzzzzz+Aabc@123");
        let locator = Locator::parse(&text).unwrap();
        assert_eq!((locator.hash, locator.size), (FOO, Some(3)));
        assert_eq!(locator.hints().collect::<Vec<_>>(), ["Kzzzzz", "Aabc@123"]);
        assert_eq!(locator.permission(), Some(("abc", "123")));
    }

    #[test]
    fn keepstores_take_hints_in_any_order() {
        for text in ["+3+Kzzzzz+Aabc@123", "+Aabc@123+3", "+Kzzzzz+Aabc@123+3+lower"] {
            let text = format!("{FOO}{text}");
            let locator = Locator::parse_loosely(&text).unwrap();
            assert_eq!((locator.hash, locator.size), (FOO, Some(3)));
            assert_eq!(locator.permission(), Some(("abc", "123")));
        }
        assert_eq!(Locator::parse_loosely(FOO).unwrap().size, None);
        for wrong in ["+", "+3+", "++3", "+3+A/../x", "x"] {
            assert_eq!(Locator::parse_loosely(&format!("{FOO}{wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn another_clusters_signature_is_told_apart() {
        let text = format!("{FOO}+3+Rzzzzz-abc@123");
        let locator = Locator::parse(&text).unwrap();
        assert_eq!(locator.permission(), None);
        assert_eq!(locator.remote_permission(), Some(("abc", "123")));
    }

    #[test]
    fn size_and_hints_may_be_missing() {
        assert_eq!(Locator::parse(FOO).unwrap().size, None);
        let text = format!("{FOO}+Aabc@123");
        assert_eq!(Locator::parse(&text).unwrap().permission(), Some(("abc", "123")));
    }

    #[test]
    fn what_is_no_locator_is_refused() {
        let upper = FOO.to_uppercase();
        for wrong in [
            "",
            "foo",
            &upper,
            &format!("{FOO}+"),
            &format!("{FOO}+3+"),
            &format!("{FOO}+3x"),
            &format!("{FOO}+-3"),
            &format!("{FOO}+3+lower"),
            &format!("{FOO}+3+A/../x"),
            &format!("{FOO}+99999999999999999999999"),
        ] {
            assert_eq!(Locator::parse(wrong), None, "{wrong:?}");
        }
    }
}
