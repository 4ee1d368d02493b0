//! `replace_files` and `replace_segments`: a collection is made or changed from parts of others,
//! without the client writing its manifest.
//!
//! The keys of `replace_files` are paths in the new collection, its values say what is to be there:
//! `HASH+SIZE/path` of another collection, `current/path` as it was, `manifest_text/path` of the
//! manifest in the request, or nothing. Those of `replace_segments` are parts of blocks, written
//! `LOCATOR OFFSET LENGTH`. Wrong ones are answered with 400.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::collection;
use super::context::Context;
use super::error::{ApiError, Result};
use super::file_tree::{MAX_DEPTH, Node, Segment};
use super::object::{Object, text};
use crate::era::api::TAKES_REPLACEMENTS;
use crate::locator::Locator;

/// Sets the manifest in `changes` of the collection `old` as the request says by parts.
///
/// # Errors
/// When a part is wrong, or of a collection that the caller cannot see.
pub(crate) fn apply(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    if !TAKES_REPLACEMENTS.of(context.era()) {
        return Ok(());
    }
    let files = entries(context, "replace_files")?;
    let segments = entries(context, "replace_segments")?;
    if files.is_empty() && segments.is_empty() {
        return Ok(());
    }
    let given = match changes.get("manifest_text").and_then(Value::as_str) {
        Some(given) if !given.is_empty() => Some(collection::checked(context, given)?),
        _ => None,
    };
    let current = old.map(|old| text(old, "manifest_text")).unwrap_or_default();
    let mut tree = match &given {
        Some(given) if files.is_empty() => tree_of(given)?,
        _ => tree_of(current)?,
    };
    if !files.is_empty() {
        put_files(context, &mut tree, &files, given.as_deref())?;
    }
    if !segments.is_empty() {
        replace_segments(context, &mut tree, &segments)?;
    }
    let made = tree.manifest();
    tree_of(&made)?;
    // What the caller can read it may store: it is signed as if it had read it.
    let signed = collection::signed(context, &made);
    changes.insert("manifest_text".to_owned(), signed.into());
    Ok(())
}

/// The parameter `name`: texts by texts.
fn entries(context: &Context<'_>, name: &str) -> Result<BTreeMap<String, String>> {
    let Some(given) = context.request.json(name)? else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_value(given)
        .map_err(|error| bad(format!("{name} must be an object of strings: {error}")))
}

fn tree_of(manifest: &str) -> Result<Node> {
    Node::of_manifest(manifest)
        .ok_or_else(|| bad(format!("more than {MAX_DEPTH} folders lie within each other")))
}

fn bad(text: impl Into<String>) -> ApiError {
    ApiError::BadRequest(text.into())
}

/// Where a file or folder comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source<'a> {
    /// From nowhere: what is there is removed.
    Nothing,
    /// From the collection as it was.
    Current(&'a str),
    /// From the manifest in the request.
    Given(&'a str),
    /// From the collection with this portable data hash.
    Other(&'a str, &'a str),
}

impl<'a> Source<'a> {
    fn read(text: &'a str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Nothing);
        }
        let (from, path) = text.split_once('/').unwrap_or((text, ""));
        let regular = !path.split('/').any(|name| name == "." || name == "..");
        match from {
            "current" if regular => Ok(Self::Current(path)),
            "manifest_text" if regular => Ok(Self::Given(path)),
            hash if regular && collection::is_portable_data_hash(hash) => {
                Ok(Self::Other(hash, path))
            }
            _ => Err(bad(format!("invalid source in replace_files: {text:?}"))),
        }
    }
}

/// Checks a path to be put something at: `/` or absolute, and plain.
fn check_target(target: &str) -> Result<()> {
    let names = target.strip_prefix('/').ok_or_else(|| {
        bad(format!("invalid target in replace_files: {target:?} does not start with \"/\""))
    })?;
    if names.split('/').count() > MAX_DEPTH {
        return Err(bad(format!("more than {MAX_DEPTH} folders lie within each other")));
    }
    let plain = names.is_empty() || names.split('/').all(|name| !["", ".", ".."].contains(&name));
    match plain {
        true => Ok(()),
        false => Err(bad(format!("invalid target in replace_files: {target:?}"))),
    }
}

/// Refuses to put something at a path and something else below it.
fn check_apart(files: &BTreeMap<String, String>) -> Result<()> {
    for above in files.iter().filter(|(_, source)| !source.is_empty()).map(|(target, _)| target) {
        let folder = format!("{}/", above.trim_end_matches('/'));
        if let Some(below) = files.keys().find(|key| key.starts_with(&folder) && *key != above) {
            return Err(bad(format!(
                "invalid use of replace_files: target {below:?} is within target {above:?}"
            )));
        }
    }
    Ok(())
}

fn put_files(
    context: &Context<'_>,
    tree: &mut Node,
    files: &BTreeMap<String, String>,
    given: Option<&str>,
) -> Result<()> {
    check_apart(files)?;
    let mut put = Vec::new();
    let mut uses_given = false;
    for (target, source) in files {
        check_target(target)?;
        let source = Source::read(source)?;
        uses_given |= matches!(source, Source::Given(_));
        put.push((target, found(context, tree, source, given)?));
    }
    if given.is_some() && !uses_given {
        return Err(bad(
            "manifest_text was provided, but would not be used: no entry of replace_files has it as its source",
        ));
    }
    // What goes makes room for what comes.
    put.sort_by_key(|(_, node)| node.is_some());
    for (target, node) in put {
        match node {
            Some(node) => tree.put(target, node),
            None => tree.remove(target),
        }
    }
    if let Node::File(_) = tree {
        return Err(bad("invalid use of replace_files: \"/\" must be a folder"));
    }
    Ok(())
}

