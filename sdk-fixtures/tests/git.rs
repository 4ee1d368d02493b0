//! The git fixtures: made once, copied often, and never at the cost of the user's own repository.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use sdk_fixtures::{Error, Fixtures, git};
use tempfile::TempDir;

const FOO: &str = "zzzzz-s0uqq-382brsig8rp3666.git";
const GIT: &str = "git";

fn prepared() -> (TempDir, PathBuf) {
    let cache = tempfile::tempdir().unwrap();
    let prepared = git::prepare(Path::new(GIT), &Fixtures::builtin(), cache.path()).unwrap();
    (cache, prepared)
}

/// What git prints, in an environment of its own.
fn run_git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(GIT)
        .args(["-c", "user.name=T", "-c", "user.email=t@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// All files below `folder` with their contents; a link with what it points to.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            found.extend(contents(&path));
        } else if kind.is_symlink() {
            let to = path.read_link().unwrap();
            found.insert(path, to.into_os_string().into_encoded_bytes());
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_stream_becomes_a_bare_packed_repository_without_hooks() {
    let (_cache, prepared) = prepared();
    let streams = names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("git"));
    assert_eq!(names(&prepared).len(), streams.len());
    for name in names(&prepared) {
        let repository = prepared.join(&name);
        run_git(&repository, &["fsck", "--strict"]);
        assert_eq!(run_git(&repository, &["symbolic-ref", "HEAD"]), "refs/heads/master");
        assert_eq!(run_git(&repository, &["rev-parse", "--is-bare-repository"]), "true");
        let count = run_git(&repository, &["count-objects", "-v"]);
        assert!(count.starts_with("count: 0\n") && count.contains("packs: 1\n"), "{count}");
        assert!(!repository.join("hooks").exists());
        assert!(names(&repository.join("refs/heads")).is_empty(), "{name}");
    }
}

#[test]
fn a_repository_has_commits_branches_a_tag_and_a_name_with_a_space() {
    let (_cache, prepared) = prepared();
    let foo = prepared.join(FOO);
    assert_eq!(run_git(&foo, &["rev-list", "--count", "master"]), "3");
    let refs = run_git(&foo, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/develop\nrefs/heads/master\nrefs/tags/1.0");
    let files = run_git(&foo, &["ls-tree", "-z", "--name-only", "master"]);
    assert_eq!(files, "README\0two words.txt\0");
    // The same on every machine and day: clients may name it.
    let head = run_git(&foo, &["rev-parse", "--short=7", "master"]);
    assert_eq!(head, "b7cc86c");
}

#[test]
fn branches_are_named_after_a_commit_that_they_do_not_lead_to() {
    let (_cache, prepared) = prepared();
    let repository = prepared.join("zzzzz-s0uqq-382brsig8rp3668.git");
    let first = run_git(&repository, &["rev-parse", "refs/tags/first^{}"]);
    let branch = format!("refs/heads/{first}");
    assert_ne!(run_git(&repository, &["rev-parse", &branch]), first);
    let abbreviated = format!("refs/heads/{}", &first[..6]);
    assert_ne!(run_git(&repository, &["rev-parse", &abbreviated]), first);
}

#[test]
fn what_is_prepared_is_kept_and_made_by_one_of_many() {
    let cache = tempfile::tempdir().unwrap();
    let makers: Vec<PathBuf> = std::thread::scope(|scope| {
        let prepare = || git::prepare(Path::new(GIT), &Fixtures::builtin(), cache.path()).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(prepare)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(makers.iter().all(|made| *made == makers[0]), "{makers:?}");
    assert_eq!(names(cache.path()).len(), 1, "nothing unfinished is left");
    // The second time, git is not needed.
    let missing = Path::new("/nonexistent/git");
    let again = git::prepare(missing, &Fixtures::builtin(), cache.path()).unwrap();
    assert_eq!(again, makers[0]);
}

#[test]
fn uuids_come_from_the_fixtures_in_use() {
    let fixtures = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let prepare = |text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(fixtures.path().join("repositories.yml"), text).unwrap();
        }
        let fixtures = Fixtures::open(fixtures.path());
        git::prepare(Path::new(GIT), &fixtures, cache.path())
    };
    assert!(names(&prepare(None).unwrap()).is_empty(), "a folder without repositories");
    let other = prepare(Some("foo: {uuid: zzzzz-s0uqq-other}\nbar: {uuid: zzzzz-s0uqq-bar}"));
    assert_eq!(names(&other.unwrap()), ["zzzzz-s0uqq-other.git"]);
    for wrong in ["foo: {uuid: ../x}", "foo: {}", "foo: {uuid: 1}"] {
        let error = prepare(Some(wrong)).unwrap_err();
        assert!(matches!(error, Error::MissingColumn { column: "uuid", .. }), "{error}");
    }
}

#[test]
fn a_missing_git_is_named_and_leaves_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let program = Path::new("/nonexistent/git");
    let error = git::prepare(program, &Fixtures::builtin(), cache.path()).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/git -c init"), "{error}");
    assert!(error.to_string().ends_with("install git"), "{error}");
    assert!(names(cache.path()).is_empty());
}

#[test]
fn a_failing_git_is_told_with_what_it_said() {
    let cache = tempfile::tempdir().unwrap();
    let error = git::prepare(Path::new("ls"), &Fixtures::builtin(), cache.path()).unwrap_err();
    assert!(matches!(&error, Error::Git { reason, .. } if reason.contains("ls: ")), "{error}");
}

#[test]
fn copies_take_pushes_without_changing_each_other() {
    let (cache, prepared) = prepared();
    let before = contents(&prepared);
    let target = cache.path().join("copy");
    git::install(&prepared, &target).unwrap();
    let work = tempfile::tempdir().unwrap();
    run_git(work.path(), &["clone", "--quiet", target.join(FOO).to_str().unwrap(), "foo"]);
    let clone = work.path().join("foo");
    run_git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "More"]);
    run_git(&clone, &["push", "--quiet", "origin", "master", "master:another"]);
    run_git(&target.join(FOO), &["gc", "--quiet", "--prune=now"]);
    assert_eq!(contents(&prepared), before);

    git::install(&prepared, &target).unwrap();
    let fresh = contents(&target);
    let moved = |path: &PathBuf| target.join(path.strip_prefix(&prepared).unwrap());
    let expected: BTreeMap<_, _> =
        before.iter().map(|(path, b)| (moved(path), b.clone())).collect();
    assert_eq!(fresh, expected);
}

