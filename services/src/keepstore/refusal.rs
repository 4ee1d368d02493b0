//! Every way in which keepstore refuses a request.

use hyper::Response;

use crate::era::{Era, keepstore};
use crate::go_http_error::{self, StatusAndText};
use crate::in_place::Panicked;
use crate::serve::Body;
use crate::signature::Denied;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path, or not with this method.
    BadRequest,
    /// The length is not known beforehand.
    LengthRequired,
    /// A list names blocks to fetch without their sizes.
    NoSize,
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
    /// What is on disk under this hash cannot be read.
    Unreadable,
    /// Other content with the same hash is on disk.
    Collision,
    /// Permission is enforced, and no token was presented.
    NoToken,
    /// The locator has no signature, or not for this token.
    NotSigned,
    /// The signature's time is over.
    Expired,
    /// Lists are for the data manager, and no token was presented.
    NoManagerToken,
    /// Lists are for the data manager.
    NotDataManager,
    /// Deleting is for the data manager, and no token was presented.
    NoTokenToDelete,
    /// Deleting is for the data manager.
    MayNotDelete,
    /// Deleting is switched off.
    NeverDelete,
    /// No volume has what is to be deleted.
    NothingToDelete,
    /// Too many requests wait already.
    Busy,
    /// A volume failed us; the log says how.
    Failed,
}

impl Refusal {
    /// What the reply says.
    fn said(self, era: Era) -> StatusAndText {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::LengthRequired => keepstore::LENGTH_REQUIRED.of(era),
            Self::NoSize => keepstore::NO_SIZE.of(era),
            Self::TooLarge => keepstore::TOO_LARGE.of(era),
            Self::HashMismatch => keepstore::HASH_MISMATCH.of(era),
            Self::Interrupted => keepstore::INTERRUPTED.of(era),
            Self::Full => keepstore::FULL.of(era),
            Self::NotFound => keepstore::NOT_FOUND.of(era),
            Self::Corrupt => keepstore::CORRUPT.of(era),
            Self::Unreadable => keepstore::UNREADABLE.of(era),
            Self::Collision => keepstore::COLLISION.of(era),
            Self::NoToken => keepstore::NO_TOKEN.of(era),
            Self::NotSigned => keepstore::NOT_SIGNED.of(era),
            Self::Expired => keepstore::EXPIRED.of(era),
            Self::NoManagerToken => keepstore::NO_MANAGER_TOKEN.of(era),
            Self::NotDataManager => keepstore::NOT_DATA_MANAGER.of(era),
            Self::NoTokenToDelete => keepstore::NO_TOKEN_TO_DELETE.of(era),
            Self::MayNotDelete => keepstore::MAY_NOT_DELETE.of(era),
            Self::NothingToDelete => keepstore::NOTHING_TO_DELETE.of(era),
            Self::Busy => keepstore::BUSY.of(era),
            Self::NeverDelete => keepstore::NEVER_DELETE.of(era),
            Self::Failed => keepstore::FAILED.of(era),
        }
    }

    /// The reply that says so.
    pub(super) fn reply(self, era: Era) -> Response<Body> {
        go_http_error::reply_of(self.said(era))
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

impl From<Panicked> for Refusal {
    fn from(_: Panicked) -> Self {
        Self::Failed
    }
}
