//! Containers, the requests for them, workflows and credentials of today, over the wire.

use serde_json::{Value, json};
use ureq::http::Request;

use super::api_server::{Answer, Server, read};
use super::{ACTIVE, FOO_FILE, FOO_HASH, NONE, error_text};

/// A cluster with the image of a container, which everything here runs in.
struct Cluster {
    server: Server,
    image: String,
}

impl Cluster {
    fn start() -> Self {
        let server = Server::start("current");
        let name = format!("sha256:{}.tar", "ab".repeat(32));
        let manifest = format!(". d41d8cd98f00b204e9800998ecf8427e+0 0:0:{name}\n");
        let body = json!({"collection": {"manifest_text": manifest}});
        let image = server.create("active", "collections", &body);
        let image = image["portable_data_hash"].as_str().unwrap().to_owned();
        Self { server, image }
    }

    fn body(&self, changes: &Value) -> Value {
        let mut request = json!({"command": ["true"], "container_image": self.image,
            "output_path": "/out", "cwd": "/", "priority": 500, "state": "Committed",
            "mounts": {"/in": {"kind": "collection", "uuid": FOO_FILE}},
            "runtime_constraints": {"vcpus": 1, "ram": 1 << 20}});
        for (name, value) in changes.as_object().unwrap() {
            request[name] = value.clone();
        }
        json!({"container_request": request})
    }

    fn request(&self, changes: &Value) -> Value {
        self.server.create("active", "container_requests", &self.body(changes))
    }

    fn set(&self, auth: &str, plural: &str, object: &Value, changes: &Value) -> Answer {
        let path = format!("/arvados/v1/{plural}/{}", uuid(object));
        let singular = plural.trim_end_matches('s');
        self.server.call(auth, "PUT", &path, &json!({singular: changes}))
    }

    fn post(&self, auth: &str, container: &str, action: &str) -> Answer {
        let path = format!("/arvados/v1/containers/{container}/{action}");
        self.server.call(auth, "POST", &path, &NONE)
    }

    fn show(&self, plural: &str, uuid: &Value) -> Value {
        self.server.get("active", &format!("{plural}/{}", uuid.as_str().unwrap())).1
    }

    fn with_token(&self, token: &Value, path: &str) -> Answer {
        let request = Request::get(self.server.url(&format!("/arvados/v1/{path}")));
        let token = format!("Bearer {}", token["api_token"].as_str().unwrap());
        read(self.server.send(request.header("authorization", token).body(String::new()).unwrap()))
    }
}

fn uuid(object: &Value) -> &str {
    object["uuid"].as_str().unwrap()
}

#[test]
fn a_request_is_shaped_until_it_is_committed() {
    let cluster = Cluster::start();
    let draft = cluster.request(&json!({"state": null, "priority": null}));
    assert_eq!((&draft["state"], &draft["priority"]), (&json!("Uncommitted"), &json!(0)));
    assert_eq!((&draft["container_uuid"], &draft["container_count"]), (&NONE, &json!(0)));
    let set = |changes: &Value| cluster.set("active", "container_requests", &draft, changes);
    assert_eq!(set(&json!({"command": ["false"]})).0, 200);
    assert_eq!(set(&json!({"output_uuid": "x"})).0, 422);
    assert_eq!(set(&json!({"state": "Final"})).0, 422);
    let (status, committed) = set(&json!({"state": "Committed", "priority": 1}));
    assert_eq!((status, &committed["container_count"]), (200, &json!(1)), "{committed}");
    let container = cluster.show("containers", &committed["container_uuid"]);
    assert_eq!((&container["state"], &container["command"]), (&json!("Queued"), &json!(["false"])));
    assert_eq!(container["mounts"]["/in"]["portable_data_hash"], FOO_HASH);
    assert_eq!(container["mounts"]["/in"].get("uuid"), None);
    assert_eq!(container["runtime_user_uuid"], ACTIVE);
    let (status, refused) = set(&json!({"command": ["true"]}));
    let text = "Command cannot be modified in state 'Committed'";
    assert!(status == 422 && error_text(&refused).starts_with(text), "{refused}");
    assert_eq!(set(&json!({"state": "Uncommitted"})).0, 422);
    assert_eq!(set(&json!({"name": "named"})).0, 200);
}

