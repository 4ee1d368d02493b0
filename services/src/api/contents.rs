//! What projects hold: objects of several classes in one list, and the projects that others share.

use serde_json::{Value, json};

use super::condition::Condition;
use super::content_filters::{self, Filters};
use super::context::Context;
use super::error::{ApiError, Result, unprocessable};
use super::list;
use super::listing::Listing;
use super::object::{self, Object, text};
use super::present;
use super::readable;
use super::resource::Resource;
use super::resources::{self, GROUPS, USERS};
use super::sought::Sought;
use super::uuid;
use super::versions;
use crate::era::api::{
    CONTENT_CLASSES, CONTENTS_ARE_RECURSIVE, GROUPS_IN_CONTENTS, HAS_TRASH, KNOWS_GROUP_CLASSES,
};

/// Answers a request for what the project or user `id` holds; without one, for everything.
///
/// # Errors
/// When there is no such project, or a parameter is wrong.
pub(crate) fn list(context: &Context<'_>, id: &str) -> Result<Value> {
    let (era, request) = (context.era(), context.request);
    let mut filters = Filters::read(era, request)?;
    let holders = holders(context, id, &mut filters)?;
    let among = among(context, holders.as_deref())?;
    let classes: Vec<_> =
        CONTENT_CLASSES.of(era).iter().filter_map(|name| resources::by_plural(era, name)).collect();
    let selects = content_filters::selects(&classes, era, request)?;
    let asked = Listing::with_select(&GROUPS, era, request, None)?;
    let (mut left, mut skip, mut available) = (asked.limit, asked.offset, 0);
    let (mut items, mut found) = (Vec::new(), Vec::new());
    for resource in filters.classes(&classes)? {
        let select = selects.as_ref().map(|select| select.of(resource));
        let mut listing = Listing::with_select(resource, era, request, select)?;
        (listing.limit, listing.offset, listing.count) = (left, skip, true);
        let in_trash = readable::in_trash(context, resource, with_trash(context)?);
        let sought = Sought {
            readable: readable::ways(context, resource),
            wanted: Condition::all([
                listed(context, resource),
                among.clone(),
                filters.condition(resource)?,
            ]),
            hidden: Condition::any([in_trash, versions::unlisted(context, resource)?]),
        };
        let page = list::fetch(context, resource, &listing, &sought)?;
        let of_class = page.available.unwrap_or_default();
        available += of_class;
        skip = skip.saturating_sub(of_class);
        for object in &page.objects {
            items.push(present::item(context, resource, object, listing.select.as_deref())?);
        }
        left = match page.limit < listing.limit {
            // It ended early, and so does the whole.
            true => 0,
            false => left.saturating_sub(page.objects.len() as u64),
        };
        found.extend(page.objects);
    }
    let mut answer = json!({
        "kind": "arvados#objectList",
        "etag": "",
        "self_link": "",
        "offset": asked.offset,
        "limit": asked.limit,
        "items": items,
    });
    if asked.count {
        answer["items_available"] = json!(available);
    }
    if CONTENTS_ARE_RECURSIVE.of(era) {
        add_included(context, &mut answer, &found)?;
    }
    Ok(answer)
}

/// Answers a request for the projects that do not lie in the caller's home project, neither
/// themselves nor by what is around them.
///
/// # Errors
/// When nobody is logged in, or a parameter is wrong.
pub(crate) fn shared(context: &Context<'_>, _: &str) -> Result<Value> {
    let (mut answer, groups) = list::list_among(context, &GROUPS, outside_home(context)?, None)?;
    add_included(context, &mut answer, &groups)?;
    Ok(answer)
}

fn with_trash(context: &Context<'_>) -> Result<bool> {
    Ok(HAS_TRASH.of(context.era()) && context.request.flag("include_trash")?)
}

