//! The real nginx as the TLS front. Without one installed, nothing here can be tried.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use common::{Checkout, Done};

/// A checkout whose front is the real nginx; `None` where that is not installed.
fn with_nginx() -> Option<Checkout> {
    if !common::is_installed("nginx") {
        return None;
    }
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: system");
    Some(checkout)
}

/// `curl` to the front of keepproxy, with what a client of the cluster knows.
fn curl(checkout: &Checkout, path: &str, arguments: &[&str]) -> Done {
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let text = |name: &str| env["set"][name].as_str().unwrap().to_owned();
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--noproxy", "*"]);
    command.args(["--cacert", &text("ARVADOS_TEST_CA_CERT")]);
    command.args(["--header", &format!("Authorization: OAuth2 {}", text("ARVADOS_API_TOKEN"))]);
    command.args(arguments).arg(format!("{}/{path}", text("ARVADOS_TEST_KEEPPROXY_SSL_URL")));
    command.output().unwrap().into()
}

fn access_log(checkout: &Checkout) -> String {
    fs_err::read_to_string(checkout.stack("default", "log/nginx_access.log")).unwrap()
}

#[test]
fn the_real_one_is_used_where_it_is_installed_and_status_says_so() {
    let Some(checkout) = with_nginx() else { return };
    checkout.configure("nginx: system", "nginx: auto");
    checkout.up(&[]);
    let provider = checkout.service("default", "nginx")["provider"].clone();
    assert!(provider.as_str().unwrap().ends_with("/nginx"), "{provider}");
}

#[test]
fn where_it_is_not_installed_ours_is_used() {
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: auto");
    let mut command = checkout.command(&["services", "up", "--dry-run"]);
    let empty = tempfile::tempdir().unwrap();
    // Nginx without TLS is as good as none.
    let fake = empty.path().join("nginx");
    fs_err::write(&fake, "#!/bin/sh\necho nginx version: nginx/1.22.1 >&2\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&fake, executable).unwrap();
    let plan = Done::from(command.env("PATH", empty.path()).output().unwrap()).ok().stdout;
    assert!(plan.contains("nginx (embedded)\n"), "{plan}");
    let mut asked = checkout.command(&["services", "up", "--provider", "nginx=system"]);
    let asked = Done::from(asked.env("PATH", empty.path()).output().unwrap());
    assert_eq!(asked.code, Some(3), "{asked:?}");
    assert!(asked.stderr.contains("nginx cannot run here: nginx is installed without TLS"));
}

#[test]
fn the_access_log_is_written_whatever_our_standard_error_is() {
    let Some(checkout) = with_nginx() else { return };
    let (pipe, nobody_writes) = std::io::pipe().unwrap();
    let (socket, peer) = UnixStream::pair().unwrap();
    let file = File::create(checkout.root().join("standard error")).unwrap();
    let terminal = nix::pty::openpty(None, None).unwrap();
    let errors: [(&str, Option<OwnedFd>); 5] = [
        ("a file", Some(file.into())),
        ("a pipe that nobody reads", Some(nobody_writes.into())),
        ("a socket", Some(socket.into())),
        ("a terminal", Some(terminal.slave)),
        ("closed", None),
    ];
    for (what, error) in errors {
        let mut command = match &error {
            Some(_) => checkout.command(&["services", "up"]),
            None => closing_streams(&checkout),
        };
        command.stdout(Stdio::null());
        command.stderr(error.map_or_else(Stdio::null, Stdio::from));
        let status = command.status().unwrap();
        assert!(status.success(), "{what}");
        // More lines than a pipe holds, on one connection.
        curl(&checkout, "[1-2000]", &["--output", "/dev/null"]).ok();
        assert_eq!(access_log(&checkout).matches("\"GET /").count(), 2000, "{what}");
        checkout.services(&["down"]).ok();
    }
    drop((pipe, peer, terminal.master));
}

/// `services up` with standard output and error closed.
fn closing_streams(checkout: &Checkout) -> Command {
    let ours = checkout.command(&["services", "up"]);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >&- 2>&-"]).arg(ours.get_program());
    command.args(ours.get_args()).env("XTASK_ROOT", checkout.root());
    command
}

#[test]
fn a_pipe_behind_up_ends_when_up_does() {
    let Some(checkout) = with_nginx() else { return };
    let ours = checkout.command(&["services", "up"]);
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" \"$@\" 2>&1 | cat"]).arg(ours.get_program());
    command.args(ours.get_args()).env("XTASK_ROOT", checkout.root());
    let done = Done::from(command.output().unwrap()).ok();
    assert!(done.stdout.contains("stack default is up"), "{done:?}");
}

