#!/usr/bin/env bash
# gpuguard built for Windows, and its tests run under wine, where there is no Windows to be had. Installs what it needs from Debian.
#
#     tests/windows.sh [--fast] [FILTER...]      --fast: the unit tests, and what is Windows' own; FILTER: tests by name
#
# `git` is the one of this machine: tests/wine/git.rs says how. What cannot be so is left out by name, below, with the reason.

set -euo pipefail

# Not gpuguard's, but wine's or the bridge's to git: what these tests want is not there.
left_out=(
	# Wine 8 says that it made a symbolic link, and makes none.
	backup::tests::hostile::with_a_fitting_sum_a_damaged_archive_is_refused_or_restores_what_was_saved
	# The sh of Linux does not find the program by `Z:/folder`, and its Git wants hooks to be executable.
	cli::windows::a_hook_that_is_there_makes_it_a_script_and_comes_back
	cli::hook::a_git_directory_elsewhere_is_no_bare_repository
	# An address in a configuration is one of Linux there.
	cli::hook_framework::a_push_is_judged_by_its_variables
	# The bridge to git needs a variable that a graphical client does not hand on.
	cli::policy_below_only::the_doctor_says_so_and_finds_nothing_wrong_in_it
	# They take away objects of Git, which are read-only: wine 8 does not remove such a file.
	cli::hook::what_cannot_be_read_blocks_or_passes_as_the_policy_says
	cli::rollback_refused::what_is_only_staged_and_cannot_be_read_stops_the_rollback
)

# Hundreds of runs of the program each, every one of them some 30 times as slow as without wine.
slow=(
	backup::tests::hostile::every_bit_of_every_byte
	cli::backup_at_once
	cli::backup_prune::a_prune_killed_or_failing
	cli::faults
	cli::fix_interrupted::killed
	git_readers
)

# Of the tests of the whole program, those that `--fast` has.
own=(cli::windows cli::scan:: languages::)

