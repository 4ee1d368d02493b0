//! The keepproxy, for clients outside the cluster's network.

use super::{Context, Kind, Launch, Probe, Question, api_environment, flag, nothing, single_port};

pub(super) const KIND: Kind = Kind {
    name: "keepproxy",
    instances: |_| vec!["keepproxy".into()],
    ports: single_port,
    needs: &["api", "keepstore"],
    real_program: Some("keepproxy"),
    requires: None,
    launch,
    prepare: nothing,
    reset: nothing,
};

fn launch(context: &Context<'_>, service: &str) -> Launch {
    let mut environment = api_environment(context);
    // A program that looks for keepstores needs a token for that.
    environment.push(("ARVADOS_API_TOKEN".into(), context.admin_token.to_owned()));
    Launch {
        subcommand: "keepproxy",
        flags: vec![
            flag("listen", context.address(service)),
            flag("default-replicas", context.settings.default_replication()),
        ],
        embedded_flags: vec![flag("era", context.settings.era)],
        environment,
        sockets: vec![("keepproxy", service.to_owned())],
        probe: Probe { port: service.to_owned(), question: Question::Http },
    }
}
