//! The binary of the embedded services: built when its sources have changed, and not looked at by
//! cargo otherwise, since starting cargo takes longer than starting a cluster.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context;

use crate::environment;
use crate::output::say;
use crate::workspace::Workspace;

/// The path of the `services` binary, which is built first if it is missing or out of date.
///
/// # Errors
/// When the build fails; cargo has said why.
pub(crate) fn services_binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the folder of built programs")?;
    // Beside ourselves: wherever cargo was told to build, and in whichever profile.
    let folder = own.parent().context("a program lies in a folder")?;
    let binary = folder.join("services");
    let stamp = folder.join("services.stamp");
    let toolchain = toolchain();
    if let Err(reason) = is_fresh(&Workspace::source(), &binary, &stamp, &toolchain) {
        build(&Workspace::source(), folder, &stamp, &toolchain, &reason)?;
    }
    Ok(binary)
}

fn build(
    root: &Path,
    folder: &Path,
    stamp: &Path,
    toolchain: &str,
    reason: &str,
) -> anyhow::Result<()> {
    say(&format!("building the embedded services ({reason}); the first time takes about a minute"));
    // Dated before the build begins, so that what is edited meanwhile is newer.
    let new_stamp = tempfile::Builder::new()
        .prefix("services.stamp")
        // Whoever may run the binary has to see that it is fresh.
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    fs_err::write(new_stamp.path(), toolchain)?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    environment::clean(&mut command);
    command.current_dir(root).args(["build", "--package", "services", "--bin", "services"]);
    command.arg("--target-dir").arg(target_folder(folder)?);
    let profile = folder.file_name().unwrap_or_default();
    command.arg("--profile").arg(if profile == "debug" { "dev".as_ref() } else { profile });
    // Standard output carries results only.
    command.stdout(std::io::stderr());
    let status = command.status().context("cannot start cargo")?;
    anyhow::ensure!(status.success(), "cargo could not build the embedded services ({status})");
    new_stamp.persist(stamp)?;
    Ok(())
}

/// The folder that cargo builds into, above the one of a profile and, if one was asked for, of a
/// platform. Cargo tags it.
fn target_folder(profile_folder: &Path) -> anyhow::Result<&Path> {
    let tagged = profile_folder.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    tagged.or(profile_folder.parent()).context("a profile lies in a target folder")
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

/// # Errors
/// Says why the binary has to be built.
fn is_fresh(root: &Path, binary: &Path, stamp: &Path, toolchain: &str) -> Result<(), String> {
    let built = modified(stamp).map_err(|_| "not built yet".to_owned())?;
    let old_toolchain = std::fs::read_to_string(stamp).unwrap_or_default();
    if !toolchain.is_empty() && toolchain != old_toolchain {
        return Err("another toolchain".into());
    }
    modified(binary).map_err(|_| "not built yet".to_owned())?;
    let listing = std::fs::read_to_string(binary.with_extension("d"))
        .map_err(|_| "its sources are not known".to_owned())?;
    let manifests = [
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        "services/Cargo.toml",
        "sdk-fixtures/Cargo.toml",
    ];
    let manifests = manifests.map(|name| root.join(name));
    for source in dependencies(&listing).into_iter().chain(manifests) {
        let name = source.strip_prefix(root).unwrap_or(&source).display();
        match modified(&source) {
            Ok(time) if time <= built => {}
            Ok(_) => return Err(format!("{name} has changed")),
            Err(_) => return Err(format!("{name} is gone")),
        }
    }
    Ok(())
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_name_with_a_space_is_one_name() {
        let listing = "/a\\ b/services: /a\\ b/main.rs /a\\ b/api.rs\n";
        assert_eq!(dependencies(listing), [Path::new("/a b/main.rs"), Path::new("/a b/api.rs")]);
    }

    struct Tree(tempfile::TempDir);

    impl Tree {
        /// A workspace whose binary is fresh, with the stamp a minute after the sources.
        fn built() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for folder in [".cargo", "services", "sdk-fixtures"] {
                fs_err::create_dir(tree.path(folder)).unwrap();
            }
            let manifests = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
            let packages = ["services/Cargo.toml", "sdk-fixtures/Cargo.toml"];
            for name in manifests.into_iter().chain(packages).chain(["main.rs", "services.bin"]) {
                tree.write(name, "", 0);
            }
            let main = tree.path("main.rs").display().to_string();
            let listing = format!("x: {}", main.replace(' ', "\\ "));
            tree.write("services.d", &listing, 0);
            tree.write("stamp", "toolchain 1", 60);
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
            is_fresh(self.0.path(), &self.path("services.bin"), &self.path("stamp"), toolchain)
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
}
