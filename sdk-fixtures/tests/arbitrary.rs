//! Whatever bytes a fixture file has, reading it ends with records or an error, and never in a panic.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fmt::Write as _;

use sdk_fixtures::{Error, Fixtures, Value};

/// Rising numbers without an order, the same in each run (Knuth's generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn of<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        pieces[self.below(pieces.len())]
    }
}

/// What fixtures are made of, in no order.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "<%", "<%=", "<%#", "<%%", "%>", "<% for i in 1..3 do %>", "<% end %>", "<%= i %>", "for ",
    "in ", "do ", "end", "i", "..", "...", "(", ")", "[", "]", "{", "}", "=>", "+", "-", "*", "/",
    "%", ".", ",", ".minute", ".ago", ".to_s(:db)", ".rjust(3, '0')", "'", "\"", "\\", "1", "0",
    "9223372036854775807", "3.1", "JSON.dump", "Digest::MD5.hexdigest", "nil", "a:", "b: ", "\n",
    "\n  ", "  ", "- ", "? ", ": ", "&x ", "*x", "<<: ", "<<: *x", "!!str ", "!ruby/object ", "|",
    ">", "|-", "#", "---\n", "...\n", "~", "yes", "010", "1:30", "0x", "0b1", "1_000", "1e5",
    ".inf", "2014-02-03", " 04:05:06", "-0400", ":sym", "\u{feff}", "\u{e000}",
    "\u{e000}1/2\u{e000}", "é", "\u{1f600}", "\t", "\r\n", "\0",
];

fn read(fixtures: &Fixtures, content: &[u8]) -> Result<sdk_fixtures::Class, Error> {
    std::fs::write(fixtures.dir().join("users.yml"), content).unwrap();
    let class = fixtures.class("users");
    if let Ok(class) = &class {
        // What has been read can be interpreted.
        for (_, value) in class.records.iter().flat_map(|record| &record.columns) {
            let _ = value.in_yaml_1_1();
            value.as_text().map(sdk_fixtures::timestamp);
        }
    }
    // Both look for places in the file, too.
    let _ = (fixtures.dangling(), fixtures.auth_token("a"));
    class
}

#[test]
fn pieces_in_any_order_do_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Fixtures::open(dir.path());
    let mut random = Random(1);
    let mut outcomes = [0, 0];
    for _ in 0..600 {
        let count = 1 + random.below(24);
        let text: String = (0..count).map(|_| random.of(PIECES)).collect();
        let framed = format!("a:\n  b: {text}\n");
        for source in [text, framed] {
            outcomes[usize::from(read(&fixtures, source.as_bytes()).is_ok())] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 20), "{outcomes:?}");
}

#[test]
fn arbitrary_and_changed_bytes_do_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Fixtures::open(dir.path());
    let mut random = Random(2);
    let original = std::fs::read(Fixtures::builtin().dir().join("logs.yml")).unwrap();
    for _ in 0..100 {
        let bytes: Vec<u8> = (0..random.below(64)).map(|_| random.below(256) as u8).collect();
        let _ = read(&fixtures, &bytes);
        let mut changed = original.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(changed.len());
            changed[at] = random.below(128) as u8;
        }
        let _ = read(&fixtures, &changed);
    }
}

/// A value of any kind that YAML can write as JSON does.
fn any_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => Value::Integer(random.below(1 << 30) as i64 - (1 << 29)),
        3 => Value::Text((0..random.below(6)).map(|_| random.of(TEXTS)).collect()),
        4 => Value::List((0..random.below(4)).map(|_| any_value(random, depth - 1)).collect()),
        _ => {
            let mut entry = |number| (format!("key {number}"), any_value(random, depth - 1));
            Value::Map((0..3).map(&mut entry).collect())
        }
    }
}

const TEXTS: &[&str] =
    &["yes", "010", "1:30", " ", "é", "'", "\"", ": ", "\n", "#", "~", "\\", "- ", "x"];

fn as_json(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::List(items) => {
            format!("[{}]", items.iter().map(as_json).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(String, Value)| format!("{key:?}: {}", as_json(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        _ => "null".to_owned(),
    }
}

#[test]
fn what_is_written_in_quotes_is_read_back_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Fixtures::open(dir.path());
    let mut random = Random(3);
    let values: Vec<Value> = (0..500).map(|_| any_value(&mut random, 3)).collect();
    let mut source = String::new();
    for (number, value) in values.iter().enumerate() {
        writeln!(source, "label_{number}:\n  column: {}", as_json(value)).unwrap();
    }
    let class = read(&fixtures, source.as_bytes()).unwrap();
    assert_eq!(class.records.len(), values.len());
    for (record, value) in class.records.iter().zip(&values) {
        assert_eq!(record.get("column"), Some(value), "{}", as_json(value));
    }
}
