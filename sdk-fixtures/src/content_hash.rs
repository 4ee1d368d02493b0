//! One hash over named pieces of content.

use sha1::{Digest, Sha1};

/// Hexadecimal digits that change when a name or a byte of `pieces` changes, or their order.
pub(crate) fn content_hash<'a>(pieces: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha1::new();
    for part in pieces
        .into_iter()
        .flat_map(|(name, bytes)| [name.as_bytes(), bytes])
    {
        // The length keeps apart what would be the same bytes in a row.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_bytes_and_their_borders_count() {
        let hash = content_hash([("ab", b"c".as_slice()), ("d", b"")]);
        assert_eq!(hash.len(), 40);
        for other in [
            [("a", b"bc".as_slice()), ("d", b"")],
            [("ab", b"cd".as_slice()), ("", b"")],
            [("ab", b"x".as_slice()), ("d", b"")],
        ] {
            assert_ne!(content_hash(other), hash);
        }
    }
}
