//! A repository for `lint` to look at.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::{Checkout, Done};

/// A checkout that is a repository of its own, with all that `lint` looks at and one small package.
pub(crate) struct Repository {
    pub(crate) checkout: Checkout,
}

/// What the package has.
pub(crate) const SOURCE: &str = "//! A package.\n\n/// Two.\npub fn two() -> u8 {\n    2\n}\n";
const MANIFEST: &str = "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                        [workspace]\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"small\"\nversion = \"0.1.0\"\n";

/// A file of fixtures.
pub(crate) const TOKENS: &str = "sdk-fixtures/fixtures/api_client_authorizations.yml";

const COMMON_PROGRAMS: [&str; 9] = [
    "cargo",
    "cargo-clippy",
    "cargo-fmt",
    "clippy-driver",
    "git",
    "rustc",
    "rustdoc",
    "rustfmt",
    "sh",
];

impl Repository {
    /// With nothing committed or staged.
    pub(crate) fn empty() -> Self {
        let repository = Self { checkout: Checkout::new() };
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let fixtures = "sdk-fixtures/fixtures";
        for entry in fs_err::read_dir(ours.join(fixtures)).unwrap() {
            let name = format!("{fixtures}/{}", entry.unwrap().file_name().to_str().unwrap());
            repository.copy(&name);
        }
        for name in ["nginx/nginx.conf", "rustfmt.toml", "_typos.toml"] {
            repository.copy(name);
        }
        repository.write("xtask/suites.yml", "suites:\n  one:\n    command: ['true']\n");
        repository.write("Cargo.toml", MANIFEST);
        repository.write("Cargo.lock", LOCK);
        repository.write(".gitignore", "/target/\n*.snap.new\n");
        repository.write("src/lib.rs", SOURCE);
        repository.write("run.sh", "#!/bin/sh\nset -e\n");
        repository.git(&["init", "--quiet"]);
        repository.git(&["config", "user.name", "User"]);
        repository.git(&["config", "user.email", "user@example.com"]);
        repository.git(&["config", "commit.gpgsign", "false"]);
        // Git would look after the repository in the background, beyond the end of a test.
        repository.git(&["config", "maintenance.auto", "false"]);
        let hooks = repository.checkout.root().join(".git/hooks");
        repository.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]);
        repository
    }

    /// With everything committed.
    pub(crate) fn new() -> Self {
        let repository = Self::empty();
        repository.git(&["add", "."]);
        repository.git(&["commit", "--quiet", "--message", "first"]);
        repository
    }

    fn copy(&self, name: &str) {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        self.write(name, &fs_err::read_to_string(ours.join(name)).unwrap());
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.checkout.root().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Replaces a part of a file, which must be there.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.checkout.root().join(name)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {name}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn git_in(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(folder).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command.env("XTASK_ROOT", folder);
        command
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.git_in(&self.checkout.root(), arguments);
        Done::from(command.output().unwrap()).ok().stdout
    }

    /// Has git run `lint --staged` before each commit, as a hook does.
    pub(crate) fn hook(&self) {
        let path = self.checkout.root().join(".git/hooks/pre-commit");
        let xtask = env!("CARGO_BIN_EXE_xtask");
        self.write(&path, &format!("#!/bin/sh\nexec '{xtask}' lint --staged\n"));
        fs_err::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// `git commit` with these arguments.
    pub(crate) fn commit(&self, arguments: &[&str]) -> Done {
        let arguments = [&["commit", "--quiet", "--message", "next"], arguments].concat();
        self.git_in(&self.checkout.root(), &arguments).output().unwrap().into()
    }

    /// `lint ARGUMENTS`, with those programs that this machine has.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.checkout.command(&[&["lint"], arguments].concat());
        command.current_dir(self.checkout.root());
        command
    }

    pub(crate) fn lint(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// `lint ARGUMENTS` with only those programs that every contributor has.
    pub(crate) fn plainly(&self, arguments: &[&str]) -> Done {
        let bin = self.checkout.root().parent().unwrap().join("bin");
        fs_err::create_dir_all(&bin).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        for name in COMMON_PROGRAMS {
            let found = std::env::split_paths(&path).map(|folder| folder.join(name));
            if let Some(program) = found.into_iter().find(|program| program.exists()) {
                let _is_there_already = symlink(program, bin.join(name));
            }
        }
        self.command(arguments).env("PATH", bin).output().unwrap().into()
    }

    /// What a person sees, without what differs from run to run and from machine to machine.
    pub(crate) fn seen(&self, done: &Done) -> String {
        let root = self.checkout.root().display().to_string();
        let mut seen = String::new();
        for line in done.stderr.replace(&root, "ROOT").lines() {
            let line = match line.rsplit_once("  ") {
                // Daemons are also found where PATH does not lead to.
                Some(_) if line.starts_with("nginx ") => "nginx         …".to_owned(),
                Some((start, time)) if time.ends_with(" s") => format!("{start}  N s"),
                // What a compiler says differs from one to the next.
                _ => match line.split_once(": error: ") {
                    Some((place, _)) => format!("{place}: error: …"),
                    None => line.to_owned(),
                },
            };
            seen.push_str(&format!("{line}\n"));
        }
        // It is either passed or skipped there.
        let failed = done.stdout.split_once(" passed, ").and_then(|(_, it)| it.split_once(", "));
        let stdout = match failed {
            Some((failed, _)) if seen.contains("\nnginx ") => {
                format!("N checks passed, {failed}, N skipped")
            }
            _ => done.stdout.trim_end().to_owned(),
        };
        format!("{seen}stdout: {stdout}\nexit code {}\n\n", done.code.unwrap())
    }

    /// That what is staged is refused, with this in one of the lines that say why.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str) {
        let done = self.lint(&["--staged"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.lines().any(|it| it.starts_with(line)), "no {line:?} in {done:?}");
    }

    /// That what is staged passes, in one line at most.
    #[track_caller]
    pub(crate) fn passes(&self) {
        let done = self.lint(&["--staged"]).ok();
        assert_eq!(done.stderr, "");
        assert_eq!(done.stdout.lines().count(), 1, "{done:?}");
    }
}
