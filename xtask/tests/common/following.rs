//! A command that is looked at while it goes on, on a terminal or on a pipe.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Done, spawn};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Dropped, it is ended.
pub(crate) struct Following {
    child: Child,
    chunks: Receiver<Vec<u8>>,
    output: Vec<u8>,
}

impl Following {
    /// Standard output is a pipe, and so is standard error.
    pub(crate) fn on_pipe(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        let output = child.stdout.take().unwrap();
        Self::new(child, output)
    }

    /// Standard output and standard error are one terminal.
    pub(crate) fn on_terminal(mut command: Command) -> Self {
        let terminal = nix::pty::openpty(None, None).unwrap();
        command.stdout(terminal.slave.try_clone().unwrap()).stderr(terminal.slave);
        let child = spawn(&mut command);
        // The terminal is at its end when the last that writes to it has ended: not we.
        drop(command);
        Self::new(child, File::from(terminal.master))
    }

    fn new(child: Child, mut output: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody has open any more is an error to read from.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, chunks, output: Vec::new() }
    }

    /// Waits until what it has printed so far is as wanted, and returns that.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let text = String::from_utf8_lossy(&self.output).into_owned();
            if wanted(&text) {
                return text;
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.output.extend(chunk),
                Err(error) => panic!("{error}: {text}"),
            }
        }
    }

    /// The same for a line of standard error, if that is a pipe.
    #[track_caller]
    pub(crate) fn until_error(&mut self, wanted: impl Fn(&str) -> bool) {
        let pipe = self.child.stderr.as_mut().unwrap();
        loop {
            let mut line = Vec::new();
            // A byte at a time: what comes after the line is left for the end.
            while !line.ends_with(b"\n") {
                let mut byte = [0];
                pipe.read_exact(&mut byte).unwrap();
                line.push(byte[0]);
            }
            if wanted(&String::from_utf8_lossy(&line)) {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn end(mut self) -> Done {
        loop {
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.output.extend(chunk),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&self.output)),
            }
        }
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).unwrap();
        }
        let code = self.child.wait().unwrap().code();
        Done { code, stdout: String::from_utf8_lossy(&self.output).into_owned(), stderr }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // That it has ended already is what we hope for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
