//! Where, when and for whom a stack was started, and whether that is still so.
//!
//! A checkout is moved or copied, a machine is started anew, an owner is killed: a stack may then
//! not be taken for what its file says.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{StackFolder, State};
use crate::process::identity::{self, Identity};

/// Of a stack, at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Origin {
    /// The boot of the machine that the processes belong to.
    pub(crate) boot_id: String,
    /// No process of the stack started earlier than this, in clock ticks since the boot.
    pub(crate) since: u64,
    /// The stack's folder.
    pub(crate) folder: PathBuf,
    /// Whose it is, if it goes down with a process.
    pub(crate) owner: Option<Owner>,
}

/// The process that a stack goes down with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Owner {
    pub(crate) process: Identity,
    pub(crate) leaves: Leaves,
    /// Who waits for the end of that process, if it is not a child of it: it has nothing left to do
    /// once the stack is down.
    #[serde(default)]
    pub(crate) guardian: Option<Identity>,
}

/// What of an owned stack stays when it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Leaves {
    Nothing,
    Logs,
}

/// Why a stack is not any more what it was started as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Its processes ended with an earlier boot of the machine.
    Rebooted,
    /// It was started in this folder, which has been moved here since.
    Moved(PathBuf),
    /// It is the stack of this folder, of which the one here is a copy.
    Copied(PathBuf),
    /// Its owner has ended.
    Abandoned(Identity),
}

/// What is found now.
struct Found<'a> {
    boot_id: &'a str,
    folder: &'a Path,
    /// Whether that very stack is where it was started.
    original_is_there: bool,
    owner_is_alive: bool,
}

impl Owner {
    /// This process.
    ///
    /// # Errors
    /// When the kernel does not tell who we are.
    pub(crate) fn us(leaves: Leaves) -> anyhow::Result<Self> {
        Ok(Self { process: own_identity()?, leaves, guardian: None })
    }
}

fn own_identity() -> anyhow::Result<Identity> {
    Identity::own().context("this process is not in the table of processes")
}

impl Origin {
    /// Of a stack that this process starts in `folder`.
    ///
    /// # Errors
    /// When the kernel does not tell who we are.
    pub(crate) fn here(folder: &StackFolder, owner: Option<Owner>) -> anyhow::Result<Self> {
        let own = own_identity()?;
        Ok(Self {
            boot_id: identity::boot_id()?,
            since: own.start_time,
            folder: folder.path().to_owned(),
            owner,
        })
    }

    /// Whether that process owns it.
    pub(crate) fn is_owned_by(&self, process: Identity) -> bool {
        self.owner.is_some_and(|owner| owner.process == process)
    }

    /// Whether not even its logs stay when it is down.
    pub(crate) fn leaves_nothing(&self) -> bool {
        self.owner.is_some_and(|owner| owner.leaves == Leaves::Nothing)
    }

    /// Why the stack that now lies in `folder` is not what it was; `None` if it is.
    ///
    /// # Errors
    /// When the kernel does not tell which boot this is.
    pub(crate) fn lost(&self, folder: &StackFolder) -> anyhow::Result<Option<Lost>> {
        let original = StackFolder::at(&self.folder);
        // Somebody may have started another stack there since.
        let is_this =
            |original| matches!(State::load(&original), Ok(Some(state)) if state.origin == *self);
        let found = Found {
            boot_id: &identity::boot_id()?,
            folder: folder.path(),
            original_is_there: original.is_some_and(is_this),
            owner_is_alive: self.owner.is_some_and(|owner| owner.process.is_alive()),
        };
        Ok(self.compare(&found))
    }

    fn compare(&self, found: &Found<'_>) -> Option<Lost> {
        if self.folder != found.folder {
            // Of a copy, the processes are those of the original, whatever else has happened.
            return Some(match found.original_is_there {
                true => Lost::Copied(self.folder.clone()),
                false => Lost::Moved(self.folder.clone()),
            });
        }
        if self.boot_id != found.boot_id {
            return Some(Lost::Rebooted);
        }
        let abandoned = self.owner.filter(|_| !found.owner_is_alive);
        abandoned.map(|owner| Lost::Abandoned(owner.process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner {
        process: Identity { pid: 7, start_time: 70 },
        leaves: Leaves::Nothing,
        guardian: None,
    };

    fn origin(owner: Option<Owner>) -> Origin {
        Origin { boot_id: "this".into(), since: 1, folder: "/a".into(), owner }
    }

    fn here() -> Found<'static> {
        Found {
            boot_id: "this",
            folder: Path::new("/a"),
            original_is_there: true,
            owner_is_alive: false,
        }
    }

    #[test]
    fn a_stack_where_it_was_started_is_what_it_was() {
        assert_eq!(origin(None).compare(&here()), None);
        let alive = Found { owner_is_alive: true, ..here() };
        assert_eq!(origin(Some(OWNER)).compare(&alive), None);
    }

    #[test]
    fn a_stack_whose_owner_has_ended_is_abandoned() {
        let lost = origin(Some(OWNER)).compare(&here());
        assert_eq!(lost, Some(Lost::Abandoned(OWNER.process)));
    }

    #[test]
    fn after_a_reboot_no_process_is_ours() {
        let rebooted = Found { boot_id: "another", ..here() };
        assert_eq!(origin(Some(OWNER)).compare(&rebooted), Some(Lost::Rebooted));
    }

    #[test]
    fn a_copy_is_told_from_the_original_that_was_moved() {
        let elsewhere = Found { folder: Path::new("/b"), ..here() };
        assert_eq!(origin(None).compare(&elsewhere), Some(Lost::Copied("/a".into())));
        let moved = Found { original_is_there: false, ..elsewhere };
        assert_eq!(origin(None).compare(&moved), Some(Lost::Moved("/a".into())));
    }
}
