//! The fixtures that come with the crate are a coherent cluster.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest, Md5};
use sdk_fixtures::{Class, Fixtures, Record, Value, auth_token, fixture};

/// The infix of the uuids of each class: what Arvados derives from the class's name.
const INFIXES: [(&str, &str); 22] = [
    ("api_client_authorizations", "gj3su"),
    ("api_clients", "ozdt8"),
    ("authorized_keys", "fngyi"),
    ("collections", "4zz18"),
    ("container_requests", "xvhdp"),
    ("containers", "dz642"),
    ("groups", "j7d0g"),
    ("humans", "7a9it"),
    ("jobs", "8i9sb"),
    ("keep_disks", "penuu"),
    ("keep_services", "bi6l4"),
    ("links", "o0j2j"),
    ("logs", "57u5n"),
    ("nodes", "7ekkf"),
    ("pipeline_instances", "d1hrv"),
    ("pipeline_templates", "p5p6p"),
    ("repositories", "s0uqq"),
    ("specimens", "j58dm"),
    ("traits", "q1cn2"),
    ("users", "tpzed"),
    ("virtual_machines", "2x53u"),
    ("workflows", "7fd4e"),
];

fn all_classes() -> Vec<Class> {
    let fixtures = Fixtures::builtin();
    let names = fixtures.classes().unwrap();
    names.iter().map(|name| fixtures.class(name).unwrap()).collect()
}

/// Every text in `value`, however deep.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Map(entries) => entries.iter().flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.splitn(3, '-').map(str::len).collect();
    lengths == [5, 5, 15] && text.starts_with("zzzzz-")
}

/// The uuids that `record` speaks of, its own among them.
fn uuids_in(record: &Record) -> impl Iterator<Item = &str> {
    record
        .columns
        .iter()
        .flat_map(|(_, value)| texts(value))
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'))
        .filter(|word| is_uuid(word))
}

#[test]
fn every_uuid_is_unique_and_has_the_infix_of_its_class() {
    let infixes = BTreeMap::from(INFIXES);
    let mut seen = BTreeSet::new();
    for class in all_classes() {
        let infix = infixes[class.name.as_str()];
        for record in &class.records {
            let uuid = record.text("uuid").unwrap_or_default();
            assert!(is_uuid(uuid), "{}: {uuid}", record.label);
            assert_eq!(&uuid[6..11], infix, "{} {}", class.name, record.label);
            assert!(seen.insert(uuid.to_owned()), "{uuid} is there twice");
        }
    }
}

#[test]
fn every_uuid_that_a_record_speaks_of_is_a_record() {
    let classes = all_classes();
    let records = || classes.iter().flat_map(|class| &class.records);
    let known: BTreeSet<&str> = records().filter_map(|record| record.text("uuid")).collect();
    for record in records() {
        for uuid in uuids_in(record) {
            assert!(known.contains(uuid), "{} speaks of {uuid}", record.label);
        }
    }
}

#[test]
fn no_reference_dangles() {
    assert_eq!(Fixtures::builtin().dangling().unwrap(), []);
}

#[test]
fn every_record_has_an_owner_or_a_user() {
    for class in all_classes() {
        let column = match class.name.as_str() {
            "api_client_authorizations" => "user",
            _ => "owner_uuid",
        };
        for record in &class.records {
            let userless = record.label == "valid_token_deleted_user";
            assert!(userless || record.text(column).is_some(), "{}", record.label);
        }
    }
}

