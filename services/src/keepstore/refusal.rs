//! Every way in which keepstore refuses a request, and what each era says then.

use hyper::Response;

use crate::era::Era;
use crate::go_http_error;
use crate::serve::Body;
use crate::signature::Denied;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path, or not with this method.
    BadRequest,
    /// The length is not known beforehand.
    LengthRequired,
    /// Longer than a block may be.
    TooLarge,
    /// The content received has another hash than the path says.
    HashMismatch,
    /// The body ended early.
    Interrupted,
    /// No volume takes a block.
    Full,
    /// The block is on no volume.
    NotFound,
    /// What is on disk under this hash has another one.
    Corrupt,
    /// Other content with the same hash is on disk.
    Collision,
    /// Permission is enforced, and no token was presented.
    NoToken,
    /// The locator has no signature, or not for this token.
    NotSigned,
    /// The signature's time is over.
    Expired,
    /// Listing is for the data manager.
    NotDataManager,
    /// Deleting is for the data manager.
    MayNotDelete,
    /// Deleting is switched off.
    NeverDelete,
    /// A volume failed us; the log says how.
    Failed,
}

impl Refusal {
    /// Status and text in 2015, and in Arvados 3.2.
    fn in_both_eras(self) -> [(u16, &'static str); 2] {
        match self {
            Self::BadRequest => [(400, "Bad Request"), (400, "Bad Request")],
            Self::LengthRequired => [(411, "Missing Content-Length"), (411, "length required")],
            Self::TooLarge => [(413, "Block is too large"), (413, "request entity too large")],
            Self::HashMismatch => [
                (422, "Hash mismatch in request"),
                (400, "content does not match the hash in the request"),
            ],
            Self::Interrupted => [(500, "unexpected EOF"), (400, "unexpected EOF")],
            Self::Full => [(503, "Full"), (507, "insufficient storage")],
            Self::NotFound => [(404, "Not Found"), (404, "block not found")],
            Self::Corrupt => {
                [(500, "Hash mismatch in stored data"), (502, "checksum mismatch in stored data")]
            }
            Self::Collision => [(500, "Collision"), (500, "hash collision")],
            Self::NoToken => {
                [(403, "Forbidden"), (401, "no token provided in Authorization header")]
            }
            Self::NotSigned => [(403, "Forbidden"), (400, "invalid signature")],
            Self::Expired => [(401, "Expired permission signature"), (401, "expired signature")],
            Self::NotDataManager => [(401, "Unauthorized"), (401, "Unauthorized")],
            Self::MayNotDelete => [(403, "Forbidden"), (403, "Forbidden")],
            Self::NeverDelete => [(405, "Method disabled"), (405, "method not allowed")],
            Self::Failed => [(500, "Fail"), (500, "volume unavailable")],
        }
    }

    /// The reply that says so.
    pub(super) fn reply(self, era: Era) -> Response<Body> {
        go_http_error::of_era(era, self.in_both_eras())
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing | Denied::Invalid => Self::NotSigned,
            Denied::Expired => Self::Expired,
        }
    }
}
