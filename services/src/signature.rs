//! Permission signatures of Keep locators: `+A` 40 hexadecimal digits `@` expiry.
//!
//! The signature is an HMAC-SHA1 over `HASH@TOKEN@EXPIRY`, where the expiry is a Unix time in
//! lower-case hexadecimal; clusters of today append `@TTL`, in hexadecimal seconds. Whoever shares
//! the key can make and check them: the API server and the keepstores.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::era::{Era, keepstore};
use crate::locator::Locator;

/// How long a signature lasts unless configured otherwise: two weeks.
pub(crate) const DEFAULT_TTL_SECONDS: u64 = 1_209_600;

/// Makes and checks signatures with one key.
#[derive(Clone)]
pub(crate) struct Signer {
    key: Vec<u8>,
    ttl_seconds: u64,
    era: Era,
}

/// Why a locator does not give permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// The locator has no permission hint.
    #[error("no permission signature")]
    Missing,
    /// The hint was not made with this key for this token.
    #[error("invalid permission signature")]
    Invalid,
    /// The hint's time is over, whether it was right or not.
    #[error("expired permission signature")]
    Expired,
}

impl Signer {
    /// Signs in the form of `era`; checks both forms.
    pub(crate) fn new(key: impl Into<Vec<u8>>, ttl_seconds: u64, era: Era) -> Self {
        Self { key: key.into(), ttl_seconds, era }
    }

    /// Takes the key from a file, white space around it trimmed.
    ///
    /// # Errors
    /// When the file cannot be read or holds nothing.
    pub(crate) fn from_key_file(path: &Path, ttl_seconds: u64, era: Era) -> anyhow::Result<Self> {
        let text = fs_err::read(path)?;
        let key = text.trim_ascii();
        anyhow::ensure!(!key.is_empty(), "the key file {} is empty", path.display());
        Ok(Self::new(key, ttl_seconds, era))
    }

    /// The hint, without its `+`, that lets `token` read `hash` from now on.
    pub(crate) fn hint(&self, hash: &str, token: &str) -> String {
        let expiry = format!("{:08x}", unix_now() + self.ttl_seconds);
        let signature = to_hex(&self.mac(self.era, hash, token, &expiry).finalize().into_bytes());
        format!("A{signature}@{expiry}")
    }

    /// Whether `locator` lets `token` read its block now.
    ///
    /// # Errors
    /// Says why not.
    pub(crate) fn check(&self, locator: &Locator<'_>, token: &str) -> Result<(), Denied> {
        self.verify(locator.hash, locator.permission(), token)
    }

    /// The same for the hint of another cluster, whose key is taken to be ours.
    ///
    /// # Errors
    /// Says why not.
    pub(crate) fn check_remote(&self, locator: &Locator<'_>, token: &str) -> Result<(), Denied> {
        self.verify(locator.hash, locator.remote_permission(), token)
    }

    fn verify(
        &self,
        hash: &str,
        permission: Option<(&str, &str)>,
        token: &str,
    ) -> Result<(), Denied> {
        let (signature, expiry) = permission.ok_or(Denied::Missing)?;
        let signature = from_hex(signature).ok_or(Denied::Invalid)?;
        let until = u64::from_str_radix(expiry, 16).map_err(|_| Denied::Invalid)?;
        // Looked at first, as the real programs do: the time tells no secret.
        if until < unix_now() {
            return Err(Denied::Expired);
        }
        let valid = Era::ALL
            .into_iter()
            .any(|era| self.mac(era, hash, token, expiry).verify_slice(&signature).is_ok());
        if valid { Ok(()) } else { Err(Denied::Invalid) }
    }

    fn mac(&self, era: Era, hash: &str, token: &str, expiry: &str) -> Hmac<Sha1> {
        // HMAC takes a key of any length; the slice constructor's error is for other algorithms.
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.key)
            .unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in [hash, "@", token, "@", expiry] {
            mac.update(part.as_bytes());
        }
        if keepstore::SIGNATURES_COVER_TTL.of(era) {
            mac.update(format!("@{:x}", self.ttl_seconds).as_bytes());
        }
        mac
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
        .collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Reads a key file when one is named.
///
/// # Errors
/// As [`Signer::from_key_file`], with the flag's meaning.
pub(crate) fn optional_signer(
    path: Option<&Path>,
    ttl_seconds: u64,
    era: Era,
) -> anyhow::Result<Option<Signer>> {
    path.map(|path| Signer::from_key_file(path, ttl_seconds, era).context("blob signing key"))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";

    fn signed(signer: &Signer, token: &str) -> String {
        format!("{FOO}+3+{}", signer.hint(FOO, token))
    }

    #[test]
    fn either_era_checks_what_the_other_signed() {
        let [current, old] = [Era::Current, Era::Y2015].map(|era| Signer::new("key", 60, era));
        for (maker, checker) in [(&current, &old), (&old, &current), (&old, &old)] {
            let text = signed(maker, "token");
            assert_eq!(checker.check(&Locator::parse(&text).unwrap(), "token"), Ok(()));
        }
    }

    #[test]
    fn another_token_key_or_time_gives_no_permission() {
        let signer = Signer::new("key", 60, Era::Current);
        let text = signed(&signer, "token");
        let locator = Locator::parse(&text).unwrap();
        assert_eq!(signer.check(&locator, "other"), Err(Denied::Invalid));
        let other = Signer::new("other", 60, Era::Current);
        assert_eq!(other.check(&locator, "token"), Err(Denied::Invalid));
        let unsigned = Locator::parse(FOO).unwrap();
        assert_eq!(signer.check(&unsigned, "token"), Err(Denied::Missing));
        let mac = signer.mac(Era::Y2015, FOO, "token", "00000001").finalize().into_bytes();
        for mac in [to_hex(&mac), "0".repeat(40)] {
            let expired = format!("{FOO}+3+A{mac}@00000001");
            let expired = Locator::parse(&expired).unwrap();
            assert_eq!(signer.check(&expired, "token"), Err(Denied::Expired));
        }
    }

    #[test]
    fn a_signature_is_the_hmac_that_keepstore_makes() {
        // Computed with openssl: printf 'acbd…@token@7fffffff' | openssl dgst -sha1 -hmac key, and with
        // @127500 behind it.
        let signer = Signer::new("key", DEFAULT_TTL_SECONDS, Era::Current);
        for (era, expected) in [
            (Era::Y2015, "4052fd0b645553d1e356bb457bb3362a57428cdc"),
            (Era::Current, "3985c073f1c43ae732dd00e6e646b18c417f0f93"),
        ] {
            let mac = signer.mac(era, FOO, "token", "7fffffff").finalize().into_bytes();
            assert_eq!(to_hex(&mac), expected);
        }
    }
}
