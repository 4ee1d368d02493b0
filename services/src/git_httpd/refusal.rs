//! Every way in which arv-git-httpd refuses a request; it is the same in both eras.

use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};

use crate::api_client::ApiError;
use crate::serve::{Body, full};

/// Why git is not run for a request. Its text is the body of the reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// There is no token; git will ask its user for one.
    #[error("no credentials provided")]
    NoToken,
    /// The path names no repository.
    #[error("bad request")]
    BadPath,
    /// The API server lists no such repository for this token.
    #[error("not found")]
    NotListed,
    /// It lists several.
    #[error("name collision")]
    Ambiguous,
    /// It does not answer, or does not accept the token.
    #[error("the API server {0}")]
    Api(#[from] ApiError),
    /// It lets the caller read only.
    #[error("write access denied")]
    ReadOnly,
    /// It lists the repository, and no folder belongs to it.
    #[error("content not found")]
    NoFolder,
    /// git could not be run, or broke off.
    #[error("git http-backend: {0}")]
    Git(#[from] std::io::Error),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::BadPath => StatusCode::BAD_REQUEST,
            Self::NotListed | Self::NoFolder => StatusCode::NOT_FOUND,
            Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Ambiguous | Self::Api(_) | Self::Git(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The reply that says so, in a line that does not end.
    pub(super) fn reply(&self) -> Response<Body> {
        let mut response = Response::new(full(self.to_string()));
        *response.status_mut() = self.status();
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        if matches!(self, Self::NoToken) {
            let challenge = HeaderValue::from_static("Basic realm=\"git\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
