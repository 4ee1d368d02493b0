//! The accept loop that all services share: TLS or not, HTTP/1.1 or 2, one task a connection.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::bare_target::{self, Requests};
use crate::causes::{causes, chain};
use crate::eager::Eager;
use crate::log;
use crate::nginx_page;
use crate::pieces;
use crate::prompt_reader::PromptReader;
use crate::request_log::{self, RequestId};

/// An error of any kind that ends a body early.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A response body: whole or streamed.
pub(crate) type Body = BoxBody<Bytes, BoxError>;

/// What a request will be answered with.
type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Answers the requests of one port.
type Handler = Arc<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

/// The address of the client, kept in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// An extension of a request that has come in plain HTTP to a port that expects TLS: it is to be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InPlain;

/// How long a client may take for a TLS handshake.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may take for the head of a request, and for beginning with it. As long as nginx
/// keeps a connection that nobody uses (`keepalive_timeout`), and longer than it keeps one to us: which
/// of both closes that must not be a matter of chance while a request is on its way.
const IDLE: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(75) };

/// How long our clients of services keep a connection that they do not use: less than a service does, so
/// that none is closed with a request on its way. As nginx keeps one to a service.
pub(crate) const CLIENT_IDLE: Duration = Duration::from_secs(50);

/// The most bytes that the head of a request may have, and that are read at a time.
const READ_BYTES: u32 = pieces::LARGEST as u32;

/// The first byte of whoever speaks TLS: the type of a record with a handshake (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// One port of a service: the sockets it listens on, and its certificate if it speaks TLS.
pub(crate) struct Port {
    /// Non-blocking listening sockets.
    pub(crate) listeners: Vec<std::net::TcpListener>,
    /// `None` for plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Whether its connections are [`Eager`]: for a service that answers small requests by itself, and
    /// does not wait for others.
    pub(crate) is_eager: bool,
}

/// Whose way of speaking HTTP/1 a port follows, where servers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Who has sent all may close its half of the connection, and still gets the answer.
    Go,
    /// Who closes its half has gone away, and who reads nothing for so long is given up. Headers are
    /// passed on with their names as they came.
    Nginx(Duration),
}

impl Manner {
    /// How long a client may take no more of its answer.
    fn patience(self) -> Option<Duration> {
        match self {
            Self::Go => None,
            Self::Nginx(patience) => Some(patience),
        }
    }
}

/// An extension of an answer that the client does not get: its connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withheld;

/// Why such a connection ends.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("closed without an answer")]
struct ClosedUnanswered;

/// A body that is all there.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed()
}

/// A body of no bytes.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never: Infallible| match never {}).boxed()
}

/// Who does the work that a service's clients wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    /// The service itself.
    Itself,
    /// Another one, which it passes requests on to.
    Another,
}

impl Worker {
    /// How many threads serve, of a machine with so many processors. Those of a service that waits for
    /// others would wake each other for every piece, and take the processors from whom they wait for.
    fn threads(self, processors: usize) -> usize {
        match self {
            Self::Itself => processors,
            Self::Another => (processors / 2).max(1),
        }
    }
}

/// Runs a service until SIGTERM or SIGINT, on a runtime of its own.
///
/// # Errors
/// Whatever ended `service` early.
pub(crate) fn until_stopped(
    worker: Worker,
    service: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker.threads(processors))
        .enable_all()
        .build()?;
    runtime.spawn(keep_a_timer());
    let result = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            result = service => result,
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    });
    // Work on blocking threads must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Has a timer that ends before any of a request: with none, tokio wakes a thread for the first one.
async fn keep_a_timer() {
    loop {
        tokio::time::sleep(PATIENCE / 4).await;
    }
}

/// Answers every request on `port` with `handler`, for ever.
///
/// The request's extensions carry its [`RequestId`] and [`Peer`]; each request is logged.
///
/// # Errors
/// When the sockets are not usable; a failing connection only ends itself.
pub(crate) async fn serve<H, F>(port: Port, handler: H) -> anyhow::Result<()>
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    serve_like(Manner::Go, port, handler).await
}

/// The same, in another manner.
///
/// # Errors
/// As [`serve`].
pub(crate) async fn serve_like<H, F>(manner: Manner, port: Port, handler: H) -> anyhow::Result<()>
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // Behind a pointer, so that HTTP is compiled once and not again for every service.
    let handler: Handler = Arc::new(move |request| Box::pin(handler(request)));
    let mut loops = tokio::task::JoinSet::new();
    for listener in port.listeners {
        let listener = TcpListener::from_std(listener).context("inherited socket")?;
        let acceptor = port.tls.clone().map(TlsAcceptor::from);
        loops.spawn(accept(manner, port.is_eager, listener, acceptor, Arc::clone(&handler)));
    }
    while let Some(ended) = loops.join_next().await {
        ended?;
    }
    Ok(())
}

