//! Running the cases of a file, one after the other.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use sdk_fixtures::Fixtures;
use serde_json::Value;

use crate::addresses::Addresses;
use crate::case::{Case, CaseFile, Era, Expectation, Request, Service};
use crate::compare;
use crate::connection::{self, Answer};
use crate::placeholder::Known;

/// How many cases went how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    fn number(&self) -> usize {
        self.passed + self.failed + self.skipped + 1
    }
}

/// What the cases of one file share.
struct Scope<'a> {
    addresses: &'a Addresses,
    fixtures: &'a Fixtures,
    run: String,
    kept: BTreeMap<String, String>,
}

/// Runs all cases of the file, and prints a line for each.
///
/// # Errors
/// When there is no randomness.
pub(crate) fn file(
    file: &CaseFile,
    addresses: &Addresses,
    fixtures: &Fixtures,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let run = format!("{:08x}", getrandom::u32()?);
    let mut scope = Scope { addresses, fixtures, run, kept: BTreeMap::new() };
    let era = addresses.era();
    let mut reason =
        (!file.era.has(era)).then(|| format!("the cluster is of the era {}", era.name()));
    if let Some(condition) = file.only_if.as_ref().filter(|_| reason.is_none()) {
        let held = scope.answer_to(file.service, &condition.request, &condition.expect);
        reason = match held {
            Ok((_, differences)) if differences.is_empty() => None,
            Ok(_) => Some(condition.otherwise.clone()),
            Err(error) => Some(format!("{error:#}")),
        };
    }
    for case in &file.cases {
        let service = case.service.unwrap_or(file.service);
        let reason = reason.clone().or_else(|| addresses.of(service).err());
        let (number, name) = (tally.number(), format!("{}: {}", file.name, case.name));
        if let Some(reason) = reason {
            println!("ok {number} - {name} # SKIP {reason}");
            tally.skipped += 1;
            continue;
        }
        let differences =
            scope.differences(service, case).unwrap_or_else(|error| vec![format!("{error:#}")]);
        if differences.is_empty() {
            println!("ok {number} - {name}");
            tally.passed += 1;
        } else {
            println!("not ok {number} - {name}");
            differences.iter().for_each(|difference| println!("# {difference}"));
            tally.failed += 1;
        }
    }
    Ok(())
}

impl Scope<'_> {
    /// Runs the case, and keeps what it says of the answer if that is as expected.
    fn differences(&mut self, service: Service, case: &Case) -> anyhow::Result<Vec<String>> {
        let (answer, differences) = self.answer_to(service, &case.request, &case.expect)?;
        if !differences.is_empty() {
            return Ok(differences);
        }
        for (name, place) in &case.keep {
            let value = if place == "body" {
                answer.text().trim_end_matches('\n').to_owned()
            } else {
                let body: Value = serde_json::from_slice(&answer.body)?;
                let value = body.pointer(place).with_context(|| format!("no {place} to keep"))?;
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            };
            self.kept.insert(name.clone(), value);
        }
        Ok(Vec::new())
    }

    fn answer_to(
        &self,
        service: Service,
        request: &Request,
        expected: &Expectation,
    ) -> anyhow::Result<(Answer, Vec<String>)> {
        let address = self.addresses.of(service).map_err(anyhow::Error::msg)?;
        let host = address.host.clone();
        let known = Known { fixtures: self.fixtures, host, run: &self.run, kept: &self.kept };
        let (head, body) = written(request, self.addresses.era(), &known)?;
        let answer = connection::exchange(&address, &head, &body)?;
        let differences = compare::differences(expected, &answer, &known)?;
        Ok((answer, differences))
    }
}

