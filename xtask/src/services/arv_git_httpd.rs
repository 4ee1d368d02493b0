//! Git repositories over HTTP.

use anyhow::Context as _;

use super::{Context, Kind, Launch, Probe, Question, api_environment, flag, single_port};

pub(super) const KIND: Kind = Kind {
    name: "arv-git-httpd",
    instances: |_| vec!["arv-git-httpd".into()],
    ports: single_port,
    needs: &["api"],
    real_program: Some("arv-git-httpd"),
    requires: Some("git"),
    launch,
    prepare: install_repositories,
    reset: install_repositories,
};

fn launch(context: &Context<'_>, service: &str) -> Launch {
    let git = context.git.as_ref().map(|git| flag("git-command", git.display()));
    let flags = [
        flag("repo-root", context.folder.repositories().display()),
        flag("address", context.address(service)),
    ];
    Launch {
        subcommand: "arv-git-httpd",
        flags: flags.into_iter().chain(git).collect(),
        embedded_flags: vec![flag("era", context.settings.era)],
        environment: api_environment(context),
        sockets: vec![("arv-git-httpd", service.to_owned())],
        probe: Probe { port: service.to_owned(), question: Question::Http },
    }
}

/// Made by git once for all stacks, and copied.
fn install_repositories(context: &Context<'_>, _: &str) -> anyhow::Result<()> {
    let git = context.git.as_ref().context("git is not installed")?;
    let fixtures = context.settings.fixtures();
    let prepared = sdk_fixtures::git::prepare(git, &fixtures, &context.workspace.cache())?;
    sdk_fixtures::git::install(&prepared, &context.folder.repositories())?;
    Ok(())
}
