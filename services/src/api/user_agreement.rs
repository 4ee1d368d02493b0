//! User agreements: collections that the system asks users to sign, by links of class `signature`.

use hyper::Method;
use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result, unprocessable};
use super::list;
use super::method_parameters as parameters;
use super::object::{self, Object};
use super::present;
use super::readable;
use super::resource::{Eras, Resource};
use super::resources::{COLLECTIONS, LINKS, PLAIN, USERS};
use super::special::{Special, on_class, special};
use super::uuid;
use super::write;

/// What they look like: they are collections, and have no table.
pub(crate) static USER_AGREEMENTS: Resource = Resource {
    plural: "user_agreements",
    singular: "user_agreement",
    class: "UserAgreement",
    infix: "gv0sa",
    has_table: false,
    own: COLLECTIONS.own,
    ..PLAIN
};

/// What is done to them beyond list and show.
pub(crate) static SPECIALS: &[Special] = &[
    on_class(&USER_AGREEMENTS, "signatures", Eras::All, signatures),
    special(&USER_AGREEMENTS, "sign", Method::POST, false, sign).taking(parameters::sign),
];

/// The links by which `tail` signs, or asks to sign, collections.
fn links(name: &str, tail: &str) -> Condition {
    Condition::all([
        Condition::equals("owner_uuid", uuid::SYSTEM_USER),
        Condition::plain("link_class = 'signature'"),
        Condition::equals("name", name),
        Condition::equals("tail_uuid", tail),
        Condition::new("head_uuid LIKE ?", [format!("%-{}-%", COLLECTIONS.infix).into()]),
    ])
}

/// Answers with what everybody has to sign who is invited.
///
/// # Errors
/// When nobody is logged in, or a parameter is wrong.
pub(crate) fn list(context: &Context<'_>) -> Result<Value> {
    let own = Condition::equals("uuid", &context.account()?.uuid);
    let user = object::find(context.db, &USERS, context.era(), &own)?;
    let invited = match &user {
        Some(user) => present::is_invited(context, user)?,
        None => false,
    };
    let required = links("require", uuid::SYSTEM_USER);
    let sql = format!("uuid IN (SELECT head_uuid FROM links WHERE {})", required.sql);
    let those = match invited {
        true => Condition::new(sql, required.parameters),
        false => Condition::plain("FALSE"),
    };
    list::list_those(&context.as_system(), &COLLECTIONS, those, None)
}

/// Answers with the signature `id`, which admins may look at.
///
/// # Errors
/// When the caller is no admin, or there is no such link.
pub(crate) fn show(context: &Context<'_>, id: &str) -> Result<Value> {
    context.admin()?;
    list::show(context, &LINKS, id)
}

/// Tells whoever wants to make, change or delete one where to do that; `id` is that of the link.
///
/// # Errors
/// Always.
pub(crate) fn refuse(context: &Context<'_>, id: Option<&str>) -> Result<()> {
    context.admin()?;
    if let Some(id) = id {
        readable::find(context, &LINKS, id, false)?;
    }
    Err(unprocessable("Manage user agreements via Collections and Links instead."))
}

/// What the caller has signed, or, for admins, the user whom they name.
fn signatures(context: &Context<'_>, _: &str) -> Result<Value> {
    let account = context.account()?;
    let named = context.request.parameter("uuid").and_then(Value::as_str);
    let user = named.filter(|_| account.is_admin).unwrap_or(&account.uuid);
    list::list_those(&context.as_system(), &LINKS, links("click", user), None)
}

/// Notes that the caller has signed; a user that is not active yet may do so, too.
fn sign(context: &Context<'_>, _: &str) -> Result<Value> {
    let account = context.account()?;
    let agreement = context.request.parameter("uuid").and_then(Value::as_str);
    let agreement = agreement.ok_or_else(|| unprocessable("uuid parameter is required"))?;
    if uuid::infix(agreement) != Some(COLLECTIONS.infix) {
        return Err(ApiError::NotFound);
    }
    let signature = Object::from_iter([
        ("link_class".to_owned(), "signature".into()),
        ("name".to_owned(), "click".into()),
        ("tail_uuid".to_owned(), account.uuid.clone().into()),
        ("head_uuid".to_owned(), agreement.into()),
    ]);
    let system = context.as_system();
    let link = write::insert(&system, &LINKS, signature, false)?;
    present::one(&system, &LINKS, &link, None)
}
