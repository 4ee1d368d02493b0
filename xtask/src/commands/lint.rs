//! `lint`: what has to hold for every change, in the work tree or in what is staged.

use crate::cli::Lint;
use crate::failure::{CheckFailed, Interrupted, Usage};
use crate::lint::report::{self, Tally};
use crate::lint::{CHECKS, Check, Content, mend, run};
use crate::output::{print, say};
use crate::signals::Interrupt;
use crate::workspace::Workspace;

/// # Errors
/// [`CheckFailed`] when a check failed, or, with `--strict`, could not be done.
pub(crate) fn run(workspace: &Workspace, arguments: &Lint) -> anyhow::Result<()> {
    lint(workspace, arguments).map_err(|error| {
        let is_of_a_kind =
            error.is::<CheckFailed>() || error.is::<Usage>() || error.is::<Interrupted>();
        // Whatever kept us from checking: no services are concerned.
        if is_of_a_kind { error } else { CheckFailed(format!("{error:#}")).into() }
    })
}

fn lint(workspace: &Workspace, arguments: &Lint) -> anyhow::Result<()> {
    // What is staged is copied, and the copy has to go however we end.
    let interrupt = if arguments.staged { Some(Interrupt::catch()?) } else { None };
    let content = match arguments.staged {
        true => Content::of_index(workspace.root(), &CHECKS)?,
        false => Content::of_work_tree(workspace.root()),
    };
    if arguments.fix {
        tell_mended(&content)?;
    }
    let is_concerned = |check: &&&'static Check| content.concerns(check.concerns);
    let checks: Vec<&'static Check> = CHECKS.iter().filter(is_concerned).copied().collect();
    if !arguments.staged {
        say("checking: clippy and docs come last, and may have to build everything first");
    }
    let mut tally = Tally::default();
    run::all(&checks, &content, |mut done| {
        if arguments.strict {
            done.outcome = done.outcome.strict();
        }
        tally.count(&done.outcome);
        report::of(&done, &content).iter().for_each(|text| say(text));
    });
    interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
    print(&format!("{}\n", tally.line()))?;
    match tally.failed {
        0 => Ok(()),
        failed => Err(CheckFailed(format!("{failed} failed")).into()),
    }
}

/// Mends, and says what that changed.
fn tell_mended(content: &Content) -> anyhow::Result<()> {
    content.files().map_err(|reason| Usage(format!("--fix: {reason}")))?;
    for mended in mend::all(&CHECKS, content)? {
        for path in mended.changed {
            say(&format!("{}: changed {}", mended.check.name, path.display()));
        }
    }
    Ok(())
}
