//! The git repositories of a cluster's fixtures, as bare repositories named `UUID.git`.
//!
//! What is in them is written down as `git fast-import` streams, one a repository: `git/LABEL
//! .fast-import`, where the label is that of the repository's record. Making them takes git and a
//! tenth of a second, so it is done once ([`prepare()`]); each cluster, and each reset of one, gets
//! a copy ([`install()`]).

mod install;
mod program;
mod streams;

use std::path::{Path, PathBuf};

pub use install::install;

use crate::content_hash::content_hash;
use crate::error::Error;
use crate::folder::Fixtures;
use program::Git;
use streams::Stream;

/// Changes when the same streams are made into other repositories.
const LAYOUT: &str = "bare repositories, one pack each, no hooks";

/// Makes all repositories of `fixtures` once, and returns the folder that has them: a
/// `git-HASH` in `cache`, which is created where it is missing.
///
/// A repository of `fixtures` without a stream is left out, and so is a stream without a
/// repository. Processes may do this at the same time with the same cache. `git_program` runs
/// with an environment of its own: it neither sees nor touches the repository and configuration
/// of the user.
///
/// # Errors
/// When the fixtures or streams cannot be read, git fails, or the cache cannot be written.
pub fn prepare(git_program: &Path, fixtures: &Fixtures, cache: &Path) -> Result<PathBuf, Error> {
    let streams = streams::of(fixtures)?;
    // Git runs in another folder, where a relative path would mean something else.
    let cache = std::path::absolute(cache)?;
    let prepared = cache.join(format!("git-{}", hash(&streams)));
    if prepared.is_dir() {
        return Ok(prepared);
    }
    fs_err::create_dir_all(&cache)?;
    let unfinished = tempfile::Builder::new().prefix(".unfinished-git-").tempdir_in(&cache)?;
    let git = Git::new(git_program, unfinished.path());
    for stream in &streams {
        make(&git, stream, unfinished.path())?;
    }
    match fs_err::rename(unfinished.path(), &prepared) {
        Ok(()) => {
            let _moved_away = unfinished.keep();
            Ok(prepared)
        }
        // Somebody else was quicker, and made the same.
        Err(_) if prepared.is_dir() => Ok(prepared),
        Err(error) => Err(error.into()),
    }
}

fn hash(streams: &[Stream]) -> String {
    let contents = streams.iter().map(|stream| (stream.uuid.as_str(), stream.content.as_slice()));
    content_hash([("", LAYOUT.as_bytes())].into_iter().chain(contents))
}

fn make(git: &Git<'_>, stream: &Stream, folder: &Path) -> Result<(), Error> {
    let repository = folder.join(format!("{}.git", stream.uuid));
    git.init(&repository)?;
    git.import(&repository, &stream.path)?;
    git.pack_refs(&repository)
}
