//! `test-all` on suites that a test brings along.

use super::{Checkout, Done};

/// Runs `test-all` on these suites; the result, and standard output's last line.
pub(crate) fn test_all(checkout: &Checkout, suites: &str, arguments: &[&str]) -> (Done, String) {
    write(checkout, suites);
    let done = checkout.run(&[&["test-all"], arguments].concat());
    let last = done.stdout.lines().last().unwrap_or_default().to_owned();
    (done, last)
}

/// Gives the checkout these suites.
pub(crate) fn write(checkout: &Checkout, suites: &str) {
    let path = checkout.root().join("xtask/suites.yml");
    fs_err::write(path, format!("suites:\n{suites}")).unwrap();
}

/// What a suite has printed in the last run.
pub(crate) fn output(checkout: &Checkout, file: &str) -> String {
    let path = checkout.root().join("target/test-all/output").join(file);
    String::from_utf8_lossy(&fs_err::read(path).unwrap()).into_owned()
}
