//! This very program, to be started once more. Linux: /proc.

use std::path::Path;

/// Right even if the file that we were started from has been replaced or deleted since.
pub(crate) fn own_program() -> &'static Path {
    Path::new("/proc/self/exe")
}
