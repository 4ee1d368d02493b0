//! The findings, for a person and for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Findings, Program};

impl Findings {
    /// Three lists, of which the last is left out where it would be empty.
    pub(crate) fn as_table(&self) -> String {
        let mut text = line(["PROGRAM", "VERSION", "FOR", "PATH"]);
        for program in &self.programs {
            let path = program.path.as_ref().map(|path| path.display().to_string());
            let version = program.version.clone().unwrap_or_else(|| "-".into());
            let path = path.as_deref().unwrap_or("not installed");
            text += &line([&program.name, &version, &program.purposes.join(", "), path]);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{:<14} PROVIDER, in the era {}", "SERVICE", self.era);
        for service in &self.services {
            let lacks = service.lacks.as_ref().map(|why| format!("  cannot run here: {why}"));
            let lacks = lacks.unwrap_or_default();
            let _ = writeln!(text, "{:<14} {}{lacks}", service.name, service.provider);
        }
        for (index, (suite, why)) in self.skipped_suites.iter().enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}suite {suite} is skipped: {why}");
        }
        text
    }

    /// See FORMATS.md.
    pub(crate) fn as_json(&self) -> Value {
        let services: Vec<Value> = self
            .services
            .iter()
            .map(|it| json!({"name": it.name, "provider": it.provider, "lacks": it.lacks}))
            .collect();
        let skipped: Vec<Value> = self
            .skipped_suites
            .iter()
            .map(|(name, why)| json!({"name": name, "lacks": why}))
            .collect();
        json!({
            "ready": self.missing().is_empty(),
            "era": self.era,
            "programs": self.programs.iter().map(program).collect::<Vec<_>>(),
            "services": services,
            "skipped_suites": skipped,
        })
    }
}

fn program(program: &Program) -> Value {
    json!({
        "name": program.name,
        "path": program.path,
        "version": program.version,
        "for": program.purposes,
    })
}

fn line([program, version, purposes, path]: [&str; 4]) -> String {
    format!("{program:<14} {version:<10} {purposes:<44} {path}\n")
}
