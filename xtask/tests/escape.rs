//! Processes that try to escape: as long as a sign of a service or its ancestry is left to one, it
//! goes down with the service, and nobody else does.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::{Child, Command, Stdio};

use common::Checkout;
use serde_json::{Value, json};

/// Each of the three signs lost or kept, and the parent lost in any case.
const ONE_SIGN_LEFT: [&str; 8] = [
    "escape,parent",
    "escape,session,parent",
    "escape,environment,parent",
    "escape,descriptors,parent",
    "escape,session,environment,parent",
    "escape,session,descriptors,parent",
    "escape,environment,descriptors,parent",
    "escape,session,memory,parent",
];

/// A checkout in which every behaviour has a service of its own, named `a`, `b`, …, and they all
/// run. What a service leaves behind has the checkout's path among its arguments, so that
/// [`Checkout::processes`] finds it, whatever it has lost.
fn with_services(behaviours: &[&str]) -> (Checkout, Vec<String>) {
    let checkout = Checkout::new();
    checkout.configure("stop_timeout: 5", "stop_timeout: 1");
    let names: Vec<String> = ('a'..='z').map(String::from).take(behaviours.len()).collect();
    let declared = names.iter().zip(behaviours).map(|(name, behaviour)| {
        let behaviour = format!("{behaviour},{}", checkout.root().display());
        (name.clone(), Checkout::fake(name, &behaviour))
    });
    checkout.declare(&Value::Object(declared.collect()));
    checkout.up(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (checkout, names)
}

fn log(checkout: &Checkout, name: &str) -> String {
    fs_err::read_to_string(checkout.stack("default", &format!("log/{name}.log"))).unwrap()
}

/// The processes that a service left behind, once it has.
fn escaped(checkout: &Checkout, name: &str) -> Vec<i32> {
    log(checkout, name)
        .lines()
        .filter_map(|line| line.strip_prefix("escaped ")?.parse().ok())
        .collect()
}

/// The one that the service left behind, once it has lost all that it was to lose.
fn the_escaped(checkout: &Checkout, name: &str, behaviour: &str) -> i32 {
    let service = pid(checkout, name);
    common::wait_for(|| escaped(checkout, name).len() == 1);
    let pid = escaped(checkout, name)[0];
    let has = |word| behaviour.split(',').any(|known| known == word);
    let count = |folder| fs_err::read_dir(format!("/proc/{pid}/{folder}")).unwrap().count();
    common::wait_for(|| (count("fd") == 0) == has("descriptors"));
    let environment = fs_err::read(format!("/proc/{pid}/environ")).unwrap();
    let is_clear = environment.iter().all(|byte| *byte == 0);
    assert_eq!(is_clear, has("environment") || has("memory"), "{behaviour}");
    let (parent, session) = parent_and_session(pid);
    assert_eq!(parent != service, has("parent"), "{behaviour}");
    assert_eq!(session != service, has("session"), "{behaviour}");
    let folder = fs_err::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert_eq!(folder.as_os_str() == "/", has("folder"), "{behaviour}");
    pid
}

fn parent_and_session(pid: i32) -> (i32, i32) {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[1].parse().unwrap(), fields[3].parse().unwrap())
}

fn pid(checkout: &Checkout, name: &str) -> i32 {
    i32::try_from(checkout.service("default", name)["pid"].as_i64().unwrap()).unwrap()
}

