//! Why there is no cluster, or why it does not do what it was asked for.

use std::path::PathBuf;
use std::process::ExitStatus;

/// What can go wrong with a cluster for test code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The programs of the checkout could not be built.
    #[error(transparent)]
    Build(#[from] crate::Error),

    /// The command line could not be started.
    #[error("cannot start {}: {error}", program.display())]
    Start {
        /// The `xtask` program.
        program: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },

    /// A command failed, and says why and what can be done.
    #[error("`{command}` ended with {status}:\n{said}")]
    Command {
        /// As somebody would type it in the checkout.
        command: String,
        /// The README tells what its codes mean.
        status: ExitStatus,
        /// All that it wrote to standard error.
        said: String,
    },

    /// What we were given is not what it should be.
    #[error("{what} cannot be read: {content:?}; is the checkout of one version?")]
    Unreadable {
        /// The file or output.
        what: String,
        /// All of it.
        content: String,
    },

    /// A file or folder could not be read or made; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
