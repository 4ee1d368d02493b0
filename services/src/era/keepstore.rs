//! What keepstore does differently, and the signatures that it shares with the API server.

use super::ByEra;
use crate::go_http_error::StatusAndText;

// ---- Signatures ----

/// Whether a signature covers how long signatures last. With that and without, they do not verify
/// each other: we make those of the era, and accept both.
pub(crate) const SIGNATURES_COVER_TTL: ByEra<bool> = ByEra { y2015: false, current: true };

// ---- Requests ----

/// Whether a block may be stored under a locator with size and hints; in 2015 only its bare hash is
/// a path to PUT.
pub(crate) const PUT_TAKES_HINTS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a block may come without its length being told beforehand.
pub(crate) const PUT_TAKES_UNKNOWN_LENGTH: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a client may say in which storage classes a block is to be.
pub(crate) const PUT_HEEDS_STORAGE_CLASSES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a size in a reader's locator has to be that of the block; in 2015 it does not matter.
pub(crate) const READING_CHECKS_SIZE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a locator may say that another cluster has the block; in 2015 such a hint means nothing.
pub(crate) const KNOWS_CLUSTERS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a block to fetch has to be named with its size.
pub(crate) const PULLS_NEED_SIZES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether volumes are listed one by one, and blocks can be touched and taken out of the trash.
pub(crate) const HAS_MOUNTS: ByEra<bool> = ByEra { y2015: false, current: true };

/// How many requests may wait for a buffer; in 2015 any number.
pub(crate) const MAY_WAIT_FOR_A_BUFFER: ByEra<usize> = ByEra { y2015: usize::MAX, current: 128 };

/// Whether blocks are ever deleted, unless `-never-delete` says so.
pub(crate) const DELETES: ByEra<bool> = ByEra { y2015: false, current: true };

/// How many seconds a deleted block can be taken out of the trash; in 2015 there is none.
pub(crate) const TRASH_SECONDS: ByEra<u64> = ByEra { y2015: 0, current: 1_209_600 };

/// Whether times in lists and in the index are in nanoseconds; in 2015 they are in seconds.
pub(crate) const TIMES_ARE_NANOSECONDS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether OPTIONS is answered, by which a browser asks what a web page may do.
pub(crate) const ANSWERS_OPTIONS: ByEra<bool> = ByEra { y2015: false, current: true };

// ---- Replies ----

/// What browsers are told on every reply; in 2015 no web page can talk to a keepstore.
pub(crate) const CORS: ByEra<&[(&str, &str)]> = ByEra {
    y2015: &[],
    current: &[
        ("access-control-allow-methods", "GET, HEAD, PUT, OPTIONS"),
        ("access-control-allow-origin", "*"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Length, Content-Type, X-Keep-Desired-Replicas, X-Keep-Signature, X-Keep-Storage-Classes",
        ),
        ("access-control-max-age", "86486400"),
    ],
};

/// Whether a client is told the id that its request has in the logs.
pub(crate) const TELLS_REQUEST_ID: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a client that stored a block is told of how many copies, in which storage classes; in
/// 2015 it takes silence for one copy.
pub(crate) const CONFIRMS_COPIES: ByEra<bool> = ByEra { y2015: false, current: true };

/// What every reader is told: one that wants a local signature is not to get another's cached reply.
pub(crate) const READ: ByEra<&[(&str, &str)]> =
    ByEra { y2015: &[], current: &[("vary", "X-Keep-Signature")] };

/// Whether the data manager is told how many requests its list had, and how many copies were deleted.
pub(crate) const COUNTS_WHAT_IS_ASKED: ByEra<bool> = ByEra { y2015: true, current: false };

// ---- Refusals ----

/// To a body of unknown length.
pub(crate) const LENGTH_REQUIRED: ByEra<StatusAndText> =
    ByEra { y2015: (411, "Missing Content-Length"), current: (411, "length required") };

/// To a list of blocks to fetch that are named without their sizes.
pub(crate) const NO_SIZE: ByEra<StatusAndText> = ByEra {
    y2015: (400, "Bad Request"),
    current: (
        400,
        "rejecting pull list containing a locator without a size hint -- this probably means keep-balance needs to be upgraded",
    ),
};

