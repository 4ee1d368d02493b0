//! The cluster's configuration file, with which keepstores of today are started in place of flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// What a keepstore takes from the file; the rest of it is for others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FromFile {
    /// `HOST:PORT`.
    pub(super) listen: String,
    pub(super) volumes: Vec<PathBuf>,
    pub(super) blob_signing_key: Option<String>,
    pub(super) enforce: bool,
    pub(super) data_manager_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    clusters: BTreeMap<String, Cluster>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cluster {
    system_root_token: Option<String>,
    services: Services,
    #[serde(default)]
    collections: Collections,
    #[serde(default)]
    volumes: BTreeMap<String, Volume>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Services {
    keepstore: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "InternalURLs")]
    internal_urls: BTreeMap<String, serde_yaml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Collections {
    blob_signing: Option<bool>,
    blob_signing_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    #[serde(default)]
    access_via_hosts: BTreeMap<String, serde_yaml::Value>,
    driver_parameters: DriverParameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DriverParameters {
    root: PathBuf,
}

/// # Errors
/// When the file cannot be read, or does not say which of several keepstores this one is.
pub(super) fn read(path: &Path) -> anyhow::Result<FromFile> {
    let text = fs_err::read_to_string(path)?;
    parse(&text).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> anyhow::Result<FromFile> {
    let file: File = serde_yaml::from_str(text)?;
    let cluster = file.clusters.into_values().next().context("Clusters is empty")?;
    let mut urls = cluster.services.keepstore.internal_urls.into_keys();
    let (Some(url), None) = (urls.next(), urls.next()) else {
        anyhow::bail!("Services.Keepstore.InternalURLs has to be the one address to listen on");
    };
    let listen = url.strip_prefix("http://").context("the address has to be http://HOST:PORT")?;
    // A volume that names no keepstore is for all of them.
    let is_ours = |volume: &Volume| {
        volume.access_via_hosts.is_empty() || volume.access_via_hosts.contains_key(&url)
    };
    let volumes = cluster.volumes.into_values().filter(is_ours);
    Ok(FromFile {
        listen: listen.trim_end_matches('/').to_owned(),
        volumes: volumes.map(|volume| volume.driver_parameters.root).collect(),
        blob_signing_key: cluster.collections.blob_signing_key.filter(|key| !key.is_empty()),
        enforce: cluster.collections.blob_signing.unwrap_or(true),
        data_manager_token: cluster.system_root_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
Clusters:
  zzzzz:
    SystemRootToken: root
    Services:
      Keepstore: {InternalURLs: {'http://127.0.0.1:1234': {}}}
      Keepproxy: {InternalURLs: {'http://127.0.0.1:1': {}}}
    Collections: {BlobSigningKey: secret, BlobSigning: false}
    Volumes:
      zzzzz-nyw5e-000000000000000:
        AccessViaHosts: {'http://127.0.0.1:1234': {}}
        DriverParameters: {Root: /ours}
      zzzzz-nyw5e-000000000000001:
        AccessViaHosts: {'http://127.0.0.1:1235': {}}
        DriverParameters: {Root: /others}
";

    #[test]
    fn a_keepstore_finds_its_address_and_its_volumes() {
        let expected = FromFile {
            listen: "127.0.0.1:1234".into(),
            volumes: vec!["/ours".into()],
            blob_signing_key: Some("secret".into()),
            enforce: false,
            data_manager_token: Some("root".into()),
        };
        assert_eq!(parse(FILE).unwrap(), expected);
    }

    #[test]
    fn a_file_that_does_not_say_which_keepstore_is_meant_is_refused() {
        let two = FILE.replace("1234': {}}}", "1234': {}, 'http://127.0.0.1:1235': {}}}");
        assert!(parse(&two).unwrap_err().to_string().contains("one address"));
        assert!(parse(&FILE.replace("http://127.0.0.1:1234", "x")).is_err());
        assert!(parse("Clusters: {}").is_err());
    }
}
