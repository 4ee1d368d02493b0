//! Where the script has its files, for those who look for them there.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use md5::{Digest, Md5};

use crate::cli::RunTestServer;
use crate::failure::Usage;
use crate::settings::API_SERVER;
use crate::stack::StackName;
use crate::workspace::Workspace;

/// The folders in which files are written for callers.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Of pid and port files.
    temporary: PathBuf,
    /// The API server's folder in a checkout of Arvados.
    api: Option<PathBuf>,
}

impl Place {
    /// `tmp` in the checkout of Arvados, as the script has it, or else in this one, unless another
    /// folder is named. It is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new(workspace: &Workspace, arguments: &RunTestServer) -> anyhow::Result<Self> {
        let checkout = arguments.overrides.arvados_src.as_deref();
        let checkout = checkout.map(fs_err::canonicalize).transpose();
        let checkout = checkout.map_err(|error| Usage(format!("--arvados-src: {error}")))?;
        let temporary = arguments
            .tmpdir
            .clone()
            .unwrap_or_else(|| checkout.as_deref().unwrap_or(workspace.root()).join("tmp"));
        fs_err::create_dir_all(&temporary)?;
        let api = checkout.map(|checkout| checkout.join(API_SERVER));
        Ok(Self { temporary: fs_err::canonicalize(temporary)?, api })
    }

    /// The stack of this folder, whatever it is called in a command.
    ///
    /// # Errors
    /// Never: digits make a name.
    pub(super) fn stack(&self) -> Result<StackName, Usage> {
        let digest = Md5::digest(self.temporary.as_os_str().as_encoded_bytes());
        let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("run-test-server-{digits}").parse()
    }

    /// The pid of a service, without a line end.
    pub(super) fn pid_files(&self, service: &str) -> Vec<PathBuf> {
        let of_api = self.api.iter().filter(|_| service == "api");
        let of_api = of_api.map(|api| api.join("tmp/pids/test-server.pid"));
        // The script of today has that of the API server here too.
        of_api.chain([self.temporary.join(format!("{service}.pid"))]).collect()
    }

    /// The number of a port, without a line end.
    pub(super) fn port_file(&self, port: &str) -> PathBuf {
        self.temporary.join(format!("{port}.port"))
    }

    /// The path of a keepstore's volume.
    pub(super) fn volume_file(&self, keepstore: &str) -> PathBuf {
        self.temporary.join(format!("{keepstore}.volume"))
    }

    /// The key of keepstores that have one.
    pub(super) fn signing_key(&self) -> PathBuf {
        self.temporary.join("keep.blob_signing_key")
    }

    /// What nginx is configured with.
    pub(super) fn nginx_conf(&self) -> PathBuf {
        self.temporary.join("nginx.conf")
    }

    /// Certificate, with its authority, and private key of the API server.
    pub(super) fn certificate(&self) -> Option<[PathBuf; 2]> {
        let temporary = self.api.as_ref()?.join("tmp");
        Some(["self-signed.pem", "self-signed.key"].map(|name| temporary.join(name)))
    }

    /// The archive of git repositories, and the folder that it is unpacked in.
    pub(super) fn git(&self) -> Option<[PathBuf; 2]> {
        let api = self.api.as_ref()?;
        Some([api.join("test/test.git.tar"), api.join("tmp/git")])
    }

    /// The git repositories, if they have been unpacked.
    pub(super) fn repositories(&self) -> Option<PathBuf> {
        let [_, folder] = self.git()?;
        Some(folder.join("test")).filter(|folder| folder.is_dir())
    }
}

/// Writes a file that callers read, whole or not at all, in a folder that is made for it.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = path.parent().context("a file lies in a folder")?;
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
        .tempfile_in(folder)
        .with_context(cannot)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

/// Removes files that callers read; that one is not there is fine.
///
/// # Errors
/// When one cannot be removed.
pub(super) fn remove(paths: impl IntoIterator<Item = PathBuf>) -> anyhow::Result<()> {
    for path in paths {
        match fs_err::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
