//! Noticing that something in a folder has changed. Linux: inotify; elsewhere, and where the
//! machine has no more of that, a tick now and then.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
#[cfg(target_os = "linux")]
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// How often one looks who is not told.
const TICK: Duration = Duration::from_millis(200);

/// Becomes readable when a file in one of the folders may have changed.
#[derive(Debug)]
pub(super) enum Watch {
    #[cfg(target_os = "linux")]
    Events(Inotify),
    Ticks(PipeReader),
}

impl Watch {
    /// Of what is directly in these folders.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub(super) fn on(folders: &[&Path]) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        match events(folders) {
            // A user may only have so many.
            Err(Errno::EMFILE | Errno::ENOSPC | Errno::ENOSYS) => {}
            watch => return Ok(Self::Events(watch?)),
        }
        let _ = folders;
        ticks().map(Self::Ticks)
    }

    /// Forgets what was noticed so far: what is looked at from now on is newer than that.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Events(inotify) => loop {
                match inotify.read_events() {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(Errno::EAGAIN) => return Ok(()),
                    Err(errno) => return Err(errno.into()),
                }
            },
            Self::Ticks(reader) => match reader.read(&mut [0; 64]) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(()),
            },
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Events(inotify) => inotify.as_fd(),
            Self::Ticks(reader) => reader.as_fd(),
        }
    }
}

#[cfg(target_os = "linux")]
fn events(folders: &[&Path]) -> nix::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let changes = AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF;
    for folder in folders {
        match inotify.add_watch(*folder, changes) {
            // Whoever looks will notice that it is gone.
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(inotify)
}

/// Ends with its reader.
fn ticks() -> io::Result<PipeReader> {
    let (reader, mut writer) = io::pipe()?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    std::thread::Builder::new().name("ticks".into()).spawn(move || {
        while writer.write_all(&[0]).is_ok() {
            std::thread::sleep(TICK);
        }
    })?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::poll::until_readable;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_change_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::Events(events(&[folder.path()]).unwrap());
        let is_readable = |watch: &Watch| {
            let now = std::time::Instant::now();
            !until_readable(&[watch], Some(now)).unwrap().is_empty()
        };
        assert!(!is_readable(&watch));
        fs_err::write(folder.path().join("a.log"), "x").unwrap();
        assert!(is_readable(&watch));
        watch.clear().unwrap();
        assert!(!is_readable(&watch));
        fs_err::remove_dir_all(folder.path()).unwrap();
        assert!(is_readable(&watch));
        watch.clear().unwrap();
        // A folder that is gone already is no failure either.
        Watch::on(&[folder.path()]).unwrap().clear().unwrap();
        fs_err::create_dir(folder.path()).unwrap();
    }

    #[test]
    fn ticks_come_again_and_again_and_are_never_waited_for() {
        let mut watch = Watch::Ticks(ticks().unwrap());
        for _ in 0..2 {
            assert_eq!(until_readable(&[&watch], None).unwrap(), [0]);
            watch.clear().unwrap();
            watch.clear().unwrap();
        }
    }
}
