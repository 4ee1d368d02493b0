//! What services.yml declares of a service is done, and a mistake in it, or a failure, is reported
//! so that one knows what to do.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::Checkout;
use serde_json::json;

/// `up` of that service, which must fail; its message without the checkout's path.
fn failed_up(checkout: &Checkout, service: &str) -> String {
    let done = checkout.services(&["up", service]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0], "rolled back");
    done.stderr.replace(checkout.root().to_str().unwrap(), "ROOT")
}

/// The first is ready only when it has been asked five times.
#[test]
fn services_start_when_what_they_need_is_ready() {
    let after = |other: &str| {
        let script = format!("test -e ../{other}/ready || exit 9; touch ready; exec sleep 600");
        let probe = json!({"exec": ["test", "-e", "ready"]});
        json!({"command": ["sh", "-c", script], "needs": [other], "probe": probe})
    };
    let asked = "echo asked >> asked; test $(wc -l < asked) -ge 5 && touch ready";
    let checkout = Checkout::declaring(&json!({
        "a": after("b"),
        "b": after("c"),
        "c": {"command": ["sleep", "600"], "probe": {"exec": ["sh", "-c", asked]}},
        "d": {"command": ["sleep", "600"]},
    }));
    checkout.up(&["a"]);
    assert_eq!(checkout.health(), ["a", "b", "c"].map(|name| (name.to_owned(), true)));
}

/// The same for a service that is not ready in time, with more of that until the message has `wanted`:
/// a busy machine needs it.
fn late_up(checkout: &Checkout, service: &str, wanted: &str) -> String {
    let mut before = "start_timeout: 30";
    let late = |limit| {
        checkout.configure(before, limit);
        before = limit;
        let message = failed_up(checkout, service);
        eprintln!("{limit}: {message}");
        message
    };
    let limits = ["start_timeout: 1", "start_timeout: 8", "start_timeout: 64"];
    limits.into_iter().map(late).find(|message| message.contains(wanted)).unwrap()
}

#[test]
fn a_probe_that_fails_is_reported_with_what_it_printed() {
    let checkout = Checkout::declaring(&json!({"x": {
        "command": ["sh", "-c", "echo starting; exec sleep 600"],
        "probe": {"exec": ["sh", "-c", "echo not yet, $WHO; exit 4"]},
        "env": {"WHO": "friend"},
    }}));
    let wanted = "echo not yet, $WHO; exit 4 ended with \
                  exit status: 4: not yet, friend); the end of its log, \
                  ROOT/.services/default/log/x.log:\n  starting\n";
    late_up(&checkout, "x", wanted);
}

#[test]
fn of_a_probe_that_the_deadline_ends_it_is_told_what_came_before() {
    let probe = "if test -e asked; then exec sleep 600; fi; touch asked; echo not yet; exit 4";
    let checkout = Checkout::declaring(&json!({"x": {
        "command": ["sleep", "600"],
        "probe": {"exec": ["sh", "-c", probe]},
    }}));
    let message = late_up(&checkout, "x", "; exit 4 did not end in time; before that, ");
    assert!(message.contains("; exit 4 ended with exit status: 4: not yet); "), "{message}");
}

