//! An answer's body on its way to the client: counted, and given up when the service falls silent or
//! breaks it off.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::http::uri::Authority;

use super::access_log::Sender;
use super::combined::Entry;
use crate::alarm::Alarm;
use crate::causes::causes;
use crate::log;
use crate::serve::{Body, BoxError};

/// Writes the line of a request when it is over, however it ends.
pub(super) struct Logged {
    pub(super) entry: Entry,
    pub(super) log: Sender,
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.log.write(&self.entry);
    }
}

/// The body, which ends its connection if nothing comes for too long.
pub(super) struct AnswerBody {
    body: Body,
    /// Where it comes from.
    service: Authority,
    /// Runs while the service is awaited.
    alarm: Alarm,
    /// It will come no further.
    has_failed: bool,
    logged: Logged,
}

/// Why a client's connection ends in the middle of an answer. What the service has done is in the log
/// already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the service has not sent all of its answer")]
struct BrokenOff;

impl AnswerBody {
    /// `body` of `service`, of which something has to come within `patience` each time.
    pub(super) fn new(body: Body, service: Authority, patience: Duration, logged: Logged) -> Self {
        Self { body, service, alarm: Alarm::new(patience), has_failed: false, logged }
    }

    /// Breaks off when what has come so far is with the client.
    fn fail(&mut self, context: &mut Context<'_>, why: &str) {
        log::line(format_args!("front: upstream {}: {why}", self.service));
        self.has_failed = true;
        context.waker().wake_by_ref();
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.has_failed {
            return Poll::Ready(Some(Err(BrokenOff.into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending if self.alarm.is_overdue(context) => {
                self.fail(context, "sends nothing more");
            }
            Poll::Pending => {}
            Poll::Ready(Some(Err(error))) => {
                self.fail(context, &causes(&**error));
                return Poll::Pending;
            }
            Poll::Ready(frame) => {
                self.alarm.stop();
                if let Some(Ok(frame)) = frame {
                    self.logged.entry.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::pin::pin;
    use std::sync::mpsc::sync_channel;
    use std::task::Waker;

    use http_body_util::{BodyExt, StreamBody};
    use hyper::Request;

    use super::*;
    use crate::serve;

    #[test]
    fn what_a_service_breaks_off_is_not_the_clients_fault_and_what_has_come_goes_out_before() {
        let (parts, ()) = Request::get("/").body(()).unwrap().into_parts();
        let (sender, _lines) = sync_channel(1);
        let entry = Entry::new(None, &parts);
        let logged = Logged { entry, log: Sender::Thread(sender) };
        let ended = std::io::Error::from(ErrorKind::UnexpectedEof);
        assert!(serve::has_left(&ended));
        let frames = [Ok(Frame::data(Bytes::from_static(b"ab"))), Err(ended.into())];
        let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
        let service = Authority::from_static("service:1");
        let mut body = pin!(AnswerBody::new(body, service, Duration::from_secs(60), logged));
        let mut context = Context::from_waker(Waker::noop());
        let mut next = || body.as_mut().poll_frame(&mut context);
        assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
        // Meanwhile the connection sends what it has.
        assert!(next().is_pending());
        let Poll::Ready(Some(Err(error))) = next() else { unreachable!("it breaks off") };
        assert!(!serve::has_left(&*error), "{error}");
    }
}
