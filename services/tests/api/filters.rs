//! Filters, orders and pages of random lists, against a model of what they mean.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use serde_json::{Value, json};

use super::ACTIVE;
use super::api_server::Server;
use super::discovered::Discovered;
use super::model::{Class, Row, is_column};

/// Those of both eras, and some that there are not.
pub(crate) const OPERATORS: &[&str] = &[
    "=", "!=", "<", "<=", ">", ">=", "like", "ilike", "ILIKE", "in", "not in", "Not In", "is_a",
    "exists", "contains", "@@", "<>", "~", "",
];

/// Filters, attributes to order by (descending or not), and the limit and offset of a page.
type Asked = (Vec<Value>, Vec<(String, bool)>, (usize, usize));

/// Random requests for each class.
const CASES: u32 = 100;

/// The classes with tables to look at, where the era has them.
const CLASSES: &[&str] = &[
    "authorized_keys",
    "collections",
    "containers",
    "groups",
    "jobs",
    "keep_services",
    "links",
    "logs",
    "pipeline_instances",
    "repositories",
    "specimens",
    "users",
    "workflows",
];

#[test]
fn filters_of_today_select_what_they_say() {
    compare("current");
}

#[test]
fn filters_of_2015_select_what_they_say() {
    compare("2015");
}

fn compare(era: &'static str) {
    let server = Server::start(era);
    furnish(&server);
    let discovered = Discovered::read(&server);
    let classes = discovered.classes();
    let here = CLASSES.iter().filter_map(|plural| Some((*plural, classes.get(plural)?.1)));
    for (plural, schema) in here {
        let rows = list(&server, plural, "order=uuid&limit=1000").1;
        assert!(!rows.is_empty(), "no {plural} to look at");
        let mut types = discovered.types(schema);
        types.retain(|name, _| rows[0].contains_key(name));
        let class = Class { types, infixes: discovered.infixes(), today: era == "current" };
        let asked = (filters(&class, &rows), order(&class), (0..30_usize, 0..9_usize));
        let test = |(filters, order, page): Asked| {
            check(&server, plural, &class, &rows, &filters, &order, page)
        };
        let failure = runner().run(&asked, test).err().map(|failure| failure.to_string());
        assert!(failure.is_none(), "{era}: {}", failure.unwrap_or_default());
    }
}

/// The same numbers in each run.
fn runner() -> TestRunner {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Status and items of a list.
fn list(server: &Server, plural: &str, query: &str) -> (u16, Vec<Row>) {
    let (status, list) = server.get("admin", &format!("{plural}?{query}"));
    let items = list["items"].as_array().into_iter().flatten();
    (status, items.map(|item| item.as_object().unwrap().clone()).collect())
}

/// Asks for a list, and compares it with what the model makes of `rows`.
fn check(
    server: &Server,
    plural: &str,
    class: &Class,
    rows: &[Row],
    filters: &[Value],
    order: &[(String, bool)],
    (limit, offset): (usize, usize),
) -> TestCaseResult {
    let terms: Vec<String> = order
        .iter()
        .map(|(name, descending)| format!("{name} {}", if *descending { "desc" } else { "asc" }))
        .collect();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("filters", &json!(filters).to_string())
        .append_pair("order", &json!(terms).to_string())
        .append_pair("limit", &limit.to_string())
        .append_pair("offset", &offset.to_string())
        .finish();
    let (status, answer) = server.get("admin", &format!("{plural}?{query}"));
    let Some(test) = class.all(filters) else {
        prop_assert_eq!(status, 422, "{} {:?}: {}", plural, filters, answer);
        return Ok(());
    };
    prop_assert_eq!(status, 200, "{} {:?}: {}", plural, filters, answer);
    let mut expected: Vec<Row> = rows.iter().filter(|row| test(row)).cloned().collect();
    prop_assert_eq!(&answer["items_available"], expected.len(), "{} {:?}", plural, filters);
    let mut order = order.to_vec();
    order.extend([("modified_at".to_owned(), true), ("uuid".to_owned(), class.today)]);
    class.sort(&mut expected, &order);
    let uuid = |row: &Row| row["uuid"].as_str().unwrap().to_owned();
    let expected: Vec<_> = expected.iter().skip(offset).take(limit).map(uuid).collect();
    let items = answer["items"].as_array().unwrap().iter();
    let found: Vec<_> = items.map(|item| uuid(item.as_object().unwrap())).collect();
    prop_assert_eq!(found, expected, "{} {:?} {:?}", plural, filters, terms);
    Ok(())
}

/// Up to three filters on attributes that there are, mostly, with operands of their type, mostly.
fn filters(class: &Class, rows: &[Row]) -> impl Strategy<Value = Vec<Value>> + use<> {
    let columns: Vec<String> = class.types.keys().filter(|name| is_column(name)).cloned().collect();
    let others = ["any", "nome", "", "head_kind", "tail_kind", "object_kind", "kind", "etag"];
    let more = [
        "properties.a",
        "properties.<b c>",
        "properties.list",
        "name.a",
        "(version<id)",
        "(replication_desired <= version)",
        "(file_count = version)",
        "(name = uuid)",
    ];
    let odd: Vec<String> = others.iter().chain(&more).map(|name| (*name).to_owned()).collect();
    let attribute = prop_oneof![4 => select(columns.clone()), 1 => select(odd)];
    let several = prop::collection::vec(attribute.clone(), 0..3).prop_map(Value::from);
    let rows = rows.to_vec();
    let filter =
        (prop_oneof![9 => attribute.prop_map(Value::from), 1 => several], select(OPERATORS))
            .prop_flat_map(move |(attribute, operator)| {
                let operand = operand(&rows, &attribute, operator);
                (Just(attribute), operand)
                    .prop_map(move |(attribute, operand)| json!([attribute, operator, operand]))
            });
    let broken = select(vec![json!("name"), json!([]), json!(["name", "="]), json!([1, "=", 2])]);
    prop::collection::vec(prop_oneof![60 => filter, 1 => broken], 1..4)
}

/// What is stored somewhere, a part of it or a pattern for it, or something else.
fn operand(rows: &[Row], attribute: &Value, operator: &str) -> BoxedStrategy<Value> {
    let name = attribute.as_str().or(attribute[0].as_str()).unwrap_or_default();
    let name = name.split_once('.').map_or(name, |(object, _)| object);
    let cells = rows.iter().map(|row| row.get(name).cloned().unwrap_or_default());
    let mut stored: Vec<Value> = cells.collect();
    let inner: Vec<Value> = stored
        .iter()
        .flat_map(|cell| match cell {
            Value::Object(object) => {
                object.iter().flat_map(|(key, value)| [json!(key), value.clone()]).collect()
            }
            Value::Array(items) => items.clone(),
            _ => Vec::new(),
        })
        .collect();
    stored.extend(inner);
    stored.extend(vec![json!("x"); 3]);
    let stored = select(stored);
    let patterns = (stored.clone(), 0..6_usize).prop_map(|(value, form)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cut: String = text.chars().take(text.chars().count() / 2).collect();
        let text = text.replace('\\', "");
        json!(match form {
            0 => text,
            1 => format!("{}%", cut.replace('\\', "")),
            2 => format!("%{}%", text.to_uppercase()),
            3 => text.replace(['a', 'e', '0'], "_"),
            4 => text.replace('%', "\\%").replace('_', "\\_"),
            _ => format!("%{}", text.split(' ').next_back().unwrap_or_default()),
        })
    });
    let kinds =
        select(vec!["arvados#group", "arvados#user", "arvados#collection", "arvados#nothing"]);
    let texts = select(vec![
        "",
        "a",
        "1",
        "yes",
        "F",
        "TRUE",
        "2",
        "-1",
        "1.5",
        "2014-01-01",
        "2014-04-21 19:37:48",
        "2030-01-01T00:00:00Z",
        "yesterday",
        "a\0b",
        "two words",
        "wo:*",
        "arvados#group",
        "A_%",
    ]);
    let others = prop_oneof![
        texts.prop_map(Value::from),
        select(vec![
            json!(0),
            json!(1),
            json!(2),
            json!(-7),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX)
        ]),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        select(vec![json!({}), json!({"a": 1}), json!([]), json!([null]), json!(["a", null, "x"])]),
    ];
    let lists = prop::collection::vec(prop_oneof![9 => stored.clone(), 1 => others.clone()], 0..4)
        .prop_map(Value::from);
    match operator.to_lowercase().as_str() {
        "in" | "not in" => prop_oneof![8 => lists, 1 => others].boxed(),
        "like" | "ilike" | "@@" => prop_oneof![8 => patterns, 2 => others].boxed(),
        "is_a" => {
            let several = prop::collection::vec(kinds.clone(), 0..3).prop_map(Value::from);
            prop_oneof![6 => kinds.prop_map(Value::from), 2 => several, 1 => others].boxed()
        }
        _ => prop_oneof![6 => stored, 3 => others, 1 => lists].boxed(),
    }
}

