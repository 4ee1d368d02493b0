//! What every command does first: stacks that are not any more what they were started as, because
//! their owner was killed, the checkout moved or the machine started anew, are put right.

use super::take_down;
use crate::output::say;
use crate::stack::{Leaves, Lost, StackFolder, StackLock, State};
use crate::workspace::Workspace;

/// Puts right all stacks of the checkout.
///
/// # Errors
/// When a process of one cannot be ended, or a file not removed.
pub(crate) fn reconcile(workspace: &Workspace) -> anyhow::Result<()> {
    for folder in StackFolder::all(workspace)? {
        // A state that cannot be read is reported by the command that is about that stack.
        let Ok(Some(state)) = State::load(&folder) else { continue };
        if state.origin.lost(&folder)?.is_some() {
            let command = "a command that puts a lost stack right";
            let _lock = StackLock::take_if_exists(&folder, command)?;
            put_right(&folder)?;
        }
    }
    Ok(())
}

/// With the lock held: a guardian, or another command, may have done it before us.
fn put_right(folder: &StackFolder) -> anyhow::Result<()> {
    let Ok(Some(state)) = State::load(folder) else { return Ok(()) };
    let Some(lost) = state.origin.lost(folder)? else { return Ok(()) };
    let name = folder.name();
    match lost {
        Lost::Rebooted => {
            say(&format!(
                "the machine was started anew since stack {name} was: it is cleared away"
            ));
            forget(folder)?;
        }
        Lost::Copied(original) => {
            let original = original.display();
            say(&format!("stack {name} is a copy of {original}, and is cleared away here"));
            forget(folder)?;
        }
        Lost::Moved(original) => {
            let original = original.display();
            say(&format!("stack {name} was started in {original} and moved: it is taken down"));
            take_down::take_down(folder, &[])?;
        }
        Lost::Abandoned(owner) => {
            say(&format!("stack {name} was left by {owner}, which has ended: it is taken down"));
            take_down::take_down(folder, &[])?;
        }
    }
    match state.origin.owner {
        Some(owner) if owner.leaves == Leaves::Nothing => folder.remove(),
        _ => Ok(()),
    }
}

/// None of its processes is ours: it is only the files that go.
fn forget(folder: &StackFolder) -> anyhow::Result<()> {
    State::remove(folder)?;
    folder.clear()
}
