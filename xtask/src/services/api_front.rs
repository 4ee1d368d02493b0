//! The TLS front of an API server that speaks none itself.

use super::{Context, Kind, Launch, Probe, Question, Sockets, flag, nothing, passenger};

/// The port at which clients find the API server, whoever answers there.
const PORT: &str = "api";

pub(super) const KIND: Kind = Kind {
    name: "api-front",
    instances: |_| vec!["api-front".into()],
    ports: |_| vec![PORT.into()],
    needs: &["api"],
    requires: None,
    embedded,
    real: None,
    prepare: nothing,
    reset: nothing,
};

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    let folder = context.folder;
    let arguments = vec![
        "front".into(),
        flag("certificate", folder.certificate().display()),
        flag("key", folder.private_key().display()),
        flag("access-log", folder.log(service).display()),
        flag("api", context.address(passenger::PLAIN_PORT)),
    ];
    let sockets = Sockets::Named(vec![("api-ssl", PORT.to_owned())]);
    Launch::new(arguments, sockets, Probe::Port(PORT.into(), Question::TlsHandshake))
}
