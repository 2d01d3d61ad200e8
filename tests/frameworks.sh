#!/usr/bin/env bash
# gpuguard beside real hook managers, from their packages: pre-commit, prek and lefthook from PyPI, husky from npm, hk from crates.io.
# Each refuses the same commit and the same push and passes the same ones, first by the manager's own configuration, then
# side by side; afterwards everything is as before, byte for byte. Needs python3 with venv, npm, cargo, and the network to install
# them; not part of the tests that always run.
#
#     tests/frameworks.sh [PROGRAM]        the gpuguard to try; target/debug/gpuguard without

set -euo pipefail

main() {
	root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
	program=$(realpath -- "${1:-$root/target/debug/gpuguard}")
	scratch=$(mktemp -d)
	trap 'rm -rf -- "$scratch"' EXIT
	exec </dev/null
	clean_environment
	fetch_tools
	echo "$(git --version), $("$program" --version)"
	echo
	for manager in pre_commit prek lefthook husky hk; do
		story "$manager" by_its_configuration
		story "$manager" side_by_side
	done
	story pre_commit from_a_repository
	story prek from_a_repository
	echo "all as it should be"
}

# Nothing of this machine's configuration, and a gpuguard on PATH as users have it.
clean_environment() {
	unset "${!GIT_@}" "${!GPUGUARD@}" "${!PRE_COMMIT@}" "${!PREK@}" "${!LEFTHOOK@}" SKIP HUSKY HK CI
	mkdir -p "$scratch/home" "$scratch/bin"
	real_home=$HOME
	export HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config XDG_CACHE_HOME=$scratch/home/.cache
	export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org
	export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
	ln -s "$program" "$scratch/bin/gpuguard"
	export PATH=$scratch/bin:$scratch/venv/bin:$scratch/node/node_modules/.bin:$scratch/hk/bin:$PATH
	# Where the managers' own steps leave a trace.
	export STORY=$scratch/story
}

# With FRAMEWORKS_TOOLS, a folder with `venv`, `node` and `hk`, nothing is fetched.
fetch_tools() {
	if [ -n "${FRAMEWORKS_TOOLS-}" ]; then
		ln -s "$FRAMEWORKS_TOOLS/venv" "$FRAMEWORKS_TOOLS/node" "$FRAMEWORKS_TOOLS/hk" "$scratch"
	else
		python3 -m venv "$scratch/venv"
		"$scratch/venv/bin/pip" install --quiet pre-commit prek lefthook
		mkdir "$scratch/node"
		(cd "$scratch/node" && npm install --silent --no-fund husky >"$scratch/npm.log" 2>&1)
		HOME=$real_home cargo install --quiet --locked --root "$scratch/hk" hk
	fi
	pre-commit --version
	prek --version
	echo "lefthook $(lefthook version)"
	hk --version
	echo "husky $(node -p "require('$scratch/node/node_modules/husky/package.json').version")"
}

story() {
	manager=$1 way=$2
	printf '%s, %s:' "${manager/_/-}" "${way//_/ }"
	new_repository
	"configure_$manager" "$way"
	git add -A
	git commit --quiet --no-verify -m setup
	git push --quiet --no-verify origin main
	"install_$manager"
	# What a manager writes when it first runs is its own.
	git commit --quiet --allow-empty -m first >"$STORY.log" 2>&1 || fail "an empty commit is refused"
	git push --quiet origin main >"$STORY.log" 2>&1 || fail "a push of nothing is refused"
	before=$(everything)
	if [ "$way" = side_by_side ]; then
		gpuguard install --hooks all >"$STORY.install" 2>&1 || fail "gpuguard install"
		says "$STORY.install" "${manager/_/-} manages the pre-commit hook here"
		gpuguard install --hooks all >"$STORY.install" 2>&1 || fail "gpuguard install, again"
	else
		gpuguard install --hooks pre-commit,pre-push >"$STORY.install" 2>&1 || fail "gpuguard install"
		says "$STORY.install" "pre-commit: run by ${manager/_/-}"
		# hk reads what Git says of a push and hands nothing on, so that event is gpuguard's own.
		[ "$manager" = hk ] || [ "$(everything)" = "$before" ] ||
			fail "gpuguard changed what the manager does already"
	fi
	refuses_and_passes
	case $manager-$way in
	*-side_by_side) ;;
	pre_commit-* | prek-*) judges_all_files ;;
	esac
	if [ "$way" = side_by_side ]; then
		survives_the_manager
		gpuguard uninstall >"$STORY.install" 2>&1 || fail "gpuguard uninstall"
		[ "$(everything)" = "$before" ] || fail "not as before: $(diff <(echo "$before") <(everything))"
		ran_own_step gone
	fi
	if [ "$manager-$way" = hk-by_its_configuration ]; then
		gpuguard uninstall >"$STORY.install" 2>&1 || fail "gpuguard uninstall"
		says "$STORY.install" 'still names gpuguard, and hk may run it'
		[ "$(everything)" = "$before" ] || fail "not as before: $(diff <(echo "$before") <(everything))"
	fi
	"uninstall_$manager"
	cd "$scratch"
	echo " as it should be"
}

