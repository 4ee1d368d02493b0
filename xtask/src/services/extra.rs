//! A service that services.yml declares: any program that a suite needs beside the cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::launch::{Launch, Probe, Question, Sockets, Stop, signal_name};
use super::{Context, any_version, client_host, words};
use crate::plan::Lookup;
use crate::process::marker::MARKER_VARIABLE;
use crate::process::run::Task;
use crate::{programs, template};

/// How long emptying it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What services.yml says of it. In all of its texts, gaps are filled as [`Extra::values`] has
/// them. All of its commands work in its own folder, with its environment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    /// Program and arguments. A program without a slash is looked for on PATH, any other is
    /// relative to the workspace. The folder that it works in is empty at first.
    #[serde(deserialize_with = "words::all")]
    command: Vec<String>,
    /// Further programs without which it cannot run, where its command is a script.
    #[serde(default)]
    requires: Vec<String>,
    /// Names of ports, each with a free number that stays the service's own.
    #[serde(default)]
    pub(crate) ports: Vec<String>,
    /// How to tell that it is ready: by default a connection to its first port, if it has one.
    #[serde(default, with = "serde_yaml::with::singleton_map")]
    probe: Option<ExtraProbe>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Services that have to be ready before it is started.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(default)]
    stop: ExtraStop,
    /// A command that empties it; without one, a reset leaves it as it is.
    #[serde(default, deserialize_with = "words::if_any")]
    reset: Option<Vec<String>>,
    /// Variables by which clients find it.
    #[serde(default)]
    pub(crate) export: BTreeMap<String, String>,
}

/// What services.yml may say of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum ExtraProbe {
    /// The program accepts connections on its first port.
    Tcp,
    /// It answers a GET of this path there.
    Http(String),
    /// Its log has a line with this text.
    Log(String),
    /// This command succeeds.
    Exec(#[serde(deserialize_with = "words::all")] Vec<String>),
}

/// What services.yml may say of its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct ExtraStop {
    /// Run first, for at most half of the time that it has.
    #[serde(deserialize_with = "words::if_any")]
    command: Option<Vec<String>>,
    /// Sent to its first process then.
    #[serde(with = "signal_name")]
    signal: Signal,
}

impl Default for ExtraStop {
    fn default() -> Self {
        Self { command: None, signal: Stop::default().signal }
    }
}

