//! What every command does first: stacks that are not any more what they were started as, because
//! their owner was killed, the checkout moved or the machine started anew, are put right.

use super::take_down;
use crate::output::say;
use crate::stack::{Lost, StackFolder, StackLock, State};
use crate::workspace::Workspace;

/// Who we are, for others that have to wait for us.
const COMMAND: &str = "a command that puts a lost stack right";

/// Puts right all stacks of the checkout.
///
/// # Errors
/// When a process of one cannot be ended, or a file not removed.
pub(crate) fn reconcile(workspace: &Workspace) -> anyhow::Result<()> {
    for folder in StackFolder::all(workspace)? {
        match State::load(&folder) {
            Ok(Some(state)) if state.origin.lost(&folder)?.is_some() => {
                let _lock = StackLock::take_if_exists(&folder, COMMAND)?;
                put_right(&folder)?;
            }
            Ok(None) if folder.is_unused()? => remove_if_unused(&folder)?,
            // A state that cannot be read is reported by the command that is about that stack.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Does the same for one stack, of which it is known that nobody owns it any more. Its lock has to
/// be held.
///
/// # Errors
/// When a process cannot be ended, or a file not removed.
pub(crate) fn put_right(folder: &StackFolder) -> anyhow::Result<()> {
    let Some(state) = State::load(folder)? else {
        // Another command has done it before us, or there never was more than a folder.
        return if folder.is_unused()? { folder.remove_unused() } else { Ok(()) };
    };
    let Some(lost) = state.origin.lost(folder)? else { return Ok(()) };
    let name = folder.name();
    match lost {
        Lost::Rebooted => {
            say(&format!(
                "the machine was started anew since stack {name} was: it is cleared away"
            ));
        }
        Lost::Copied(original) => {
            let original = original.display();
            say(&format!("stack {name} is a copy of {original}, and is cleared away here"));
            // None of its processes is ours: it is only the files that go.
            folder.clear()?;
            return State::remove(folder);
        }
        Lost::Moved(original) => {
            let original = original.display();
            say(&format!("stack {name} was started in {original} and moved: it is taken down"));
        }
        Lost::Abandoned(owner) => {
            say(&format!("stack {name} was left by {owner}, which has ended: it is taken down"));
        }
    }
    // Where the machine was started anew, there is no process that this would end.
    take_down::take_down(folder, &[]).map(drop)
}

fn remove_if_unused(folder: &StackFolder) -> anyhow::Result<()> {
    let Some(_lock) = StackLock::take_if_free(folder, COMMAND)? else { return Ok(()) };
    put_right(folder)
}
