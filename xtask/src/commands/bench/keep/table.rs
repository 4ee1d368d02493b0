//! The table that a person reads.

use std::time::Duration;

use super::cell::{Action, Cell, LARGE};
use super::floor::Floor;
use super::measured::{Figures, Measured};

/// The rows of ours, each beside that of the real programs that is like it, if it was measured.
pub(super) fn render(floor: &Floor, ours: &[Measured], real: &[Measured]) -> String {
    let heading = [
        "KEEP", "SIZE", "CLIENTS", "P50", "RATE", "CPU", "MEMORY", "/FLOOR", "REAL", "CPU",
        "MEMORY", "RATIO",
    ];
    let lines = ours.iter().map(|measured| {
        let like = real.iter().find(|real| measured.cell.is_like(&real.cell));
        row(floor, measured, like)
    });
    let lines = std::iter::once(line(heading.map(str::to_owned))).chain(lines);
    lines.chain([floor_line(floor)]).collect()
}

fn row(floor: &Floor, ours: &Measured, real: Option<&Measured>) -> String {
    let [p50, rate, cpu, memory, of_floor] = of_ours(floor, ours);
    let [real_rate, real_cpu, real_memory] = real.map(of_real).unwrap_or_default();
    line([
        ours.cell.what(),
        ours.cell.size_in_words().to_owned(),
        ours.cell.clients.to_string(),
        p50,
        rate,
        cpu,
        memory,
        of_floor,
        real_rate,
        real_cpu,
        real_memory,
        ratio(ours, real).unwrap_or_default(),
    ])
}

fn of_ours(floor: &Floor, ours: &Measured) -> [String; 5] {
    let Some(figures) = &ours.figures else { return failed() };
    let [rate, cpu, memory] = of_both(&ours.cell, figures);
    let median = figures.outcome.percentile(50);
    [milliseconds(median), rate, cpu, memory, of_floor(floor, &ours.cell, median)]
}

fn of_real(real: &Measured) -> [String; 3] {
    real.figures.as_ref().map_or_else(failed, |figures| of_both(&real.cell, figures))
}

/// In place of the figures of a cell that failed.
fn failed<const COLUMNS: usize>() -> [String; COLUMNS] {
    std::array::from_fn(|column| if column == 0 { "failed".to_owned() } else { String::new() })
}

/// What is shown of ours and of the real programs alike.
fn of_both(cell: &Cell, figures: &Figures) -> [String; 3] {
    let rate = figures.outcome.rate();
    let rate = match cell.size {
        LARGE => format!("{:.0} MiB/s", rate * (LARGE >> 20) as f64),
        _ => format!("{rate:.0}/s"),
    };
    [rate, milliseconds(figures.outcome.work()), megabytes(figures.memory)]
}

/// How often the floor one client takes for a large block.
fn of_floor(floor: &Floor, cell: &Cell, median: Duration) -> String {
    if cell.size != LARGE || cell.clients != 1 {
        return String::new();
    }
    let floor = match cell.action {
        Action::Put => floor.put(),
        Action::Get => floor.get(),
    };
    format!("{:.2}", median.as_secs_f64() / floor.as_secs_f64())
}

/// The rate of ours by that of the real programs, where neither failed.
fn ratio(ours: &Measured, real: Option<&Measured>) -> Option<String> {
    let (ours, real) = (ours.figures.as_ref()?, real?.figures.as_ref()?);
    Some(format!("{:.2}", ours.outcome.rate() / real.outcome.rate()))
}

fn floor_line(floor: &Floor) -> String {
    let of = |time| format!("{:.0} ms", Duration::as_secs_f64(&time) * 1000.0);
    format!(
        "floor of a block of 64 MiB: MD5 {}, socket {}, file written {} or read {}\n",
        of(floor.hash),
        of(floor.socket),
        of(floor.write),
        of(floor.read),
    )
}

fn line(cells: [String; 12]) -> String {
    let [what, size, clients, p50, rate, cpu, memory, floor, real, real_cpu, real_memory, ratio] =
        cells;
    let line = format!(
        "{what:<24} {size:>6} {clients:>7} {p50:>10} {rate:>10} {cpu:>10} {memory:>7} {floor:>6} \
         {real:>10} {real_cpu:>10} {real_memory:>7} {ratio:>5}"
    );
    format!("{}\n", line.trim_end())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::super::super::load::Outcome;
    use super::super::cell::Route;
    use super::*;

    fn measured(cell: Cell, milliseconds: u64, memory: u64) -> Measured {
        let times = vec![Duration::from_millis(milliseconds); 10];
        let elapsed = Duration::from_millis(10 * milliseconds);
        let outcome = Outcome::new(times, elapsed, Duration::from_millis(500));
        Measured { cell, figures: Some(Figures { outcome, memory }) }
    }

    fn floor() -> Floor {
        let of = |milliseconds| Duration::from_millis(milliseconds);
        Floor { hash: of(85), socket: of(15), write: of(20), read: of(10) }
    }

    #[test]
    fn a_row_shows_ours_beside_the_floor_and_the_real_programs() {
        let ours = Cell::all(&[Route::Direct, Route::Front], 1);
        let real = Cell::all(&[Route::Direct, Route::Nginx], 1);
        // One client: small and large blocks are stored directly, large ones read through TLS.
        let rows = [(0, 1), (3, 180), (21, 220)];
        let ours: Vec<_> =
            rows.iter().map(|(cell, time)| measured(ours[*cell], *time, 90_000_000)).collect();
        let real = [measured(real[3], 360, 180_000_000)];
        insta::assert_snapshot!(render(&floor(), &ours, &real));
    }

    #[test]
    fn what_failed_is_a_word_in_place_of_its_figures() {
        let cells = Cell::all(&[Route::Proxy], 1);
        let ok = |cell: usize| measured(cells[cell], 180, 90_000_000);
        let failed = |cell: usize| Measured { cell: cells[cell], figures: None };
        // The real programs failed, ours did, both did, and ours with none beside them.
        let ours = [ok(3), failed(4), failed(5), failed(9)];
        let real = [failed(3), ok(4), failed(5)];
        insta::assert_snapshot!(render(&floor(), &ours, &real));
    }
}
