//! What today's clients may know of the cluster's configuration.

use serde_json::{Value, json};

use super::collection::TRASH_LIFETIME_SECONDS;
use super::context::Api;
use super::uuid;
use super::versions;

/// The published part of the configuration, for a client that reached the server as `host`.
pub(crate) fn document(api: &Api, host: &str) -> Value {
    let url = format!("https://{host}/");
    let websocket = format!("wss://{host}{}", super::websocket::PATH);
    json!({
        "ClusterID": uuid::CLUSTER,
        "API": {
            "MaxItemsPerResponse": super::listing::MAX_LIMIT,
            "MaxRequestSize": super::MAX_BODY_BYTES,
        },
        "Collections": {
            "BlobSigning": api.signer.is_some(),
            "BlobSigningTTL": format!("{}s", api.signature_ttl_seconds),
            "CollectionVersioning": true,
            "PreserveVersionIfIdle": format!("{}s", versions::IDLE.as_secs()),
            "DefaultReplication": api.default_replication,
            "DefaultTrashLifetime": format!("{TRASH_LIFETIME_SECONDS}s"),
            "TrustAllContent": false,
        },
        "Services": {
            "Controller": {"ExternalURL": url},
            "Websocket": {"ExternalURL": websocket},
        },
        "StorageClasses": {"default": {"Default": true, "Priority": 0}},
        "Volumes": {},
    })
}

/// The property vocabulary: this cluster leaves all keys and values free.
pub(crate) fn vocabulary() -> Value {
    json!({"strict_tags": false, "tags": {}})
}
