//! The keepstores that the API server lists, and the order in which to try them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::api_client::{ApiClient, Credential};
use crate::log;

/// How old the list may be, or the news that there is none: suites move their keepstores about.
const FRESH: Duration = Duration::from_secs(1);

/// What a path cannot have as it is (RFC 3986, 3.3).
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// One keepstore, as the API server describes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct KeepService {
    pub(super) uuid: String,
    pub(super) service_host: String,
    pub(super) service_port: u16,
    #[serde(default, deserialize_with = "null_is_false")]
    pub(super) service_ssl_flag: bool,
    /// Absent in 2015.
    #[serde(default, deserialize_with = "null_is_false")]
    pub(super) read_only: bool,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Value>,
}

/// Keepstores, each to be shared with those who ask it.
pub(super) type KeepServiceList = Arc<[Arc<KeepService>]>;

/// What the API server said when it was last asked.
struct Known {
    /// The list is not older.
    since: Instant,
    answered: Instant,
    /// The last list that it gave, if there was any.
    services: Option<KeepServiceList>,
}

/// The list, asked for when it is used and no longer fresh.
pub(super) struct KeepServices {
    token: String,
    // Held while asking: whoever else wants the list meanwhile waits for the same answer.
    known: Mutex<Option<Known>>,
}

impl KeepServices {
    /// Will ask with `token`.
    pub(super) fn new(token: String) -> Self {
        Self { token, known: Mutex::new(None) }
    }

    /// The list of now. While the API server does not answer, the last one known, if any is.
    pub(super) async fn list(&self, api: &ApiClient) -> Option<KeepServiceList> {
        let now = Instant::now();
        // An answer that comes while this waits is as of later, and fresh.
        let is_fresh = |known: &Known| now.duration_since(known.answered) < FRESH;
        self.known_or(is_fresh, || self.fetch(api)).await
    }

    /// The list as it is after `moment`, for when keepstores of an older one did not answer.
    pub(super) async fn list_since(
        &self,
        api: &ApiClient,
        moment: Instant,
    ) -> Option<KeepServiceList> {
        self.known_or(|known| known.since > moment, || self.fetch(api)).await
    }

    /// What is known if it is good enough, or else what `fetch` gives.
    async fn known_or<F>(
        &self,
        is_good: impl Fn(&Known) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Option<KeepServiceList>
    where
        F: Future<Output = anyhow::Result<KeepServiceList>>,
    {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| is_good(known)) {
            return known.services.clone();
        }
        let asked = Instant::now();
        let fetched = fetch().await;
        let answered = Instant::now();
        let (since, services) = match fetched {
            Ok(services) => (asked, Some(services)),
            Err(error) => {
                log::line(format_args!(
                    "keepproxy: keepstores cannot be listed: the API server {error:#}"
                ));
                // Who asked for a newer list meanwhile would do no better.
                (answered, known.take().and_then(|known| known.services))
            }
        };
        *known = Some(Known { since, answered, services: services.clone() });
        services
    }

    async fn fetch(&self, api: &ApiClient) -> anyhow::Result<KeepServiceList> {
        let path = "/arvados/v1/keep_services/accessible";
        let credential = Credential::Token(&self.token);
        let answer = api.json(Method::GET, path, credential, None, None).await?;
        Ok(usable(serde_json::from_value::<List>(answer)?.items))
    }
}

/// Those of `items` that say where they are: one that does not must not hide the others.
fn usable(items: Vec<Value>) -> KeepServiceList {
    let read = |item: Value| {
        let uuid = item.get("uuid").cloned().unwrap_or_default();
        match serde_json::from_value::<KeepService>(item) {
            Ok(service) if !service.service_host.is_empty() => return Some(Arc::new(service)),
            Ok(_) => log::line(format_args!("keepproxy: keep service {uuid} has no host")),
            Err(error) => log::line(format_args!("keepproxy: keep service {uuid}: {error}")),
        }
        None
    };
    items.into_iter().filter_map(read).collect()
}

fn null_is_false<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(false))
}

impl KeepService {
    /// The URL of what `path` (without a slash, and with no character escaped) names there.
    pub(super) fn url(&self, path: &str) -> String {
        let scheme = if self.service_ssl_flag { "https" } else { "http" };
        // A bare IPv6 address needs brackets in a URL.
        let host = match self.service_host.contains(':') && !self.service_host.starts_with('[') {
            true => format!("[{}]", self.service_host),
            false => self.service_host.clone(),
        };
        // A hint may be any text.
        let path = utf8_percent_encode(path, NOT_IN_A_PATH);
        format!("{scheme}://{host}:{}/{path}", self.service_port)
    }
}

