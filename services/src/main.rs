//! The embedded services of an Arvados test cluster: one binary, one subcommand a service.
//!
//! They are stand-ins for tests: what a client can observe is as with the real programs, and
//! nothing but this binary has to be installed. A new service is one module and one line in
//! [`SERVICES`].

#![deny(clippy::print_stderr)]

use std::process::ExitCode;

use go_flags::WrongUsage;

mod alarm;
mod api;
mod api_client;
mod authorization;
mod bare_target;
mod causes;
mod descriptors;
mod eager;
mod era;
mod front;
mod git_httpd;
mod go_flags;
mod go_http_error;
mod go_request_rules;
mod in_place;
mod keepproxy;
mod keepstore;
mod listen;
mod locator;
mod log;
mod nginx_page;
mod pid_file;
mod pieces;
mod prompt_reader;
mod request_log;
mod serve;
mod signature;
mod tls;
mod unread_body;

/// What runs a service, or prints something about one: it takes the arguments behind the subcommand.
/// A service returns only on failure.
type Service = fn(&[String]) -> anyhow::Result<()>;

const SERVICES: &[(&str, Service)] = &[
    ("api", api::run),
    ("keepstore", keepstore::run),
    ("keepproxy", keepproxy::run),
    ("arv-git-httpd", git_httpd::run),
    ("front", front::run),
    ("api-reference", api::print_reference),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, run)) = SERVICES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = SERVICES.iter().map(|(name, _)| *name).collect();
        log::line(format_args!(
            "services: unknown service {name:?}; the services are {}",
            known.join(", ")
        ));
        return ExitCode::from(2);
    };
    let arguments: Vec<String> = arguments.collect();
    descriptors::allow_all();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<WrongUsage>() {
            Some(wrong) => show_usage(&name, wrong),
            None => {
                log::line(format_args!("{name}: {error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// As Go's programs do: what is wrong, and what there is, on standard error.
fn show_usage(name: &str, wrong: &WrongUsage) -> ExitCode {
    let usage = format!("Usage of {name}:\n{}", wrong.usage.trim_end());
    if wrong.message.is_empty() {
        log::line(usage);
        return ExitCode::SUCCESS;
    }
    log::line(format_args!("{}\n{usage}", wrong.message));
    ExitCode::from(2)
}
