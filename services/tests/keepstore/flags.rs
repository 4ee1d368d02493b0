//! How it is started.

use std::process::{Command, Output};
use std::time::SystemTime;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

fn started(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_services")).arg("keepstore").args(arguments).output().unwrap()
}

#[test]
fn wrong_flags_are_told_as_go_programs_do() {
    for (flag, fault) in [
        ("--nonsense", "flag provided but not defined: -nonsense"),
        ("-volume", "flag needs an argument: -volume"),
        ("-max-buffers=many", "invalid value \"many\" for flag -max-buffers: parse error"),
        ("-serialize=x", "invalid boolean value \"x\" for -serialize: parse error"),
        (
            "-era=3000",
            "invalid value \"3000\" for flag -era: unknown era \"3000\": it is current or 2015",
        ),
        ("-volume=here", "invalid value \"here\" for flag -volume: the path must be absolute"),
        (
            "-volumes=/no/such",
            "invalid value \"/no/such\" for flag -volumes: there is no such directory",
        ),
    ] {
        let output = started(&[flag]);
        let said = String::from_utf8(output.stderr).unwrap();
        let mut lines = said.lines();
        assert_eq!((output.status.code(), lines.next()), (Some(2), Some(fault)));
        assert_eq!(lines.next(), Some("Usage of keepstore:"));
        assert!(said.contains("\n  -max-buffers int\n    \t"), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_is_no_fault() {
    for asked in ["-h", "--help"] {
        let output = started(&[asked]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stderr.starts_with(b"Usage of keepstore:\n"));
    }
}

#[test]
fn every_form_of_a_flag_is_understood() {
    for forms in [
        &["-blob-signing-key-file", "FOLDER/key", "-serialize"][..],
        &["--permission-key-file=FOLDER/key", "--serialize=true", "--readonly=0"],
    ] {
        let keepstore = Keepstore::start("2015", forms);
        let put = keepstore.send("PUT", &format!("/{FOO}"), &[MANAGER], b"foo");
        assert!(put.text().starts_with(&format!("{FOO}+3+A")), "{}", put.text());
    }
}

#[test]
fn the_pid_file_is_held_by_one_process_and_removed_at_its_end() {
    let mut keepstore = Keepstore::start("2015", &["-pid=FOLDER/pid"]);
    assert_eq!(keepstore.send("GET", "/status.json", &[], b"").status, 200);
    let pid_file = keepstore.folder.path().join("pid");
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let second = Command::new(env!("CARGO_BIN_EXE_services"))
        .args(["keepstore", "-listen=127.0.0.1:0", "-volume=/"])
        .arg(format!("-pid={}", pid_file.display()))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("flock pidfile"));
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), pid);
    assert_eq!(keepstore.service.stop(), Some(0));
    assert!(!pid_file.exists());
}

#[test]
fn an_interrupt_ends_it_in_order_too() {
    let mut keepstore = Keepstore::start("2015", &["-pid=FOLDER/pid"]);
    assert_eq!(keepstore.send("GET", "/status.json", &[], b"").status, 200);
    let child = &mut keepstore.service.child;
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!keepstore.folder.path().join("pid").exists());
}

#[test]
fn permissions_are_not_enforced_without_a_key() {
    let output = started(&["-volume=/", "-enforce-permissions"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("-enforce-permissions needs a key"), "{said}");
}

#[test]
fn a_configuration_of_the_cluster_says_what_flags_would() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blocks");
    std::fs::create_dir_all(root.join("acb")).unwrap();
    std::fs::write(root.join("acb").join(FOO), "foo").unwrap();
    let file = folder.path().join("config.yml");
    let root = root.display();
    let text = format!(
        "Clusters: {{zzzzz: {{SystemRootToken: manager-token, \
        Services: {{Keepstore: {{InternalURLs: {{'http://127.0.0.1:25107': {{}}}}}}}}, \
        Collections: {{BlobSigningKey: secret, BlobSigningTTL: 1.5h}}, \
        Volumes: {{zzzzz-nyw5e-000000000000000: {{ReadOnly: true, DriverParameters: {{Root: '{root}'}}}}}}}}}}"
    );
    std::fs::write(&file, text).unwrap();
    let keepstore = Keepstore::start("current", &[&format!("-config={}", file.display())]);
    let get = |headers: &[&str]| keepstore.send("GET", &format!("/{FOO}"), headers, b"").status;
    assert_eq!((get(&[]), get(&[MANAGER])), (401, 400), "permission is enforced");
    let index = keepstore.send("GET", "/index", &[MANAGER], b"");
    assert!(index.text().starts_with(&format!("{FOO}+3 ")), "{}", index.text());
    let before = unix_now();
    let put = keepstore.send("PUT", &format!("/{EMPTY}"), &[MANAGER], b"");
    let expiry = put.text().trim().rsplit_once('@').unwrap().1;
    assert!(u64::from_str_radix(expiry, 16).unwrap() >= before + 5400);
}

#[test]
fn signatures_last_as_long_as_told() {
    for (flags, seconds) in [
        (&[][..], 1_209_600),
        (&["-permission-ttl=60"], 60),
        (&["-blob-signature-ttl", "3600"], 3600),
    ] {
        for era in ERAS {
            let flags = [&["-blob-signing-key-file=FOLDER/key"], flags].concat();
            let keepstore = Keepstore::start(era, &flags);
            let before = unix_now();
            let put = keepstore.send("PUT", &format!("/{FOO}"), &[MANAGER], b"foo");
            let after = unix_now();
            let expiry = put.text().trim().rsplit_once('@').unwrap().1;
            let expiry = u64::from_str_radix(expiry, 16).unwrap();
            assert!((before + seconds..=after + seconds).contains(&expiry), "{era} {flags:?}");
        }
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_log_on_a_full_disk_changes_no_exit_code() {
    let log = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut refused = Command::new(env!("CARGO_BIN_EXE_services"));
    refused.args(["keepstore", "-volume=relative"]).stderr(log);
    assert_eq!(refused.status().unwrap().code(), Some(2));
}
