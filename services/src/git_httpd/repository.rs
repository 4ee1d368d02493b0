//! Which repository a path means, what the API server says about it, and where its folder is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hyper::Method;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::api_client::{ApiClient, Credential};
use crate::log;
use crate::request_log::RequestId;

/// A path of the form `/NAME.git/REST` or `/NAME/.git/REST`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RepositoryPath<'a> {
    /// The repository's name, which may have a slash in it.
    pub(super) name: &'a str,
    /// What git is asked for, with its slash in front.
    pub(super) rest: &'a str,
}

impl<'a> RepositoryPath<'a> {
    /// Takes apart `path`, which is decoded and clean; `None` if it has another form.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let (name, rest) = path.strip_prefix('/')?.split_once(".git/")?;
        // The slash that ended `.git/` begins the rest.
        let rest = &path[path.len() - rest.len() - 1..];
        // A clean path leads nowhere else, but this becomes a path on disk.
        let leads_away = path.split('/').any(|segment| segment == "..") || path.contains('\0');
        (!leads_away).then_some(Self { name: name.trim_end_matches('/'), rest })
    }

    /// Whether git will change the repository.
    pub(super) fn writes(&self) -> bool {
        self.rest.ends_with("/git-receive-pack")
    }
}

/// The uuid of the one repository called `name` that `token` may read. A repository is also called by
/// its uuid, which stays when it is renamed, and which no name looks like.
///
/// # Errors
/// When there is none, or several, or the API server does not tell.
pub(super) async fn look_up(
    api: &ApiClient,
    token: &str,
    name: &str,
    id: &RequestId,
) -> Result<String, Refusal> {
    let attribute = if is_uuid(name) { "uuid" } else { "name" };
    let filters = json!([[attribute, "=", name]]).to_string();
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("filters", &filters).finish();
    let path = format!("/arvados/v1/repositories?{query}");
    let list = api.json(Method::GET, &path, Credential::Token(token), Some(id), None).await?;
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    match items {
        [] => Err(Refusal::NotListed),
        [only] => {
            let uuid = only["uuid"].as_str().filter(|uuid| is_uuid(uuid));
            uuid.map(str::to_owned).ok_or(Refusal::NotListed)
        }
        _ => Err(Refusal::Ambiguous),
    }
}

/// A uuid becomes part of a path on disk, so it has nothing but letters, digits and two hyphens.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let is_plain = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    parts.iter().map(|part| part.len()).eq([5, 5, 15]) && parts.iter().all(is_plain)
}

/// Lets `token` prove that it may write: it updates the time of the repository's last change.
///
/// # Errors
/// [`Refusal::ReadOnly`] when it may not, whatever the reason.
pub(super) async fn check_writable(
    api: &ApiClient,
    token: &str,
    uuid: &str,
    id: &RequestId,
) -> Result<(), Refusal> {
    let path = format!("/arvados/v1/repositories/{uuid}");
    let now = jiff::Timestamp::now().to_string();
    let change: Value = json!({ "repository": { "modified_at": now } });
    let credential = Credential::Token(token);
    match api.json(Method::PUT, &path, credential, Some(id), Some(&change)).await {
        Ok(_) => Ok(()),
        Err(error) => {
            log::line(format_args!(
                "arv-git-httpd: {uuid} is not writable: the API server {error}"
            ));
            Err(Refusal::ReadOnly)
        }
    }
}

/// The folder of a repository below `root`, which is a canonical path.
///
/// # Errors
/// When there is none, or it lies outside by way of a symbolic link.
pub(super) fn folder(root: &Path, uuid: &str, name: &str) -> Result<PathBuf, Refusal> {
    let candidates = [
        format!("{uuid}.git"),
        format!("{uuid}/.git"),
        format!("{name}.git"),
        format!("{name}/.git"),
    ];
    for candidate in candidates {
        match root.join(candidate).canonicalize() {
            Ok(found) if found.starts_with(root) && found.is_dir() => return Ok(found),
            Ok(outside) => {
                log::line(format_args!(
                    "arv-git-httpd: {} is no folder of ours",
                    outside.display()
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => log::line(format_args!("arv-git-httpd: {uuid} ({name}): {error}")),
        }
    }
    Err(Refusal::NoFolder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_name_and_what_git_is_asked_for() {
        for path in ["/active/foo.git/info/refs", "/active/foo/.git/info/refs"] {
            let parsed = RepositoryPath::parse(path).unwrap();
            assert_eq!((parsed.name, parsed.rest), ("active/foo", "/info/refs"));
            assert!(!parsed.writes());
        }
        assert!(RepositoryPath::parse("/foo.git/git-receive-pack").unwrap().writes());
    }

    #[test]
    fn paths_without_a_repository_or_that_lead_away_are_refused() {
        for path in [
            "",
            "/",
            "/foo",
            "/foo.git",
            "foo.git/HEAD",
            "/../a.git/HEAD",
            "/a.git/..",
            "/a.git/\0",
        ] {
            assert_eq!(RepositoryPath::parse(path), None, "{path:?}");
        }
        let nameless = RepositoryPath::parse("/.git/config").unwrap();
        assert_eq!((nameless.name, nameless.rest), ("", "/config"));
        assert_eq!(RepositoryPath::parse("/foo.git/").unwrap().rest, "/");
    }

    #[test]
    fn a_uuid_is_told_from_names_and_paths() {
        assert!(is_uuid("zzzzz-s0uqq-382brsig8rp3666"));
        for other in ["", "active/foo", "zzzzz-s0uqq-382brsig8rp366", "zzzzz-s0uqq-382brsig8/p3666"]
        {
            assert!(!is_uuid(other), "{other:?}");
        }
    }

    #[test]
    fn a_folder_is_found_by_uuid_first_and_never_outside_the_root() {
        let uuid = "zzzzz-s0uqq-382brsig8rp3666";
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        assert!(matches!(folder(&root, uuid, "foo"), Err(Refusal::NoFolder)));
        fs_err::os::unix::fs::symlink(outside.path(), root.join("foo.git")).unwrap();
        assert!(matches!(folder(&root, uuid, "foo"), Err(Refusal::NoFolder)));
        fs_err::create_dir_all(root.join("foo/.git")).unwrap();
        assert_eq!(folder(&root, uuid, "foo").unwrap(), root.join("foo/.git"));
        fs_err::create_dir_all(root.join(uuid).join(".git")).unwrap();
        assert_eq!(folder(&root, uuid, "foo").unwrap(), root.join(uuid).join(".git"));
    }
}
