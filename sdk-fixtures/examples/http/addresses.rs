//! Where the services of the cluster are, as the environment and its API server say.

use std::sync::Arc;

use anyhow::Context;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use sdk_fixtures::Fixtures;
use serde_json::Value;

use crate::case::{Era, Service};
use crate::connection::{self, Address};

/// The addresses that are known.
pub(crate) struct Addresses {
    tls: Arc<ClientConfig>,
    api: String,
    era: Era,
    /// A keepstore's `scheme://host:port`.
    keepstore: Option<String>,
}

impl Addresses {
    /// # Errors
    /// When there is no cluster, or its API server does not answer.
    pub(crate) fn from_environment(fixtures: &Fixtures) -> anyhow::Result<Self> {
        let variable = |name: &str| {
            std::env::var(name).with_context(|| {
                format!("{name} is not set: start a cluster and export its environment")
            })
        };
        let api = variable("ARVADOS_API_HOST")?;
        let tls = trusting(&variable("ARVADOS_TEST_CA_CERT")?)?;
        let (tls, era) = (Arc::new(tls), Era::Current);
        let mut addresses = Self { tls, api, era, keepstore: None };
        addresses.era = addresses.ask_for_era()?;
        addresses.keepstore = addresses.ask_for_keepstore(&fixtures.auth_token("admin")?)?;
        Ok(addresses)
    }

    /// Whose clients the cluster serves.
    pub(crate) fn era(&self) -> Era {
        self.era
    }

    /// Where to reach the service.
    ///
    /// # Errors
    /// Why it is not known: the cluster has none.
    pub(crate) fn of(&self, service: Service) -> Result<Address, String> {
        let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        let url = match service {
            Service::Api => format!("https://{}", self.api),
            Service::Keepstore => self.keepstore.clone().ok_or("the cluster has no keepstore")?,
            Service::Keepproxy => variable("ARVADOS_TEST_KEEPPROXY_URL")?,
            Service::KeepproxyTls => variable("ARVADOS_TEST_KEEPPROXY_SSL_URL")?,
            Service::Git => variable("ARVADOS_TEST_GIT_URL")?,
            Service::GitTls => variable("ARVADOS_TEST_GIT_SSL_URL")?,
        };
        let (scheme, host) = url.split_once("://").ok_or_else(|| format!("{url:?} is no URL"))?;
        let tls = (scheme == "https").then(|| self.tls.clone());
        Ok(Address { host: host.trim_end_matches('/').to_owned(), tls })
    }

    /// Only in 2015 are there jobs.
    fn ask_for_era(&self) -> anyhow::Result<Era> {
        let address = self.of(Service::Api).map_err(anyhow::Error::msg)?;
        let head = format!(
            "GET /discovery/v1/apis/arvados/v1/rest HTTP/1.1\r\nHost: {}\r\n\
             Connection: close\r\n\r\n",
            address.host
        );
        let answer = connection::exchange(&address, &head, b"")?;
        let document: Value =
            serde_json::from_slice(&answer.body).context("the discovery document")?;
        Ok(match document["resources"].get("jobs") {
            Some(_) => Era::Y2015,
            None => Era::Current,
        })
    }

    fn ask_for_keepstore(&self, token: &str) -> anyhow::Result<Option<String>> {
        let address = self.of(Service::Api).map_err(anyhow::Error::msg)?;
        let head = format!(
            "GET /arvados/v1/keep_services HTTP/1.1\r\nHost: {}\r\n\
             Authorization: {} {token}\r\nConnection: close\r\n\r\n",
            address.host,
            self.era.token_scheme(),
        );
        let answer = connection::exchange(&address, &head, b"")?;
        let list: Value = serde_json::from_slice(&answer.body).context("keep_services")?;
        let items = list["items"].as_array().context("keep_services has no items")?;
        let disk = items.iter().find(|item| item["service_type"] == "disk");
        Ok(disk.and_then(|item| {
            let scheme = if item["service_ssl_flag"] == true { "https" } else { "http" };
            Some(format!("{scheme}://{}:{}", item["service_host"].as_str()?, item["service_port"]))
        }))
    }
}

/// TLS that trusts the authorities in this file and no other.
fn trusting(path: &str) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).with_context(|| path.to_owned())? {
        roots.add(certificate.with_context(|| path.to_owned())?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    Ok(builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
