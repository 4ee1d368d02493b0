//! The flags of `services api`.

use std::path::PathBuf;

use anyhow::Context;

use crate::era::Era;
use crate::go_flags::{self, Flag, value};
use crate::signature::DEFAULT_TTL_SECONDS;

const KNOWN: &[Flag] = &[
    value("listen"),
    value("certificate"),
    value("key"),
    value("fixtures"),
    value("database"),
    value("image-cache"),
    value("era"),
    value("blob-signing-key-file"),
    value("blob-signature-ttl"),
    value("default-replication"),
];

/// What the server was started with.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// `HOST:PORT`, for when no socket is inherited.
    pub(crate) listen: String,
    /// PEM files of the TLS certificate and its key.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// A folder of Rails fixtures; `None` for the ones that come with the project.
    pub(crate) fixtures: Option<PathBuf>,
    /// The database file.
    pub(crate) database: PathBuf,
    /// Where prepared images of fixture databases are kept.
    pub(crate) image_cache: PathBuf,
    /// Which clients the server is for.
    pub(crate) era: Era,
    /// The key shared with the keepstores; without it locators are not signed.
    pub(crate) blob_signing_key_file: Option<PathBuf>,
    /// Seconds that a signature lasts.
    pub(crate) blob_signature_ttl: u64,
    /// How many copies of a block a client makes that is not told otherwise.
    pub(crate) default_replication: u64,
}

impl Flags {
    /// Reads the command line.
    ///
    /// # Errors
    /// Names the argument that is unknown, malformed or missing.
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut flags = Self {
            listen: ":0".to_owned(),
            blob_signature_ttl: DEFAULT_TTL_SECONDS,
            default_replication: 2,
            ..Self::default()
        };
        for (name, text) in go_flags::parse(KNOWN, arguments)? {
            match name {
                "listen" => flags.listen = text,
                "certificate" => flags.certificate = text.into(),
                "key" => flags.key = text.into(),
                "fixtures" => flags.fixtures = Some(text.into()),
                "database" => flags.database = text.into(),
                "image-cache" => flags.image_cache = text.into(),
                "era" => flags.era = go_flags::parsed(KNOWN, name, &text)?,
                "blob-signing-key-file" => flags.blob_signing_key_file = Some(text.into()),
                "blob-signature-ttl" => flags.blob_signature_ttl = number(name, &text)?,
                _ => flags.default_replication = number(name, &text)?,
            }
        }
        for (name, path) in [
            ("certificate", &flags.certificate),
            ("key", &flags.key),
            ("database", &flags.database),
            ("image-cache", &flags.image_cache),
        ] {
            anyhow::ensure!(!path.as_os_str().is_empty(), "flag -{name} is required");
        }
        Ok(flags)
    }
}

fn number(name: &str, text: &str) -> anyhow::Result<u64> {
    text.parse().with_context(|| format!("invalid value {text:?} for flag -{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_and_missing_is_named() {
        let arguments = ["-certificate=c", "-key=k", "-database=d"].map(str::to_owned);
        let error = Flags::parse(&arguments).unwrap_err();
        assert_eq!(error.to_string(), "flag -image-cache is required");
    }
}
