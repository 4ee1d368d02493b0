//! The processes that a service has started.

use crate::waiting::wait_until;

/// Every process that descends from this one, itself first.
pub(crate) fn family(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        found.extend(children(*parent));
        next += 1;
    }
    found
}

/// The processes that this one has started and not reaped.
pub(crate) fn children(process: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    // A thread may end between being listed and being read.
    let lists =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// Waits until a process is no more, not even as a zombie that is ours to reap.
pub(crate) fn wait_for_end_of(process: u32) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    };
    wait_until(&format!("process {process} has ended"), || {
        state().is_none_or(|state| state == 'Z').then_some(())
    });
}
