//! The files of a collection as a tree of folders, made from a manifest and written as one again.
//! Pure.

use std::collections::BTreeMap;

use super::manifest::{self, FileSegment};
use crate::locator::{EMPTY_HASH, Locator};

/// The most folders within each other: a tree is walked by functions that call themselves.
pub(crate) const MAX_DEPTH: usize = 200;

/// A part of a block that is a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The block: hash, size and hints.
    pub(crate) locator: String,
    /// Where in the block it begins, in bytes.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) length: u64,
}

/// A file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file, as what it consists of.
    File(Vec<Segment>),
    /// A folder, by the names of what is in it.
    Folder(BTreeMap<String, Node>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Folder(BTreeMap::new())
    }
}

impl Node {
    /// The tree of a valid manifest; `None` if it has folders deeper than [`MAX_DEPTH`].
    pub(crate) fn of_manifest(text: &str) -> Option<Self> {
        let mut root = Self::default();
        for line in text.lines() {
            let mut tokens = line.split(' ').peekable();
            let stream = manifest::unescape(tokens.next().unwrap_or_default());
            let mut blocks = Vec::new();
            while let Some(token) = tokens.next_if(|token| Locator::parse(token).is_some()) {
                blocks.push(token);
            }
            for file in tokens.filter_map(manifest::file_segment) {
                let name = manifest::unescape(file.name);
                let path = format!("{stream}/{name}");
                if names(&path).count() > MAX_DEPTH {
                    return None;
                }
                if name == "." {
                    root.folder_at(&stream);
                } else if let Some(Self::File(segments)) = root.file_at(&path) {
                    segments.extend(segments_of(&blocks, &file));
                }
            }
        }
        Some(root)
    }

    /// What is at `path`, names between slashes; the node itself for an empty one.
    pub(crate) fn get(&self, path: &str) -> Option<&Self> {
        names(path).try_fold(self, |node, name| match node {
            Self::File(_) => None,
            Self::Folder(entries) => entries.get(name),
        })
    }

    /// Puts `node` at `path`, in place of what is there, and of files on the way.
    pub(crate) fn put(&mut self, path: &str, node: Self) {
        *self.at(path) = node;
    }

    /// Removes what is at `path`, if anything is.
    pub(crate) fn remove(&mut self, path: &str) {
        let Some((folder, name)) = path.trim_matches('/').rsplit_once('/').or_else(|| {
            let name = path.trim_matches('/');
            (!name.is_empty()).then_some(("", name))
        }) else {
            *self = Self::default();
            return;
        };
        if self.get(folder).is_some()
            && let Self::Folder(entries) = self.at(folder)
        {
            entries.remove(name);
        }
    }

    /// Calls `see` with each segment of each file.
    pub(crate) fn for_each_segment(&mut self, see: &mut impl FnMut(&mut Segment)) {
        match self {
            Self::File(segments) => segments.iter_mut().for_each(see),
            Self::Folder(entries) => {
                for node in entries.values_mut() {
                    node.for_each_segment(see);
                }
            }
        }
    }

    /// Its manifest, as the folder `.`.
    pub(crate) fn manifest(&self) -> String {
        let mut text = String::new();
        if let Self::Folder(entries) = self {
            write_folder(&mut text, ".", entries);
        }
        text
    }

    /// The node at `path`, made if there is none; a file on the way becomes a folder.
    fn at(&mut self, path: &str) -> &mut Self {
        names(path).fold(self, |node, name| {
            if let Self::File(_) = node {
                *node = Self::default();
            }
            match node {
                Self::Folder(entries) => entries.entry(name.to_owned()).or_default(),
                file @ Self::File(_) => file,
            }
        })
    }

    fn folder_at(&mut self, path: &str) {
        self.at(path);
    }

    fn file_at(&mut self, path: &str) -> Option<&mut Self> {
        let node = self.at(path);
        if let Self::Folder(entries) = node
            && entries.is_empty()
        {
            *node = Self::File(Vec::new());
        }
        Some(node)
    }
}

/// The names in a path; `.` is where one is.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".")
}

/// The parts of `blocks`, one after the other, that `file` covers.
fn segments_of(blocks: &[&str], file: &FileSegment<'_>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut start, end) = (0_u64, file.position.saturating_add(file.length));
    for locator in blocks {
        let size = Locator::parse(locator).and_then(|locator| locator.size).unwrap_or_default();
        let block_end = start.saturating_add(size);
        let (from, to) = (start.max(file.position), block_end.min(end));
        if from < to {
            let locator = (*locator).to_owned();
            segments.push(Segment { locator, offset: from - start, length: to - from });
        }
        start = block_end;
    }
    segments
}

