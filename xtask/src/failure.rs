//! How a command fails, and the exit code that says so.
//!
//! Errors travel as [`anyhow::Error`]. The types here are put inside where a failure is of a kind
//! of its own; whatever else goes wrong means that the services could not be brought up or down.

use std::process::ExitCode;

use nix::sys::signal::Signal;

/// Wrong usage or configuration: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// A suite or a check failed, and has been reported: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CheckFailed(pub(crate) String);

/// A signal asked us to end: exit code 128 and its number.
#[derive(Debug, thiserror::Error)]
#[error("interrupted by signal {0}")]
pub(crate) struct Interrupted(pub(crate) i32);

/// Nothing is left to say but this exit code: that of a command which we ran for somebody, or of
/// the signal that ended what goes on until one comes.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// As a shell tells that a signal has ended something.
    pub(crate) fn by_signal(signal: Signal) -> Self {
        Self(u8::try_from(128 + signal as i32).unwrap_or(u8::MAX))
    }
}

/// What to do about `error`, where that does not depend on what was being done.
pub(crate) fn advice(error: &anyhow::Error) -> &'static str {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    let mut numbers = causes.filter_map(std::io::Error::raw_os_error);
    match numbers.any(|number| number == nix::libc::EMFILE) {
        true => ". There are too few file descriptors: raise the limit with `ulimit -n`",
        false => "",
    }
}

/// The documented exit code of `error`.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Usage>() {
        ExitCode::from(2)
    } else if error.is::<CheckFailed>() {
        ExitCode::from(1)
    } else if let Some(Exit(code)) = error.downcast_ref() {
        ExitCode::from(*code)
    } else if let Some(Interrupted(signal)) = error.downcast_ref() {
        ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
    } else {
        ExitCode::from(3)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn context_does_not_hide_the_kind_of_failure() {
        let usage = anyhow::Error::new(Usage("no such service".into())).context("services.yml");
        assert_eq!(exit_code(&usage), ExitCode::from(2));
        let check: anyhow::Result<()> = Err(CheckFailed("1 failed".into()).into());
        assert_eq!(exit_code(&check.context("suites").unwrap_err()), ExitCode::from(1));
        assert_eq!(exit_code(&Exit(42).into()), ExitCode::from(42));
        assert_eq!(exit_code(&Interrupted(2).into()), ExitCode::from(130));
        assert_eq!(exit_code(&Interrupted(15).into()), ExitCode::from(143));
        assert_eq!(exit_code(&anyhow::anyhow!("port in use")), ExitCode::from(3));
    }
}
