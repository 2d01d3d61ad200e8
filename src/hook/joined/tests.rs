//! What is printed counts in its place, and nothing that only looks like it.

use super::*;
use crate::hook::event;

fn at(name: &str) -> Event {
    event(name).unwrap()
}

/// What is printed, with what it is put under.
fn printed(manager: Manager, event: Event) -> String {
    let text = manager.lines(event);
    let is_list = matches!(manager, Manager::PreCommit | Manager::Prek);
    if is_list && !text.lines().any(|line| line == "repos:") {
        format!("repos:\n{text}")
    } else {
        text
    }
}

const ALL: [Manager; 4] = [
    Manager::Husky,
    Manager::Lefthook,
    Manager::PreCommit,
    Manager::Prek,
];

#[test]
fn what_is_printed_counts_and_a_comment_does_not() {
    for manager in ALL {
        for event in [at("pre-commit"), at("pre-push")] {
            let text = printed(manager, event);
            assert!(runs_gpuguard(manager, &text, event), "{manager:?}\n{text}");
            let windows = text.replace('\n', "\r\n");
            assert!(runs_gpuguard(manager, &windows, event), "{manager:?}");
            let hidden = "# ".to_owned() + &text.replace('\n', "\n# ");
            assert!(!runs_gpuguard(manager, &hidden, event), "{manager:?}");
            assert!(!names_gpuguard(&hidden), "{manager:?}");
            assert!(names_gpuguard(&text), "{manager:?}");
            let other = runs_gpuguard(manager, &text, at("post-commit"));
            assert!(!other, "{manager:?} at another event\n{text}");
        }
    }
    let hk = Manager::Hk.lines(at("pre-commit"));
    assert!(runs_gpuguard(Manager::Hk, &hk, at("pre-commit")), "{hk}");
    assert!(!runs_gpuguard(Manager::Hk, &hk, at("pre-merge-commit")));
}

#[test]
fn a_script_counts_where_the_line_is_surely_reached_and_heeded() {
    let own = "gpuguard hook run pre-commit \"$@\"";
    let counts = |text: String| runs_gpuguard(Manager::Husky, &text, at("pre-commit"));
    for before in [
        "",
        "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n",
        "npx lint-staged\nnpm test -- --quiet\n",
        "echo ran >>\"$STORY\"\n",
    ] {
        assert!(counts(format!("{before}{own}\n")), "{before}");
    }
    for text in [
        format!("{own} || true\n"),
        format!("{own} &\n"),
        format!("! {own}\n"),
        format!("echo '{own}'\n"),
        format!("{own}\nexit 0\n"),
        format!("exit 0\n{own}\n"),
        format!("test -n \"$CI\" && exit 0\n{own}\n"),
        format!("if false; then\n{own}\nfi\n"),
        format!("cat <<END\n{own}\nEND\n"),
        format!("cat <<END\n{own}\n"),
        format!("echo '\n{own}\n"),
        format!("echo \\\n{own}\n"),
        format!("gpuguard() {{ :; }}\n{own}\n"),
        format!("alias gpuguard=true\n{own}\n"),
        format!("PATH=/nowhere:$PATH\n{own}\n"),
        format!("cd sub\n{own}\n"),
        format!("export GPUGUARD=0\n{own}\n"),
        format!("export SKIP=gpuguard\n{own}\n"),
        format!("GPUGUARD=0\n{own}\n"),
        format!("unset GIT_INDEX_FILE\n{own}\n"),
        format!("exit>/dev/null\n{own}\n"),
        format!("\\exit 0\n{own}\n"),
        format!("\"exit\" 0\n{own}\n"),
        format!("e=exit; $e 0\n{own}\n"),
        format!("$EXIT 0\n{own}\n"),
        format!("builtin return\n{own}\n"),
        format!("command exit 0\n{own}\n"),
        format!("git reset -q\n{own}\n"),
        format!("kill $$\n{own}\n"),
        format!("ulimit -t 0\n{own}\n"),
        "npx gpuguard hook run pre-commit \"$@\"\n".to_owned(),
        "gpuguard hook run pre-push \"$@\"\n".to_owned(),
    ] {
        assert!(!counts(text.clone()), "{text}");
    }
}

