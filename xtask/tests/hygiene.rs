//! Run inside a hook or a worktree of another repository, nothing of ours changes it.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Checkout, Done};

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=User", "-c", "user.email=user@example.com"]);
    command.args(arguments).env_remove("GIT_DIR");
    Done::from(command.output().unwrap()).ok().stdout
}

/// All that git knows of a repository, and every file in it.
fn contents(repository: &Path) -> String {
    let mut files = Command::new("find");
    files.arg(repository).args(["-type", "f", "-exec", "cksum", "{}", "+"]);
    let mut lines: Vec<String> =
        Done::from(files.output().unwrap()).ok().stdout.lines().map(str::to_owned).collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn a_hook_of_another_repository_may_use_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("their repository");
    git(folder.path(), &["init", "--quiet", "their repository"]);
    fs_err::write(repository.join("file"), "text\n").unwrap();
    git(&repository, &["add", "file"]);
    git(&repository, &["commit", "--quiet", "--message", "first"]);
    git(&repository, &["worktree", "add", "--quiet", "../worktree"]);
    let worktree = folder.path().join("worktree");
    let before = contents(folder.path());
    let checkout = Checkout::new();
    for work_tree in [&repository, &worktree] {
        let git_dir = git(work_tree, &["rev-parse", "--absolute-git-dir"]);
        for action in ["up", "reset", "status", "down"] {
            // As git sets them for a pre-commit hook.
            let mut command = checkout.command(&["services", action]);
            command.current_dir(work_tree);
            command.env("GIT_DIR", git_dir.trim()).env("GIT_WORK_TREE", work_tree);
            command.env("GIT_INDEX_FILE", format!("{}/index", git_dir.trim()));
            command.env("GIT_PREFIX", "").env("GIT_EDITOR", ":");
            Done::from(command.output().unwrap()).ok();
        }
    }
    assert_eq!(contents(folder.path()), before);
}
