//! The table of loads that a person reads.

use std::time::Duration;

use super::Outcome;

/// One line of it.
pub(in super::super) struct Row {
    /// What was done.
    pub(in super::super) what: String,
    /// How many did it at the same time.
    pub(in super::super) clients: usize,
    /// What it took.
    pub(in super::super) outcome: Outcome,
    /// What the median is to be.
    pub(in super::super) aim: &'static str,
    /// What the real program takes.
    pub(in super::super) real: &'static str,
}

/// The rows below a heading, of which `title` is the first word and `real` names the last column.
pub(in super::super) fn render(title: &str, real: &str, rows: &[Row]) -> String {
    let heading = [title, "CLIENTS", "P50", "P99", "RATE", "CPU", "AIM", real];
    let lines = rows.iter().map(|row| {
        let outcome = &row.outcome;
        line([
            &row.what,
            &row.clients.to_string(),
            &milliseconds(outcome.percentile(50)),
            &milliseconds(outcome.percentile(99)),
            &format!("{:.0}/s", outcome.rate()),
            &milliseconds(outcome.work()),
            row.aim,
            row.real,
        ])
    });
    std::iter::once(line(heading)).chain(lines).collect()
}

fn line([what, clients, p50, p99, rate, cpu, aim, real]: [&str; 8]) -> String {
    let line = format!(
        "{what:<29} {clients:>7} {p50:>10} {p99:>10} {rate:>9} {cpu:>10} {aim:>7} {real:>7}"
    );
    format!("{}\n", line.trim_end())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_times_of_one_operation_and_the_rate_of_all() {
        let times = (1..=200).map(|number| Duration::from_micros(number * 10)).collect();
        let outcome = Outcome::new(times, Duration::from_millis(100), Duration::from_millis(50));
        let row = |clients, aim, real| Row {
            what: "users/current".to_owned(),
            clients,
            outcome: outcome.clone(),
            aim,
            real,
        };
        let rows = [row(1, "0.3 ms", "7 ms"), row(16, "", "")];
        insta::assert_snapshot!(render("API SERVER", "RAILS", &rows));
    }
}
