//! Where collections come from, and what was made of them.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{FOO_FILE, FOO_HASH};

const BAR_HASH: &str = "fa7aeb5140e2848d39b416daeef4ffc5+45";
const BAR_FILE: &str = "zzzzz-4zz18-ehbhgtheo8909or";
const FOOBAR_JOB: &str = "zzzzz-8i9sb-aceg2bnq7jt7kon";
const COMPLETED_REQUEST: &str = "zzzzz-xvhdp-cr4completedctr";
const COMPLETED_CONTAINER: &str = "zzzzz-dz642-compltcontainer";

fn names(server: &Server, auth: &str, path: &str) -> Vec<String> {
    let (status, found) = server.get(auth, &format!("collections/{path}"));
    assert_eq!(status, 200, "{path} {found}");
    found.as_object().unwrap().keys().cloned().collect()
}

fn has(names: &[String], wanted: &[&str]) -> bool {
    wanted.iter().all(|name| names.iter().any(|found| found == name))
}

#[test]
fn a_job_leads_from_its_output_to_its_input_and_back() {
    let server = Server::start("2015");
    let up = names(&server, "active", &format!("{BAR_HASH}/provenance"));
    assert!(has(&up, &[BAR_HASH, FOOBAR_JOB, FOO_HASH]), "{up:?}");
    let by_uuid = names(&server, "active", &format!("{BAR_FILE}/provenance"));
    assert!(has(&by_uuid, &[BAR_HASH, FOOBAR_JOB, FOO_HASH]), "{by_uuid:?}");
    assert!(!has(&by_uuid, &[BAR_FILE]), "in 2015 a collection is its content");
    let down = names(&server, "active", &format!("{FOO_HASH}/used_by"));
    assert!(has(&down, &[FOO_HASH, FOOBAR_JOB, BAR_HASH]), "{down:?}");
    let nothing = names(&server, "active", &format!("{BAR_HASH}/used_by"));
    assert!(!has(&nothing, &[FOOBAR_JOB]), "{nothing:?}");
}

#[test]
fn a_request_leads_from_its_output_to_its_input_and_a_container_does() {
    let server = Server::start("current");
    let up = names(&server, "active", &format!("{FOO_FILE}/provenance"));
    let wanted = [FOO_FILE, FOO_HASH, COMPLETED_REQUEST, COMPLETED_CONTAINER];
    assert!(has(&up, &wanted), "{up:?}");
    let mount = json!({"kind": "collection", "portable_data_hash": BAR_HASH});
    let request = json!({"container_request": {"name": "reads bar", "mounts": {"/in": mount},
        "command": ["cat"], "container_image": "image", "output_path": "/out"}});
    let request = server.create("active", "container_requests", &request);
    let request = request["uuid"].as_str().unwrap();
    let down = names(&server, "active", &format!("{BAR_HASH}/used_by"));
    assert!(has(&down, &[BAR_HASH, request]), "{down:?}");
    let down = names(&server, "active", &format!("{BAR_FILE}/used_by"));
    assert!(has(&down, &[BAR_FILE, BAR_HASH, request]), "{down:?}");
}

#[test]
fn links_lead_on_and_what_one_cannot_see_does_not() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let link = json!({"link": {"link_class": "provenance", "name": "provided",
            "tail_uuid": BAR_HASH, "head_uuid": FOO_HASH}});
        let link = server.create("active", "links", &link);
        let link = link["uuid"].as_str().unwrap();
        let up = names(&server, "active", &format!("{FOO_HASH}/provenance"));
        assert!(has(&up, &[FOO_HASH, link, BAR_HASH]), "{era} {up:?}");
        let own = json!({"collection": {"name": "own", "manifest_text": ""}});
        let own = server.create("active", "collections", &own);
        let path = format!("collections/{}/provenance", own["uuid"].as_str().unwrap());
        assert_eq!(server.get("active", &path).0, 200, "{era}");
        assert_eq!(server.get("spectator", &path).0, 404, "{era}");
        assert_eq!(server.get("", &path).0, 401, "{era}");
        let unknown = "collections/00000000000000000000000000000000+0/used_by";
        assert_eq!(server.get("active", unknown).0, 404, "{era}");
    }
}

#[test]
fn of_several_collections_with_one_content_the_number_is_told() {
    let server = Server::start("current");
    let (_, bar) = server.get("admin", &format!("collections/{BAR_HASH}"));
    let copy = json!({"collection": {"name": "copy", "manifest_text": bar["manifest_text"]}});
    server.create("admin", "collections", &copy);
    let (_, found) = server.get("admin", &format!("collections/{BAR_HASH}/provenance"));
    let shown = found[BAR_HASH].as_object().unwrap();
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["portable_data_hash", "name"]);
    assert!(matches!(&shown["name"], Value::String(name) if name.ends_with(" more")), "{shown:?}");
}
