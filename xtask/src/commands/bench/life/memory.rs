//! The memory of a stack: what its processes have for themselves, and their share of the rest.

use anyhow::Context;

use crate::lifecycle::Cluster;

/// The proportional set size of all services, in bytes.
///
/// # Errors
/// When the kernel does not tell.
pub(super) fn of_stack(cluster: &Cluster<'_>) -> anyhow::Result<u64> {
    let processes = cluster.state.services.iter().filter_map(|service| service.process);
    let sizes = processes.map(|process| of_process(process.pid));
    sizes.sum()
}

fn of_process(pid: i32) -> anyhow::Result<u64> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    Ok(kilobytes.context("smaps_rollup has no Pss")? * 1024)
}
