//! One table of cases, `cases.yml`, for our front and for the real nginx with our configuration.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use crate::embedded::Front;
use crate::nginx::{self, Nginx};
use crate::tls_client::{Certificate, TlsStream};
use crate::upstream::{Answer, Nobody, Request, Upstream};
use crate::waiting::wait_until;

/// Every one is a request, and what becomes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Its bytes, each a character.
    send: String,
    #[serde(default)]
    service: Service,
    expect: Expected,
    /// Where ours is not like nginx.
    ours: Option<Difference>,
}

/// How the service behind the front answers.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Service {
    /// With these bytes.
    Answers(String),
    /// With these, and then it closes the connection.
    Ends(String),
    /// Never.
    Silent,
    /// Nobody listens.
    Down,
}

impl Default for Service {
    fn default() -> Self {
        Self::Answers(
            "HTTP/1.1 200 OK\r\nX-Keep-Thing: a\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        )
    }
}

/// What the client gets, what the service got, and what is logged. What is not named may be anything.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The first line.
    status: String,
    /// By their names as they are written; `~` for one that must not be there.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    /// The lines of the head that the service got, in any order; an empty list if it got none.
    forwarded: Option<Vec<String>>,
    /// The body that it got.
    received: Option<String>,
    /// The end of its line in the access log, where SIZE is the length of the body that came.
    log: Option<String>,
}

/// The same, as far as it differs, and the reason.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    because: String,
    status: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    forwarded: Option<Vec<String>>,
    received: Option<String>,
    log: Option<String>,
    /// Nothing is logged.
    #[serde(default)]
    unlogged: bool,
}

/// A front, with a service that answers, one that is silent, and none.
struct Fronts {
    answering: Running,
    silent: Running,
    down: Running,
    upstream: Upstream,
    _silence: Upstream,
    _nobody: Nobody,
}

/// One of them.
enum Running {
    Ours(Front),
    Real(Nginx),
}

impl Running {
    fn of(&self) -> (&Certificate, SocketAddr, std::path::PathBuf) {
        match self {
            Self::Ours(front) => (&front.certificate, front.address(), front.log_file()),
            Self::Real(nginx) => (&nginx.certificate, nginx.address, nginx.log_file()),
        }
    }
}

impl Fronts {
    fn start(start: impl Fn(SocketAddr, bool) -> Running) -> Self {
        let upstream = Upstream::start(Answer::Silence);
        let silence = Upstream::start(Answer::Silence);
        let nobody = Nobody::new();
        Self {
            answering: start(upstream.address, false),
            silent: start(silence.address, true),
            down: start(nobody.address, false),
            upstream,
            _silence: silence,
            _nobody: nobody,
        }
    }

    fn differences(&self, case: &Case, expected: &Expected, unlogged: bool) -> Vec<String> {
        self.upstream.will(match &case.service {
            Service::Answers(text) => Answer::Bytes(bytes(text)),
            Service::Ends(text) => Answer::Last(bytes(text)),
            Service::Silent | Service::Down => Answer::Silence,
        });
        let front = match case.service {
            Service::Answers(_) | Service::Ends(_) => &self.answering,
            Service::Silent => &self.silent,
            Service::Down => &self.down,
        };
        let (certificate, address, log) = front.of();
        let lines = lines_of(&log).len();
        let mut stream = certificate.connect(address);
        let got = Got::exchange(&mut stream, &bytes(&case.send));
        let mut found = got.differences(expected, address.port());
        let requests = self.upstream.requests();
        found.extend(forwarding_differences(expected, &requests));
        self.upstream.will(Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()));
        if unlogged {
            // What comes next has the next line.
            ask_for_next(&mut certificate.connect(address));
            let line = line_at(&log, lines);
            if !line.contains(NEXT) {
                found.push(format!("the line {line:?} is in the log"));
            }
            return found;
        }
        let line = line_at(&log, lines);
        if let Some(end) = &expected.log {
            let end = format!(" {}", end.replace("SIZE", &got.length.to_string()));
            if !line.ends_with(&end) {
                found.push(format!("the line {line:?} does not end with {end:?}"));
            }
        }
        if got.goes_on {
            // Anything that the client was sent too much would come before.
            ask_for_next(&mut stream);
            line_at(&log, lines + 1);
        }
        found
    }
}

/// What is asked for behind a case.
const NEXT: &str = "/next-one";

