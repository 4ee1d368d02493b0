//! What is seen of a compute node, and the pings by which it reports.

use std::time::Duration;

use serde_json::{Value, json};

use super::{JOBS, NODES};
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::{ApiError, Result, denied, unprocessable};
use crate::api::object::{self, Object, text};
use crate::api::present;
use crate::api::readable;
use crate::api::time;
use crate::api::write;
use crate::request_log::random_base36;

/// As many nodes as a cluster may have.
const MAX_NODES: i64 = 64;
/// A node that was never heard of has failed to start after this.
const START: Duration = Duration::from_secs(5 * 60);
/// A node that was not heard of for so long is missing.
const MISSING: Duration = Duration::from_secs(60 * 60);
/// What a ping may tell about a machine.
const MEASURES: &[&str] = &["total_cpu_cores", "total_ram_mb", "total_scratch_mb"];

/// Gives a node the secret with which it reports.
pub(crate) fn before_save(changes: &mut Object, old: Option<&Object>) {
    if old.is_some() && !changes.contains_key("info") {
        return;
    }
    let secret = old.and_then(|old| old.get("info")?.get("ping_secret").cloned());
    let info = changes.entry("info").or_insert(Value::Null);
    if info.is_null() {
        *info = json!({});
    }
    if info.get("ping_secret").is_none_or(Value::is_null) {
        info["ping_secret"] = secret.unwrap_or_else(|| random_base36(50).into());
    }
}

/// A computed attribute.
pub(crate) fn computed(node: &Object, name: &str) -> Value {
    match name {
        "status" => status(node).into(),
        "crunch_worker_state" => worker_state(node).into(),
        "nameservers" => json!(["192.168.1.1"]),
        _ => Value::Null,
    }
}

fn status(node: &Object) -> &'static str {
    let last = text(node, "last_ping_at");
    let before = |period: Duration| time::from_now(-period.as_secs_f64());
    match last {
        "" if text(node, "created_at") < before(START).as_str() => "startup-fail",
        "" => "pending",
        _ if last < before(MISSING).as_str() => "missing",
        _ => "running",
    }
}

fn worker_state(node: &Object) -> &'static str {
    if node.get("slot_number").is_none_or(Value::is_null) {
        return "down";
    }
    let slurm = node.get("info").and_then(|info| info.get("slurm_state")?.as_str());
    match slurm {
        Some("alloc" | "comp") => "busy",
        Some("idle") => "idle",
        _ => "down",
    }
}

/// The job of a node, for those who can see that job.
///
/// # Errors
/// Those of the database.
pub(crate) fn job(context: &Context<'_>, node: &Object) -> Result<Value> {
    let uuid = text(node, "job_uuid");
    let condition = Condition::all([
        Condition::equals("uuid", uuid),
        readable::condition(context, &JOBS, false),
    ]);
    let found = !uuid.is_empty() && object::exists(context.db, &JOBS, &condition)?;
    Ok(if found { uuid.into() } else { Value::Null })
}

/// Which nodes a list has: for active users, all that were heard of within the hour.
///
/// # Errors
/// When nobody is logged in.
pub(crate) fn listed(context: &Context<'_>) -> Condition {
    let own = context.caller.account.as_ref();
    match own.is_some_and(|account| account.is_active && !account.is_admin) {
        true => {
            let since = time::from_now(-MISSING.as_secs_f64());
            Condition::new("last_ping_at >= ?", [since.into()])
        }
        false => readable::condition(context, &NODES, false),
    }
}

