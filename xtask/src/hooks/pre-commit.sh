#!/bin/sh
# Written by `cargo xtask hooks install`, CHECKSUM. Once changed, it is yours, and left alone.
#
# Refuses a commit that `cargo xtask lint` refuses. Git calls it at the top of the work tree that is
# committed from, whichever that is, with variables that its children need as they are.

# Where the project lies, and where cargo was when this was installed.
project=$PWD
cargo_folder=

# A work tree without the project, on another branch, has nothing to check.
[ -f "$project/xtask/services.yml" ] || exit 0

# Programs with windows are often started without a shell's PATH.
if ! command -v cargo >/dev/null; then
    PATH=$PATH:${CARGO_HOME:-${HOME-}/.cargo}/bin${cargo_folder:+:$cargo_folder}
    export PATH
fi

# Cargo takes longer than the check itself, and waits as long as an editor has it build something.
program=$project/target/debug/xtask
if [ -z "${CARGO_TARGET_DIR-}" ] && [ -x "$program" ]; then
    newer=$(find "$project/Cargo.toml" "$project/Cargo.lock" "$project/.cargo" \
        "$project/nginx" "$project/sdk-fixtures/Cargo.toml" "$project/sdk-fixtures/src" \
        "$project/xtask/Cargo.toml" "$project/xtask/src" -newer "$program" 2>&1)
    if [ -z "$newer" ]; then
        # As cargo tells it: the checkout that is meant.
        CARGO_MANIFEST_DIR=$project/xtask
        export CARGO_MANIFEST_DIR
        exec "$program" lint --staged
    fi
fi

if ! command -v cargo >/dev/null; then
    echo "error: cargo is not on PATH, so this commit cannot be checked; see" \
        "\`cargo xtask hooks install\`, or commit with --no-verify" >&2
    exit 1
fi
echo "checking this commit with cargo, which builds xtask first if that has changed" >&2
exec cargo run --quiet --manifest-path "$project/Cargo.toml" --package xtask -- lint --staged
