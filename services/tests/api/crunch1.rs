//! Jobs, pipelines and nodes of 2015, over the wire.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{ACTIVE, NONE, error_text};

const COMMIT: &str = "1de84a854e2b440dc53bf42f8548afa4c17da332";

fn job(priority: u8) -> Value {
    json!({"job": {"repository": "active/foo", "script": "hash", "script_version": COMMIT,
        "script_parameters": {"input": 1}, "priority": priority}})
}

fn uuid(object: &Value) -> &str {
    object["uuid"].as_str().unwrap()
}

#[test]
fn a_job_goes_through_its_states_and_no_further() {
    let server = Server::start("2015");
    let made = server.create("active", "jobs", &job(0));
    assert_eq!((&made["state"], &made["running"]), (&json!("Queued"), &json!(false)));
    assert_eq!(made["supplied_script_version"], COMMIT);
    let path = format!("/arvados/v1/jobs/{}", uuid(&made));
    let set =
        |auth: &str, changes: Value| server.call(auth, "PUT", &path, &json!({"job": changes}));
    let (status, locked) = server.call("active", "POST", &format!("{path}/lock"), &NONE);
    assert_eq!((status, &locked["state"]), (200, &json!("Running")));
    assert_eq!((&locked["is_locked_by_uuid"], &locked["running"]), (&json!(ACTIVE), &json!(true)));
    assert!(locked["started_at"].is_string());
    assert_eq!(server.call("active", "POST", &format!("{path}/lock"), &NONE).0, 422);
    assert_eq!(set("admin", json!({"output": "x"})).0, 403);
    assert_eq!(set("admin", json!({"is_locked_by_uuid": null})).0, 403);
    assert_eq!(set("active", json!({"tasks_summary": {"done": 1}})).0, 200);
    let (_, done) = set("active", json!({"success": true}));
    assert_eq!((&done["state"], &done["running"]), (&json!("Complete"), &json!(false)));
    let (status, refused) = set("active", json!({"state": "Running"}));
    assert_eq!(
        (status, error_text(&refused)),
        (422, "State invalid change from Complete to Running")
    );
}

#[test]
fn whoever_may_write_a_job_cancels_it_even_when_another_holds_it() {
    let server = Server::start("2015");
    let made = server.create("active", "jobs", &job(0));
    let path = format!("/arvados/v1/jobs/{}", uuid(&made));
    server.call("admin", "POST", &format!("{path}/lock"), &NONE);
    assert_eq!(server.call("spectator", "POST", &format!("{path}/cancel"), &NONE).0, 404);
    let (status, cancelled) = server.call("active", "POST", &format!("{path}/cancel"), &NONE);
    assert_eq!((status, &cancelled["state"]), (200, &json!("Cancelled")));
    assert!(cancelled["cancelled_at"].is_string());
}

#[test]
fn jobs_wait_by_priority_and_then_by_age() {
    let server = Server::start("2015");
    let size = || server.get("spectator", "jobs/queue_size").1["queue_size"].as_i64().unwrap();
    let before = size();
    let made: Vec<_> =
        [7, 9, 7].map(|priority| server.create("active", "jobs", &job(priority))).into();
    assert_eq!(size(), before + 3);
    let (_, queue) = server.get("active", "jobs/queue");
    assert_eq!(queue["kind"], "arvados#jobList");
    let waiting: Vec<_> =
        queue["items"].as_array().unwrap().iter().map(|job| job["uuid"].clone()).collect();
    let expected = [1, 0, 2].map(|at: usize| made[at]["uuid"].clone());
    assert_eq!(waiting[..3], expected);
    let (_, third) = server.get("active", &format!("jobs/{}", uuid(&made[2])));
    assert_eq!(third["queue_position"], 2);
}