/// The head and the body of a request as they are sent.
fn written(request: &Request, era: Era, known: &Known<'_>) -> anyhow::Result<(String, Vec<u8>)> {
    let (kind, body) = body_of(request, known)?;
    let mut headers = vec![("Host", known.host.clone()), ("Connection", "close".to_owned())];
    if let Some(label) = &request.token {
        let token = known.fixtures.auth_token(label)?;
        headers.push(("Authorization", format!("{} {token}", era.token_scheme())));
    }
    headers.extend(kind.map(|kind| ("Content-Type", kind.to_owned())));
    let is_chunked = request.headers.keys().any(|name| name == "Transfer-Encoding");
    if !is_chunked && (!body.is_empty() || matches!(&*request.method, "PUT" | "POST" | "PATCH")) {
        headers.push(("Content-Length", body.len().to_string()));
    }
    headers.retain(|(name, _)| !request.headers.keys().any(|own| own.eq_ignore_ascii_case(name)));
    for (name, value) in &request.headers {
        if let Some(value) = value {
            headers.push((name, known.text(value)?));
        }
    }
    let query = form(&request.query, known)?;
    let mark = if query.is_empty() { "" } else { "?" };
    let path = known.text(&request.path)?;
    let mut head = format!("{} {path}{mark}{query} HTTP/1.1\r\n", request.method);
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    head.push_str("\r\n");
    Ok((head, body))
}

/// The type and the bytes of a request's body.
fn body_of(
    request: &Request,
    known: &Known<'_>,
) -> anyhow::Result<(Option<&'static str>, Vec<u8>)> {
    Ok(if let Some(json) = &request.json {
        (Some("application/json"), known.json(json)?.to_string().into_bytes())
    } else if let Some(fields) = &request.form {
        (Some("application/x-www-form-urlencoded"), form(fields, known)?.into_bytes())
    } else if let Some(text) = &request.body {
        (None, known.text(text)?.into_bytes())
    } else {
        (None, vec![0; request.zeros.unwrap_or(0)])
    })
}

fn form(fields: &BTreeMap<String, Value>, known: &Known<'_>) -> anyhow::Result<String> {
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        let value = known.json(value)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        serializer.append_pair(name, &text);
    }
    Ok(serializer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(yaml: &str) -> Request {
        serde_yaml::from_str(yaml).unwrap()
    }

    fn sent(yaml: &str) -> (String, Vec<u8>) {
        let (fixtures, kept) = (Fixtures::builtin(), BTreeMap::new());
        let known = Known { fixtures: &fixtures, host: "h:1".into(), run: "r", kept: &kept };
        written(&request(yaml), Era::Current, &known).unwrap()
    }

    #[test]
    fn a_request_is_sent_as_the_file_says() {
        let (head, body) = sent("{path: /a, query: {limit: 3, filters: [[b, '=', c]], x: 'y z'}}");
        let line =
            "GET /a?filters=%5B%5B%22b%22%2C%22%3D%22%2C%22c%22%5D%5D&limit=3&x=y+z HTTP/1.1";
        assert_eq!(head, format!("{line}\r\nHost: h:1\r\nConnection: close\r\n\r\n"));
        assert!(body.is_empty());
        let (head, body) = sent("{method: PUT, path: /a, json: {name: '{{run}}'}}");
        assert!(
            head.contains("Content-Type: application/json\r\nContent-Length: 12\r\n"),
            "{head}"
        );
        assert_eq!(body, b"{\"name\":\"r\"}");
    }

    #[test]
    fn a_header_of_the_file_takes_the_place_of_ours() {
        let (head, body) = sent("{method: PUT, path: /, zeros: 2, headers: {content-length: '9'}}");
        assert!(head.contains("content-length: 9\r\n") && !head.contains("Content-Length"));
        assert_eq!(body, [0, 0]);
        let (head, _) = sent("{method: PUT, path: /, headers: {Transfer-Encoding: chunked}}");
        assert!(!head.contains("Content-Length"), "{head}");
        let (head, _) = sent("{method: PUT, path: /, headers: {Content-Length: ~}}");
        assert!(!head.contains("Content-Length"), "{head}");
    }
}
