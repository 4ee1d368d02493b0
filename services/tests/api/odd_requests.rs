//! Requests as no client would send them: each is answered, and none brings the server down.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use serde_json::{Value, json};
use ureq::http::Request;

use super::api_server::{Server, read};
use super::discovered::Discovered;
use super::{ACTIVE, FOO_FILE, FOO_HASH};

/// How many random requests an era gets.
const CASES: u32 = 500;

/// A request in pieces.
#[derive(Clone, Debug)]
struct Odd {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    content_type: &'static str,
    encoding: Option<&'static str>,
    body: Vec<u8>,
}

#[test]
fn odd_requests_are_answered_today() {
    send_many("current");
}

#[test]
fn odd_requests_are_answered_in_2015() {
    send_many("2015");
}

fn send_many(era: &'static str) {
    let server = Server::start(era);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let requests = odd_request(&Discovered::read(&server));
    let outcome = runner.run(&requests, |odd| send(&server, &odd));
    let failure = outcome.err().map(|failure| failure.to_string());
    assert!(failure.is_none(), "{era}: {}", failure.unwrap_or_default());
    for odd in extremes() {
        let outcome = send(&server, &odd);
        let size = odd.body.len();
        assert!(outcome.is_ok(), "{era}: {} with {size} bytes: {outcome:?}", odd.path);
    }
    assert_eq!(server.get("admin", "users/current").0, 200);
    assert_eq!(server.complaints(), Vec::<String>::new());
}

/// An answer has a status for what is wrong with the request, and says what that is.
fn send(server: &Server, odd: &Odd) -> TestCaseResult {
    let query: String =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&odd.query).finish();
    let token = sdk_fixtures::auth_token("admin").unwrap();
    let mut request = Request::builder()
        .method(odd.method)
        .uri(server.url(&format!("/arvados/v1/{}?{query}", odd.path)))
        .header("authorization", format!("OAuth2 {token}"))
        .header("content-type", odd.content_type);
    if let Some(encoding) = odd.encoding {
        request = request.header("content-encoding", encoding);
    }
    let answer = server.agent().run(request.body(odd.body.clone()).unwrap());
    let (status, body) = read(answer.map_err(|error| TestCaseError::fail(error.to_string()))?);
    prop_assert!(matches!(status, 200 | 403 | 404 | 413 | 422), "{}: {}", status, body);
    if status != 200 {
        prop_assert!(body["errors"][0].is_string(), "{}: {}", status, body);
    }
    Ok(())
}

fn odd_request(discovered: &Discovered) -> impl Strategy<Value = Odd> + use<> {
    let methods = discovered.resources().iter().flat_map(|(plural, resource)| {
        resource["methods"].as_object().unwrap().values().map(|method| {
            let parameters = method["parameters"].as_object().unwrap().keys();
            let wrapped = method["request"]["properties"].as_object();
            let singular = wrapped.and_then(|wrapped| wrapped.keys().next());
            let names = parameters.chain(singular).cloned().collect::<Vec<_>>();
            let names = names.into_iter().chain([plural.clone(), "reader_tokens".to_owned()]);
            (
                method["httpMethod"].as_str().unwrap().to_owned(),
                method["path"].as_str().unwrap().to_owned(),
                names.collect::<Vec<_>>(),
            )
        })
    });
    // What ends the tokens that the test needs is left out.
    let methods: Vec<_> = methods.filter(|(_, path, _)| !path.ends_with("merge")).collect();
    let schemas = discovered.classes();
    let attributes = schemas.values().flat_map(|(_, schema)| discovered.types(schema).into_keys());
    let attributes: Vec<String> = attributes.collect();
    (select(methods), prop::bool::weighted(0.1)).prop_flat_map(
        move |((method, path, names), other_method)| {
            let method = match (other_method, method.as_str()) {
                (false, "GET") => "GET",
                (false, "PUT") => "PUT",
                (false, _) => "POST",
                (true, _) => "PATCH",
            };
            let uuid = select(vec![
                ACTIVE,
                FOO_FILE,
                FOO_HASH,
                "x",
                "%00",
                "%ff%fe",
                "..",
                "%2F",
                "zzzzz-tpzed-",
                "1%2B1",
                "zzzzz-j7d0g-v955i6s2oi1cbso",
            ]);
            let names = names.clone();
            let attributes = attributes.clone();
            (uuid, odd_body(names.clone(), attributes.clone()), parameters(names, attributes))
                .prop_map(move |(uuid, (content_type, encoding, body), query)| Odd {
                    method,
                    path: path.replace("{uuid}", uuid),
                    query,
                    content_type,
                    encoding,
                    body,
                })
        },
    )
}

fn parameters(
    names: Vec<String>,
    attributes: Vec<String>,
) -> impl Strategy<Value = Vec<(String, String)>> {
    let texts = odd_value(attributes).prop_map(|value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    });
    let texts = prop_oneof![4 => texts, 1 => any::<String>()];
    prop::collection::vec((select(names), texts), 0..4)
}

