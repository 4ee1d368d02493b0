//! The pre-commit framework: for this repository, and for another one that names it.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::Path;

use common::project::{Project, assert_is_posix, on_path};
use common::{Done, is_installed};

/// A project with the files that we have for the framework; `None` where that is not installed.
fn project() -> Option<Project> {
    if !is_installed("pre-commit") {
        return None;
    }
    let mut project = Project::new();
    project.see_all_programs();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs_err::create_dir_all(project.top().join("xtask/src/hooks")).unwrap();
    for file in [
        ".pre-commit-config.yaml",
        ".pre-commit-hooks.yaml",
        "xtask/src/hooks/pre-commit.sh",
        "xtask/src/hooks/for-another-repository.sh",
    ] {
        fs_err::copy(ours.join(file), project.top().join(file)).unwrap();
    }
    project.git(&project.top(), &["add", "."]).ok();
    project.git(&project.top(), &["commit", "--quiet", "--message", "hooks"]).ok();
    Some(project)
}

fn pre_commit(project: &Project, folder: &Path, arguments: &[&str]) -> Done {
    project.command(&on_path("pre-commit"), folder, arguments).output().unwrap().into()
}

#[test]
fn the_framework_checks_a_commit_of_this_repository() {
    let Some(project) = project() else { return };
    pre_commit(&project, &project.top(), &["install"]).ok();
    project.build(&project.top());
    // What is not staged is put away meanwhile, and is back then.
    let readme = project.top().join("xtask/services.yml");
    fs_err::write(&readme, "# not staged\n").unwrap();
    project.edit(&project.top().join("target/debug/xtask"));
    project.commit("good").ok();
    let refused = project.commit("bad");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("cargo xtask lint"), "{refused:?}");
    assert_eq!(fs_err::read_to_string(readme).unwrap(), "# not staged\n");
    assert_eq!(project.calls(), "xtask lint --staged of HOME/project/xtask\n".repeat(2));
}

#[test]
fn the_hook_of_the_framework_is_left_alone() {
    let Some(project) = project() else { return };
    pre_commit(&project, &project.top(), &["install"]).ok();
    let theirs = fs_err::read(project.hook()).unwrap();
    let refusal = project.hooks("install");
    assert_eq!(refusal.code, Some(2));
    assert!(refusal.stderr.contains("the pre-commit framework's"), "{refusal:?}");
    project.hooks("uninstall").ok();
    assert_eq!(fs_err::read(project.hook()).unwrap(), theirs);
}

#[test]
fn the_framework_keeps_our_hook_beside_its_own() {
    let Some(project) = project() else { return };
    project.hooks("install").ok();
    pre_commit(&project, &project.top(), &["install"]).ok();
    project.build(&project.top());
    assert_eq!(project.commit("bad").code, Some(1));
    // It calls first the one that it has found, then those of its configuration.
    assert_eq!(project.calls(), "xtask lint --staged of HOME/project/xtask\n".repeat(2));
}

#[test]
fn another_repository_may_name_this_one() {
    let Some(project) = project() else { return };
    let program = "fn main() {\n    let lint = std::env::args().skip(1).eq([\"lint\", \"--staged\"]);\n    \
                   let root = std::env::var(\"XTASK_ROOT\").unwrap();\n    \
                   let bad = std::path::Path::new(&root).join(\"bad\").exists();\n    \
                   println!(\"checked {root}\");\n    \
                   std::process::exit(if !lint { 2 } else { i32::from(bad) });\n}\n";
    fs_err::write(project.top().join("xtask/src/main.rs"), program).unwrap();
    project.git(&project.top(), &["commit", "--quiet", "--all", "--message", "program"]).ok();
    let another = project.home().join("another");
    project.git(&project.home(), &["init", "--quiet", "another"]).ok();
    let attempt = || {
        let hook = ["try-repo", "../project", "arvados-xtask-lint", "--verbose"];
        pre_commit(&project, &another, &hook)
    };
    project.commit_in(&another, "good").ok();
    let checked = attempt().ok();
    assert!(checked.stdout.contains(&format!("checked {}\n", another.display())), "{checked:?}");
    fs_err::write(another.join("bad"), "").unwrap();
    let refused = attempt();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("exit code: 1"), "{refused:?}");
}

#[test]
fn any_shell_can_run_what_another_repository_calls() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hooks");
    assert_is_posix(&sources.join("for-another-repository.sh"));
}
