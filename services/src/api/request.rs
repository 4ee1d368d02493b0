//! A request in any of the forms that clients use, as one structure.
//!
//! Parameters come in the query, in a form body or in a JSON body; a POST may be meant as another
//! method, by the parameter `_method` or a header, so that a long query fits into a body.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::error::{Result, unprocessable};
use super::form;
use super::value;
use crate::era::Era;
use crate::era::api::{TOKEN_CHARACTERS, TOKEN_SCHEMES};

/// A request, read.
#[derive(Debug)]
pub(crate) struct ApiRequest {
    /// The method that is meant.
    pub(crate) method: Method,
    /// The path, without `.json`.
    pub(crate) path: String,
    /// All parameters. From a query or a form they are texts; from a JSON body anything.
    pub(crate) parameters: Map<String, Value>,
    /// Whether the body is a JSON object.
    pub(crate) has_json: bool,
    /// The token, exactly as presented.
    pub(crate) token: Option<String>,
    /// Whether the client says that it is outside of the cluster.
    pub(crate) external_client: bool,
    /// Host and port by which the client reached the server.
    pub(crate) host: String,
}

impl ApiRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// When a JSON body is not an object.
    pub(crate) fn read(parts: &Parts, body: &[u8], era: Era) -> Result<Self> {
        let mut parameters = Map::new();
        let query = parts.uri.query().unwrap_or_default();
        form::add(&mut parameters, query.as_bytes());
        let mut has_json = false;
        let content_type = header(&parts.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        if content_type.starts_with("application/json") {
            has_json = add_json(&mut parameters, body)?;
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            form::add(&mut parameters, body);
        }
        let path = parts.uri.path();
        let host = parts.uri.authority().map(ToString::to_string);
        let host = host.or_else(|| header(&parts.headers, HOST.as_str()).map(str::to_owned));
        Ok(Self {
            method: meant_method(parts, &parameters),
            path: decoded_path(&plain_path(path)),
            token: token(&parameters, &parts.headers, era),
            parameters,
            has_json,
            external_client: header(&parts.headers, "x-external-client") == Some("1"),
            host: host.unwrap_or_else(|| "localhost".to_owned()),
        })
    }

    /// A parameter that is given and not null.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name).filter(|value| !value.is_null())
    }

    /// A parameter that is a JSON array or object, or its text.
    ///
    /// # Errors
    /// When it is a text that is not JSON.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Value>> {
        match self.parameter(name) {
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map(|value: Value| Some(value).filter(|value| !value.is_null()))
                .map_err(|error| unprocessable(format!("{name} is not valid JSON: {error}"))),
            other => Ok(other.cloned()),
        }
    }

    /// A parameter that is true or false, and false when it is absent.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        self.parameter(name).map_or(Ok(false), |given| {
            value::boolean(given)
                .ok_or_else(|| unprocessable(format!("{name} parameter must be a boolean")))
        })
    }

    /// Whether the request only reads.
    pub(crate) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The path without `.json`, and without slashes that are one too many: they mean nothing to Rails.
fn plain_path(path: &str) -> String {
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
    let plain = format!("/{}", names.join("/"));
    plain.strip_suffix(".json").map(str::to_owned).unwrap_or(plain)
}

