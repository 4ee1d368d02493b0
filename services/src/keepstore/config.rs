//! keepstore's flags, as the Go program of 2015 has them, and what they amount to; and the one that
//! its successors have, which names a file.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::cluster_config;
use super::volume::Volume;
use crate::era::Era;
use crate::go_flags::{self, Flag, boolean, value};
use crate::log;
use crate::signature::{DEFAULT_TTL_SECONDS, Signer, optional_signer};

const FLAGS: &[Flag] = &[
    value("config"),
    value("era"),
    value("listen"),
    value("pid"),
    value("volume"),
    value("volumes"),
    boolean("serialize"),
    boolean("readonly"),
    value("permission-key-file"),
    value("blob-signing-key-file"),
    value("permission-ttl"),
    value("blob-signature-ttl"),
    boolean("enforce-permissions"),
    value("data-manager-token-file"),
    boolean("never-delete"),
    value("max-buffers"),
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
    /// The token that may list blocks.
    pub(super) data_manager_token: Option<String>,
    /// How many blocks may be in memory at a time.
    pub(super) max_buffers: usize,
}

impl Config {
    /// Reads the command line, and the files that it names.
    ///
    /// # Errors
    /// Names the flag that is unknown, malformed or names something unusable.
    pub(super) fn from_flags(arguments: &[String]) -> anyhow::Result<Self> {
        let mut config = Self {
            era: Era::default(),
            listen: ":25107".to_owned(),
            pid: None,
            volumes: Vec::new(),
            signer: None,
            enforce: false,
            data_manager_token: None,
            max_buffers: 128,
        };
        let (mut key_file, mut key) = (None, None);
        let mut ttl_seconds = DEFAULT_TTL_SECONDS;
        let (mut serialize, mut read_only) = (false, false);
        for (name, text) in go_flags::parse(FLAGS, arguments)? {
            match name {
                "config" => key = config.take_file(Path::new(&text))?,
                "era" => config.era = text.parse().map_err(anyhow::Error::msg)?,
                "listen" => config.listen = text,
                "pid" => config.pid = Some(text).filter(|text| !text.is_empty()).map(Into::into),
                // These two change what the volumes behind them on the command line are.
                "serialize" => serialize = go_flags::parse_bool(name, &text)?,
                "readonly" => read_only = go_flags::parse_bool(name, &text)?,
                "volume" => config.volumes.push(volume(&text, serialize, read_only)?),
                "volumes" => {
                    for path in text.split(',') {
                        config.volumes.push(volume(path, serialize, read_only)?);
                    }
                }
                "permission-key-file" | "blob-signing-key-file" => {
                    key_file = Some(PathBuf::from(text)).filter(|path| path != Path::new(""));
                }
                "permission-ttl" | "blob-signature-ttl" => ttl_seconds = number(name, &text)?,
                "enforce-permissions" => config.enforce = go_flags::parse_bool(name, &text)?,
                "data-manager-token-file" => {
                    let token = fs_err::read_to_string(&text).context("data manager token")?;
                    config.data_manager_token = Some(token.trim().to_owned());
                }
                "never-delete" if !go_flags::parse_bool(name, &text)? => {
                    log::line("keepstore: -never-delete=false has no effect: blocks are kept");
                }
                "max-buffers" => config.max_buffers = number::<u16>(name, &text)?.into(),
                _ => {}
            }
        }
        config.signer = match key {
            Some(key) => Some(Signer::new(key, ttl_seconds, config.era)),
            None => optional_signer(key_file.as_deref(), ttl_seconds, config.era)?,
        };
        config.check()?;
        Ok(config)
    }

    /// Takes what the cluster's configuration says; the signing key is for the caller.
    fn take_file(&mut self, path: &Path) -> anyhow::Result<Option<String>> {
        let file = cluster_config::read(path)?;
        self.listen = file.listen;
        for root in file.volumes {
            let root = root.to_str().context("the path of a volume is not text")?;
            self.volumes.push(volume(root, false, false)?);
        }
        self.enforce = file.enforce;
        self.data_manager_token = file.data_manager_token;
        Ok(file.blob_signing_key)
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

fn volume(path: &str, serialize: bool, read_only: bool) -> anyhow::Result<Volume> {
    let root = PathBuf::from(path);
    anyhow::ensure!(root.is_absolute(), "-volume={path}: the path must be absolute");
    let directory = fs_err::metadata(&root).is_ok_and(|found| found.is_dir());
    anyhow::ensure!(directory, "-volume={path}: there is no such directory");
    Ok(Volume::new(root, serialize, read_only))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> anyhow::Result<T> {
    let number = text.parse().ok();
    number.with_context(|| format!("invalid value {text:?} for flag -{name}: it is a number"))
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
        assert!(complaint(&["-volume=/", "-max-buffers=x"]).contains("it is a number"));
    }
}