#[test]
fn copies_share_what_git_never_changes_and_nothing_else() {
    let (cache, prepared) = prepared();
    let target = cache.path().join("copy");
    git::install(&prepared, &target).unwrap();
    for path in contents(&prepared).keys() {
        let copy = target.join(path.strip_prefix(&prepared).unwrap());
        let same = path.metadata().unwrap().ino() == copy.metadata().unwrap().ino();
        let object = path.components().any(|part| part.as_os_str() == "objects");
        assert_eq!(same, object, "{}", path.display());
    }
}

#[test]
fn only_a_repository_that_differs_is_copied_again() {
    let (cache, prepared) = prepared();
    let target = cache.path().join("copy");
    git::install(&prepared, &target).unwrap();
    let all = names(&prepared);
    let inode = |name: &str| target.join(name).metadata().unwrap().ino();
    let changes: [fn(&Path); 6] = [
        |repository| {
            // As long as before, and as old.
            let head = repository.join("HEAD");
            let modified = head.metadata().unwrap().modified().unwrap();
            let text = std::fs::read_to_string(&head).unwrap().replace("master", "retsam");
            std::fs::write(&head, text).unwrap();
            std::fs::File::options()
                .write(true)
                .open(&head)
                .unwrap()
                .set_modified(modified)
                .unwrap();
        },
        |repository| std::fs::create_dir(repository.join("refs/heads/empty")).unwrap(),
        |repository| std::fs::remove_file(repository.join("packed-refs")).unwrap(),
        |repository| std::fs::remove_dir_all(repository.join("objects/pack")).unwrap(),
        |repository| {
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(repository.join("config"), executable).unwrap();
        },
        |repository| std::fs::remove_dir_all(repository).unwrap(),
    ];
    for change in changes {
        let before: Vec<_> = all.iter().map(|name| inode(name)).collect();
        change(&target.join(FOO));
        git::install(&prepared, &target).unwrap();
        for (name, before) in all.iter().zip(before) {
            assert!(name == FOO || inode(name) == before, "{name}");
        }
        let moved = |path: &PathBuf| prepared.join(path.strip_prefix(&target).unwrap());
        let fresh = contents(&target);
        let fresh: BTreeMap<_, _> =
            fresh.iter().map(|(path, b)| (moved(path), b.clone())).collect();
        assert_eq!(fresh, contents(&prepared));
        assert!(!target.join(FOO).join("refs/heads/empty").exists());
        assert_eq!(target.join(FOO).join("config").metadata().unwrap().mode() & 0o111, 0);
    }
}

