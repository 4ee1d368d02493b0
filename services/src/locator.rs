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

    /// Reads `text` as keepstores and keepproxy do, to whom hints may come in any order, that of the size
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
        self.hints().filter_map(|hint| signature(hint.strip_prefix('A')?)).last()
    }

    /// The same of the hint `RCLUSTER-…@…`, with which another cluster has signed.
    pub(crate) fn remote_permission(&self) -> Option<(&'a str, &'a str)> {
        let signed = |hint: &'a str| {
            let (cluster, signed) = hint.strip_prefix('R')?.split_once('-')?;
            signature(signed).filter(|_| cluster.len() == 5)
        };
        self.hints().filter_map(signed).last()
    }

    /// Whether another cluster is said to have the block, and it has no signature of our own.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let has = |letter| self.hints().any(|hint| hint.starts_with(letter));
        has('R') && !has('A')
    }
}

/// Whether `text` is 32 lower-case hexadecimal digits.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The two parts of `SIGNATURE@EXPIRY`: 40 and 8 hexadecimal digits. What looks otherwise is no
/// signature, not even one that has expired.
fn signature(text: &str) -> Option<(&str, &str)> {
    let are_digits = |text: &str, count| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split_once('@')
        .filter(|(signature, expiry)| are_digits(signature, 40) && are_digits(expiry, 8))
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
    const SIGNATURE: &str = "257f3f5f5f0a4e4626a18fc74bd42ec34dcb228a";
    const EXPIRY: &str = "7fffffff";

    #[test]
    fn hash_size_and_hints_are_told_apart() {
        let text = format!("{FOO}+3+Kzzzzz+A{SIGNATURE}@{EXPIRY}");
        let locator = Locator::parse(&text).unwrap();
        assert_eq!((locator.hash, locator.size), (FOO, Some(3)));
        assert_eq!(locator.hints().next(), Some("Kzzzzz"));
        assert_eq!(locator.permission(), Some((SIGNATURE, EXPIRY)));
    }

    #[test]
    fn keepstores_take_hints_in_any_order() {
        for text in ["+3+Kzzzzz+A", "+A+3", "+Kzzzzz+A+3+lower"] {
            let signed = format!("+A{SIGNATURE}@{EXPIRY}");
            let text = format!("{FOO}{}", text.replace("+A", &signed));
            let locator = Locator::parse_loosely(&text).unwrap();
            assert_eq!((locator.hash, locator.size), (FOO, Some(3)));
            assert_eq!(locator.permission(), Some((SIGNATURE, EXPIRY)));
        }
        assert_eq!(Locator::parse_loosely(FOO).unwrap().size, None);
        for wrong in ["+", "+3+", "++3", "+3+A/../x", "x"] {
            assert_eq!(Locator::parse_loosely(&format!("{FOO}{wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn another_clusters_signature_is_told_apart() {
        let text = format!("{FOO}+3+Rzzzzz-{SIGNATURE}@{EXPIRY}");
        let locator = Locator::parse(&text).unwrap();
        assert_eq!(locator.permission(), None);
        assert_eq!(locator.remote_permission(), Some((SIGNATURE, EXPIRY)));
        assert!(locator.is_elsewhere());
        let both = format!("{text}+A{SIGNATURE}@{EXPIRY}");
        assert!(!Locator::parse(&both).unwrap().is_elsewhere());
    }

    #[test]
    fn what_is_no_signature_counts_as_none() {
        for hint in ["Aabcd@00000001", "A@", "A", &format!("A{SIGNATURE}@1")] {
            let text = format!("{FOO}+3+{hint}");
            assert_eq!(Locator::parse_loosely(&text).unwrap().permission(), None, "{hint}");
        }
        let text = format!("{FOO}+3+Rzaaaa-abcde@12345");
        let locator = Locator::parse_loosely(&text).unwrap();
        assert_eq!((locator.remote_permission(), locator.is_elsewhere()), (None, true));
    }

    #[test]
    fn size_and_hints_may_be_missing() {
        assert_eq!(Locator::parse(FOO).unwrap().size, None);
        let text = format!("{FOO}+A{SIGNATURE}@{EXPIRY}");
        assert_eq!(Locator::parse(&text).unwrap().permission(), Some((SIGNATURE, EXPIRY)));
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
