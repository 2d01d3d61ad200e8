#!/usr/bin/env bash
# Packs a built program as `cargo binstall` and people expect it: one folder with the program, the licences, the README,
# the manual pages and the completions.
#
# usage: scripts/archive.sh TARGET FOLDER

set -euo pipefail

target=$1
mkdir -p -- "$2"
folder=$(cd -- "$2" && pwd)
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

name=gpuguard-$target
ending=''
case $target in *windows*) ending=.exe ;; esac
program=${CARGO_TARGET_DIR:-target}/$target/release/gpuguard$ending

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
mkdir -p -- "$scratch/$name/man" "$scratch/$name/completions"
cp -- "$program" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$scratch/$name/"

# macOS runs programs of its other architecture too; where a program cannot run here, the pages are left out.
if "$program" --version >/dev/null 2>&1; then
	"$program" man --dir "$scratch/$name/man"
	for shell in bash zsh fish powershell; do
		"$program" completions "$shell" >"$scratch/$name/completions/gpuguard.$shell"
	done
fi

case $target in
*windows*) (cd -- "$scratch" && 7z a -bd -tzip "$folder/$name.zip" "$name" >/dev/null) ;;
*) tar -C "$scratch" -czf "$folder/$name.tgz" "$name" ;;
esac
