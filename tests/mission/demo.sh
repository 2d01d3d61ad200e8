#!/usr/bin/env bash
# Plays gpuguard's whole job on the founding mission's forty files, in a scratch repository with
# real commits. Each step is checked: the demo ends with code 1 at the first that does not do
# what it says. Nothing outside the scratch folder is touched, and that is removed at the end.

set -euo pipefail

main() {
	local program='' keep=''
	while [ $# -gt 0 ]; do
		case $1 in
		--keep) keep=yes ;;
		-h | --help)
			usage
			return 0
			;;
		-*)
			usage >&2
			return 2
			;;
		*) program=$1 ;;
		esac
		shift
	done
	if [ -z "$program" ] || [ ! -x "$program" ]; then
		usage >&2
		return 2
	fi
	gpuguard=$(absolute "$program")
	mission=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
	scratch=$(mktemp -d)
	if [ -z "$keep" ]; then
		trap 'rm -rf -- "$scratch"' EXIT
	fi
	isolate
	set_up
	show_the_mission
	refuse_and_fix
	look_back
	check_the_card
	say "Done: every step did what it said."
	if [ -n "$keep" ]; then
		echo "The repository is kept: $scratch/repo"
	fi
}

usage() {
	echo 'usage: tests/mission/demo.sh PATH-OF-GPUGUARD [--keep]'
	echo '  --keep   leave the scratch repository to look at'
}

absolute() {
	printf '%s/%s\n' "$(cd -- "$(dirname -- "$1")" && pwd -P)" "$(basename -- "$1")"
}

# A home, an author and a Git of its own: nothing of the user's configuration counts here.
isolate() {
	local name
	for name in $(compgen -v); do
		case $name in
		GIT_* | GPUGUARD* | CUDA_VISIBLE_DEVICES | CUDA_DEVICE_ORDER) unset "$name" ;;
		SKIP) unset "$name" ;;
		esac
	done
	mkdir "$scratch/home" "$scratch/repo"
	export HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	export GIT_AUTHOR_NAME='Mission' GIT_AUTHOR_EMAIL='mission@example.org'
	export GIT_COMMITTER_NAME='Mission' GIT_COMMITTER_EMAIL='mission@example.org'
}

say() {
	printf '\n== %s\n' "$*"
}

failed() {
	printf '\ndemo: FAILED: %s\n' "$*" >&2
	exit 1
}

# step CODE COMMAND...: shows and runs a command, which must end with that code. What it printed
# is in $output afterwards.
step() {
	local wanted=$1 code=0
	shift
	show "$@"
	output=$("$@" 2>&1 </dev/null) || code=$?
	if [ -n "$output" ]; then
		printf '%s\n' "$output" | sed 's/^/  | /'
	fi
	if [ "$code" -ne "$wanted" ]; then
		failed "exit code $code instead of $wanted: $*"
	fi
}

# The command as a person would type it.
show() {
	local word line='$'
	for word in "${@/#"$gpuguard"/gpuguard}"; do
		case $word in
		*[!A-Za-z0-9_./:=-]*) line+=" '$word'" ;;
		*) line+=" $word" ;;
		esac
	done
	printf '%s\n' "$line"
}

# shown TEXT: the last step must have said it.
shown() {
	case $output in
	*"$1"*) ;;
	*) failed "the last step did not say \"$1\"" ;;
	esac
}

# counted WHAT NUMBER: the last step's table must have that number for it.
counted() {
	printf '%s\n' "$output" | grep -Eq "^$1 +$2\$" || failed "the last step did not count $2 $1"
}

set_up() {
	say 'A project of 38 files, written before anybody wrote down which card is for what'
	cd -- "$scratch/repo"
	step 0 git init --quiet --initial-branch=main
	cp -R -- "$mission/files/." .
	step 0 git add --all
	step 0 git commit --quiet -m 'Work so far'

	say 'The policy: the RTX 3090 is for the work, the RTX 5060 Ti is never to be touched'
	step 0 "$gpuguard" init --preset rtx3090 --tag v-before-gpu-correction
	[ -f gpuguard.toml ] || failed 'there is no gpuguard.toml'
	step 0 git rev-parse --verify --quiet 'refs/tags/v-before-gpu-correction^{commit}'
	# The preset is for the founding rig. What a commit may do must not depend on the cards of the
	# machine that plays the demo; they are looked at in step 6.
	sed 's/^mode = "auto"/mode = "off" /' gpuguard.toml >"$scratch/policy"
	mv -- "$scratch/policy" gpuguard.toml
	grep -q '^mode = "off"' gpuguard.toml || failed 'the policy has no card check to switch off'
	step 0 git add gpuguard.toml
	step 0 git commit --quiet -m 'Say which card is for the work'

	say 'The hook'
	step 0 "$gpuguard" install
}