/// The path without percent signs; an encoded slash stays, lest it separate what it is part of.
fn decoded_path(path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    match decoded {
        Ok(decoded) if decoded.matches('/').count() == path.matches('/').count() => {
            decoded.into_owned()
        }
        _ => path.to_owned(),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Adds the values of an object; `false` if there is none.
fn add_json(parameters: &mut Map<String, Value>, body: &[u8]) -> Result<bool> {
    if body.trim_ascii().is_empty() {
        return Ok(false);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => {
            parameters.extend(object);
            Ok(true)
        }
        Ok(Value::Null) => Ok(false),
        Ok(_) => Err(unprocessable("the JSON body is not an object")),
        Err(error) => Err(unprocessable(format!("the body is not valid JSON: {error}"))),
    }
}

fn meant_method(parts: &Parts, parameters: &Map<String, Value>) -> Method {
    if parts.method != Method::POST {
        return parts.method.clone();
    }
    let parameter = parameters.get("_method").and_then(Value::as_str);
    parameter
        .or_else(|| header(&parts.headers, "x-http-method-override"))
        .and_then(|name| name.to_ascii_uppercase().parse().ok())
        .unwrap_or(Method::POST)
}

/// The first token of those that a request can carry.
fn token(parameters: &Map<String, Value>, headers: &HeaderMap, era: Era) -> Option<String> {
    let parameter = |name: &str| parameters.get(name)?.as_str();
    let found = parameter("api_token").or_else(|| parameter("oauth_token"));
    let found = found.filter(|token| !token.is_empty());
    found.map(str::to_owned).or_else(|| header_token(header(headers, AUTHORIZATION.as_str())?, era))
}

fn header_token(authorization: &str, era: Era) -> Option<String> {
    let (scheme, token) = authorization.split_once(' ')?;
    let known = TOKEN_SCHEMES.of(era).contains(&scheme);
    let allowed = |c: &char| TOKEN_CHARACTERS.of(era).iter().any(|range| range.contains(c));
    let token: String = token.trim_start().chars().take_while(allowed).collect();
    (known && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use serde_json::json;

    use super::*;

    fn read(request: hyper::http::request::Builder, body: &str) -> ApiRequest {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        ApiRequest::read(&parts, body.as_bytes(), Era::Current).unwrap()
    }

    #[test]
    fn parameters_are_read_from_query_form_and_json() {
        let query = read(Request::get("/x?limit=3&order%5B%5D=a&order%5B%5D=b"), "");
        assert_eq!(query.parameter("limit"), Some(&json!("3")));
        assert_eq!(query.parameter("order"), Some(&json!(["a", "b"])));
        let form = Request::post("/x").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = read(form, "filters=%5B%5B1%5D%5D");
        assert_eq!(form.json("filters").unwrap(), Some(json!([[1]])));
        let body = Request::post("/x").header(CONTENT_TYPE, "application/json; charset=utf-8");
        let body = read(body, r#"{"collection":{"name":"a"}}"#);
        assert_eq!(body.parameter("collection"), Some(&json!({"name": "a"})));
    }

    #[test]
    fn a_post_may_mean_a_get() {
        let by_header = Request::post("/x").header("x-http-method-override", "get");
        assert_eq!(read(by_header, "").method, Method::GET);
        let by_form = Request::post("/x").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        assert_eq!(read(by_form, "_method=GET").method, Method::GET);
        assert_eq!(read(Request::put("/x?_method=GET"), "").method, Method::PUT);
    }

    #[test]
    fn the_parameter_comes_before_the_header() {
        let both = || Request::get("/x?api_token=first").header(AUTHORIZATION, "OAuth2 second");
        assert_eq!(read(both(), "").token.as_deref(), Some("first"));
    }

    #[test]
    fn paths_are_decoded_and_lose_their_json() {
        let path = |text| read(Request::get(text), "").path;
        assert_eq!(path("/collections/abc%2B45.json"), "/collections/abc+45");
        assert_eq!(path("/collections/a%2Fb"), "/collections/a%2Fb");
        assert_eq!(path("//collections//a/"), "/collections/a");
        assert_eq!(path("/"), "/");
        assert_eq!(path("/collections/%FF"), "/collections/%FF");
    }

    #[test]
    fn each_era_reads_the_header_in_its_way() {
        let read = |text, era| header_token(text, era);
        let v2 = "v2/zzzzz-gj3su-077z32aux8dg2s1/Secret";
        let header = format!("Bearer {v2}");
        assert_eq!(read(&header, Era::Current).as_deref(), Some(v2));
        assert_eq!(read(&header, Era::Y2015), None);
        let mixed = "OAuth2 abc123XYZ";
        assert_eq!(read(mixed, Era::Y2015).as_deref(), Some("abc123"));
        assert_eq!(read(mixed, Era::Current).as_deref(), Some("abc123XYZ"));
        assert_eq!(read("OAuth2 ", Era::Current), None);
    }

    #[test]
    fn a_json_body_that_is_no_object_is_refused() {
        let request = Request::post("/x").header(CONTENT_TYPE, "application/json");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        for body in ["[]", "{", "3"] {
            assert!(ApiRequest::read(&parts, body.as_bytes(), Era::Current).is_err());
        }
    }
}
