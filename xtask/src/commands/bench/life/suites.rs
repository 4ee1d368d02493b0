//! Six suites on two jobs: how long `test-all` takes, beside the best that two jobs can do.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::own_program;
use crate::workspace::{ROOT_VARIABLE, Workspace};

/// How long each of them takes, in milliseconds: halves of the sum can be made of them, but not by
/// taking them in this order.
const LENGTHS: [u64; 6] = [300, 1000, 1600, 500, 1400, 1200];

const JOBS: &str = "2";

/// As often as `rounds` says: the whole command, after one run in which it learns how long each
/// suite takes; and the best schedule.
///
/// # Errors
/// When a run fails.
pub(super) fn runs(
    workspace: &Workspace,
    rounds: usize,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let root = tempfile::tempdir()?;
    let xtask = root.path().join("xtask");
    fs_err::create_dir(&xtask)?;
    fs_err::copy(workspace.services_yml(), xtask.join("services.yml"))?;
    fs_err::write(xtask.join("suites.yml"), suites_yml())?;
    let mut command = Command::new(own_program());
    command.args(["test-all", "--jobs", JOBS]).env(ROOT_VARIABLE, root.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut times = Vec::new();
    for _ in 0..=rounds {
        let started_at = Instant::now();
        let output = command.output()?;
        times.push(started_at.elapsed());
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "test-all: {error}");
    }
    Ok((times.split_off(1), vec![best_schedule(&LENGTHS); rounds]))
}

fn suites_yml() -> String {
    let suite = |(index, length): (usize, &u64)| {
        let seconds = Duration::from_millis(*length).as_secs_f64();
        format!("  suite-{index}: {{command: [sleep, '{seconds}']}}\n")
    };
    let suites: String = LENGTHS.iter().enumerate().map(suite).collect();
    format!("suites:\n{suites}")
}

/// The longer half, where the suites are divided in two as evenly as can be.
fn best_schedule(lengths: &[u64]) -> Duration {
    let total: u64 = lengths.iter().sum();
    let one_half = |chosen: u32| -> u64 {
        let indexed = lengths.iter().zip(0..);
        indexed.filter(|(_, index)| chosen & (1 << index) != 0).map(|(length, _)| *length).sum()
    };
    let longer = (0..1 << lengths.len()).map(one_half).map(|half| half.max(total - half));
    Duration::from_millis(longer.min().unwrap_or(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_schedule_is_the_most_even_one() {
        assert_eq!(best_schedule(&[3, 3, 2, 2, 2]), Duration::from_millis(6));
        assert_eq!(best_schedule(&[9, 1]), Duration::from_millis(9));
        assert_eq!(best_schedule(&LENGTHS), Duration::from_millis(3000));
    }
}
