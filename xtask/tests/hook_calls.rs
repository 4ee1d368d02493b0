//! What the installed hook calls, wherever and by whomever a commit is made.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::Command;

use common::Done;
use common::project::{Project, assert_is_posix, on_path};

const BY_CARGO: &str = "cargo run --quiet --manifest-path HOME/project/Cargo.toml --package xtask \
                        -- lint --staged of \n";
const BY_PATH: &str = "xtask lint --staged of HOME/project/xtask\n";

/// With the hook and the cargo that is on PATH.
fn installed() -> Project {
    let project = Project::new();
    project.install_cargo(&project.path);
    project.hooks("install").ok();
    project
}

#[test]
fn what_is_built_is_called_by_its_path_and_what_is_stale_by_cargo() {
    let project = installed();
    project.commit("not built").ok();
    assert_eq!(project.calls(), BY_CARGO);
    project.build(&project.top());
    project.commit("built").ok();
    assert_eq!(project.calls(), BY_PATH);
    for source in ["xtask/src/main.rs", "sdk-fixtures/src/lib.rs", "Cargo.lock", "nginx/nginx.conf"]
    {
        project.edit(&project.top().join(source));
        assert_eq!(project.commit("bad").code, Some(1));
        assert_eq!(project.calls(), BY_CARGO, "{source}");
        project.edit(&project.top().join("target/debug/xtask"));
    }
    project.commit("built again").ok();
    assert_eq!(project.calls(), BY_PATH);
}

#[test]
fn a_source_that_is_gone_makes_it_stale() {
    let project = installed();
    project.build(&project.top());
    fs_err::remove_dir_all(project.top().join("sdk-fixtures/src")).unwrap();
    project.commit("good").ok();
    assert_eq!(project.calls(), BY_CARGO);
}

#[test]
fn what_lies_in_a_target_folder_that_cargo_does_not_use_is_not_called() {
    let project = installed();
    project.build(&project.top());
    let mut command = commit(&project, &["--allow-empty"]);
    Done::from(command.env("CARGO_TARGET_DIR", "/elsewhere").output().unwrap()).ok();
    assert_eq!(project.calls(), BY_CARGO);
}

/// `git commit` in the project, to be told more.
fn commit(project: &Project, arguments: &[&str]) -> Command {
    let arguments = [&["commit", "--quiet", "--message", "text"], arguments].concat();
    project.command(&on_path("git"), &project.top(), &arguments)
}

#[test]
fn it_is_the_commit_that_is_checked_and_not_the_index() {
    let project = installed();
    project.build(&project.top());
    for name in ["good", "bad"] {
        fs_err::write(project.top().join(name), "").unwrap();
    }
    project.git(&project.top(), &["add", "good", "bad"]).ok();
    // Git has made an index of its own for each of these.
    Done::from(commit(&project, &["--only", "good"]).output().unwrap()).ok();
    let only_bad = Done::from(commit(&project, &["--only", "bad"]).output().unwrap());
    assert_eq!(only_bad.code, Some(1), "{only_bad:?}");
    Done::from(commit(&project, &["--no-verify", "--all"]).output().unwrap()).ok();
    assert_eq!(project.calls(), BY_PATH.repeat(2));
}

#[test]
fn a_commit_from_a_folder_of_the_work_tree_is_checked() {
    let project = installed();
    project.build(&project.top());
    assert_eq!(project.commit_in(&project.top().join("xtask"), "bad").code, Some(1));
    assert_eq!(project.calls(), BY_PATH);
}

#[test]
fn each_work_tree_is_checked_by_itself() {
    let project = Project::new();
    let other = project.home().join("other tree");
    project.git(&project.top(), &["worktree", "add", "--quiet", "-b", "b", "../other tree"]).ok();
    // For all of them, wherever it is called.
    project.hooks_in(&other, "install").ok();
    project.assert_checked(&other);
    project.assert_checked(&project.top());
    project.hooks("uninstall").ok();
    project.commit_in(&other, "bad").ok();
    assert_eq!(project.calls(), "");
}

