//! Keep blocks: stored and read directly, through keepproxy, and through TLS, by one client and by
//! many; beside the real programs in the same run, where those are on PATH.

use anyhow::Context as _;

use super::ground::Ground;
use crate::cli::{Bench, Overrides};
use crate::failure::Interrupted;
use crate::lifecycle::{Cluster, restart};
use crate::output::{print, say};
use crate::services::nginx;
use crate::settings::Era;
use crate::signals::Interrupt;
use crate::stack::StackLock;
use crate::workspace::Workspace;
use crate::{embedded, programs};

mod block;
mod cell;
mod connection;
mod floor;
mod measured;
mod memory;
mod table;

use cell::{Cell, Route};
use floor::Floor;
use measured::Measured;

/// The programs that play the services of a cluster.
struct Players {
    /// As `--provider` has them.
    providers: &'static [&'static str],
    era: Era,
    /// What is measured of it.
    routes: &'static [Route],
}

const OURS: Players = Players {
    providers: &["keepstore=embedded", "keepproxy=embedded", "nginx=embedded"],
    era: Era::Current,
    routes: &[Route::Direct, Route::Proxy, Route::Front],
};

/// Ours behind the real nginx.
const BEHIND_NGINX: Players = Players {
    providers: &["keepstore=embedded", "keepproxy=embedded", "nginx=system"],
    era: Era::Current,
    routes: &[Route::Nginx],
};

/// Those of Arvados, of the time when they were programs of their own.
const REAL: Players = Players {
    providers: &["keepstore=system", "keepproxy=system", "nginx=auto"],
    era: Era::Y2015,
    routes: &[Route::Direct, Route::Proxy],
};

const REAL_BEHIND_NGINX: Players = Players {
    providers: &["keepstore=system", "keepproxy=system", "nginx=system"],
    routes: &[Route::Direct, Route::Proxy, Route::Nginx],
    ..REAL
};

/// # Errors
/// When a cluster does not come up, or, after the table, when a measurement of ours failed.
pub(super) fn run(
    workspace: &Workspace,
    arguments: &Bench,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let has_nginx = workspace.look_up("nginx", nginx::check).is_ok();
    let has_real = ["keepstore", "keepproxy"].iter().all(|name| programs::find(name).is_some());
    let floor = Floor::measure().context("the floor")?;
    let mut ours = measure(workspace, &OURS, arguments, interrupt)?;
    if has_nginx {
        ours.extend(measure(workspace, &BEHIND_NGINX, arguments, interrupt)?);
    }
    let real = match (has_real, has_nginx) {
        (true, true) => measure(workspace, &REAL_BEHIND_NGINX, arguments, interrupt)?,
        (true, false) => measure(workspace, &REAL, arguments, interrupt)?,
        (false, _) => Vec::new(),
    };
    let told = print(&table::render(&floor, &ours, &real));
    // What has failed is more important than that nobody could be told.
    measured::verdict(&ours)?;
    told
}

fn measure(
    workspace: &Workspace,
    players: &Players,
    arguments: &Bench,
    interrupt: &Interrupt,
) -> anyhow::Result<Vec<Measured>> {
    let overrides = Overrides {
        providers: players.providers.iter().map(|provider| (*provider).to_owned()).collect(),
        era: Some(players.era),
        ..Overrides::default()
    };
    let ground = Ground::like(workspace, &overrides)?;
    let stack = ground.bring_up(&[], interrupt)?;
    let mut cluster = stack.cluster();
    if players.era == Era::Y2015 {
        // It has read the list of keepstores before these were registered.
        let _lock = StackLock::take(stack.folder(), "cargo xtask bench")?;
        let keepproxy = ["keepproxy".to_owned()];
        restart::restart(&mut cluster, &keepproxy, embedded::services_binary()?, interrupt)?;
    }
    let cells = Cell::all(players.routes, arguments.seconds);
    let measured = cells.into_iter().map(|cell| attempt(cell, players, &cluster, interrupt));
    let measured: Result<Vec<Measured>, Interrupted> = measured.collect();
    stack.end()?;
    Ok(measured?)
}

/// Measures one cell. That it fails is said, and is no reason to lose what others took minutes for.
///
/// # Errors
/// Only [`Interrupted`].
fn attempt(
    cell: Cell,
    players: &Players,
    cluster: &Cluster<'_>,
    interrupt: &Interrupt,
) -> Result<Measured, Interrupted> {
    let programs = players.providers.join(", ");
    say(&format!("measuring with {programs}: {cell}"));
    let figures = match cell.measure(cluster, interrupt) {
        Ok(figures) => Some(figures),
        Err(error) => {
            // A signal ends the load with an error too, and may have made requests fail.
            interrupt.check()?;
            say(&format!("warning: {cell} failed with {programs}: {error:#}"));
            None
        }
    };
    Ok(Measured { cell, figures })
}