# The commit that every manager has to refuse, the one that it has to pass, and the push.
refuses_and_passes() {
	bad
	git add a.py
	local state
	state=$(git rev-parse HEAD; git status --porcelain=v2; git ls-files --stage; cat a.py)
	! git commit -m bad >"$STORY.log" 2>&1 || fail "the bad commit passed"
	says "$STORY.log" 'GG006'
	says "$STORY.log" 'a.py:5:23'
	[ "$state" = "$(git rev-parse HEAD; git status --porcelain=v2; git ls-files --stage; cat a.py)" ] ||
		fail "the refused commit changed something"
	printf ' the bad commit refused,'

	# What is staged counts, not what lies in the folder.
	good
	! git commit -m bad >"$STORY.log" 2>&1 || fail "the bad commit passed with a good file in the folder"
	says "$STORY.log" 'GG006'
	git add a.py
	git commit -m good >"$STORY.log" 2>&1 || fail "the good commit was refused"
	# hk shows what its steps say only where they fail.
	[ "$manager-$way" = hk-by_its_configuration ] || says "$STORY.log" '1 file scanned'
	ran_own_step there
	printf ' the good one passed,'

	bad
	git commit --quiet --no-verify -am bad >"$STORY.log" 2>&1
	! git push origin main >"$STORY.log" 2>&1 || fail "the bad push passed"
	says "$STORY.log" 'GG006'
	good '# mended'
	git commit --quiet -am mended >"$STORY.log" 2>&1 || fail "the mended commit was refused"
	git push origin main >"$STORY.log" 2>&1 || fail "the mended push was refused"
	printf ' so with the push,'
}

# The stage that is run by hand and in CI, and a range.
judges_all_files() {
	local run=("${manager/_/-}" run --hook-stage manual --all-files --verbose)
	local id=gpuguard
	[ "$way" = by_its_configuration ] || id=gpuguard-system
	"${run[@]}" "$id" >"$STORY.log" 2>&1 || fail "all files were refused"
	says "$STORY.log" 'scanned'
	bad
	git commit --quiet --no-verify -am bad >"$STORY.log" 2>&1
	! "${run[@]}" "$id" >"$STORY.log" 2>&1 || fail "all files passed"
	says "$STORY.log" 'GG006'
	! "${manager/_/-}" run --from-ref HEAD~1 --to-ref HEAD "$id" >"$STORY.log" 2>&1 || fail "the range passed"
	says "$STORY.log" 'GG006'
	git reset --quiet --hard HEAD~1
	printf ' so with all files and a range,'
}

# The manager writes its hook files anew: gpuguard says what then becomes of it.
survives_the_manager() {
	"install_$manager" || : "some do not write over the hook of another"
	bad
	git add a.py
	if git commit -m bad >"$STORY.log" 2>&1; then
		git reset --quiet --soft HEAD~1
		printf ' gone once the manager installs itself again (as told),'
	else
		says "$STORY.log" 'GG006'
		printf ' still there after the manager installed itself again,'
	fi
	git reset --quiet --hard
	gpuguard install --hooks all >"$STORY.install" 2>&1 || fail "gpuguard install, once more"
	bad
	git add a.py
	! git commit -m bad >"$STORY.log" 2>&1 || fail "the bad commit passed after installing again"
	git reset --quiet --hard
}

ran_own_step() {
	: >"$STORY"
	echo "# $RANDOM" >>a.py
	git commit --quiet -am own >"$STORY.log" 2>&1 || fail "a good commit was refused"
	[ "$(wc -l <"$STORY")" = 1 ] || fail "the manager's own step ran $(wc -l <"$STORY") times, gpuguard $1"
}

# --- repositories ------------------------------------------------------------------------------

new_repository() {
	rm -rf "$scratch/repo" "$scratch/server"
	git init --quiet --bare --initial-branch=main "$scratch/server"
	git init --quiet --initial-branch=main "$scratch/repo"
	cd "$scratch/repo"
	git remote add origin "$scratch/server"
	gpuguard init --quiet --preset rtx3090
	good
}

program_with() {
	printf 'import os\nos.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"\nos.environ["CUDA_VISIBLE_DEVICES"] = "1"\n' >a.py
	printf 'import torch\ndevice = torch.device("cuda:%s")\n%s\n' "$1" "${2-}" >>a.py
}

good() { program_with 0 "${1-# $RANDOM}"; }
bad() { program_with 1; }

