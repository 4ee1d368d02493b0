//! Waiting for one of several descriptors, until a moment in time.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};

/// Waits until one of `descriptors` is readable or at its end, and tells which are; none when
/// `deadline` has passed. Without a deadline it waits for ever.
///
/// # Errors
/// When the kernel cannot poll.
pub(crate) fn until_readable(
    descriptors: &[&dyn AsFd],
    deadline: Option<Instant>,
) -> io::Result<Vec<usize>> {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|object| PollFd::new(object.as_fd(), PollFlags::POLLIN)).collect();
    until_ready(&mut polled, deadline)
}

/// The same for whatever is asked of each descriptor; that its other end is gone is told unasked.
///
/// # Errors
/// When the kernel cannot poll.
pub(crate) fn until_ready(
    polled: &mut [PollFd<'_>],
    deadline: Option<Instant>,
) -> io::Result<Vec<usize>> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Rounded up: a poll that returns too early would only be made again.
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            let milliseconds = left.as_micros().div_ceil(1000);
            i32::try_from(milliseconds)
                .ok()
                .and_then(|milliseconds| PollTimeout::try_from(milliseconds).ok())
                .unwrap_or(PollTimeout::MAX)
        });
        match nix::poll::poll(polled, timeout) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(0) if left.is_none_or(|left| !left.is_zero()) => {}
            Ok(_) => {
                let ready = polled.iter().enumerate();
                let ready = ready.filter(|(_, fd)| fd.any().unwrap_or(true));
                return Ok(ready.map(|(index, _)| index).collect());
            }
        }
    }
}

/// Whether nobody can be at the other end of `descriptor` any more, as of a pipe that is not read.
pub(crate) fn is_hung_up(descriptor: &dyn AsFd) -> bool {
    // What is asked for here is told unasked.
    let mut polled = [PollFd::new(descriptor.as_fd(), PollFlags::empty())];
    nix::poll::poll(&mut polled, PollTimeout::ZERO).is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_closed_pipe_is_readable_and_a_silent_one_meets_the_deadline() {
        let (silent, _writer) = io::pipe().unwrap();
        let (closed, writer) = io::pipe().unwrap();
        drop(writer);
        assert_eq!(until_readable(&[&silent, &closed], None).unwrap(), [1]);
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(until_readable(&[&silent], Some(soon)).unwrap(), [0; 0]);
        assert!(Instant::now() >= soon);
    }
    #[test]
    fn a_pipe_is_hung_up_when_its_reader_is_gone_and_a_file_never() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(!is_hung_up(&writer));
        drop(reader);
        assert!(is_hung_up(&writer));
        assert!(!is_hung_up(&tempfile::tempfile().unwrap()));
    }
}
