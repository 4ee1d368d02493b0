//! Holds the crate to its one table: no code outside of it asks which era it is.

use std::path::Path;

/// These describe what exists in which era, and may name eras where they do so.
const DESCRIPTIONS: [&str; 6] = [
    "api/dropped.rs",
    "api/resource.rs",
    "api/resources.rs",
    "api/special.rs",
    "api/crunch1/resources.rs",
    "api/crunch2/resources.rs",
];

/// How a description names an era.
const COLUMNS: [&str; 4] =
    [".only(Era::", "Eras::Only(Era::", "admin_only: &[Era::", "Self::Only(only) => only == era"];

/// What may be said of eras anywhere, since it does not tell them apart.
const ANYWHERE: [&str; 2] = ["Era::ALL", "Era::default()"];

/// How code tells eras apart: by their names, however imported, or by comparing two.
const TELLING_APART: [&str; 9] =
    ["Era::", "Era as ", "= Era;", "era ==", "era() ==", "era !=", "era() !=", "== era", "!= era"];

/// The numbers of the lines of `source`, without its tests and comments, that tell eras apart.
fn offences(source: &str, is_description: bool) -> Vec<usize> {
    let lines = source.lines().take_while(|line| *line != "mod tests {");
    let numbered = lines.zip(1..).map(|(line, number)| (line.trim(), number));
    let offends = |line: &str| {
        let is_comment = line.starts_with("//");
        let is_column = is_description && COLUMNS.iter().any(|column| line.contains(column));
        let line = ANYWHERE.iter().fold(line.to_owned(), |line, known| line.replace(known, ""));
        !is_comment && !is_column && TELLING_APART.iter().any(|way| line.contains(way))
    };
    numbered.filter(|(line, _)| offends(line)).map(|(_, number)| number).collect()
}

/// Appends `FILE:LINE` for each offence below `folder`, but for the table itself.
fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "era" {
            collect(root, &path, found);
        } else if name.ends_with(".rs") {
            let source = fs_err::read_to_string(&path).unwrap();
            let lines = offences(&source, DESCRIPTIONS.contains(&name.as_str()));
            found.extend(lines.iter().map(|line| format!("services/src/{name}:{line}")));
        }
    }
}

#[test]
fn only_the_table_tells_eras_apart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.is_empty(), "make a row of it in services/src/era: {}", found.join(", "));
}

#[test]
fn every_way_to_tell_eras_apart_is_found() {
    for way in [
        "if self.era == Era::Current {",
        "Method::PATCH if era == wanted => {}",
        "let same = context.era() != other;",
        "let same = other == era;",
        "(Some(_), None, Era::Y2015) => {}",
        "if era == Era::default() {",
        "use crate::era::Era::{self, Current};",
        "use crate::era::Era as Age;",
        "type Age = Era;",
    ] {
        assert_eq!(offences(&format!("//!\n\n    {way}\n"), true), [3], "{way}");
    }
}

#[test]
fn rows_descriptions_tests_and_comments_are_no_offences() {
    let asking =
        "era: Era::default(),\nfor era in Era::ALL {\nif HAS_TRASH.of(era) {\n// era == x\n";
    let testing = "#[cfg(test)]\nmod tests {\n    let era = Era::Y2015;\n";
    assert!(offences(&format!("{asking}{testing}"), false).is_empty());
    let description = "    datetime(\"trash_at\").only(Era::Current),\n";
    assert!(offences(description, true).is_empty());
    assert_eq!(offences(description, false), [1]);
}
