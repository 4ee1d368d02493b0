//! The TLS front of keepproxy and arv-git-httpd: nginx, where it is installed with TLS, else ours.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::{Context, Kind, Launch, Probe, Question, Real, Sockets, flag, nothing};
use crate::{environment, template};

const KEEPPROXY: &str = "keepproxy-ssl";
const GIT: &str = "arv-git-httpd-ssl";

pub(super) const KIND: Kind = Kind {
    name: "nginx",
    instances: |_| vec!["nginx".into()],
    ports: |_| vec![KEEPPROXY.into(), GIT.into()],
    needs: &["keepproxy", "arv-git-httpd"],
    requires: None,
    embedded,
    real: Some(Real { check, inherits_sockets: true, ..Real::of("nginx", real) }),
    prepare: |context, service| Ok(fs_err::create_dir_all(context.folder.data(service))?),
    reset: nothing,
};

fn probe() -> Probe {
    Probe::Port(KEEPPROXY.into(), Question::TlsHandshake)
}

fn embedded(context: &Context<'_>, _: &str) -> Launch {
    let folder = context.folder;
    let arguments = vec![
        "front".into(),
        flag("certificate", folder.certificate().display()),
        flag("key", folder.private_key().display()),
        flag("access-log", folder.access_log().display()),
        flag("keepproxy", context.address("keepproxy")),
        flag("arv-git-httpd", context.address("arv-git-httpd")),
    ];
    let sockets = Sockets::Named(vec![(KEEPPROXY, KEEPPROXY.into()), (GIT, GIT.into())]);
    Launch::new(arguments, sockets, probe())
}

fn real(context: &Context<'_>, _: &str, _: &Path) -> Launch {
    let prefix = context.folder.path().display();
    // Before it has read the configuration, it would open the system's log.
    let arguments = ["-e", "stderr", "-p", &format!("{prefix}/"), "-c", "nginx.conf"];
    let sockets = Sockets::Nginx(vec![KEEPPROXY.into(), GIT.into()]);
    let mut launch = Launch::new(arguments.map(str::to_owned).into(), sockets, probe());
    launch.files.push((context.folder.nginx_conf(), configuration(context)));
    launch
}

/// nginx.conf for this stack.
pub(crate) fn configuration(context: &Context<'_>) -> String {
    const TEMPLATE: &str = include_str!("../../../nginx/nginx.conf");
    let values = values(|service| context.address(service), |port| context.held_addresses(port));
    // A test fills every gap of the template, so there is none that could be unknown.
    template::fill(TEMPLATE, &values).unwrap_or_default()
}

/// What `template` is like when it is filled, for whoever checks a template.
///
/// # Errors
/// When it has a gap that nothing would fill.
pub(crate) fn example(template: &str) -> Result<String, String> {
    // Above the numbers that clients are given.
    let listens =
        |port: &str| vec![format!("127.0.0.1:{}", if port == GIT { 65535 } else { 65534 })];
    template::fill(template, &values(|_| "127.0.0.1:9".into(), listens))
}

/// The values of all gaps, where services are at those addresses and the front listens on these.
fn values<A: Display>(
    address: impl Fn(&str) -> String,
    addresses: impl Fn(&str) -> Vec<A>,
) -> Vec<(String, String)> {
    let listen = |port: &str| -> String {
        let addresses = addresses(port).into_iter();
        addresses.map(|address| format!("listen {address} ssl default_server;")).collect()
    };
    // Workers of another user could not read the stack's folder. Who is not root has no choice.
    let user = if nix::unistd::geteuid().is_root() { "user root;" } else { "" };
    let values = [
        ("user", user.to_owned()),
        ("keepproxy", address("keepproxy")),
        ("arv-git-httpd", address("arv-git-httpd")),
        ("listen.keepproxy-ssl", listen(KEEPPROXY)),
        ("listen.arv-git-httpd-ssl", listen(GIT)),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Whether that nginx has TLS, and can be told where to log from the very beginning. It is asked once,
/// however many stacks want it.
///
/// # Errors
/// Says what it lacks.
pub(crate) fn check(program: &Path) -> Result<(), String> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Result<(), String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(program.to_owned()).or_insert_with(|| ask(program)).clone()
}

fn ask(program: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    environment::clean(&mut command);
    let output = command.arg("-V").output().map_err(|error| format!("nginx -V: {error}"))?;
    usable(&String::from_utf8_lossy(&output.stderr))
}

/// The same, from what `nginx -V` says.
fn usable(version: &str) -> Result<(), String> {
    if !version.contains("--with-http_ssl_module") {
        return Err("nginx is installed without TLS".into());
    }
    // `-e` came with 1.19.5.
    let number = version.lines().find_map(|line| line.strip_prefix("nginx version: nginx/"));
    let parts: Vec<u32> =
        number.unwrap_or_default().split(['.', ' ']).map_while(|part| part.parse().ok()).collect();
    if parts < vec![1, 19, 5] {
        return Err("nginx is older than 1.19.5".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_nginx_or_one_without_tls_is_not_used() {
        let version = |number: &str, modules: &str| {
            usable(&format!("nginx version: nginx/{number}\nconfigure arguments: {modules}\n"))
        };
        let tls = "--with-http_ssl_module";
        for good in ["1.19.5", "1.22.1", "1.29.0 (Ubuntu)", "2.0.0"] {
            assert_eq!(version(good, tls), Ok(()), "{good}");
        }
        assert_eq!(version("1.18.0", tls).unwrap_err(), "nginx is older than 1.19.5");
        assert_eq!(version("1.22.1", "").unwrap_err(), "nginx is installed without TLS");
        assert!(usable("").is_err());
    }
}
