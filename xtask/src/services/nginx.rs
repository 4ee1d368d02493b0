//! The TLS front of keepproxy and arv-git-httpd, which nginx is in a real cluster.

use super::{Context, Kind, Launch, Probe, Question, flag, nothing};

pub(super) const KIND: Kind = Kind {
    name: "nginx",
    instances: |_| vec!["nginx".into()],
    ports: |_| vec!["keepproxy-ssl".into(), "arv-git-httpd-ssl".into()],
    needs: &["keepproxy", "arv-git-httpd"],
    real_program: None,
    requires: None,
    launch,
    prepare: nothing,
    reset: nothing,
};

fn launch(context: &Context<'_>, _: &str) -> Launch {
    let folder = context.folder;
    Launch {
        subcommand: "front",
        flags: vec![],
        embedded_flags: vec![
            flag("certificate", folder.certificate().display()),
            flag("key", folder.private_key().display()),
            flag("access-log", folder.access_log().display()),
            flag("keepproxy", context.address("keepproxy")),
            flag("arv-git-httpd", context.address("arv-git-httpd")),
        ],
        environment: vec![],
        sockets: vec![
            ("keepproxy-ssl", "keepproxy-ssl".into()),
            ("arv-git-httpd-ssl", "arv-git-httpd-ssl".into()),
        ],
        probe: Probe { port: "keepproxy-ssl".into(), question: Question::TlsHandshake },
    }
}
