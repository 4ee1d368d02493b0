//! One client that follows events, over its websocket.
//!
//! Nothing is queued for it: what it has not been sent yet is in the log, and is read from there
//! when it has taken what came before. A client that takes nothing is given up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rusqlite::Connection;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::caller;
use super::condition::Condition;
use super::context::Api;
use super::error::Result;
use super::event;
use super::request::ApiRequest;
use super::subscription::{Reaction, Subscriptions};
use crate::era::api::{EVENTS_NEED_TOKEN, LAST_ID_IS_FOR_ALL_SUBSCRIPTIONS};

/// How often a client hears from us, so that whatever lies between keeps the connection.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long a client may take to make room for a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client.
pub(crate) struct Follower<S> {
    api: Arc<Api>,
    request: Arc<ApiRequest>,
    socket: WebSocketStream<S>,
    subscriptions: Subscriptions,
    /// The last entry of the log that was looked at for it.
    seen: i64,
    /// How many events it was sent.
    counted: u64,
    ping_every: Duration,
    patience: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Follower<S> {
    /// A client that has made `request`, and has subscribed to nothing yet.
    pub(crate) fn new(api: Arc<Api>, request: ApiRequest, socket: WebSocketStream<S>) -> Self {
        Self {
            api,
            request: Arc::new(request),
            socket,
            subscriptions: Subscriptions::default(),
            seen: 0,
            counted: 0,
            ping_every: PING_EVERY,
            patience: PATIENCE,
        }
    }

    /// Talks to it until one side ends that.
    ///
    /// # Errors
    /// When the connection breaks or makes no sense, the client does not read, or the database
    /// fails.
    pub(crate) async fn follow(mut self) -> anyhow::Result<()> {
        if EVENTS_NEED_TOKEN.of(self.api.era) && !self.has_token().await? {
            return self.refuse().await;
        }
        let mut changes = self.api.store.changes();
        let mut ping = interval_at(Instant::now() + self.ping_every, self.ping_every);
        loop {
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                        self.receive(&message.into_data()).await?;
                    }
                    // What the protocol asks for is answered by the socket itself.
                    Some(Ok(_)) => {}
                    None | Some(Err(Error::ConnectionClosed)) => return Ok(()),
                    Some(Err(Error::Io(_))) => return Ok(()),
                    Some(Err(error)) => return Err(error.into()),
                },
                changed = changes.changed() => {
                    changed?;
                    self.tell().await?;
                }
                _ = ping.tick() => self.send(Message::Ping(Bytes::new())).await?,
            }
        }
    }

    async fn has_token(&mut self) -> anyhow::Result<bool> {
        self.ask(|api, db, request| {
            let token = request.token.as_deref();
            Ok(match token {
                Some(token) => caller::of_token(api, db, token)?.is_some(),
                None => false,
            })
        })
        .await
    }

    async fn refuse(&mut self) -> anyhow::Result<()> {
        let refusal = json!({"status": 401, "message": "Valid API token required"});
        self.send(Message::text(refusal.to_string())).await?;
        self.send(Message::Close(None)).await
    }

    async fn receive(&mut self, message: &[u8]) -> anyhow::Result<()> {
        if self.subscriptions.is_empty() {
            // Without any, entries were not looked at.
            self.seen = self.ask(|_, db, _| Ok(event::last_id(db)?)).await?;
        }
        let Reaction { answer, replay } = self.subscriptions.receive(self.api.era, message);
        self.send(Message::text(answer.to_string())).await?;
        if let Some((last_id, condition)) = replay {
            let wanted = match LAST_ID_IS_FOR_ALL_SUBSCRIPTIONS.of(self.api.era) {
                true => self.subscriptions.condition(),
                false => condition,
            };
            self.send_events(wanted, last_id, Some(self.seen)).await?;
        }
        Ok(())
    }

    /// Sends what has been added to the log.
    async fn tell(&mut self) -> anyhow::Result<()> {
        if !self.subscriptions.is_empty() {
            let wanted = self.subscriptions.condition();
            self.seen = self.send_events(wanted, self.seen, None).await?;
        }
        Ok(())
    }

    /// Sends the events behind `after`, up to `end` or all that there are. Returns the id of the last
    /// entry that was looked at.
    async fn send_events(
        &mut self,
        wanted: Condition,
        mut after: i64,
        end: Option<i64>,
    ) -> anyhow::Result<i64> {
        let wanted = Arc::new(wanted);
        loop {
            let (wanted, counted) = (Arc::clone(&wanted), self.counted);
            let read = move |api: &Api, db: &Connection, request: &ApiRequest| {
                event::read(api, db, request, &wanted, (after, end), counted)
            };
            let stretch = self.ask(read).await?;
            self.counted += stretch.events.len() as u64;
            for event in stretch.events {
                self.send(Message::text(event)).await?;
            }
            after = stretch.end;
            if stretch.is_last {
                return Ok(after);
            }
        }
    }

    async fn send(&mut self, message: Message) -> anyhow::Result<()> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => anyhow::bail!("the client has not read for {:?}", self.patience),
        }
    }

    /// Asks the database, for which clients take turns: each of those that ask at once needs a
    /// connection to it.
    async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Api, &Connection, &ApiRequest) -> Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (api, request) = (Arc::clone(&self.api), Arc::clone(&self.request));
        let _turn = self.api.followers.acquire().await?;
        let work =
            tokio::task::spawn_blocking(move || api.store.read(|db| work(&api, db, &request)));
        work.await?.context("cannot read the log")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sdk_fixtures::Fixtures;
    use serde_json::Value;
    use tokio::io::{DuplexStream, duplex};
    use tokio::sync::Semaphore;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

    use super::*;
    use crate::api::discovery_cache::DiscoveryCache;
    use crate::api::object;
    use crate::api::permission_cache::PermissionCache;
    use crate::api::resources::LOGS;
    use crate::api::store::Store;
    use crate::api::{image, uuid};
    use crate::era::Era;

    fn api(folder: &Path) -> Arc<Api> {
        let image = image::prepare(&Fixtures::builtin(), folder, Era::Current).unwrap();
        Arc::new(Api {
            era: Era::Current,
            store: Store::open(&folder.join("database"), &image).unwrap(),
            discovery: DiscoveryCache::default(),
            permissions: PermissionCache::new(Era::Current),
            followers: Semaphore::new(1),
            signer: None,
            signature_ttl_seconds: 1,
            default_replication: 2,
        })
    }

    /// Adds `count` entries with a text that is longer than what is on its way to a client.
    fn add(api: &Api, count: usize) {
        for _ in 0..count {
            let entry = json!({"uuid": uuid::new(LOGS.infix), "object_uuid": uuid::SYSTEM_USER,
                "properties": {"text": "x".repeat(1000)}});
            let entry = entry.as_object().unwrap();
            api.store.write(|db| Ok(object::insert(db, &LOGS, api.era, entry)?)).unwrap();
        }
    }

    /// The server's side of an admin's socket on which little can be on its way, and the client's.
    async fn connect(
        api: &Arc<Api>,
        patience: Duration,
    ) -> (Follower<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = duplex(64);
        let config = Some(WebSocketConfig::default().write_buffer_size(0));
        let server = WebSocketStream::from_raw_socket(ours, Role::Server, config).await;
        let client = WebSocketStream::from_raw_socket(theirs, Role::Client, config).await;
        let token = sdk_fixtures::auth_token("admin").unwrap();
        let request = hyper::Request::get(format!("/websocket?api_token={token}"));
        let (head, ()) = request.body(()).unwrap().into_parts();
        let request = ApiRequest::read(&head, b"", api.era).unwrap();
        let mut follower = Follower::new(Arc::clone(api), request, server);
        follower.patience = patience;
        (follower, client)
    }

    async fn subscribe(client: &mut WebSocketStream<DuplexStream>) {
        let message = json!({"method": "subscribe"}).to_string();
        client.send(Message::text(message)).await.unwrap();
        let answer = client.next().await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap().as_str(), r#"{"status":200}"#);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let api = api(folder.path());
        let (follower, mut client) = connect(&api, Duration::from_millis(20)).await;
        let follower = tokio::spawn(follower.follow());
        subscribe(&mut client).await;
        add(&api, 1);
        let ended = follower.await.unwrap().unwrap_err();
        assert!(ended.to_string().contains("has not read"), "{ended}");
    }

    #[tokio::test]
    async fn a_client_hears_from_us_while_nothing_happens() {
        let folder = tempfile::tempdir().unwrap();
        let (mut follower, mut client) = connect(&api(folder.path()), PATIENCE).await;
        follower.ping_every = Duration::from_millis(5);
        tokio::spawn(follower.follow());
        for _ in 0..3 {
            assert_eq!(client.next().await.unwrap().unwrap(), Message::Ping(Bytes::new()));
        }
    }

    #[tokio::test]
    async fn a_client_that_reads_late_misses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let api = api(folder.path());
        let (follower, mut client) = connect(&api, PATIENCE).await;
        let follower = tokio::spawn(follower.follow());
        subscribe(&mut client).await;
        add(&api, 50);
        for number in 1..=50 {
            let event = client.next().await.unwrap().unwrap().into_text().unwrap();
            let event: Value = serde_json::from_str(&event).unwrap();
            assert_eq!(event["msgID"], number);
        }
        client.close(None).await.unwrap();
        while client.next().await.is_some() {}
        follower.await.unwrap().unwrap();
    }
}
