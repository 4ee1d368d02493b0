//! The configuration file from which scripts of today know the cluster's ports.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use sdk_fixtures::Fixtures;
use serde_json::{Map, Value, json};

use super::variable;
use crate::stack::StackFolder;
use crate::suites::upstream;

/// As many keepstores as a suite may start.
const KEEPSTORES: usize = 4;

/// Writes it into the copy of the checkout; its path.
///
/// # Errors
/// When there is no port left, or the file cannot be written.
pub(super) fn write(copy: &Path, stack: &StackFolder) -> anyhow::Result<PathBuf> {
    let mut listeners = Vec::new();
    for _ in 0..KEEPSTORES {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    }
    let mut ports = Vec::new();
    for listener in &listeners {
        ports.push(listener.local_addr()?.port());
    }
    // Given up only now, so that no two are the same.
    drop(listeners);
    let key = fs_err::read_to_string(stack.blob_signing_key())?;
    let cluster = cluster(copy, &ports, &key)?;
    let path = copy.join("tmp/arvados.yml");
    // JSON is YAML too.
    fs_err::write(&path, json!({"Clusters": {"zzzzz": cluster}}).to_string())?;
    Ok(path)
}

fn cluster(copy: &Path, keepstore_ports: &[u16], signing_key: &str) -> anyhow::Result<Value> {
    let service = |internal: &str, external: &str| json!({"InternalURLs": {internal: {}}, "ExternalURL": external});
    let api = format!("https://{}", variable("ARVADOS_API_HOST")?);
    let proxy =
        [variable("ARVADOS_TEST_KEEPPROXY_URL")?, variable("ARVADOS_TEST_KEEPPROXY_SSL_URL")?];
    let git = [variable("ARVADOS_TEST_GIT_URL")?, variable("ARVADOS_TEST_GIT_SSL_URL")?];
    let mut keepstores: Vec<String> =
        keepstore_ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
    // The script numbers keepstores in the order of their addresses.
    keepstores.sort_unstable();
    let urls: Map<String, Value> = keepstores.iter().map(|url| (url.clone(), json!({}))).collect();
    let volume = |(number, url): (usize, &String)| {
        let root = copy.join(format!("tmp/keep{number}.data"));
        let volume = json!({
            "AccessViaHosts": {url: {}},
            "Driver": "Directory",
            "DriverParameters": {"Root": root},
        });
        (format!("zzzzz-nyw5e-{number:015}"), volume)
    };
    let root_token = Fixtures::open(copy.join(upstream::FIXTURES)).auth_token("system_user").ok();
    let volumes: Map<String, Value> = keepstores.iter().enumerate().map(volume).collect();
    Ok(json!({
        "SystemRootToken": root_token,
        "TLS": {"Insecure": true},
        "Services": {
            "RailsAPI": service(&api, &api),
            "Controller": service(&api, &api),
            "Keepproxy": service(&proxy[0], &proxy[1]),
            "GitHTTP": service(&git[0], &git[1]),
            "Keepstore": {"InternalURLs": urls},
        },
        "Collections": {"BlobSigningKey": signing_key, "BlobSigning": true},
        "Volumes": volumes,
    }))
}