/// They go down, be their services killed before or not.
fn all_go_down(behaviours: &[&str], killed_before: bool) {
    let (checkout, names) = with_services(behaviours);
    for (name, behaviour) in names.iter().zip(behaviours) {
        the_escaped(&checkout, name, behaviour);
    }
    if killed_before {
        names.iter().for_each(|name| common::kill(pid(&checkout, name)));
    }
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn a_process_with_one_sign_left_goes_down() {
    all_go_down(&ONE_SIGN_LEFT, false);
}

#[test]
fn a_process_with_one_sign_left_goes_down_though_its_service_was_killed() {
    all_go_down(&ONE_SIGN_LEFT, true);
}

#[test]
fn a_process_without_a_sign_goes_down_while_its_parent_lives() {
    all_go_down(&["escape,session,environment,descriptors,folder,stubborn"], false);
}

#[test]
fn a_process_in_the_session_of_a_living_service_goes_down_wherever_it_works() {
    all_go_down(&["escape,environment,descriptors,parent,folder"], false);
}

#[test]
fn a_grandchild_that_ignores_sigterm_is_killed_and_named() {
    let behaviour = "escape,session,environment,parent,stubborn";
    let (checkout, _) = with_services(&[behaviour]);
    let grandchild = the_escaped(&checkout, "a", behaviour);
    let down = checkout.services(&["down"]).ok();
    let wanted = format!("a: pid {grandchild} did not end within 1 s and was killed\n");
    assert!(down.stderr.contains(&wanted), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn what_is_started_while_a_service_is_stopped_goes_down_too() {
    let (checkout, names) = with_services(&[
        "late,parent",
        "late,session,environment,parent",
        "late,session,descriptors,parent",
        "late,environment,descriptors,parent",
        "late,session,environment,parent,stubborn",
        "chain",
        "chain,session",
        "chain,environment",
        "chain,descriptors",
    ]);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
    for name in names {
        assert!(log(&checkout, &name).contains("\nleft one at the end\n"), "{name}");
    }
}

#[test]
fn what_starts_processes_without_a_sign_all_the_time_goes_down_with_the_last_of_them() {
    let (checkout, _) = with_services(&["loop,stubborn,session,environment,descriptors"]);
    common::wait_for(|| escaped(&checkout, "a").len() > 20);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

/// What README.md says of the limits.
#[test]
fn a_process_that_has_lost_every_sign_and_its_parent_is_not_signalled() {
    let all = "escape,session,environment,descriptors,parent";
    // Of the signs it keeps its session, but as it works elsewhere the number could be anybody's.
    let session = "escape,environment,descriptors,parent,folder";
    let (checkout, _) = with_services(&[all, session]);
    let escaped = [the_escaped(&checkout, "a", all), the_escaped(&checkout, "b", session)];
    common::kill(pid(&checkout, "b"));
    checkout.services(&["down"]).ok();
    for pid in escaped {
        assert!(common::runs(pid), "README.md says otherwise");
        common::kill(pid);
    }
}

#[test]
fn a_lock_that_is_held_by_a_process_that_we_cannot_see_is_reported() {
    let mut checkout = Checkout::declaring(&json!({"a": Checkout::fake("a", "serve")}));
    if !checkout.become_another_user() {
        return;
    }
    checkout.up(&["a"]);
    common::kill(pid(&checkout, "a"));
    // By us, and we are root.
    let lock = std::fs::File::open(checkout.stack("default", "a.lock")).unwrap();
    lock.try_lock().unwrap();
    let down = checkout.services(&["down"]);
    assert_eq!(down.code, Some(3), "{down:?}");
    let wanted = "a: a process that we cannot see, perhaps another user's, holds ";
    assert!(down.stderr.contains(wanted), "{down:?}");
    drop(lock);
    checkout.services(&["down"]).ok();
}

/// Ended by the test itself.
struct Innocent(Child);

impl Innocent {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn survives(mut self, what: &str) {
        assert!(self.0.try_wait().unwrap().is_none(), "{what} was ended");
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        // It may have been ended, which a test has said then.
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

#[test]
fn who_only_looks_like_one_of_the_stack_survives() {
    let (checkout, _) = with_services(&["serve"]);
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: Value = serde_json::from_str(&env).unwrap();
    let public = env["set"].as_object().unwrap().iter();
    let public = public.map(|(name, value)| (name, value.as_str().unwrap()));
    let client = Innocent::start(Command::new("sleep").arg("600").envs(public));
    let home = checkout.stack("default", "data/a");
    let shell = Innocent::start(Command::new("sleep").arg("600").current_dir(home));
    let lock = checkout.stack("default", "a.lock");
    let reader =
        Innocent::start(Command::new("sh").arg("-c").arg("exec sleep 600 3<\"$0\"").arg(lock));
    let log = checkout.stack("default", "log/a.log");
    let follower = Innocent::start(Command::new("tail").arg("-f").arg(log));
    checkout.services(&["down"]).ok();
    client.survives("who has the environment of a client");
    shell.survives("who works in the stack's folder");
    reader.survives("who has a lock file open");
    follower.survives("who follows a log");
}

#[test]
fn a_stranger_on_a_port_that_the_stack_had_survives() {
    let (checkout, _) = with_services(&["serve"]);
    let port = checkout.service("default", "a")["ports"]["a"].clone();
    common::kill(pid(&checkout, "a"));
    let listen = format!("-listen=127.0.0.1:{port}");
    let stranger = Innocent::start(Command::new(common::fake_service()).arg(listen));
    let address = format!("127.0.0.1:{port}");
    common::wait_for(|| std::net::TcpStream::connect(&address).is_ok());
    assert_eq!(checkout.service("default", "a")["health"], "ended");
    checkout.services(&["down"]).ok();
    stranger.survives("who listens on a port that the stack had");
}
