//! From an HTTP request to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::caller::{self, Caller};
use super::changed_rows::ChangedRows;
use super::computed_permissions;
use super::config;
use super::context::{Api, Context};
use super::discovery;
use super::error::{ApiError, Result, unprocessable};
use super::list;
use super::request::ApiRequest;
use super::reset;
use super::route::{self, Route};
use super::trash_sweep;
use super::websocket;
use super::write;
use crate::era::Era;
use crate::era::api::{CORS_REQUEST_HEADERS, TELLS_REQUEST_ID, TEST_ADDRESSES};
use crate::in_place::{at_once, in_place};
use crate::log;
use crate::request_log::RequestId;
use crate::serve::{Body, empty, full};

/// Answers `request`. Never fails: an error is an answer, too.
pub(crate) async fn answer(api: Arc<Api>, mut request: Request<Incoming>) -> Response<Body> {
    let era = api.era;
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.map_or_else(String::new, |id| id.0);
    if *request.method() == Method::OPTIONS {
        return with_headers(Response::new(empty()), era, &id);
    }
    if request.uri().path() == websocket::PATH
        && let Some(answer) = websocket::answer(&api, &mut request)
    {
        return answer;
    }
    let head = *request.method() == Method::HEAD;
    let mut cacheable = false;
    let (status, body) = match respond(api, request, &mut cacheable).await {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            if let ApiError::Internal(error) = &error {
                log::line(format_args!("{id}: {error}"));
            }
            (error.status(), error.body(era, &id).to_string().into())
        }
    };
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(if head { empty() } else { full(body) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length);
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let caching = if cacheable { "public, max-age=86400" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    with_headers(response, era, &id)
}

/// Adds what every answer carries: leave for scripts of any web page, and the request id where
/// that is told.
fn with_headers(mut response: Response<Body>, era: Era, request_id: &str) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE"),
        ("access-control-allow-headers", CORS_REQUEST_HEADERS.of(era)),
        ("access-control-max-age", "86486400"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id)
        && TELLS_REQUEST_ID.of(era)
    {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

async fn respond(api: Arc<Api>, request: Request<Incoming>, cacheable: &mut bool) -> Result<Bytes> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, super::MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(ApiError::TooLarge(super::MAX_BODY_BYTES));
        }
        Err(error) => return Err(unprocessable(format!("cannot read the body: {error}"))),
    };
    *cacheable = parts.uri.path() == route::DISCOVERY_PATH;
    let work = || dispatch(&api, &ApiRequest::read(&parts, &body, api.era)?);
    let route = route::find(api.era, &parts.method, parts.uri.path());
    // What a panic may have left half done is in a transaction, which is rolled back.
    let done = match body.is_empty() && route.is_some_and(|route| route.reads_little()) {
        true => at_once(work),
        false => in_place(work),
    };
    done.unwrap_or(Err(ApiError::Unfinished))
}

fn dispatch(api: &Api, request: &ApiRequest) -> Result<Bytes> {
    let route = route::find(api.era, &request.method, &request.path);
    let route = route.ok_or(ApiError::NotFound)?;
    let open = matches!(route, Route::Special(special, _) if !special.needs_token);
    let in_context = |db: &Connection, work: &dyn Fn(&Context<'_>) -> Result<Value>| {
        let caller = match caller::identify(api, db, request) {
            Err(ApiError::NotLoggedIn | ApiError::Forbidden) if open => Caller::nobody(),
            identified => identified?,
        };
        work(&Context { api, request, db, caller })
    };
    let read =
        |work: &dyn Fn(&Context<'_>) -> Result<Value>| api.store.read(|db| in_context(db, work));
    let write =
        |work: &dyn Fn(&Context<'_>) -> Result<Value>| api.store.write(|db| in_context(db, work));
    let answer = match route {
        Route::Discovery => {
            let make = || discovery::document(api, &request.host).to_string().into();
            return Ok(api.discovery.get(&request.host, make));
        }
        Route::Config => Ok(config::document(api, &request.host)),
        Route::Vocabulary => Ok(config::vocabulary()),
        Route::ComputedPermissions => read(&computed_permissions::list),
        Route::TrashSweep => write(&trash_sweep::sweep),
        Route::DatabaseReset => api
            .store
            .reset(|db, changed| in_context(db, &|context| reset_database(context, changed))),
        Route::List(resource) => read(&|context| list::list(context, resource)),
        Route::Show(resource, id) => read(&|context| list::show(context, resource, id)),
        Route::Create(resource) => write(&|context| write::create(context, resource)),
        Route::Update(resource, id) => write(&|context| write::update(context, resource, id)),
        Route::Delete(resource, id) => write(&|context| write::delete(context, resource, id)),
        Route::Special(special, id) => {
            let run = |context: &Context<'_>| (special.run)(context, id.unwrap_or_default());
            match special.method == Method::GET {
                true => read(&run),
                false => write(&run),
            }
        }
    };
    // Its `Display` is compiled with the JSON library, optimised; what is generic is compiled here.
    Ok(answer?.to_string().into())
}

/// Puts the database back, unless it holds a user that no test made.
fn reset_database(context: &Context<'_>, changed: &ChangedRows) -> Result<Value> {
    context.admin()?;
    let test_addresses = TEST_ADDRESSES.of(context.era());
    if let Some(uuid) = reset::foreign_user(context.db, test_addresses)? {
        return Err(super::error::denied(format!(
            "Permission denied: refusing to reset a database with user {uuid}, who is no test user"
        )));
    }
    reset::restore(context.db, changed)?;
    Ok(json!({"success": true}))
}
