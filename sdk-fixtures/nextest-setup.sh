#!/bin/sh
# A setup script for cargo-nextest: starts a cluster for all tests of a run, and tells them where it
# is. The cluster belongs to the run, and goes down with it however that ends.
#
# Arguments are those of `cargo xtask services up`: services, --profile, --set, --auth, ….
set -eu

: "${NEXTEST_ENV:?is not set: this is a setup script, to be run by cargo-nextest}"

cd -- "$(dirname -- "$0")/.."
# Our parent is nextest itself, whose number and ours nobody else has at the time. Built in our own
# folder: a shared one may have an xtask of another workspace.
exec "${CARGO:-cargo}" run --package xtask --target-dir target -- services up \
    --stack "nextest-$PPID-$$" --owner "$PPID" --format nextest "$@" >>"$NEXTEST_ENV"
