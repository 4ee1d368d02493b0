//! How long a keepstore is waited for: one that takes what is sent to it, or answers other requests, is
//! busy and does not hang.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::lock;

/// How many times its patience one request may take, whatever its keepstore does meanwhile.
const AT_MOST: u32 = 20;

/// Knows when each keepstore has last shown that it does something.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long a keepstore may show nothing.
    each: Duration,
    /// By the uuids of the keepstores.
    signs: Mutex<HashMap<String, Sign>>,
}

/// When one keepstore has last shown that it does something.
#[derive(Clone, Debug)]
pub(super) struct Sign(Arc<Mutex<Instant>>);

impl Patience {
    pub(super) fn new(each: Duration) -> Self {
        Self { each, signs: Mutex::default() }
    }

    /// That of the keepstore `uuid`.
    pub(super) fn sign_of(&self, uuid: &str) -> Sign {
        let new = || Sign(Arc::new(Mutex::new(Instant::now())));
        lock(&self.signs).entry(uuid.to_owned()).or_insert_with(new).clone()
    }

    /// Ends when a keepstore that is asked now has shown nothing for too long.
    pub(super) async fn ends(&self, sign: &Sign) {
        let asked = Instant::now();
        let until = || deadline(self.each, asked, *lock(&sign.0));
        while until() > Instant::now() {
            sleep_until(until()).await;
        }
    }
}

impl Sign {
    /// The keepstore has just taken, or answered, something.
    pub(super) fn shown(&self) {
        *lock(&self.0) = Instant::now();
    }
}

/// Until when to wait for whom we asked then, and who has last `shown` something at that time.
fn deadline(each: Duration, asked: Instant, shown: Instant) -> Instant {
    (shown.max(asked) + each).min(asked + each * AT_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_something_is_waited_for_but_not_for_ever() {
        let second = Duration::from_secs(1);
        let now = Instant::now();
        let waits = |asked: Instant, shown| deadline(second * 15, asked, shown) - asked;
        assert_eq!(waits(now, now), second * 15);
        assert_eq!(waits(now, now + second * 10), second * 25);
        assert_eq!(waits(now + second * 5, now), second * 15, "that was before");
        assert_eq!(waits(now, now + second * 1000), second * 300);
    }

    #[tokio::test]
    async fn a_keepstore_has_one_sign_for_all_requests() {
        let patience = Patience::new(Duration::from_secs(3600));
        let (one, another) = (patience.sign_of("one"), patience.sign_of("another"));
        let before = *lock(&another.0);
        patience.sign_of("one").shown();
        assert!(*lock(&one.0) >= before);
        assert_eq!(*lock(&another.0), before);
        Patience::new(Duration::ZERO).ends(&one).await;
    }
}
