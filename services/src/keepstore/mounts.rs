//! What `/mounts` tells: each volume, by the uuid under which the data manager names it.

use serde_json::{Map, Value, json};

use super::volume::Volume;

/// The whole list.
pub(super) fn document(volumes: &[Volume], deletes: bool) -> Value {
    volumes.iter().map(|volume| mount(volume, deletes)).collect()
}

fn mount(volume: &Volume, deletes: bool) -> Value {
    let mount = volume.mount();
    let classes: Map<String, Value> =
        mount.classes.iter().map(|class| (class.clone(), true.into())).collect();
    json!({
        "uuid": mount.uuid,
        "device_id": volume.root(),
        "allow_write": !volume.is_read_only(),
        "allow_trash": !volume.is_read_only() && deletes,
        "replication": mount.replication,
        "storage_classes": classes,
    })
}
