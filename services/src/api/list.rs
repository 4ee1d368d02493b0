//! Lists and single objects: everything that only reads.

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::collection;
use super::condition::Condition;
use super::context::Context;
use super::crunch1::{self, NODES};
use super::error::Result;
use super::filter;
use super::listing::{self, Listing};
use super::object::{Columns, Object, text};
use super::present;
use super::readable;
use super::resource::{Attribute, Resource, Shown};
use super::resources::{API_CLIENT_AUTHORIZATIONS, COLLECTIONS, USERS};
use super::sought::Sought;
use super::tokens;
use super::user_agreement::{self, USER_AGREEMENTS};
use super::versions;
use crate::era::api::{HAS_TRASH, USER_FILTERS_ARE_FOR_ADMINS};

/// A list ends early when its manifests exceed this: 128 MiB.
const MAX_MANIFEST_BYTES: usize = 128 << 20;

/// Answers a list request.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn list(context: &Context<'_>, resource: &Resource) -> Result<Value> {
    match resource.plural {
        plural if plural == USER_AGREEMENTS.plural => user_agreement::list(context),
        _ => list_those(context, resource, Condition::all([]), None),
    }
}

/// Answers a list request with those objects for which `those` holds too; `order` is for requests
/// that ask for none.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn list_those(
    context: &Context<'_>,
    resource: &Resource,
    those: Condition,
    order: Option<&str>,
) -> Result<Value> {
    let (answer, _) = list_among(context, resource, those, order)?;
    Ok(answer)
}

/// The same, and gives those objects as they are stored, too.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn list_among(
    context: &Context<'_>,
    resource: &Resource,
    those: Condition,
    order: Option<&str>,
) -> Result<(Value, Vec<Object>)> {
    if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
        tokens::require_trusted_client(context)?;
    }
    let mut listing = Listing::read(resource, context.era(), context.request)?;
    if let Some(order) = order.filter(|_| context.request.parameter("order").is_none()) {
        order.clone_into(&mut listing.order);
    }
    let sought = sought(context, resource, those)?;
    let Page { objects, limit, available } = fetch(context, resource, &listing, &sought)?;
    let mut items = Vec::with_capacity(objects.len());
    for object in &objects {
        items.push(present::item(context, resource, object, listing.select.as_deref())?);
    }
    let mut answer = json!({
        "kind": format!("{}List", resource.object_kind()),
        "etag": "",
        "self_link": "",
        "offset": listing.offset,
        "limit": limit,
    });
    // In its place: the macro would copy them.
    answer["items"] = Value::Array(items);
    if let Some(available) = available {
        answer["items_available"] = json!(available);
    }
    Ok((answer, objects))
}

fn sought(context: &Context<'_>, resource: &Resource, those: Condition) -> Result<Sought> {
    let (era, request) = (context.era(), context.request);
    let with_trash = HAS_TRASH.of(era) && request.flag("include_trash")?;
    let readable = match resource.plural {
        plural if plural == NODES.plural => vec![crunch1::listed_nodes(context)],
        _ => readable::ways(context, resource),
    };
    let in_trash = readable::in_trash(context, resource, with_trash);
    let hidden = Condition::any([in_trash, versions::unlisted(context, resource)?]);
    let mut conditions = vec![those];
    if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
        let own = context.caller.account.as_ref();
        conditions.push(Condition::equals("owner_uuid", own.map_or("", |account| &account.uuid)));
    }
    let ignores_filters = resource.plural == USERS.plural
        && USER_FILTERS_ARE_FOR_ADMINS.of(era)
        && !context.caller.access.is_admin();
    if !ignores_filters {
        if let Some(filters) = request.json("filters")? {
            conditions.push(filter::compile(resource, era, &filters)?);
        }
        if let Some(wanted) = request.json("where")? {
            conditions.push(filter::compile_where(resource, era, &wanted)?);
        }
    }
    Ok(Sought { readable, wanted: Condition::all(conditions), hidden })
}

/// The part of a list that is one answer.
pub(crate) struct Page {
    /// What is on it.
    pub(crate) objects: Vec<Object>,
    /// The most that this page could have: what was asked for, or less if it ended early.
    pub(crate) limit: u64,
    /// How many objects there are in all, if that is wanted.
    pub(crate) available: Option<u64>,
}

