//! What we say: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write, stdout};
use std::sync::OnceLock;

use indicatif::MultiProgress;

use crate::process::poll;

/// Progress, notes and errors, on standard error; a reader that is gone is no reason to fail.
pub(crate) fn say(text: &str) {
    // In one piece: several commands may write to the same terminal.
    let write = || std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
    let _ = match BARS.get() {
        Some(bars) => bars.suspend(write),
        None => write(),
    };
}

/// What is drawn at the bottom of the terminal, below what is said.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// From now on what is said stands above these bars.
pub(crate) fn share_screen(bars: MultiProgress) {
    let _other_bars = BARS.set(bars);
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
    is_drawn_on(&stdout())
}

/// Whether words on standard output may have a colour.
pub(crate) fn is_coloured() -> bool {
    may_be_coloured(&stdout())
}

/// Whether that stream is a terminal that can be drawn on.
pub(crate) fn is_drawn_on(stream: &impl IsTerminal) -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    stream.is_terminal() && !is_dumb
}

/// Whether words on that stream may have a colour.
pub(crate) fn may_be_coloured(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_drawn_on(stream) && !refused
}

/// Whether there is still somebody behind standard output: for who has nothing to print yet.
pub(crate) fn has_reader() -> bool {
    !poll::is_hung_up(&stdout())
}
