//! The kernel's table of processes, as far as we may see it. Linux: /proc.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::identity::Identity;
use super::marker::MARKER_VARIABLE;

/// In what Linux tells programs of times, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// Enough for most of what the kernel makes up.
const ONE_PIECE: usize = 4096;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    pub(crate) start_time: u64,
    /// How long it has been on a processor, with those of its children that it has waited for.
    pub(crate) worked: Duration,
    state: u8,
    threads: u32,
}

/// A file's identity: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of the file at `path`, or of what an open descriptor refers to.
    pub(crate) fn of(path: impl AsRef<Path>) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// The processes that now run, dead ones left out.
///
/// One that ends while we look is left out too: it is not there any more.
pub(crate) fn read() -> Vec<Entry> {
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Entry::read)
        .filter(|entry| !entry.is_dead())
        .collect()
}

impl Entry {
    /// The line of `pid`; `None` if there is no such process.
    pub(crate) fn read(pid: i32) -> Option<Self> {
        Self::parse(&read_made_up(&format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &[u8]) -> Option<Self> {
        // The program's name stands in brackets, and may hold brackets, spaces and what is no text.
        let stat = String::from_utf8_lossy(stat);
        let (before, rest) = stat.rsplit_once(')')?;
        let (pid, _name) = before.split_once(' ')?;
        let fields: Vec<&str> = rest.strip_prefix(' ')?.split(' ').take(20).collect();
        let number = |index: usize| fields.get(index)?.parse().ok();
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>());
        let ticks: u64 = ticks.sum::<Result<_, _>>().ok()?;
        Some(Self {
            pid: pid.parse().ok()?,
            state: *fields.first()?.as_bytes().first()?,
            parent: number(1)?,
            session: number(3)?,
            threads: fields.get(17)?.parse().ok()?,
            start_time: fields.get(19)?.parse().ok()?,
            worked: TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)),
        })
    }

    /// Whether it ended and only waits for its parent to notice.
    ///
    /// The first thread is a zombie as soon as it ends itself; as long as there are others, the
    /// process still has its files and ports.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X') && self.threads <= 1
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { pid: self.pid, start_time: self.start_time }
    }

    /// The marker in its environment, if it has one and is ours to read.
    pub(crate) fn marker(&self) -> Option<String> {
        variable(self.pid, MARKER_VARIABLE)
    }

    /// Which of `files` it has open and locked, or has inherited so.
    ///
    /// Only to have it open is no sign: whoever searches or copies the folder has that for a while.
    pub(crate) fn locked_files(&self, files: &[FileId]) -> Vec<FileId> {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{}/fd", self.pid)) else {
            return Vec::new();
        };
        let paths = folder.filter_map(|entry| Some(entry.ok()?.path()));
        paths
            .filter_map(|path| {
                let file = FileId::of(&path).filter(|file| files.contains(file))?;
                self.has_locked(&path).then_some(file)
            })
            .collect()
    }

    /// Whether the file is locked that it has open under that descriptor: `/proc/PID/fd/NUMBER`.
    pub(crate) fn has_locked(&self, descriptor: &Path) -> bool {
        let Some(number) = descriptor.file_name() else { return false };
        let info = Path::new("/proc").join(self.pid.to_string()).join("fdinfo").join(number);
        std::fs::read_to_string(info).is_ok_and(|info| info.contains("\nlock:"))
    }

    /// What it has open: the path of each descriptor, the name of its file, and whether that has
    /// been deleted.
    pub(crate) fn open_paths(&self) -> Vec<(PathBuf, PathBuf, bool)> {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{}/fd", self.pid)) else {
            return Vec::new();
        };
        let descriptors = folder.filter_map(|entry| Some(entry.ok()?.path()));
        let named = descriptors.filter_map(|path| {
            let name = std::fs::read_link(&path).ok()?;
            Some(match without_deleted(&name) {
                Some(deleted) => (path, deleted, true),
                None => (path, name, false),
            })
        });
        named.collect()
    }

    /// The id of the user that it runs as.
    pub(crate) fn user(&self) -> Option<u32> {
        Some(std::fs::metadata(format!("/proc/{}", self.pid)).ok()?.uid())
    }

    /// Whether a path means the same to it as to us.
    pub(crate) fn shares_our_files(&self) -> bool {
        let root = FileId::of(format!("/proc/{}/root/", self.pid));
        root.is_some() && root == FileId::of("/")
    }

    /// The folder it works in, also if that has been deleted.
    pub(crate) fn working_folder(&self) -> Option<PathBuf> {
        let folder = std::fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()?;
        Some(match without_deleted(&folder) {
            Some(deleted) => deleted,
            None => folder,
        })
    }
}

