//! `lint --staged` on real repositories: which commits it refuses, and which it lets pass.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::Done;
use common::repository::{Repository, SOURCE, TOKENS};
use sdk_fixtures::Fixtures;

/// How a complaint about the user of the token `spectator` begins, wherever that is in the fixtures.
fn spectators_user() -> String {
    let tokens = Fixtures::builtin().dir().join("api_client_authorizations.yml");
    let tokens = fs_err::read_to_string(tokens).unwrap();
    let line = tokens.lines().position(|line| line == "  user: spectator").unwrap() + 1;
    format!("{TOKENS}:{line}:9: spectator: user")
}

#[test]
fn nothing_staged_is_done_at_once() {
    let repository = Repository::new();
    repository.write("src/lib.rs", "fn  broken( {");
    let done = repository.lint(&["--staged"]).ok();
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("0 checks passed, 0 failed, 0 skipped\n", "")
    );
}

#[test]
fn a_fault_is_refused_when_it_is_staged_and_not_before() {
    let repository = Repository::new();
    let spectator = spectators_user();
    for (name, from, to, line) in [
        ("src/lib.rs", "    2", "  2", "src/lib.rs:5: not formatted"),
        (
            "src/lib.rs",
            "pub fn two()",
            "pub fn two(",
            "src/lib.rs:6:3: this file contains an unclosed delimiter",
        ),
        (
            "xtask/suites.yml",
            "command:",
            "comand:",
            "xtask/suites.yml:3:5: suites.one: unknown key `comand`; did you mean command?",
        ),
        (
            "xtask/services.yml",
            "{keepstores: 5}",
            "{kepstores: 5}",
            "xtask/services.yml:34:10: profiles.many: unknown key `kepstores`; did you mean keepstores?",
        ),
        (
            TOKENS,
            "user: spectator",
            "user: spectatr",
            &format!("{spectator} \"spectatr\" is no record; did you mean spectator?"),
        ),
        (
            "sdk-fixtures/fixtures/specimens.yml",
            "owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz",
            "owner_uuid: zzzzz-tpzed-xurymjxw79nv3ja",
            "sdk-fixtures/fixtures/specimens.yml:10:15: owned_by_active_user: owner_uuid \
             \"zzzzz-tpzed-xurymjxw79nv3ja\" is no record; did you mean \
             zzzzz-tpzed-xurymjxw79nv3jz (active in users)?",
        ),
        (
            TOKENS,
            "  user: admin\n",
            "  user: [\n",
            "sdk-fixtures/fixtures/api_client_authorizations.yml:",
        ),
        ("run.sh", "set -e", "if true; then", "run.sh:3: "),
        ("Cargo.toml", "0.1.0", "0.2.0", "Cargo.lock: "),
    ] {
        // Something else is staged, so that checks of that kind of file have to look.
        let other = Path::new(name).with_file_name(format!(
            "other_{}",
            Path::new(name).file_name().unwrap().to_str().unwrap()
        ));
        repository.edit(name, from, to);
        if name.ends_with(".rs") || name.ends_with(".sh") {
            repository.write(&other, if name.ends_with(".rs") { SOURCE } else { "#!/bin/sh\n" });
            repository.git(&["add", other.to_str().unwrap()]);
        }
        repository.passes();
        repository.git(&["add", name]);
        repository.refused(line);
        repository.git(&["reset", "--quiet", "--hard"]);
    }
}

#[test]
fn what_is_staged_counts_and_not_what_the_file_is_by_now() {
    let repository = Repository::new();
    repository.edit("src/lib.rs", "    2", "  2");
    repository.git(&["add", "src/lib.rs"]);
    repository.write("src/lib.rs", SOURCE);
    repository.refused("src/lib.rs:5: not formatted");
    // The other way round: as `git add -p` leaves it, the commit is clean.
    repository.git(&["add", "src/lib.rs"]);
    repository.edit(TOKENS, "# The tokens", "# All tokens");
    repository.git(&["add", TOKENS]);
    repository.edit(TOKENS, "user: spectator", "user: nobody");
    repository.passes();
}

