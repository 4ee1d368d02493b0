//! The hook with the check itself, as a contributor has both: what is refused, and what is not.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::Done;
use common::repository::{Repository, TOKENS};

/// A repository with its own xtask, whose hook has been installed by that.
fn with_hook() -> Repository {
    let repository = Repository::new();
    for name in ["xtask/Cargo.toml", "xtask/src/main.rs", "sdk-fixtures/Cargo.toml"] {
        repository.write(name, "");
    }
    repository.write("sdk-fixtures/src/lib.rs", "");
    repository.write(".cargo/config.toml", "");
    repository.git(&["config", "--unset", "core.hooksPath"]);
    let program = repository.checkout.root().join("target/debug/xtask");
    fs_err::create_dir_all(program.parent().unwrap()).unwrap();
    // Newer than the sources, and so used as it is.
    fs_err::copy(env!("CARGO_BIN_EXE_xtask"), program).unwrap();
    repository.checkout.run(&["hooks", "install"]).ok();
    repository
}

/// `git commit` in a shell that knows nothing of xtask.
fn commit(repository: &Repository) -> Done {
    let arguments = ["commit", "--quiet", "--message", "next"];
    let mut command = repository.git_in(&repository.checkout.root(), &arguments);
    command.env_remove("XTASK_ROOT").env_remove("CARGO_TARGET_DIR").output().unwrap().into()
}

#[test]
fn a_commit_with_a_fault_is_refused_with_its_place_and_the_same_fault_unstaged_is_not() {
    let repository = with_hook();
    for (file, from, to, place) in [
        ("src/lib.rs", "    2", "  return 2;", "src/lib.rs:5: "),
        (TOKENS, "user: admin", "user: admni", "api_client_authorizations.yml:"),
        ("xtask/suites.yml", "command", "comand", "xtask/suites.yml:3:5: "),
    ] {
        let before = fs_err::read_to_string(repository.checkout.root().join(file)).unwrap();
        repository.edit(file, from, to);
        repository.git(&["add", file]);
        let done = commit(&repository);
        assert_eq!(done.code, Some(1), "{file}: {done:?}");
        assert!(done.stderr.contains(place), "no {place:?} in {done:?}");
        // Only in the work tree, it is nobody's business.
        repository.git(&["reset", "--quiet"]);
        repository.write("NOTES", &format!("about {file}\n"));
        repository.git(&["add", "NOTES"]);
        commit(&repository).ok();
        repository.write(file, &before);
    }
    assert_eq!(repository.git(&["log", "--format=%s"]).lines().count(), 4);
}
