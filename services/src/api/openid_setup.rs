//! What a user of 2015 was given besides: to log in by OpenID, and to manage a repository.

use serde_json::json;

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::object::{self, Object, text};
use super::resources::REPOSITORIES;
use super::user_setup::{self, parameter};
use super::write;

/// The links for `user`, new or known, as the request wants them.
///
/// # Errors
/// When a repository is wanted for a user that has no name to log in by, or cannot be made.
pub(crate) fn links(context: &Context<'_>, user: &Object, is_new: bool) -> Result<Vec<Object>> {
    let (uuid, email) = (text(user, "uuid"), text(user, "email"));
    let prefix = json!({"identity_url_prefix": parameter(context, "openid_prefix")});
    let anyhow = Condition::all([]);
    let login = user_setup::permission(context, email, "can_login", uuid, &prefix, anyhow)?;
    let mut links = vec![login];
    if let Some(name) = parameter(context, "repo_name") {
        let repository = repository(context, user, name, is_new)?;
        links.push(user_setup::give(context, uuid, "can_manage", text(&repository, "uuid"))?);
    }
    Ok(links)
}

/// The condition on the link by which `user` logs in: it comes from its email.
pub(crate) fn login_of(user: &Object) -> Condition {
    Condition::all([
        Condition::plain("link_class = 'permission' AND name = 'can_login'"),
        Condition::equals("tail_uuid", text(user, "email")),
        Condition::equals("head_uuid", text(user, "uuid")),
    ])
}

/// The repository `name` of `user`, made now if there is none; that of a new user has its name in
/// front.
fn repository(context: &Context<'_>, user: &Object, name: &str, is_new: bool) -> Result<Object> {
    let username = text(user, "username");
    if username.is_empty() {
        let text = "cannot setup a repository because user has no username";
        return Err(unprocessable(text));
    }
    let name = if is_new { format!("{username}/{name}") } else { name.to_owned() };
    let known = Condition::all([
        Condition::equals("owner_uuid", text(user, "uuid")),
        Condition::equals("name", &name),
    ]);
    if let Some(known) = object::find(context.db, &REPOSITORIES, context.era(), &known)? {
        return Ok(known);
    }
    let wanted = Object::from_iter([
        ("owner_uuid".to_owned(), text(user, "uuid").into()),
        ("name".to_owned(), name.into()),
    ]);
    write::insert(context, &REPOSITORIES, wanted, false)
}
