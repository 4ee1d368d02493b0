//! A service that services.yml declares: any program that a suite needs beside the cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Context;
use super::launch::{Launch, Probe, Question, Sockets, Stop};
use crate::process::run::Running;
use crate::template;

/// How long emptying it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What services.yml says of it. In all of its texts, gaps are filled as [`Extra::values`] has
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    /// Program and arguments. A program without a slash is looked for on PATH, any other is
    /// relative to the workspace. It works in the service's own folder, which is empty at first.
    pub(crate) command: Vec<String>,
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
    stop: Stop,
    /// A command that empties it; without one, a reset leaves it as it is.
    #[serde(default)]
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
    Exec(Vec<String>),
}

impl Extra {
    /// What is wrong with it whatever the stack is, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.command.is_empty() {
            return Err("its command is empty".into());
        }
        let asks_a_port = matches!(self.probe, Some(ExtraProbe::Tcp | ExtraProbe::Http(_)));
        if asks_a_port && self.ports.is_empty() {
            return Err("its probe asks a port, and it has none".into());
        }
        let empty = |command: &Option<Vec<String>>| command.as_ref().is_some_and(Vec::is_empty);
        let probe_is_empty =
            matches!(&self.probe, Some(ExtraProbe::Exec(words)) if words.is_empty());
        if empty(&self.stop.command) || empty(&self.reset) || probe_is_empty {
            return Err("a command of it is empty".into());
        }
        // Shells evaluate what it exports: no name may be anything else there.
        if let Some(name) = self.export.keys().find(|name| !is_variable(name)) {
            return Err(format!("{name:?} is no name of a variable"));
        }
        let gaps: Vec<(String, String)> = self.gaps().map(|gap| (gap, String::new())).collect();
        self.texts().try_for_each(|text| template::fill(text, &gaps).map(drop))
    }

    /// Its program, as the command has it.
    pub(crate) fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    pub(super) fn launch(&self, context: &Context<'_>, name: &str) -> anyhow::Result<Launch> {
        let values = self.values(context, name);
        let arguments = fill_all(self.command.get(1..).unwrap_or_default(), &values)?;
        let mut launch = Launch::new(arguments, Sockets::Own, self.probe(&values)?);
        for (variable, text) in &self.env {
            launch.environment.push((variable.clone(), fill(text, &values)?));
        }
        let command = self.stop.command.as_ref().map(|command| fill_all(command, &values));
        launch.stop = Stop { command: command.transpose()?, ..self.stop.clone() };
        Ok(launch)
    }

    fn probe(&self, values: &[(String, String)]) -> anyhow::Result<Probe> {
        let on_first_port = |question| match self.ports.first() {
            Some(port) => Probe::Port(port.clone(), question),
            None => Probe::Alive,
        };
        Ok(match &self.probe {
            None | Some(ExtraProbe::Tcp) => on_first_port(Question::Connection),
            Some(ExtraProbe::Http(path)) => on_first_port(Question::Http(fill(path, values)?)),
            Some(ExtraProbe::Log(text)) => Probe::Log(fill(text, values)?),
            Some(ExtraProbe::Exec(command)) => Probe::Exec(fill_all(command, values)?),
        })
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
        let command = fill_all(command, &self.values(context, name))?;
        let log = fs_err::OpenOptions::new().append(true).open(context.folder.log(name))?;
        let log = log.into_parts().0;
        let running = Running::start(&command, &folder(context, name), log)?;
        let how = match running.finish(Instant::now() + PATIENCE)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => format!("ended with {status}"),
            None => format!("did not end within {} s", PATIENCE.as_secs()),
        };
        anyhow::bail!("its command for that, {}, {how}; see the end of its log", command.join(" "))
    }

    /// Every text in which a gap may be.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let probe = match &self.probe {
            None | Some(ExtraProbe::Tcp) => &[][..],
            Some(ExtraProbe::Http(text) | ExtraProbe::Log(text)) => std::slice::from_ref(text),
            Some(ExtraProbe::Exec(words)) => words,
        };
        let commands = [&self.stop.command, &self.reset].into_iter().flatten().flatten();
        let maps = self.env.values().chain(self.export.values());
        self.command.iter().chain(probe).chain(commands).chain(maps)
    }

    /// The names of the gaps that its texts may have.
    fn gaps(&self) -> impl Iterator<Item = String> {
        let first = self.ports.first().map(|_| "port".to_owned());
        let ports = self.ports.iter().map(|port| format!("port.{port}"));
        ["host", "folder", "stack"].map(str::to_owned).into_iter().chain(first).chain(ports)
    }

    /// What the gaps stand for: the host, the service's own folder, the stack's folder, the number
    /// of its first port, and of each by its name.
    fn values(&self, context: &Context<'_>, name: &str) -> Vec<(String, String)> {
        let value = |gap: &str| match gap {
            "host" => context.host(),
            "folder" => folder(context, name).display().to_string(),
            "stack" => context.folder.path().display().to_string(),
            "port" => context.port(self.ports.first().map_or("", String::as_str)).to_owned(),
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
        assert!(check("{command: []}").unwrap_err().contains("command is empty"));
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
    fn a_stop_signal_has_its_usual_names() {
        let signal = |text: &str| {
            let extra: Extra = serde_yaml::from_str(text).unwrap();
            extra.stop.signal
        };
        let int = nix::sys::signal::Signal::SIGINT;
        assert_eq!(signal("{command: [x], stop: {signal: INT}}"), int);
        assert_eq!(signal("{command: [x], stop: {signal: SIGINT}}"), int);
        let wrong = check("{command: [x], stop: {signal: SIGITN}}").unwrap_err();
        assert!(wrong.contains("did you mean SIGINT?"), "{wrong}");
    }
}