#[test]
fn tokens_belong_to_users_and_clients_by_label_and_are_unique() {
    let [users, clients] = ["users", "api_clients"].map(|name| fixture(name).unwrap());
    let mut seen = BTreeSet::new();
    for record in fixture("api_client_authorizations").unwrap().records {
        let token = auth_token(&record.label).unwrap();
        assert!(token.len() >= 40 && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert!(seen.insert(token), "{} has another's token", record.label);
        let client = record.text("api_client").unwrap();
        assert!(clients.record(client).is_some(), "{client}");
        if let Some(user) = record.text("user") {
            assert!(users.record(user).is_some(), "{user}");
        }
    }
}

#[test]
fn every_portable_data_hash_is_that_of_its_manifest() {
    for record in fixture("collections").unwrap().records {
        let manifest = record.text("manifest_text").unwrap();
        assert!(manifest.is_empty() || manifest.ends_with('\n'), "{}", record.label);
        let digest: String =
            Md5::digest(without_hints(manifest)).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = format!("{digest}+{}", without_hints(manifest).len());
        assert_eq!(record.text("portable_data_hash"), Some(&*expected), "{}", record.label);
    }
}

/// The manifest with every locator cut to hash and size.
fn without_hints(manifest: &str) -> String {
    let cut = |word: &str| match word.split('+').collect::<Vec<_>>()[..] {
        [hash, size, ..] if hash.len() == 32 => format!("{hash}+{size}"),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(cut).collect::<Vec<_>>().join(" ");
    manifest.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_two_records_of_an_owner_have_the_same_name() {
    for name in ["collections", "groups"] {
        let mut seen = BTreeSet::new();
        for record in &fixture(name).unwrap().records {
            if let Some(name) = record.text("name") {
                let owned = (record.text("owner_uuid"), name);
                assert!(seen.insert((owned.0.map(str::to_owned), name.to_owned())), "{owned:?}");
            }
        }
    }
}

#[test]
fn a_project_has_201_collections() {
    let in_it = |record: &&Record| record.text("owner_uuid") == Some("zzzzz-j7d0g-0201collections");
    let collections = fixture("collections").unwrap().records;
    assert_eq!(collections.iter().filter(in_it).count(), 201);
}

#[test]
fn what_outside_suites_name_is_there() {
    for (class, label, uuid) in [
        ("users", "admin", "zzzzz-tpzed-d9tiejq69daie8f"),
        ("users", "active", "zzzzz-tpzed-xurymjxw79nv3jz"),
        ("users", "spectator", "zzzzz-tpzed-l1s2piq4t4mps8r"),
        ("api_client_authorizations", "active", "zzzzz-gj3su-077z32aux8dg2s1"),
        ("collections", "foo_file", "zzzzz-4zz18-znfnqtbbv4spc3w"),
        ("collections", "bar_file", "zzzzz-4zz18-ehbhgtheo8909or"),
        ("collections", "foo_collection_in_aproject", "zzzzz-4zz18-fy296fx3hot09f7"),
        ("collections", "public_text_file", "zzzzz-4zz18-4en62shvi99lxd4"),
        ("groups", "aproject", "zzzzz-j7d0g-v955i6s2oi1cbso"),
        ("groups", "asubproject", "zzzzz-j7d0g-axqo7eu9pwvna1x"),
        ("groups", "afiltergroup", "zzzzz-j7d0g-thisfiltergroup"),
        ("repositories", "foo", "zzzzz-s0uqq-382brsig8rp3666"),
        ("repositories", "arvados", "zzzzz-s0uqq-arvadosrepo0123"),
        ("links", "foo_collection_tag", "zzzzz-o0j2j-eedahfaho8aphiv"),
        ("keep_services", "proxy", "zzzzz-bi6l4-h0a0xwut9qa6g3a"),
    ] {
        let class = fixture(class).unwrap();
        assert_eq!(class.record(label).and_then(|r| r.text("uuid")), Some(uuid), "{label}");
    }
    for (label, token) in [
        ("admin", "4axaw8zxe0qm22wa6urpp5nskcne8z88cvbupv653y1njyi05h"),
        ("active", "3kg6k6lzmp9kj5cpkcoxie963cmvjahbt2fod9zru30k1jqdmi"),
        ("spectator", "zw2f4gwx8hw8cjre7yp6v1zylhrhn3m5gvjq73rtpwhmknrybu"),
        ("anonymous", "4kg6k6lzmp9kj4cpkcoxie964cmvjahbt4fod9zru44k4jqdmi"),
        ("expired", "2ym314ysp27sk7h943q6vtc378srb06se3pq6ghurylyf3pdmx"),
        ("system_user", "systemusertesttoken1234567890aoeuidhtnsqjkxbmwvzpy"),
    ] {
        assert_eq!(auth_token(label).unwrap(), token);
    }
}