#[test]
fn a_service_that_ends_while_its_probe_hangs_is_reported_at_once() {
    let checkout = Checkout::declaring(&json!({"x": {
        "command": ["sh", "-c", "until test -e asked; do :; done; echo gone; exit 5"],
        "probe": {"exec": ["sh", "-c", "touch asked; exec sleep 600"]},
    }}));
    let message = failed_up(&checkout, "x");
    let wanted = "x has ended (exit status: 5) before it was ready; the end of its log, ";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_reset_that_fails_is_reported_with_what_it_printed() {
    let checkout = Checkout::declaring(&json!({"x": {
        "command": ["sleep", "600"],
        "reset": ["sh", "-c", "echo I cannot; exit 3"],
    }}));
    checkout.up(&["x"]);
    let reset = checkout.services(&["reset"]);
    assert_eq!(reset.code, Some(3), "{reset:?}");
    let wanted = "x could not be reset: ";
    assert!(reset.stderr.contains(wanted), "{reset:?}");
    assert!(reset.stderr.contains(" ended with exit status: 3: I cannot\n"), "{reset:?}");
}

#[test]
fn a_stop_command_that_fails_is_reported_and_the_service_ended_all_the_same() {
    let checkout = Checkout::declaring(&json!({"x": {
        "command": ["sleep", "600"],
        "stop": {"command": ["sh", "-c", "echo I cannot; exit 3"]},
    }}));
    checkout.up(&["x"]);
    let down = checkout.services(&["down"]).ok();
    assert!(down.stderr.contains(" ended with exit status: 3: I cannot\n"), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn what_is_not_installed_is_left_out_unless_it_is_asked_for() {
    for (service, program) in [
        (json!({"command": ["no-such-server"]}), "no-such-server"),
        (json!({"command": ["sleep", "600"], "requires": ["no-such-tool"]}), "no-such-tool"),
        (json!({"command": ["sleep", "600"], "reset": ["no-such-client"]}), "no-such-client"),
    ] {
        let checkout = Checkout::declaring(&json!({"x": service}));
        let up = checkout.up(&[]);
        let wanted = format!("x is not available: {program} is not installed\n");
        assert!(up.stderr.contains(&wanted), "{up:?}");
        assert_eq!(checkout.status(&[])["ready"], true);
        checkout.services(&["down"]).ok();
        let message = failed_up(&checkout, "x");
        let wanted = format!("x cannot run here: {program} is not installed");
        assert!(message.contains(&wanted), "{message}");
    }
}

#[test]
fn a_program_of_the_workspace_is_found_by_its_path_and_on_the_path_that_the_service_sets() {
    let checkout = Checkout::declaring(&json!({
        "x": {"command": ["tools/server"], "probe": {"exec": ["tools/is-ready"]}},
        "y": {"command": ["server"], "probe": {"exec": ["is-ready"]}, "env": {"PATH": "PLACE"}},
    }));
    let tools = checkout.root().join("tools");
    checkout.configure("PLACE", &format!("{}:/usr/bin:/bin", tools.display()));
    fs_err::create_dir(&tools).unwrap();
    for (name, text) in [("server", "exec sleep 600"), ("is-ready", "exit 0")] {
        let path = tools.join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&path, executable).unwrap();
    }
    checkout.up(&["x", "y"]);
    assert_eq!(checkout.health(), ["x", "y"].map(|name| (name.to_owned(), true)));
}

#[test]
fn a_wrong_declaration_is_refused_with_its_place_and_what_was_probably_meant() {
    // The declaration is that of a service x, whose name is in line 1.
    for (lines, wanted) in [
        ("comand: [x]", "2:7: defaults.services.x: unknown key `comand`; did you mean command?"),
        ("command: x", "2:16: defaults.services.x.command: invalid type: string \"x\""),
        ("ports: [x]", "2:7: defaults.services.x: missing field `command`"),
        ("command: [x, '{{folde}}']", "1: service x: unknown {{folde}}; did you mean folder?"),
        ("command: [x]\nneeds: [apii]", "1: service x: unknown need apii; did you mean api?"),
        ("command: [x]\nprobe: tcp", "1: service x: its probe asks a port, and it has none"),
        (
            "command: [x]\nexport: {PATH: /x}",
            "1: service x: it cannot export PATH, which the cluster or the shell sets",
        ),
        ("command: [x]\nexport: {ARVADOS_API_HOST: x}", "1: service x: it cannot export ARVADOS_"),
        ("command: [x]\nexport: {LD_PRELOAD: x}", "1: service x: it cannot export LD_PRELOAD,"),
        ("command: [x]\nprobe: {htp: /}", "unknown variant `htp`; did you mean http?"),
        ("command: [x]\nstop: {signal: TREM}", "unknown signal TREM; did you mean SIGTERM?"),
    ] {
        let checkout = Checkout::new();
        let indented = format!("services:\n    x:\n      {}", lines.replace('\n', "\n      "));
        checkout.configure("services: {}", &indented);
        let done = checkout.services(&["up"]);
        assert_eq!(done.code, Some(2), "{done:?}");
        let file = checkout.services_yml();
        let text = fs_err::read_to_string(&file).unwrap();
        let before = text.lines().position(|line| line == "    x:").unwrap();
        let place = format!("error: {}:", file.display());
        let (line, message) = done.stderr.strip_prefix(&place).unwrap().split_once(':').unwrap();
        let line = line.parse::<usize>().unwrap() - before;
        assert!(format!("{line}:{message}").contains(wanted), "{wanted}: {done:?}");
    }
}

#[test]
fn a_profile_adds_a_service() {
    let checkout = Checkout::new();
    let services = json!({"x": {"command": ["sleep", "600"]}});
    checkout.configure("profiles:\n", &format!("profiles:\n  more: {{services: {services}}}\n"));
    let unknown = checkout.services(&["up", "x"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    checkout.up(&["x", "--profile", "more"]);
    assert_eq!(checkout.health(), [("x".to_owned(), true)]);
}
