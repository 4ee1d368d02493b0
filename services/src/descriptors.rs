//! How many files and sockets we may have open at once.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Takes all that the system allows, as Go's runtime does: a thousand clients need more than the
/// 1024 that a shell usually starts with.
pub(crate) fn allow_all() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Without it there is only less room.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