/// The name of the program that `pid` runs, as the kernel has it: its first 15 bytes.
pub(crate) fn name(pid: i32) -> Option<String> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end().to_owned())
}

/// A variable in the environment that a process was started with, if that is ours to read.
pub(crate) fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = read_made_up(&format!("/proc/{pid}/environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment);
    let value = environment
        .split('\0')
        .find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))?;
    // What is no text is none of ours.
    (!value.contains(char::REPLACEMENT_CHARACTER)).then(|| value.to_owned())
}

/// A file that the kernel makes up when it is read: it tells no size, and std would read it in many
/// small pieces.
fn read_made_up(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(ONE_PIECE);
    File::open(path)?.take(u64::MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Where a file was that has been deleted, from how the kernel names it then.
fn without_deleted(path: &Path) -> Option<PathBuf> {
    Some(path.to_str()?.strip_suffix(" (deleted)")?.into())
}

/// Those of `processes` that have a listening TCP socket on `port`.
pub(crate) fn listeners(processes: &[Identity], port: u16) -> Vec<Identity> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|file| listening(file, port))
        .collect();
    let owns = |process: &&Identity| {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{}/fd", process.pid)) else {
            return false;
        };
        folder
            .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
            .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
    };
    match sockets.is_empty() {
        true => Vec::new(),
        false => processes.iter().filter(owns).copied().collect(),
    }
}

/// The sockets that listen on `port`, as they are named in /proc/PID/fd.
fn listening(file: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let same = u16::from_str_radix(local_port, 16).ok()? == port;
            (same && *fields.get(3)? == LISTEN)
                .then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_and_spaces_is_read_over() {
        let stat = b"42 (a) b\xff (c)) S 7 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987 1 2";
        let entry = Entry::parse(stat).unwrap();
        assert_eq!((entry.pid, entry.parent, entry.session, entry.start_time), (42, 7, 41, 987));
        assert_eq!(entry.worked, Duration::from_millis(10 * (5 + 6 + 7 + 8)));
        assert!(!entry.is_dead());
    }

    #[test]
    fn a_process_is_dead_when_its_last_thread_is() {
        let zombie =
            |threads| format!("42 (a) Z 7 42 41 0 -1 4 1 2 3 4 5 6 7 8 20 0 {threads} 0 9");
        let is_dead = |threads| Entry::parse(zombie(threads).as_bytes()).unwrap().is_dead();
        assert!(is_dead(1));
        assert!(!is_dead(2));
    }

    #[test]
    fn a_truncated_line_is_no_process() {
        assert_eq!(Entry::parse(b"42 (a) S 7"), None);
        assert_eq!(Entry::parse(b""), None);
    }

    #[test]
    fn our_own_process_is_in_the_table_with_the_files_that_it_has_locked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let id = FileId::of(file.path()).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let entry = read().into_iter().find(|entry| entry.pid == own).unwrap();
        assert_eq!(entry.locked_files(&[id]), [], "it is only open");
        file.as_file().lock().unwrap();
        assert_eq!(entry.locked_files(&[id]), [id]);
    }

    #[test]
    fn a_variable_is_read_as_a_whole_and_only_if_it_is_text() {
        use std::io::Write as _;
        use std::os::unix::ffi::OsStrExt as _;
        use std::process::{Command, Stdio};

        let long = "a value ".repeat(ONE_PIECE);
        let mut child = Command::new("cat");
        child.env("LONG", &long).env("ODD", std::ffi::OsStr::from_bytes(b"\xff"));
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Before it runs, the kernel may not yet tell its environment.
        child.stdin.as_mut().unwrap().write_all(b".").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let read = ["LONG", "ODD", "LON", "NONE"].map(|name| variable(pid, name));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(read, [Some(long), None, None, None]);
    }

    #[test]
    fn a_listening_port_has_an_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = Identity::own().unwrap();
        let init = Identity { pid: 1, start_time: 0 };
        assert_eq!(listeners(&[init, own], port), [own]);
    }
}
