//! What is put into a Rails application before it is started.

use std::path::Path;

use crate::stack::StackFolder;

/// Of the server's process, relative to the application, where all who start one agree to look.
pub(super) const PID: &str = "tmp/pids/test-server.pid";

/// Certificate, with its authority, and private key, where clients of the server look for them.
pub(super) const CERTIFICATE: &str = "tmp/self-signed.pem";
pub(super) const KEY: &str = "tmp/self-signed.key";

/// The folders that it expects.
const FOLDERS: [&str; 4] = ["log", "tmp/api", "tmp/logs", "tmp/pids"];

/// Makes the folders, copies the stack's certificate, and unpacks the git repositories.
///
/// # Errors
/// When the application cannot be written to.
pub(super) fn prepare(folder: &StackFolder, application: &Path) -> anyhow::Result<()> {
    for name in FOLDERS {
        fs_err::create_dir_all(application.join(name))?;
    }
    let files = [(folder.certificate(), CERTIFICATE), (folder.private_key(), KEY)];
    for (from, to) in files {
        let to = application.join(to);
        // Put in place as a whole, with the permissions that it has.
        let copy = tempfile::NamedTempFile::new_in(application.join("tmp"))?;
        fs_err::copy(from, copy.path())?;
        copy.persist(&to)?;
    }
    super::repositories::install(application)
}
