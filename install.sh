#!/bin/sh
# Builds gpuguard from this checkout and installs it; safe to run again. `--help` tells the rest.

# All of it is one group of commands: the shell runs nothing of a file that was cut short.
{
set -eu

usage() {
	cat <<'USAGE'
usage: ./install.sh [REPO] [--prefix DIR] [--demo]

Builds gpuguard from this checkout, copies the program into ${CARGO_HOME:-~/.cargo}/bin, and, with
REPO, wires it into that Git repository (`gpuguard install REPO`).

  REPO           a Git repository, or a folder in one
  --prefix DIR   copy the program into DIR/bin instead
  --demo         build and play the whole job on a scratch repository that is removed at the end;
                 installs nothing unless REPO or --prefix is given too
  -h, --help     show this
USAGE
}

say() {
	printf '%s\n' "$*"
}

fail() {
	printf 'install.sh: %s\n' "$1" >&2
	shift
	for line in "$@"; do
		printf '  %s\n' "$line" >&2
	done
	exit 2
}

main() {
	repository='' prefix='' demo=''
	while [ $# -gt 0 ]; do
		case $1 in
		--prefix)
			[ $# -ge 2 ] || fail '--prefix needs a folder'
			prefix=$2
			[ -n "$prefix" ] || fail '--prefix needs a folder'
			shift
			;;
		--prefix=*)
			prefix=${1#--prefix=}
			[ -n "$prefix" ] || fail '--prefix needs a folder'
			;;
		--demo) demo=yes ;;
		-h | --help)
			usage
			return 0
			;;
		-*) fail "unknown option: $1" './install.sh --help lists the options' ;;
		'') fail 'the repository has an empty name' ;;
		*)
			[ -z "$repository" ] || fail "more than one repository: $repository, $1"
			repository=$1
			;;
		esac
		shift
	done
	# Said before the build, which takes minutes.
	if [ -n "$repository" ] && [ ! -d "$repository" ]; then
		fail "not a folder: $repository"
	fi
	for place in "$prefix" "$prefix/bin"; do
		if [ -n "$prefix" ] && [ -e "$place" ] && [ ! -d "$place" ]; then
			fail "not a folder: $place"
		fi
	done

	checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
	[ -f "$checkout/Cargo.toml" ] || fail "no gpuguard checkout at $checkout" \
		'clone the repository and run the install.sh in it'
	require_tools
	if [ -n "$repository" ]; then
		(cd -- "$repository" && git rev-parse --show-toplevel) >/dev/null 2>&1 ||
			fail "not in the working tree of a Git repository: $repository" \
				'make one with: git init'
	fi
	build
	if [ -z "$demo" ] || [ -n "$repository" ] || [ -n "$prefix" ]; then
		copy_program
	fi
	if [ -n "$repository" ]; then
		"$installed" install "$repository"
	fi
	if [ -n "$demo" ]; then
		"$checkout/tests/mission/demo.sh" "$built"
	fi
}

require_tools() {
	command -v cargo >/dev/null 2>&1 || fail 'cargo is missing' \
		'install Rust 1.95 or later: https://www.rust-lang.org/tools/install'
	command -v git >/dev/null 2>&1 || fail 'git is missing' \
		'install Git: https://git-scm.com/downloads'
	# A dependency holds C code.
	command -v "${CC:-cc}" >/dev/null 2>&1 || fail 'a C compiler is missing' \
		'install gcc or clang, for example: apt-get install gcc'
}

# Leaves the program's path in $built.
build() {
	say 'building gpuguard (this takes some minutes the first time)'
	(cd -- "$checkout" && cargo build --release --locked) ||
		fail 'the build failed' 'nothing was installed, nothing was changed'
	target=$(cd -- "$checkout" && cargo metadata --format-version 1 --no-deps --locked |
		sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
	built=$target/release/gpuguard
	[ -x "$built" ] || fail "the build left no program at $built" \
		'is another target set in the configuration of cargo?'
}

# Leaves the installed program's path in $installed.
copy_program() {
	if [ -n "$prefix" ]; then
		folder=$prefix/bin
	else
		folder=${CARGO_HOME:-$HOME/.cargo}/bin
	fi
	mkdir -p -- "$folder" || fail "cannot make the folder $folder" \
		'choose another with --prefix DIR'
	folder=$(CDPATH='' cd -- "$folder" && pwd -P)
	installed=$folder/gpuguard
	# Renamed into place: a hook that runs meanwhile finds the old program or the new one, whole.
	temporary=$folder/.gpuguard-install-$$
	trap 'rm -f -- "$temporary"' EXIT
	cp -- "$built" "$temporary"
	chmod 755 "$temporary"
	mv -f -- "$temporary" "$installed"
	trap - EXIT
	version=$("$installed" --version) || fail "the installed program does not start: $installed"
	say "installed: $installed ($version)"
	case :$PATH: in
	*":$folder:"* | *":$folder/:"*) ;;
	*)
		say "note: $folder is not on PATH; add this line to your shell's profile:"
		say "  export PATH=\"$folder:\$PATH\""
		;;
	esac
	if [ -z "$repository" ]; then
		say "next: $installed install REPO wires it into a Git repository"
	fi
}

main "$@"; exit; }
