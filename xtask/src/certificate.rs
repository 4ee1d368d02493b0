//! The certificate of a stack: an authority of its own, and a leaf for every name that a client
//! may use.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Context;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::stack::StackFolder;

/// Makes authority, certificate and private key. The authority's own key is forgotten at once:
/// nobody can make another certificate that the stack's clients would trust. They are told to trust
/// the authorities in the file `also` too.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn create(
    folder: &StackFolder,
    host: IpAddr,
    also: Option<&Path>,
) -> anyhow::Result<()> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Arvados test cluster authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(names(&host_name(), host))?;
    // Old clients look here when they are given no host name.
    leaf.distinguished_name.push(DnType::CommonName, "0.0.0.0");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &authority)?;

    let others = also.map(fs_err::read_to_string).transpose()?.unwrap_or_default();
    write(&folder.authority(), &format!("{}{others}", authority.pem()), 0o644)?;
    write(&folder.certificate(), &format!("{}{}", certificate.pem(), authority.pem()), 0o644)?;
    write(&folder.private_key(), &key.serialize_pem(), 0o600)
}

/// Names and addresses by which a client may call a service.
fn names(host_name: &str, host: IpAddr) -> Vec<String> {
    let local = ["localhost", "127.0.0.1", "::1", "0.0.0.0", host_name];
    let mut names: Vec<String> = local.into_iter().map(str::to_owned).collect();
    names.push(host.to_string());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    // Only what may stand in a certificate.
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    if fits { name } else { String::new() }
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs_err::create_dir_all(folder)?;
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    std::io::Write::write_all(&mut options.open(path)?, text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_certificate_once() {
        let loopback = [127, 0, 0, 1].into();
        let names = |host_name| names(host_name, loopback).join(" ");
        assert_eq!(names("box"), "localhost 127.0.0.1 ::1 0.0.0.0 box");
        assert_eq!(names("localhost"), "localhost 127.0.0.1 ::1 0.0.0.0");
        assert_eq!(names(""), "localhost 127.0.0.1 ::1 0.0.0.0");
    }
}
