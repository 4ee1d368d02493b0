//! Every way in which keepproxy refuses a request, and what each era says then.

use hyper::Response;

use crate::era::Era;
use crate::go_http_error;
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
    /// Some keepstores could not be asked.
    Unreachable,
    /// Keepstores refuse to give the block.
    NotReadable,
    /// No keepstore took the block.
    NotStored,
}

impl Refusal {
    /// Status and text in 2015, and in Arvados 3.2.
    fn in_both_eras(self) -> [(u16, &'static str); 2] {
        match self {
            Self::BadRequest => [(400, "Bad request"); 2],
            Self::NotAuthorized => [(403, "Missing or invalid Authorization header"); 2],
            Self::LengthRequired => [(411, "Content-Length is required"); 2],
            Self::TooLarge => [(413, "Block is larger than 67108864 bytes"); 2],
            Self::LengthMismatch => {
                [(400, "Locator size hint does not match Content-Length header"); 2]
            }
            Self::Interrupted => [(500, "unexpected EOF"); 2],
            Self::NotFound => [(404, "Block not found"); 2],
            // In 2015, a block that cannot be had is not found, whatever the reason.
            Self::Unreachable => {
                [(404, "Block not found"), (502, "Some keepstores did not answer")]
            }
            Self::NotReadable => [(404, "Block not found"), (422, "Block cannot be read")],
            Self::NotStored => [(503, "Could not write sufficient replicas"); 2],
        }
    }

    /// The reply that says so.
    pub(super) fn reply(self, era: Era) -> Response<Body> {
        go_http_error::of_era(era, self.in_both_eras())
    }
}
