//! The command line.

use std::net::IpAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::settings::Era;
use crate::test_run::plan::Partition;

mod run_test_server;

pub(crate) use run_test_server::{KeepOptions, RunTestServer};

/// An Arvados test cluster, and the test suites that run on it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a suite or check failed; 2 wrong usage or configuration; \
3 the services could not be brought up or down; 130 or 143 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start, stop and look at a test cluster
    #[command(subcommand)]
    Services(Services),
    /// Run the test suites side by side, each on a cluster of its own
    TestAll(TestAll),
    /// Check formatting, lints, documentation, fixtures, configuration, scripts and spelling
    Lint(Lint),
    /// Have git check what is to be committed
    #[command(subcommand)]
    Hooks(Hooks),
    /// Show which programs are found where, and what cannot run without those that are missing
    ///
    /// Exits with 1 if a service of the cluster that is asked for could not run on this machine.
    Doctor(Doctor),
    /// Measure a cluster: its start, stop, reset and memory, and the speed of its services
    Bench(Bench),
    /// Do what `run_test_server.py` of Arvados does, action for action
    #[command(name = "run-test-server")]
    RunTestServer(RunTestServer),
    /// Run a Python suite of an Arvados checkout on the cluster that the environment names
    #[command(hide = true)]
    Upstream(Upstream),
    /// Take a stack down when standard input ends
    #[command(hide = true)]
    Guardian(Guardian),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Services {
    /// Start a cluster, or what is missing of it, and return once it answers
    Up(Up),
    /// Stop a cluster, or some of its services; its logs stay
    Down(Down),
    /// Put a running cluster back to its state just after `up`
    Reset(Target),
    /// Start services anew, on the same ports and with the data that they have
    Restart(Restart),
    /// Run one command on a cluster of its own, which is gone when the command ends
    Exec(Exec),
    /// Show what runs, and the log of what does not
    Status(Report),
    /// Show what the services have logged, merged by time
    ///
    /// Each line stands behind the name of its service. A line that does not say when it was
    /// written belongs to the one before it. The logs of a stack that is down are kept until it
    /// is brought up again.
    Logs(Logs),
    /// List the clusters of this checkout
    List(ListStacks),
    /// Print the environment in which a client finds the cluster
    Env(Env),
    /// Print the token of a user or other label of the fixtures
    Token(Token),
}

/// The stack that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// Name of the stack: letters, digits, `-`, `_`, `.`
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) stack: String,
}

#[derive(Args, Debug)]
pub(crate) struct Up {
    /// Services or kinds of service to start, with what they need; all of them if none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    #[command(flatten)]
    pub(crate) export: Export,
    /// Print what would be started, and start nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stay and show the logs; Ctrl-C takes the cluster down
    #[arg(long, conflicts_with_all = ["dry_run", "format", "auth"])]
    pub(crate) foreground: bool,
    /// The cluster belongs to this process: when that ends, however it does, nothing is left of it
    #[arg(long, value_name = "PID", conflicts_with_all = ["dry_run", "foreground"])]
    pub(crate) owner: Option<i32>,
}

/// Flags that take precedence over services.yml.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// A set of settings from services.yml
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Run the real program on PATH (`system`), the one at a path, or the `embedded` one
    #[arg(long = "provider", value_name = "SERVICE=PROVIDER")]
    pub(crate) providers: Vec<String>,
    /// Whose expectations decide where two generations of clients disagree
    #[arg(long, value_enum)]
    pub(crate) era: Option<Era>,
    /// Address to listen on; anything but loopback lends the cluster to the network
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<IpAddr>,
    /// Folder of fixture files to use instead of our own
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Checkout of Arvados whose fixtures and configuration are used, and with `--provider api=system`
    /// its API server
    #[arg(long, value_name = "DIR")]
    pub(crate) arvados_src: Option<PathBuf>,
    /// Any setting of services.yml, with a value as it would be written there
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) settings: Vec<String>,
}

/// How the environment is printed, and for whom.
#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    /// Label of the fixture token to export as ARVADOS_API_TOKEN
    #[arg(long, value_name = "FIXTURE", default_value = "admin")]
    pub(crate) auth: String,
    /// How the environment is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct Down {
    /// Services or kinds of service to stop; all of them if none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Every stack of this checkout, and what still runs of checkouts that have been deleted
    #[arg(long, conflicts_with_all = ["services", "stack"])]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Restart {
    /// Services or kinds of service to restart; all of them if none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    pub(crate) command: Vec<String>,
    /// Label of the fixture token to export as ARVADOS_API_TOKEN
    #[arg(long, value_name = "FIXTURE", default_value = "admin")]
    pub(crate) auth: String,
    /// Run it on this stack, which is up, and leave that as it is
    #[arg(long, value_name = "NAME")]
    #[arg(conflicts_with_all = ["profile", "providers", "era", "host", "fixtures", "arvados_src", "settings"])]
    pub(crate) stack: Option<String>,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
}

