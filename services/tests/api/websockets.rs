//! Websockets, and clients that misuse or leave them.

use serde_json::json;

use super::api_server::Server;
use super::events::{ERAS, make};
use super::follower::Follower;
use super::{ACTIVE, NONE};

#[test]
fn clients_are_told_where_to_follow_events() {
    for era in ERAS {
        let server = Server::start(era);
        let path = "/discovery/v1/apis/arvados/v1/rest";
        let (_, document) = server.call("", "GET", path, &NONE);
        let url = server.url("/websocket").replace("https:", "wss:");
        assert_eq!(document["websocketUrl"], url);
    }
}

#[test]
fn wrong_messages_are_answered_and_the_socket_stays() {
    for era in ERAS {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "active");
        for wrong in ["", "{", "[]", r#"{"method": "shout"}"#, r#"{"filters": []}"#] {
            assert_eq!(follower.say_text(wrong)["status"], 400, "{era} {wrong}");
        }
        follower.subscribe(&json!([]));
        let uuid = make(&server, "active");
        assert_eq!(follower.event().1, uuid);
    }
}

#[test]
fn a_message_of_more_than_a_mebibyte_ends_its_own_socket_only() {
    let server = Server::start("current");
    let mut other = Follower::connect(&server, "active");
    other.subscribe(&json!([]));
    let mut follower = Follower::connect(&server, "active");
    follower.send_only(&" ".repeat((1 << 20) + 1));
    follower.wait_for_end();
    let mut follower = Follower::connect(&server, "active");
    let subscribe = json!({"method": "subscribe"}).to_string();
    let padding = " ".repeat((1 << 20) - subscribe.len());
    assert_eq!(follower.say_text(&(subscribe + &padding)), json!({"status": 200}));
    let uuid = make(&server, "active");
    assert_eq!(other.event().1, uuid);
}

#[test]
fn without_a_token_there_are_no_events() {
    for token in ["", "thistokenisnotknowntoanyclusteratall"] {
        let server = Server::start("2015");
        let mut follower = Follower::with_token(&server, token);
        let refusal = json!({"status": 401, "message": "Valid API token required"});
        assert_eq!(follower.next(), Some(refusal));
        assert_eq!(follower.next(), None);
        let server = Server::start("current");
        let mut follower = Follower::with_token(&server, token);
        follower.subscribe(&json!([]));
        make(&server, "admin");
        assert_eq!(follower.say(&json!({"method": "unsubscribe"})), json!({"status": 200}));
    }
}

#[test]
fn a_plain_request_finds_no_websocket() {
    for (era, status) in [("2015", 404), ("current", 400)] {
        let server = Server::start(era);
        for method in ["GET", "POST"] {
            assert_eq!(server.call("active", method, "/websocket", &NONE).0, status, "{era}");
        }
    }
}

#[test]
fn many_clients_are_told_of_the_same() {
    let server = Server::start("current");
    let mut followers: Vec<_> = (0..100)
        .map(|_| {
            let mut follower = Follower::connect(&server, "active");
            follower.subscribe(&json!([]));
            follower
        })
        .collect();
    let made: Vec<_> = (0..3).map(|_| make(&server, "active")).collect();
    for follower in &mut followers {
        for uuid in &made {
            assert_eq!(&follower.event().1, uuid);
        }
    }
}

#[test]
fn a_client_that_does_not_read_costs_no_memory_and_stops_nobody() {
    let server = Server::start("2015");
    let mut idle = Follower::connect(&server, "active");
    idle.subscribe(&json!([]));
    let mut follower = Follower::connect(&server, "active");
    follower.subscribe(&json!([]));
    let text = "x".repeat(1 << 20);
    let entry = json!({"log": {"object_uuid": ACTIVE, "properties": {"text": text}}});
    let mut memory = Vec::new();
    for _ in 0..40 {
        let entry = server.create("active", "logs", &entry);
        assert_eq!(follower.next().unwrap()["id"], entry["id"]);
        memory.push(server.resident_mebibytes());
    }
    // What the first requests have taken is used again.
    let growth = memory[39].saturating_sub(memory[9]);
    assert!(growth < 20, "30 MiB more of events took {growth} MiB more of memory");
}

#[test]
fn clients_that_vanish_leave_nothing_open() {
    let server = Server::start("current");
    let before = server.open_files();
    for round in 0..20 {
        let mut follower = Follower::connect(&server, "active");
        if round % 2 == 0 {
            follower.subscribe(&json!([]));
        }
    }
    let mut left = server.open_files();
    // An end takes a moment to be seen; events make the server look for it.
    for _ in 0..600 {
        if left <= before + 12 {
            break;
        }
        make(&server, "active");
        left = server.open_files();
    }
    assert!(left <= before + 12, "{left} files are open, of which {before} were before");
}

#[test]
fn the_server_ends_at_once_while_clients_follow() {
    let mut server = Server::start("current");
    let mut follower = Follower::connect(&server, "active");
    follower.subscribe(&json!([]));
    assert_eq!(server.stop(), Some(0));
    follower.wait_for_end();
}