#[test]
fn a_work_tree_without_the_project_is_not_checked() {
    let project = installed();
    let pages = project.home().join("pages");
    project.git(&project.top(), &["worktree", "add", "--quiet", "-b", "b", "../pages"]).ok();
    project.git(&pages, &["rm", "--quiet", "-r", "."]).ok();
    project.commit_in(&pages, "bad").ok();
    assert_eq!(project.calls(), "");
}

#[test]
fn a_submodule_is_checked_and_not_what_it_is_part_of() {
    let project = Project::new();
    let outer = project.home().join("outer");
    project.git(&project.home(), &["init", "--quiet", "outer"]).ok();
    project.git(&outer, &["submodule", "add", "--quiet", "../project", "the module"]).ok();
    let inner = outer.join("the module");
    assert!(inner.join(".git").is_file());
    project.hooks_in(&inner, "install").ok();
    project.assert_checked(&inner);
    project.commit_in(&outer, "bad").ok();
    assert_eq!(project.calls(), "");
    project.hooks_in(&inner, "uninstall").ok();
    project.commit_in(&inner, "very bad").ok();
}

#[test]
fn a_project_in_a_folder_of_its_repository_is_checked() {
    let project = Project::new();
    let outer = project.home().join("outer");
    let inner = outer.join("what's in");
    project.git(&project.home(), &["init", "--quiet", "outer"]).ok();
    project.lay(&inner);
    project.git(&outer, &["add", "."]).ok();
    project.git(&outer, &["commit", "--quiet", "--message", "first"]).ok();
    project.hooks_in(&inner, "install").ok();
    project.assert_checked(&inner);
    assert_eq!(project.commit_in(&outer, "also bad").code, Some(1));
}

#[test]
fn cargo_is_found_without_the_path_of_a_shell() {
    let places: [(&str, Option<&str>); 3] = [
        (".cargo/bin", None),
        ("cargo's home/bin", Some("cargo's home")),
        ("at installation", None),
    ];
    for (folder, cargo_home) in places {
        let mut project = Project::new();
        let folder = project.home().join(folder);
        project.install_cargo(&folder);
        // With a shell's PATH.
        let bare = project.path.clone();
        project.path = format!("{}:{}", bare.display(), folder.display()).into();
        project.hooks("install").ok();
        project.path = bare;
        if !folder.ends_with("at installation") {
            project.forget_cargo_folder();
        }
        let mut command = commit(&project, &["--allow-empty"]);
        let cargo_home = cargo_home.map(|name| ("CARGO_HOME", project.home().join(name)));
        Done::from(command.envs(cargo_home).output().unwrap()).ok();
        assert_eq!(project.calls(), BY_CARGO, "{}", folder.display());
    }
}

#[test]
fn without_cargo_the_commit_is_refused_with_advice() {
    let project = Project::new();
    project.hooks("install").ok();
    let done = project.commit("good");
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("cargo is not on PATH"), "{done:?}");
    assert!(done.stderr.contains("--no-verify"), "{done:?}");
}

#[test]
fn what_has_changed_is_built_before_it_checks() {
    let mut project = Project::new();
    project.see_all_programs();
    let source = project.top().join("xtask/src/main.rs");
    project.hooks("install").ok();
    let try_version = |version: &str| {
        let text = format!("fn main() {{ eprintln!(\"version {version}\") }}\n");
        fs_err::write(&source, text).unwrap();
        project.edit(&source);
        let done = commit(&project, &["--allow-empty"]).output();
        let done = Done::from(done.unwrap()).ok();
        assert!(done.stderr.ends_with(&format!("\nversion {version}\n")), "{done:?}");
    };
    try_version("1");
    try_version("2");
}

#[test]
fn any_shell_can_run_it() {
    let project = Project::new();
    project.hooks("install").ok();
    assert_is_posix(&project.hook());
}
