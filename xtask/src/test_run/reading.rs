//! What a suite has printed, read for its tests.

use std::io::Read as _;
use std::path::Path;

use crate::results::reader::{Read, Reader};

/// Reads the whole file, a piece at a time: it may be large.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(output: &Path) -> std::io::Result<Read> {
    let mut file = fs_err::File::open(output)?;
    let mut reader = Reader::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(reader.finish()),
            length => reader.push(&buffer[..length]),
        }
    }
}
