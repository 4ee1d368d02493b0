//! The command line of `run_test_server.py`, with what we have besides.

use std::path::PathBuf;

use clap::Args;

use super::Overrides;

#[derive(Args, Debug)]
pub(crate) struct RunTestServer {
    /// start, stop, start_keep, stop_keep, start_keep_proxy, stop_keep_proxy, start_arv-git-httpd,
    /// stop_arv-git-httpd, start_nginx, stop_nginx or database_reset
    #[arg(value_name = "ACTION")]
    pub(crate) action: String,
    /// Print the environment with the fixture token of this label, for `start`
    #[arg(long, value_name = "FIXTURE_NAME")]
    pub(crate) auth: Option<String>,
    /// Where pid and port files are put [default: `tmp` in the checkout of Arvados, or else in this one]
    #[arg(long, value_name = "DIR")]
    pub(crate) tmpdir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keep: KeepOptions,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
}

/// What the keepstores of `start_keep` are like.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct KeepOptions {
    /// How many keepstores `start_keep` starts
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) num_keep_servers: u16,
    /// Keepstores sign locators, and refuse to read without a valid signature
    #[arg(long)]
    pub(crate) keep_enforce_permissions: bool,
    /// Keepstores sign locators
    #[arg(long)]
    pub(crate) keep_blob_signing: bool,
}
