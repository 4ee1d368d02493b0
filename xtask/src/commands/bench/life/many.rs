//! Many stacks of one checkout at once: how long until all are up, and until all are down.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Brings that many up and down, each by a command of its own, all at once.
///
/// # Errors
/// When one of them fails.
pub(super) fn up_and_down(number: usize) -> anyhow::Result<(Duration, Duration)> {
    let names: Vec<String> = (0..number).map(name).collect();
    let up = all_at_once("up", &names);
    let down = all_at_once("down", &names);
    Ok((up?, down?))
}

/// The name of one of them.
pub(super) fn name(stack: usize) -> String {
    format!("bench-{}-{stack}", std::process::id())
}

fn all_at_once(action: &str, stacks: &[String]) -> anyhow::Result<Duration> {
    let started_at = Instant::now();
    let start = |stack: &String| -> anyhow::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["services", action, "--stack", stack]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Ok(command.spawn()?)
    };
    let running: Vec<anyhow::Result<Child>> = stacks.iter().map(start).collect();
    let mut first_failure = Ok(());
    for child in running {
        let result = child.and_then(|child| {
            let output = child.wait_with_output()?;
            let error = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(output.status.success(), "services {action}: {error}");
            Ok(())
        });
        first_failure = first_failure.and(result);
    }
    first_failure.map(|()| started_at.elapsed())
}
