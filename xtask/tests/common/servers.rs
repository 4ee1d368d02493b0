//! Servers that `run-test-server` starts, as their callers see them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{Checkout, Done};

/// A checkout of ours, and beside it one of Arvados.
pub(crate) struct Servers {
    pub(crate) ours: Checkout,
    pub(crate) arvados: PathBuf,
}

impl Servers {
    pub(crate) fn new() -> Self {
        let ours = Checkout::new();
        let arvados = ours.root().join("arva dos");
        for folder in ["sdk/python/tests", "services/api/config", "services/api/test"] {
            fs_err::create_dir_all(arvados.join(folder)).unwrap();
        }
        Self { ours, arvados }
    }

    /// A file that callers look for.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.arvados.join("tmp").join(name)
    }

    pub(crate) fn number(&self, name: &str) -> i32 {
        let text = fs_err::read_to_string(self.file(name)).unwrap();
        // As the script reads it, and writes it: without a line end.
        text.parse().unwrap_or_else(|_| panic!("{name} has {text:?}"))
    }

    /// An action, as called in a shell where nothing else is up.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.ours.command(&["run-test-server"]);
        command.arg("--arvados-src").arg(&self.arvados).args(arguments);
        for name in ["ARVADOS_TEST_API_HOST", "ARVADOS_TEST_PROXY_SERVICES", "XTASK_STACK"] {
            command.env_remove(name);
        }
        for name in ["ARVADOS_API_HOST", "ARVADOS_API_TOKEN", "ARVADOS_TEST_CA_CERT", "GOPATH"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// The variables that `start` prints.
    pub(crate) fn started(&self, auth: &str) -> Vec<(String, String)> {
        let printed = self.run(&["start", "--auth", auth]).ok().stdout;
        let variables = printed.lines().map(|line| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        variables.collect()
    }

    pub(crate) fn with(&self, variables: &[(String, String)], arguments: &[&str]) -> Done {
        let variables = variables.iter().map(|(name, value)| (name, value));
        self.command(arguments).envs(variables).output().unwrap().into()
    }

    /// What the API server says of its keep services, disks or whatever else.
    pub(crate) fn listed(&self, variables: &[(String, String)], resource: &str) -> Value {
        let get = |wanted: &str| &variables.iter().find(|(name, _)| name == wanted).unwrap().1;
        let url = format!("https://{}/arvados/v1/{resource}", get("ARVADOS_API_HOST"));
        let header = format!("Authorization: OAuth2 {}", get("ARVADOS_API_TOKEN"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--noproxy", "*", "--header", &header, "--cacert"]);
        curl.arg(self.arvados.join("services/api/tmp/self-signed.pem")).arg(url);
        let done = Done::from(curl.output().unwrap()).ok();
        serde_json::from_str::<Value>(&done.stdout).unwrap()["items"].clone()
    }

    /// The ports of its keep services of a type.
    pub(crate) fn registered(
        &self,
        variables: &[(String, String)],
        service_type: &str,
    ) -> Vec<i64> {
        let items = self.listed(variables, "keep_services");
        let of_type = items.as_array().unwrap().iter();
        let of_type = of_type.filter(|item| item["service_type"] == service_type);
        of_type.map(|item| item["service_port"].as_i64().unwrap()).collect()
    }

    /// The name of the only stack that there is.
    pub(crate) fn stack(&self) -> String {
        let list = self.ours.services(&["list", "--format", "json"]).ok().stdout;
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list.as_array().unwrap().len(), 1, "{list:#}");
        list[0]["stack"].as_str().unwrap().to_owned()
    }
}
