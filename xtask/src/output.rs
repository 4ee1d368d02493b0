//! What we say: results on standard output, everything else on standard error.

use std::io::Write;

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
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
