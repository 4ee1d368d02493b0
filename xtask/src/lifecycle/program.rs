//! What is executed for a service: program, arguments, environment and sockets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::plan::Planned;
use crate::ports::Held;
use crate::services::{Context, Launch};
use crate::settings::Provider;

/// Everything that depends on who plays the service.
pub(crate) struct Program<'a> {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Inherited; a real program takes only the number of its port.
    pub(crate) sockets: Vec<BorrowedFd<'a>>,
}

impl<'a> Program<'a> {
    /// Of a planned service on ports that are held.
    pub(crate) fn of(
        service: &Planned,
        context: &Context<'_>,
        services_binary: &Path,
        held: &'a BTreeMap<String, Held>,
    ) -> Self {
        let launch = (service.kind.launch)(context, &service.name);
        if let Provider::Path(program) = &service.provider {
            return Self {
                path: program.clone(),
                arguments: launch.flags,
                environment: launch.environment,
                sockets: Vec::new(),
            };
        }
        let listen = ("XTASK_LISTEN".to_owned(), listen_variable(&launch, held));
        let ports = launch.sockets.iter().filter_map(|(_, port)| held.get(port));
        let sockets = ports.flat_map(Held::sockets).collect();
        let mut arguments = vec![launch.subcommand.to_owned()];
        arguments.extend(launch.flags);
        arguments.extend(launch.embedded_flags);
        Self {
            path: services_binary.to_owned(),
            arguments,
            environment: launch.environment.into_iter().chain([listen]).collect(),
            sockets,
        }
    }
}

/// `NAME=FD,FD;NAME=FD`: which inherited descriptor is which socket.
fn listen_variable(launch: &Launch, held: &BTreeMap<String, Held>) -> String {
    let entries = launch.sockets.iter().filter_map(|(name, port)| {
        let descriptors = held.get(port)?.sockets().map(|socket| socket.as_raw_fd().to_string());
        Some(format!("{name}={}", descriptors.collect::<Vec<_>>().join(",")))
    });
    entries.collect::<Vec<_>>().join(";")
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
        let held = match service.provider {
            Provider::Path(_) => Held::number_only(host, number),
            _ => Held::listening(host, number),
        };
        let held = held.with_context(|| format!("port {port}"))?;
        Ok((port, held))
    };
    (service.kind.ports)(&service.name).into_iter().map(hold).collect()
}
