//! What a path and a method ask for.

use hyper::Method;

use super::computed_permissions::COMPUTED_PERMISSIONS;
use super::crunch2::CONTAINERS;
use super::resource::Resource;
use super::resources::{self, COLLECTIONS};
use super::special::{self, Special};
use crate::era::Era;
use crate::era::api::{
    DISCOVERY_BY_ANY_METHOD, HAS_COMPUTED_PERMISSIONS, HAS_CONFIG_AND_VOCABULARY, HAS_TRASH,
    PATCH_UPDATES,
};

/// What a request is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route<'a> {
    /// The discovery document.
    Discovery,
    /// The way back to the fixtures.
    DatabaseReset,
    /// The configuration that clients may know.
    Config,
    /// The property vocabulary.
    Vocabulary,
    /// What each user reaches.
    ComputedPermissions,
    /// What time does to the trash.
    TrashSweep,
    /// All objects of a resource.
    List(&'static Resource),
    /// A new object.
    Create(&'static Resource),
    /// One object, by uuid or, for collections, by portable data hash.
    Show(&'static Resource, &'a str),
    /// A change of one object.
    Update(&'static Resource, &'a str),
    /// The end of one object.
    Delete(&'static Resource, &'a str),
    /// A special action, on one object or on the resource.
    Special(&'static Special, Option<&'a str>),
}

/// What reads one object or a few, whatever is stored.
const READS_LITTLE: &[&str] = &["accessible", "current", "system"];

impl Route<'_> {
    /// Whether it is answered at once: by what is known, or by small objects that are few.
    pub(crate) fn reads_little(&self) -> bool {
        match self {
            Self::Discovery | Self::Config | Self::Vocabulary => true,
            // A manifest may be of any length, and each of its blocks is signed. Who sees a container
            // depends on many others.
            Self::Show(resource, _) => {
                ![COLLECTIONS.plural, CONTAINERS.plural].contains(&resource.plural)
            }
            Self::Special(special, None) => READS_LITTLE.contains(&special.name),
            _ => false,
        }
    }
}

/// Where the discovery document lies.
pub(crate) const DISCOVERY_PATH: &str = "/discovery/v1/apis/arvados/v1/rest";

/// Finds the route; `None` if there is none, or `era` or this server lacks it.
pub(crate) fn find<'a>(era: Era, method: &Method, path: &'a str) -> Option<Route<'a>> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    if path == DISCOVERY_PATH {
        let allowed = method == Method::GET || DISCOVERY_BY_ANY_METHOD.of(era);
        return allowed.then_some(Route::Discovery);
    }
    if path == "/database/reset" {
        return (method == Method::POST).then_some(Route::DatabaseReset);
    }
    let mut parts = path.strip_prefix("/arvados/v1/")?.split('/');
    let (plural, id, action) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    if HAS_CONFIG_AND_VOCABULARY.of(era) && method == Method::GET && id.is_none() {
        match plural {
            "config" => return Some(Route::Config),
            "vocabulary" => return Some(Route::Vocabulary),
            _ => {}
        }
    }
    let computed = HAS_COMPUTED_PERMISSIONS.of(era) && plural == COMPUTED_PERMISSIONS.plural;
    if computed && method == Method::GET && id.is_none() {
        return Some(Route::ComputedPermissions);
    }
    let sweeps = HAS_TRASH.of(era) && (plural, id, action) == ("sys", Some("trash_sweep"), None);
    if sweeps && method == Method::POST {
        return Some(Route::TrashSweep);
    }
    if let (Some(id), None) = (id, action)
        && let Some(special) = special::in_folder(era, plural, method)
    {
        return Some(Route::Special(special, Some(id)));
    }
    let resource = resources::by_plural(era, plural)?;
    let special = |name, member| special::find(era, resource, name, method, member);
    match (id, action) {
        (Some(id), Some(action)) => Some(Route::Special(special(action, true)?, Some(id))),
        (Some(id), None) => match special(id, false) {
            Some(special) => Some(Route::Special(special, None)),
            None => on_object(era, method, resource, id),
        },
        (None, _) => match *method {
            Method::GET => Some(Route::List(resource)),
            Method::POST => Some(Route::Create(resource)),
            _ => None,
        },
    }
}

fn on_object<'a>(
    era: Era,
    method: &Method,
    resource: &'static Resource,
    id: &'a str,
) -> Option<Route<'a>> {
    match *method {
        Method::GET => Some(Route::Show(resource, id)),
        Method::PUT => Some(Route::Update(resource, id)),
        Method::PATCH if PATCH_UPDATES.of(era) => Some(Route::Update(resource, id)),
        Method::DELETE => Some(Route::Delete(resource, id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> String {
        match find(Era::Current, method, path) {
            None => "none".to_owned(),
            Some(Route::Special(special, id)) => format!("{} {id:?}", special.name),
            Some(Route::List(resource)) => format!("list {}", resource.plural),
            Some(Route::Show(resource, id)) => format!("show {} {id}", resource.plural),
            Some(other) => {
                format!("{other:?}").chars().take_while(char::is_ascii_alphabetic).collect()
            }
        }
    }

    #[test]
    fn paths_are_told_apart() {
        let get = |path| found(&Method::GET, path);
        assert_eq!(get("/arvados/v1/users"), "list users");
        assert_eq!(get("/arvados/v1/users/x"), "show users x");
        assert_eq!(get("/arvados/v1/users/current"), "current None");
        assert_eq!(get(DISCOVERY_PATH), "Discovery");
        assert_eq!(get("/arvados/v1/config"), "Config");
        assert_eq!(found(&Method::POST, "/arvados/v1/collections/x/trash"), "trash Some(\"x\")");
        assert_eq!(get("/arvados/v1/permissions/x"), "get_permissions Some(\"x\")");
        assert_eq!(get("/arvados/v1/computed_permissions"), "ComputedPermissions");
        assert_eq!(found(&Method::POST, "/arvados/v1/sys/trash_sweep"), "TrashSweep");
    }

    #[test]
    fn what_we_lack_is_not_found() {
        for path in [
            "/",
            "/arvados/v1/",
            "/arvados/v1/jobs",
            "/arvados/v1/users/x/unknown",
            "/arvados/v1/users/x/trash/y",
            "/arvados/v2/users",
            "/arvados/v1/api_clients",
            "/arvados/v1/permissions",
            "/arvados/v1/links/x/get_permissions",
            "/arvados/v1/computed_permissions/x",
            "/arvados/v1/sys/trash_sweep",
            "/database/reset",
        ] {
            assert_eq!(found(&Method::GET, path), "none", "{path}");
        }
    }

    #[test]
    fn head_is_a_get() {
        assert_eq!(found(&Method::HEAD, "/arvados/v1/users/current"), "current None");
    }
}
