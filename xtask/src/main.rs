//! `cargo xtask`: an Arvados test cluster, and the test suites that run on it.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

mod api_server;
mod certificate;
mod cli;
mod commands;
mod discovery_cache;
mod doctor;
mod embedded;
mod export;
mod failure;
mod hooks;
mod latch;
mod lifecycle;
mod lint;
mod logs;
mod nearest;
mod output;
mod owned;
mod parent;
mod plan;
mod ports;
mod process;
mod programs;
mod readiness;
mod registration;
mod report;
mod results;
mod services;
mod settings;
mod signals;
mod stack;
mod suites;
mod template;
mod terminal;
mod test_run;
mod workspace;
mod yaml;

use cli::{Cli, Command, Services};
use sdk_fixtures::environment;
use workspace::Workspace;

fn main() -> ExitCode {
    process::spawn::keep_inherited_descriptors(stack::state::GUEST_LOCK);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for =
                matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nobody is left to tell if the terminal is gone.
            let _ = error.print();
            return if asked_for { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is::<failure::Exit>() {
                output::say(&format!("error: {error:#}{}", failure::advice(&error)));
            }
            failure::exit_code(&error)
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find();
    // A guardian takes down its own stack, and is itself what other commands wait for. Checks have
    // nothing to do with stacks, and a commit waits for them. `run-test-server` does this itself: its
    // exit codes are its own.
    let looks_only = matches!(command, Command::Lint(_) | Command::Hooks(_) | Command::Doctor(_));
    let is_apart = matches!(command, Command::Guardian(_) | Command::RunTestServer(_));
    if !looks_only && !is_apart {
        lifecycle::reconcile::reconcile(&workspace)?;
    }
    match command {
        Command::Services(Services::Up(arguments)) => commands::up::run(&workspace, &arguments),
        Command::Services(Services::Down(arguments)) => commands::down::run(&workspace, &arguments),
        Command::Services(Services::Reset(target)) => commands::reset::run(&workspace, &target),
        Command::Services(Services::Restart(arguments)) => {
            commands::restart::run(&workspace, &arguments)
        }
        Command::Services(Services::Exec(arguments)) => commands::exec::run(&workspace, &arguments),
        Command::Services(Services::Status(report)) => commands::status::run(&workspace, &report),
        Command::Services(Services::Logs(arguments)) => commands::logs::run(&workspace, &arguments),
        Command::Services(Services::List(arguments)) => commands::list::run(&workspace, &arguments),
        Command::Services(Services::Env(arguments)) => commands::env::run(&workspace, &arguments),
        Command::Services(Services::Token(arguments)) => {
            commands::token::run(&workspace, &arguments)
        }
        Command::Guardian(arguments) => commands::guardian::run(&workspace, &arguments),
        Command::TestAll(arguments) => commands::test_all::run(&workspace, &arguments),
        Command::Doctor(arguments) => commands::doctor::run(&workspace, &arguments),
        Command::Lint(arguments) => commands::lint::run(&workspace, &arguments),
        Command::Hooks(action) => commands::hooks::run(&workspace, &action),
        Command::RunTestServer(arguments) => commands::run_test_server::run(&workspace, &arguments),
        Command::Upstream(arguments) => commands::upstream::run(&workspace, &arguments),
        Command::Bench(arguments) => commands::bench::run(&workspace, &arguments),
    }
}