/// Up to two attributes to order by.
fn order(class: &Class) -> impl Strategy<Value = Vec<(String, bool)>> + use<> {
    let ordered = |(name, kind): &(&String, &String)| {
        is_column(name) && !["Hash", "Array"].contains(&kind.as_str())
    };
    let names: Vec<String> =
        class.types.iter().filter(ordered).map(|(name, _)| name.clone()).collect();
    prop::collection::vec((select(names), any::<bool>()), 0..3)
}

/// Adds objects with values of all types, and with nulls.
fn furnish(server: &Server) {
    let texts = ["two words", "Two_Words", "100%", "a\\b", "", "ünï", "%", "1", "x'\"y"];
    let properties = [
        json!({}),
        json!({"a": 1, "b c": "x", "list": ["x", "y"]}),
        json!({"a": "1", "list": "x"}),
        json!({"a": 1.0, "list": [1, {"deep": [true]}]}),
        json!({"a": null, "b c": false}),
        json!({"a": {"b": [1, 2], "c": null}, "list": []}),
    ];
    for number in 0..12_usize {
        let text = |shift: usize| texts[(number * 7 + shift) % texts.len()];
        let some = |value: Value| if number % 3 == 0 { Value::Null } else { value };
        let collection = json!({"name": format!("{} {number}", text(0)),
            "description": some(json!(text(1))), "replication_desired": some(json!(number % 4)),
            "properties": properties[number % properties.len()]});
        server.create("admin", "collections", &json!({"collection": collection}));
        let key = json!({"name": some(json!(text(2))), "public_key": format!("ssh-rsa AAAA{number} {}", text(3)),
            "authorized_user_uuid": some(json!(ACTIVE)),
            "expires_at": some(json!(format!("20{:02}-01-01 00:00:00.5", number + 10)))});
        server.create("admin", "authorized_keys", &json!({"authorized_key": key}));
        let link = json!({"link_class": "test", "name": some(json!(text(4))),
            "properties": properties[(number + 1) % properties.len()],
            "head_uuid": some(json!(ACTIVE))});
        server.create("admin", "links", &json!({"link": link}));
        let service = json!({"service_host": text(5), "service_port": some(json!(number)),
            "read_only": number % 2 == 0});
        server.create("admin", "keep_services", &json!({"keep_service": service}));
    }
}
