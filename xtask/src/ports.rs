//! Ports that are bound here before anything starts, and never given up in between.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use anyhow::Context;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, sockopt};

/// How often another port is tried when one is free on the first address only.
const ATTEMPTS: usize = 50;

/// A port that is ours, on every address that it is for.
#[derive(Debug)]
pub(crate) struct Held {
    number: u16,
    addresses: Vec<SocketAddr>,
    sockets: Vec<OwnedFd>,
}

impl Held {
    /// Binds and listens: the sockets are to be inherited by a program. With `number`, that very
    /// port.
    ///
    /// On the IPv4 loopback, the same port of the IPv6 one is held too, where there is IPv6:
    /// `localhost` is either of the two.
    ///
    /// # Errors
    /// When the port is in use or the address not ours.
    pub(crate) fn listening(host: IpAddr, number: Option<u16>) -> anyhow::Result<Self> {
        if let Some(number) = number {
            return listen_on_all(host, number).with_context(|| in_use(host, number));
        }
        for _ in 0..ATTEMPTS {
            match listen_on_all(host, 0) {
                // Free on the first address, taken on the second: another one may be free on both.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                result => return result.with_context(|| format!("cannot listen on {host}")),
            }
        }
        anyhow::bail!("no free port on {host}")
    }

    /// Binds without listening, for a program that takes only a number and sets SO_REUSEADDR as
    /// servers do: it can listen there, and nobody else can.
    ///
    /// # Errors
    /// When the port is in use or the address not ours.
    pub(crate) fn number_only(host: IpAddr, number: Option<u16>) -> anyhow::Result<Self> {
        let why = || match number {
            Some(number) => in_use(host, number),
            None => format!("cannot have a port on {host}"),
        };
        let socket = bind(SocketAddr::new(host, number.unwrap_or(0))).with_context(why)?;
        Ok(Self::of(vec![socket])?)
    }

    fn of(sockets: Vec<TcpListener>) -> io::Result<Self> {
        let addresses =
            sockets.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let number = addresses.first().map_or(0, SocketAddr::port);
        Ok(Self { number, addresses, sockets: sockets.into_iter().map(OwnedFd::from).collect() })
    }

    /// Where it is held.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The port number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Refuses all connections from now on, also those that nobody has accepted yet: who waits for
    /// an answer there need not wait for the deadline.
    pub(crate) fn refuse_connections(&self) {
        for socket in &self.sockets {
            // One that does not listen has nobody waiting.
            let _ = socket::shutdown(socket.as_raw_fd(), socket::Shutdown::Both);
        }
    }

    /// The sockets, one for each address.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(AsFd::as_fd)
    }
}

fn in_use(host: IpAddr, number: u16) -> String {
    format!(
        "cannot have port {number} on {host} again: if another program has taken it, end that one, \
         or run `cargo xtask services down` and `up` for new ports"
    )
}

fn listen_on_all(host: IpAddr, number: u16) -> io::Result<Held> {
    let first = TcpListener::bind((host, number))?;
    let number = first.local_addr()?.port();
    let mut listeners = vec![first];
    if host == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        match TcpListener::bind((Ipv6Addr::LOCALHOST, number)) {
            Ok(second) => listeners.push(second),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // A machine without IPv6.
            Err(_) => {}
        }
    }
    for listener in &listeners {
        // nginx loses requests on inherited sockets that block.
        listener.set_nonblocking(true)?;
        socket::listen(listener, socket::Backlog::MAXCONN)?;
    }
    Held::of(listeners)
}

/// Bound, with SO_REUSEADDR, and not listening: std's own function would listen.
fn bind(address: SocketAddr) -> nix::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    socket::setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    match address {
        SocketAddr::V4(v4) => socket::bind(socket.as_raw_fd(), &SockaddrIn::from(v4))?,
        SocketAddr::V6(v6) => socket::bind(socket.as_raw_fd(), &SockaddrIn6::from(v6))?,
    }
    Ok(TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_port_that_we_hold_is_refused_to_others_and_ours_again_later() {
        let held = Held::listening(LOOPBACK, None).unwrap();
        let number = held.number();
        let refused = Held::listening(LOOPBACK, Some(number)).unwrap_err();
        assert!(refused.to_string().contains(&number.to_string()), "{refused}");
        drop(held);
        assert_eq!(Held::listening(LOOPBACK, Some(number)).unwrap().number(), number);
    }

    #[test]
    fn who_waits_on_a_held_listener_is_let_go() {
        let held = Held::listening(LOOPBACK, None).unwrap();
        let mut waiting = std::net::TcpStream::connect((LOOPBACK, held.number())).unwrap();
        held.refuse_connections();
        let end = waiting.read(&mut [0]);
        assert!(!matches!(end, Ok(1..)), "{end:?}");
        assert!(std::net::TcpStream::connect((LOOPBACK, held.number())).is_err());
    }

    #[test]
    fn only_a_program_that_reuses_addresses_can_listen_on_a_held_number() {
        let held = Held::number_only(LOOPBACK, None).unwrap();
        let server = TcpListener::bind((LOOPBACK, held.number()));
        assert!(server.is_ok(), "std sets SO_REUSEADDR");
        assert!(Held::listening(LOOPBACK, Some(held.number())).is_err(), "somebody listens now");
    }

    #[test]
    fn connecting_to_a_held_listener_succeeds_before_anybody_accepts() {
        let held = Held::listening(LOOPBACK, None).unwrap();
        std::net::TcpStream::connect((LOOPBACK, held.number())).unwrap();
    }
}
