//! Commands killed with SIGKILL at random moments leave nothing that the next command, or the
//! guardian, does not put right.
//!
//! `XTASK_KILL_POINTS` makes it longer by hand, `XTASK_KILL_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Checkout;
use nix::sys::signal::Signal;

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Action {
    Up,
    UpOfARunningStack,
    Reset,
    Restart,
    Down,
    Exec,
    /// Together with its guardian.
    ExecAndGuardian,
    /// With a suite that leaves something behind.
    TestAll,
}

const ACTIONS: [Action; 8] = [
    Action::Up,
    Action::UpOfARunningStack,
    Action::Reset,
    Action::Restart,
    Action::Down,
    Action::Exec,
    Action::ExecAndGuardian,
    Action::TestAll,
];

impl Action {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Up | Self::UpOfARunningStack => &["services", "up"],
            Self::Reset => &["services", "reset"],
            Self::Restart => &["services", "restart"],
            Self::Down => &["services", "down"],
            Self::Exec | Self::ExecAndGuardian => &["services", "exec", "--", "true"],
            Self::TestAll => &["test-all"],
        }
    }

    fn needs_a_stack(self) -> bool {
        !matches!(self, Self::Up | Self::Exec | Self::ExecAndGuardian | Self::TestAll)
    }
}

/// Steele, Lea and Flood's splitmix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn start(checkout: &Checkout, action: Action) -> Child {
    let mut command = checkout.command(action.arguments());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn prepare(checkout: &Checkout, action: Action) {
    if action.needs_a_stack() {
        checkout.up(&[]);
    }
}

/// How long it takes when nobody kills it.
fn duration(checkout: &Checkout, action: Action) -> Duration {
    prepare(checkout, action);
    let started_at = Instant::now();
    assert!(start(checkout, action).wait().unwrap().success(), "{action:?}");
    let took = started_at.elapsed();
    checkout.services(&["down"]).ok();
    took
}

fn kill(checkout: &Checkout, mut child: Child, action: Action) {
    if matches!(action, Action::ExecAndGuardian) {
        for guardian in checkout.guardians() {
            // It may have ended meanwhile.
            let pid = nix::unistd::Pid::from_raw(guardian);
            let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
        }
    }
    // The child is not waited for yet, so the number is its own.
    common::signal(child.id(), Signal::SIGKILL);
    child.wait().unwrap();
}

#[track_caller]
fn assert_nothing_is_left(checkout: &Checkout) {
    assert_eq!(checkout.processes(), [0; 0]);
    let mut find = Command::new("find");
    find.arg(checkout.root().join(".services")).args(["-mindepth", "1", "-not", "-path"]);
    find.args(["*/.cache*", "-not", "-path", "*/default/log*", "-not", "-path", "*/default"]);
    let left = common::Done::from(find.output().unwrap()).ok().stdout;
    let left = left.lines().filter(|line| !line.ends_with("/default/stack.lock"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn commands_killed_at_any_moment_leave_nothing() {
    let seed = setting("XTASK_KILL_SEED").unwrap_or_else(|| std::process::id().into());
    let points = setting("XTASK_KILL_POINTS").unwrap_or(32);
    println!("XTASK_KILL_SEED={seed} XTASK_KILL_POINTS={points}");
    let mut random = Random(seed);
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: auto");
    // What it leaves behind is ended whoever has to do it.
    common::suites::write(&checkout, "  a: {command: [sh, -c, 'setsid sleep 600 & exit']}\n");
    let durations = ACTIONS.map(|action| duration(&checkout, action));
    for point in 0..points {
        let number = usize::try_from(point).unwrap() % ACTIONS.len();
        let (action, whole) = (ACTIONS[number], durations[number]);
        prepare(&checkout, action);
        let child = start(&checkout, action);
        // No event to wait for: any moment may be the bad one.
        let moment =
            whole.mul_f64(f64::from(u32::try_from(random.next() % 1000).unwrap()) / 1000.0);
        std::thread::sleep(moment);
        kill(&checkout, child, action);
        println!("point {point}: {action:?} killed after {moment:?} of {whole:?}");
        match action {
            // The guardian needs nobody.
            Action::Exec | Action::TestAll => common::wait_for(|| checkout.processes().is_empty()),
            Action::ExecAndGuardian => {
                checkout.services(&["list"]).ok();
                // A guardian that was too young to be seen does its work after that.
                common::wait_for(|| checkout.processes().is_empty());
            }
            _ => {
                checkout.up(&[]);
                assert_eq!(checkout.status(&[])["ready"], true);
                checkout.services(&["down"]).ok();
            }
        }
        assert_nothing_is_left(&checkout);
    }
}
