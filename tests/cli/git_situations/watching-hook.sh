#!/bin/sh
# Looks at index, refs and working tree before and after gpuguard, which keeps the PATH it was given.
given=$PATH
look() (
	PATH=/usr/local/bin:/usr/bin:/bin
	cksum <"${GIT_INDEX_FILE:-$(git rev-parse --git-path index)}"
	git rev-parse --verify --quiet HEAD
	git for-each-ref refs/tags refs/notes refs/remotes
	find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 cksum
	find . -name .git -prune -o -printf '%m %y %p %l\n' | sort
) 2>&1
before=$(look </dev/null)
PATH=$given '@PROGRAM@' hook run '@EVENT@' "$@"
code=$?
after=$(look </dev/null)
if [ "$before" != "$after" ]; then
	printf '%s\n---\n%s\n' "$before" "$after" >>'@SEEN@/changed'
fi
echo "$code" >>'@SEEN@/codes'
exit "$code"
