//! A service that misbehaves on demand, for the tests of the life cycle.
//!
//! It takes the flags of the real programs, and its behaviour from `FAKE_BEHAVIOUR`, words with
//! commas between them. `serve` (the default) answers every request; `exit` ends at once with
//! status 7; `silent` accepts connections and never answers; `stubborn` ignores SIGTERM. Others
//! have it leave a process behind:
//!
//! - `escape` does so when it starts, `late` when SIGTERM arrives, and `chain` then too, after many
//!   that fork and end at once; `loop` does nothing else all the time;
//! - the further words say what the process that is left has lost: see [`lose`].

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;

mod escape;
mod lose;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [action, words] = arguments.as_slice()
        && let Some(action) = action.strip_prefix("--")
    {
        escape::act(action, words);
        return ExitCode::SUCCESS;
    }
    let behaviour = std::env::var("FAKE_BEHAVIOUR").unwrap_or_else(|_| "serve".into());
    println!("fake service: {behaviour}");
    let has = |word| lose::has(&behaviour, word);
    if has("exit") {
        return ExitCode::from(7);
    }
    let stubborn = has("stubborn") && !has("escape");
    if let Err(error) = escape::begin(&behaviour, stubborn) {
        eprintln!("fake service: {error}");
        return ExitCode::FAILURE;
    }
    serve(&arguments, has("silent"))
}

fn serve(arguments: &[String], silent: bool) -> ExitCode {
    let address = arguments.iter().find_map(|argument| {
        argument.strip_prefix("-listen=").or(argument.strip_prefix("-address="))
    });
    let Some(address) = address else {
        eprintln!("fake service: no -listen or -address");
        return ExitCode::from(2);
    };
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("fake service: {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
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