async fn accept(
    manner: Manner,
    is_eager: bool,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    handler: Handler,
) {
    loop {
        match listener.accept().await {
            Ok((stream, mut peer)) => {
                // A socket for both kinds of addresses shows those of IPv4 within IPv6.
                peer.set_ip(peer.ip().to_canonical());
                let handler = Arc::clone(&handler);
                // Only a latency matter; a socket that refuses it works all the same.
                let _ = stream.set_nodelay(true);
                let stream = Eager::new(stream, is_eager);
                tokio::spawn(connection(manner, stream, peer, acceptor.clone(), handler));
            }
            // Mostly a lack of descriptors: the client waits in the backlog until one is free,
            // and trying at once would spin.
            Err(error) => {
                log::line(format_args!("accept: {error}"));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(
    manner: Manner,
    stream: Eager,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    handler: Handler,
) {
    let Some(acceptor) = acceptor else {
        return speak_http(manner, Protocol::Http1, stream, peer, handler).await;
    };
    let mut first = [0];
    match tokio::time::timeout(PATIENCE, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_HANDSHAKE => {}
        Ok(Ok(1)) => {
            let handler = refuse_plain(manner, handler);
            return speak_http(manner, Protocol::Http1, stream, peer, handler).await;
        }
        // It came and went, as a probe for an open port does.
        _ => return,
    }
    match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let protocol = Protocol::agreed(stream.get_ref().1.alpn_protocol());
            speak_http(manner, protocol, stream, peer, handler).await;
        }
        Ok(Err(error)) => log::line(format_args!("TLS handshake with {peer}: {error}")),
        Err(_) => log::line(format_args!("TLS handshake with {peer}: timed out")),
    }
}

/// Answers requests in plain HTTP to a port that expects TLS.
fn refuse_plain(manner: Manner, handler: Handler) -> Handler {
    match manner {
        // It knows what to say, and has a log of its own for it.
        Manner::Nginx(_) => Arc::new(move |mut request| {
            request.extensions_mut().insert(InPlain);
            handler(request)
        }),
        Manner::Go => {
            Arc::new(|_| Box::pin(std::future::ready(nginx_page::plain_http_to_tls_port())))
        }
    }
}

/// Which HTTP is spoken. Whoever waits to see it from the first bytes waits for ever for a client that
/// sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// What was agreed on in the TLS handshake.
    fn agreed(name: Option<&[u8]>) -> Self {
        if name == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

async fn speak_http(
    manner: Manner,
    protocol: Protocol,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    handler: Handler,
) {
    let unanswered = Arc::new(AtomicUsize::new(0));
    let requests = Requests::default();
    let stream = PromptReader::new(stream, manner.patience());
    let stream = bare_target::Connection::new(stream, requests.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        let started = Instant::now();
        requests.have(&request);
        let id = RequestId::of(request.headers());
        request.extensions_mut().insert(id.clone());
        request.extensions_mut().insert(Peer(peer));
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let response = handler(request);
        unanswered.fetch_add(1, Ordering::Relaxed);
        let unanswered = Arc::clone(&unanswered);
        async move {
            let response = response.await;
            unanswered.fetch_sub(1, Ordering::Relaxed);
            request_log::log(&id, peer, &method, &path, response.status(), started.elapsed());
            match response.extensions().get::<Withheld>() {
                Some(Withheld) => Err(ClosedUnanswered),
                None => Ok(response),
            }
        }
    });
    let io = TokioIo::new(stream);
    let result = match protocol {
        Protocol::Http1 => http1_of(manner).serve_connection(io, service).with_upgrades().await,
        Protocol::Http2 => {
            let mut http2 = http2::Builder::new(TokioExecutor::new());
            http2.timer(TokioTimer::new()).max_header_list_size(READ_BYTES);
            http2.serve_connection(io, service).await
        }
    };
    // What breaks off an answer's body is ours, or a service's behind us.
    if let Err(error) = result
        && (unanswered.load(Ordering::Relaxed) > 0 || error.is_user() || !has_left(&error))
    {
        log::line(format_args!("connection from {peer}: {}", causes(&error)));
    }
}

fn http1_of(manner: Manner) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    http1.timer(TokioTimer::new()).header_read_timeout(IDLE).title_case_headers(true);
    http1.max_buf_size(READ_BYTES as usize);
    match manner {
        Manner::Go => http1.half_close(true),
        Manner::Nginx(_) => http1.preserve_header_case(true),
    };
    http1
}

/// Whether a connection ended because the client is gone. Most do not say so beforehand: where nothing
/// is left to be answered, that is how connections end.
pub(crate) fn has_left(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|cause| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(kind, Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_passes_on_leaves_processors_to_the_others() {
        let of_another = |processors| Worker::Another.threads(processors);
        assert_eq!([1, 2, 3, 8].map(of_another), [1, 1, 1, 4]);
        assert_eq!(Worker::Itself.threads(8), 8);
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for_for_ever() {
        let handler: Handler = Arc::new(|_| Box::pin(async { Response::new(empty()) }));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let (client, server) = tokio::io::duplex(64);
        let spoken = speak_http(Manner::Go, Protocol::Http1, server, peer, handler);
        tokio::time::timeout(Duration::from_secs(60), spoken).await.unwrap();
        drop(client);
    }

    #[test]
    fn a_client_that_is_gone_is_told_from_other_errors() {
        let error = |kind| anyhow::Error::from(io::Error::from(kind)).context("connection error");
        assert!(has_left(&*error(ErrorKind::UnexpectedEof)));
        assert!(has_left(&*error(ErrorKind::ConnectionReset)));
        assert!(!has_left(&*error(ErrorKind::InvalidData)));
    }
}