show_the_mission() {
	say '1. Where the project stands: 38 files analysed, 12 clean, 26 with problems'
	step 1 "$gpuguard" scan --statistics .
	counted 'files analysed' 38
	counted 'files clean' 12
	counted 'files with problems' 26

	say 'Saved before anything is corrected: 38 of the 40 files on the list, 2 do not exist'
	step 1 "$gpuguard" backup create --paths-from "$mission/paths.txt"
	shown '38 saved, 2 not found, 40 in all'
}

refuse_and_fix() {
	local head
	say '2. A commit that would put a job on the wrong card is refused'
	head=$(git rev-parse HEAD)
	cat >>TTS/tts_handler_piper_french.py <<'PYTHON'


def warm_up(network):
    import torch

    return network.to(torch.device("cuda:1"))
PYTHON
	step 0 git add --all
	step 1 git commit -m 'Warm the voice up on the card'
	shown tts_handler_piper_french.py
	shown cuda:1
	[ "$(git rev-parse HEAD)" = "$head" ] || failed 'the refused commit was made all the same'

	say '3. Corrected: the two variables on top, and the one card that is left is cuda:0'
	step 1 "$gpuguard" fix --diff TTS/tts_handler_piper_french.py
	shown '+os.environ["CUDA_VISIBLE_DEVICES"] = "1"'
	step 0 "$gpuguard" fix TTS/tts_handler_piper_french.py
	shown 'in 1 file'
	step 0 git add --all
	step 0 git commit -m 'Warm the voice up on the RTX 3090'
	[ "$(git rev-parse HEAD)" != "$head" ] || failed 'the commit was not made'

	say 'The rest of the project: 26 files corrected, all 38 clean, and a second run changes nothing'
	step 0 "$gpuguard" fix
	shown 'in 26 files'
	shown '38 files scanned: no problems'
	step 0 "$gpuguard" fix
	shown 'nothing was changed'
	still_python
	step 0 git commit --quiet --all -m 'Keep all work on the RTX 3090'
}

# What was corrected must still be what Python accepts; without Python the tests vouch for it.
still_python() {
	local python
	python=$(command -v python3) || return 0
	git ls-files -z -- '*.py' | while IFS= read -r -d '' file; do
		"$python" -c 'import sys; compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec")' "$file" ||
			failed "$file is no longer Python"
	done
	echo 'Python still accepts every file.'
}

look_back() {
	local before after
	say '4. What was saved on the way'
	step 0 "$gpuguard" backup list
	[ -n "$output" ] || failed 'the list of backups is empty'

	say '5. Back to the tag, and forward again'
	before=$(contents)
	step 0 "$gpuguard" rollback v-before-gpu-correction --yes
	step 0 git diff --quiet v-before-gpu-correction --
	step 0 "$gpuguard" rollback --undo
	after=$(contents)
	[ "$before" = "$after" ] || failed 'the undone rollback did not bring every file back'
	echo 'All files are as they were before the rollback.'
}

# The name and hash of every file in the working tree.
contents() {
	git ls-files -z --cached --others | sort -z -u | while IFS= read -r -d '' file; do
		if [ -f "$file" ]; then
			printf '%s %s\n' "$(git hash-object -- "$file")" "$file"
		fi
	done
}

check_the_card() {
	local code=0 status
	say '6. The card itself'
	printf '$ gpuguard gpu check\n'
	"$gpuguard" gpu check 2>&1 </dev/null | sed 's/^/  | /' || true
	status=$("$gpuguard" gpu check --format json 2>/dev/null </dev/null) || code=$?
	status=$(printf '%s' "$status" | tr -d '\n' | sed -n 's/.*"status": *"\([a-z-]*\)".*/\1/p')
	# The answer depends on the machine's cards: there must be one, whichever it is.
	case $code,$status in
	0,ok) echo 'The card answers, and it is the one for the work.' ;;
	*,no-driver) echo 'Skipped: there is no NVIDIA driver here.' ;;
	1,wrong-card | *,busy | *,unhealthy | *,timeout)
		echo "This machine's cards are not the founding rig's in working order: $status."
		;;
	*) failed "the card check gave code $code and status \"$status\"" ;;
	esac
}

main "$@"