main() {
	cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
	exec </dev/null
	local fast='' filters=() test
	for argument in "$@"; do
		case $argument in
		--fast) fast=yes ;;
		*) filters+=("$argument") ;;
		esac
	done
	scratch=$(mktemp -d)
	trap clean_up EXIT
	need wine wine64
	need wine wine
	need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-win32
	find_toolchain
	start_wine
	start_git

	local skipped=()
	for test in "${left_out[@]}"; do
		skipped+=(--skip "$test")
	done
	[ -z "$fast" ] || for test in "${slow[@]}"; do
		skipped+=(--skip "$test")
	done
	export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine
	# Wine reads a program as a whole each time that it starts it.
	export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_STRIP=symbols
	if [ -n "$fast" ]; then
		"${cargo[@]}" test --locked --target "$target" --lib -- "${skipped[@]}" "${filters[@]}"
		[ ${#filters[@]} -gt 0 ] || filters=("${own[@]}")
		"${cargo[@]}" test --locked --target "$target" --test main -- "${skipped[@]}" "${filters[@]}"
	else
		"${cargo[@]}" test --locked --target "$target" -- "${skipped[@]}" "${filters[@]}"
	fi
	[ -n "$fast$*" ] || sees_pretended_cards
	installs_by_powershell
}

target=x86_64-pc-windows-gnu

# The toolchain in use, where it can build for Windows; else Debian's, with its own standard library.
find_toolchain() {
	cargo=(cargo)
	rustc=(rustc)
	if [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
		return
	fi
	need /usr/bin/cargo rustc-web cargo-web rust-web-src
	export RUSTC_BOOTSTRAP=1
	export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/debian PATH=/usr/bin:$PATH
	cargo=(/usr/bin/cargo -Z "build-std=std,panic_unwind")
	rustc=(/usr/bin/rustc)
}

# A wine of its own. Everything that wine starts by itself is started here, away from the tests' output: it would hold it open.
start_wine() {
	wine=/usr/lib/wine/wine64
	export WINEPREFIX=$scratch/wine WINEARCH=win64 WINEDEBUG=-all LC_ALL=C.UTF-8
	mkdir "$scratch/bin" "$scratch/tmp" "$WINEPREFIX"
	/usr/lib/wine/wineserver64 -p >"$scratch/wineserver.log" 2>&1
	wine wineboot --init >"$scratch/wineboot.log" 2>&1
	x86_64-w64-mingw32-gcc -shared -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" tests/wine/bcryptprimitives.c -ladvapi32
	local folder=Z:${scratch//\//\\}
	for variable in "TEMP=$folder\\tmp" "TMP=$folder\\tmp" "PATH=$folder\\bin"; do
		"$wine" reg add 'HKCU\Environment' /f /v "${variable%%=*}" /d "${variable#*=}" >"$scratch/reg.log" 2>&1
	done
}

start_git() {
	local port=$scratch/port
	"${rustc[@]}" --edition 2024 -o "$scratch/git-server" tests/wine/git.rs
	# With the toolchain of Debian the standard library for Windows is only cargo's to build.
	build_for_windows tests/wine/git.rs "$scratch/bin/git.exe"
	# The hooks of git are scripts, which start the program with this before it.
	export LINUX_GIT_STARTS=$wine
	LINUX_GIT=$(command -v git) "$scratch/git-server" >"$port" 2>"$scratch/git-server.log" &
	server=$!
	until [ -s "$port" ]; do
		kill -0 "$server" || exit 1
	done
	LINUX_GIT_PORT=$(<"$port")
	export LINUX_GIT_PORT
}

build_for_windows() {
	local package=$scratch/package
	mkdir -p "$package"
	cat >"$package/Cargo.toml" <<-END
		[package]
		name = "git"
		edition = "2024"
		[[bin]]
		name = "git"
		path = "$PWD/$1"
		[workspace]
	END
	"${cargo[@]}" build --quiet --target "$target" --manifest-path "$package/Cargo.toml" --target-dir "$package/target"
	cp "$package/target/$target/debug/git.exe" "$2"
}

# The pretended driver's libraries where Windows has NVIDIA's, and the card asked for through them.
sees_pretended_cards() {
	local system=$WINEPREFIX/drive_c/windows/system32 built=${CARGO_TARGET_DIR:-target}/$target/debug
	"${cargo[@]}" build --quiet --locked --target "$target" --package fake-cuda --package fake-nvml
	cp "$built/fake_cuda.dll" "$system/nvcuda.dll"
	cp "$built/fake_nvml.dll" "$system/nvml.dll"
	git init --quiet "$scratch/rig"
	cp src/policy/preset_rtx3090.toml "$scratch/rig/gpuguard.toml"
	program=$(realpath -- "$built/gpuguard.exe")
	in_rig 'index 1 by PCI_BUS_ID, 0 by CUDA' gpu list
	in_rig 'the kernel.s results are right' gpu check
	in_rig '^1.\?$' run --no-watch -- cmd /c 'echo %CUDA_VISIBLE_DEVICES%'
	in_rig 'all right' gpu soak --minutes 0.05
	in_rig 'ok .*selects NVIDIA GeForce RTX 3090' doctor card
}

# What the program prints in the rig's repository has to have this.
in_rig() {
	local expected=$1
	shift
	echo "gpuguard $*"
	(cd "$scratch/rig" && "$wine" "$program" "$@") >"$scratch/printed" 2>&1 || :
	cat "$scratch/printed"
	grep -q -e "$expected" "$scratch/printed"
}

# No PowerShell can be run: the script's grammar, and what it has the program do.
installs_by_powershell() {
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$scratch/python" \
		tree-sitter==0.26.1 tree-sitter-powershell==0.26.4
	PYTHONPATH=$scratch/python python3 tests/wine/powershell_syntax.py install.ps1
}

clean_up() {
	[ -z "${server-}" ] || kill "$server" || :
	# Ends this wine, and no other.
	[ -z "${WINEPREFIX-}" ] || /usr/lib/wine/wineserver64 -k || :
	rm -rf -- "$scratch"
}

# Installs Debian packages where a program is missing, as root or through sudo.
need() {
	local program=$1 as_root=()
	shift
	! command -v "$program" >/dev/null || return 0
	[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
	"${as_root[@]}" apt-get update -qq
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

main "$@"
