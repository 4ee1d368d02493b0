//! nginx takes its configuration, when the template is filled.

use std::path::Path;

use anyhow::Context;

use crate::lint::{Check, Content, Skipped, tool};
use crate::programs;
use crate::services::nginx;

const TEMPLATE: &str = "nginx/nginx.conf";

pub(in crate::lint) const CHECK: Check = Check {
    name: "nginx",
    concerns: |path| path == Path::new(TEMPLATE),
    needs: &[TEMPLATE],
    run,
    advice: "correct the template; xtask/src/services/nginx.rs says what fills its gaps",
    mend: None,
    is_extra: true,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let template = fs_err::read_to_string(content.folder().join(TEMPLATE))?;
    let configuration = match nginx::example(&template) {
        Ok(configuration) => configuration,
        Err(gap) => return Ok(vec![gap_fault(&template, &gap)]),
    };
    let program = programs::look_up(content.folder(), "nginx", nginx::check).map_err(Skipped)?;
    let prefix = tempfile::Builder::new().prefix("nginx-").tempdir()?;
    lay_out(prefix.path(), &configuration)?;
    let mut command = tool::command(&program, prefix.path());
    command.args(["-t", "-e", "stderr", "-c", "nginx.conf", "-p"]).arg(prefix.path().join(""));
    let printed = tool::run(&mut command)?;
    let found = printed.stderr.lines().filter_map(|line| fault(line, prefix.path())).collect();
    Ok(printed.faults(found))
}

/// What a stack has in its folder when nginx starts.
fn lay_out(folder: &Path, configuration: &str) -> anyhow::Result<()> {
    for name in ["data/nginx", "log", "tls"] {
        fs_err::create_dir_all(folder.join(name))?;
    }
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let certificate = certificate.context("no certificate for nginx")?;
    fs_err::write(folder.join("tls/server.pem"), certificate.cert.pem())?;
    fs_err::write(folder.join("tls/server.key"), certificate.signing_key.serialize_pem())?;
    Ok(fs_err::write(folder.join("nginx.conf"), configuration)?)
}

/// A gap that cannot be filled, where it is.
fn gap_fault(template: &str, what: &str) -> String {
    let quoted = what.split_once("{{").and_then(|(_, rest)| rest.split_once("}}"));
    let is_there = |line: &str| match quoted {
        Some((name, _)) => line
            .split("{{")
            .skip(1)
            .any(|gap| gap.split("}}").next().is_some_and(|it| it.trim() == name)),
        None => line.contains("{{"),
    };
    let lines = template.lines().zip(1..);
    match lines.filter(|(line, _)| is_there(line)).map(|(_, number)| number).next() {
        Some(number) => format!("{TEMPLATE}:{number}: {what}"),
        None => format!("{TEMPLATE}: {what}"),
    }
}

/// `… [emerg] 1#1: WHAT in FOLDER/nginx.conf:LINE`. Every gap is filled by a part of a line, so that
/// lines are those of the template.
fn fault(line: &str, folder: &Path) -> Option<String> {
    let (_, message) = line.split_once("] ")?;
    let message = message.split_once(": ").filter(|(id, _)| id.contains('#'));
    let (_, message) = message?;
    let place = format!(" in {}:", folder.join("nginx.conf").display());
    match message.rsplit_once(&place) {
        Some((what, number)) => Some(format!("{TEMPLATE}:{number}: {what}")),
        None => Some(format!("{TEMPLATE}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_where_the_template_has_it() {
        let folder = Path::new("/tmp/a b");
        let line = "2026/11/25 13:10:06 [emerg] 24384#24384: unknown directive \"foo\" in \
                    /tmp/a b/nginx.conf:4";
        let told = fault(line, folder).unwrap();
        assert_eq!(told, "nginx/nginx.conf:4: unknown directive \"foo\"");
        let line = "2026/11/25 13:10:06 [emerg] 7#7: no \"events\" section in configuration";
        let told = fault(line, folder).unwrap();
        assert_eq!(told, "nginx/nginx.conf: no \"events\" section in configuration");
        let summary = "nginx: configuration file /tmp/a b/nginx.conf test failed";
        assert_eq!(fault(summary, folder), None);
    }

    #[test]
    fn a_gap_that_nothing_fills_is_told_with_its_line() {
        let template = "user x;\nlisten {{ keepproxi }};\n";
        let what = nginx::example(template).unwrap_err();
        assert_eq!(
            gap_fault(template, &what),
            "nginx/nginx.conf:2: unknown {{keepproxi}}; did you mean keepproxy?"
        );
    }
}
