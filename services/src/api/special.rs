//! Actions beyond list, show, create, update and delete, as data: from it follow the routes and the
//! methods in the discovery document.

use hyper::Method;
use serde_json::{Value, json};

use super::condition::Condition;
use super::contents;
use super::context::Context;
use super::crunch1;
use super::crunch2;
use super::dropped::KEEP_DISKS;
use super::error::{ApiError, Result};
use super::keep_disk;
use super::logins;
use super::method_parameters::{self as parameters, Parameter};
use super::object;
use super::present;
use super::provenance;
use super::readable;
use super::resource::{Eras, Resource};
use super::resources::{
    API_CLIENT_AUTHORIZATIONS, COLLECTIONS, GROUPS, KEEP_SERVICES, LINKS, REPOSITORIES, USERS,
    VIRTUAL_MACHINES,
};
use super::sharing;
use super::tokens;
use super::user_agreement;
use super::user_merge;
use super::user_setup;
use super::uuid;
use super::write;
use crate::era::Era;

/// One action.
#[derive(Debug)]
pub(crate) struct Special {
    /// On which resource.
    pub(crate) resource: &'static Resource,
    /// The last part of its path.
    pub(crate) name: &'static str,
    /// GET or POST.
    pub(crate) method: Method,
    /// Whether it is on one object, whose uuid is then in the path.
    pub(crate) member: bool,
    /// The folder of the uuid in its path, if that is not its resource's.
    pub(crate) folder: Option<&'static str>,
    /// The eras that have it.
    pub(crate) eras: Eras,
    /// What it takes, besides the uuid in its path.
    pub(crate) parameters: fn(Era) -> Vec<Parameter>,
    /// Whether it takes a token; else whoever knows what it asks for may do it.
    pub(crate) needs_token: bool,
    /// Does it; the text is the uuid in the path.
    pub(crate) run: fn(&Context<'_>, &str) -> Result<Value>,
}

/// The actions on what has no module of its own.
static SPECIALS: &[Special] = &[
    on_class(&USERS, "current", Eras::All, |context, _| {
        let account = context.account()?;
        show_user(context, &account.uuid)
    }),
    on_class(&USERS, "system", Eras::All, |context, _| show_user(context, uuid::SYSTEM_USER)),
    on_object(&USERS, "activate", user_setup::activate).in_eras(Eras::All),
    special(&USERS, "setup", Method::POST, false, user_setup::set_up)
        .taking(parameters::user_setup),
    on_object(&USERS, "unsetup", user_setup::unset_up).in_eras(Eras::All),
    special(&USERS, "merge", Method::POST, false, user_merge::merge)
        .in_eras(Eras::Only(Era::Current))
        .taking(parameters::user_merge),
    on_class(&API_CLIENT_AUTHORIZATIONS, "current", Eras::Only(Era::Current), |context, _| {
        let token = context.caller.token.as_ref();
        let token = token.ok_or(ApiError::NotLoggedIn)?;
        present::one(context, &API_CLIENT_AUTHORIZATIONS, token, None)
    }),
    special(
        &API_CLIENT_AUTHORIZATIONS,
        "create_system_auth",
        Method::POST,
        false,
        tokens::of_system,
    )
    .taking(parameters::system_auth),
    special(&LINKS, "get_permissions", Method::GET, true, sharing::permissions_on)
        .below("permissions"),
    on_class(&REPOSITORIES, "get_all_permissions", Eras::All, sharing::on_repositories),
    on_class(&VIRTUAL_MACHINES, "get_all_logins", Eras::All, logins::list),
    special(&VIRTUAL_MACHINES, "logins", Method::GET, true, logins::list),
    on_class(&KEEP_SERVICES, "accessible", Eras::All, accessible),
    special(&KEEP_DISKS, "ping", Method::POST, false, keep_disk::ping)
        .in_eras(Eras::Only(Era::Y2015))
        .taking(parameters::disk_ping)
        .without_token(),
    on_class(&GROUPS, "contents", Eras::All, contents::list).taking(parameters::contents),
    special(&GROUPS, "contents", Method::GET, true, contents::list),
    on_class(&GROUPS, "shared", Eras::Only(Era::Current), contents::shared)
        .taking(parameters::shared),
    special(&COLLECTIONS, "provenance", Method::GET, true, provenance::provenance),
    special(&COLLECTIONS, "used_by", Method::GET, true, provenance::used_by),
    on_object(&COLLECTIONS, "trash", |context, uuid| write::trash(context, &COLLECTIONS, uuid)),
    on_object(&COLLECTIONS, "untrash", |context, uuid| write::untrash(context, &COLLECTIONS, uuid)),
    on_object(&GROUPS, "trash", |context, uuid| write::trash(context, &GROUPS, uuid)),
    on_object(&GROUPS, "untrash", |context, uuid| write::untrash(context, &GROUPS, uuid)),
];

/// What is asked of a class.
pub(crate) const fn on_class(
    resource: &'static Resource,
    name: &'static str,
    eras: Eras,
    run: fn(&Context<'_>, &str) -> Result<Value>,
) -> Special {
    special(resource, name, Method::GET, false, run).in_eras(eras)
}

/// What is done to one object was added after 2015.
pub(crate) const fn on_object(
    resource: &'static Resource,
    name: &'static str,
    run: fn(&Context<'_>, &str) -> Result<Value>,
) -> Special {
    special(resource, name, Method::POST, true, run).in_eras(Eras::Only(Era::Current))
}

/// An action of every era that has its resource.
pub(crate) const fn special(
    resource: &'static Resource,
    name: &'static str,
    method: Method,
    member: bool,
    run: fn(&Context<'_>, &str) -> Result<Value>,
) -> Special {
    let (eras, parameters) = (Eras::All, parameters::none);
    Special {
        resource,
        name,
        method,
        member,
        folder: None,
        eras,
        parameters,
        needs_token: true,
        run,
    }
}

impl Special {
    /// The same in other eras.
    pub(crate) const fn in_eras(mut self, eras: Eras) -> Self {
        self.eras = eras;
        self
    }

    /// The same below another folder.
    const fn below(mut self, folder: &'static str) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The same with parameters.
    pub(crate) const fn taking(mut self, parameters: fn(Era) -> Vec<Parameter>) -> Self {
        self.parameters = parameters;
        self
    }

    /// The same for callers without a token.
    pub(crate) const fn without_token(mut self) -> Self {
        self.needs_token = false;
        self
    }
}

/// All actions of all resources.
pub(crate) fn all() -> impl Iterator<Item = &'static Special> {
    [SPECIALS, crunch1::SPECIALS, crunch2::SPECIALS, user_agreement::SPECIALS].into_iter().flatten()
}

/// The actions of one resource.
pub(crate) fn of(era: Era, resource: &Resource) -> impl Iterator<Item = &'static Special> {
    all().filter(move |special| special.resource.plural == resource.plural && special.eras.has(era))
}

/// The action `name` for a request with `method`.
pub(crate) fn find(
    era: Era,
    resource: &Resource,
    name: &str,
    method: &Method,
    member: bool,
) -> Option<&'static Special> {
    of(era, resource).find(|special| {
        let here = special.folder.is_none() && special.member == member;
        here && special.name == name && special.method == *method
    })
}

/// The action on an object in a folder that is no resource's.
pub(crate) fn in_folder(era: Era, folder: &str, method: &Method) -> Option<&'static Special> {
    SPECIALS.iter().find(|special| {
        let there = special.folder == Some(folder) && special.eras.has(era);
        there && special.method == *method
    })
}

/// A user whom everybody may know of.
fn show_user(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let condition = Condition::equals("uuid", uuid);
    let user = object::find(context.db, &USERS, context.era(), &condition)?;
    present::one(context, &USERS, &user.ok_or(ApiError::NotFound)?, None)
}

/// Where the caller reaches Keep: proxies for clients outside, disks for those inside.
fn accessible(context: &Context<'_>, _: &str) -> Result<Value> {
    let service_type = match context.request.external_client {
        true => "proxy",
        false => "disk",
    };
    let condition = Condition::all([
        Condition::equals("service_type", service_type),
        readable::condition(context, &KEEP_SERVICES, false),
    ]);
    let columns = object::Columns::of(&KEEP_SERVICES, context.era(), |_| true);
    let sql = format!(
        "SELECT {} FROM keep_services WHERE {} ORDER BY uuid",
        columns.sql(),
        condition.sql
    );
    let mut statement = context.db.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&condition.parameters))?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(present::item(context, &KEEP_SERVICES, &columns.read(row)?, None)?);
    }
    Ok(json!({
        "kind": "arvados#keepServiceList",
        "etag": "",
        "self_link": "",
        "offset": null,
        "limit": null,
        "items_available": items.len(),
        "items": items,
    }))
}
