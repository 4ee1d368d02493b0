//! What is executed for a service: program, arguments, environment and sockets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::plan::Planned;
use crate::ports::Held;
use crate::services::Context;
use crate::services::launch::{Launch, Sockets};
use crate::settings::Provider;

/// What is started, and how.
pub(crate) struct Program<'a> {
    pub(crate) path: PathBuf,
    pub(crate) launch: Launch,
    /// Inherited by it.
    pub(crate) sockets: Vec<BorrowedFd<'a>>,
}

impl<'a> Program<'a> {
    /// Of a planned service on ports that are held.
    ///
    /// # Errors
    /// A mistake in services.yml.
    pub(crate) fn of(
        service: &Planned,
        context: &Context<'_>,
        services_binary: &Path,
        held: &'a BTreeMap<String, Held>,
    ) -> anyhow::Result<Self> {
        let mut launch = service.definition.launch(context, &service.name, &service.provider)?;
        let path = match &service.provider {
            Provider::Path(program) => program.clone(),
            _ => services_binary.to_owned(),
        };
        launch.environment.extend(variable(&launch.sockets, held));
        let ports = launch.sockets.inherited();
        let sockets = ports.into_iter().filter_map(|port| held.get(port)).flat_map(Held::sockets);
        let sockets = sockets.collect();
        Ok(Self { path, launch, sockets })
    }
}

/// The variable that says which inherited descriptor is which socket.
fn variable(sockets: &Sockets, held: &BTreeMap<String, Held>) -> Option<(String, String)> {
    let descriptors = |port: &String| -> Vec<String> {
        let sockets = held.get(port).into_iter().flat_map(Held::sockets);
        sockets.map(|socket| socket.as_raw_fd().to_string()).collect()
    };
    match sockets {
        Sockets::Own => None,
        // `NAME=FD,FD;NAME=FD`
        Sockets::Named(named) => {
            let entry = |(name, port)| format!("{name}={}", descriptors(port).join(","));
            let entries: Vec<String> =
                named.iter().map(|(name, port)| entry((name, port))).collect();
            Some(("XTASK_LISTEN".into(), entries.join(";")))
        }
        // `FD;FD;`, as a running nginx hands them to the one that replaces it.
        Sockets::Nginx(ports) => {
            let all = ports.iter().flat_map(descriptors);
            Some(("NGINX".into(), all.map(|descriptor| descriptor + ";").collect()))
        }
    }
}

/// Holds the ports of a service, under the numbers in `numbers` where it has some already.
///
/// # Errors
/// When a port is in use.
pub(crate) fn hold_ports(
    service: &Planned,
    host: IpAddr,
    numbers: &BTreeMap<String, u16>,
) -> anyhow::Result<Vec<(String, Held)>> {
    let hold = |port: String| {
        let number = numbers.get(&port).copied();
        let held = match service.definition.inherits_sockets(&service.provider) {
            true => Held::listening(host, number),
            false => Held::number_only(host, number),
        };
        let held = held.with_context(|| format!("port {port}"))?;
        Ok((port, held))
    };
    service.definition.ports(&service.name).into_iter().map(hold).collect()
}
