//! How a process loses what tells that it belongs to a service.

use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::RawFd;

use nix::sys::signal::{SigHandler, Signal, signal};

/// Whether `word` is among the words of `text`.
pub(crate) fn has(text: &str, word: &str) -> bool {
    text.split(',').any(|known| known == word)
}

/// Loses what `words` name: `session`, `folder` (it works in `/` then), `memory` (its environment
/// is overwritten), `stubborn` (it ignores SIGTERM), and at last `descriptors` (all are closed).
/// Its environment and its parent it has lost before, when it was started.
pub(crate) fn everything(words: &str) -> io::Result<()> {
    if has(words, "session") {
        nix::unistd::setsid()?;
    }
    if has(words, "folder") {
        std::env::set_current_dir("/")?;
    }
    if has(words, "memory") {
        overwrite_environment()?;
    }
    if has(words, "stubborn") {
        // SAFETY: ignoring a signal installs no handler that could run anything.
        unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }?;
    }
    println!("escaped {}", std::process::id());
    if has(words, "descriptors") {
        close_descriptors()?;
    }
    Ok(())
}

/// As programs do that show what they are at in the table of processes.
fn overwrite_environment() -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let (Some(start), Some(end)) = (number(47), number(48)) else {
        return Err(io::Error::other("the kernel does not tell where the environment is"));
    };
    let mut memory = std::fs::OpenOptions::new().write(true).open("/proc/self/mem")?;
    memory.seek(SeekFrom::Start(start))?;
    io::copy(&mut io::Read::take(io::repeat(0), end - start), &mut memory)?;
    memory.flush()
}

fn close_descriptors() -> io::Result<()> {
    let numbers = std::fs::read_dir("/proc/self/fd")?;
    let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<RawFd> = numbers.collect();
    for number in numbers {
        // The one by which the folder was read is closed already.
        let _closed = nix::unistd::close(number);
    }
    Ok(())
}
