//! What a request can end in besides its answer, and how clients are told.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::era::Era;
use crate::era::api::TELLS_REQUEST_ID;

/// A refused or failed request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No usable token.
    #[error("Not logged in")]
    NotLoggedIn,
    /// A token, but not one that may do this.
    #[error("Forbidden")]
    Forbidden,
    /// Not permitted, with the reason.
    #[error("{0}")]
    Denied(String),
    /// No such route, or no such object that the caller can read.
    #[error("Path not found")]
    NotFound,
    /// Something that a request names is not there.
    #[error("{0}")]
    Missing(String),
    /// A request that the controller of today refuses by itself.
    #[error("{0}")]
    BadRequest(String),
    /// Anything that is wrong with the request itself.
    #[error("{0}")]
    Unprocessable(String),
    /// The body exceeds the limit.
    #[error("Request body is larger than {0} bytes")]
    TooLarge(usize),
    /// The database failed.
    #[error("database: {0}")]
    Internal(#[from] rusqlite::Error),
    /// This program is wrong; its log says more.
    #[error("the request was not finished")]
    Unfinished,
}

/// The result of handling a request.
pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// Shorthand for an [`ApiError::Unprocessable`].
pub(crate) fn unprocessable(text: impl Into<String>) -> ApiError {
    ApiError::Unprocessable(text.into())
}

/// Shorthand for an [`ApiError::Denied`].
pub(crate) fn denied(text: impl Into<String>) -> ApiError {
    ApiError::Denied(text.into())
}

impl ApiError {
    /// Its HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotLoggedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::NotFound | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal(_) | Self::Unfinished => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer's body: the text, with the request id where that is told, and a token by which
    /// the error can be found in the log.
    pub(crate) fn body(&self, era: Era, request_id: &str) -> Value {
        let text = match TELLS_REQUEST_ID.of(era) {
            true => format!("{self} ({request_id})"),
            false => self.to_string(),
        };
        let seconds = jiff::Timestamp::now().as_second();
        let random = getrandom::u32().unwrap_or_default();
        json!({"errors": [text], "error_token": format!("{seconds}+{random:08x}")})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_id_is_named_in_the_current_era_only() {
        let text = |era| ApiError::NotFound.body(era, "req-x")["errors"][0].clone();
        assert_eq!(text(Era::Current), "Path not found (req-x)");
        assert_eq!(text(Era::Y2015), "Path not found");
    }
}