/// An answer has to come.
fn ask_for_next(stream: &mut TlsStream) {
    stream.write_all(format!("GET {NEXT} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
    let head = read_head(stream);
    assert!(head.starts_with("HTTP/1.1 "), "{head}");
}

/// The line of this number, once it is there.
fn line_at(log: &Path, number: usize) -> String {
    wait_until("there is one more line in the access log", || lines_of(log).get(number).cloned())
}

fn lines_of(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    // A line is there when it has ended.
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(str::to_owned)
        .collect()
}

/// What came back.
struct Got {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
    /// How long the body was as it came.
    length: usize,
    /// All of it has come, and the connection is not closed.
    goes_on: bool,
}

impl Got {
    fn exchange(stream: &mut TlsStream, request: &[u8]) -> Self {
        stream.write_all(request).and_then(|()| stream.flush()).unwrap();
        let mut head = read_head(stream);
        if head.starts_with("HTTP/1.1 100 ") {
            head = read_head(stream);
        }
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), without_version(value)))
            .collect();
        let header = |name: &str| {
            let mut headers = headers.iter();
            headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
        };
        let mut body = Vec::new();
        let has_none = request.starts_with(b"HEAD ") || status.contains(" 304 ");
        let is_chunked = header("transfer-encoding").is_some();
        let mut is_whole = true;
        if let Some(length) = header("content-length").filter(|_| !has_none) {
            let length = length.parse().unwrap();
            // It may break off.
            let _ = Read::by_ref(stream).take(length).read_to_end(&mut body);
            is_whole = body.len() as u64 == length;
        } else if is_chunked && !has_none {
            while !body.ends_with(b"0\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => body.push(byte[0]),
                    _ => {
                        is_whole = false;
                        break;
                    }
                }
            }
        }
        let ends = header("connection").is_some_and(|value| value.contains("close"));
        if ends {
            // The end has to come; that the other side does not say goodbye is no matter here.
            let _ = stream.read_to_end(&mut body);
        }
        let goes_on = is_whole && !ends;
        let length = body.len();
        Self { status, headers, length, body: without_version(&text(&body)), goes_on }
    }

    /// Where PORT is that of the front.
    fn differences(&self, expected: &Expected, port: u16) -> Vec<String> {
        let mut found = Vec::new();
        if self.status != expected.status {
            found.push(format!("{:?}, expected {:?}", self.status, expected.status));
        }
        for (name, wanted) in &expected.headers {
            let given = self.headers.iter().find(|(known, _)| known == name);
            let given = given.map(|(_, value)| value);
            let wanted = wanted.as_ref().map(|text| text.replace("PORT", &port.to_string()));
            if given != wanted.as_ref() {
                found.push(format!("header {name}: {given:?}, expected {wanted:?}"));
            }
        }
        if let Some(wanted) = &expected.body
            && *wanted != self.body
        {
            found.push(format!("the body {:?}, expected {wanted:?}", self.body));
        }
        found
    }
}

fn forwarding_differences(expected: &Expected, requests: &[Request]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(wanted) = &expected.forwarded {
        let sorted = |lines: &mut Vec<String>| lines.sort_unstable();
        let heads = requests.iter().flat_map(|request| request.head.split("\r\n"));
        let mut given: Vec<String> = heads.map(str::to_owned).collect();
        let mut wanted: Vec<String> = wanted.iter().map(|line| expanded(line)).collect();
        sorted(&mut given);
        sorted(&mut wanted);
        if given != wanted {
            found.push(format!("the service got {given:?}, expected {wanted:?}"));
        }
    }
    if let Some(wanted) = &expected.received {
        let given: String = requests.iter().map(|request| text(&request.body)).collect();
        if given != *wanted {
            found.push(format!("the service got the body {given:?}, expected {wanted:?}"));
        }
    }
    found
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let read = stream.read(&mut byte).unwrap();
        assert_eq!(read, 1, "the connection ended within {:?}", text(&head));
        head.push(byte[0]);
    }
    text(&head[..head.len() - 4])
}

/// As text of the same length, each byte a character.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    expanded(text).chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// `{{a 3}}` is `aaa`.
fn expanded(text: &str) -> String {
    match text.split_once("{{a ").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        Some((before, (length, after))) => {
            format!("{before}{}{}", "a".repeat(length.parse().unwrap()), expanded(after))
        }
        None => text.to_owned(),
    }
}

/// Ours does not claim to be any version of nginx.
fn without_version(text: &str) -> String {
    match text.split_once("nginx/") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            format!("{before}nginx{after}")
        }
        None => text.to_owned(),
    }
}

impl Difference {
    fn applied(&self, to: &Expected) -> Expected {
        let mut expected = to.clone();
        expected.headers.extend(self.headers.clone());
        if let Some(status) = &self.status {
            expected.status.clone_from(status);
        }
        expected.body = self.body.clone().or(expected.body);
        expected.forwarded = self.forwarded.clone().or(expected.forwarded);
        expected.received = self.received.clone().or(expected.received);
        expected.log = self.log.clone().or(expected.log);
        expected
    }
}

fn cases() -> Vec<Case> {
    serde_yaml::from_str(include_str!("cases.yml")).unwrap()
}

fn all_hold(fronts: &Fronts, is_ours: bool) {
    let mut wrong = Vec::new();
    for case in cases() {
        let ours = case.ours.as_ref().filter(|_| is_ours);
        let expected = ours.map_or_else(|| case.expect.clone(), |ours| ours.applied(&case.expect));
        let unlogged = ours.is_some_and(|ours| ours.unlogged);
        for difference in fronts.differences(&case, &expected, unlogged) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn ours_does_what_the_table_says() {
    let fronts = Fronts::start(|upstream, impatient| {
        let flags = if impatient { vec!["-timeout=1s".to_owned()] } else { Vec::new() };
        Running::Ours(Front::with(upstream, &flags))
    });
    all_hold(&fronts, true);
}

#[test]
fn nginx_does_what_the_table_says() {
    let Some(program) = nginx::program() else { return };
    let fronts = Fronts::start(|upstream, impatient| {
        // For clients that have been refused, and wait for the end.
        let short = "lingering_timeout 100ms;";
        let more = "proxy_read_timeout 1s; client_body_timeout 1s;";
        let more = if impatient { more } else { "" };
        Running::Real(Nginx::start(&program, upstream, &format!("{short} {more}")))
    });
    all_hold(&fronts, false);
}

#[test]
fn every_difference_has_its_reason_and_is_one() {
    for case in cases() {
        if let Some(ours) = case.ours {
            assert!(!ours.because.is_empty(), "{}", case.name);
            let applied = ours.applied(&case.expect);
            let same = applied.status == case.expect.status
                && applied.headers == case.expect.headers
                && applied.body == case.expect.body
                && applied.forwarded == case.expect.forwarded
                && applied.received == case.expect.received
                && applied.log == case.expect.log
                && !ours.unlogged;
            assert!(!same, "{}", case.name);
        }
    }
}
