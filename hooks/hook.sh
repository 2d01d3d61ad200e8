#!/bin/sh
# gpuguard-hook-id: 5f0c2d (written by `gpuguard install`; `gpuguard uninstall` removes it)
#
# Runs the hook that was here before, if there was one, then gpuguard. Either can refuse.

program='@PROGRAM@'
event='@EVENT@'

case $0 in
*/*) folder=${0%/*} ;;
*) folder=. ;;
esac

hook=$folder/$event
previous=$hook.gpuguard-previous
place=$(CDPATH='' cd -- "$folder" && pwd -P)/$event
again=
if [ "${GPUGUARD_HOOK_FOLDER-}" = "$place" ]; then
	# Another tool may have kept this file as its own "previous hook" and call it: then the outer
	# one does the work, and calling on would go round in circles.
	[ "$0" = "$hook" ] || exit 0
	# The earlier hook starts itself again by its own name.
	again=yes
fi

# Leaves in $shell and $flags the shell that the first line of the earlier hook names, or nothing.
find_shell() {
	shell='' flags=''
	IFS= read -r line <"$previous" || :
	case $line in
	'#!'*) line=${line#'#!'} ;;
	# Machine code.
	*[![:print:][:space:]]*) return ;;
	# Text without such a line is for sh, as Git has it.
	*) line='sh' ;;
	esac
	# A script that finds out how it is run is run as it expects.
	if grep -q -e BASH_SOURCE -e ZSH_ -e '(return' "$previous"; then
		return
	fi
	set -f
	for word in $line; do
		case $shell:$word in
		:*/env | :-S) ;;
		:*) shell=$word ;;
		# They end the options, and here one more follows.
		*:- | *:--) ;;
		*) flags="$flags $word" ;;
		esac
	done
	set +f
	# As in `sh -e "$0"`.
	for word in e u x; do
		case $- in *"$word"*) flags="$flags -$word" ;; esac
	done
	case ${shell##*/} in
	sh | ash | bash | dash | ksh | ksh93 | mksh) ;;
	# Else its $0 would become the name of the file that is read.
	zsh) flags="$flags -o no_function_argzero" ;;
	*) shell='' ;;
	esac
}

# Many a hook finds its parts by its own name, so a script is read by its shell under the name it
# always had. Other programs are started as they are.
run_previous() {
	find_shell
	if [ -n "$shell" ]; then
		# shellcheck disable=SC2016,SC2086 # $0 is for that shell, and the flags are words
		GPUGUARD_HOOK_FOLDER=$place "$shell" $flags -c '. "$0.gpuguard-previous"' "$hook" "$@"
	else
		GPUGUARD_HOOK_FOLDER=$place "$previous" "$@"
	fi
}

# What Git says on standard input is for both.
told=no input=
case $event in
pre-push | pre-receive)
	if [ ! -t 0 ]; then
		told=yes
		input=$(cat)
	fi
	;;
esac
tell() {
	if [ -n "$input" ]; then
		printf '%s\n' "$input"
	fi
}

# As Git does with hooks, a file that is not executable is passed over.
runs_previous() {
	[ -f "$previous" ] && [ -x "$previous" ] || return 1
	# pre-commit keeps this file as its own "legacy" hook and refuses to be called by it in turn.
	[ -n "${PRE_COMMIT_RUNNING_LEGACY-}" ] && grep -q 'pre-commit\.com' "$previous" && return 1
	return 0
}
if runs_previous; then
	if [ "$told" = yes ]; then
		# It need not read all of it, nor any.
		tell 2>/dev/null | run_previous "$@" || exit $?
	else
		run_previous "$@" || exit $?
	fi
fi
if [ -n "$again" ]; then
	exit 0
fi

if [ ! -x "$program" ]; then
	# Only an absolute path: a folder of PATH such as "." may be the repository itself.
	found=$(command -v gpuguard) || found=
	case $found in
	/*) program=$found ;;
	*)
		case ${GPUGUARD-}:,$(printf %s "${SKIP-}" | tr -d ' '), in
		0:* | *,gpuguard,*)
			echo "gpuguard: skipped, nothing was checked" >&2
			exit 0
			;;
		esac
		case $event in
		pre-merge-commit) act=merge ;;
		pre-push | pre-receive) act=push ;;
		*) act=commit ;;
		esac
		{
			if [ "$event" = post-commit ]; then
				echo "gpuguard: the gpuguard program is missing, so it is not noted whether this commit was checked"
			else
				echo "gpuguard: $act refused: the gpuguard program is missing, so nothing was checked"
			fi
			echo "  it was at: $program"
			echo "  to repair: install gpuguard again, then run: gpuguard install"
			if [ -e "$previous" ]; then
				echo "  to do without it: mv '$previous' '$0'"
			elif [ "${folder##*/}" = gpuguard ]; then
				# Not in a hooks folder: the configuration names it.
				section=hook.gpuguard
				[ "$event" = pre-commit ] || section=$section-$event
				echo "  to do without it: git config --local --remove-section $section"
			else
				echo "  to do without it: rm '$0'"
			fi
			case $event in
			post-commit | pre-receive) ;;
			*) echo "  for this one $act: GPUGUARD=0 git $act ..." ;;
			esac
		} >&2
		exit 1
		;;
	esac
fi

if [ "$told" = yes ]; then
	tell | "$program" hook run "$event" "$@"
	exit $?
fi
exec "$program" hook run "$event" "$@"
