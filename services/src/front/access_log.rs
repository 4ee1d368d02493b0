//! The access log. Lines for a file are written at once, as nginx does; those for anything else are
//! handed to a thread, so that a pipe that nobody reads never delays a request.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::Context;
use fs_err::{File, OpenOptions};
use jiff::Timestamp;

use super::combined::Entry;
use crate::log;

/// How many lines may wait to be written; more are lost.
const MAX_WAITING: usize = 4096;

/// How long the end may be held up by lines that are not written yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(super) enum Message {
    /// A line to be written.
    Line(String),
    /// Nothing more will come: drop this when all before it is written.
    End(SyncSender<()>),
}

/// The log, for whoever opened it.
pub(super) struct AccessLog {
    sender: Sender,
}

/// The log, for whoever writes to it.
#[derive(Clone)]
pub(super) enum Sender {
    /// To a file.
    File(Arc<File>),
    /// To a thread, for what may not take a line at once.
    Thread(SyncSender<Message>),
}

impl AccessLog {
    /// Opens `path` to append to it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        // A named pipe that is opened for reading too does not wait for its reader.
        let mut options = OpenOptions::new();
        let file = options.create(true).read(true).append(true).open(path);
        let file = file.context("-access-log")?;
        if file.metadata().context("-access-log")?.is_file() {
            return Ok(Self { sender: Sender::File(Arc::new(file)) });
        }
        let (sender, receiver) = sync_channel(MAX_WAITING);
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_lines(&file, &receiver))?;
        Ok(Self { sender: Sender::Thread(sender) })
    }

    /// A way to write to the log.
    pub(super) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Waits until all lines so far are written, though not for long.
    pub(super) fn finish(self) {
        let Sender::Thread(sender) = self.sender else { return };
        let (written, end) = sync_channel(0);
        if sender.try_send(Message::End(written)).is_ok() {
            // Answered or not, it is the end.
            let _ = end.recv_timeout(PATIENCE);
        }
    }
}

impl Sender {
    /// Writes the line of a request that ends now.
    pub(super) fn write(&self, entry: &Entry) {
        let line = entry.line(Timestamp::now());
        match self {
            Self::File(file) => write_all(file, &line),
            Self::Thread(thread) => {
                if let Err(TrySendError::Full(_)) = thread.try_send(Message::Line(line)) {
                    log::line("front: the access log is not written fast enough: a line is lost");
                }
            }
        }
    }
}

/// Writes `lines` with one call.
fn write_all(mut file: &File, lines: &str) {
    if let Err(error) = file.write_all(lines.as_bytes()) {
        log::line(format_args!("front: lines of the access log are lost: {error}"));
    }
}

fn write_lines(file: &File, receiver: &Receiver<Message>) {
    let mut lines = String::new();
    let mut ended = None;
    while ended.is_none()
        && let Ok(first) = receiver.recv()
    {
        // With one call all that there is by now, so that many requests cost no more than few.
        for message in std::iter::once(first).chain(receiver.try_iter().take(MAX_WAITING)) {
            match message {
                Message::Line(line) => lines.push_str(&line),
                Message::End(written) => ended = Some(written),
            }
        }
        write_all(file, &lines);
        lines.clear();
    }
}
