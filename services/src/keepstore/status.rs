//! What `/status.json` tells: volumes, buffers, queues and memory.

use serde_json::{Value, json};

use super::buffers::Buffers;
use super::maintenance::Maintenance;
use super::volume::Volume;
use crate::locator::MAX_BLOCK_SIZE;

/// The whole document. For a blocking thread.
pub(super) fn document(volumes: &[Volume], maintenance: &Maintenance, buffers: &Buffers) -> Value {
    let in_use = buffers.in_use();
    json!({
        "volumes": volumes.iter().filter_map(volume).collect::<Vec<_>>(),
        "BufferPool": {
            "BytesAllocated": in_use as u64 * MAX_BLOCK_SIZE,
            "BuffersMax": buffers.max(),
            "BuffersInUse": in_use,
        },
        "PullQueue": maintenance.pulls.status(),
        "TrashQueue": maintenance.trash.status(),
        "Memory": { "Alloc": resident_bytes(), "Sys": resident_bytes() },
    })
}

fn volume(volume: &Volume) -> Option<Value> {
    let space = volume.space().ok()?;
    Some(json!({
        "mount_point": volume.root(),
        "device_num": space.device,
        "bytes_free": space.free,
        "bytes_used": space.used,
    }))
}

/// The memory that this process has, in bytes; zero where the system does not tell.
fn resident_bytes() -> u64 {
    let pages = fs_err::read_to_string("/proc/self/statm").ok().and_then(|text| {
        let resident = text.split(' ').nth(1)?;
        resident.parse::<u64>().ok()
    });
    let page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    let page_size = page_size.ok().flatten().and_then(|size| u64::try_from(size).ok());
    pages.unwrap_or(0) * page_size.unwrap_or(0)
}
