//! The API server: requests of each kind by one client and by many, each with one connection over TLS
//! that it keeps, on a database of 100,000 collections.

use std::time::Duration;

use anyhow::Context as _;

use super::ground::Ground;
use super::load::http::Client;
use super::load::table::{self, Row};
use super::load::{Length, Load};
use crate::api_server;
use crate::cli::{Bench, Overrides};
use crate::lifecycle::Cluster;
use crate::output::{print, say};
use crate::signals::Interrupt;
use crate::workspace::Workspace;

mod asked;
mod many_collections;

use asked::Asked;

/// One for how long a request takes, and many for how many can be answered.
const CLIENTS: [usize; 2] = [1, 16];

const WARM_UP: usize = 20;

/// # Errors
/// When the cluster does not come up, or a request is not answered with 200.
pub(super) fn run(
    workspace: &Workspace,
    arguments: &Bench,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let fixtures = tempfile::tempdir()?;
    many_collections::write(fixtures.path())?;
    let overrides =
        Overrides { fixtures: Some(fixtures.path().to_owned()), ..Overrides::default() };
    let ground = Ground::like(workspace, &overrides)?;
    let services = ["api".to_owned()];
    let stack = ground.bring_up(&services, interrupt)?;
    let length = Length::Time(Duration::from_secs(arguments.seconds));
    let rows = measure(&stack.cluster(), length, interrupt);
    stack.end()?;
    print(&table::render("API SERVER", "RAILS", &rows?))
}

fn measure(
    cluster: &Cluster<'_>,
    length: Length,
    interrupt: &Interrupt,
) -> anyhow::Result<Vec<Row>> {
    let context = cluster.context();
    let base = format!("https://{}", context.address("api"));
    let fixtures = cluster.state.settings.fixtures();
    let api = cluster.state.service("api").and_then(|api| api.process);
    let servers = [api.context("the API server has no process")?.pid];
    let mut rows = Vec::new();
    for asked in &asked::all() {
        say(&format!("measuring: {}", asked.what));
        let authorization = format!("OAuth2 {}", fixtures.auth_token(asked.user)?);
        let client = |number| -> anyhow::Result<_> {
            let agent = api_server::agent_of_stack(cluster.folder)?;
            let client = Client::new(agent, base.clone(), authorization.clone());
            Ok(operation(asked, client, number))
        };
        for clients in CLIENTS {
            let load = Load { clients, warm_up: WARM_UP, length, servers: &servers, interrupt };
            let outcome = load.run(client).context(asked.what)?;
            let of_one = |text: &'static str| if clients == 1 { text } else { "" };
            rows.push(Row {
                what: asked.what.to_owned(),
                clients,
                outcome,
                aim: of_one(asked.aim),
                real: of_one(asked.rails),
            });
        }
    }
    Ok(rows)
}

/// What one client does again and again.
fn operation(
    asked: &Asked,
    client: Client,
    number: usize,
) -> impl FnMut() -> anyhow::Result<()> + Send {
    let mut sent = 0;
    move || {
        sent += 1;
        let body = (asked.body)(number, sent);
        client.send(&asked.method, asked.path, body.as_str()).map(drop)
    }
}
