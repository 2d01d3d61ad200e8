#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh virtual environment, and starts the program with nothing else on PATH.
# No part of the ordinary tests: it builds for minutes and takes maturin from PyPI. It needs python3 and cargo.

set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install --quiet 'maturin>=1.9,<2'
"$scratch/tools/bin/maturin" build --release --out "$scratch/dist"
wheels=("$scratch"/dist/gpuguard-*.whl)
[ "${#wheels[@]}" -eq 1 ]

python3 -m venv "$scratch/fresh"
"$scratch/fresh/bin/pip" install --quiet --no-index "${wheels[0]}"

# The program itself, not a script that starts it: no Python is to be found, nor anything else.
program=$scratch/fresh/bin/gpuguard
[ "$(head -c 4 -- "$program" | od -An -tx1 | tr -d ' ')" = 7f454c46 ] || [ "$(uname)" != Linux ]
said=$(env -i PATH=/nonexistent "$program" --version)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [ "$said" != "gpuguard $version" ]; then
	echo "the wheel's program says '$said', not 'gpuguard $version'" >&2
	exit 1
fi
echo "${wheels[0]##*/}: $said, without Python"
