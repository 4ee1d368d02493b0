//! arv-git-httpd's flags, and the git program that they lead to.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::era::Era;
use crate::go_flags::{self, Flag, value};

const FLAGS: &[Flag] = &[
    value("era").meaning("The clients that are served: current, or 2015."),
    value("address").meaning("Address to listen on, \"host:port\". (default \"0.0.0.0:80\")"),
    value("repo-root").meaning("Path to git repositories. (default: the working folder)"),
    value("git-command").meaning(
        "Path to git executable. Each authenticated request will execute this program with a single \
         argument, \"http-backend\". (default \"git\")",
    ),
];

/// All that the git service is started with.
#[derive(Debug)]
pub(super) struct Config {
    /// `HOST:PORT` or `:PORT`, for when no socket is inherited.
    pub(super) address: String,
    /// The folder that holds all repositories, without symbolic links in its path.
    pub(super) root: PathBuf,
    /// The git program.
    pub(super) git: PathBuf,
}

impl Config {
    /// Reads the command line, and finds what it names.
    ///
    /// # Errors
    /// Names the flag that is unknown or leads nowhere.
    pub(super) fn from_flags(arguments: &[String]) -> anyhow::Result<Self> {
        let mut address = "0.0.0.0:80".to_owned();
        let mut root = ".".to_owned();
        let mut git = "git".to_owned();
        for (name, text) in go_flags::parse(FLAGS, arguments)? {
            match name {
                // Nothing in this service differs between the eras.
                "era" => drop(text.parse::<Era>().map_err(anyhow::Error::msg)?),
                "address" => address = text,
                "repo-root" => root = text,
                "git-command" => git = text,
                _ => {}
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        Ok(Self {
            address,
            root: fs_err::canonicalize(root).context("-repo-root")?,
            git: find_program(&git, &path).with_context(|| {
                format!("git is needed and {git:?} is not there: install it, or give -git-command")
            })?,
        })
    }
}

/// The program that `name` means: a path if it has a slash, else the first of that name on `path`.
fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    let candidates = match name.contains('/') {
        true => vec![PathBuf::from(name)],
        false => std::env::split_paths(path).map(|folder| folder.join(name)).collect(),
    };
    candidates.into_iter().find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    let found = fs_err::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_path_or_on_the_search_path() {
        let path = OsStr::new("/no/such:/bin");
        assert_eq!(find_program("sh", path), Some("/bin/sh".into()));
        assert_eq!(find_program("/bin/sh", OsStr::new("")), Some("/bin/sh".into()));
        assert_eq!(find_program("no-such-program", path), None);
        assert_eq!(find_program("/etc/passwd", path), None);
    }

    #[test]
    fn a_missing_git_is_told_with_what_to_do() {
        let arguments = ["-repo-root=/", "-git-command=/no/git"].map(str::to_owned);
        let error = Config::from_flags(&arguments).unwrap_err().to_string();
        assert!(error.contains("\"/no/git\"") && error.contains("install it"), "{error}");
    }
}
