#!/bin/sh
# gpuguard-hook-id: 5f0c2d (written by `gpuguard install`; `gpuguard uninstall` removes it)
#
# Runs the hook that was here before, if there was one, then gpuguard. Either can refuse.

program='@PROGRAM@'

case $0 in
*/*) folder=${0%/*} ;;
*) folder=. ;;
esac

# Another tool may have kept this file as its own "previous hook" and be called from it: then
# the outer one does the work, and calling on would go round in circles.
if [ "${GPUGUARD_HOOK_FOLDER-}" = "$folder" ]; then
	exit 0
fi

# As Git does with hooks, a file that is not executable is passed over.
previous=$folder/pre-commit.gpuguard-previous
if [ -f "$previous" ] && [ -x "$previous" ]; then
	GPUGUARD_HOOK_FOLDER=$folder "$previous" "$@" || exit $?
fi

if [ ! -x "$program" ]; then
	# Only an absolute path: a folder of PATH such as "." may be the repository itself.
	found=$(command -v gpuguard) || found=
	case $found in
	/*) program=$found ;;
	*)
		if [ "${GPUGUARD-}" = 0 ]; then
			exit 0
		fi
		{
			echo "gpuguard: commit refused: the gpuguard program is missing, so nothing was checked"
			echo "  it was at: $program"
			echo "  to repair: install gpuguard again, then run: gpuguard install"
			if [ -e "$previous" ]; then
				echo "  to do without it: mv '$previous' '$0'"
			else
				echo "  to do without it: rm '$0'"
			fi
			echo "  for this one commit: GPUGUARD=0 git commit ..."
		} >&2
		exit 1
		;;
	esac
fi

exec "$program" hook run pre-commit "$@"