/// Writes a stream with the files of a folder, and then those of the folders in it.
fn write_folder(text: &mut String, stream: &str, entries: &BTreeMap<String, Node>) {
    let mut blocks: Vec<&str> = Vec::new();
    let mut sizes = 0_u64;
    let mut last_block = 0_u64;
    let mut tokens: Vec<(u64, u64, &str)> = Vec::new();
    for (name, node) in entries {
        let Node::File(segments) = node else {
            continue;
        };
        let before = tokens.len();
        for segment in segments {
            if blocks.last() != Some(&segment.locator.as_str()) {
                let locator = Locator::parse(&segment.locator);
                last_block = sizes;
                sizes += locator.and_then(|locator| locator.size).unwrap_or_default();
                blocks.push(&segment.locator);
            }
            let position = last_block + segment.offset;
            match tokens.get_mut(before..).and_then(<[_]>::last_mut) {
                Some((start, length, _)) if *start + *length == position => {
                    *length += segment.length;
                }
                _ => tokens.push((position, segment.length, name)),
            }
        }
        if tokens.len() == before {
            tokens.push((0, 0, name));
        }
    }
    let is_left_empty = entries.is_empty() && stream != ".";
    if is_left_empty {
        tokens.push((0, 0, "."));
    }
    if !tokens.is_empty() {
        let nothing = format!("{EMPTY_HASH}+0");
        let blocks = if blocks.is_empty() { nothing } else { blocks.join(" ") };
        text.push_str(&format!("{} {blocks}", escape(stream)));
        for (position, length, name) in tokens {
            let name = if name == "." { "\\056".to_owned() } else { escape(name) };
            text.push_str(&format!(" {position}:{length}:{name}"));
        }
        text.push('\n');
    }
    for (name, node) in entries {
        if let Node::Folder(inner) = node {
            write_folder(text, &format!("{stream}/{name}"), inner);
        }
    }
}

/// Writes blanks, control characters, colons and backslashes as `\ooo`.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\\' | ':' | ' ' => escaped.push_str(&format!("\\{:03o}", u32::from(c))),
            c if c.is_ascii_control() => escaped.push_str(&format!("\\{:03o}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8+3";
    const BAR: &str = "37b51d194a7513e45b56f6524f2d51f2+3";

    fn again(text: &str) -> String {
        Node::of_manifest(text).unwrap().manifest()
    }

    #[test]
    fn a_manifest_comes_out_in_order_with_the_same_files() {
        for text in [
            String::new(),
            format!(". {FOO} 0:3:foo\n"),
            format!(". {FOO} {BAR} 0:3:a\\040b 3:3:c\n./d\\072e {FOO} 0:3:x\n"),
            format!("./d {EMPTY_HASH}+0 0:0:\\056\n"),
            format!(". {EMPTY_HASH}+0 0:0:empty\n"),
        ] {
            assert_eq!(again(&text), text);
        }
        let scattered = format!("./d {FOO} 0:1:x\n. {BAR} {FOO} 2:2:y\n./d {FOO} 1:2:x\n");
        let expected = format!(". {BAR} {FOO} 2:2:y\n./d {FOO} 0:3:x\n");
        assert_eq!(again(&scattered), expected);
        let within = format!(". {FOO} 0:3:d/e/f\n");
        assert_eq!(again(&within), format!("./d/e {FOO} 0:3:f\n"));
    }

    #[test]
    fn nodes_are_put_found_and_removed_by_their_paths() {
        let text = format!(". {FOO} 0:3:foo\n./d {BAR} 0:3:bar\n");
        let mut root = Node::of_manifest(&text).unwrap();
        let bar = root.get("/d/bar").cloned().unwrap();
        assert_eq!(root.get("/foo/bar"), None);
        root.put("/new/deep/bar", bar);
        root.remove("/d/bar");
        root.remove("/nowhere/x");
        root.remove("foo");
        let expected = format!("./d {EMPTY_HASH}+0 0:0:\\056\n./new/deep {BAR} 0:3:bar\n");
        assert_eq!(root.manifest(), expected);
        root.remove("/");
        assert_eq!(root.manifest(), "");
    }

    #[test]
    fn folders_lie_so_deep_and_no_deeper() {
        let deep = |separator: &str, depth: usize| {
            let path = vec!["d"; depth].join(separator);
            Node::of_manifest(&format!(". {FOO} 0:3:{path}\n"))
        };
        for separator in ["/", "\\057"] {
            assert!(deep(separator, MAX_DEPTH).is_some());
            assert!(deep(separator, MAX_DEPTH + 1).is_none());
        }
    }
}
