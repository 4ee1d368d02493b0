//! The floor: what a block of 64 MiB takes that nothing can save.

use std::io::{Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::cell::LARGE;

/// Each is measured so often; the best counts.
const ROUNDS: usize = 3;

const PIECE: usize = 1 << 20;

/// Its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    /// To hash it once.
    pub(super) hash: Duration,
    /// To pass it from one process to another.
    pub(super) socket: Duration,
    /// To write it to a file.
    pub(super) write: Duration,
    /// To read it from a file that is in memory.
    pub(super) read: Duration,
}

impl Floor {
    /// # Errors
    /// When there is no room for a file, or no socket.
    pub(super) fn measure() -> anyhow::Result<Self> {
        let block = vec![7; LARGE];
        let hash = best(|| {
            std::hint::black_box(fast_md5::digest(&block));
            Ok(())
        })?;
        let socket = best(|| through_a_socket(&block))?;
        let mut file = tempfile::tempfile()?;
        let write = best(|| {
            file.rewind()?;
            Ok(file.write_all(&block)?)
        })?;
        let mut piece = vec![0; PIECE];
        let read = best(|| {
            file.rewind()?;
            while file.read(&mut piece)? > 0 {}
            Ok(())
        })?;
        Ok(Self { hash, socket, write, read })
    }

    /// Of a block that is stored.
    pub(super) fn put(&self) -> Duration {
        self.hash + self.socket + self.write
    }

    /// Of one that is read.
    pub(super) fn get(&self) -> Duration {
        self.hash + self.socket + self.read
    }
}

fn best(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started_at = Instant::now();
        work()?;
        best = best.min(started_at.elapsed());
    }
    Ok(best)
}

fn through_a_socket(block: &[u8]) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || TcpStream::connect(address)?.write_all(block));
        let (mut receiver, _) = listener.accept()?;
        let mut piece = vec![0; PIECE];
        while receiver.read(&mut piece)? > 0 {}
        sender.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        Ok(())
    })
}
