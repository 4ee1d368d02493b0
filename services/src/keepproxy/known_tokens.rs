//! Which tokens the API server said yes to, a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};

use crate::api_client::{ApiClient, Credential};
use crate::log;
use crate::request_log::RequestId;

/// How long a yes is good for: a token that a reset revokes must not work for long. A no is
/// never remembered.
const FRESH: Duration = Duration::from_secs(1);

/// With more than this many tokens, the stale ones are forgotten.
const MANY: usize = 256;

/// Remembers good tokens for a second.
#[derive(Default)]
pub(super) struct KnownTokens {
    seen: Mutex<HashMap<HeaderValue, Instant>>,
}

impl KnownTokens {
    /// Whether the API server knows the token in the `Authorization` header `presented`.
    pub(super) async fn is_valid(
        &self,
        api: &ApiClient,
        presented: &HeaderValue,
        id: &RequestId,
    ) -> bool {
        if self.is_fresh(presented, Instant::now()) {
            return true;
        }
        let path = "/arvados/v1/users/current";
        let credential = Credential::Header(presented);
        match api.request(Method::HEAD, path, credential, Some(id), None).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                self.remember(presented.clone(), Instant::now());
                true
            }
            Ok(_) => false,
            Err(error) => {
                log::line(format_args!(
                    "keepproxy: a token cannot be checked: the API server {error}"
                ));
                false
            }
        }
    }

    fn is_fresh(&self, presented: &HeaderValue, now: Instant) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(presented).is_some_and(|at| now.duration_since(*at) < FRESH)
    }

    fn remember(&self, presented: HeaderValue, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MANY {
            seen.retain(|_, at| now.duration_since(*at) < FRESH);
        }
        seen.insert(presented, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_is_good_for_a_second_and_only_for_that_token() {
        let tokens = KnownTokens::default();
        let now = Instant::now();
        let [known, other] = ["OAuth2 a", "OAuth2 b"].map(HeaderValue::from_static);
        tokens.remember(known.clone(), now);
        assert!(tokens.is_fresh(&known, now + FRESH / 2));
        assert!(!tokens.is_fresh(&known, now + FRESH));
        assert!(!tokens.is_fresh(&other, now));
    }

    #[test]
    fn stale_tokens_do_not_pile_up() {
        let tokens = KnownTokens::default();
        let now = Instant::now();
        for number in 0..10 * MANY {
            let at = now + FRESH * u32::try_from(number).unwrap();
            tokens.remember(format!("OAuth2 {number}").parse().unwrap(), at);
        }
        assert!(tokens.seen.lock().unwrap().len() <= MANY);
    }
}
