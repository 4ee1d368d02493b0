//! What a person sees of a run: bars on a terminal, lines elsewhere. All on standard error.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::folder::ReportFolder;
use super::plan::Item;
use crate::lifecycle::log_tail;
use crate::logs::tail::read_before;
use crate::output::{self, say};
use crate::report::words;
use crate::results::{Attempt, Outcome, SuiteResult};
use crate::terminal;

/// How many of the last lines of a service's log are shown when a suite has failed.
const LOG_LINES: usize = 10;

/// How often a bar is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// How much of the end of a suite's output is looked at for its last line, in bytes.
const GLANCE: u64 = 1024;

pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    coloured: bool,
}

/// A suite that runs now.
pub(crate) struct Running {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(jobs: usize) -> Self {
        let bars = (output::is_drawn_on(&std::io::stderr()) && jobs > 0).then(|| {
            let bars = MultiProgress::with_draw_target(terminal::draw_target());
            output::share_screen(bars.clone());
            bars
        });
        let coloured = output::may_be_coloured(&std::io::stderr());
        Self { bars, coloured }
    }

    /// A suite has begun, for the first time or again, and prints into that file.
    pub(crate) fn begun(&self, item: &Item, number: usize, output: &Path) -> Running {
        let again = if number == 1 { String::new() } else { format!(", attempt {number}") };
        let Some(bars) = &self.bars else {
            say(&format!("suite {}: started{again}", item.name));
            return Running { bar: None };
        };
        let bar = bars.add(ProgressBar::new_spinner());
        let output = output.to_owned();
        let line = move |_: &ProgressState, writer: &mut dyn std::fmt::Write| {
            let _nobody_to_tell = writer.write_str(&last_line(&output));
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}  {line:.dim}") {
            bar.set_style(style.with_key("line", line));
        }
        bar.set_message(format!("{}{again}", item.name));
        bar.enable_steady_tick(TICK);
        Running { bar: Some(bar) }
    }

    /// An attempt has failed, and there is another one.
    pub(crate) fn again(
        &self,
        item: &Item,
        number: usize,
        attempt: &Attempt,
        folder: &ReportFolder,
    ) {
        self.show_output(&item.name, attempt, folder);
        let (word, style) = shown(&attempt.outcome);
        let why = reason(&attempt.outcome);
        let word = self.styled(word, style);
        say(&format!("suite {}: attempt {number} {word}{why}; it is run again", item.name));
    }

    /// It is not run at all.
    pub(crate) fn not_run(&self, result: &SuiteResult) {
        let (word, style) = shown(&result.outcome);
        let word = self.styled(word, style);
        say(&format!("suite {}: {word}{}", result.name, reason(&result.outcome)));
    }

    /// It has ended, and will not be run again.
    pub(crate) fn finished(&self, result: &SuiteResult, folder: &ReportFolder) {
        let Some(attempt) = result.last() else { return self.not_run(result) };
        if !matches!(result.outcome, Outcome::Passed | Outcome::Interrupted) {
            self.show_output(&result.name, attempt, folder);
        }
        let (word, style) = shown(&result.outcome);
        let took = attempt.command.map_or(Duration::ZERO, crate::results::Span::length);
        let name = &result.name;
        say(&format!(
            "suite {name}: {}{}; {} in {}",
            self.styled(word, style),
            reason(&result.outcome),
            attempt.count,
            words::length(took)
        ));
        for note in &attempt.notes {
            say(&format!("suite {name}: {note}"));
        }
        if let Some(stack) = &attempt.kept {
            say(&format!(
                "suite {name}: its cluster is left up: `cargo xtask services exec --stack {stack} \
                 -- COMMAND` runs a command on it, and `cargo xtask services down --stack {stack}` \
                 ends it"
            ));
        }
    }

    /// The whole of what it has printed, and the end of what its services have logged.
    fn show_output(&self, name: &str, attempt: &Attempt, folder: &ReportFolder) {
        let copy = || -> std::io::Result<()> {
            let mut stderr = std::io::stderr().lock();
            if let Some(output) = &attempt.output {
                let output = fs_err::File::open(folder.path().join(output))?.into_parts().0;
                writeln!(stderr, "---- the output of suite {name} ----")?;
                std::io::copy(&mut &output, &mut stderr)?;
                let last = read_before(&output, output.metadata()?.len(), 1)?;
                let rest = if last.is_empty() || last == b"\n" { "" } else { "\n" };
                writeln!(stderr, "{rest}---- the end of the output of suite {name} ----")?;
            }
            for (service, log) in &attempt.logs {
                let path = folder.path().join(log);
                if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0) {
                    writeln!(stderr, "{service}: {}", log_tail::tail(&path, LOG_LINES))?;
                }
            }
            Ok(())
        };
        let _nobody_to_tell = match &self.bars {
            Some(bars) => bars.suspend(copy),
            None => copy(),
        };
    }

    fn styled(&self, word: &str, style: Style) -> String {
        let style = if self.coloured { style } else { Style::new() };
        format!("{style}{word}{style:#}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The word for an outcome, and how it is set off.
fn shown(outcome: &Outcome) -> (&'static str, Style) {
    let (word, colour) = match outcome {
        Outcome::Passed => ("passed", AnsiColor::Green),
        Outcome::Failed(_) => ("FAILED", AnsiColor::Red),
        Outcome::TimedOut(_) => ("TIMED OUT", AnsiColor::Red),
        Outcome::Broken(_) => ("COULD NOT BE RUN", AnsiColor::Magenta),
        Outcome::Skipped(_) => ("skipped", AnsiColor::Yellow),
        Outcome::Interrupted => ("interrupted", AnsiColor::Yellow),
    };
    (word, colour.on_default())
}

/// Why, to be put behind the word.
fn reason(outcome: &Outcome) -> String {
    let told = words::reason(outcome).filter(|_| *outcome != Outcome::Interrupted);
    told.map_or_else(String::new, |why| format!(": {why}"))
}

/// The last line of the file, without what could move the cursor.
fn last_line(output: &Path) -> String {
    let glance = || -> std::io::Result<Vec<u8>> {
        let file = std::fs::File::open(output)?;
        read_before(&file, file.metadata()?.len(), GLANCE)
    };
    let text = glance().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(120).collect()
}