#[test]
fn a_file_that_is_not_staged_but_needed_is_that_of_the_index() {
    let repository = Repository::new();
    let users = "sdk-fixtures/fixtures/users.yml";
    repository.edit(users, "\nspectator:\n", "\nlooker_on:\n");
    repository.edit(TOKENS, "# The tokens", "# All tokens");
    repository.git(&["add", TOKENS]);
    repository.passes();
    repository.git(&["add", users]);
    repository.refused(&format!("{} \"spectator\" is no record", spectators_user()));
}

#[test]
fn a_deleted_file_concerns_those_that_refer_to_it() {
    let repository = Repository::new();
    repository.git(&["rm", "--quiet", "sdk-fixtures/fixtures/api_clients.yml", "src/lib.rs"]);
    repository.refused(TOKENS);
    repository.git(&["reset", "--quiet", "--hard"]);
    repository.git(&["rm", "--quiet", "run.sh"]);
    repository.passes();
}

#[test]
fn names_of_all_kinds_are_looked_at() {
    let repository = Repository::new();
    let bytes = OsStr::from_bytes(b"a\xffb.rs");
    for name in ["a name.rs", "two\nlines.rs", "-n.rs", "quo\"te's.rs"] {
        repository.write(name, SOURCE);
    }
    repository.write(bytes, SOURCE);
    repository.write("-e.sh", "#!/bin/sh\ntrue\n");
    repository.git(&["mv", "src/lib.rs", "src/re named.rs"]);
    repository.git(&["add", "."]);
    repository.passes();
    for name in ["a name.rs", "two\nlines.rs", "-n.rs", "src/re named.rs"] {
        repository.write(name, "fn  a() {}\n");
        repository.git(&["add", "--", name]);
        repository.refused(&format!("{}:1: not formatted", name.lines().last().unwrap()));
        repository.write(name, SOURCE);
        repository.git(&["add", "--", name]);
    }
    repository.write(bytes, "fn  a() {}\n");
    repository.git(&["add", "."]);
    repository.refused("a\u{fffd}b.rs:1: not formatted");
}

#[test]
fn links_and_submodules_are_left_alone() {
    let repository = Repository::new();
    let root = repository.checkout.root();
    symlink("/nowhere", root.join("link.rs")).unwrap();
    symlink("src/lib.rs", root.join("link.sh")).unwrap();
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{},module.rs", commit.trim());
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["add", "link.rs", "link.sh"]);
    repository.passes();
}

#[test]
fn what_is_not_merged_yet_is_named() {
    let repository = Repository::new();
    let ours = repository.git(&["hash-object", "-w", "run.sh"]);
    let stages = [1, 2, 3].map(|stage| format!("100644 {} {stage}\trun.sh\n", ours.trim()));
    let input = repository.checkout.root().join("stages");
    fs_err::write(&input, stages.concat()).unwrap();
    repository.git(&["rm", "--quiet", "--cached", "run.sh"]);
    let mut command =
        repository.git_in(&repository.checkout.root(), &["update-index", "--index-info"]);
    Done::from(command.stdin(std::fs::File::open(&input).unwrap()).output().unwrap()).ok();
    let done = repository.lint(&["--staged"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("run.sh is unmerged"), "{done:?}");
    assert!(done.stderr.contains("; settle the conflict, and `git add` the file"), "{done:?}");
}

#[test]
fn the_first_commit_is_checked_too() {
    let repository = Repository::empty();
    repository.git(&["add", "."]);
    repository.passes();
    repository.edit("src/lib.rs", "    2", "  2");
    repository.git(&["add", "."]);
    repository.refused("src/lib.rs:5: not formatted");
}

#[test]
fn a_hook_sees_the_commit_that_is_being_made() {
    let repository = Repository::new();
    repository.hook();
    let refused = |arguments: &[&str]| {
        let done = repository.commit(arguments);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains("\nsrc/lib.rs:5: not formatted\n"), "{done:?}");
    };
    repository.edit("src/lib.rs", "    2", "  2");
    repository.edit("run.sh", "set -e", "set -eu");
    // Each with another index: that of all changes, and that of one file.
    refused(&["--all"]);
    refused(&["src/lib.rs"]);
    repository.commit(&["run.sh"]).ok();
    repository.git(&["add", "src/lib.rs"]);
    refused(&[]);
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "2\n");
}

