//! What keepproxy does differently.

use super::ByEra;
use crate::go_http_error::StatusAndText;

/// Whether a client's wish for so many copies counts; the program of 2015 always makes the default
/// number.
pub(crate) const HEEDS_WISHED_REPLICAS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether keepstores hear in which storage classes a client wishes its block to be, and the client in
/// which it was stored.
pub(crate) const HAS_STORAGE_CLASSES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether keepstores hear that a client wishes a locator to be signed by this cluster.
pub(crate) const PASSES_ON_WISH_FOR_SIGNATURE: ByEra<bool> = ByEra { y2015: false, current: true };

/// The headers that a web page may send.
pub(crate) const CORS_REQUEST_HEADERS: ByEra<&str> = ByEra {
    y2015: "Authorization, Content-Length, Content-Type, X-Keep-Desired-Replicas",
    current: "Authorization, Content-Length, Content-Type, X-Keep-Desired-Replicas, X-Keep-Signature, X-Keep-Storage-Classes",
};

/// The reply when some keepstores did not answer, and no other has the block: today's clients try
/// again, those of 2015 are told that there is no such block.
pub(crate) const UNREACHABLE: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Block not found"), current: (502, "Some keepstores did not answer") };

/// The reply when keepstores refuse to give the block; in 2015 it was not found then, either.
pub(crate) const NOT_READABLE: ByEra<StatusAndText> =
    ByEra { y2015: (404, "Block not found"), current: (422, "Block cannot be read") };

/// Whether the block of no bytes is there though nobody has stored it; in 2015 keepstores are asked.
pub(crate) const HAS_THE_EMPTY_BLOCK: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether the blocks of all keepstores can be listed.
pub(crate) const HAS_INDEX: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether it tells by which proxy a request or a reply came, and refuses one that came by itself.
pub(crate) const TELLS_ITS_WAY: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a client is told the id that its request has in the logs.
pub(crate) const TELLS_REQUEST_ID: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a token that may only list keepstores, such as that of a shared link, may read.
pub(crate) const SHARED_LINKS_READ: ByEra<bool> = ByEra { y2015: false, current: true };

/// The reply to a token that the API server does not know, or to none.
pub(crate) const NOT_AUTHORIZED: ByEra<StatusAndText> = ByEra {
    y2015: (403, "Missing or invalid Authorization header"),
    current: (403, "Missing or invalid Authorization header, or method not allowed"),
};
