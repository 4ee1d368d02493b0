//! The environment in which a client finds the cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::Format;
use crate::environment;
use crate::lifecycle::Cluster;
use crate::services::client_host;

/// Would send a client elsewhere than to the cluster: a shell has to forget them.
const REROUTING: [&str; 4] =
    ["ARVADOS_EXTERNAL_CLIENT", "ARVADOS_KEEP_PROXY", "ARVADOS_KEEP_SERVICES", "KEEP_LOCAL_STORE"];

/// What to set and what to unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    set: BTreeMap<String, String>,
}

impl Environment {
    /// The variables of a stack, with the fixture token of label `auth`.
    ///
    /// # Errors
    /// When the fixtures have no such token, or services.yml has a mistake in what it exports.
    pub(crate) fn of_stack(cluster: &Cluster<'_>, auth: &str) -> anyhow::Result<Self> {
        let state = &cluster.state;
        let token = match auth {
            "admin" => state.admin_token.clone(),
            label => crate::commands::token::of(&state.settings.fixtures(), label)?,
        };
        let host = client_host(state.settings.host);
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        let at = |port: &str| state.ports.get(port).map(|number| format!("{host}:{number}"));
        let runs = |service: &str| state.service(service).is_some();
        let mut set = BTreeMap::new();
        let mut put = |name: &str, value: String| set.insert(name.to_owned(), value);
        if let (Some(api), true) = (at("api"), runs("api")) {
            put("ARVADOS_API_HOST", api.clone());
            put("ARVADOS_TEST_API_HOST", api);
        }
        put("ARVADOS_API_TOKEN", token);
        put("ARVADOS_API_HOST_INSECURE", "true".into());
        put("ARVADOS_TEST_PROXY_SERVICES", "1".into());
        put("ARVADOS_TEST_CA_CERT", cluster.folder.authority().display().to_string());
        if environment::has_proxy() {
            for (name, value) in environment::no_proxy() {
                put(name, value);
            }
        }
        put("XTASK_STACK", cluster.folder.name().to_string());
        let urls = [
            ("ARVADOS_TEST_KEEPPROXY_URL", "http", "keepproxy", &["keepproxy"][..]),
            ("ARVADOS_TEST_KEEPPROXY_SSL_URL", "https", "keepproxy-ssl", &["nginx", "keepproxy"]),
            ("ARVADOS_TEST_GIT_URL", "http", "arv-git-httpd", &["arv-git-httpd"]),
            ("ARVADOS_TEST_GIT_SSL_URL", "https", "arv-git-httpd-ssl", &["nginx", "arv-git-httpd"]),
        ];
        for (name, scheme, port, services) in urls {
            if let (Some(address), true) = (at(port), services.iter().all(|name| runs(name))) {
                put(name, format!("{scheme}://{address}"));
            }
        }
        let context = cluster.context();
        for (name, extra) in state.settings.services.iter().filter(|(name, _)| runs(name)) {
            set.extend(extra.exported(&context, name)?);
        }
        Ok(Self { set })
    }

    /// The variables to set.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The text for standard output, with a line end.
    pub(crate) fn print(&self, format: Format) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        match format {
            Format::Human => {
                for (name, value) in &self.set {
                    let _ = writeln!(text, "{name}={value}");
                }
            }
            Format::Sh => {
                let _ = writeln!(text, "unset {}", REROUTING.join(" "));
                for (name, value) in &self.set {
                    let _ = writeln!(text, "export {name}={}", quote(value));
                }
            }
            Format::Json => {
                let json = serde_json::json!({ "set": self.set, "unset": REROUTING });
                let _ = writeln!(text, "{json:#}");
            }
        }
        text
    }
}

/// `text` as one word of a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_of_the_shell() {
        assert_eq!(quote("127.0.0.1:8000"), "127.0.0.1:8000");
        assert_eq!(quote("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn the_shell_form_unsets_what_would_lead_elsewhere() {
        let environment = Environment {
            set: BTreeMap::from([("ARVADOS_TEST_CA_CERT".into(), "/a b/ca.pem".into())]),
        };
        assert_eq!(
            environment.print(Format::Sh),
            "unset ARVADOS_EXTERNAL_CLIENT ARVADOS_KEEP_PROXY ARVADOS_KEEP_SERVICES \
             KEEP_LOCAL_STORE\nexport ARVADOS_TEST_CA_CERT='/a b/ca.pem'\n"
        );
        let json: serde_json::Value =
            serde_json::from_str(&environment.print(Format::Json)).unwrap();
        assert_eq!(json["set"]["ARVADOS_TEST_CA_CERT"], "/a b/ca.pem");
    }
}