impl Extra {
    /// What is wrong with it whatever the stack is, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        let asks_a_port = matches!(self.probe, Some(ExtraProbe::Tcp | ExtraProbe::Http(_)));
        if asks_a_port && self.ports.is_empty() {
            return Err("its probe asks a port, and it has none".into());
        }
        if self.commands().any(Vec::is_empty) {
            return Err("a command of it is empty".into());
        }
        // Shells evaluate what it exports: no name may be anything else there.
        if let Some(name) = self.export.keys().find(|name| !is_variable(name)) {
            return Err(format!("{name:?} is no name of a variable"));
        }
        if let Some(name) = self.export.keys().find(|name| is_others(name)) {
            return Err(format!("it cannot export {name}, which the cluster or the shell sets"));
        }
        let gaps: Vec<(String, String)> = self.gaps().map(|gap| (gap, String::new())).collect();
        self.texts().try_for_each(|text| template::fill(text, &gaps).map(drop))
    }

    /// Its program, as the command has it.
    pub(crate) fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// All programs that it cannot do without and that can be known before it has a folder.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        let first = self.commands().filter_map(|command| command.first());
        let all = first.chain(&self.requires).map(String::as_str);
        all.filter(|program| !program.contains("{{"))
    }

    /// Where one of its programs is: on the PATH that it sets for itself, or on ours.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub(crate) fn look_up(&self, program: &str, lookup: Lookup<'_>) -> Result<PathBuf, String> {
        let own = self.env.get("PATH").filter(|_| !program.contains('/'));
        let own = own.and_then(|path| programs::find_in(std::env::split_paths(path), program));
        own.map_or_else(|| lookup(program, any_version), Ok)
    }

    pub(super) fn launch(&self, context: &Context<'_>, name: &str) -> anyhow::Result<Launch> {
        let values = self.values(context, name);
        let arguments = fill_all(self.command.get(1..).unwrap_or_default(), &values)?;
        let mut launch = Launch::new(arguments, Sockets::Own, self.probe(context, name)?);
        launch.environment = self.environment(&values)?;
        let command = self.stop.command.as_ref().map(|command| self.task(command, context, name));
        launch.stop = Stop { command: command.transpose()?, signal: self.stop.signal };
        Ok(launch)
    }

    fn environment(&self, values: &[(String, String)]) -> anyhow::Result<Vec<(String, String)>> {
        let variables = self.env.iter();
        variables.map(|(name, text)| Ok((name.clone(), fill(text, values)?))).collect()
    }

    fn probe(&self, context: &Context<'_>, name: &str) -> anyhow::Result<Probe> {
        let values = self.values(context, name);
        let on_first_port = |question| match self.ports.first() {
            Some(port) => Probe::Port(port.clone(), question),
            None => Probe::Alive,
        };
        Ok(match &self.probe {
            None | Some(ExtraProbe::Tcp) => on_first_port(Question::Connection),
            Some(ExtraProbe::Http(path)) => on_first_port(Question::Http(fill(path, &values)?)),
            Some(ExtraProbe::Log(text)) => Probe::Log(fill(text, &values)?),
            Some(ExtraProbe::Exec(command)) => Probe::Exec(self.task(command, context, name)?),
        })
    }

    /// One of its small commands.
    fn task(&self, command: &[String], context: &Context<'_>, name: &str) -> anyhow::Result<Task> {
        let values = self.values(context, name);
        let mut command = fill_all(command, &values)?;
        if let Some(program) = command.first_mut() {
            let lookup: Lookup<'_> = &|name, check| context.workspace.look_up(name, check);
            // One that is not there is reported by whoever runs it.
            if let Ok(path) = self.look_up(program, lookup) {
                *program = path.display().to_string();
            }
        }
        let mut environment = self.environment(&values)?;
        // What it leaves behind is the service's.
        let marker = context.markers.get(name).cloned();
        environment.extend(marker.map(|marker| (MARKER_VARIABLE.to_owned(), marker)));
        Ok(Task { command, folder: folder(context, name), environment })
    }

    /// The variables by which clients find it.
    ///
    /// # Errors
    /// A mistake in services.yml.
    pub(crate) fn exported(
        &self,
        context: &Context<'_>,
        name: &str,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let values = self.values(context, name);
        let exported = self.export.iter();
        exported.map(|(name, text)| Ok((name.clone(), fill(text, &values)?))).collect()
    }

    /// An empty folder of its own.
    pub(super) fn prepare(context: &Context<'_>, name: &str) -> anyhow::Result<()> {
        let folder = folder(context, name);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        Ok(fs_err::create_dir_all(folder)?)
    }

    pub(super) fn reset(&self, context: &Context<'_>, name: &str) -> anyhow::Result<()> {
        let Some(command) = &self.reset else { return Ok(()) };
        self.task(command, context, name)?.start()?.finish(Instant::now() + PATIENCE)
    }

    /// What it runs: itself, and to ask, to empty and to stop it.
    fn commands(&self) -> impl Iterator<Item = &Vec<String>> {
        let probe = match &self.probe {
            Some(ExtraProbe::Exec(command)) => Some(command),
            _ => None,
        };
        let others = [probe, self.reset.as_ref(), self.stop.command.as_ref()];
        [&self.command].into_iter().chain(others.into_iter().flatten())
    }

    /// Every text in which a gap may be.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let probe = match &self.probe {
            Some(ExtraProbe::Http(text) | ExtraProbe::Log(text)) => Some(text),
            _ => None,
        };
        let maps = self.env.values().chain(self.export.values());
        self.commands().flatten().chain(probe).chain(maps)
    }

    /// The names of the gaps that its texts may have.
    fn gaps(&self) -> impl Iterator<Item = String> {
        let first = self.ports.first().map(|_| ["port", "address"]).into_iter().flatten();
        let ports = self.ports.iter().map(|port| format!("port.{port}"));
        let all = ["host", "folder", "stack", "workspace"].into_iter().chain(first);
        all.map(str::to_owned).chain(ports)
    }

    /// What the gaps stand for: the host, the folders of the service, of the stack and of the
    /// workspace, the number of its first port and `HOST:PORT` of that, as a URL has it, and the
    /// number of each port by its name.
    fn values(&self, context: &Context<'_>, name: &str) -> Vec<(String, String)> {
        let first_port = self.ports.first().map_or("", String::as_str);
        let value = |gap: &str| match gap {
            "host" => client_host(context.settings.host).to_string(),
            "folder" => folder(context, name).display().to_string(),
            "stack" => context.folder.path().display().to_string(),
            "workspace" => context.workspace.root().display().to_string(),
            "port" => context.port(first_port).to_owned(),
            "address" => context.address(first_port),
            port => context.port(port.trim_start_matches("port.")).to_owned(),
        };
        self.gaps().map(|gap| (gap.clone(), value(&gap))).collect()
    }
}

