//! What the discovery document does not have is not found, in each era.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api_server::Server;
use super::discovered::Discovered;
use super::{NONE, error_text};

/// Resources of 2015 that clients of today cannot ask for.
const DROPPED: &[&str] =
    &["api_clients", "job_tasks", "jobs", "nodes", "pipeline_instances", "pipeline_templates"];

/// Resources that came since.
const NEW: &[&str] =
    &["computed_permissions", "container_requests", "containers", "credentials", "workflows"];

/// What people have asked for that no era has, or that this server lacks.
const NOWHERE: &[&str] = &["commits", "commit_ancestors", "user", "config.yml", "Users", "", "%2e"];

const NOBODY: &str = "zzzzz-xxxxx-000000000000000";

#[test]
fn each_era_has_its_resources_and_no_others() {
    for (era, absent, present) in [("current", DROPPED, NEW), ("2015", NEW, DROPPED)] {
        let server = Server::start(era);
        let discovered = Discovered::read(&server);
        let resources = discovered.resources();
        for plural in present {
            assert!(resources.contains_key(*plural), "{era}: {plural}");
            assert_eq!(server.get("admin", &format!("{plural}?limit=0")).0, 200, "{era} {plural}");
        }
        for plural in absent.iter().chain(NOWHERE) {
            assert!(!resources.contains_key(*plural), "{era}: {plural}");
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"] {
                for path in [plural.to_string(), format!("{plural}/{NOBODY}")] {
                    is_not_found(&server, era, method, &path);
                }
            }
        }
        assert_eq!(server.complaints(), Vec::<String>::new());
    }
}

#[test]
fn each_class_has_its_actions_and_no_others() {
    let documents = ["current", "2015"].map(|era| {
        let server = Server::start(era);
        let discovered = Discovered::read(&server);
        (era, server, discovered)
    });
    let plain = ["get", "list", "create", "update", "delete"];
    let of_all = documents.iter().flat_map(|(_, _, discovered)| discovered.resources().values());
    let names = of_all.flat_map(|resource| resource["methods"].as_object().unwrap().keys());
    let actions: BTreeSet<&str> =
        names.map(String::as_str).filter(|name| !plain.contains(name)).collect();
    assert!(actions.len() > 20, "{actions:?}");
    for (era, server, discovered) in &documents {
        for (plural, (_, _)) in discovered.classes() {
            let methods = discovered.resources()[plural]["methods"].as_object().unwrap();
            let described: BTreeSet<(&str, &str)> = methods.values().map(method_and_path).collect();
            for action in &actions {
                for method in ["GET", "POST", "PUT"] {
                    let on_class = format!("{plural}/{action}");
                    let on_one = format!("{plural}/{{uuid}}/{action}");
                    // What is on both is described once.
                    let on_both = (plural, *action, method) == ("groups", "contents", "GET");
                    for path in [on_class, on_one] {
                        if !on_both && !described.contains(&(method, path.as_str())) {
                            let path = path.replace("{uuid}", NOBODY);
                            is_not_found(server, era, method, &path);
                        }
                    }
                }
            }
            for path in [format!("{plural}/{NOBODY}"), format!("{plural}/{NOBODY}/nonsense")] {
                is_not_found(server, era, "POST", &path);
            }
            is_not_found(server, era, "PUT", plural);
            is_not_found(server, era, "DELETE", plural);
        }
        assert_eq!(server.complaints(), Vec::<String>::new());
    }
}

fn method_and_path(method: &Value) -> (&str, &str) {
    (method["httpMethod"].as_str().unwrap(), method["path"].as_str().unwrap())
}

fn is_not_found(server: &Server, era: &str, method: &str, path: &str) {
    let (status, answer) =
        server.call("admin_trustedclient", method, &format!("/arvados/v1/{path}"), &NONE);
    assert_eq!(status, 404, "{era}: {method} {path}: {answer}");
    if method != "HEAD" {
        assert!(error_text(&answer).starts_with("Path not found"), "{era}: {method} {path}");
    }
}