/// Reads the page that `listing` asks for, of the objects that are `sought`.
///
/// # Errors
/// Those of the database.
pub(crate) fn fetch(
    context: &Context<'_>,
    resource: &Resource,
    listing: &Listing,
    sought: &Sought,
) -> Result<Page> {
    let columns = Columns::of(resource, context.era(), |column| match &listing.distinct {
        Some(distinct) => distinct.contains(&column.name),
        None => column.shown != Shown::NotInLists || reads_manifest(listing, column),
    });
    let distinct = if listing.distinct.is_some() { "DISTINCT " } else { "" };
    let table = resource.plural;
    let available = match (listing.count, &listing.distinct) {
        (true, None) => Some(sought.count(context.db, table)?),
        _ => None,
    };
    let condition = match listing.distinct {
        // What is on the page is not known by the objects: several may be one answer.
        Some(_) => sought.condition(),
        None => sought.for_page(context.db, table, available, listing)?,
    };
    let (columns_sql, wanted) = (columns.sql(), &condition.sql);
    let all = format!("SELECT {distinct}{columns_sql} FROM {table} WHERE {wanted}");
    // A limit that is a parameter and no more would have SQLite compile the query each time.
    let sql = format!("{all} ORDER BY {} LIMIT ? + 0 OFFSET ?", listing.order);
    let page = [listing.limit, listing.offset].map(|number| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        Sql::Integer(number)
    });
    let mut statement = context.db.prepare_cached(&sql)?;
    let parameters = params_from_iter(condition.parameters.iter().chain(&page));
    let rows = statement.query_map(parameters, |row| columns.read(row))?;
    let (objects, ended_early) = up_to(MAX_MANIFEST_BYTES, rows)?;
    let limit = if ended_early { objects.len() as u64 } else { listing.limit };
    if !listing.count || available.is_some() {
        return Ok(Page { objects, limit, available });
    }
    let sql = format!("SELECT count(*) FROM ({all})");
    let available: i64 = context
        .db
        .prepare_cached(&sql)?
        .query_row(params_from_iter(&condition.parameters), |row| row.get(0))?;
    Ok(Page { objects, limit, available: Some(available.unsigned_abs()) })
}

/// Takes objects, at least one, while their manifests have no more than `max_bytes` together; and
/// whether some are left.
fn up_to<E>(
    max_bytes: usize,
    objects: impl Iterator<Item = Result<Object, E>>,
) -> Result<(Vec<Object>, bool), E> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    for object in objects {
        let object = object?;
        bytes += text(&object, "manifest_text").len();
        if bytes > max_bytes && !taken.is_empty() {
            return Ok((taken, true));
        }
        taken.push(object);
    }
    Ok((taken, false))
}

fn reads_manifest(listing: &Listing, column: &Attribute) -> bool {
    let select = listing.select.as_deref().unwrap_or_default();
    let unsigned = format!("unsigned_{}", column.name);
    select.iter().any(|name| *name == column.name || *name == unsigned)
}

/// Answers a request for one object, by uuid or, for collections, by portable data hash.
///
/// # Errors
/// When the caller cannot see such an object, or a parameter is wrong.
pub(crate) fn show(context: &Context<'_>, resource: &Resource, id: &str) -> Result<Value> {
    if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
        tokens::require_trusted_client(context)?;
    }
    if resource.plural == COLLECTIONS.plural && collection::is_portable_data_hash(id) {
        return collection::by_portable_data_hash(context, id).map(Value::Object);
    }
    if resource.plural == USER_AGREEMENTS.plural {
        return user_agreement::show(context, id);
    }
    let select = listing::select(resource, context.era(), context.request)?;
    let with_trash = HAS_TRASH.of(context.era()) && context.request.flag("include_trash")?;
    let object = readable::find(context, resource, id, with_trash)?;
    present::one(context, resource, &object, select.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many objects with manifests of these lengths are taken, and whether some are left.
    fn taken(max_bytes: usize, lengths: &[usize]) -> (usize, bool) {
        let objects = lengths.iter().map(|length| {
            let manifest = Value::from("x".repeat(*length));
            Ok::<_, ()>(Object::from_iter([("manifest_text".to_owned(), manifest)]))
        });
        let (taken, left) = up_to(max_bytes, objects).unwrap();
        (taken.len(), left)
    }

    #[test]
    fn a_list_ends_before_the_manifest_that_is_too_much() {
        assert_eq!(taken(10, &[4, 6]), (2, false));
        assert_eq!(taken(10, &[4, 6, 1, 1]), (2, true));
        assert_eq!(taken(10, &[11, 1]), (1, true));
        assert_eq!(taken(10, &[11]), (1, false));
        assert_eq!(taken(10, &[]), (0, false));
        let without = [Ok::<_, ()>(Object::new()), Ok(Object::new())];
        assert_eq!(up_to(0, without.into_iter()).unwrap().0.len(), 2);
    }
}