#[test]
fn what_a_request_must_not_be_is_refused() {
    let cluster = Cluster::start();
    for (changes, text) in [
        (json!({"command": []}), "Command can't be blank"),
        (json!({"command": [1]}), "Command must be an array of strings"),
        (json!({"output_path": ""}), "Output path can't be blank"),
        (json!({"priority": 1001}), "Priority must be less than or equal to 1000"),
        (json!({"priority": -1}), "Priority must be greater than or equal to 0"),
        (json!({"environment": {"A": 1}}), "Environment must be a map of String to String"),
        (json!({"mounts": {"/x": {}}}), "Mounts each item must have a 'kind' field"),
        (json!({"secret_mounts": {"/in": {"kind": "text"}}}), "Secret mounts conflict"),
        (json!({"runtime_constraints": {"ram": 1}}), "Runtime constraints [vcpus]=nil must be"),
        (json!({"container_image": "none"}), "docker image \"none\" not found"),
        (json!({"runtime_token": "x"}), "Runtime token not a v2 token"),
        (json!({"container_uuid": "zzzzz-dz642-queuedcontainer"}), "Container uuid can only be"),
        (json!({"container_count": 1}), "Container count cannot be modified"),
        (json!({"state": "Final"}), "State cannot change from nil to Final"),
        (
            json!({"mounts": {"/x": {"kind": "collection", "uuid": "zzzzz-4zz18-zzzzzzzzzzzzzzz"}}}),
            "cannot mount collection",
        ),
    ] {
        let body = cluster.body(&changes);
        let path = "/arvados/v1/container_requests";
        let (status, refused) = cluster.server.call("active", "POST", path, &body);
        assert_eq!(status, 422, "{changes}");
        assert!(error_text(&refused).starts_with(text), "{refused}");
    }
}

#[test]
fn requests_for_the_same_share_a_container_unless_one_wants_its_own() {
    let cluster = Cluster::start();
    let first = cluster.request(&json!({"priority": 1}));
    let priority = || cluster.show("containers", &first["container_uuid"])["priority"].as_i64();
    let low = priority().unwrap();
    assert!(low > 0);
    let second = cluster.request(&json!({"priority": 2}));
    assert_eq!(second["container_uuid"], first["container_uuid"]);
    assert!(priority().unwrap() > low);
    let own = cluster.request(&json!({"use_existing": false}));
    assert_ne!(own["container_uuid"], first["container_uuid"]);
    let other = cluster.request(&json!({"command": ["echo"]}));
    assert_ne!(other["container_uuid"], first["container_uuid"]);
    let path = format!("/arvados/v1/container_requests/{}", uuid(&second));
    assert_eq!(cluster.server.call("active", "DELETE", &path, &NONE).0, 200);
    assert_eq!(priority(), Some(low));
    cluster.set("active", "container_requests", &first, &json!({"priority": 0}));
    assert_eq!(priority(), Some(0));
    let container = first["container_uuid"].as_str().unwrap();
    assert_eq!(cluster.server.get("spectator", &format!("containers/{container}")).0, 404);
    assert_eq!(cluster.post("admin", container, "lock").0, 422);
}

#[test]
fn a_container_runs_for_its_dispatcher_and_leaves_its_output_to_who_requested_it() {
    let cluster = Cluster::start();
    let request = cluster.request(&json!({"output_name": "mine", "secret_mounts":
        {"/secret": {"kind": "text", "content": "hush"}}}));
    assert_eq!(request.get("secret_mounts"), None);
    let container = request["container_uuid"].as_str().unwrap();
    let as_container = json!({"uuid": container});
    let set = |auth: &str, changes: Value| cluster.set(auth, "containers", &as_container, &changes);
    assert_eq!(cluster.post("active", container, "lock").0, 403);
    let (status, locked) = cluster.post("admin", container, "lock");
    assert_eq!((status, &locked["state"]), (200, &json!("Locked")), "{locked}");
    assert_eq!(cluster.post("admin", container, "lock").0, 422);
    let (status, token) = cluster.server.get("admin", &format!("containers/{container}/auth"));
    assert_eq!((status, &token["uuid"]), (200, &locked["auth_uuid"]));
    assert_eq!(cluster.server.get("active", &format!("containers/{container}/auth")).0, 403);
    assert_eq!(set("admin", json!({"state": "Running", "cost": 0.5})).0, 200);
    assert_eq!(cluster.with_token(&token, "containers/current").1["uuid"], container);
    assert_eq!(cluster.with_token(&token, "users/current").1["uuid"], ACTIVE);
    let secrets = cluster.with_token(&token, &format!("containers/{container}/secret_mounts"));
    assert_eq!(secrets.1["secret_mounts"]["/secret"]["content"], "hush");
    assert_eq!(cluster.server.get("active", "containers/current").0, 404);
    assert_eq!(set("admin", json!({"command": ["false"]})).0, 422);
    assert_eq!(set("admin", json!({"output": "d41d8cd98f00b204e9800998ecf8427f+0"})).0, 422);
    let done = json!({"state": "Complete", "exit_code": 0, "output": FOO_HASH, "log": FOO_HASH});
    let (status, done) = set("admin", done);
    assert_eq!((status, &done["auth_uuid"], &done["cost"]), (200, &NONE, &json!(0.5)));
    assert_eq!(cluster.with_token(&token, "users/current").0, 401);
    let request = cluster.show("container_requests", &request["uuid"]);
    assert_eq!(request["state"], "Final");
    let output = cluster.show("collections", &request["output_uuid"]);
    assert_eq!(
        (&output["name"], &output["portable_data_hash"]),
        (&json!("mine"), &json!(FOO_HASH))
    );
    assert_eq!(output["properties"]["container_request"], request["uuid"]);
    let log = cluster.show("collections", &request["log_uuid"]);
    let folder = format!("./log\\040for\\040container\\040{container}");
    assert!(log["manifest_text"].as_str().unwrap().contains(&folder));
    let again = cluster.request(&json!({"secret_mounts":
        {"/secret": {"kind": "text", "content": "hush"}}}));
    assert_ne!(again["container_uuid"], container);
}

