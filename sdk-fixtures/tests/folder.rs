//! Reading a folder of fixtures, and what it says when it cannot.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use sdk_fixtures::{Ago, Error, Fixtures, Value};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> (TempDir, Fixtures) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    let fixtures = Fixtures::open(dir.path());
    (dir, fixtures)
}

/// The message of the error, with the folder's path left out.
fn message<T: std::fmt::Debug>(dir: &TempDir, result: Result<T, Error>) -> String {
    let text = result.unwrap_err().to_string();
    text.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn classes_are_the_stems_of_yml_files_in_order() {
    let (_dir, fixtures) = folder(&[("users.yml", ""), ("logs.yml", ""), ("README", "")]);
    assert_eq!(fixtures.classes().unwrap(), ["logs", "users"]);
}

#[test]
fn records_come_in_the_order_of_the_file_and_loops_are_read() {
    let (_dir, fixtures) = folder(&[(
        "jobs.yml",
        "b:\n  at: <%= 2.minutes.ago.to_s(:db) %>\na:\n  n: 1\n\
         # Test Helper trims the rest of the file\n<% for i in 1..2 do %>\njob_<%=i%>:\n  \
         uuid: job<%= i.to_s.rjust(3, '0') %>\n  at: <%= ((i+5)/5).minute.ago.to_s(:db) %>\n\
         <% end %>\n",
    )]);
    let class = fixtures.class("jobs").unwrap();
    let labels: Vec<&str> = class.records.iter().map(|r| r.label.as_str()).collect();
    assert_eq!(labels, ["b", "a", "job_1", "job_2"]);
    let at = class.record("b").and_then(|record| record.get("at"));
    assert_eq!(at, Some(&Value::Ago(Ago { months: 0, seconds: 120.0 })));
    let second = class.record("job_2").unwrap();
    assert_eq!(second.text("uuid"), Some("job002"));
    assert_eq!(second.get("at"), Some(&Value::Ago(Ago { months: 0, seconds: 60.0 })));
}

#[test]
fn wrong_yaml_behind_a_loop_is_told_with_the_line_of_the_file() {
    let source = "<% for i in 1..5 do %>\na_<%= i %>:\n  b: 1\n<% end %>\nc: {d: [x\n";
    let (dir, fixtures) = folder(&[("users.yml", source)]);
    let text = message(&dir, fixtures.class("users"));
    assert!(text.starts_with("DIR/users.yml:6:1: did not find"), "{text}");
}

#[test]
fn an_unknown_class_names_the_nearest_and_never_leaves_the_folder() {
    let (dir, fixtures) = folder(&[("users.yml", ""), ("collections.yml", "")]);
    assert_eq!(
        message(&dir, fixtures.class("user")),
        "DIR has no user.yml; did you mean \"users\"?"
    );
    let inside = dir.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let error = Fixtures::open(inside).class("../users").unwrap_err();
    assert!(matches!(error, Error::UnknownClass { nearest: None, .. }), "{error}");
}

#[test]
fn an_unknown_label_names_the_nearest() {
    let (dir, fixtures) = folder(&[(
        "api_client_authorizations.yml",
        "active: {api_token: abc}\nno_token: {user: active}\ndigits: {api_token: 123456}\n",
    )]);
    assert_eq!(fixtures.auth_token("active").unwrap(), "abc");
    assert_eq!(fixtures.auth_token("digits").unwrap(), "123456");
    assert_eq!(
        message(&dir, fixtures.auth_token("actvie")),
        "DIR/api_client_authorizations.yml has no record \"actvie\"; did you mean \"active\"?"
    );
    assert_eq!(
        message(&dir, fixtures.auth_token("no_token")),
        "DIR/api_client_authorizations.yml: the record \"no_token\" has no proper api_token"
    );
}

#[test]
fn wrong_yaml_is_told_with_its_place() {
    let (dir, fixtures) = folder(&[("users.yml", "a: {}\nb: {c: [x\n"), ("logs.yml", "a:\n  b\n")]);
    let text = message(&dir, fixtures.class("users"));
    assert!(text.starts_with("DIR/users.yml:3:1: did not find"), "{text}");
    let text = message(&dir, fixtures.class("logs"));
    assert!(text.starts_with("DIR/logs.yml:2:3: a: "), "{text}");
}

#[test]
fn unknown_erb_is_told_with_its_place_and_what_is_known() {
    let (dir, fixtures) = folder(&[("users.yml", "a:\n  b: <%= rand(3) %>\n")]);
    let text = message(&dir, fixtures.class("users"));
    assert!(text.starts_with("DIR/users.yml:2:6: cannot evaluate the ERB `<%= rand(3) %>`"));
    assert!(text.contains("3.minutes.ago.to_s(:db)"), "{text}");
}

#[test]
fn a_time_within_text_is_refused() {
    let (dir, fixtures) = folder(&[("logs.yml", "a:\n  b: at <%= 1.day.ago.to_s(:db) %>\n")]);
    let text = message(&dir, fixtures.class("logs"));
    assert!(text.starts_with("DIR/logs.yml:2:6: "), "{text}");
    assert!(text.ends_with("must be the whole value"), "{text}");
}

#[test]
fn a_missing_folder_is_named() {
    let (dir, _) = folder(&[]);
    let fixtures = Fixtures::open(dir.path().join("missing"));
    assert!(message(&dir, fixtures.classes()).contains("DIR/missing"));
    assert!(message(&dir, fixtures.content_hash()).contains("DIR/missing"));
}

#[test]
fn text_that_is_not_utf_8_is_told_with_the_file() {
    let (dir, fixtures) = folder(&[]);
    std::fs::write(dir.path().join("logs.yml"), [b'a', 0xff]).unwrap();
    let text = message(&dir, fixtures.class("logs"));
    assert!(text.contains("DIR/logs.yml") && text.contains("UTF-8"), "{text}");
}

#[test]
fn the_content_hash_changes_with_every_name_and_byte_of_a_fixture() {
    let hash = |files: &[(&str, &str)]| folder(files).1.content_hash().unwrap();
    let original = [("users.yml", "a: {}"), ("logs.yml", "")];
    assert_eq!(hash(&original), hash(&original));
    assert_eq!(hash(&original), hash(&[original[0], original[1], ("notes.txt", "x")]));
    for changed in [
        [("users.yml", "a: {} "), ("logs.yml", "")],
        [("groups.yml", "a: {}"), ("logs.yml", "")],
        [("users.yml", ""), ("logs.yml", "a: {}")],
    ] {
        assert_ne!(hash(&original), hash(&changed), "{changed:?}");
    }
}

#[test]
fn a_reference_to_no_record_is_told_with_its_place_and_the_nearest_there_is() {
    let (dir, fixtures) = folder(&[
        ("users.yml", "admin:\n  uuid: zzzzz-tpzed-d9tiejq69daie8f\n"),
        (
            "api_client_authorizations.yml",
            "DEFAULTS: &all\n  owner_uuid: zzzzz-tpzed-d9tiejq69daie8e\n\
             first:\n  <<: *all\n  user: admin\nsecond:\n  <<: *all\n  user: adimn\n",
        ),
    ]);
    let found = fixtures.dangling().unwrap();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let dir = dir.path().display();
    assert_eq!(
        found,
        [
            format!(
                "{dir}/api_client_authorizations.yml:2:15: first: owner_uuid \
                 \"zzzzz-tpzed-d9tiejq69daie8e\" is no record; did you mean \
                 zzzzz-tpzed-d9tiejq69daie8f (admin in users)?"
            ),
            format!(
                "{dir}/api_client_authorizations.yml:8:9: second: user \"adimn\" is no record; \
                 did you mean admin?"
            ),
        ]
    );
}

#[test]
fn a_folder_with_a_file_that_does_not_read_has_no_list_of_references() {
    let (dir, fixtures) = folder(&[("users.yml", "a: {}\n"), ("logs.yml", "a:\n  b\n")]);
    assert!(message(&dir, fixtures.dangling()).starts_with("DIR/logs.yml:2:3: a: "));
}
