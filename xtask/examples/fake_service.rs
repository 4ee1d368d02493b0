//! A service that misbehaves on demand, for the tests of the life cycle.
//!
//! It takes the flags of the real programs, and its behaviour from `FAKE_BEHAVIOUR`:
//! `serve` (the default) answers every request; `exit` ends at once with status 7; `silent`
//! accepts connections and never answers; `stubborn` serves and ignores SIGTERM; `grandchild`
//! serves, and leaves a grandchild in a session of its own with an empty environment.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--sleep-for-ever") {
        sleep_for_ever();
    }
    let behaviour = std::env::var("FAKE_BEHAVIOUR").unwrap_or_else(|_| "serve".into());
    println!("fake service: {behaviour}");
    match behaviour.as_str() {
        "exit" => return ExitCode::from(7),
        "stubborn" => ignore_sigterm(),
        "grandchild" => leave_a_grandchild(),
        _ => {}
    }
    let address = std::env::args().find_map(|argument| {
        let value = argument.strip_prefix("-listen=").or(argument.strip_prefix("-address="));
        value.map(str::to_owned)
    });
    let Some(address) = address else {
        eprintln!("fake service: no -listen or -address");
        return ExitCode::from(2);
    };
    let listener = match TcpListener::bind(&address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("fake service: {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
        let silent = behaviour == "silent";
        thread::spawn(move || answer(stream, silent));
    }
    ExitCode::SUCCESS
}

fn answer(mut stream: std::net::TcpStream, silent: bool) {
    let mut request = [0; 4096];
    // The client may go away at any time; that is its business.
    let _ = stream.read(&mut request);
    if silent {
        sleep_for_ever();
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

fn sleep_for_ever() -> ! {
    loop {
        thread::park();
    }
}

fn ignore_sigterm() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    // SAFETY: ignoring a signal installs no handler that could run anything.
    if let Err(errno) = unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) } {
        eprintln!("fake service: {errno}");
    }
}

/// Double-forked and in a session of its own, without the marker; it still holds the lock.
fn leave_a_grandchild() {
    let Ok(own) = std::env::current_exe() else { return };
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg("\"$0\" --sleep-for-ever & echo grandchild $!").arg(own).env_clear();
    // SAFETY: setsid is async-signal-safe, and nothing else is called.
    unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
    if let Err(error) = command.status() {
        eprintln!("fake service: {error}");
    }
}
