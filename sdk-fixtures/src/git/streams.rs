//! Which repositories there are to make, and from what.

use std::path::PathBuf;

use crate::checkout;
use crate::error::Error;
use crate::folder::Fixtures;

const CLASS: &str = "repositories";

/// The content of one repository.
pub(super) struct Stream {
    /// The repository's uuid, which is safe as a file's name.
    pub(super) uuid: String,
    pub(super) path: PathBuf,
    pub(super) content: Vec<u8>,
}

/// The streams that come with this crate for repositories of `fixtures`, in the fixtures' order.
///
/// # Errors
/// When the fixtures or a stream cannot be read, or a repository has no proper uuid.
pub(super) fn of(fixtures: &Fixtures) -> Result<Vec<Stream>, Error> {
    let class = match fixtures.class(CLASS) {
        Err(Error::UnknownClass { .. }) => return Ok(Vec::new()),
        class => class?,
    };
    let folder = checkout::root().join("sdk-fixtures/git");
    let mut streams = Vec::new();
    for record in &class.records {
        let path = folder.join(format!("{}.fast-import", record.label));
        if !is_file_name(&record.label) || !path.is_file() {
            continue;
        }
        let uuid = record.text("uuid").filter(|uuid| is_file_name(uuid)).ok_or_else(|| {
            Error::MissingColumn {
                path: fixtures.dir().join(format!("{CLASS}.yml")),
                label: record.label.clone(),
                column: "uuid",
            }
        })?;
        streams.push(Stream { uuid: uuid.to_owned(), content: fs_err::read(&path)?, path });
    }
    Ok(streams)
}

/// Whether `text` is a plain name, which cannot lead into another folder.
fn is_file_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        assert!(is_file_name("zzzzz-s0uqq-382brsig8rp3666"));
        assert!(is_file_name("crunch_dispatch_test"));
        for wrong in ["", ".", "..", "a/b", "../a", "a.git", "a\0", "a b"] {
            assert!(!is_file_name(wrong), "{wrong:?}");
        }
    }
}
