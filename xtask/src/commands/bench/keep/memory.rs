//! The most memory that servers have had at once.

use anyhow::Context as _;

use super::super::load::work;

/// What the kernel knows by this number: forget the most that a process has had so far.
const RESET_PEAK: &str = "5";

/// Processes whose memory is watched from some time on.
pub(super) struct Memory {
    processes: Vec<i32>,
}

impl Memory {
    /// Watches `roots`, and all that descend from them, from now on.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub(super) fn from_now(roots: &[i32]) -> anyhow::Result<Self> {
        let processes: Vec<i32> = work::family(roots).iter().map(|entry| entry.pid).collect();
        for process in &processes {
            fs_err::write(format!("/proc/{process}/clear_refs"), RESET_PEAK)
                .context("the peak of a process cannot be reset")?;
        }
        Ok(Self { processes })
    }

    /// The sum of what each has had at most, in bytes. Who is gone counts nothing.
    pub(super) fn peak(&self) -> u64 {
        self.processes.iter().filter_map(|process| peak_of(*process)).sum()
    }
}

fn peak_of(process: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_peak_is_that_of_now_once_it_is_reset() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = vec![1_u8; 64 << 20];
        assert!(std::hint::black_box(&before)[before.len() - 1] == 1);
        drop(before);
        let memory = Memory::from_now(&[own]).unwrap();
        assert!(memory.peak() > 0);
        let big = vec![1_u8; 128 << 20];
        assert!(std::hint::black_box(&big)[big.len() - 1] == 1);
        assert!(memory.peak() >= 128 << 20);
    }
}
