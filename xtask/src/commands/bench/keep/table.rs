//! The table that a person reads.

use std::time::Duration;

use super::cell::{Action, LARGE, Measured};
use super::floor::Floor;

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
    let rate = |measured: &Measured| format!("{:.0}/s", measured.outcome.rate());
    let rate = |measured: &Measured| match measured.cell.size {
        LARGE => {
            let megabytes = measured.outcome.rate() * (LARGE >> 20) as f64;
            format!("{megabytes:.0} MiB/s")
        }
        _ => rate(measured),
    };
    let work = |measured: &Measured| milliseconds(measured.outcome.work());
    let of = |text: &dyn Fn(&Measured) -> String| real.map(text).unwrap_or_default();
    line([
        ours.cell.what(),
        ours.cell.size_in_words().to_owned(),
        ours.cell.clients.to_string(),
        milliseconds(ours.outcome.percentile(50)),
        rate(ours),
        work(ours),
        megabytes(ours.memory),
        of_floor(floor, ours),
        of(&rate),
        of(&work),
        of(&|real| megabytes(real.memory)),
        of(&|real| format!("{:.2}", ours.outcome.rate() / real.outcome.rate())),
    ])
}

/// How often the floor one client takes for a large block.
fn of_floor(floor: &Floor, measured: &Measured) -> String {
    if measured.cell.size != LARGE || measured.cell.clients != 1 {
        return String::new();
    }
    let floor = match measured.cell.action {
        Action::Put => floor.put(),
        Action::Get => floor.get(),
    };
    let median = measured.outcome.percentile(50);
    format!("{:.2}", median.as_secs_f64() / floor.as_secs_f64())
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
    use super::super::cell::{Cell, Route};
    use super::*;

    fn measured(cell: Cell, milliseconds: u64, memory: u64) -> Measured {
        let times = vec![Duration::from_millis(milliseconds); 10];
        let elapsed = Duration::from_millis(10 * milliseconds);
        let outcome = Outcome::new(times, elapsed, Duration::from_millis(500));
        Measured { cell, outcome, memory }
    }

    #[test]
    fn a_row_shows_ours_beside_the_floor_and_the_real_programs() {
        let of = |milliseconds| Duration::from_millis(milliseconds);
        let floor = Floor { hash: of(85), socket: of(15), write: of(20), read: of(10) };
        let ours = Cell::all(&[Route::Direct, Route::Front], 1);
        let real = Cell::all(&[Route::Direct, Route::Nginx], 1);
        // One client: small and large blocks are stored directly, large ones read through TLS.
        let rows = [(0, 1), (3, 180), (21, 220)];
        let ours: Vec<_> =
            rows.iter().map(|(cell, time)| measured(ours[*cell], *time, 90_000_000)).collect();
        let real = [measured(real[3], 360, 180_000_000)];
        insta::assert_snapshot!(render(&floor, &ours, &real));
    }
}