/// Whose possessions are asked for; `None` for everybody's. A filter group holds what its filters
/// match, which are added to `filters`.
fn holders(context: &Context<'_>, id: &str, filters: &mut Filters) -> Result<Option<Vec<String>>> {
    let given = context.request.parameter("uuid").and_then(Value::as_str);
    let id = if id.is_empty() { given.unwrap_or_default() } else { id };
    if id.is_empty() {
        return Ok(None);
    }
    if uuid::infix(id) == Some(uuid::GROUP) {
        let group = readable::find(context, &GROUPS, id, with_trash(context)?)?;
        if KNOWS_GROUP_CLASSES.of(context.era()) && text(&group, "group_class") == "filter" {
            filters.add(&group["properties"]["filters"])?;
            return Ok(None);
        }
    } else if !object::exists(context.db, &USERS, &Condition::equals("uuid", id))? {
        return Err(ApiError::NotFound);
    }
    if CONTENTS_ARE_RECURSIVE.of(context.era()) && context.request.flag("recursive")? {
        return projects_below(context, id).map(Some);
    }
    Ok(Some(vec![id.to_owned()]))
}

/// The project or user `id` and all groups that it owns, directly or through others.
///
/// # Errors
/// Those of the database.
pub(crate) fn projects_below(context: &Context<'_>, id: &str) -> Result<Vec<String>> {
    let sql = "WITH RECURSIVE below (uuid) AS (
            VALUES (?) UNION SELECT groups.uuid FROM groups JOIN below ON groups.owner_uuid = below.uuid
        ) SELECT uuid FROM below";
    let mut statement = context.db.prepare_cached(sql)?;
    let below = statement.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(below)
}

/// The condition on owners.
fn among(context: &Context<'_>, holders: Option<&[String]>) -> Result<Condition> {
    let excludes_home =
        CONTENTS_ARE_RECURSIVE.of(context.era()) && context.request.flag("exclude_home_project")?;
    match (holders, excludes_home) {
        (Some(_), true) => {
            Err(unprocessable("Cannot use 'exclude_home_project' with a parent object"))
        }
        (Some(holders), false) => Ok(Condition::one_of("owner_uuid", holders)),
        (None, true) => outside_home(context),
        (None, false) => Ok(Condition::all([])),
    }
}

/// Of groups, only projects are contents; roles are not held by anybody.
fn listed(context: &Context<'_>, resource: &Resource) -> Condition {
    match resource.plural == GROUPS.plural {
        true => Condition::one_of("group_class", GROUPS_IN_CONTENTS.of(context.era())),
        false => Condition::all([]),
    }
}

/// What somebody else owns, or a group that is no project or that the caller cannot see.
fn outside_home(context: &Context<'_>) -> Result<Condition> {
    let own = &context.account()?.uuid;
    let mut ways = vec![
        Condition::new(
            "owner_uuid IN (SELECT uuid FROM users WHERE uuid != ?)",
            [own.clone().into()],
        ),
        Condition::plain("owner_uuid IN (SELECT uuid FROM groups WHERE group_class != 'project')"),
    ];
    let access = &context.caller.access;
    if !access.is_admin() {
        ways.push(Condition::one_of("owner_uuid", &access.objects()).negated());
    }
    Ok(Condition::any(ways))
}

/// Adds what the parameter `include` asks for: each object that one of `objects` names as its owner,
/// container or collection, once.
fn add_included(context: &Context<'_>, answer: &mut Value, objects: &[Object]) -> Result<()> {
    let (era, request) = (context.era(), context.request);
    let wanted = match request.parameter("include") {
        None => return Ok(()),
        Some(Value::String(name)) if !name.starts_with('[') => json!([name]),
        Some(_) => request.json("include")?.unwrap_or_default(),
    };
    let wanted = |name: &str| wanted.as_array().is_some_and(|names| names.contains(&json!(name)));
    let mut included = Vec::new();
    let named: [(&str, &[&str]); 3] = [
        ("owner_uuid", &["groups", "users"]),
        ("container_uuid", &["containers"]),
        ("collection_uuid", &["collections"]),
    ];
    for (attribute, classes) in named {
        let mut uuids: Vec<_> = objects.iter().map(|object| text(object, attribute)).collect();
        uuids.sort_unstable();
        uuids.dedup();
        let classes = classes.iter().filter_map(|plural| resources::by_plural(era, plural));
        for resource in classes.filter(|_| wanted(attribute)) {
            let condition = Condition::all([
                Condition::one_of("uuid", &uuids),
                readable::condition(context, resource, false),
            ]);
            for object in object::all(context.db, resource, era, &condition)? {
                included.push(present::item(context, resource, &object, None)?);
            }
        }
    }
    answer["included"] = json!(included);
    Ok(())
}
