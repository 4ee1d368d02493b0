//! Disks of keepstores, which once reported by pings with a secret of their own.

use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::dropped::KEEP_DISKS;
use super::error::{ApiError, Result};
use super::object::{self, Object, text};
use super::present;
use super::time;
use super::value;
use super::write;
use crate::request_log::random_base36;

/// What a disk may tell of itself.
const TOLD: &[&str] =
    &["bytes_total", "bytes_free", "is_readable", "is_writable", "last_read_at", "last_write_at"];

/// Gives a new disk its secret.
pub(crate) fn before_create(disk: &mut Object) {
    if text(disk, "ping_secret").is_empty() {
        disk.insert("ping_secret".to_owned(), random_base36(50).into());
    }
}

/// Notes that a disk is alive: one whose secret the caller knows, or a new one for an admin.
///
/// # Errors
/// "Path not found" if there is no such disk, or the secret is not its own.
pub(crate) fn ping(context: &Context<'_>, _: &str) -> Result<Value> {
    let system = context.as_system();
    let given = |name: &str| context.request.parameter(name).and_then(Value::as_str);
    let uuid = given("id").or_else(|| given("uuid")).unwrap_or_default();
    let known = Condition::equals("uuid", uuid);
    let disk = match object::find(context.db, &KEEP_DISKS, context.era(), &known)? {
        Some(disk) if given("ping_secret") == Some(text(&disk, "ping_secret")) => disk,
        None if context.caller.account.as_ref().is_some_and(|account| account.is_admin) => {
            let filesystem = context.request.parameter("filesystem_uuid").cloned();
            let disk = [("filesystem_uuid".to_owned(), filesystem.unwrap_or_default())];
            write::insert(&system, &KEEP_DISKS, Object::from_iter(disk), false)?
        }
        _ => return Err(ApiError::NotFound),
    };
    let mut changes = Object::from_iter([("last_ping_at".to_owned(), time::now().into())]);
    for name in TOLD {
        let attribute = KEEP_DISKS.attribute(context.era(), name);
        if let (Some(told), Some(attribute)) = (context.request.parameter(name), attribute)
            && let Ok(told) = value::accept(attribute.kind, told)
        {
            changes.insert((*name).to_owned(), told);
        }
    }
    let disk = write::change(&system, &KEEP_DISKS, &disk, changes, false)?;
    // Who knows the secret may see it.
    present::one(&system, &KEEP_DISKS, &disk, None)
}
