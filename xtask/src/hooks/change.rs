//! Writing the hook and removing it, and when either is refused.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::{NamedTempFile, PersistError};

use super::repository::Repository;
use super::script::{self, Owner};
use crate::failure::Usage;
use crate::programs;

/// What others have to call in a hook of their own.
const CHECK: &str = "cargo --quiet xtask lint --staged";

/// Whoever may read the hook may run it.
const MODE: u32 = 0o755;

/// Whether what is there by now may be replaced.
type Persist = fn(NamedTempFile, PathBuf) -> Result<File, PersistError>;

/// Puts our hook where git looks for it, and says what was done.
///
/// # Errors
/// When there is no repository, the hooks are not its own, or it has another hook.
pub(crate) fn install(root: &Path) -> anyhow::Result<String> {
    let repository = Repository::around(root)?;
    refuse_shared(&repository)?;
    let path = repository.hooks.join("pre-commit");
    let at = path.display();
    let wanted = script::render(&repository.folder, cargo_folder().as_deref());
    let wanted = wanted.context("the path of this folder is not UTF-8, as a script has to be")?;
    if path.is_symlink() && !path.exists() {
        anyhow::bail!(Usage(format!("{at} is a symbolic link to nothing: remove it first")));
    }
    let found = read(&path)?;
    match found.as_deref().map(script::owner) {
        None => write(&path, &wanted, NamedTempFile::persist_noclobber)?,
        Some(Owner::Ours) if found.as_ref() == Some(&wanted) && is_executable(&path)? => {
            return Ok(format!("{at} is installed already"));
        }
        Some(Owner::Ours) => {
            write(&path, &wanted, NamedTempFile::persist)?;
            return Ok(format!("{at} was of another version, and is renewed"));
        }
        Some(Owner::Calling) => return Ok(format!("{at} calls the check already")),
        Some(Owner::Changed) => anyhow::bail!(Usage(format!(
            "{at} has been changed since it was installed, and is left alone. Delete it to have it \
             installed anew"
        ))),
        Some(Owner::Framework) => anyhow::bail!(Usage(format!(
            "{at} is the pre-commit framework's, and is left alone: .pre-commit-config.yaml has \
             the check for it"
        ))),
        Some(Owner::Foreign) => anyhow::bail!(Usage(format!(
            "{at} is another hook, and is left alone. Add this line to it:\n    {}",
            line(&repository.folder)
        ))),
    }
    Ok(format!("{at} is installed: `git commit` checks what is staged, unless with --no-verify"))
}

/// Removes our hook, if it is there, and says what was done.
///
/// # Errors
/// When there is no repository, or the hook has been changed.
pub(crate) fn uninstall(root: &Path) -> anyhow::Result<String> {
    let path = Repository::around(root)?.hooks.join("pre-commit");
    let at = path.display();
    match read(&path)?.as_deref().map(script::owner) {
        None => Ok(format!("there is no {at}")),
        Some(Owner::Ours) => {
            fs_err::remove_file(&path)?;
            Ok(format!("{at} is removed"))
        }
        Some(Owner::Changed) => anyhow::bail!(Usage(format!(
            "{at} has been changed since it was installed, and is left alone. Delete it yourself"
        ))),
        Some(Owner::Calling) => Ok(format!(
            "{at} is another hook, and is left alone. Remove the check from it yourself"
        )),
        Some(Owner::Framework | Owner::Foreign) => {
            Ok(format!("{at} is another hook, and is left alone"))
        }
    }
}

/// Nothing is put where other repositories would run it.
fn refuse_shared(repository: &Repository) -> Result<(), Usage> {
    if repository.is_without_hooks {
        return Err(Usage(
            "core.hooksPath is empty in git's configuration, so that no hook is called: remove it \
             with `git config --unset core.hooksPath`"
                .to_owned(),
        ));
    }
    let hooks = repository.hooks.display();
    if repository.shares_hooks() {
        let scope = repository.scope.as_deref().unwrap_or_default();
        let own = script::quote(&repository.own_hooks.to_string_lossy());
        let line = line(&repository.folder);
        let marker = repository.folder.join("xtask/services.yml");
        let marker = script::quote(&marker.to_string_lossy());
        return Err(Usage(format!(
            "other repositories have the hooks in {hooks} too, by core.hooksPath in git's {scope} \
             configuration. Give this repository its own:\n    git config core.hooksPath {own}\nor \
             add this line to the hook `pre-commit` there:\n    test ! -f {marker} || {line}"
        )));
    }
    if repository.hooks.is_symlink() {
        return Err(Usage(format!(
            "{hooks} is a symbolic link, so that other repositories may have the same hooks"
        )));
    }
    if repository.hooks.exists() && !repository.hooks.is_dir() {
        return Err(Usage(format!("{hooks}, where git looks for hooks, is no folder")));
    }
    Ok(())
}

/// What to add to a hook of somebody else, for a project in that folder.
fn line(folder: &Path) -> String {
    match folder.to_string_lossy().as_ref() {
        "" => format!("{CHECK} || exit 1"),
        folder => format!("(cd {} && {CHECK}) || exit 1", script::quote(folder)),
    }
}

/// Where cargo is: for hooks that are called without a shell's PATH.
fn cargo_folder() -> Option<PathBuf> {
    let named = || std::env::var_os("CARGO").map(PathBuf::from);
    Some(programs::find("cargo").or_else(named)?.parent()?.to_owned())
}

/// `None` if there is no such file. What is no text is nobody's that we know.
fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_executable(path: &Path) -> anyhow::Result<bool> {
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o100 != 0)
}

/// In one step: a commit may be made at any time.
fn write(path: &Path, text: &str, persist: Persist) -> anyhow::Result<()> {
    let folder = path.parent().context("a hook lies in a folder")?;
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".pre-commit")
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    persist(file, path.to_owned()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
