//! What a killed server keeps, and what is seen of a reset while it happens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use serde_json::{Value, json};
use ureq::http::Request;

use super::NONE;
use super::api_server::Server;
use super::fixtures;

/// Kills of one test.
const KILLS: usize = 4;
const WRITERS: usize = 4;

/// Rising numbers without an order, the same in each run (Knuth's generator).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A request that may find no server.
fn attempt(agent: &ureq::Agent, method: &str, url: &str, body: &Value) -> Option<Value> {
    let token = sdk_fixtures::auth_token("admin").unwrap();
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("OAuth2 {token}"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .unwrap();
    let mut response = agent.run(request).ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    assert_eq!(response.status(), 200, "{text}");
    serde_json::from_str(&text).ok()
}

/// An object that fills several pages of the database.
fn written(name: &str) -> Value {
    json!({"collection": {"name": name, "properties": {"name": name, "rest": "x".repeat(20_000)}}})
}

/// Creates and renames collections until there is nobody to tell; tells what it had an answer to.
fn write(agent: &ureq::Agent, url: &str, writer: usize, done: &mpsc::Sender<(String, String)>) {
    for number in 0.. {
        let name = format!("write {writer} {number}");
        let Some(made) = attempt(agent, "POST", url, &written(&name)) else {
            continue;
        };
        let uuid = made["uuid"].as_str().unwrap().to_owned();
        if done.send((uuid.clone(), name.clone())).is_err() {
            return;
        }
        let name = format!("{name} again");
        let renamed = attempt(agent, "PUT", &format!("{url}/{uuid}"), &written(&name));
        if renamed.is_some() && done.send((uuid, name)).is_err() {
            return;
        }
    }
}

#[test]
fn a_killed_server_keeps_every_write_that_it_answered_and_no_half_of_another() {
    let mut server = Server::start("current");
    let (agent, url) = (server.agent(), server.url("/arvados/v1/collections"));
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    let mut seed = 1;
    std::thread::scope(|scope| {
        let (done, answers) = mpsc::channel();
        for writer in 0..WRITERS {
            let (done, agent, url) = (done.clone(), agent.clone(), url.as_str());
            scope.spawn(move || write(&agent, url, writer, &done));
        }
        for _ in 0..KILLS {
            for _ in 0..10 + random(&mut seed) % 20 {
                let (uuid, name) = answers.recv().unwrap();
                answered.insert(uuid, name);
            }
            server.restart();
        }
        answered.extend(answers.try_iter());
    });
    let list = |query: &str| {
        let (status, list) = server.get("admin", &format!("{query}&limit=1000"));
        assert_eq!(status, 200, "{list}");
        let items = list["items"].as_array().unwrap().clone();
        assert_eq!(list["items_available"], items.len(), "all are looked at");
        items
    };
    let mut names = BTreeMap::new();
    for item in list("collections?filters=[[%22name%22,%22like%22,%22write%20%25%22]]") {
        let (uuid, name) = (item["uuid"].as_str().unwrap(), item["name"].as_str().unwrap());
        assert_eq!(item["properties"], written(name)["collection"]["properties"]);
        names.insert(uuid.to_owned(), name.to_owned());
    }
    for (uuid, name) in &answered {
        // One more step may have been done without an answer.
        assert!(names[uuid].starts_with(name), "{uuid} is {}, was {name}", names[uuid]);
    }
    let mut changes = BTreeMap::new();
    let of_collections = "[%22object_uuid%22,%22like%22,%22%25-4zz18-%25%22]";
    let changing = "[%22event_type%22,%22in%22,[%22create%22,%22update%22]]";
    let select = "select=[%22object_uuid%22]";
    for log in list(&format!("logs?filters=[{of_collections},{changing}]&{select}")) {
        *changes.entry(log["object_uuid"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    for (uuid, name) in &names {
        let expected = if name.ends_with("again") { 2 } else { 1 };
        assert_eq!(changes.get(uuid), Some(&expected), "{name} and its logs are one write");
    }
}

#[test]
fn a_server_killed_in_a_reset_is_before_or_behind_it() {
    let mut server = Server::start("current");
    let count =
        |server: &Server| server.get("admin", "collections?limit=0").1["items_available"].clone();
    let fixtures = count(&server).as_u64().unwrap();
    let (agent, url) = (server.agent(), server.url("/arvados/v1/collections"));
    let reset = server.url("/database/reset");
    let mut seed = 2;
    std::thread::scope(|scope| {
        let (done, answers) = mpsc::channel();
        let (agent, url, reset) = (&agent, &url, &reset);
        scope.spawn(move || {
            loop {
                let made = attempt(agent, "POST", url, &json!({}));
                let reset = made.and_then(|_| attempt(agent, "POST", reset, &NONE));
                if done.send(reset.is_some()).is_err() {
                    return;
                }
            }
        });
        for _ in 0..KILLS {
            for _ in 0..1 + random(&mut seed) % 5 {
                answers.recv().unwrap();
            }
            server.restart();
            let collections = count(&server).as_u64().unwrap() - fixtures;
            assert!(collections <= KILLS as u64, "{collections} more than the fixtures");
        }
    });
    assert_eq!(attempt(&server.agent(), "POST", &reset, &NONE), Some(json!({"success": true})));
    assert_eq!(count(&server), fixtures);
}

#[test]
fn a_request_sees_the_state_before_a_reset_or_behind_it() {
    let server = Server::start("current");
    let count = |auth: &str| {
        let (status, list) = server.get(auth, "collections?limit=0");
        assert_eq!(status, 200, "{list}");
        list["items_available"].as_u64().unwrap()
    };
    let before = ["admin", "active"].map(count);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (auth, fixtures) in ["admin", "active"].into_iter().zip(before) {
            let (is_over, count) = (&is_over, &count);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let seen = count(auth);
                    assert!([fixtures, fixtures + 1].contains(&seen), "{seen}, not {fixtures}");
                }
            });
        }
        for _ in 0..20 {
            server.create("active", "collections", &json!({}));
            let (status, _) = server.call("admin", "POST", "/database/reset", &NONE);
            assert_eq!(status, 200);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(["admin", "active"].map(count), before);
}

/// How many unfinished and finished images there are.
pub(super) fn images(server: &Server) -> (usize, usize) {
    let entries = fs_err::read_dir(server.path("images")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (drafts, others): (Vec<_>, Vec<_>) = names.partition(|name| name.starts_with(".image"));
    (drafts.len(), others.iter().filter(|name| name.ends_with(".sqlite")).count())
}

#[test]
fn nothing_is_left_of_an_image_whose_server_was_killed_while_it_made_it() {
    let folder = fixtures::folder("");
    let collections = folder.path().join("collections.yml");
    fs_err::remove_file(&collections).unwrap();
    nix::unistd::mkfifo(&collections, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut server = Server::start_on("current", folder.path());
    // It reads the pipe first for the image's name, then for the records, and waits for its end.
    let loading = loop {
        let pipe = fs_err::OpenOptions::new().write(true).open(&collections).unwrap();
        if images(&server) == (1, 0) {
            break pipe;
        }
    };
    fs_err::remove_file(&collections).unwrap();
    fs_err::write(&collections, "").unwrap();
    server.restart();
    drop(loading);
    assert_eq!(server.get("admin", "users/current").0, 200);
    assert_eq!(images(&server), (0, 1));
}
