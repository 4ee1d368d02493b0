#!/bin/sh
# Called by the pre-commit framework for a repository that names ours: from our clone, at the top
# of their work tree.
command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-${HOME-}/.cargo}/bin
XTASK_ROOT=$PWD
export PATH XTASK_ROOT
exec cargo run --quiet --manifest-path "${0%/*}/../../../Cargo.toml" --package xtask -- lint --staged