#[test]
fn a_container_that_is_cancelled_is_tried_again_as_often_as_wanted() {
    let cluster = Cluster::start();
    let mut request = cluster.request(&json!({"container_count_max": 2}));
    for (count, state) in [(2, "Committed"), (2, "Final")] {
        let container = json!({"uuid": request["container_uuid"]});
        let cancelled = json!({"state": "Cancelled"});
        assert_eq!(cluster.set("admin", "containers", &container, &cancelled).0, 200);
        let next = cluster.show("container_requests", &request["uuid"]);
        assert_eq!((&next["container_count"], &next["state"]), (&json!(count), &json!(state)));
        assert_eq!(next["container_uuid"] != request["container_uuid"], state == "Committed");
        request = next;
    }
}

#[test]
fn a_container_that_is_never_started_is_given_up_at_the_tenth_attempt() {
    let cluster = Cluster::start();
    let request = cluster.request(&json!({"container_count_max": 1}));
    let container = request["container_uuid"].as_str().unwrap();
    for attempt in 1..=10 {
        assert_eq!(cluster.post("admin", container, "lock").1["lock_count"], attempt);
        if attempt == 1 {
            assert_eq!(cluster.post("admin_trustedclient", container, "unlock").0, 422);
        }
        let expected = if attempt == 10 { "Cancelled" } else { "Queued" };
        assert_eq!(cluster.post("admin", container, "unlock").1["state"], expected);
    }
    assert_eq!(cluster.show("container_requests", &request["uuid"])["state"], "Final");
}

#[test]
fn a_workflow_takes_its_name_from_its_definition() {
    let server = Server::start("current");
    let body = |definition: &str| json!({"workflow": {"definition": definition}});
    let made = server.create("active", "workflows", &body("name: defined\n"));
    assert_eq!(made["name"], "defined");
    let (status, refused) = server.call("active", "POST", "/arvados/v1/workflows", &body("["));
    assert_eq!(status, 422);
    assert!(error_text(&refused).starts_with("Definition is not valid yaml"));
}

#[test]
fn the_secret_of_a_credential_is_for_running_containers() {
    let cluster = Cluster::start();
    let server = &cluster.server;
    let body = json!({"credential": {"name": "service", "external_id": "me", "secret": "hush",
        "credential_class": "password", "expires_at": "2999-01-01T00:00:00Z"}});
    let made = server.create("active", "credentials", &body);
    assert_eq!(made.get("secret"), None);
    let path = format!("credentials/{}/secret", uuid(&made));
    assert_eq!(server.get("active", &path).0, 403);
    assert_eq!(server.get("admin", "credentials?select=[%22secret%22]").0, 422);
    let logged = format!("logs?filters=[[%22object_uuid%22,%22=%22,%22{}%22]]", uuid(&made));
    assert!(!server.get("admin", &logged).1.to_string().contains("hush"));
    let request = cluster.request(&json!({}));
    let container = request["container_uuid"].as_str().unwrap();
    cluster.post("admin", container, "lock");
    let (_, token) = server.get("admin", &format!("containers/{container}/auth"));
    assert_eq!(cluster.with_token(&token, &path).0, 403);
    let running = json!({"state": "Running"});
    cluster.set("admin", "containers", &json!({"uuid": container}), &running);
    assert_eq!(cluster.with_token(&token, &path).1, json!({"external_id": "me", "secret": "hush"}));
}

#[test]
fn a_request_says_how_far_its_container_is() {
    let cluster = Cluster::start();
    let status = |auth: &str, request: &Value| {
        let path = format!("container_requests/{}/container_status", uuid(request));
        cluster.server.get(auth, &path)
    };
    let draft = cluster.request(&json!({"state": "Uncommitted"}));
    let (code, none) = status("active", &draft);
    assert_eq!((code, &none["container_uuid"]), (200, &json!("")), "{none}");
    assert_eq!(none["scheduling_status"], "No container is assigned.");
    let request = cluster.request(&json!({}));
    let (code, queued) = status("active", &request);
    assert_eq!((code, &queued["container_uuid"]), (200, &request["container_uuid"]), "{queued}");
    assert_eq!(queued["container_state"], "Queued");
    assert!(!queued["scheduling_status"].as_str().unwrap().is_empty());
    assert_eq!(status("spectator", &request).0, 404);
}