#[test]
fn links_where_the_copy_goes_are_removed_and_not_followed() {
    let (cache, prepared) = prepared();
    let precious = tempfile::tempdir().unwrap();
    std::fs::write(precious.path().join("file"), "precious").unwrap();
    let before = contents(precious.path());
    let target = cache.path().join("copy");

    git::install(&prepared, &target).unwrap();
    symlink(precious.path(), target.join("link")).unwrap();
    std::fs::remove_dir_all(target.join(FOO)).unwrap();
    symlink(precious.path(), target.join(FOO)).unwrap();
    git::install(&prepared, &target).unwrap();
    assert_eq!(names(&target), names(&prepared));
    assert_eq!(contents(precious.path()), before);

    std::fs::remove_dir_all(&target).unwrap();
    symlink(precious.path(), &target).unwrap();
    git::install(&prepared, &target).unwrap();
    assert!(target.symlink_metadata().unwrap().is_dir());
    assert_eq!(contents(precious.path()), before);
}

#[test]
fn a_copy_of_nothing_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = git::install(&missing, &folder.path().join("copy")).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

/// The variable that gives the next test its cache.
const CACHE: &str = "GIT_FIXTURE_TEST_CACHE";

#[test]
#[ignore = "run in a process of its own, whose environment is hostile, by the test below"]
fn prepare_in_a_hostile_environment() {
    let cache = PathBuf::from(std::env::var_os(CACHE).unwrap());
    git::prepare(Path::new(GIT), &Fixtures::builtin(), &cache).unwrap();
}

#[test]
fn the_users_repository_and_configuration_are_left_alone() {
    let user = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    run_git(user.path(), &["init", "--quiet"]);
    run_git(user.path(), &["commit", "--quiet", "--allow-empty", "-m", "Mine"]);
    let dot_git = user.path().join(".git");
    let hooks = user.path().join("template/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    std::fs::write(hooks.join("post-update"), "#!/bin/sh\n").unwrap();
    std::fs::write(user.path().join(".gitconfig"), "[init]\ndefaultBranch = mine\n").unwrap();
    let before = contents(user.path());

    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "prepare_in_a_hostile_environment", "--ignored"])
        .current_dir(user.path())
        .env(CACHE, cache.path())
        .env("HOME", user.path())
        .env("XDG_CONFIG_HOME", user.path())
        .env("GIT_DIR", &dot_git)
        .env("GIT_WORK_TREE", user.path())
        .env("GIT_INDEX_FILE", dot_git.join("index"))
        .env("GIT_OBJECT_DIRECTORY", dot_git.join("objects"))
        .env("GIT_COMMON_DIR", &dot_git)
        .env("GIT_TEMPLATE_DIR", user.path().join("template"))
        .env("GIT_DEFAULT_HASH", "sha256")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "init.defaultBranch")
        .env("GIT_CONFIG_VALUE_0", "theirs")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");

    assert_eq!(contents(user.path()), before);
    let made = cache.path().join(&names(cache.path())[0]);
    assert_eq!(names(&made), names(&prepared().1));
    assert_eq!(contents(&made.join(FOO)).len(), contents(&prepared().1.join(FOO)).len());
    assert_eq!(run_git(&made.join(FOO), &["rev-list", "--count", "master"]), "3");
}
