//! What lies where in a stack's folder, `.services/NAME/`.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::StackName;
use crate::workspace::Workspace;

/// The folder of one stack, whether it exists or not.
#[derive(Clone, Debug)]
pub(crate) struct StackFolder {
    name: StackName,
    path: PathBuf,
}

impl StackFolder {
    /// The folder of stack `name` in this checkout.
    pub(crate) fn new(workspace: &Workspace, name: StackName) -> Self {
        let path = workspace.stacks().join(name.as_ref());
        Self { name, path }
    }

    /// The stack that has this folder, if a stack can have it.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.parse().ok()?;
        Some(Self { name, path: path.to_owned() })
    }

    /// The folders of all stacks that were ever started in this checkout, by name.
    ///
    /// # Errors
    /// When the folder above cannot be read; that there is none is no error.
    pub(crate) fn all(workspace: &Workspace) -> anyhow::Result<Vec<Self>> {
        let is_none = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        let entries = match fs_err::read_dir(workspace.stacks()) {
            Err(error) if is_none(error.kind()) => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let (Some(name), true) = (name, entry.path().is_dir()) {
                folders.push(Self::new(workspace, name));
            }
        }
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folders)
    }

    /// Makes the folder, for our eyes only: it will hold a private key.
    ///
    /// # Errors
    /// Says what to do when it cannot be made.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        for folder in [&self.path, &self.logs()] {
            builder.create(folder).with_context(|| {
                let folder = folder.display();
                format!("cannot create {folder}: make the folder above it writable for you")
            })?;
        }
        Ok(())
    }

    /// Removes everything that a stack which is down leaves behind: all but its logs, the lock
    /// that others may be waiting for, and the state.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        for (path, is_folder) in self.more_than_logs()? {
            if is_folder {
                fs_err::remove_dir_all(path)?;
            } else if path != self.state() {
                fs_err::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// When one cannot be removed.
    pub(crate) fn remove_logs(&self) -> anyhow::Result<()> {
        remove_folder(&self.logs())
    }

    /// Whether there is anything that a stack which is down does not have.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn has_more_than_logs(&self) -> anyhow::Result<bool> {
        Ok(!self.more_than_logs()?.is_empty())
    }

    /// All but the logs and the lock, each with whether it is a folder.
    fn more_than_logs(&self) -> anyhow::Result<Vec<(PathBuf, bool)>> {
        let entries = match fs_err::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if path != self.logs() && path != self.stack_lock() {
                found.push((path, entry.file_type()?.is_dir()));
            }
        }
        Ok(found)
    }

    /// Removes it with all that is in it: the stack is down, and was nobody's but its owner's.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        remove_folder(&self.path)
    }

    /// Whether a command has made it and not come to use it.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn is_unused(&self) -> anyhow::Result<bool> {
        Ok(!self.has_logs() && self.more_than_logs()?.iter().all(|(path, _)| is_unfinished(path)))
    }

    /// Removes it if it is still unused: a command that comes to use it meanwhile keeps it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) fn remove_unused(&self) -> anyhow::Result<()> {
        let fine = [io::ErrorKind::NotFound, io::ErrorKind::DirectoryNotEmpty];
        let unfinished = self.more_than_logs()?.into_iter().map(|(path, _)| path);
        let unfinished = unfinished.filter(|path| is_unfinished(path)).map(fs_err::remove_file);
        for removed in unfinished.collect::<Vec<_>>().into_iter().chain([
            fs_err::remove_dir(self.logs()),
            fs_err::remove_file(self.stack_lock()),
            fs_err::remove_dir(&self.path),
        ]) {
            match removed {
                Err(error) if !fine.contains(&error.kind()) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The stack's name.
    pub(crate) fn name(&self) -> &StackName {
        &self.name
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the services' logs are.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Whether any service has logged anything, or could have.
    pub(crate) fn has_logs(&self) -> bool {
        std::fs::read_dir(self.logs()).is_ok_and(|mut logs| logs.next().is_some())
    }

    /// Standard output and error of a service.
    pub(crate) fn log(&self, service: &str) -> PathBuf {
        self.logs().join(format!("{service}.log"))
    }

    /// Held by the command that now works on the stack.
    pub(crate) fn stack_lock(&self) -> PathBuf {
        self.path.join("stack.lock")
    }

    /// What the stack is, for later commands.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join("stack.json")
    }

    /// Held by the processes of a service.
    pub(crate) fn service_lock(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.lock"))
    }

    /// The pid of a service, one line, for scripts.
    pub(crate) fn pid_file(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.pid"))
    }

    /// A port number, one line, for scripts.
    pub(crate) fn port_file(&self, port: &str) -> PathBuf {
        self.path.join(format!("{port}.port"))
    }

    /// The certificate that all services present, with the chain to its authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path.join("tls/server.pem")
    }

    /// The private key of [`Self::certificate`].
    pub(crate) fn private_key(&self) -> PathBuf {
        self.path.join("tls/server.key")
    }

    /// The authority that a client has to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.path.join("tls/ca.pem")
    }

    /// The key by which locators are signed.
    pub(crate) fn blob_signing_key(&self) -> PathBuf {
        self.path.join("keep.blob_signing_key")
    }

    /// The token of this fixture, for keepstores.
    pub(crate) fn keep_token(&self, label: &str) -> PathBuf {
        self.path.join(format!("keep.{label}_token"))
    }

    /// The rows of the API server.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("api/database.sqlite")
    }

    /// The blocks of a keepstore.
    pub(crate) fn volume(&self, keepstore: &str) -> PathBuf {
        self.path.join(keepstore)
    }

    /// What a service of another kind keeps.
    pub(crate) fn data(&self, service: &str) -> PathBuf {
        self.path.join("data").join(service)
    }

    /// The configuration of nginx, where that is the TLS front.
    pub(crate) fn nginx_conf(&self) -> PathBuf {
        self.path.join("nginx.conf")
    }

    /// The git repositories.
    pub(crate) fn repositories(&self) -> PathBuf {
        self.path.join("git")
    }

    /// Requests through the TLS front.
    pub(crate) fn access_log(&self) -> PathBuf {
        self.logs().join("nginx_access.log")
    }
}

/// Whether somebody was killed before this was the state.
fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".tmp"))
}

/// How often somebody may put something into a folder while it is removed.
const ATTEMPTS: usize = 100;

/// That it is not there any more is no error; nor is a command that wants its lock just now.
fn remove_folder(path: &Path) -> anyhow::Result<()> {
    for attempt in 1.. {
        match fs_err::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty && attempt < ATTEMPTS => {}
            removed => return Ok(removed?),
        }
    }
    Ok(())
}