/// Whether a POSIX shell can have a variable of that name.
fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| plain(c) && !c.is_ascii_digit()) && name.chars().all(plain)
}

/// Whether a variable leads clients to the cluster, or shells to their programs: who evaluates
/// `env` must keep those.
fn is_others(name: &str) -> bool {
    let prefixes = ["ARVADOS_", "KEEP_", "LD_", "XTASK_"];
    ["HOME", "PATH"].contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn folder(context: &Context<'_>, name: &str) -> PathBuf {
    context.folder.data(name)
}

fn fill(text: &str, values: &[(String, String)]) -> anyhow::Result<String> {
    template::fill(text, values).map_err(anyhow::Error::msg).context("services.yml")
}

fn fill_all(texts: &[String], values: &[(String, String)]) -> anyhow::Result<Vec<String>> {
    texts.iter().map(|text| fill(text, values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> Result<(), String> {
        serde_yaml::from_str::<Extra>(yaml).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn a_probe_is_a_word_or_a_word_and_its_argument() {
        for probe in ["tcp", "{http: /ready}", "{log: listening}", "{exec: [pg_isready]}"] {
            check(&format!("{{command: [x], ports: [x], probe: {probe}}}")).unwrap();
        }
        assert!(check("{command: [x], probe: udp}").is_err());
    }

    #[test]
    fn a_mistake_is_found_before_anything_starts() {
        assert!(check("{command: []}").unwrap_err().contains("command of it is empty"));
        assert!(check("{command: [x], probe: tcp}").unwrap_err().contains("asks a port"));
        let gap = check("{command: [x, '{{prt}}'], ports: [x]}").unwrap_err();
        assert_eq!(gap, "unknown {{prt}}; did you mean port?");
        let other = check("{command: [x], ports: [x], env: {A: '{{port.y}}'}}").unwrap_err();
        assert!(other.contains("unknown {{port.y}}"), "{other}");
        for name in ["A;reboot", "1A", "", "A B", "A=B"] {
            let wrong = check(&format!("{{command: [x], export: {{'{name}': x}}}}")).unwrap_err();
            assert_eq!(wrong, format!("{name:?} is no name of a variable"));
        }
    }

    #[test]
    fn a_null_is_no_word_of_a_command() {
        let keys = [
            "command: [a, W]",
            "reset: [a, W]",
            "probe: {exec: [a, W]}",
            "stop: {command: [a, W]}",
        ];
        for key in keys {
            for (word, is_refused) in [("null", true), ("~", true), ("'null'", false)] {
                let other = if key.starts_with("command") { "" } else { "command: [x]\n" };
                let mistake = check(&format!("{other}{key}").replace('W', word));
                assert_eq!(mistake.is_err(), is_refused, "{key} {word}: {mistake:?}");
            }
        }
        let words = "{command: [x, 'null', 7, 1.10], reset: null, stop: {command: null}}";
        let extra: Extra = serde_yaml::from_str(words).unwrap();
        assert_eq!(extra.command, ["x", "null", "7", "1.10"]);
    }

    #[test]
    fn a_stop_signal_has_its_usual_names() {
        let signal = |text: &str| {
            let extra: Extra = serde_yaml::from_str(text).unwrap();
            extra.stop.signal
        };
        let int = Signal::SIGINT;
        assert_eq!(signal("{command: [x], stop: {signal: INT}}"), int);
        assert_eq!(signal("{command: [x], stop: {signal: SIGINT}}"), int);
        let wrong = check("{command: [x], stop: {signal: SIGITN}}").unwrap_err();
        assert!(wrong.contains("did you mean SIGINT?"), "{wrong}");
    }
}
