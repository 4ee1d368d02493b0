//! What filters and orders mean, written a second time: over the objects that a list shows, in the
//! words of the protocol, and without a database.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// An object as a list shows it.
pub(crate) type Row = Map<String, Value>;

/// Whether an object is in a filtered list.
pub(crate) type Test = Box<dyn Fn(&Row) -> bool>;

/// Whether what an object has at a key, if anything, is as a filter wants it.
type TestOfValue = Box<dyn Fn(Option<&Value>) -> bool>;

/// Attributes that no column holds: they cannot be filtered or ordered by.
const COMPUTED: &[&str] = &[
    "can_manage",
    "can_write",
    "clone_urls",
    "etag",
    "fetch_url",
    "full_name",
    "head_kind",
    "href",
    "is_invited",
    "kind",
    "node_uuids",
    "object_kind",
    "push_url",
    "queue_position",
    "tail_kind",
    "writable_by",
];

/// A class as its schema in the discovery document describes it.
pub(crate) struct Class {
    /// The types of the attributes that a list shows.
    pub(crate) types: BTreeMap<String, String>,
    /// The uuid infix of each kind: `arvados#group`.
    pub(crate) infixes: BTreeMap<String, String>,
    /// Whether filters are those of today.
    pub(crate) today: bool,
}

impl Class {
    /// The test that all `filters` hold; `None` if they are to be refused.
    pub(crate) fn all(&self, filters: &[Value]) -> Option<Test> {
        let tests: Vec<Test> =
            filters.iter().map(|filter| self.filter(filter)).collect::<Option<_>>()?;
        Some(Box::new(move |row| tests.iter().all(|test| test(row))))
    }

    fn filter(&self, filter: &Value) -> Option<Test> {
        let [attribute, Value::String(operator), operand] = filter.as_array()?.as_slice() else {
            return None;
        };
        let operator = operator.to_lowercase();
        match attribute {
            Value::String(name) if name == "any" => self.any(&operator, operand),
            Value::String(name) => self.one(name, &operator, operand),
            Value::Array(names) if names.is_empty() => Some(Box::new(|_| true)),
            Value::Array(names) => either(
                names.iter().map(|name| self.one(name.as_str()?, &operator, operand)).collect(),
            ),
            _ => None,
        }
    }

    /// Some text holds, whichever.
    fn any(&self, operator: &str, operand: &Value) -> Option<Test> {
        let is_text = |kind: &str| matches!(kind, "string" | "text");
        let columns = self.types.iter().filter(|(name, _)| is_column(name));
        let texts: Vec<String> = columns
            .clone()
            .filter(|(_, kind)| is_text(kind))
            .map(|(name, _)| name.clone())
            .collect();
        if operator == "@@" {
            let query = operand.as_str().filter(|_| !self.today)?.to_owned();
            return Some(Box::new(move |row| {
                let all: Vec<&str> = texts.iter().filter_map(|name| row[name].as_str()).collect();
                has_words(&all.join(" "), &query)
            }));
        }
        let mut tests: Vec<_> =
            texts.iter().map(|name| self.one(name, operator, operand)).collect();
        if let ("like" | "ilike", Value::String(pattern)) = (operator, operand) {
            for (name, _) in columns.filter(|(_, kind)| *kind == "Hash") {
                let (name, pattern) = (name.clone(), pattern.clone());
                let fold = operator == "ilike";
                tests.push(Some(Box::new(move |row: &Row| {
                    !row[&name].is_null() && like(&row[&name].to_string(), &pattern, fold)
                })));
            }
        }
        either(tests)
    }

    fn one(&self, name: &str, operator: &str, operand: &Value) -> Option<Test> {
        if self.today && name.contains('.') {
            let (object, key) = name.split_once('.')?;
            let known = is_column(object) && self.types.get(object)? == "Hash";
            let key = key.strip_prefix('<').and_then(|key| key.strip_suffix('>')).unwrap_or(key);
            return known.then(|| in_object(object, key, operator, operand))?;
        }
        if self.today && name.starts_with('(') {
            return self.comparison(name, operator, operand);
        }
        if let Some(class) = name.strip_suffix("_kind").filter(|_| self.types.contains_key(name)) {
            return self.is_a(&format!("{class}_uuid"), operand).filter(|_| operator == "=");
        }
        let kind = self.types.get(name).filter(|_| is_column(name))?.as_str();
        let is_text = matches!(kind, "string" | "text");
        match operator {
            "is_a" => self.is_a(name, operand).filter(|_| is_text),
            "exists" if self.today && kind == "Hash" => {
                let key = operand.as_str()?.to_owned();
                on(name, move |cell| cell.get(&key).is_some())
            }
            "contains" if self.today && kind == "Array" => {
                let wanted = match operand {
                    Value::Array(texts) => texts.clone(),
                    text => vec![text.clone()],
                };
                wanted.iter().all(Value::is_string).then_some(())?;
                let has = move |cell: &Value, one: &Value| {
                    cell.as_array().is_some_and(|all| all.contains(one))
                };
                on(name, move |cell| wanted.iter().all(|one| has(cell, one)))
            }
            "exists" | "contains" => None,
            _ => on_value(name, kind, operator, operand),
        }
    }

