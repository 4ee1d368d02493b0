//! What a container leaves to those who have requested it: its output and its log, as collections of
//! their own.

use serde_json::{Value, json};

use super::resolve;
use super::{CONTAINER_REQUESTS, priority};
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::Result;
use crate::api::object::{self, Object, integer, text};
use crate::api::resources::COLLECTIONS;
use crate::api::time;
use crate::api::write;

/// Finishes all requests for a container that has come to its end. One that may be tried again gets
/// another container instead, and what the container has requested itself is no longer wanted.
///
/// # Errors
/// Those of the database.
pub(super) fn all_requests(context: &Context<'_>, container: &Object) -> Result<()> {
    let uuid = text(container, "uuid");
    let mut successor = None;
    for request in committed(context, "container_uuid", uuid)? {
        let again = text(container, "state") == "Cancelled"
            && integer(&request, "priority") > 0
            && integer(&request, "container_count") < integer(&request, "container_count_max");
        if !again {
            finish(context, &request, container)?;
            continue;
        }
        let next = match &successor {
            Some(next) => String::clone(next),
            None => resolve::another(context, container)?,
        };
        let changes = one("container_uuid", next.clone().into());
        write::change(context, &CONTAINER_REQUESTS, &request, changes, false)?;
        priority::update(context, &next)?;
        successor = Some(next);
    }
    for request in committed(context, "requesting_container_uuid", uuid)? {
        let unwanted = one("priority", 0.into());
        write::change(context, &CONTAINER_REQUESTS, &request, unwanted, false)?;
    }
    Ok(())
}

/// Shows the log of a container that still runs to all who have requested it.
///
/// # Errors
/// Those of the database.
pub(super) fn update_logs(context: &Context<'_>, container: &Object) -> Result<()> {
    for request in committed(context, "container_uuid", text(container, "uuid"))? {
        if let Some(log) = keep_log(context, &request, container)? {
            let changes = one("log_uuid", log.into());
            write::change(context, &CONTAINER_REQUESTS, &request, changes, false)?;
        }
    }
    Ok(())
}

fn committed(context: &Context<'_>, column: &str, uuid: &str) -> Result<Vec<Object>> {
    let condition =
        Condition::all([Condition::equals(column, uuid), Condition::equals("state", "Committed")]);
    let era = context.era();
    Ok(object::find_all(context.db, &CONTAINER_REQUESTS, era, &condition, "id")?)
}

fn one(name: &str, value: Value) -> Object {
    Object::from_iter([(name.to_owned(), value)])
}

fn finish(context: &Context<'_>, request: &Object, container: &Object) -> Result<()> {
    let mut changes = one("state", "Final".into());
    if let Some(output) = keep_output(context, request, container)? {
        changes.insert("output_uuid".to_owned(), output.into());
    }
    if let Some(log) = keep_log(context, request, container)? {
        changes.insert("log_uuid".to_owned(), log.into());
    }
    if text(container, "state") == "Complete"
        && let Some(manifest) = manifest(context, text(container, "log"))?
    {
        let uuid = text(container, "uuid");
        let mut log = collection(request, &format!("Container log for container {uuid}"), manifest);
        log.insert(
            "properties".to_owned(),
            json!({"type": "log", "container_request": request.get("uuid"), "container_uuid": uuid}),
        );
        write::insert(context, &COLLECTIONS, log, true)?;
    }
    write::change(context, &CONTAINER_REQUESTS, request, changes, false)?;
    Ok(())
}

/// The manifest of any collection with this hash.
fn manifest(context: &Context<'_>, hash: &str) -> Result<Option<String>> {
    let condition = Condition::equals("portable_data_hash", hash);
    let found = object::find(context.db, &COLLECTIONS, context.era(), &condition)?;
    Ok(found.map(|found| text(&found, "manifest_text").to_owned()))
}

