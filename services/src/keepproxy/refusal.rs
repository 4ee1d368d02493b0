//! Every way in which keepproxy refuses a request.

use hyper::Response;

use crate::era::{Era, keepproxy};
use crate::go_http_error::{self, StatusAndText};
use crate::serve::Body;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path, not with this method, or this direction is switched off.
    BadRequest,
    /// The API server does not know the token, or there is none.
    NotAuthorized,
    /// The length is not known beforehand.
    LengthRequired,
    /// Longer than a block may be.
    TooLarge,
    /// The locator's size is not the length of the body.
    LengthMismatch,
    /// The body ended early.
    Interrupted,
    /// No keepstore has the block.
    NotFound,
    /// Some keepstores could not be asked, or it is not known where they are.
    Unreachable,
    /// Keepstores refuse to give the block.
    NotReadable,
    /// No keepstore took the block.
    NotStored,
    /// A keepstore does not list its blocks.
    NoIndex,
    /// The request has been here before.
    Loop,
}

impl Refusal {
    /// What the reply says.
    fn said(self, era: Era) -> StatusAndText {
        match self {
            Self::BadRequest => (400, "Bad request"),
            Self::NotAuthorized => keepproxy::NOT_AUTHORIZED.of(era),
            Self::LengthRequired => (411, "Length Required"),
            Self::TooLarge => (413, "Exceeded maximum block size (67108864)"),
            Self::LengthMismatch => (400, "Locator size hint does not match Content-Length header"),
            Self::Interrupted => (500, "unexpected EOF"),
            Self::NotFound => (404, "Block not found"),
            Self::Unreachable => keepproxy::UNREACHABLE.of(era),
            Self::NotReadable => keepproxy::NOT_READABLE.of(era),
            Self::NotStored => (503, "Could not write sufficient replicas"),
            Self::NoIndex => (502, "Some keepstores did not list their blocks"),
            Self::Loop => (500, "proxy loop detected: the list of keepstores names a keepproxy"),
        }
    }

    /// The reply that says so.
    pub(super) fn reply(self, era: Era) -> Response<Body> {
        let mut response = go_http_error::reply_of(self.said(era));
        if matches!(self, Self::NotStored | Self::TooLarge) {
            response.headers_mut().insert("x-keep-replicas-stored", 0.into());
        }
        response
    }
}
