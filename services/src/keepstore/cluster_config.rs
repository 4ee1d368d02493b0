//! The cluster's configuration file, with which keepstores of today are started in place of flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use super::volume::Mount;
use crate::signature::DEFAULT_TTL_SECONDS;

/// What a keepstore takes from the file; the rest of it is for others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FromFile {
    /// `HOST:PORT`.
    pub(super) listen: String,
    pub(super) volumes: Vec<VolumeFromFile>,
    pub(super) blob_signing_key: Option<String>,
    /// How long signatures last.
    pub(super) ttl_seconds: u64,
    pub(super) enforce: bool,
    pub(super) deletes: bool,
    pub(super) trash_seconds: u64,
    /// Zero for never.
    pub(super) sweep_seconds: u64,
    pub(super) data_manager_token: Option<String>,
    pub(super) max_buffers: usize,
}

/// A volume as the file describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VolumeFromFile {
    pub(super) root: PathBuf,
    pub(super) serialize: bool,
    pub(super) read_only: bool,
    pub(super) mount: Mount,
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
    #[serde(default, rename = "API")]
    api: Api,
    services: Services,
    #[serde(default)]
    collections: Collections,
    #[serde(default)]
    volumes: BTreeMap<String, Volume>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Api {
    max_keep_blob_buffers: Option<usize>,
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
    #[serde(rename = "BlobSigningTTL")]
    blob_signing_ttl: Option<String>,
    blob_trash: Option<bool>,
    blob_trash_lifetime: Option<String>,
    blob_trash_check_interval: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    #[serde(default)]
    access_via_hosts: BTreeMap<String, Access>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    replication: usize,
    #[serde(default)]
    storage_classes: BTreeMap<String, bool>,
    driver_parameters: DriverParameters,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Access {
    read_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DriverParameters {
    root: PathBuf,
    #[serde(default)]
    serialize: bool,
}

impl Volume {
    /// What it is to the keepstore at `url`; a volume that names no keepstore is for all of them.
    fn of(self, uuid: String, url: &str) -> Option<VolumeFromFile> {
        let access = self.access_via_hosts.get(url);
        if access.is_none() && !self.access_via_hosts.is_empty() {
            return None;
        }
        let mut mount = Mount { uuid, ..Mount::of(&self.driver_parameters.root) };
        let classes = self.storage_classes.into_iter().filter(|(_, has)| *has);
        let classes: Vec<_> = classes.map(|(class, _)| class).collect();
        if !classes.is_empty() {
            mount.classes = classes;
        }
        mount.replication = self.replication.max(1);
        Some(VolumeFromFile {
            root: self.driver_parameters.root,
            serialize: self.driver_parameters.serialize,
            read_only: self.read_only || access.is_some_and(|access| access.read_only),
            mount,
        })
    }
}

/// How often the trash is looked through, unless the file or a flag says so.
pub(super) const DAY_SECONDS: u64 = 86_400;

/// The units of a time in Go, and how many seconds each has; first those that others begin with.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// How many seconds a time has as Go writes it: `336h`, `1h30m`, `1.5s`. One that has begun counts as a
/// whole one: some is not none.
fn seconds(text: &str) -> anyhow::Result<u64> {
    let wrong = || format!("{text:?} is no duration such as 336h or 1h30m");
    let mut seconds = 0.0;
    let mut rest = text;
    while rest != "0" {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').with_context(wrong)?;
        let (count, behind) = rest.split_at(end);
        let count: f64 = count.parse().with_context(wrong)?;
        let unit = UNITS.iter().find(|(unit, _)| behind.starts_with(unit));
        let (unit, length) = unit.with_context(wrong)?;
        seconds += count * length;
        rest = &behind[unit.len()..];
        if rest.is_empty() {
            break;
        }
    }
    // As a cast does it: more than there are numbers are the most that there are.
    Ok(seconds.ceil() as u64)
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
    let volumes = cluster.volumes.into_iter();
    let volumes = volumes.filter_map(|(uuid, volume)| volume.of(uuid, &url)).collect();
    let collections = cluster.collections;
    let or_two_weeks =
        |text: Option<String>| text.map_or(Ok(DEFAULT_TTL_SECONDS), |text| seconds(&text));
    let or_a_day = |text: Option<String>| text.map_or(Ok(DAY_SECONDS), |text| seconds(&text));
    Ok(FromFile {
        listen: listen.trim_end_matches('/').to_owned(),
        volumes,
        blob_signing_key: collections.blob_signing_key.filter(|key| !key.is_empty()),
        ttl_seconds: or_two_weeks(collections.blob_signing_ttl)?,
        enforce: collections.blob_signing.unwrap_or(true),
        deletes: collections.blob_trash.unwrap_or(true),
        trash_seconds: or_two_weeks(collections.blob_trash_lifetime)?,
        sweep_seconds: or_a_day(collections.blob_trash_check_interval)?,
        data_manager_token: cluster.system_root_token,
        max_buffers: cluster.api.max_keep_blob_buffers.unwrap_or(128),
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
    API: {MaxKeepBlobBuffers: 7}
    Collections: {BlobSigningKey: secret, BlobSigning: false, BlobSigningTTL: 1h30m, BlobTrashLifetime: 0s, BlobTrashCheckInterval: 1m}
    Volumes:
      zzzzz-nyw5e-000000000000000:
        AccessViaHosts: {'http://127.0.0.1:1234': {}}
        StorageClasses: {archive: true, hot: false}
        ReadOnly: true
        DriverParameters: {Root: /ours, Serialize: true}
      zzzzz-nyw5e-000000000000001:
        AccessViaHosts: {'http://127.0.0.1:1235': {}}
        DriverParameters: {Root: /others}
";

    #[test]
    fn a_keepstore_finds_its_address_and_its_volumes() {
        let expected = FromFile {
            listen: "127.0.0.1:1234".into(),
            volumes: vec![VolumeFromFile {
                root: "/ours".into(),
                serialize: true,
                read_only: true,
                mount: Mount {
                    uuid: "zzzzz-nyw5e-000000000000000".into(),
                    classes: vec!["archive".into()],
                    replication: 1,
                },
            }],
            blob_signing_key: Some("secret".into()),
            ttl_seconds: 5400,
            enforce: false,
            deletes: true,
            trash_seconds: 0,
            sweep_seconds: 60,
            data_manager_token: Some("root".into()),
            max_buffers: 7,
        };
        assert_eq!(parse(FILE).unwrap(), expected);
    }

    #[test]
    fn a_time_is_read_as_go_writes_it() {
        for (text, expected) in [
            ("336h", 1_209_600),
            ("1h1m1s", 3661),
            ("1.5h", 5400),
            ("500ms", 1),
            ("1m10us3ns", 61),
            ("0s", 0),
            ("0", 0),
        ] {
            assert_eq!(seconds(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "1", "h", "1d", "-1h", "1.2.3s", "."] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_does_not_say_which_keepstore_is_meant_is_refused() {
        let two = FILE.replace("1234': {}}}", "1234': {}, 'http://127.0.0.1:1235': {}}}");
        assert!(parse(&two).unwrap_err().to_string().contains("one address"));
        assert!(parse(&FILE.replace("http://127.0.0.1:1234", "x")).is_err());
        assert!(parse("Clusters: {}").is_err());
    }
}
