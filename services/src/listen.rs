//! Listening sockets: inherited from whoever started us, or bound here.
//!
//! A supervisor that binds the ports before anything starts hands them over by descriptor. The
//! variable [`VARIABLE`] lists them as `NAME=FD,FD;NAME=FD`: under each name one port, with a
//! socket for each address that it is bound on.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use anyhow::Context;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// The environment variable that names the inherited sockets.
pub(crate) const VARIABLE: &str = "XTASK_LISTEN";

/// The sockets inherited under `name`; without [`VARIABLE`], one bound to `address` instead.
///
/// An address is `HOST:PORT`, or `:PORT` for all interfaces, as in Go. Call it once a name: the
/// sockets returned own their descriptors.
///
/// # Errors
/// When the variable is malformed or lacks the name, or the address cannot be bound.
pub(crate) fn inherited_or_bound(name: &str, address: &str) -> anyhow::Result<Vec<TcpListener>> {
    let listeners = match std::env::var(VARIABLE) {
        Ok(list) => adopt(&list, name)?,
        Err(_) => vec![bind(address)?],
    };
    for listener in &listeners {
        listener.set_nonblocking(true)?;
    }
    Ok(listeners)
}

fn adopt(list: &str, name: &str) -> anyhow::Result<Vec<TcpListener>> {
    let descriptors = parse(list)
        .with_context(|| format!("{VARIABLE}={list:?} is not of the form NAME=FD,FD;NAME=FD"))?;
    let (_, descriptors) = descriptors
        .into_iter()
        .find(|(known, _)| *known == name)
        .with_context(|| format!("{VARIABLE}={list:?} has no socket named {name}"))?;
    descriptors.into_iter().map(adopt_one).collect()
}

fn adopt_one(descriptor: RawFd) -> anyhow::Result<TcpListener> {
    // SAFETY: the number was handed to this process for it to own, and each is adopted once; a
    // number that is not an open descriptor is refused by the next call.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
        .with_context(|| format!("inherited descriptor {} is not open", socket.as_raw_fd()))?;
    Ok(TcpListener::from(socket))
}

fn parse(list: &str) -> Option<Vec<(&str, Vec<RawFd>)>> {
    list.split(';')
        .map(|entry| {
            let (name, numbers) = entry.split_once('=')?;
            let numbers: Result<Vec<RawFd>, _> = numbers.split(',').map(str::parse).collect();
            Some((name, numbers.ok().filter(|numbers| numbers.iter().all(|fd| *fd > 2))?))
        })
        .collect()
}

fn bind(address: &str) -> anyhow::Result<TcpListener> {
    // The first of all interfaces takes both kinds of addresses, where a machine has both.
    let hosts: &[&str] = if address.starts_with(':') { &["[::]", "0.0.0.0"] } else { &[""] };
    let resolved = hosts.iter().map(|host| format!("{host}{address}").to_socket_addrs());
    let resolved: Result<Vec<_>, _> = resolved.collect();
    let resolved =
        resolved.with_context(|| format!("{address:?} is not an address to listen on"))?;
    let addresses: Vec<SocketAddr> = resolved.into_iter().flatten().collect();
    TcpListener::bind(addresses.as_slice()).with_context(|| format!("listen tcp {address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_and_descriptors_is_read() {
        assert_eq!(parse("a=5,6;b=7"), Some(vec![("a", vec![5, 6]), ("b", vec![7])]));
    }

    #[test]
    fn without_a_host_both_kinds_of_addresses_are_listened_on() {
        let listener = bind(":0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        // Not every machine has both.
        if TcpListener::bind("[::1]:0").is_ok() {
            std::net::TcpStream::connect(("::1", port)).unwrap();
        }
        assert!(bind("nowhere").unwrap_err().to_string().contains("is not an address"));
    }

    #[test]
    fn standard_streams_and_nonsense_are_refused() {
        for wrong in ["", "a", "a=", "a=x", "a=5,", "a=1", "a=5;"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