# Hooks, configuration, and the files of the working tree that Git does not hold.
everything() {
	(
		find .git/hooks .git/gpuguard .git/config .git/info .husky -type f -not -path '*/gpuguard/backups*' -print0 2>/dev/null |
			sort -z | xargs -0 sha256sum
		find .git/hooks .husky -type f -printf '%m %p\n' 2>/dev/null | sort -k 2
		git status --porcelain=v2
	)
}

# --- managers ----------------------------------------------------------------------------------

configure_pre_commit() {
	cat >.pre-commit-config.yaml <<-'END'
		repos:
		  - repo: local
		    hooks:
		      - id: own
		        name: own
		        entry: sh -c 'echo ran >>"$STORY"'
		        language: system
		        pass_filenames: false
		        stages: [pre-commit]
	END
	case $1 in
	by_its_configuration)
		cat >>.pre-commit-config.yaml <<-'END'
			      - id: gpuguard
			        name: gpuguard
			        entry: gpuguard hook run framework
			        language: system
			        pass_filenames: false
			        always_run: true
			        require_serial: true
			        verbose: true
			        stages: [pre-commit, pre-merge-commit, pre-push, manual]
		END
		;;
	from_a_repository)
		# A repository that holds nothing but this one's list of hooks: nothing is built.
		rm -rf "$scratch/gpuguard"
		git init --quiet "$scratch/gpuguard"
		cp "$root/.pre-commit-hooks.yaml" "$scratch/gpuguard"
		git -C "$scratch/gpuguard" add -A
		git -C "$scratch/gpuguard" commit --quiet -m hooks
		cat >>.pre-commit-config.yaml <<-END
			  - repo: $scratch/gpuguard
			    rev: $(git -C "$scratch/gpuguard" rev-parse HEAD)
			    hooks:
			      - id: gpuguard-system
			        verbose: true
		END
		pre-commit validate-manifest "$root/.pre-commit-hooks.yaml"
		;;
	esac
}
configure_prek() { configure_pre_commit "$@"; }
install_pre_commit() {
	pre-commit install --hook-type pre-commit --hook-type pre-merge-commit --hook-type pre-push >"$STORY.log" 2>&1
}
install_prek() { prek install --hook-type pre-commit --hook-type pre-merge-commit --hook-type pre-push >"$STORY.log" 2>&1; }
uninstall_pre_commit() {
	pre-commit uninstall --hook-type pre-commit --hook-type pre-merge-commit --hook-type pre-push >"$STORY.log" 2>&1
}
uninstall_prek() { prek uninstall --hook-type pre-commit --hook-type pre-merge-commit --hook-type pre-push >"$STORY.log" 2>&1; }

configure_lefthook() {
	cat >lefthook.yml <<-'END'
		pre-commit:
		  jobs:
		    - name: own
		      run: echo ran >>"$STORY"
	END
	if [ "$1" = by_its_configuration ]; then
		cat >>lefthook.yml <<-'END'
			    - name: gpuguard
			      run: gpuguard hook run pre-commit
			pre-push:
			  jobs:
			    - name: gpuguard
			      run: gpuguard hook run pre-push {0}
			      use_stdin: true
		END
	fi
}
install_lefthook() { lefthook install >"$STORY.log" 2>&1; }
uninstall_lefthook() { lefthook uninstall >"$STORY.log" 2>&1; }

configure_husky() {
	mkdir .husky
	printf 'echo ran >>"$%s"\n' STORY >.husky/pre-commit
	if [ "$1" = by_its_configuration ]; then
		echo 'gpuguard hook run pre-commit "$@"' >>.husky/pre-commit
		echo 'gpuguard hook run pre-push "$@"' >.husky/pre-push
	fi
}
install_husky() { husky >"$STORY.log" 2>&1; }
uninstall_husky() { git config --unset core.hooksPath; }

configure_hk() {
	local step='      ["gpuguard"] { check = "gpuguard hook run pre-commit" }'
	[ "$1" = by_its_configuration ] || step=
	cat >hk.pkl <<-END
		hooks {
		  ["pre-commit"] {
		    steps {
		      ["own"] { check = "echo ran >>\\"\$STORY\\"" }
		$step
		    }
		  }
		}
	END
}
install_hk() { hk install >"$STORY.log" 2>&1; }
uninstall_hk() { hk uninstall >"$STORY.log" 2>&1; }

# --- words -------------------------------------------------------------------------------------

says() {
	grep -qF -- "$2" "$1" || fail "no '$2' in what was said"
}

fail() {
	printf '\n%s, %s: %s\n' "${manager/_/-}" "${way//_/ }" "$1" >&2
	tail -n 40 "$STORY.log" "$STORY.install" >&2 2>/dev/null || :
	exit 1
}

main "$@"
