#!/bin/sh
# A setup script for cargo-nextest: starts a cluster for all tests of a run, and tells them where it
# is. The cluster belongs to the run, and goes down with it however that ends.
#
# Arguments are those of `cargo xtask services up`: services, --profile, --set, --auth, ….
set -eu

: "${NEXTEST_ENV:?is not set: this is a setup script, to be run by cargo-nextest}"

cd -- "$(dirname -- "$0")/.."
# Built in our own folder, for a shared one may have an xtask of another workspace; and as the tests of
# our workspace have it, else it would be replaced while they run it.
unset CARGO_BUILD_TARGET
"${CARGO:-cargo}" build --workspace --bin xtask --target-dir target
# Our parent is nextest itself, whose number and ours nobody else has at the time.
exec target/debug/xtask services up \
    --stack "nextest-$PPID-$$" --owner "$PPID" --format nextest "$@" >>"$NEXTEST_ENV"
