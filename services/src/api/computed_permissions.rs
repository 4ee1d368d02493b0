//! The list of what each user reaches, as permissions follow from ownership and links.

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::filter;
use super::listing::Listing;
use super::object::{self, Columns};
use super::resource::{Eras, Resource, UniqueName, string};
use super::resources::USERS;

/// What is listed. There is no table of it.
pub(crate) static COMPUTED_PERMISSIONS: Resource = Resource {
    plural: "computed_permissions",
    singular: "computed_permission",
    class: "ComputedPermission",
    infix: "",
    eras: Eras::All,
    has_table: false,
    public: false,
    admin_only: &[],
    unique_name: UniqueName::No,
    own: &[string("user_uuid"), string("target_uuid"), string("perm_level")],
};

/// The attributes of an item; it has no uuid and no owner.
pub(crate) const ATTRIBUTES: [&str; 3] = ["user_uuid", "target_uuid", "perm_level"];

/// The rows as a table, with those columns that every list may be ordered by.
const TABLE: &str = "(SELECT value->>0 AS user_uuid, value->>1 AS target_uuid,
    value->>2 AS perm_level, NULL AS uuid, NULL AS modified_at FROM json_each(?))";

/// Answers a request for the list.
///
/// # Errors
/// When the caller is no admin, or a parameter is wrong.
pub(crate) fn list(context: &Context<'_>) -> Result<Value> {
    context.admin()?;
    let (era, request) = (context.era(), context.request);
    let count = request.parameter("count").and_then(Value::as_str).unwrap_or_default();
    if !["", "none"].contains(&count) {
        return Err(unprocessable("count parameter must be 'none'"));
    }
    let listing = Listing::read(&COMPUTED_PERMISSIONS, era, request)?;
    let mut wanted = match request.json("filters")? {
        None => Vec::new(),
        Some(Value::Array(filters)) => filters,
        Some(_) => return Err(unprocessable("filters must be an array")),
    };
    if let Some(given) = request.json("where")? {
        wanted.extend(filter::of_where(&given, |_| false)?);
    }
    wanted.iter().try_for_each(check)?;
    let condition = filter::compile(&COMPUTED_PERMISSIONS, era, &Value::Array(wanted))?;
    let shown = |name: &str| {
        let selected = listing.select.as_ref();
        ATTRIBUTES.contains(&name)
            && selected.is_none_or(|selected| selected.iter().any(|kept| kept == name))
    };
    let columns = Columns::of(&COMPUTED_PERMISSIONS, era, |column| shown(column.name));
    let distinct = if listing.distinct.is_some() { "DISTINCT " } else { "" };
    let sql = format!(
        "SELECT {distinct}{} FROM {TABLE} WHERE {} ORDER BY {}, user_uuid, target_uuid LIMIT ?",
        columns.sql(),
        condition.sql,
        listing.order
    );
    let limit = i64::try_from(listing.limit).unwrap_or(i64::MAX);
    let parameters = [Sql::Text(rows(context)?.to_string())].into_iter();
    let parameters = parameters.chain(condition.parameters).chain([Sql::Integer(limit)]);
    let mut statement = context.db.prepare_cached(&sql)?;
    let items = statement.query_map(params_from_iter(parameters), |row| columns.read(row))?;
    let items: Vec<_> = items.collect::<rusqlite::Result<_>>()?;
    Ok(json!({
        "kind": "arvados#computedPermissionList",
        "etag": "",
        "self_link": "",
        "limit": listing.limit,
        "items": items,
    }))
}

/// Levels have no order that texts have, too, so that they are only equal or not.
fn check(filter: &Value) -> Result<()> {
    let names = match &filter[0] {
        Value::Array(names) => names.as_slice(),
        name => std::slice::from_ref(name),
    };
    for name in names {
        if !ATTRIBUTES.iter().any(|known| name == known) {
            return Err(unprocessable(format!("Invalid attribute {name} in filter")));
        }
        let equal = ["=", "!=", "in", "not in"].iter().any(|operator| filter[1] == *operator);
        if name == "perm_level" && !equal {
            let operator = &filter[1];
            return Err(unprocessable(format!("Invalid operator {operator} on {name}")));
        }
    }
    Ok(())
}

/// User, target and level of everything that any user reaches.
fn rows(context: &Context<'_>) -> Result<Value> {
    let graph = context.api.permissions.graph(context.db)?;
    let mut rows = Vec::new();
    for user in object::all(context.db, &USERS, context.era(), &Condition::all([]))? {
        let uuid = object::text(&user, "uuid");
        let reached = graph.levels(uuid);
        rows.extend(reached.iter().map(|(target, level)| json!([uuid, target, level.link()])));
    }
    Ok(Value::Array(rows))
}
