//! `upstream`: one Python suite of an Arvados checkout, on the cluster that the environment names.
//!
//! The suite writes beside its own files, so it is given a copy of what it needs, in the stack's
//! folder, which goes when the stack does: nothing is written to the user's checkout. The copy also
//! has what `run_test_server.py` looks for before it uses a cluster that a parent has started.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::cli::Upstream;
use crate::embedded;
use crate::failure::Usage;
use crate::settings::Era;
use crate::stack::StackFolder;
use crate::suites::{upstream, virtual_environment};
use crate::workspace::Workspace;

mod cluster_config;
mod copy;

/// Of the checkout, besides the suite's own folder, what every suite may look for.
const COPIED: [&str; 4] =
    ["sdk/python", "services/api/config", upstream::FIXTURES, "services/api/test/test.git.tar"];

/// Becomes the suite.
///
/// # Errors
/// When it has no cluster, or cannot be prepared or started.
pub(crate) fn run(workspace: &Workspace, arguments: &Upstream) -> anyhow::Result<()> {
    let stack = variable("XTASK_STACK")?;
    let stack = StackFolder::new(workspace, stack.parse()?);
    let era = upstream::era_of(&arguments.checkout)?;
    let copy = stack.path().join("upstream");
    for folder in COPIED.into_iter().chain([arguments.suite.as_str()]) {
        copy::copy(&arguments.checkout.join(folder), &copy.join(folder))?;
    }
    let programs = stand_ins(&copy, era)?;
    attach(&copy, &stack)?;
    let mut path = vec![programs];
    if era == Era::Current {
        let projects = projects(&copy, &arguments.suite)?;
        path.push(virtual_environment::of_projects(&projects, &workspace.cache())?);
    }
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    // Looked for there by us: a command is looked for on the PATH that we have ourselves.
    let name = upstream::python_of(era);
    let python = path.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    let tests = match arguments.tests.as_slice() {
        [] => ["discover", "-v", "-s", "tests", "-t", "."].map(str::to_owned).to_vec(),
        tests => [&["-v".to_owned()], tests].concat(),
    };
    let mut command = Command::new(python.with_context(|| format!("{name} is not installed"))?);
    command
        .args(["-m", "unittest"])
        .args(tests)
        .current_dir(copy.join(&arguments.suite))
        .env("PATH", std::env::join_paths(&path)?)
        .env("HOME", copy.join("home"))
        .env("TMPDIR", folder(&copy, "tmp/temporary")?)
        .env("ARVADOS_CONFIG", cluster_config::write(&copy, &stack)?)
        // Websocket clients verify the server whether they are asked to or not.
        .env("SSL_CERT_FILE", variable("ARVADOS_TEST_CA_CERT")?)
        // Its programs would go before ours.
        .env_remove("GOPATH")
        .env_remove("PYTHONPATH");
    Err(command.exec()).context("cannot start Python")
}

/// What the script takes for a server that a parent has started, as it looks for it in one time or
/// the other.
fn attach(copy: &Path, stack: &StackFolder) -> anyhow::Result<()> {
    let api = folder(copy, "services/api/tmp/pids")?;
    let temporary = folder(copy, "tmp")?;
    for pid_file in [api.join("test-server.pid"), temporary.join("api.pid")] {
        fs_err::copy(stack.pid_file("api"), pid_file)?;
    }
    let certificate = copy.join("services/api/tmp/self-signed.pem");
    fs_err::copy(variable("ARVADOS_TEST_CA_CERT")?, certificate)?;
    // The script of 2015 deletes this one before it looks whether it is there.
    folder(copy, "home/.cache/arvados/discovery")?;
    Ok(())
}

/// A folder of programs by the names of the real ones, which are ours.
fn stand_ins(copy: &Path, era: Era) -> anyhow::Result<PathBuf> {
    let folder = folder(copy, "bin")?;
    let binary = embedded::services_binary()?;
    let binary = binary.to_str().context("the path of the services is not text")?;
    let binary = binary.replace('\'', r"'\''");
    for name in ["keepstore", "keepproxy", "arv-git-httpd", "arvados-server"] {
        let arguments = match name {
            // Its own first argument is the service.
            "arvados-server" => String::new(),
            "arv-git-httpd" => format!(" {name}"),
            _ => format!(" {name} -era={era}"),
        };
        let script = format!("#!/bin/sh\nexec '{binary}'{arguments} \"$@\"\n");
        let path = folder.join(name);
        fs_err::write(&path, script)?;
        fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    Ok(folder)
}

/// The Python projects whose packages the suite needs: the SDK's, and its own.
fn projects(copy: &Path, suite: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut projects = vec![copy.join("sdk/python")];
    if suite != "sdk/python" {
        projects.push(copy.join(suite));
    }
    // The version is asked of git, which knows nothing of a copy.
    let version = copy.join("sdk/python/arvados/_version.py");
    if !version.exists() {
        fs_err::write(version, format!("__version__ = '{}'\n", virtual_environment::NO_VERSION))?;
    }
    Ok(projects)
}

fn folder(copy: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = copy.join(name);
    fs_err::create_dir_all(&path)?;
    Ok(path)
}

/// A variable of the cluster's environment.
fn variable(name: &str) -> Result<String, Usage> {
    std::env::var(name).map_err(|_| {
        Usage(format!("{name} is not set: upstream is run by `cargo xtask test-all --upstream`"))
    })
}
