//! keepstore's flags, as the Go program of 2015 has them, and what they amount to; and the one that
//! its successors have, which names a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::cluster_config::{self, DAY_SECONDS};
use super::trash::Deleting;
use super::volume::Volume;
use crate::era::{Era, keepstore};
use crate::go_flags::{self, Flag, boolean, invalid, number, value};
use crate::signature::{DEFAULT_TTL_SECONDS, Signer, optional_signer};

const FLAGS: &[Flag] = &[
    value("config").meaning("file with the configuration of the cluster, instead of the other flags"),
    value("era").meaning("whose expectations count: current or 2015 (default current)"),
    value("listen").meaning("address to listen on, HOST:PORT or :PORT (default \":25107\")"),
    value("pid").meaning("file to hold a lock on, and to leave the pid in"),
    value("volume").meaning("absolute path of a directory for blocks; may be given again"),
    value("volumes").meaning("such paths with commas between them"),
    boolean("serialize").meaning("let each of the volumes behind this do one thing at a time"),
    boolean("readonly").meaning("do not write to the volumes behind this"),
    value("permission-key-file").meaning("the same as -blob-signing-key-file"),
    value("blob-signing-key-file").meaning("file with the key that locators are signed with"),
    number("permission-ttl", 0).meaning("the same as -blob-signature-ttl"),
    number("blob-signature-ttl", 0).meaning("seconds that a signature lasts (default 1209600)"),
    boolean("enforce-permissions").meaning("give blocks only to who has a signed locator"),
    value("data-manager-token-file")
        .meaning("file with a token that may list and delete blocks; may be given again"),
    boolean("never-delete").meaning("delete no block (default true in the era 2015, else false)"),
    number("trash-lifetime", 0).meaning(
        "seconds that a deleted block can be taken out of the trash (default 0 in the era 2015, else 1209600)",
    ),
    number("trash-check-interval", 0).meaning(
        "seconds until the trash is looked through again, 0 for never (default 86400)",
    ),
    number("max-buffers", 0).meaning("blocks that may be worked on at a time (default 128)"),
];

/// All that a keepstore is started with.
pub(super) struct Config {
    pub(super) era: Era,
    /// `HOST:PORT` or `:PORT`, for when no socket is inherited.
    pub(super) listen: String,
    /// Where to leave our pid.
    pub(super) pid: Option<PathBuf>,
    /// At least one.
    pub(super) volumes: Vec<Volume>,
    /// Without a key, locators are not signed.
    pub(super) signer: Option<Signer>,
    /// Whether reading needs a signed locator.
    pub(super) enforce: bool,
    /// The tokens that may list and delete blocks.
    pub(super) data_manager_tokens: Vec<String>,
    pub(super) deleting: Deleting,
    /// How many blocks may be worked on at a time.
    pub(super) max_buffers: usize,
}

impl Config {
    /// Reads the command line, and the files that it names.
    ///
    /// # Errors
    /// Names the flag that is unknown, malformed or names something unusable.
    pub(super) fn from_flags(arguments: &[String]) -> anyhow::Result<Self> {
        let given = go_flags::parse(FLAGS, arguments)?;
        let mut config = Self::of_era(&given)?;
        let (mut key_file, mut key) = (None, None);
        let mut ttl_seconds = DEFAULT_TTL_SECONDS;
        let (mut serialize, mut read_only) = (false, false);
        for (name, text) in given {
            match name {
                "config" => {
                    (key, ttl_seconds) = config.take_file(Path::new(&text))?;
                    key_file = None;
                }
                "listen" => config.listen = text,
                "pid" => config.pid = Some(text).filter(|text| !text.is_empty()).map(Into::into),
                // These two change what the volumes behind them on the command line are.
                "serialize" => serialize = go_flags::parse_bool(name, &text)?,
                "readonly" => read_only = go_flags::parse_bool(name, &text)?,
                "volume" | "volumes" => {
                    let paths =
                        if name == "volume" { vec![&*text] } else { text.split(',').collect() };
                    for path in paths {
                        let volume = volume(path, serialize, read_only);
                        let volume = volume.map_err(|why| invalid(FLAGS, name, path, why))?;
                        config.volumes.push(volume);
                    }
                }
                "permission-key-file" | "blob-signing-key-file" => {
                    key = None;
                    key_file = Some(PathBuf::from(text)).filter(|path| path != Path::new(""));
                }
                "permission-ttl" | "blob-signature-ttl" => ttl_seconds = text.parse()?,
                "enforce-permissions" => config.enforce = go_flags::parse_bool(name, &text)?,
                "data-manager-token-file" if !text.is_empty() => {
                    let token = fs_err::read_to_string(&text).context("data manager token")?;
                    config.add_data_manager(token.trim());
                }
                "never-delete" => config.deleting.enabled = !go_flags::parse_bool(name, &text)?,
                "trash-lifetime" => config.deleting.trash_seconds = text.parse()?,
                "trash-check-interval" => config.deleting.sweep_every = interval(text.parse()?),
                "max-buffers" => config.max_buffers = text.parse()?,
                _ => {}
            }
        }
        config.deleting.min_age = Duration::from_secs(ttl_seconds);
        config.signer = match key {
            Some(key) => Some(Signer::new(key, ttl_seconds, config.era)),
            None => optional_signer(key_file.as_deref(), ttl_seconds, config.era)?,
        };
        config.check()?;
        Ok(config)
    }

