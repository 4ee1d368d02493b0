//! How many files and sockets a test may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process have at least `number` open.
pub(crate) fn allow(number: u64) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= number, "`ulimit -n` allows only {hard}");
    if soft < number {
        setrlimit(Resource::RLIMIT_NOFILE, number, hard).unwrap();
    }
}
