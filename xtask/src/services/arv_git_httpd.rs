//! Git repositories over HTTP.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{
    Context, Kind, Launch, Probe, Question, Real, Sockets, api_environment, flag, passenger,
    single_port,
};

pub(super) const KIND: Kind = Kind {
    name: "arv-git-httpd",
    instances: |_| vec!["arv-git-httpd".into()],
    ports: single_port,
    needs: &["api"],
    requires: Some("git"),
    embedded,
    real: Some(Real::of("arv-git-httpd", real)),
    prepare: install_repositories,
    reset: install_repositories,
};

fn real(context: &Context<'_>, service: &str, _: &Path) -> Launch {
    launch(context, service)
}

fn launch(context: &Context<'_>, service: &str) -> Launch {
    let git = context.git.as_ref().map(|git| flag("git-command", git.display()));
    let flags = [
        flag("repo-root", repositories(context).display()),
        flag("address", context.address(service)),
    ];
    let flags = flags.into_iter().chain(git).collect();
    let probe = Probe::Port(service.to_owned(), Question::http());
    let environment = api_environment(context);
    Launch { environment, ..Launch::new(flags, Sockets::Own, probe) }
}

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    launch(context, service).played_by_ours("arv-git-httpd", service, context.settings.era)
}

/// Where they are: a real API server looks into those of its own checkout too.
fn repositories(context: &Context<'_>) -> PathBuf {
    let settings = context.settings;
    let theirs = || passenger::repositories(settings);
    settings.repositories.clone().or_else(theirs).unwrap_or_else(|| context.folder.repositories())
}

/// Made by git once for all stacks, and copied. Those of somebody else are left as they are, and
/// those of a real API server's checkout are unpacked from its archive.
fn install_repositories(context: &Context<'_>, _: &str) -> anyhow::Result<()> {
    if context.settings.repositories.is_some() {
        return Ok(());
    }
    if passenger::install_repositories(context.settings)? {
        return Ok(());
    }
    let git = context.git.as_ref().context("git is not installed")?;
    let fixtures = context.settings.fixtures();
    let prepared = sdk_fixtures::git::prepare(git, &fixtures, &context.workspace.cache())?;
    sdk_fixtures::git::install(&prepared, &context.folder.repositories())?;
    Ok(())
}
