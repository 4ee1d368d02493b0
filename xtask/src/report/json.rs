//! The report that programs read: FORMATS.md describes it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::words;
use crate::results::count::Count;
use crate::results::{Attempt, Results, Span, StackTimes, SuiteResult, Test, Wait};

/// Of the format; keys are added without a new one.
const VERSION: u32 = 1;

/// # Errors
/// When it cannot be put in JSON.
pub(super) fn render(results: &Results) -> serde_json::Result<String> {
    let report = json!({
        "version": VERSION,
        "began": words::timestamp(results.began),
        "seconds": seconds(results.length),
        "jobs": results.jobs,
        "partition": results.partition,
        "interrupted_by": results.interrupted,
        "count": count(results.count()),
        "suites": results.suites.iter().map(suite).collect::<Value>(),
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn suite(suite: &SuiteResult) -> Value {
    json!({
        "name": suite.name,
        "suite": suite.suite,
        "profile": suite.profile,
        "command": suite.command,
        "outcome": words::outcome(&suite.outcome),
        "reason": words::reason(&suite.outcome),
        "count": count(suite.count()),
        "attempts": suite.attempts.iter().map(attempt).collect::<Value>(),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    let logs: Map<String, Value> =
        attempt.logs.iter().map(|(service, log)| (service.clone(), path(log))).collect();
    json!({
        "outcome": words::outcome(&attempt.outcome),
        "reason": words::reason(&attempt.outcome),
        "count": count(attempt.count),
        "waits": attempt.waits.iter().map(wait).collect::<Value>(),
        "stack": attempt.stack.as_ref().map(stack),
        "reset": attempt.reset.map(span),
        "command": attempt.command.map(span),
        "tests": attempt.tests.iter().map(test).collect::<Value>(),
        "output": attempt.output.as_deref().map(path),
        "logs": logs,
        "notes": attempt.notes,
        "kept": attempt.kept,
    })
}

fn wait(wait: &Wait) -> Value {
    json!({
        "what": wait.what,
        "ended_by": wait.ended_by,
        "began": seconds(wait.span.began),
        "ended": seconds(wait.span.ended),
    })
}

fn stack(stack: &StackTimes) -> Value {
    let service = |(name, times): &(String, Span)| json!({"name": name, "began": seconds(times.began), "ended": seconds(times.ended)});
    json!({
        "name": stack.name,
        "up": span(stack.up),
        "services": stack.services.iter().map(service).collect::<Value>(),
        "down": stack.down.map(span),
    })
}

fn test(test: &Test) -> Value {
    json!({
        "name": test.name,
        "verdict": words::verdict(test.verdict),
        "seconds": test.length.map(seconds),
    })
}

fn count(count: Count) -> Value {
    json!({"passed": count.passed, "failed": count.failed, "skipped": count.skipped})
}

fn span(span: Span) -> Value {
    json!({"began": seconds(span.began), "ended": seconds(span.ended)})
}

/// To the microsecond.
fn seconds(length: Duration) -> f64 {
    length.as_micros() as f64 / 1e6
}

/// JSON is text, and a path need not be: what is no UTF-8 in it is replaced.
fn path(path: &Path) -> Value {
    path.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn report() -> Value {
        serde_json::from_str(&render(&sample::results()).unwrap()).unwrap()
    }

    #[test]
    fn the_run_and_its_suites_are_told() {
        let report = report();
        assert_eq!(report["version"], 1);
        assert_eq!(report["began"], "2026-03-01T09:30:00Z");
        assert_eq!(report["seconds"], 61.48);
        assert_eq!(report["count"], json!({"passed": 584, "failed": 2, "skipped": 4}));
        let skipped = &report["suites"][2];
        assert_eq!(
            *skipped,
            json!({
                "name": "go-sdk", "suite": "go-sdk", "profile": "default",
                "command": ["go", "test", "./sdk/go/..."],
                "outcome": "skipped", "reason": "go is not installed",
                "count": {"passed": 0, "failed": 0, "skipped": 1}, "attempts": [],
            })
        );
    }

    #[test]
    fn attempts_have_their_times_in_seconds_since_the_run_began() {
        let report = report();
        let first = &report["suites"][5]["attempts"][0];
        assert_eq!(
            first["waits"],
            json!([{"what": "a free job", "ended_by": "git", "began": 0.03, "ended": 8.25}])
        );
        assert_eq!(first["stack"]["up"], json!({"began": 8.26, "ended": 8.331}));
        assert_eq!(first["stack"]["services"][1]["name"], "keep0");
        assert_eq!(first["command"], json!({"began": 8.34, "ended": 18.4}));
        assert_eq!(first["reset"], Value::Null);
        assert_eq!(
            first["tests"][0],
            json!({
                "name": "cluster_test.Keep.test_five_replicas",
                "verdict": "failed", "seconds": 0.312,
            })
        );
        assert_eq!(first["logs"]["api"], "logs/test-all-4711-3/api.log");
    }
}
