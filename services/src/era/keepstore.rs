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

/// What a client is told that stored a block; in 2015 it takes silence for one copy.
pub(crate) const STORED: ByEra<&[(&str, &str)]> = ByEra {
    y2015: &[],
    current: &[("x-keep-replicas-stored", "1"), ("x-keep-storage-classes-confirmed", "default=1")],
};

/// Whether the index has times in nanoseconds; in 2015 they are in seconds.
pub(crate) const INDEX_HAS_NANOSECONDS: ByEra<bool> = ByEra { y2015: false, current: true };

// ---- Refusals ----

/// To a body of unknown length.
pub(crate) const LENGTH_REQUIRED: ByEra<StatusAndText> =
    ByEra { y2015: (411, "Missing Content-Length"), current: (411, "length required") };

/// To a body that is longer than a block may be.
pub(crate) const TOO_LARGE: ByEra<StatusAndText> =
    ByEra { y2015: (413, "Block is too large"), current: (413, "request entity too large") };

/// To content with another hash than the path says.
pub(crate) const HASH_MISMATCH: ByEra<StatusAndText> = ByEra {
    y2015: (422, "Hash mismatch in request"),
    current: (400, "content does not match the hash in the request"),
};

/// To a body that ended early.
pub(crate) const INTERRUPTED: ByEra<StatusAndText> =
    ByEra { y2015: (500, "unexpected EOF"), current: (400, "unexpected EOF") };

/// To a block for which no volume has room.
pub(crate) const FULL: ByEra<StatusAndText> =
    ByEra { y2015: (503, "Full"), current: (507, "insufficient storage") };

/// To the wish for a block that is on no volume.
pub(crate) const NOT_FOUND: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Not Found"), current: (404, "block not found") };

/// To the wish for a block that is damaged on disk.
pub(crate) const CORRUPT: ByEra<StatusAndText> = ByEra {
    y2015: (500, "Hash mismatch in stored data"),
    current: (502, "checksum mismatch in stored data"),
};

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
    ByEra { y2015: (500, "Fail"), current: (500, "volume unavailable") };