/// Content type, encoding and content.
fn odd_body(
    names: Vec<String>,
    attributes: Vec<String>,
) -> impl Strategy<Value = (&'static str, Option<&'static str>, Vec<u8>)> {
    let types = select(vec![
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=latin1",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/octet-stream",
        "application/json, text/html",
    ]);
    let encodings =
        prop_oneof![9 => Just(None), 1 => select(vec!["gzip", "br", "x"]).prop_map(Some)];
    let object =
        prop::collection::vec((select(names.clone()), odd_value(attributes.clone())), 0..4)
            .prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", json!(name)))
                    .collect();
                // Keys may come twice.
                format!("{{{}}}", members.join(",")).into_bytes()
            });
    let form = parameters(names, attributes).prop_map(|pairs| {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        form.into_bytes()
    });
    let cut = (object.clone(), any::<prop::sample::Index>()).prop_map(|(mut body, at)| {
        body.truncate(at.index(body.len()));
        body
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let body = prop_oneof![8 => object, 3 => form, 1 => cut, 1 => bytes];
    (types, encodings, body)
}

/// JSON of any shape, in which there are names and values that mean something.
fn odd_value(attributes: Vec<String>) -> impl Strategy<Value = Value> + Clone {
    let names = select(attributes);
    let texts = select(vec![
        "",
        "\0",
        "a\0b",
        "%",
        "\\",
        "'; DROP TABLE users; --",
        "[",
        "{\"a\"",
        "[[\"uuid\",\"=\",1]]",
        "\u{feff}",
        "\u{10ffff}",
        "9999-99-99",
        "-262144-01-01",
        "+99999-01-01T00:00:00Z",
        "1e999",
        ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:x\n",
        "all",
        "GET /",
        "none",
        ACTIVE,
        FOO_HASH,
        "arvados#user",
        "18446744073709551616",
        "NaN",
        "can_manage",
        "permission",
        "(a < b)",
        "name desc",
        "users.name",
        "properties.",
        ".",
        "<>",
        "any",
        "=",
        "in",
        "is_a",
        "exists",
    ]);
    let leaf = prop_oneof![
        4 => names.clone().prop_map(Value::from),
        6 => texts.prop_map(Value::from),
        2 => select(vec![json!(0), json!(-1), json!(1e308), json!(-0.0), json!(5e-324),
            json!(u64::MAX), json!(i64::MIN), json!(1_000_000_007)]),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<String>().prop_map(Value::from),
    ];
    let filter = (names.clone(), leaf.clone(), leaf.clone())
        .prop_map(|(name, operator, operand)| json!([[name, operator, operand]]));
    let nested = leaf.prop_recursive(4, 24, 4, move |inner| {
        let key = prop_oneof![names.clone(), any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
        ]
    });
    prop_oneof![5 => nested, 1 => filter]
}

/// What is too much of something.
fn extremes() -> Vec<Odd> {
    let post = |path: &str, content_type, body: Vec<u8>| Odd {
        method: "POST",
        path: path.to_owned(),
        query: vec![("_method".to_owned(), "GET".to_owned())],
        content_type,
        encoding: None,
        body,
    };
    let json = |path: &str, body: String| post(path, "application/json", body.into_bytes());
    let filters = |filters: Value| json("collections", json!({"filters": filters}).to_string());
    let names: Vec<String> = (0..40_000).map(|number| format!("name {number}")).collect();
    let one = json!(["name", "=", "x"]);
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let nested = |depth: usize| {
        format!(
            "{{\"name\":\"n{depth}\",\"properties\":{}1{}}}",
            "{\"a\":".repeat(depth),
            "}".repeat(depth)
        )
    };
    let create = |body: String| Odd { query: Vec::new(), ..json("collections", body) };
    vec![
        filters(json!(vec![one.clone(); 1_500])),
        filters(json!(vec![one.clone(); 40_000])),
        filters(json!([[vec!["name"; 1_500], "=", "x"]])),
        filters(json!([["name", "in", names]])),
        filters(json!([["properties.a", "in", (0..3_000).collect::<Vec<_>>()]])),
        filters(json!([["name", "like", "%a".repeat(50_000)]])),
        filters(json!([["any", "ilike", "_%".repeat(20_000)]])),
        filters(json!([["storage_classes_desired", "contains", vec!["x"; 5_000]]])),
        json("collections", json!({"order": vec!["name"; 10_000]}).to_string()),
        json(
            "collections",
            json!({"order": vec!["name desc"; 3], "select": vec!["uuid"; 5_000]}).to_string(),
        ),
        json("collections", json!({"where": {"uuid": names}}).to_string()),
        json("collections", deep("[", "]")),
        json("collections", deep("{\"a\":", "}")),
        json("collections", format!("{{\"limit\":{}}}", "9".repeat(5_000))),
        json("collections", "{\"limit\":1e999}".to_owned()),
        json("collections", format!("{{\"filters\":{}}}", json!(deep("[", "]")))),
        create(nested(90)),
        create(nested(120)),
        create(nested(126)),
        create(nested(500)),
        create(json!({"name": "x".repeat(3_000_000)}).to_string()),
        create(json!({"manifest_text": ". ".repeat(500_000)}).to_string()),
        post("collections", "application/x-www-form-urlencoded", b"a=b&".repeat(100_000)),
        post("collections", "application/x-www-form-urlencoded", b"filters[]=%ff&".repeat(1_000)),
        post(&"x/".repeat(2_000), "text/plain", Vec::new()),
    ]
}
