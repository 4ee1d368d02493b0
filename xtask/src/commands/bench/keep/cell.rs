//! What is measured: an operation on blocks of a size, by a number of clients, on one route.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use super::super::load::{Length, Load};
use super::block::{Block, Blocks};
use super::connection::Connection;
use super::measured::Figures;
use super::memory::Memory;
use crate::lifecycle::{Cluster, health, reset};
use crate::signals::Interrupt;
use crate::stack::state::Service;

const SMALL: usize = 1 << 10;
pub(super) const LARGE: usize = 64 << 20;

/// How many clients there are; with the last, only memory is of interest.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// How many small blocks come before those that count: until then most of them need a folder of their
/// own, of which a keepstore has 4,096.
const WARM_UP: usize = 10_000;

/// How many large blocks are stored, or read, at least.
const LARGE_OPERATIONS: usize = 10;

/// How many blocks a client has stored before it begins to read.
const READ_AGAIN: usize = 4;

/// How a client reaches the keepstores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Direct,
    Proxy,
    /// Through our own TLS front.
    Front,
    /// Through nginx.
    Nginx,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Put,
    Get,
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) route: Route,
    pub(super) action: Action,
    pub(super) size: usize,
    pub(super) clients: usize,
    seconds: u64,
}

impl Cell {
    /// Every cell of these routes, where what takes time is done for `seconds`.
    pub(super) fn all(routes: &[Route], seconds: u64) -> Vec<Self> {
        let mut cells = Vec::new();
        for route in routes {
            for action in [Action::Put, Action::Get] {
                for size in [SMALL, LARGE] {
                    let cell = |clients| Self { route: *route, action, size, clients, seconds };
                    cells.extend(CLIENTS.map(cell));
                }
            }
        }
        cells
    }

    /// Whether `other` is the same of other programs.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let tls = |route| matches!(route, Route::Front | Route::Nginx);
        let same_route = self.route == other.route || tls(self.route) && tls(other.route);
        same_route && Self { route: other.route, ..*self } == *other
    }

    /// # Errors
    /// When a request is not answered with 200.
    pub(super) fn measure(
        &self,
        cluster: &Cluster<'_>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Figures> {
        let keepstores = cluster.service_names().into_iter().filter(|name| is_keepstore(name));
        let keepstores: Vec<String> = keepstores.collect();
        // What was stored before would fill the disk.
        reset::reset_data(cluster, &keepstores)?;
        let servers = self.servers(cluster, &keepstores)?;
        let length = match self.size {
            SMALL => Length::Time(Duration::from_secs(self.seconds)),
            _ => Length::Operations(LARGE_OPERATIONS.max(self.clients)),
        };
        let warm_up = if self.size == SMALL { WARM_UP / self.clients } else { 0 };
        let load = Load { clients: self.clients, warm_up, length, servers: &servers, interrupt };
        let blocks = Arc::new(Blocks::new(self.size));
        let number = AtomicU64::new(0);
        let memory = Memory::from_now(&servers)?;
        let outcome = load.run(|_| {
            let mut connection = self.connect(cluster)?;
            let next = || blocks.block(number.fetch_add(1, Ordering::Relaxed));
            let stored = self.stored_before(&mut connection, next)?;
            let (mut again, size) = (stored.into_iter().cycle(), self.size);
            let (blocks, number, action) = (Arc::clone(&blocks), &number, self.action);
            Ok(move || match action {
                Action::Put => {
                    connection.put(&blocks.block(number.fetch_add(1, Ordering::Relaxed)))
                }
                Action::Get => {
                    let block: Block = again.next().context("no block is stored")?;
                    connection.get(&block, size)
                }
            })
        })?;
        Ok(Figures { outcome, memory: memory.peak() })
    }

    fn stored_before(
        &self,
        connection: &mut Connection,
        mut next: impl FnMut() -> Block,
    ) -> anyhow::Result<Vec<Block>> {
        let number = match self.action {
            Action::Put => 0,
            // Many clients with many large blocks each would fill the disk.
            Action::Get => {
                if self.clients > 8 {
                    1
                } else {
                    READ_AGAIN
                }
            }
        };
        let mut stored = Vec::new();
        for _ in 0..number {
            let block = next();
            connection.put(&block)?;
            stored.push(block);
        }
        Ok(stored)
    }

    fn connect(&self, cluster: &Cluster<'_>) -> anyhow::Result<Connection> {
        let context = cluster.context();
        let (port, tls) = match self.route {
            Route::Direct => ("keep0", false),
            Route::Proxy => ("keepproxy", false),
            Route::Front | Route::Nginx => ("keepproxy-ssl", true),
        };
        let tls = tls.then(|| health::trusting(cluster.folder)).transpose()?;
        Connection::open(&context.address(port), tls, context.admin_token)
    }

    /// The processes on the way.
    fn servers(&self, cluster: &Cluster<'_>, keepstores: &[String]) -> anyhow::Result<Vec<i32>> {
        let more: &[&str] = match self.route {
            Route::Direct => &[],
            Route::Proxy => &["keepproxy"],
            Route::Front | Route::Nginx => &["keepproxy", "nginx"],
        };
        let names = keepstores.iter().map(String::as_str).chain(more.iter().copied());
        let process = |name| {
            let service = cluster.state.service(name);
            let process = service.and_then(Service::main_process);
            process.map(|process| process.pid).with_context(|| format!("{name} does not run"))
        };
        names.map(process).collect()
    }
}

fn is_keepstore(name: &str) -> bool {
    name.strip_prefix("keep").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = if self.clients == 1 { "client" } else { "clients" };
        let (action, size) = (self.what(), self.size_in_words());
        write!(f, "{action}, {size}, {} {clients}", self.clients)
    }
}

impl Cell {
    /// What is done on which route.
    pub(super) fn what(&self) -> String {
        let action = match self.action {
            Action::Put => "PUT",
            Action::Get => "GET",
        };
        let route = match self.route {
            Route::Direct => "direct",
            Route::Proxy => "through keepproxy",
            Route::Front => "through TLS (ours)",
            Route::Nginx => "through TLS (nginx)",
        };
        format!("{action} {route}")
    }

    /// The size of a block.
    pub(super) fn size_in_words(&self) -> &'static str {
        if self.size == SMALL { "1 KiB" } else { "64 MiB" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_compared() {
        let ours = Cell::all(&[Route::Direct, Route::Front], 1);
        assert_eq!(ours.len(), 2 * 2 * 2 * 3);
        let real = Cell::all(&[Route::Direct, Route::Nginx], 1);
        for (ours, real) in ours.iter().zip(&real) {
            assert!(ours.is_like(real), "{ours} {real}");
        }
        assert!(!ours[0].is_like(&real[1]) && !ours[0].is_like(&real[12]));
    }

    #[test]
    fn keepstores_are_told_from_other_services() {
        assert!(is_keepstore("keep0") && is_keepstore("keep12"));
        assert!(!is_keepstore("keepproxy") && !is_keepstore("api"));
    }
}
