//! The way in for those who follow events: a request that becomes a websocket.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::context::Api;
use super::follower::Follower;
use super::request::ApiRequest;
use crate::era::api::NOT_A_WEBSOCKET;
use crate::go_http_error;
use crate::log;
use crate::request_log::RequestId;
use crate::serve::{Body, empty};

/// Where websockets are.
pub(crate) const PATH: &str = "/websocket";

/// The largest message from a client, with room for filters on thousands of uuids: 1 MiB.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Clients say little, and there may be many: 4 KiB.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// The answer to a request for [`PATH`]; `None` if it is a plain one and the era has nothing to say
/// to that.
///
/// Only HTTP/1.1 has requests that become something else.
pub(crate) fn answer(api: &Arc<Api>, request: &mut Request<Incoming>) -> Option<Response<Body>> {
    let read = ApiRequest::read(&head_of(request), b"", api.era);
    let (Ok(response), Ok(read)) = (create_response_with_body(request, empty), read) else {
        return NOT_A_WEBSOCKET.of(api.era).map(go_http_error::reply_of);
    };
    let upgrade = hyper::upgrade::on(&mut *request);
    let id = request.extensions().get::<RequestId>().cloned();
    let api = Arc::clone(api);
    tokio::spawn(async move {
        let follow = async {
            let stream = TokioIo::new(upgrade.await?);
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config()));
            Follower::new(api, read, socket.await).follow().await
        };
        if let Err(ended) = follow.await {
            let id = id.map_or_else(String::new, |id| id.0);
            log::line(format_args!("{id}: websocket: {ended:#}"));
        }
    });
    Some(response)
}

fn head_of(request: &Request<Incoming>) -> Parts {
    let mut head = Request::new(());
    *head.uri_mut() = request.uri().clone();
    *head.headers_mut() = request.headers().clone();
    head.into_parts().0
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        // Each message is sent before the next one is made.
        .write_buffer_size(0)
}
