//! What we say: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write, stdout};

use crate::process::poll;

/// Progress, notes and errors, on standard error; a reader that is gone is no reason to fail.
pub(crate) fn say(text: &str) {
    // In one piece: several commands may write to the same terminal.
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// The result of a command, on standard output. A reader that has gone away, as `head` does, has
/// seen what it wanted.
///
/// # Errors
/// When standard output cannot be written to, as on a full disk.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether standard output is a terminal that can be drawn on.
pub(crate) fn is_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    stdout().is_terminal() && !is_dumb
}

/// Whether words on standard output may have a colour.
pub(crate) fn is_coloured() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_terminal() && !refused
}

/// Whether there is still somebody behind standard output: for who has nothing to print yet.
pub(crate) fn has_reader() -> bool {
    !poll::is_hung_up(&stdout())
}