/// `services` in the order that all Keep clients try them for the block `hash`: by the MD5 of
/// hash and the last 15 characters of the uuid, highest first (rendezvous hashing).
pub(super) fn in_probe_order(services: &[Arc<KeepService>], hash: &str) -> Vec<Arc<KeepService>> {
    let mut services = services.to_vec();
    services.sort_by_cached_key(|service| {
        let start = service.uuid.len().saturating_sub(15);
        let suffix = service.uuid.get(start..).unwrap_or_default();
        let weight: [u8; 16] = Md5::digest(format!("{hash}{suffix}")).into();
        std::cmp::Reverse(weight)
    });
    services
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use serde_json::json;
    use tokio::sync::Notify;

    use super::*;

    /// So many keepstores, with numbers from 0 in their uuids.
    pub(in crate::keepproxy) fn services(count: usize) -> Vec<Arc<KeepService>> {
        (0..count).map(|number| Arc::new(service(number))).collect()
    }

    fn service(number: usize) -> KeepService {
        KeepService {
            uuid: format!("zzzzz-bi6l4-{number:015x}"),
            service_host: "localhost".to_owned(),
            service_port: 1,
            service_ssl_flag: false,
            read_only: false,
        }
    }

    #[tokio::test]
    async fn all_who_wait_share_one_answer_also_if_it_is_none() {
        let list = KeepServices::new(String::new());
        let (asked, end) = (AtomicUsize::new(0), Notify::new());
        let came = Instant::now();
        let fails = || async {
            if asked.fetch_add(1, Ordering::Relaxed) == 0 {
                end.notified().await;
            }
            anyhow::bail!("does not answer")
        };
        let is_fresh = |known: &Known| known.answered >= came;
        let of_now = join_all((0..20).map(|_| list.known_or(is_fresh, fails)));
        let newer = async {
            // The question is on its way now.
            let moment = Instant::now();
            join_all((0..20).map(|_| list.known_or(|known| known.since > moment, fails))).await
        };
        let (of_now, newer, ()) = tokio::join!(of_now, newer, async { end.notify_one() });
        assert_eq!((of_now, newer), (vec![None; 20], vec![None; 20]));
        assert_eq!(asked.into_inner(), 1);
    }

    #[tokio::test]
    async fn the_last_list_is_good_while_there_is_no_other() {
        let list = KeepServices::new(String::new());
        let known: KeepServiceList = services(2).into();
        let get = |answer| list.known_or(|_| false, || async { answer });
        assert_eq!(get(Ok(Arc::clone(&known))).await, Some(Arc::clone(&known)));
        assert_eq!(get(Err(anyhow::anyhow!("does not answer"))).await, Some(known));
    }

    #[test]
    fn the_probe_order_is_that_of_the_sdks() {
        // The reference order for these uuids that the Python and Go SDKs test for.
        let block = |text: &str| crate::signature::to_hex(&Md5::digest(text));
        let order = |text: &str| -> String {
            let ordered = in_probe_order(&services(16), &block(text));
            ordered.iter().map(|service| &service.uuid[26..]).collect()
        };
        assert_eq!(order(&format!("{:064x}", 0)), "3eab2d5fc9681074");
        assert_eq!(order(&format!("{:064x}", 1)), "097dba52e648f1c3");
    }

    #[test]
    fn a_service_without_an_address_does_not_hide_the_others() {
        let item = |number: u32, host: Value, port: Value, flag: Value| {
            json!({"uuid": format!("zzzzz-bi6l4-{number:015}"), "service_host": host,
                "service_port": port, "service_ssl_flag": flag, "read_only": null})
        };
        let found = usable(vec![
            item(0, Value::Null, json!(1), json!(false)),
            item(1, json!(""), json!(1), json!(false)),
            item(2, json!("localhost"), Value::Null, json!(false)),
            item(3, json!("localhost"), json!(65536), json!(false)),
            json!("no object"),
            item(4, json!("localhost"), json!(1), Value::Null),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].uuid, "zzzzz-bi6l4-000000000000004");
        assert!(!found[0].service_ssl_flag && !found[0].read_only);
    }

    #[test]
    fn a_url_carries_scheme_host_and_port() {
        let mut service = service(0);
        assert_eq!(service.url("x"), "http://localhost:1/x");
        service.service_ssl_flag = true;
        service.service_host = "::1".to_owned();
        assert_eq!(service.url("x"), "https://[::1]:1/x");
        assert_eq!(service.url("x+A1@2+%? é"), "https://[::1]:1/x+A1@2+%25%3F%20%C3%A9");
    }
}