#[derive(Args, Debug)]
pub(crate) struct Upstream {
    /// The checkout
    #[arg(value_name = "DIR")]
    pub(crate) checkout: PathBuf,
    /// The folder in it that has the suite
    #[arg(value_name = "FOLDER")]
    pub(crate) suite: String,
    /// Some of its tests, as unittest names them; all if none is named
    #[arg(value_name = "TEST")]
    pub(crate) tests: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Guardian {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The process to wait for, in place of the end of standard input
    #[arg(long, value_name = "PID")]
    pub(crate) owner: Option<i32>,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// `human` or `json`
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    pub(crate) format: ReportFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Show it again whenever something changes, until the cluster goes down
    #[arg(long)]
    pub(crate) watch: bool,
    /// `human` or `json`
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    pub(crate) format: ReportFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// Services or kinds of service whose logs are meant; all of them if none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Go on with what is logged from now on, until the stack is down
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Begin with the last N lines of all logs together [default: all, or 10 with --follow]
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) lines: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct ListStacks {
    /// `human` or `json`
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    pub(crate) format: ReportFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) export: Export,
    /// Undo it: unset every variable that this command may set, whether the cluster is up or not
    #[arg(long, conflicts_with = "auth")]
    pub(crate) unset: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Token {
    /// Label in the fixture file api_client_authorizations.yml, such as `active`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct TestAll {
    /// Run the Python suites of this checkout of Arvados too
    #[arg(long, value_name = "DIR")]
    pub(crate) upstream: Option<PathBuf>,
    /// Run only this suite; may be given more than once
    #[arg(long = "suite", value_name = "NAME")]
    pub(crate) suites: Vec<String>,
    /// Leave this suite out; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) skip: Vec<String>,
    /// How many suites run at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// A suite whose needs are missing is a failure, not skipped
    #[arg(long)]
    pub(crate) strict: bool,
    /// Begin no other suite once one has failed
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Leave the cluster of a suite that fails up, to look at it
    #[arg(long)]
    pub(crate) keep: bool,
    /// Run one of N parts, for example 2/3; all together are the whole
    #[arg(long, value_name = "K/N")]
    pub(crate) partition: Option<Partition>,
    /// A folder of its own for the report [default: target/test-all]
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Say what would be run, and run nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// How --list is written
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, requires = "list")]
    pub(crate) format: ReportFormat,
    /// Added to the command of the one suite that --suite names
    #[arg(value_name = "ARGUMENT", last = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Lint {
    /// First mend what can be mended, and say which files that changes
    #[arg(long, conflicts_with = "staged")]
    pub(crate) fix: bool,
    /// Check what the next commit would have, not the work tree; in a moment, and only what it changes
    ///
    /// Clippy, the documentation and the policy of dependencies need more time, and are left to
    /// `lint` without this.
    #[arg(long)]
    pub(crate) staged: bool,
    /// A check whose program is missing is a failure, not skipped
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// What to measure; all of it if nothing is named
    #[arg(value_name = "PART", value_enum)]
    pub(crate) parts: Vec<BenchPart>,
    /// How often each step of a cluster's life is measured; the median is printed
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) rounds: usize,
    /// How many stacks are brought up and down at once
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) stacks: usize,
    /// How many seconds each kind of request is measured
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) seconds: u64,
}

/// A part of `bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchPart {
    /// Start, stop, reset and memory of a cluster, beside their floor
    Life,
    /// Requests to the API server, beside what the real one takes
    Api,
    /// Blocks stored and read on every route, beside the real programs on PATH
    Keep,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hooks {
    /// Check what is staged with `lint --staged` before every commit
    Install,
    /// Leave commits unchecked again
    Uninstall,
}

/// The form of an exported environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a reader
    Human,
    /// For `eval` in a POSIX shell
    Sh,
    /// For `source` in fish
    Fish,
    /// For a program
    Json,
    /// For a `.env` file
    Dotenv,
    /// For the file that GITHUB_ENV names in a workflow
    Github,
    /// For the file that NEXTEST_ENV names in a setup script of cargo-nextest
    Nextest,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Human,
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
