//! `hooks install` and `uninstall`: where the hook is put, and what of others it leaves alone.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use common::Done;
use common::project::Project;

/// Why it was refused, with the home folder taken out.
#[track_caller]
fn refused(project: &Project, done: &Done) -> String {
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    done.stderr.replace(project.home().to_str().unwrap(), "HOME")
}

fn write_hook(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_installed_hook_refuses_a_commit_until_it_is_removed() {
    let project = Project::new();
    project.hooks("install").ok();
    project.assert_checked(&project.top());
    project.hooks("uninstall").ok();
    project.commit("bad").ok();
    assert_eq!(project.calls(), "");
    let again = project.hooks("uninstall").ok();
    assert!(again.stderr.starts_with("there is no "), "{again:?}");
}

#[test]
fn installing_again_changes_nothing() {
    let project = Project::new();
    project.hooks("install").ok();
    let before = fs_err::metadata(project.hook()).unwrap();
    let again = project.hooks("install").ok();
    assert!(again.stderr.ends_with(" is installed already\n"), "{again:?}");
    let after = fs_err::metadata(project.hook()).unwrap();
    assert_eq!((after.ino(), after.mtime_nsec()), (before.ino(), before.mtime_nsec()));
    // Git passes over a hook that may not be run.
    fs_err::set_permissions(project.hook(), std::fs::Permissions::from_mode(0o644)).unwrap();
    project.hooks("install").ok();
    project.assert_checked(&project.top());
}

#[test]
fn a_hook_of_an_older_version_is_renewed() {
    let project = Project::new();
    project.hooks("install").ok();
    let current = fs_err::read(project.hook()).unwrap();
    let older = "#!/bin/sh\n# Written by `cargo xtask hooks install`, c04df32c17c16c1e.\n\
                 exec cargo xtask lint --staged\n";
    fs_err::write(project.hook(), older).unwrap();
    let renewed = project.hooks("install").ok();
    assert!(renewed.stderr.ends_with(" is renewed\n"), "{renewed:?}");
    assert_eq!(fs_err::read(project.hook()).unwrap(), current);
}

#[test]
fn a_hook_that_was_changed_is_left_alone() {
    let project = Project::new();
    project.hooks("install").ok();
    let changed =
        fs_err::read_to_string(project.hook()).unwrap().replace("# Where", "echo mine # Where");
    fs_err::write(project.hook(), &changed).unwrap();
    for action in ["install", "uninstall"] {
        let refusal = refused(&project, &project.hooks(action));
        assert!(refusal.contains("has been changed since it was installed"), "{refusal}");
        assert_eq!(fs_err::read_to_string(project.hook()).unwrap(), changed);
    }
}

#[test]
fn a_foreign_hook_is_left_alone_and_the_line_to_add_to_it_works() {
    let project = Project::new();
    project.install_cargo(&project.path);
    let theirs = "#!/bin/sh\necho theirs >>\"$HOME/calls\"\n";
    write_hook(&project.hook(), theirs);
    let refusal = refused(&project, &project.hooks("install"));
    let (told, line) = refusal.split_once('\n').unwrap();
    assert_eq!(
        told,
        "error: HOME/project/.git/hooks/pre-commit is another hook, and is left alone. Add this \
         line to it:"
    );
    project.hooks("uninstall").ok();
    assert_eq!(fs_err::read_to_string(project.hook()).unwrap(), theirs);
    write_hook(&project.hook(), &format!("{theirs}{line}"));
    project.commit("good").ok();
    assert_eq!(project.commit("bad").code, Some(1));
    assert_eq!(project.calls(), "theirs\ncargo --quiet xtask lint --staged of \n".repeat(2));
    let done = project.hooks("install").ok();
    assert!(done.stderr.ends_with(" calls the check already\n"), "{done:?}");
}

#[test]
fn the_hook_is_put_where_the_repository_has_its_hooks() {
    for (configured, folder) in
        [("hooks here", "project/hooks here"), ("~/my hooks", "my hooks"), ("HOME/any", "any")]
    {
        let project = Project::new();
        let configured = configured.replace("HOME", project.home().to_str().unwrap());
        project.git(&project.top(), &["config", "core.hooksPath", &configured]).ok();
        project.hooks_in(&project.top(), "install").ok();
        assert!(project.home().join(folder).join("pre-commit").exists(), "{configured}");
        assert!(!project.hook().exists());
        project.assert_checked(&project.top());
        project.hooks("uninstall").ok();
        assert!(!project.home().join(folder).join("pre-commit").exists());
    }
}

#[test]
fn hooks_of_all_repositories_are_left_alone_and_the_advice_helps() {
    let project = Project::new();
    project.git(&project.top(), &["config", "--global", "core.hooksPath", "~/all"]).ok();
    let refusal = project.hooks("install");
    assert!(!project.home().join("all").exists());
    assert!(refused(&project, &refusal).contains("core.hooksPath in git's global configuration"));
    let advice = refusal.stderr.lines().find(|line| line.contains("git config")).unwrap();
    let sh = project.path.join("sh");
    Done::from(project.command(&sh, &project.top(), &["-c", advice]).output().unwrap()).ok();
    project.hooks("install").ok();
    assert!(project.hook().exists());
    project.assert_checked(&project.top());
}

#[test]
fn the_line_for_a_hook_of_all_repositories_concerns_only_this_one() {
    let project = Project::new();
    project.install_cargo(&project.path);
    project.git(&project.top(), &["config", "--global", "core.hooksPath", "~/all"]).ok();
    let refusal = project.hooks("install").stderr;
    let line = refusal.lines().last().unwrap();
    write_hook(&project.home().join("all/pre-commit"), &format!("#!/bin/sh\n{line}\n"));
    assert_eq!(project.commit("bad").code, Some(1));
    project.git(&project.home(), &["init", "--quiet", "another"]).ok();
    project.commit_in(&project.home().join("another"), "bad").ok();
    assert_eq!(project.calls(), "cargo --quiet xtask lint --staged of \n");
}

#[test]
fn a_linked_folder_of_hooks_is_left_alone() {
    let project = Project::new();
    let hooks = project.hook().parent().unwrap().to_owned();
    fs_err::rename(&hooks, project.home().join("elsewhere")).unwrap();
    fs_err::os::unix::fs::symlink(project.home().join("elsewhere"), hooks).unwrap();
    assert!(refused(&project, &project.hooks("install")).contains("is a symbolic link"));
    assert!(!project.hook().exists());
}

#[test]
fn a_link_to_nothing_and_an_empty_path_are_refused() {
    let project = Project::new();
    fs_err::create_dir_all(project.hook().parent().unwrap()).unwrap();
    fs_err::os::unix::fs::symlink(project.home().join("nothing"), project.hook()).unwrap();
    let refusal = refused(&project, &project.hooks("install"));
    assert!(refusal.contains("is a symbolic link to nothing: remove it first"), "{refusal}");
    project.git(&project.top(), &["config", "core.hooksPath", ""]).ok();
    let refusal = refused(&project, &project.hooks("install"));
    assert!(refusal.contains("core.hooksPath is empty in git's configuration"), "{refusal}");
    assert!(!project.top().join("pre-commit").exists());
}

#[test]
fn hooks_that_are_turned_off_stay_so() {
    let project = Project::new();
    project.git(&project.top(), &["config", "core.hooksPath", "/dev/null"]).ok();
    assert_eq!(
        refused(&project, &project.hooks("install")),
        "error: /dev/null, where git looks for hooks, is no folder\n"
    );
}

#[test]
fn without_git_nothing_is_installed() {
    let project = Project::new();
    fs_err::remove_file(project.path.join("git")).unwrap();
    let refusal = refused(&project, &project.hooks("install"));
    assert!(refusal.contains("cannot start git, which hooks are for: No such file"), "{refusal}");
    assert!(!project.hook().exists());
}

#[test]
fn without_a_work_tree_there_is_nothing_to_install() {
    let project = Project::new();
    let plain = project.home().join("plain");
    project.lay(&plain);
    project.git(&project.home(), &["clone", "--quiet", "--bare", "project", "bare"]).ok();
    for folder in [plain, project.home().join("bare")] {
        for action in ["install", "uninstall"] {
            let refusal = refused(&project, &project.hooks_in(&folder, action));
            assert!(
                refusal.starts_with("error: a hook needs a clone with a work tree"),
                "{refusal}"
            );
        }
    }
}

#[test]
fn a_repository_that_only_surrounds_the_project_is_left_alone() {
    let project = Project::new();
    let inner = project.top().join("downloads/project");
    project.lay(&inner);
    let refusal = refused(&project, &project.hooks_in(&inner, "install"));
    assert!(refusal.contains("is not part of the repository in HOME/project"), "{refusal}");
    assert!(!project.hook().exists());
}

#[test]
fn inside_a_hook_of_another_repository_it_is_still_ours_that_gets_the_hook() {
    let project = Project::new();
    project.git(&project.home(), &["init", "--quiet", "another"]).ok();
    let mut command = project.command(
        Path::new(env!("CARGO_BIN_EXE_xtask")),
        &project.home(),
        &["hooks", "install"],
    );
    command.env("XTASK_ROOT", project.top()).env("GIT_DIR", project.home().join("another/.git"));
    Done::from(command.output().unwrap()).ok();
    assert!(project.hook().exists());
    assert!(!project.home().join("another/.git/hooks/pre-commit").exists());
}
