//! Whatever stands in a fixture file, loading it ends with rows or with an error, and in no panic.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use rusqlite::Connection;
use sdk_fixtures::Fixtures;

use super::{fixture_load, schema};
use crate::era::Era;

/// What is put in place of a part of a line.
const PIECES: &[&str] = &[
    "",
    "~",
    "0",
    "-1",
    "99999999999999999999",
    "1.5e300",
    "yes",
    "'",
    "\"",
    ":",
    ": ",
    "- ",
    "{",
    "}",
    "[]",
    "{a: 1}",
    "[a, {b: c}]",
    "|",
    "&x",
    "*x",
    "!!binary aGk=",
    "<%= 1.day.ago.to_s(:db) %>",
    "<%= i %>",
    "<% for i in 1..3 do %>",
    "<% end %>",
    "<%= 99999999999.day.ago.to_s(:db) %>",
    "\0",
    "\t",
    "ü",
    "9999-12-31 23:59:59",
    "-9999-01-01",
    "admin",
    "id: 1",
    "uuid: x",
    "# Test Helper trims",
    ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\x\n",
];

/// Files with every type of column, and what refers to others.
const CLASSES: &[&str] =
    &["users", "api_client_authorizations", "collections", "links", "logs", "keep_disks", "jobs"];

fn mutated() -> impl Strategy<Value = (&'static str, String)> {
    let change = (any::<Index>(), any::<Index>(), any::<Index>(), select(PIECES.to_vec()));
    (select(CLASSES.to_vec()), prop::collection::vec(change, 1..5)).prop_map(|(class, changes)| {
        let file = Fixtures::builtin().dir().join(format!("{class}.yml"));
        let text = fs_err::read_to_string(file).unwrap();
        let mut lines: Vec<String> = text.lines().take(60).map(str::to_owned).collect();
        for (line, from, to, piece) in changes {
            let line = &mut lines[line.index(text.lines().count().min(60))];
            let mut letters: Vec<char> = line.chars().collect();
            let (from, to) = (from.index(letters.len() + 1), to.index(letters.len() + 1));
            letters.splice(from.min(to)..from.max(to), piece.chars());
            *line = letters.into_iter().collect();
        }
        (class, lines.join("\n"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_changed_fixture_is_loaded_or_refused((class, text) in mutated(), old in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(format!("{class}.yml")), text).unwrap();
        let db = Connection::open_in_memory().unwrap();
        let era = Era::ALL[usize::from(old)];
        db.execute_batch(&schema::tables(era)).unwrap();
        let loaded = fixture_load::load(&db, &Fixtures::open(folder.path()), era);
        if let Err(error) = loaded {
            // Whoever wrote it is told where.
            prop_assert!(format!("{error:#}").contains(class), "{error:#}");
        }
    }
}
