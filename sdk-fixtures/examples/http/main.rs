//! The HTTP conformance suite: sends each request of the case files to the cluster that the
//! environment names, and compares the answer with what the file expects.
//!
//! `cargo run --package sdk-fixtures --example http [FILE|FOLDER]…`; without arguments the files
//! in `sdk-fixtures/suites/http`, where README.md describes them. Needs `ARVADOS_API_HOST` and
//! `ARVADOS_TEST_CA_CERT`. Prints a line `ok N - name` or `not ok N - name` a case, and at the end
//! `N passed, N failed, N skipped`. Exits with 1 if a case failed, with 2 if a file or the
//! environment is wrong.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use sdk_fixtures::{Fixtures, checkout};

mod addresses;
mod case;
mod compare;
mod connection;
mod pattern;
mod placeholder;
mod run;

use addresses::Addresses;
use case::CaseFile;
use run::Tally;

fn main() -> ExitCode {
    match conform(std::env::args_os().skip(1).map(PathBuf::from).collect()) {
        Ok(tally) => {
            println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
            ExitCode::from(u8::from(tally.failed > 0))
        }
        Err(error) => {
            eprintln!("http: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn conform(mut paths: Vec<PathBuf>) -> anyhow::Result<Tally> {
    if paths.is_empty() {
        paths.push(checkout::root().join("sdk-fixtures/suites/http"));
    }
    // All files are read before the first request: a mistake in the last one is found at once.
    let mut files = Vec::new();
    for path in paths {
        files.extend(case::load(&path)?);
    }
    let cases: usize = files.iter().map(|file: &CaseFile| file.cases.len()).sum();
    anyhow::ensure!(cases > 0, "there is no case in these files");
    let fixtures = Fixtures::builtin();
    let addresses = Addresses::from_environment(&fixtures).context("cannot find the cluster")?;
    let mut tally = Tally::default();
    for file in &files {
        run::file(file, &addresses, &fixtures, &mut tally)?;
    }
    Ok(tally)
}