fn collection(request: &Object, name: &str, manifest: String) -> Object {
    let classes = request.get("output_storage_classes").cloned().unwrap_or_default();
    Object::from_iter([
        ("owner_uuid".to_owned(), text(request, "owner_uuid").into()),
        ("name".to_owned(), name.into()),
        ("manifest_text".to_owned(), manifest.into()),
        ("storage_classes_desired".to_owned(), classes),
    ])
}

fn keep_output(
    context: &Context<'_>,
    request: &Object,
    container: &Object,
) -> Result<Option<String>> {
    let Some(manifest) = manifest(context, text(container, "output"))? else {
        return Ok(None);
    };
    let uuid = text(request, "uuid");
    let name = match text(request, "output_name") {
        "" => format!("Container output for request {uuid}"),
        name => name.to_owned(),
    };
    let mut output = collection(request, &name, manifest);
    let mut properties = Object::new();
    for of in [container, request] {
        let own = of.get("output_properties").and_then(Value::as_object);
        properties.extend(own.cloned().unwrap_or_default());
    }
    properties.insert("type".to_owned(), "output".into());
    properties.insert("container_request".to_owned(), uuid.into());
    output.insert("properties".to_owned(), properties.into());
    let lifetime = integer(request, "output_ttl");
    if lifetime > 0 {
        let end = time::from_now(i32::try_from(lifetime).unwrap_or(i32::MAX).into());
        output.insert("trash_at".to_owned(), end.clone().into());
        output.insert("delete_at".to_owned(), end.into());
    }
    let made = write::insert(context, &COLLECTIONS, output, true)?;
    Ok(Some(text(&made, "uuid").to_owned()))
}

/// Stores the log of `container` at the top of the log of `request`, and in a folder of its own
/// beside those of containers before it.
fn keep_log(context: &Context<'_>, request: &Object, container: &Object) -> Result<Option<String>> {
    let Some(log) = manifest(context, text(container, "log"))? else {
        return Ok(None);
    };
    let uuid = text(request, "uuid");
    let known = Condition::equals("uuid", text(request, "log_uuid"));
    let known = object::find(context.db, &COLLECTIONS, context.era(), &known)?;
    let before = known.as_ref().map(|known| text(known, "manifest_text")).unwrap_or_default();
    let manifest = with_folder(before, &log, text(container, "uuid"));
    let mut kept = collection(request, &format!("Container log for request {uuid}"), manifest);
    kept.insert("properties".to_owned(), json!({"type": "log", "container_request": uuid}));
    let kept = match known {
        None => write::insert(context, &COLLECTIONS, kept, true)?,
        Some(known) => {
            kept.retain(|name, _| ["manifest_text", "properties"].contains(&name.as_str()));
            write::change(context, &COLLECTIONS, &known, kept, false)?
        }
    };
    Ok(Some(text(&kept, "uuid").to_owned()))
}

/// The folders of earlier containers in `before`, and `log` at the top and in the folder of `uuid`.
fn with_folder(before: &str, log: &str, uuid: &str) -> String {
    const FOLDER: &str = "./log\\040for\\040container\\040";
    let own = format!("{FOLDER}{uuid}");
    let earlier = before.lines().filter(|line| {
        let stream = line.split(' ').next().unwrap_or_default();
        stream.starts_with(FOLDER) && !stream.starts_with(&own)
    });
    let inner = log.lines().filter_map(|line| Some(format!("{own}{}", line.strip_prefix('.')?)));
    let mut lines: Vec<String> = log.lines().chain(earlier).map(str::to_owned).collect();
    lines.extend(inner);
    lines.sort();
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_a_request_has_those_of_all_its_containers() {
        let log = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:stderr.txt\n";
        let folder =
            |uuid: &str| log.replacen('.', &format!("./log\\040for\\040container\\040{uuid}"), 1);
        let first = with_folder("", log, "one");
        assert_eq!(first, format!("{log}{}", folder("one")));
        assert_eq!(with_folder(&first, log, "one"), first);
        let second = with_folder(&first, log, "two");
        assert_eq!(second, format!("{log}{}{}", folder("one"), folder("two")));
    }
}
