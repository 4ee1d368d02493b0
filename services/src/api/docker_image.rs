//! Finds the collection that holds a Docker image, by the name of the image or of the collection.

use super::collection;
use super::condition::Condition;
use super::context::Context;
use super::error::Result;
use super::manifest;
use super::object::{self, Object, text};
use super::readable;
use super::resources::{COLLECTIONS, LINKS};

/// The portable data hash of the newest collection with the image `wanted` that the caller can see:
/// a portable data hash, `REPOSITORY[:TAG]`, or the start of an image's hash.
///
/// # Errors
/// Those of the database.
pub(crate) fn find(context: &Context<'_>, wanted: &str) -> Result<Option<String>> {
    if collection::is_portable_data_hash(wanted) {
        let this = Condition::equals("portable_data_hash", wanted);
        return Ok(first_with_image(context, &this)?.map(|found| pdh(&found)));
    }
    let tagged = match wanted.contains(':') {
        true => wanted.to_owned(),
        false => format!("{wanted}:latest"),
    };
    let named = Condition::all([
        Condition::equals("link_class", "docker_image_repo+tag"),
        Condition::equals("name", &tagged),
    ]);
    let escaped = wanted.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let hashed = Condition::all([
        Condition::equals("link_class", "docker_image_hash"),
        Condition::new("name LIKE ? ESCAPE '\\'", [format!("{escaped}%").into()]),
    ]);
    for links in [named, hashed] {
        if let Some(found) = newest(context, links)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Of the images that `links` lead to, the one made last.
fn newest(context: &Context<'_>, links: Condition) -> Result<Option<String>> {
    let links = Condition::all([links, readable::condition(context, &LINKS, false)]);
    let order = "json_extract(properties, '$.image_timestamp') DESC, created_at DESC";
    for link in object::find_all(context.db, &LINKS, context.era(), &links, order)? {
        let this = Condition::equals("uuid", text(&link, "head_uuid"));
        if let Some(found) = first_with_image(context, &this)? {
            return Ok(Some(pdh(&found)));
        }
    }
    Ok(None)
}

fn pdh(collection: &Object) -> String {
    text(collection, "portable_data_hash").to_owned()
}

/// A collection that holds one file, and that is an image.
fn first_with_image(context: &Context<'_>, condition: &Condition) -> Result<Option<Object>> {
    let readable = readable::condition(context, &COLLECTIONS, false);
    let condition = Condition::all([condition.clone(), readable]);
    let found = object::find(context.db, &COLLECTIONS, context.era(), &condition)?;
    Ok(found.filter(|found| is_image(text(found, "manifest_text"))))
}

fn is_image(manifest_text: &str) -> bool {
    let mut names = manifest_text.split_ascii_whitespace().filter_map(|token| {
        let (_, name) = token.split_once(':').and_then(|(_, rest)| rest.split_once(':'))?;
        Some(name)
    });
    let one = names.next().filter(|_| manifest::file_totals(manifest_text).count == 1);
    one.and_then(|name| name.strip_suffix(".tar")).is_some_and(|name| {
        let hash = name.strip_prefix("sha256:").unwrap_or(name);
        hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_one_file_named_by_its_hash() {
        let hash = "ab".repeat(32);
        let of = |files: &str| format!(". acbd18db4cc2f85cedef654fccc4a4d8+3 {files}\n");
        assert!(is_image(&of(&format!("0:3:sha256:{hash}.tar"))));
        assert!(is_image(&of(&format!("0:3:{hash}.tar"))));
        assert!(!is_image(&of("0:3:foo.tar")));
        assert!(!is_image(&of(&format!("0:3:{hash}.tar 0:0:foo"))));
        assert!(!is_image(""));
    }
}