/// Notes that the node `uuid` is alive; whoever knows its secret may say so.
///
/// # Errors
/// When there is no such node, the secret is not its own, or no slot is free.
pub(crate) fn ping(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let system = context.as_system();
    let given = |name: &str| context.request.parameter(name).and_then(Value::as_str);
    let condition = Condition::equals("uuid", uuid);
    let node = object::find(context.db, &NODES, context.era(), &condition)?;
    let node = node.ok_or(ApiError::NotFound)?;
    let mut info = node.get("info").and_then(Value::as_object).cloned().unwrap_or_default();
    let secret =
        given("ping_secret").ok_or_else(|| unprocessable("ping_secret parameter is required"))?;
    if text(&info, "ping_secret") != secret {
        return Err(denied("Incorrect ping_secret"));
    }
    let now = time::now();
    let mut changes = Object::from_iter([("last_ping_at".to_owned(), Value::from(now.clone()))]);
    if text(&node, "ip_address").is_empty() {
        let address = given("local_ipv4").unwrap_or("127.0.0.1");
        changes.insert("ip_address".to_owned(), address.into());
        changes.insert("first_ping_at".to_owned(), now.into());
    }
    if let Some(instance) = given("instance_id") {
        let known = text(&info, "ec2_instance_id");
        if !known.is_empty() && known != instance {
            return Err(unprocessable(format!(
                "{uuid} is already running at {known} so rejecting ping from {instance}"
            )));
        }
        info.insert("ec2_instance_id".to_owned(), instance.into());
        changes.insert("info".to_owned(), info.into());
    }
    let slot = match node.get("slot_number").and_then(Value::as_i64) {
        Some(slot) => slot,
        None => free_slot(context)?,
    };
    changes.insert("slot_number".to_owned(), slot.into());
    if text(&node, "hostname").is_empty() {
        changes.insert("hostname".to_owned(), format!("compute{slot}").into());
    }
    let mut properties =
        node.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for name in MEASURES {
        match context.request.parameter(name) {
            Some(measure) => {
                let number = measure.as_str().and_then(|text| text.parse::<i64>().ok());
                let number = number.or_else(|| measure.as_i64()).unwrap_or_default();
                properties.insert((*name).to_owned(), number.into());
            }
            None => drop(properties.remove(*name)),
        }
    }
    changes.insert("properties".to_owned(), properties.into());
    let node = write::change(&system, &NODES, &node, changes, false)?;
    present::one(&system, &NODES, &node, None)
}

/// The lowest number that no node has.
fn free_slot(context: &Context<'_>) -> Result<i64> {
    let sql = "WITH RECURSIVE slots (number) AS (
            VALUES (0) UNION ALL SELECT number + 1 FROM slots WHERE number + 1 < ?
        ) SELECT min(number) FROM slots
        WHERE number NOT IN (SELECT slot_number FROM nodes WHERE slot_number IS NOT NULL)";
    let slot: Option<i64> =
        context.db.prepare_cached(sql)?.query_row([MAX_NODES], |row| row.get(0))?;
    slot.ok_or_else(|| unprocessable("No available node slots"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(value: Value) -> Object {
        match value {
            Value::Object(node) => node,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn a_node_is_judged_by_its_pings() {
        let at = |seconds: f64| time::from_now(seconds);
        let told = |created: f64, pinged: Option<f64>| {
            let pinged = pinged.map(at);
            status(&node(json!({"created_at": at(created), "last_ping_at": pinged})))
        };
        assert_eq!(told(-10.0, None), "pending");
        assert_eq!(told(-600.0, None), "startup-fail");
        assert_eq!(told(-9000.0, Some(-10.0)), "running");
        assert_eq!(told(-9000.0, Some(-7200.0)), "missing");
    }

    #[test]
    fn a_node_without_a_slot_is_down_whatever_slurm_says() {
        let state = |slot: Value, slurm: &str| {
            worker_state(&node(json!({"slot_number": slot, "info": {"slurm_state": slurm}})))
        };
        assert_eq!(state(json!(1), "alloc"), "busy");
        assert_eq!(state(json!(1), "idle"), "idle");
        assert_eq!(state(json!(1), "drain"), "down");
        assert_eq!(state(Value::Null, "idle"), "down");
    }

    #[test]
    fn a_node_keeps_its_secret() {
        let mut made = Object::new();
        before_save(&mut made, None);
        let secret = made["info"]["ping_secret"].clone();
        let mut changes = node(json!({"info": {"slurm_state": "idle"}}));
        before_save(&mut changes, Some(&made));
        assert_eq!(changes["info"]["ping_secret"], secret);
    }
}
