# `just` lists the recipes.
_default:
    @just --list

# All that must pass before a change goes in
check: lint test doc

# The tests, as the README runs them
test:
    cargo test --locked

# Format the source
fmt:
    cargo fmt

# Formatting, lints and shell scripts
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    shellcheck install.sh hooks/*.sh scripts/*.sh tests/*.sh tests/mission/demo.sh .ci/run

# The documentation, with warnings as errors
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items

# Time a hundred scans of the mission's files
bench: release
    #!/usr/bin/env bash
    set -euo pipefail
    program=${CARGO_TARGET_DIR:-target}/release/gpuguard
    time for _ in {1..100}; do
        # Code 1: the files have findings.
        "$program" -q scan --policy src/policy/preset_rtx3090.toml tests/mission/files >/dev/null 2>&1 || [ $? -eq 1 ]
    done

# Play the whole job on a scratch repository
demo:
    ./install.sh --demo

# The book of all pages, by mdBook, in target/book
book:
    mdbook build docs

# The program as it is installed
release:
    cargo build --release --locked