/// To a body that is longer than a block may be.
pub(crate) const TOO_LARGE: ByEra<StatusAndText> =
    ByEra { y2015: (413, "Block is too large"), current: (413, "request entity too large") };

/// To content with another hash than the path says.
pub(crate) const HASH_MISMATCH: ByEra<StatusAndText> = ByEra {
    y2015: (422, "Hash mismatch in request"),
    current: (400, "content hash did not match specified locator"),
};

/// To a body that ended early.
pub(crate) const INTERRUPTED: ByEra<StatusAndText> =
    ByEra { y2015: (500, "unexpected EOF"), current: (400, "unexpected EOF") };

/// To a block for which no volume has room.
pub(crate) const FULL: ByEra<StatusAndText> =
    ByEra { y2015: (503, "Full"), current: (507, "insufficient storage") };

/// To the wish for a block that is on no volume.
pub(crate) const NOT_FOUND: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Not Found"), current: (404, "file does not exist") };

/// To the wish for a block that is damaged on disk.
pub(crate) const CORRUPT: ByEra<StatusAndText> = ByEra {
    y2015: (500, "Hash mismatch in stored data"),
    current: (502, "checksum mismatch in stored data"),
};

/// To the wish for a block that cannot be read from disk: a client is to try again, but in 2015.
pub(crate) const UNREADABLE: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Not Found"), current: (500, "input/output error") };

/// To a block when other content with the same hash is on disk.
pub(crate) const COLLISION: ByEra<StatusAndText> =
    ByEra { y2015: (500, "Collision"), current: (500, "hash collision") };

/// To a reader without a token, where permission is enforced.
pub(crate) const NO_TOKEN: ByEra<StatusAndText> = ByEra {
    y2015: (403, "Forbidden"),
    current: (401, "no token provided in Authorization header"),
};

/// To a reader whose locator has no signature, or one that is not for its token.
pub(crate) const NOT_SIGNED: ByEra<StatusAndText> =
    ByEra { y2015: (403, "Forbidden"), current: (400, "invalid signature") };

/// To a reader whose signature's time is over.
pub(crate) const EXPIRED: ByEra<StatusAndText> =
    ByEra { y2015: (401, "Expired permission signature"), current: (401, "expired signature") };

/// To the data manager's wish to delete: blocks are kept.
pub(crate) const NEVER_DELETE: ByEra<StatusAndText> =
    ByEra { y2015: (405, "Method disabled"), current: (405, "method not allowed") };

/// To whatever a volume failed at.
pub(crate) const FAILED: ByEra<StatusAndText> =
    ByEra { y2015: (500, "Fail"), current: (503, "volume unavailable") };

/// To so many requests at once that this one cannot even wait.
pub(crate) const BUSY: ByEra<StatusAndText> =
    ByEra { y2015: (503, "Service Unavailable"), current: (503, "Service Unavailable") };

/// To a list or an index, without any token.
pub(crate) const NO_MANAGER_TOKEN: ByEra<StatusAndText> =
    ByEra { y2015: (401, "Unauthorized"), current: (401, "unauthorized") };

/// To a list or an index, with the token of somebody else.
pub(crate) const NOT_DATA_MANAGER: ByEra<StatusAndText> =
    ByEra { y2015: (401, "Unauthorized"), current: (403, "forbidden") };

/// To the wish to delete, without any token.
pub(crate) const NO_TOKEN_TO_DELETE: ByEra<StatusAndText> =
    ByEra { y2015: (403, "Forbidden"), current: (401, "unauthorized") };

/// To the wish to delete, with the token of somebody else.
pub(crate) const MAY_NOT_DELETE: ByEra<StatusAndText> =
    ByEra { y2015: (403, "Forbidden"), current: (403, "forbidden") };

/// To the wish to delete a block that is on no volume.
pub(crate) const NOTHING_TO_DELETE: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Not Found"), current: (404, "file does not exist") };