#[test]
fn what_a_job_must_not_be_is_refused() {
    let server = Server::start("2015");
    for (name, value, text) in [
        ("script_version", json!("master"), "Script version master does not resolve to a commit"),
        ("script", NONE, "script attribute must be specified"),
        ("script_parameters", NONE, "script_parameters attribute must be specified"),
        ("state", json!("Asleep"), "State \"Asleep\" must be one of"),
        ("runtime_constraints", json!({"docker_image": "none"}), "Docker image locator not found"),
        (
            "script_parameters",
            json!({"input": "zzzzz-4zz18-znfnqtbbv4spc3w"}),
            "Script parameters must use portable_data_hash",
        ),
        ("no_reuse", json!(true), "unknown attribute: no_reuse"),
    ] {
        let mut body = job(0);
        body["job"][name] = value;
        let (status, refused) = server.call("active", "POST", "/arvados/v1/jobs", &body);
        assert_eq!(status, 422, "{name}");
        assert!(error_text(&refused).starts_with(text), "{refused}");
    }
    let path = "/arvados/v1/jobs?find_or_create=true";
    assert_eq!(server.call("active", "POST", path, &job(0)).0, 422);
}

#[test]
fn a_task_that_fails_takes_along_what_it_has_made() {
    let server = Server::start("2015");
    let task = |body: Value| server.create("active", "job_tasks", &json!({"job_task": body}));
    let first = task(json!({"sequence": 0, "parameters": {}, "progress": 0.5}));
    assert_eq!(first["progress"], 0.5);
    let second = task(json!({"sequence": 1, "created_by_job_task_uuid": first["uuid"]}));
    assert!(second["qsequence"].as_i64() > first["qsequence"].as_i64());
    let path = format!("/arvados/v1/job_tasks/{}", uuid(&first));
    let failed = json!({"job_task": {"success": false}});
    assert_eq!(server.call("active", "PUT", &path, &failed).0, 200);
    assert_eq!(server.get("active", &format!("job_tasks/{}", uuid(&second))).0, 404);
}

#[test]
fn a_pipeline_is_ready_once_it_has_all_that_it_requires() {
    let server = Server::start("2015");
    let components = json!({"foo": {"script": "foo", "script_parameters":
        {"input": {"required": true}}}});
    let template = server.create(
        "active",
        "pipeline_templates",
        &json!({"pipeline_template": {"name": "made for a test", "components": components}}),
    );
    let made = server.create(
        "active",
        "pipeline_instances",
        &json!({"pipeline_instance": {"pipeline_template_uuid": template["uuid"]}}),
    );
    assert_eq!((&made["state"], &made["components"]), (&json!("New"), &components));
    let path = format!("/arvados/v1/pipeline_instances/{}", uuid(&made));
    let set = |changes: Value| {
        server.call("active", "PUT", &path, &json!({"pipeline_instance": changes}))
    };
    let given = json!({"foo": {"script_parameters": {"input": {"required": true, "value": 1}}}});
    assert_eq!(set(json!({"components": given})).1["state"], "Ready");
    let (_, failed) = set(json!({"state": "Failed"}));
    assert!(failed["started_at"].is_string() && failed["finished_at"].is_string());
    assert_eq!(set(json!({"state": "Gone"})).0, 422);
    let twice = json!({"pipeline_template": {"name": "made for a test"}});
    assert_eq!(server.call("active", "POST", "/arvados/v1/pipeline_templates", &twice).0, 422);
}

#[test]
fn a_node_reports_with_its_secret_and_only_admins_see_it() {
    let server = Server::start("2015");
    let node = server.create("admin", "nodes", &json!({"node": {}}));
    assert_eq!((&node["status"], &node["slot_number"]), (&json!("pending"), &NONE));
    let secret = node["info"]["ping_secret"].as_str().unwrap();
    let path = format!("/arvados/v1/nodes/{}/ping", uuid(&node));
    let ping = |body: Value| server.call("", "POST", &path, &body);
    assert_eq!(ping(json!({"ping_secret": "wrong"})).0, 403);
    assert_eq!(ping(json!({})).0, 422);
    let (status, pinged) = ping(json!({"ping_secret": secret, "total_cpu_cores": "16"}));
    assert_eq!((status, &pinged["status"]), (200, &json!("running")));
    assert_eq!(pinged["properties"]["total_cpu_cores"], 16);
    let hostname = format!("compute{}", pinged["slot_number"]);
    assert_eq!(pinged["hostname"], hostname);
    let (_, nodes) = server.get("active", "nodes");
    let seen = nodes["items"].as_array().unwrap().iter().find(|seen| seen["uuid"] == node["uuid"]);
    assert_eq!(seen.unwrap().get("info"), None);
    assert_eq!(server.get("spectator", "nodes?limit=0").0, 200);
    assert_eq!(server.get("", "nodes").0, 401);
}
