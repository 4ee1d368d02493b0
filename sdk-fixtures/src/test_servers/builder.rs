//! What a cluster for test code consists of, and how it is started.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use super::xtask::Xtask;
use super::{Error, Exported, TestServers};

/// Chooses the services of a cluster. What those need is started with them.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    keep: bool,
    proxy: bool,
    git: bool,
    tls: bool,
    profile: Option<String>,
    settings: Vec<String>,
}

impl Builder {
    /// Keepstores. Without these and a keepproxy, clients store blocks in a temporary folder of
    /// their own (`KEEP_LOCAL_STORE`).
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Keepstores that sign with this key, which the API server shares.
    pub fn blob_signing_key(self, key: &str) -> Self {
        // In quotes, for a key of digits is a text too.
        self.keep().set("blob_signing_key", &format!("'{}'", key.replace('\'', "''")))
    }

    /// Keepstores that refuse to read a block without a valid signature.
    pub fn enforce_permissions(self) -> Self {
        self.keep().set("enforce_permissions", "true")
    }

    /// A keepproxy, through which all clients go (`ARVADOS_KEEP_PROXY`), and keepstores behind it.
    pub fn proxy(mut self) -> Self {
        self.proxy = true;
        self
    }

    /// The git repositories of the fixtures, over HTTP.
    pub fn git(mut self) -> Self {
        self.git = true;
        self
    }

    /// A TLS front, with a keepproxy and the git repositories behind it. That keepproxy is there
    /// for who asks for it: clients go through it only with [`Self::proxy`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// A profile of services.yml.
    pub fn profile(mut self, name: &str) -> Self {
        self.profile = Some(name.to_owned());
        self
    }

    /// A setting of services.yml, with a value as it would be written there; it takes precedence
    /// over a profile.
    pub fn set(mut self, setting: &str, value: &str) -> Self {
        self.settings.push(format!("{setting}={value}"));
        self
    }

    /// Starts the cluster, and returns when all of it answers. The first time, its programs are
    /// built, which takes a minute or two; that is said on standard error.
    ///
    /// # Errors
    /// When the programs cannot be built, a profile or setting is wrong, or a service does not
    /// come up. Then nothing is left but the logs.
    pub fn start(self) -> Result<TestServers, Error> {
        let xtask = Xtask::find()?;
        let stack = unused_name();
        let output = xtask.run(&self.arguments(&stack))?;
        // From here on it goes down, whatever fails.
        let mut servers =
            TestServers { xtask, stack, set: [].into(), unset: [].into(), is_up: true };
        let exported: Exported = serde_json::from_str(&output).map_err(|_| Error::Unreadable {
            what: "what `services up --format json` prints".into(),
            content: output.clone(),
        })?;
        (servers.set, servers.unset) = (exported.set, exported.unset);
        // Clients would believe what they have cached of another cluster on the same port.
        servers.add_folder("XDG_CACHE_HOME", "client-cache")?;
        if !self.keep && !self.proxy {
            servers.add_folder("KEEP_LOCAL_STORE", "keep-local-store")?;
        }
        if let Some(url) = servers.keepproxy_url().filter(|_| self.proxy).map(str::to_owned) {
            servers.set.insert("ARVADOS_KEEP_PROXY".into(), url);
        }
        Ok(servers)
    }

    fn arguments(&self, stack: &str) -> Vec<String> {
        let owner = process::id().to_string();
        let fixed =
            ["services", "up", "--stack", stack, "--owner", &owner, "--format", "json", "api"];
        let services = [
            (self.keep, "keepstore"),
            (self.proxy, "keepproxy"),
            (self.git, "arv-git-httpd"),
            (self.tls, "nginx"),
        ];
        let services = services.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name);
        let mut arguments: Vec<String> =
            fixed.into_iter().chain(services).map(Into::into).collect();
        arguments.extend(self.profile.iter().map(|name| format!("--profile={name}")));
        arguments.extend(self.settings.iter().map(|setting| format!("--set={setting}")));
        arguments
    }
}

/// The name of a stack that nobody else has, in this or another process.
fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // A process of another container may have our number, and the same checkout.
    let random = RandomState::new().build_hasher().finish() & 0xffff_ffff;
    format!("test-{}-{count}-{random:08x}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_started() {
        let all = Builder::default().blob_signing_key("it's 1").enforce_permissions().proxy();
        let arguments = all.git().tls().profile("many").arguments("s");
        let owner = process::id();
        let wanted = format!(
            "services up --stack s --owner {owner} --format json api keepstore keepproxy \
             arv-git-httpd nginx --profile=many --set=blob_signing_key='it''s 1' \
             --set=enforce_permissions=true"
        );
        assert_eq!(arguments.join(" "), wanted);
        assert!(Builder::default().arguments("s").ends_with(&["json".into(), "api".into()]));
    }

    #[test]
    fn no_two_stacks_have_one_name() {
        let names: std::collections::BTreeSet<String> = (0..100).map(|_| unused_name()).collect();
        assert_eq!(names.len(), 100);
    }
}
