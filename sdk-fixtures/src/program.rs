//! The programs of the checkout: built when their sources have changed, and not looked at by cargo
//! otherwise, since starting cargo takes longer than starting a cluster.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::environment;
use crate::error::Error;

/// A program of the checkout, which is the only one of a package of its name.
#[derive(Clone, Debug)]
pub struct Program {
    root: PathBuf,
    folder: PathBuf,
    name: &'static str,
    cargo: OsString,
}

impl Program {
    /// The program `name` of the checkout in `root`, in the folder of a profile such as
    /// `target/debug`, which need not be there yet.
    pub fn new(root: impl Into<PathBuf>, folder: impl Into<PathBuf>, name: &'static str) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self { root: root.into(), folder: folder.into(), name, cargo }
    }

    /// Its path, after it has been built if it is missing or out of date; then `announce` is told
    /// why. Of many who ask at once, one builds it.
    ///
    /// # Errors
    /// When it cannot be built; cargo has said why on standard error.
    pub fn up_to_date(&self, announce: impl FnOnce(&str)) -> Result<PathBuf, Error> {
        let toolchain = toolchain();
        if self.is_fresh(&toolchain).is_err() {
            let manifest = fs_err::File::open(self.manifest())?.into_parts().0;
            // Where the file system has no locks, several build it, and cargo lets them take turns.
            let _ = manifest.lock();
            if let Err(reason) = self.is_fresh(&toolchain) {
                announce(&reason);
                self.build(&toolchain)?;
            }
        }
        Ok(self.path())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Dated when the last build began that we know of; it names the toolchain.
    fn stamp(&self) -> PathBuf {
        self.folder.join(format!("{}.stamp", self.name))
    }

    fn manifest(&self) -> PathBuf {
        self.root.join(self.name).join("Cargo.toml")
    }

    fn build(&self, toolchain: &str) -> Result<(), Error> {
        // What is edited meanwhile is newer. Only a file's time can be compared with other files'.
        let begun = tempfile::tempfile()?.metadata()?.modified()?;
        let failed = |reason: String| Error::Build { program: self.name, reason };
        let status = self
            .cargo_build()
            .status()
            .map_err(|error| failed(format!("cannot start {}: {error}", self.cargo.display())))?;
        if !status.success() {
            return Err(failed(format!("{status}; cargo has said why")));
        }
        if !self.path().exists() {
            let place = self.path().display().to_string();
            return Err(failed(format!("cargo is configured to build it elsewhere than {place}")));
        }
        let mut stamp = tempfile::Builder::new();
        // Whoever may run the program has to see that it is fresh.
        let stamp = stamp.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let stamp = stamp.tempfile_in(&self.folder)?;
        fs_err::write(stamp.path(), toolchain)?;
        stamp.as_file().set_modified(begun)?;
        stamp.persist(self.stamp()).map_err(|error| error.error)?;
        Ok(())
    }

    fn cargo_build(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        environment::clean(&mut command);
        let target = target_folder(&self.folder);
        // With the features that it has in the tests of the workspace: else it would be replaced
        // while they run it.
        command.current_dir(&self.root).args(["build", "--workspace", "--bin", self.name]);
        command.arg("--target-dir").arg(target);
        let profile = self.folder.file_name().unwrap_or_default();
        command.arg("--profile").arg(if profile == "debug" { "dev".as_ref() } else { profile });
        if self.folder.parent() == Some(target) {
            // Else it would be built into the folder of that platform.
            command.env_remove("CARGO_BUILD_TARGET");
        }
        // Standard output carries results only.
        command.stdin(std::process::Stdio::null()).stdout(std::io::stderr());
        command
    }

    /// # Errors
    /// Says why it has to be built.
    fn is_fresh(&self, toolchain: &str) -> Result<(), String> {
        let built = modified(&self.stamp()).map_err(|_| "not built yet".to_owned())?;
        let old_toolchain = std::fs::read_to_string(self.stamp()).unwrap_or_default();
        if !toolchain.is_empty() && toolchain != old_toolchain {
            return Err("another toolchain".into());
        }
        modified(&self.path()).map_err(|_| "not built yet".to_owned())?;
        let listing = std::fs::read_to_string(self.path().with_extension("d"))
            .map_err(|_| "its sources are not known".to_owned())?;
        let manifests =
            ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "sdk-fixtures/Cargo.toml"];
        let manifests = manifests.map(|name| self.root.join(name));
        let manifests = manifests.into_iter().chain([self.manifest()]);
        for source in dependencies(&listing).into_iter().chain(manifests) {
            let name = source.strip_prefix(&self.root).unwrap_or(&source).display();
            match modified(&source) {
                Ok(time) if time <= built => {}
                Ok(_) => return Err(format!("{name} has changed")),
                Err(_) => return Err(format!("{name} is gone")),
            }
        }
        Ok(())
    }
}

/// The folder that cargo builds into, above the one of a profile and, if one was asked for, of a
/// platform. Cargo tags it.
fn target_folder(profile_folder: &Path) -> &Path {
    let mut above = profile_folder.ancestors().skip(1).take(2);
    let tagged = above.find(|folder| folder.join("CACHEDIR.TAG").exists());
    tagged.or(profile_folder.parent()).unwrap_or(profile_folder)
}