/// What `source` means; `None` if that is nothing.
fn found(
    context: &Context<'_>,
    current: &Node,
    source: Source<'_>,
    given: Option<&str>,
) -> Result<Option<Node>> {
    let other;
    let (tree, path) = match source {
        Source::Nothing => return Ok(None),
        Source::Current(path) => (current, path),
        Source::Given(path) => {
            let given = given.ok_or_else(|| {
                bad("replace_files has manifest_text as a source, but no manifest_text was provided")
            })?;
            other = tree_of(given)?;
            (&other, path)
        }
        Source::Other(hash, path) => {
            let collection = collection::find(context, hash)?;
            other = tree_of(text(&collection, "manifest_text"))?;
            (&other, path)
        }
    };
    let node = tree.get(path).cloned();
    node.map(Some).ok_or_else(|| ApiError::Missing(format!("file does not exist: {path:?}")))
}

/// A part of a block as clients write it, without hints.
type Part = (String, u64, u64);

fn part(text: &str) -> Result<(&str, Part)> {
    let wrong = || bad(format!("invalid segment in replace_segments: {text:?}"));
    let words: Vec<_> = text.split(' ').collect();
    let [given, offset, length] = words.as_slice() else {
        return Err(wrong());
    };
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
    let (offset, length) = (number(offset)?, number(length)?);
    let locator = plain(given).ok_or_else(wrong)?;
    let size = Locator::parse(given).and_then(|locator| locator.size).unwrap_or_default();
    match offset.checked_add(length) {
        Some(end) if end <= size => Ok((given, (locator, offset, length))),
        _ => Err(wrong()),
    }
}

/// A locator without its hints.
fn plain(locator: &str) -> Option<String> {
    let locator = Locator::parse(locator)?;
    Some(format!("{}+{}", locator.hash, locator.size?))
}

/// Puts new parts of blocks where the files have old ones. A new block takes the place of all that
/// it is for or, if somebody else has changed some of that meanwhile, of nothing.
fn replace_segments(
    context: &Context<'_>,
    tree: &mut Node,
    segments: &BTreeMap<String, String>,
) -> Result<()> {
    let (mut replacements, mut locators) = (HashMap::new(), Vec::new());
    for (old, new) in segments {
        let ((_, old_part), (locator, new_part)) = (part(old)?, part(new)?);
        if old_part.2 != new_part.2 {
            return Err(bad(format!(
                "replace_segments has {new:?}, which is not as long as {old:?}"
            )));
        }
        locators.push(locator);
        replacements.insert(old_part, new_part);
    }
    collection::check_signatures(context, &format!(". {} 0:0:.\n", locators.join(" ")))?;
    let mut present = HashSet::new();
    tree.for_each_segment(&mut |segment| present.extend(of_segment(segment)));
    let missing = replacements.iter().filter(|(old, _)| !present.contains(*old));
    let unused: HashSet<_> = missing.map(|(_, new)| new.0.clone()).collect();
    tree.for_each_segment(&mut |segment| {
        let new = of_segment(segment).and_then(|old| replacements.get(&old));
        if let Some((locator, offset, _)) = new.filter(|new| !unused.contains(&new.0)) {
            segment.locator.clone_from(locator);
            segment.offset = *offset;
        }
    });
    Ok(())
}

fn of_segment(segment: &Segment) -> Option<Part> {
    Some((plain(&segment.locator)?, segment.offset, segment.length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let hash = "fa7aeb5140e2848d39b416daeef4ffc5+45";
        assert_eq!(Source::read("").unwrap(), Source::Nothing);
        assert_eq!(Source::read("current/a/b").unwrap(), Source::Current("a/b"));
        assert_eq!(Source::read("manifest_text/").unwrap(), Source::Given(""));
        let whole = format!("{hash}/");
        assert_eq!(Source::read(&whole).unwrap(), Source::Other(hash, ""));
        for wrong in ["/a", "zzzzz-4zz18-znfnqtbbv4spc3w/a", "current/../a", "fa7aeb/x"] {
            assert!(Source::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn targets_are_absolute_and_apart() {
        for good in ["/", "/a", "/a/b"] {
            check_target(good).unwrap();
        }
        for wrong in ["", "a", "/a/", "//a", "/a/../b", "/."] {
            assert!(check_target(wrong).is_err(), "{wrong}");
        }
        let apart = |entries: &[(&str, &str)]| {
            let entries = entries.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            check_apart(&entries.collect()).is_ok()
        };
        assert!(apart(&[("/a", ""), ("/a/b", "current/c"), ("/ab", "current/c")]));
        assert!(!apart(&[("/a", "current/c"), ("/a/b", "")]));
        assert!(!apart(&[("/", "current/c"), ("/a", "")]));
    }

    #[test]
    fn parts_lie_within_their_blocks() {
        let foo = "acbd18db4cc2f85cedef654fccc4a4d8+3";
        let read = |text: &str| part(text).map(|(_, part)| part);
        let signed = format!("{foo}+Aabc@12 1 2");
        assert_eq!(read(&signed).unwrap(), (foo.to_owned(), 1, 2));
        for wrong in ["x 0 1", foo, "acbd18db4cc2f85cedef654fccc4a4d8 0 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("{foo} 2 2")).is_err());
        assert!(read(&format!("{foo} 0 -1")).is_err());
    }
}