#[test]
fn a_hook_in_another_worktree_or_a_sub_folder_sees_its_commit() {
    let repository = Repository::new();
    repository.hook();
    let worktree = repository.checkout.root().parent().unwrap().join("other work tree");
    repository.git(&["worktree", "add", "--quiet", "--detach", worktree.to_str().unwrap()]);
    fs_err::write(worktree.join("src/lib.rs"), "fn  a() {}\n").unwrap();
    let commit = |folder: &Path, arguments: &[&str]| -> Done {
        let arguments = [&["commit", "--quiet", "--message", "next"], arguments].concat();
        let mut command = repository.git_in(folder, &arguments);
        command.env("XTASK_ROOT", &worktree).output().unwrap().into()
    };
    let done = commit(&worktree.join("src"), &["--all"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("\nsrc/lib.rs:1: not formatted\n"), "{done:?}");
    fs_err::write(worktree.join("src/lib.rs"), "fn a() {}\n").unwrap();
    commit(&worktree.join("src"), &["lib.rs"]).ok();
}

#[test]
fn a_hook_of_another_repository_has_no_say_in_what_is_staged_here() {
    let (here, there) = (Repository::new(), Repository::new());
    here.edit("src/lib.rs", "    2", "  2");
    here.git(&["add", "."]);
    let other = there.checkout.root();
    let mut command = here.command(&["--staged"]);
    command.current_dir(&other).env("GIT_DIR", other.join(".git"));
    command.env("GIT_INDEX_FILE", other.join(".git/index"));
    let done = Done::from(command.output().unwrap());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("\nsrc/lib.rs:5: not formatted\n"), "{done:?}");
}

#[test]
fn a_checkout_within_a_larger_repository_is_checked_alone() {
    let repository = Repository::new();
    let root = repository.checkout.root();
    fs_err::remove_dir_all(root.join(".git")).unwrap();
    let around = root.parent().unwrap();
    fs_err::write(around.join("outside.rs"), "fn  a() {}\n").unwrap();
    for arguments in [&["init", "--quiet"][..], &["add", "."]] {
        let mut command = repository.git_in(around, arguments);
        Done::from(command.output().unwrap()).ok();
    }
    repository.passes();
    repository.edit(TOKENS, "user: spectator", "user: spectatr");
    repository.git(&["add", "."]);
    repository.refused(&spectators_user());
}

#[test]
fn all_faults_are_told_at_once() {
    let repository = Repository::new();
    repository.edit("src/lib.rs", "    2", "  2");
    repository.edit("xtask/suites.yml", "command:", "comand:");
    repository.edit("xtask/services.yml", "{keepstores: 5}", "{keepstores: 0}");
    repository.edit(TOKENS, "user: spectator", "user: spectatr");
    repository.edit(TOKENS, "api_client: untrusted", "api_client: untrustd");
    repository.git(&["add", "."]);
    let done = repository.plainly(&["--staged"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    // The fixtures may get records before this one.
    let seen = repository.seen(&done).replace(&spectators_user(), "TOKENS:LINE:9: spectator: user");
    insta::assert_snapshot!(seen);
}

#[test]
fn nothing_is_left_in_the_folder_of_temporary_files() {
    let repository = Repository::new();
    repository.edit("src/lib.rs", "    2", "  2");
    repository.git(&["add", "."]);
    let folder = tempfile::tempdir().unwrap();
    let mut command = repository.command(&["--staged"]);
    let done = Done::from(command.env("TMPDIR", folder.path()).output().unwrap());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
}
