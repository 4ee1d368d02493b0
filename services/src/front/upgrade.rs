//! A connection that becomes something else than HTTP, such as a websocket: from then on, bytes are
//! passed on as they are.

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::log;

/// A client's wish for that.
pub(super) struct Upgrade {
    client: OnUpgrade,
    protocol: HeaderValue,
}

impl Upgrade {
    /// What that request asks for, if it does.
    pub(super) fn of(request: &mut Request<Incoming>) -> Option<Self> {
        let protocol = request.headers().get(header::UPGRADE)?.clone();
        Some(Self { client: hyper::upgrade::on(request), protocol })
    }

    /// Asks the service for it in turn.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        set(headers, self.protocol.clone());
    }

    /// Joins both connections, if the service agrees.
    pub(super) fn join(self, response: &mut Response<Incoming>) {
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        let service = hyper::upgrade::on(response);
        tokio::spawn(async move {
            let pass_on = async {
                let client = self.client.await.map_err(std::io::Error::other)?;
                let service = service.await.map_err(std::io::Error::other)?;
                let (mut client, mut service) = (TokioIo::new(client), TokioIo::new(service));
                tokio::io::copy_bidirectional(&mut client, &mut service).await
            };
            if let Err(error) = pass_on.await {
                log::line(format_args!("front: upgraded connection: {error}"));
            }
        });
    }

    /// Puts into an answer that agrees what is left out of every other.
    pub(super) fn answer(status: StatusCode, protocol: Option<HeaderValue>, to: &mut HeaderMap) {
        if status == StatusCode::SWITCHING_PROTOCOLS
            && let Some(protocol) = protocol
        {
            set(to, protocol);
        }
    }
}

fn set(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}
