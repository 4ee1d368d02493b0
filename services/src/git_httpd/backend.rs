//! Runs `git http-backend` as a CGI program (RFC 3875), streaming both ways.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming};
use hyper::{HeaderMap, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio_util::io::poll_read_buf;

use super::cgi_header::{self, CgiHeader};
use super::running::{Groups, Running};
use crate::serve::{Body, BoxError};
use crate::unread_body;

/// As much as a pipe holds.
const STEP: usize = 64 << 10;

/// How much of an answer is kept while its request still comes in. Whatever git reports of a push,
/// it does not say more before it has read it.
const HELD_BACK: usize = 256 << 10;

/// What git has to say of a push is hardly ever longer.
const REPORT: usize = 4 << 10;

/// Starts `command`, feeds it `body`, and returns its answer, whose content streams.
///
/// When the client goes away, before it has sent its body or read the answer, the program has to end,
/// too; while it runs, it is in `groups`.
///
/// # Errors
/// When it cannot be started, or answers nothing that makes sense.
pub(super) async fn run(
    mut command: Command,
    headers: HeaderMap,
    body: Incoming,
    groups: &Groups,
) -> io::Result<Response<Body>> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What git complains about belongs into our log.
        .stderr(Stdio::inherit())
        .process_group(0);
    let mut child = command.spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(stdin), Some(mut stdout)) = (stdin, stdout) else {
        return Err(io::Error::other("it has no pipes"));
    };
    let running = Running::new(child, &stdout, groups)?;
    let fed = tokio::spawn(feed(stdin, headers, body));

    let mut output = BytesMut::new();
    let header = read_header(&mut stdout, &mut output).await?;
    hold_back(&mut stdout, &mut output, fed).await?;
    let content = output.split_off(header.length);
    let stream = Output { stdout, buffer: content, said: 0, running };
    let mut response = Response::new(stream.boxed());
    *response.status_mut() = header.status;
    *response.headers_mut() = header.headers;
    Ok(response)
}

/// Passes a request's body on, no faster than the program takes it. Where the body breaks off, so does
/// the input: git sees that something is missing, and removes what it has of it. If it were told to end
/// by a signal, it would leave that in the repository.
async fn feed(mut stdin: ChildStdin, headers: HeaderMap, mut body: Incoming) {
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data()
            && stdin.write_all(&data).await.is_err()
        {
            // The program has made up its mind; its answer says what about.
            unread_body::discard(&headers, body).await;
            break;
        }
    }
}

async fn read_header(stdout: &mut ChildStdout, output: &mut BytesMut) -> io::Result<CgiHeader> {
    loop {
        if let Some(header) = cgi_header::parse(output).map_err(io::Error::other)? {
            return Ok(header);
        }
        if output.len() > cgi_header::MAX_BYTES {
            return Err(io::Error::other("its header does not end"));
        }
        if stdout.read_buf(output).await? == 0 {
            return Err(io::Error::other("it ended without an answer"));
        }
    }
}

/// Keeps the answer until the whole request has been `fed` to git. A proxy such as nginx stops to
/// pass a request on as soon as its answer begins, and git begins at once: both would wait for ever.
async fn hold_back(
    stdout: &mut ChildStdout,
    output: &mut BytesMut,
    mut fed: JoinHandle<()>,
) -> io::Result<()> {
    while output.len() < HELD_BACK {
        tokio::select! {
            _ = &mut fed => break,
            read = stdout.read_buf(output) => if read? == 0 { break },
        }
    }
    Ok(())
}

/// The content of an answer, read as fast as the client takes it.
struct Output {
    stdout: ChildStdout,
    buffer: BytesMut,
    /// How many bytes were passed on.
    said: usize,
    running: Running,
}

impl HttpBody for Output {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.buffer.is_empty() {
            this.buffer.reserve(STEP);
            let read = poll_read_buf(Pin::new(&mut this.stdout), context, &mut this.buffer);
            if ready!(read)? == 0 {
                this.running.has_answered();
                return Poll::Ready(None);
            }
        }
        let data = this.buffer.split().freeze();
        this.said += data.len();
        if this.said > REPORT {
            this.running.says_much();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}