    fn is_a(&self, name: &str, operand: &Value) -> Option<Test> {
        let kinds = match operand {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        kinds.iter().all(Value::is_string).then_some(())?;
        let infixes: Vec<String> =
            kinds.iter().filter_map(|kind| self.infixes.get(kind.as_str()?).cloned()).collect();
        let infix = |uuid: &Value| uuid.as_str()?.split('-').nth(1).map(str::to_owned);
        on(name, move |cell| infix(cell).is_some_and(|infix| infixes.contains(&infix)))
    }

    /// `(left < right)`.
    fn comparison(&self, text: &str, operator: &str, operand: &Value) -> Option<Test> {
        (operator == "=" && (*operand == json!(true) || *operand == json!("true"))).then_some(())?;
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        let [left, sign, right] = inner.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        for name in [left, right] {
            self.types.get(name).filter(|kind| *kind == "integer" && is_column(name))?;
        }
        let (left, right) = (left.to_owned(), right.to_owned());
        let wanted = comparing(sign).or((sign == "=").then_some(Ordering::is_eq as fn(_) -> _))?;
        Some(Box::new(move |row| {
            let numbers = row[&left].as_i64().zip(row[&right].as_i64());
            numbers.is_some_and(|(left, right)| wanted(left.cmp(&right)))
        }))
    }

    /// The `rows` in an order of `(attribute, descending)`; null is larger than everything.
    pub(crate) fn sort(&self, rows: &mut [Row], order: &[(String, bool)]) {
        rows.sort_by(|one, other| {
            let sides = |name: &str, (one, other): (&Row, &Row)| {
                let (one, other) = (&one[name], &other[name]);
                match (one.is_null(), other.is_null()) {
                    (false, false) => ordering(one, other).unwrap_or(Ordering::Equal),
                    (one, other) => one.cmp(&other),
                }
            };
            let by = |(name, descending): &(String, bool)| match descending {
                true => sides(name, (one, other)).reverse(),
                false => sides(name, (one, other)),
            };
            order.iter().map(by).fold(Ordering::Equal, Ordering::then)
        });
    }
}

/// Whether an attribute is stored as it is shown.
pub(crate) fn is_column(name: &str) -> bool {
    !COMPUTED.contains(&name)
}

fn either(tests: Vec<Option<Test>>) -> Option<Test> {
    let tests: Vec<Test> = tests.into_iter().collect::<Option<_>>()?;
    Some(Box::new(move |row| tests.iter().any(|test| test(row))))
}

fn on(name: &str, test: impl Fn(&Value) -> bool + 'static) -> Option<Test> {
    let name = name.to_owned();
    Some(Box::new(move |row| test(&row[&name])))
}

/// Operators that compare a whole value.
fn on_value(name: &str, kind: &str, operator: &str, operand: &Value) -> Option<Test> {
    match operator {
        "=" | "!=" if operand.is_null() && kind != "Hash" => {
            let wanted = operator == "=";
            on(name, move |cell| cell.is_null() == wanted)
        }
        "=" | "!=" => {
            let (wanted, operand) = (operator == "=", typed(kind, operand)?);
            on(name, move |cell| same(cell, &operand) == wanted)
        }
        "<" | "<=" | ">" | ">=" => {
            let operand = typed(kind, operand).filter(|_| !matches!(kind, "boolean" | "Array"))?;
            let wanted = comparing(operator)?;
            on(name, move |cell| ordering(cell, &operand).is_some_and(wanted))
        }
        "like" | "ilike" if matches!(kind, "string" | "text") => {
            let (pattern, fold) = (operand.as_str()?.to_owned(), operator == "ilike");
            on(name, move |cell| cell.as_str().is_some_and(|text| like(text, &pattern, fold)))
        }
        "in" | "not in" => {
            let has_null = operand.as_array()?.contains(&Value::Null);
            let items = operand.as_array()?.iter().filter(|item| !item.is_null());
            let items: Vec<Value> = items.map(|item| typed(kind, item)).collect::<Option<_>>()?;
            match (operator, has_null, items.is_empty()) {
                ("in", ..) => on(name, move |cell| items.iter().any(|item| same(cell, item))),
                (_, true, _) => on(name, |_| false),
                (_, _, true) => on(name, Value::is_null),
                _ => on(name, move |cell| !items.iter().any(|item| same(cell, item))),
            }
        }
        _ => None,
    }
}

/// Operators on what an object has at a key.
fn in_object(object: &str, key: &str, operator: &str, operand: &Value) -> Option<Test> {
    let key = key.to_owned();
    let at_key = move |test: TestOfValue| on(object, move |cell| test(cell.get(&key)));
    let operand = operand.clone();
    match operator {
        "=" => at_key(Box::new(move |found| found.is_some_and(|found| covers(found, &operand)))),
        "!=" => at_key(Box::new(move |found| !found.is_some_and(|found| covers(found, &operand)))),
        "<" | "<=" | ">" | ">=" => {
            (operand.is_string() || operand.is_number()).then_some(())?;
            let wanted = comparing(operator)?;
            let alike = |found: &Value, operand: &Value| found.is_string() == operand.is_string();
            at_key(Box::new(move |found| {
                let found = found.filter(|found| alike(found, &operand));
                found.and_then(|found| ordering(found, &operand)).is_some_and(wanted)
            }))
        }
        "like" | "ilike" => {
            let (pattern, fold) = (operand.as_str()?.to_owned(), operator == "ilike");
            at_key(Box::new(move |found| {
                found.and_then(Value::as_str).is_some_and(|text| like(text, &pattern, fold))
            }))
        }
        "in" | "not in" => {
            let wanted = operand.as_array()?.clone();
            let is_in = operator == "in";
            at_key(Box::new(move |found| match found.filter(|_| is_in || !wanted.is_empty()) {
                Some(found) => wanted.iter().any(|one| covers(found, one)) == is_in,
                None if is_in => false,
                None => found.is_none_or(Value::is_null),
            }))
        }
        "exists" => {
            let wanted = operand.as_bool()?;
            at_key(Box::new(move |found| found.is_some() == wanted))
        }
        "contains" => at_key(Box::new(move |found| {
            found.is_some_and(|found| covers(found, &operand) || covers(found, &json!([operand])))
        })),
        _ => None,
    }
}

/// Whether `whole` is `part`, or has all that is in it.
fn covers(whole: &Value, part: &Value) -> bool {
    match part {
        Value::Object(part) => {
            whole.is_object()
                && part
                    .iter()
                    .all(|(key, part)| whole.get(key).is_some_and(|whole| covers(whole, part)))
        }
        Value::Array(part) => whole
            .as_array()
            .is_some_and(|whole| part.iter().all(|part| whole.iter().any(|one| covers(one, part)))),
        _ => same(whole, part),
    }
}

fn comparing(operator: &str) -> Option<fn(Ordering) -> bool> {
    match operator {
        "<" => Some(Ordering::is_lt),
        "<=" => Some(Ordering::is_le),
        ">" => Some(Ordering::is_gt),
        ">=" => Some(Ordering::is_ge),
        _ => None,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => ordering(one, other) == Some(Ordering::Equal),
        _ => one == other,
    }
}

fn ordering(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
        (Value::String(one), Value::String(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// `operand` as an attribute of type `kind` is compared with it.
fn typed(kind: &str, operand: &Value) -> Option<Value> {
    match (kind, operand) {
        ("string" | "text", Value::String(text)) => (!text.contains('\0')).then(|| operand.clone()),
        ("integer" | "float", Value::Number(_)) | ("boolean", Value::Bool(_)) => {
            Some(operand.clone())
        }
        ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        ("float", Value::String(text)) => text.trim().parse::<f64>().ok().map(Value::from),
        ("boolean", Value::String(word)) => match word.to_lowercase().as_str() {
            "1" | "t" | "true" | "y" | "yes" => Some(json!(true)),
            "0" | "f" | "false" | "n" | "no" => Some(json!(false)),
            _ => None,
        },
        ("datetime", Value::String(text)) => moment(text).map(Value::from),
        ("Array", Value::Array(_)) => Some(operand.clone()),
        _ => None,
    }
}

/// A date, or a date and time in UTC, as lists show it.
fn moment(text: &str) -> Option<String> {
    let text = text.trim_end_matches('Z').replace(' ', "T");
    let moment: jiff::civil::DateTime = text.parse().ok()?;
    Some(format!("{}000Z", moment.strftime("%Y-%m-%dT%H:%M:%S.%6f")))
}

fn like(text: &str, pattern: &str, fold: bool) -> bool {
    fn fits(text: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|from| fits(&text[from..], rest)),
            ['_', rest @ ..] => !text.is_empty() && fits(&text[1..], rest),
            ['\\', wanted, rest @ ..] | [wanted, rest @ ..] => {
                text.first() == Some(wanted) && fits(&text[1..], rest)
            }
        }
    }
    let characters = |text: &str| match fold {
        true => text.to_lowercase().chars().collect::<Vec<_>>(),
        false => text.chars().collect(),
    };
    fits(&characters(text), &characters(pattern))
}

/// Whether each word of `query`, or a beginning `word:*`, is one of `text`.
fn has_words(text: &str, query: &str) -> bool {
    let apart = |c: char| !c.is_alphanumeric() && c != '_';
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(apart).collect();
    query.to_lowercase().split_whitespace().all(|term| match term.strip_suffix(":*") {
        Some(start) => words.iter().any(|word| word.starts_with(start)),
        None => words.contains(&term),
    })
}
