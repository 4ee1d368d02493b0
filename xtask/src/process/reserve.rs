//! Descriptors that are held back for a bad moment.

use std::fs::File;

use anyhow::Context as _;

/// As many as ending the processes of a stack may take at once.
const DESCRIPTORS: usize = 32;

/// Dropping it gives the descriptors free.
#[derive(Debug)]
pub(crate) struct Reserve {
    _descriptors: Vec<File>,
}

impl Reserve {
    /// # Errors
    /// When there are not that many left.
    pub(crate) fn of_descriptors() -> anyhow::Result<Self> {
        let open = |_| File::open("/dev/null");
        let descriptors = (0..DESCRIPTORS).map(open).collect::<std::io::Result<Vec<File>>>();
        let descriptors = descriptors.context("cannot hold descriptors back")?;
        Ok(Self { _descriptors: descriptors })
    }
}
