//! Which tokens the API server said yes to, a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use tokio::sync::OnceCell;

use super::lock;
use crate::api_client::{ApiClient, Credential};
use crate::era::{Era, keepproxy};
use crate::log;
use crate::request_log::RequestId;

/// How long a yes is good for: a token that a reset revokes must not work for long. A no is
/// never remembered.
const FRESH: Duration = Duration::from_secs(1);

/// With more than this many tokens, the stale ones are forgotten.
const MANY: usize = 256;

/// An `Authorization` header, and what it is presented for.
type Key = (Use, HeaderValue);

/// What the API server is asked once, and all who wait for that are told.
type Question = OnceCell<bool>;

/// Remembers good tokens for a second.
#[derive(Default)]
pub(super) struct KnownTokens {
    seen: Mutex<HashMap<Key, Instant>>,
    /// Those who ask, or wait, hold the questions.
    asking: Mutex<HashMap<Key, Weak<Question>>>,
}

/// What a token is presented for.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Use {
    Reading,
    Writing,
}

impl KnownTokens {
    /// Whether the API server lets the token in the `Authorization` header `presented` be used so.
    pub(super) async fn is_valid(
        &self,
        api: &ApiClient,
        presented: &HeaderValue,
        usage: Use,
        era: Era,
        id: &RequestId,
    ) -> bool {
        let key = (usage, presented.clone());
        if self.is_fresh(&key, Instant::now()) {
            return true;
        }
        let answer = || async {
            let mut status = ask(api, "/arvados/v1/users/current", presented, id).await;
            let may_be_shared = usage == Use::Reading && keepproxy::SHARED_LINKS_READ.of(era);
            if may_be_shared && status == Some(StatusCode::FORBIDDEN) {
                // The token of a shared link is good for no user, but for the list of keepstores.
                status = ask(api, "/arvados/v1/keep_services/accessible", presented, id).await;
            }
            let is_valid = status == Some(StatusCode::OK);
            if is_valid {
                self.remember(key.clone(), Instant::now());
            }
            is_valid
        };
        *self.question(&key).get_or_init(answer).await
    }

    /// The question about `key` that waits for its answer, or a new one.
    fn question(&self, key: &Key) -> Arc<Question> {
        let mut asking = lock(&self.asking);
        let open = asking.get(key).and_then(Weak::upgrade);
        open.filter(|question| !question.initialized()).unwrap_or_else(|| {
            asking.retain(|_, question| question.strong_count() > 0);
            let question = Arc::default();
            asking.insert(key.clone(), Arc::downgrade(&question));
            question
        })
    }

    fn is_fresh(&self, key: &Key, now: Instant) -> bool {
        lock(&self.seen).get(key).is_some_and(|at| now.duration_since(*at) < FRESH)
    }

    fn remember(&self, key: Key, now: Instant) {
        let mut seen = lock(&self.seen);
        if seen.len() >= MANY {
            seen.retain(|_, at| now.duration_since(*at) < FRESH);
        }
        seen.insert(key, now);
    }
}

/// What the API server says to who presents this; `None` if it does not answer.
async fn ask(
    api: &ApiClient,
    path: &str,
    presented: &HeaderValue,
    id: &RequestId,
) -> Option<StatusCode> {
    let credential = Credential::Header(presented);
    match api.request(Method::HEAD, path, credential, Some(id), None).await {
        Ok(answer) => Some(answer.status),
        Err(error) => {
            log::line(format_args!("keepproxy: a token cannot be checked: the API server {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_is_good_for_a_second_and_only_for_that_token() {
        let tokens = KnownTokens::default();
        let now = Instant::now();
        let [known, other] =
            ["OAuth2 a", "OAuth2 b"].map(|header| (Use::Reading, HeaderValue::from_static(header)));
        let for_writing = (Use::Writing, known.1.clone());
        tokens.remember(known.clone(), now);
        assert!(tokens.is_fresh(&known, now + FRESH / 2));
        assert!(!tokens.is_fresh(&known, now + FRESH));
        assert!(!tokens.is_fresh(&other, now) && !tokens.is_fresh(&for_writing, now));
    }

    #[test]
    fn all_who_wait_share_one_question_and_who_comes_later_asks_anew() {
        let tokens = KnownTokens::default();
        let [key, other] = ["a", "b"].map(|token| (Use::Reading, HeaderValue::from_static(token)));
        let question = tokens.question(&key);
        assert!(Arc::ptr_eq(&question, &tokens.question(&key)));
        question.set(false).unwrap();
        assert!(!tokens.question(&key).initialized(), "a no is not remembered");
        drop(question);
        let _open = tokens.question(&other);
        assert_eq!(tokens.asking.lock().unwrap().len(), 1, "what nobody waits for is forgotten");
    }

    #[test]
    fn stale_tokens_do_not_pile_up() {
        let tokens = KnownTokens::default();
        let now = Instant::now();
        for number in 0..10 * MANY {
            let at = now + FRESH * u32::try_from(number).unwrap();
            tokens.remember((Use::Reading, format!("OAuth2 {number}").parse().unwrap()), at);
        }
        assert!(tokens.seen.lock().unwrap().len() <= MANY);
    }
}
