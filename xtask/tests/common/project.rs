//! A repository of the shape of ours, with a stand-in for xtask: it is the hook that is tried, not
//! what it calls.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::{Done, is_installed};

/// Tells who was called how, and refuses to commit a file of the name `bad`. It asks git, as the
/// real one does, so it needs what git has told the hook.
const CHECK: &str = r#"echo "NAME $* of ${CARGO_MANIFEST_DIR-}" >>"$HOME/calls"
! git diff --cached --name-only | grep -q 'bad$'
"#;

/// What the hook and git need, as it is on any PATH.
const TOOLS: [&str; 9] = ["git", "basename", "env", "find", "grep", "sed", "sh", "test", "uname"];

/// A home folder, and the repository `project` in it.
pub(crate) struct Project {
    home: tempfile::TempDir,
    /// What the programs see of our environment is this and their home.
    pub(crate) path: PathBuf,
}

impl Project {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("it's a \"home\" ").tempdir().unwrap();
        let path = home.path().join("bin");
        fs_err::create_dir(&path).unwrap();
        for name in TOOLS {
            fs_err::os::unix::fs::symlink(on_path(name), path.join(name)).unwrap();
        }
        let project = Self { home, path };
        let config = "[user]\nname = User\nemail = user@example.com\n[init]\ndefaultBranch = main\n\
                      [protocol \"file\"]\nallow = always\n[maintenance]\nauto = false\n";
        fs_err::write(project.home().join(".gitconfig"), config).unwrap();
        project.git(&project.home(), &["init", "--quiet", "project"]).ok();
        project.lay(&project.top());
        project.git(&project.top(), &["add", "."]).ok();
        project.git(&project.top(), &["commit", "--quiet", "--message", "first"]).ok();
        project
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.home.path().canonicalize().unwrap()
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.home().join("project")
    }

    pub(crate) fn hook(&self) -> PathBuf {
        self.top().join(".git/hooks/pre-commit")
    }

    /// The files of a small workspace, by which the hook knows it and sees whether it has changed.
    pub(crate) fn lay(&self, folder: &Path) {
        let package = "[package]\nname = \"NAME\"\nedition = \"2024\"\n";
        let files = [
            (".gitignore", "/target\n"),
            (".cargo/config.toml", "[net]\noffline = true\n"),
            ("Cargo.lock", ""),
            ("Cargo.toml", "[workspace]\nmembers = [\"xtask\"]\nresolver = \"3\"\n"),
            ("nginx/nginx.conf", ""),
            ("sdk-fixtures/Cargo.toml", &package.replace("NAME", "sdk-fixtures")),
            ("sdk-fixtures/src/lib.rs", ""),
            ("xtask/Cargo.toml", &package.replace("NAME", "xtask")),
            ("xtask/services.yml", ""),
            ("xtask/src/main.rs", "fn main() {}\n"),
        ];
        for (name, text) in files {
            fs_err::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs_err::write(folder.join(name), text).unwrap();
        }
    }

    /// Has a stand-in for the built xtask in that checkout.
    pub(crate) fn build(&self, checkout: &Path) {
        program(&checkout.join("target/debug/xtask"), "xtask");
    }

    /// Has a stand-in for cargo in that folder.
    pub(crate) fn install_cargo(&self, folder: &Path) {
        program(&folder.join("cargo"), "cargo");
    }

    /// Has all programs of this machine on PATH, first of all the cargo that builds the tests.
    pub(crate) fn see_all_programs(&mut self) {
        let toolchain = Path::new(env!("CARGO")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        self.path = format!("{}:{path}", toolchain.display()).into();
    }

    /// Takes out of the hook where cargo was when it was installed.
    pub(crate) fn forget_cargo_folder(&self) {
        let text = fs_err::read_to_string(self.hook()).unwrap();
        let line = text.lines().find(|line| line.starts_with("cargo_folder=")).unwrap();
        fs_err::write(self.hook(), text.replace(line, "cargo_folder=")).unwrap();
    }

    /// Makes a file newer than all that has been written until now.
    pub(crate) fn edit(&self, file: &Path) {
        let file = fs_err::OpenOptions::new().append(true).open(file).unwrap();
        file.file().set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    }

    /// A command that sees nothing of our environment.
    pub(crate) fn command(&self, program: &Path, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder);
        command.env_clear().env("HOME", self.home()).env("PATH", &self.path);
        command
    }

    pub(crate) fn git(&self, folder: &Path, arguments: &[&str]) -> Done {
        self.command(&on_path("git"), folder, arguments).output().unwrap().into()
    }

    /// `cargo xtask hooks ACTION` in that checkout.
    pub(crate) fn hooks_in(&self, checkout: &Path, action: &str) -> Done {
        let program = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let mut command = self.command(program, checkout, &["hooks", action]);
        command.env("XTASK_ROOT", checkout).output().unwrap().into()
    }

    pub(crate) fn hooks(&self, action: &str) -> Done {
        self.hooks_in(&self.top(), action)
    }

    /// Commits a new file of that name.
    pub(crate) fn commit_in(&self, folder: &Path, name: &str) -> Done {
        fs_err::write(folder.join(name), "").unwrap();
        self.git(folder, &["add", name]).ok();
        let done = self.git(folder, &["commit", "--quiet", "--message", name]);
        self.git(folder, &["reset", "--quiet"]).ok();
        done
    }

    pub(crate) fn commit(&self, name: &str) -> Done {
        self.commit_in(&self.top(), name)
    }

    /// Who was called since this was last asked.
    pub(crate) fn calls(&self) -> String {
        let calls = self.home().join("calls");
        let text = std::fs::read_to_string(&calls).unwrap_or_default();
        fs_err::write(calls, "").unwrap();
        text.replace(self.home().to_str().unwrap(), "HOME")
    }

    /// Shows that a commit in that checkout is checked.
    #[track_caller]
    pub(crate) fn assert_checked(&self, checkout: &Path) {
        self.build(checkout);
        self.calls();
        self.commit_in(checkout, "good").ok();
        assert_eq!(self.commit_in(checkout, "bad").code, Some(1));
        let package = checkout.join("xtask").display().to_string();
        let call = format!("xtask lint --staged of {package}\n")
            .replace(self.home().to_str().unwrap(), "HOME");
        assert_eq!(self.calls(), call.repeat(2));
    }
}

/// Where PATH has it.
pub(crate) fn on_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
    found.find(|path| path.exists()).unwrap_or_else(|| panic!("{program} is not installed"))
}

fn program(path: &Path, name: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, format!("#!/bin/sh\n{}", CHECK.replace("NAME", name))).unwrap();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Shows that a script is one for every POSIX shell.
#[track_caller]
pub(crate) fn assert_is_posix(script: &Path) {
    if is_installed("shellcheck") {
        let check = Command::new("shellcheck").args(["--shell", "sh"]).arg(script).output();
        Done::from(check.unwrap()).ok();
    }
    if is_installed("dash") {
        Done::from(Command::new("dash").arg("-n").arg(script).output().unwrap()).ok();
    }
}