/// Names the toolchain by where it is and when it was installed: asking it would take as long as
/// starting cargo. Empty if we were not started by cargo: then there is none to compare.
fn toolchain() -> String {
    let Some(cargo) = std::env::var_os("CARGO") else {
        return String::new();
    };
    let installed = modified(Path::new(&cargo))
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!("{} {installed:?}", cargo.display())
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(path)?.modified()
}

/// The files that cargo's dep-info lists: `TARGET: FILE FILE…`, with a backslash before a space
/// that is part of a name.
fn dependencies(listing: &str) -> Vec<PathBuf> {
    const SPACE_IN_NAME: char = '\0';
    let unescaped = listing.replace("\\ ", &SPACE_IN_NAME.to_string());
    unescaped
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.1.to_owned()))
        .flat_map(|files| {
            let files: Vec<PathBuf> = files
                .split_ascii_whitespace()
                .map(|file| PathBuf::from(file.replace(SPACE_IN_NAME, " ")))
                .collect();
            files
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_name_with_a_space_is_one_name() {
        let listing = "/a\\ b/services: /a\\ b/main.rs /a\\ b/api.rs\n";
        assert_eq!(dependencies(listing), [Path::new("/a b/main.rs"), Path::new("/a b/api.rs")]);
    }

    /// A checkout whose program is fresh, with the stamp a minute after the sources.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn built() -> Self {
            let tree = Self(tempfile::Builder::new().prefix("a tree ").tempdir().unwrap());
            for folder in [".cargo", "services", "sdk-fixtures", "target/debug"] {
                fs_err::create_dir_all(tree.path(folder)).unwrap();
            }
            let manifests = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
            let packages = ["services/Cargo.toml", "sdk-fixtures/Cargo.toml"];
            let program = ["main.rs", "target/debug/services"];
            for name in manifests.into_iter().chain(packages).chain(program) {
                tree.write(name, "", 0);
            }
            let main = tree.path("main.rs").display().to_string();
            let listing = format!("x: {}", main.replace(' ', "\\ "));
            tree.write("target/debug/services.d", &listing, 0);
            tree.write("target/debug/services.stamp", "toolchain 1", 60);
            tree
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, text: &str, seconds: u64) {
            fs_err::write(self.path(name), text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
            let file = std::fs::File::options().write(true).open(self.path(name)).unwrap();
            file.set_modified(time).unwrap();
        }

        fn check(&self, toolchain: &str) -> Result<(), String> {
            self.program("cargo").is_fresh(toolchain)
        }

        fn program(&self, cargo: &str) -> Program {
            let program = Program::new(self.0.path(), self.path("target/debug"), "services");
            Program { cargo: cargo.into(), ..program }
        }
    }

    #[test]
    fn an_unchanged_tree_needs_no_build() {
        assert_eq!(Tree::built().check("toolchain 1"), Ok(()));
        assert_eq!(Tree::built().check(""), Ok(()));
    }

    #[test]
    fn a_changed_source_manifest_or_toolchain_needs_one() {
        let tree = Tree::built();
        tree.write("main.rs", "", 61);
        assert_eq!(tree.check(""), Err("main.rs has changed".into()));
        let tree = Tree::built();
        tree.write("Cargo.lock", "", 61);
        assert_eq!(tree.check(""), Err("Cargo.lock has changed".into()));
        let tree = Tree::built();
        fs_err::remove_file(tree.path("main.rs")).unwrap();
        assert_eq!(tree.check(""), Err("main.rs is gone".into()));
        assert_eq!(Tree::built().check("toolchain 2"), Err("another toolchain".into()));
    }

    #[test]
    fn of_many_who_ask_at_once_one_builds() {
        let tree = Tree::built();
        fs_err::remove_file(tree.path("target/debug/services.stamp")).unwrap();
        let cargo = tree.path("cargo");
        fs_err::write(&cargo, "#!/bin/sh\necho built >>calls\n").unwrap();
        fs_err::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
        let ask = || tree.program(cargo.to_str().unwrap()).up_to_date(|_| {}).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(ask);
            }
        });
        assert_eq!(fs_err::read_to_string(tree.path("calls")).unwrap(), "built\n");
    }

    #[test]
    fn a_build_that_fails_or_makes_nothing_is_an_error_and_leaves_the_program_stale() {
        let tree = Tree::built();
        fs_err::remove_file(tree.path("target/debug/services")).unwrap();
        for (cargo, wanted) in [
            ("false", "cannot build the program services: exit status: 1"),
            (
                "true",
                "cannot build the program services: cargo is configured to build it elsewhere",
            ),
            (
                "/no/cargo",
                "cannot build the program services: cannot start /no/cargo: No such file",
            ),
        ] {
            let error = tree.program(cargo).up_to_date(|_| {}).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
            assert_eq!(tree.check(""), Err("not built yet".into()));
        }
    }
}