#[test]
fn a_job_of_lefthook_counts_in_its_section_and_without_conditions() {
    let counts = |text: &str| runs_gpuguard(Manager::Lefthook, text, at("pre-commit"));
    let job = "    - name: gpuguard\n      run: gpuguard hook run pre-commit\n";
    for (before, after) in [
        (
            "pre-commit:\n  parallel: true\n  jobs:\n    - run: make\n      glob: \"*.c\"\n",
            "",
        ),
        (
            "output: [failure]\npre-push:\n  jobs:\n    - run: x\npre-commit:\n  jobs:\n",
            "commit-msg:\n  skip: true\n",
        ),
    ] {
        let text = format!("{before}{job}{after}");
        assert!(counts(&text), "{text}");
    }
    for text in [
        format!("manual:\n  jobs:\n{job}"),
        format!("pre-push:\n  jobs:\n{job}"),
        format!("pre-commit:\n  skip: true\n  jobs:\n{job}"),
        format!("pre-commit:\n  only:\n    - ref: main\n  jobs:\n{job}"),
        format!("pre-commit:\n  jobs:\n{job}      skip: true\n"),
        format!("pre-commit:\n  jobs:\n{job}      glob: \"*.c\"\n"),
        format!(
            "pre-commit:\n  jobs:\n{}",
            job.replace("pre-commit\n", "pre-commit || true\n")
        ),
        format!("extends: [other.yml]\npre-commit:\n  jobs:\n{job}"),
        format!("pre-commit:\n  jobs:\n{job}pre-commit:\n  jobs:\n    - run: x\n"),
        format!(
            "pre-commit:\n  jobs:\n    - group:\n      jobs:\n  {}",
            job.replace('\n', "\n  ")
        ),
        format!("x: |\n  pre-commit:\n    jobs:\n{job}"),
    ] {
        assert!(!counts(&text), "{text}");
    }
}

#[test]
fn a_hook_of_a_framework_counts_at_its_stages() {
    let printed = printed(Manager::PreCommit, at("pre-commit"));
    let counts = |text: &str, event: &str| runs_gpuguard(Manager::PreCommit, text, at(event));
    let with = |from: &str, to: &str| {
        let text = printed.replace(from, to);
        assert_ne!(text, printed, "{from}");
        text
    };
    let stages = "[pre-commit, pre-merge-commit, pre-push, manual]";
    for text in [
        with("repos:\n", "fail_fast: true\nrepos:\n  - repo: https://example.org/x\n    rev: v1\n    hooks:\n      - id: y\n        exclude: z\n"),
        with("        require_serial: true\n", "        verbose: true\n"),
        with(stages, "[pre-commit]"),
        "repos:\n- repo: https://example.org/me/gpuguard.git\n  rev: v1\n  hooks:\n  - id: gpuguard\n".to_owned(),
        "repos:\n-   repo: git@example.org:gpuguard\n    rev: v1\n    hooks:\n    -   id: gpuguard-system\n        verbose: true\n".to_owned(),
    ] {
        assert!(counts(&text, "pre-commit"), "{text}");
    }
    for text in [
        with(stages, "[manual]"),
        with(stages, "[pre-push]"),
        with(stages, "[]"),
        with("        language: system\n", "        language: system\n        files: \\.c$\n"),
        with("run framework\n", "run framework || true\n"),
        // A commit that only deletes the policy would not be judged.
        with("        always_run: true\n", ""),
        with("always_run: true", "always_run: false"),
        "repos:\n- repo: https://example.org/me/gpuguard\n  hooks:\n  - id: gpuguard\n    always_run: false\n".to_owned(),
        with("repos:\n", "exclude: .*\nrepos:\n"),
        "repos:\n- repo: https://example.org/me/gpuguard\n  hooks:\n  - id: gpuguard\n    stages: [manual]\n".to_owned(),
        "repos:\n- repo: https://example.org/me/other\n  hooks:\n  - id: gpuguard\n".to_owned(),
    ] {
        assert!(!counts(&text, "pre-commit"), "{text}");
    }
    assert!(counts(&printed, "pre-push"));
    assert!(!counts(&with(stages, "[pre-commit]"), "pre-push"));
}

#[test]
fn a_step_of_hk_counts_in_its_block() {
    let printed = Manager::Hk.lines(at("pre-commit"));
    let counts = |text: &str| runs_gpuguard(Manager::Hk, text, at("pre-commit"));
    let condition = printed.replace("steps {", "condition = \"false\"\n    steps {");
    assert!(!counts(&condition), "{condition}");
    assert!(!counts(
        &printed.replace("\"pre-commit\"] {", "\"check\"] {")
    ));
    assert!(!counts(
        &printed.replace(" }\n    }", " condition = \"false\" }\n    }")
    ));
    let more = format!(
        "amends \"package://x\"\n\n{}",
        printed.replace(
            "steps {",
            "fix = true\n    steps {\n      [\"own\"] { check = \"true\" }"
        )
    );
    assert!(counts(&more), "{more}");
}
