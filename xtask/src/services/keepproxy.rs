//! The keepproxy, for clients outside the cluster's network.

use std::path::Path;

use super::{
    Context, Kind, Launch, Probe, Question, Real, Sockets, api_environment, flag, nothing,
    single_port,
};

pub(super) const KIND: Kind = Kind {
    name: "keepproxy",
    instances: |_| vec!["keepproxy".into()],
    ports: single_port,
    needs: &["api", "keepstore"],
    requires: None,
    embedded,
    // It reads the list of keepstores when it starts, and then only every five minutes.
    real: Some(Real { starts_last: true, ..Real::of("keepproxy", real) }),
    prepare: nothing,
    reset: nothing,
};

fn real(context: &Context<'_>, service: &str, _: &Path) -> Launch {
    launch(context, service)
}

fn launch(context: &Context<'_>, service: &str) -> Launch {
    let mut environment = api_environment(context);
    // A program that looks for keepstores needs a token for that.
    environment.push(("ARVADOS_API_TOKEN".into(), context.admin_token.to_owned()));
    let flags = vec![
        flag("listen", context.address(service)),
        flag("default-replicas", context.settings.default_replication()),
    ];
    let probe = Probe::Port(service.to_owned(), Question::http());
    Launch { environment, ..Launch::new(flags, Sockets::Own, probe) }
}

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    let mut launch = launch(context, service);
    // Large blocks on their way are in files without a name: they have their place where all of the
    // stack has it.
    launch.environment.push(("TMPDIR".into(), context.folder.path().display().to_string()));
    launch.played_by_ours("keepproxy", service, context.settings.era)
}