/// Stores a block of 64 MiB through TLS and reads it back.
fn pass_a_large_block(checkout: &Checkout) {
    let block = checkout.root().join("block");
    let mut file = File::create(&block).unwrap();
    let chunk: Vec<u8> = (0..1 << 20).map(|byte: u32| byte.to_le_bytes()[0] ^ 0x5a).collect();
    for number in 0..64u8 {
        file.write_all(&[number]).unwrap();
        file.write_all(&chunk[1..]).unwrap();
    }
    let sum = Command::new("md5sum").arg(&block).output().unwrap();
    let hash = Done::from(sum).ok().stdout[..32].to_owned();
    let upload = block.display().to_string();
    let stored = curl(checkout, &hash, &["--fail", "--upload-file", &upload]).ok().stdout;
    assert!(stored.starts_with(&format!("{hash}+67108864")), "{stored}");
    let copy = checkout.root().join("copy");
    let output = copy.display().to_string();
    curl(checkout, stored.trim(), &["--fail", "--output", &output]).ok();
    let read = |path| {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    assert!(read(block) == read(copy), "the block came back another");
}

#[test]
fn a_block_of_64_mib_passes() {
    let Some(checkout) = with_nginx() else { return };
    checkout.up(&[]);
    pass_a_large_block(&checkout);
}

#[test]
fn it_runs_for_another_user_too() {
    let Some(mut checkout) = with_nginx() else { return };
    if !checkout.become_another_user() {
        return;
    }
    checkout.up(&[]);
    let nginx = checkout.service("default", "nginx");
    let owner = fs_err::metadata(format!("/proc/{}", nginx["pid"])).unwrap();
    assert_ne!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
    pass_a_large_block(&checkout);
}

#[test]
fn after_being_killed_it_comes_up_again_on_its_ports() {
    let Some(checkout) = with_nginx() else { return };
    checkout.up(&[]);
    let nginx = checkout.service("default", "nginx");
    let pid = i32::try_from(nginx["pid"].as_i64().unwrap()).unwrap();
    let pid_of = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid_of, nix::sys::signal::Signal::SIGKILL).unwrap();
    common::wait_until_gone(pid);
    checkout.up(&[]);
    assert_eq!(checkout.service("default", "nginx")["ports"], nginx["ports"]);
    curl(&checkout, "", &[]).ok();
}

#[test]
fn large_pushes_pass_one_after_the_other() {
    let Some(checkout) = with_nginx() else { return };
    let script =
        "set -e; cd \"$(mktemp -d -p \"$0\")\"; export GIT_SSL_CAINFO=\"$ARVADOS_TEST_CA_CERT\"
        url=\"https://any:$ARVADOS_API_TOKEN@${ARVADOS_TEST_GIT_SSL_URL#https://}/active/foo.git\"
        git clone --quiet \"$url\" clone; cd clone
        git config user.email user@example.com; git config user.name User
        for number in 1 2 3 4; do
            head -c 5000000 /dev/urandom >random; git add random; git commit --quiet -m $number
            timeout 60 git push --quiet origin HEAD:refs/heads/large-$number
        done
        git ls-remote \"$url\" 'refs/heads/large-*' | wc -l";
    let mut command = checkout.command(&["services", "exec", "--", "sh", "-c", script]);
    let done = Done::from(command.arg(checkout.root()).output().unwrap()).ok();
    assert_eq!(done.stdout.trim(), "4", "{done:?}");
}