    /// What holds without any other flag in the era that is given.
    fn of_era(given: &[(&str, String)]) -> anyhow::Result<Self> {
        let era = given.iter().rev().find(|(name, _)| *name == "era");
        let era = era.map(|(name, era)| go_flags::parsed(FLAGS, name, era)).transpose()?;
        let era = era.unwrap_or_default();
        Ok(Self {
            era,
            listen: ":25107".to_owned(),
            pid: None,
            volumes: Vec::new(),
            signer: None,
            enforce: false,
            data_manager_tokens: Vec::new(),
            deleting: Deleting {
                enabled: keepstore::DELETES.of(era),
                min_age: Duration::from_secs(DEFAULT_TTL_SECONDS),
                trash_seconds: keepstore::TRASH_SECONDS.of(era),
                sweep_every: interval(DAY_SECONDS),
            },
            max_buffers: 128,
        })
    }

    /// Takes what the cluster's configuration says; the signing key and how many seconds signatures
    /// last are for the caller.
    fn take_file(&mut self, path: &Path) -> anyhow::Result<(Option<String>, u64)> {
        let file = cluster_config::read(path)?;
        self.listen = file.listen;
        for one in file.volumes {
            let root = one.root.to_str().context("the path of a volume is not text")?;
            let volume =
                volume(root, one.serialize, one.read_only).with_context(|| root.to_owned())?;
            self.volumes.push(volume.mounted_as(one.mount));
        }
        self.enforce = file.enforce;
        self.deleting.enabled = file.deletes;
        self.deleting.trash_seconds = file.trash_seconds;
        self.deleting.sweep_every = interval(file.sweep_seconds);
        self.max_buffers = file.max_buffers;
        if let Some(token) = file.data_manager_token {
            self.add_data_manager(&token);
        }
        Ok((file.blob_signing_key, file.ttl_seconds))
    }

    fn add_data_manager(&mut self, token: &str) {
        // An empty token would be anybody's.
        self.data_manager_tokens.extend(Some(token.to_owned()).filter(|token| !token.is_empty()));
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.volumes.is_empty(), "no volume: give -volume=DIRECTORY");
        anyhow::ensure!(self.max_buffers > 0, "-max-buffers must be greater than zero");
        anyhow::ensure!(
            !self.enforce || self.signer.is_some(),
            "-enforce-permissions needs a key: give -blob-signing-key-file=FILE"
        );
        Ok(())
    }
}

/// Zero seconds mean never.
fn interval(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds)).filter(|interval| !interval.is_zero())
}

fn volume(path: &str, serialize: bool, read_only: bool) -> anyhow::Result<Volume> {
    let root = PathBuf::from(path);
    anyhow::ensure!(root.is_absolute(), "the path must be absolute");
    let directory = fs_err::metadata(&root).is_ok_and(|found| found.is_dir());
    anyhow::ensure!(directory, "there is no such directory");
    Ok(Volume::new(root, serialize, read_only))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<Config> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Config::from_flags(&arguments)
    }

    fn complaint(arguments: &[&str]) -> String {
        format!("{:#}", config(arguments).err().unwrap())
    }

    #[test]
    fn modifiers_hold_for_the_volumes_behind_them() {
        let given = ["-volume=/", "-readonly", "-volume=/", "-readonly=false", "-volumes=/,/"];
        let volumes = config(&given).unwrap().volumes;
        let read_only: Vec<_> = volumes.iter().map(Volume::is_read_only).collect();
        assert_eq!(read_only, [false, true, false, false]);
    }

    #[test]
    fn what_cannot_work_is_refused_at_start() {
        assert!(complaint(&[]).contains("no volume"));
        assert!(complaint(&["-volume=relative"]).contains("must be absolute"));
        assert!(complaint(&["-volume=/no/such"]).contains("no such directory"));
        assert!(complaint(&["-volume=/", "-enforce-permissions"]).contains("needs a key"));
        assert!(complaint(&["-volume=/", "-max-buffers=0"]).contains("greater than zero"));
        assert!(complaint(&["-volume=/", "-max-buffers=x"]).contains("invalid value"));
    }

    #[test]
    fn blocks_are_deleted_as_the_era_and_the_flags_say() {
        let deleting = |arguments: &[&str]| {
            let config = config(&[&["-volume=/"], arguments].concat()).unwrap();
            (config.deleting.enabled, config.deleting.trash_seconds)
        };
        assert_eq!(deleting(&["-never-delete=false", "-era=2015"]), (true, 0));
        assert_eq!(deleting(&["-era=2015"]), (false, 0));
        assert_eq!(deleting(&[]), (true, 1_209_600));
        assert_eq!(deleting(&["-never-delete", "-trash-lifetime=5"]), (false, 5));
    }
}
