//! A commit that loosens the policy is named: in the hook's verdict and in the JSON.

use serde_json::Value;

use crate::support::TestRepo;

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");

fn staged(repo: &TestRepo) -> Vec<String> {
    weakened(repo, &["scan", "--staged", "--format", "json"])
}

fn weakened(repo: &TestRepo, arguments: &[&str]) -> Vec<String> {
    let run = repo.gpuguard(arguments);
    let object: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let entries = object["weakened"].as_array().unwrap();
    let place = |entry: &Value| match entry["path"].as_str() {
        Some(path) => format!(" {path}:{}", entry["line"]),
        None => String::new(),
    };
    entries
        .iter()
        .map(|entry| format!("{}{}", entry["what"].as_str().unwrap(), place(entry)))
        .collect()
}

#[test]
fn the_verdict_names_what_is_loosened() {
    let repo = TestRepo::with_policy();
    let line = 1 + RIG.lines().position(|line| line == "[rules]").unwrap();
    repo.write(
        "gpuguard.toml",
        RIG.replace("[rules]", "[rules]\nGG006 = \"off\""),
    );
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 0, "{run}");
    let first = run.stderr.lines().next().unwrap();
    assert!(first.contains("; the policy is weakened"), "{run}");
    let words = format!(
        "  policy weakened: GG006 is `off`, it was `error` (gpuguard.toml:{})",
        line + 1
    );
    assert!(run.stderr.contains(&words), "{run}");
    assert_eq!(
        staged(&repo),
        [format!(
            "GG006 is `off`, it was `error` gpuguard.toml:{}",
            line + 1
        )]
    );
    // Also where the commit is refused for something else.
    repo.write("a.py", "import torch\ntorch.device('cuda:1')\n");
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 1, "{run}");
    let first = run.stderr.lines().next().unwrap();
    assert!(first.ends_with(", and the policy is weakened"), "{run}");
    assert!(run.stderr.contains(&words), "{run}");
    // Formats that have no place for it say it beside them.
    let run = repo.gpuguard(&["scan", "--staged", "--format", "sarif"]);
    assert!(
        run.stderr.contains("gpuguard: policy weakened: GG006"),
        "{run}"
    );
    // And of a range.
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "weaker"]);
    let range = ["scan", "--range", "HEAD~1..HEAD", "--format", "json"];
    assert_eq!(weakened(&repo, &range).len(), 1);
    // The way back is none.
    repo.write("gpuguard.toml", RIG);
    repo.git(&["add", "."]);
    assert_eq!(staged(&repo), [""; 0]);
}

#[test]
fn each_way_to_loosen_a_policy_is_known() {
    let repo = TestRepo::with_policy();
    for (from, to, expected) in [
        (
            "# GG018 = \"warning\"",
            "GG018 = \"off\"",
            &["GG018 is `off`, it was `error`"][..],
        ),
        ("# GG018 = \"warning\"", "GG018 = \"error\"", &[]),
        (
            "[rules]",
            "[[override]]\npaths = [\"tests/\"]\nrules = { GG007 = \"warning\" }\n[rules]",
            &["GG007 is `warning` in `tests/`"],
        ),
        (
            "use = \"forbidden\"",
            "use = \"allowed\"",
            &["the card `RTX 5060 Ti` is allowed, it was forbidden"],
        ),
        (
            "name = \"RTX 5060 Ti\"     # drives the screens\npci-rank = 0\nuse = \"forbidden\"\n\n[[card]]\n",
            "",
            &["the forbidden card `RTX 5060 Ti` is no longer named"],
        ),
        (
            "# What code must",
            "[[card]]\nname = \"New\"\npci-rank = 2\nuse = \"allowed\"\n# What code must",
            &["the card `New` is allowed, it was not named"],
        ),
        (
            "min-memory-gib = 20",
            "min-memory-gib = 10",
            &["`RTX 3090` may have less memory than before"],
        ),
        (
            "\"each-file\"     #",
            "\"outside\"     #",
            &["no file has to set the variables any more"],
        ),
        (
            "\"each-file\"     #",
            "\"entry-points\"     #",
            &["only files that are started have to set the variables"],
        ),
        (
            "exclude = []",
            "exclude = [\"src/\"]",
            &["`src/` is not scanned"],
        ),
        (
            "max-file-mib = 16",
            "max-file-mib = 2",
            &["files above 2 MiB are not scanned"],
        ),
        ("max-file-mib = 16", "max-file-mib = 32", &[]),
        (
            "on-error = \"block\"",
            "on-error = \"pass\"",
            &["a failure of gpuguard itself lets commits pass"],
        ),
        (
            "snapshot = true",
            "snapshot = false",
            &["commits are no longer saved before they are judged"],
        ),
        (
            "mode = \"auto\"",
            "mode = \"off\"",
            &["the card is no longer checked"],
        ),
        ("mode = \"auto\"", "mode = \"required\"", &[]),
        (
            "on-violation = \"end\"",
            "on-violation = \"report\"",
            &["`gpuguard run` no longer ends a program on a card that is not allowed"],
        ),
        (
            "[rules]",
            "[[language]]\npaths = [\"*.conf\"]\nas = \"none\"\n[rules]",
            &["`*.conf` is not read"],
        ),
        (
            "name = \"RTX 3090\"",
            "name = \"NVIDIA GeForce RTX 3090\"",
            &[],
        ),
        ("# The cards of", "# Cards of", &[]),
    ] {
        assert!(RIG.contains(from), "{from}");
        repo.write("gpuguard.toml", RIG.replacen(from, to, 1));
        repo.git(&["add", "."]);
        let found = staged(&repo);
        let whats: Vec<&str> = found
            .iter()
            .map(|line| line.split(" gpuguard.toml:").next().unwrap())
            .collect();
        assert_eq!(whats, expected, "{from} -> {to}");
    }
}

#[test]
fn policies_below_bases_and_removals_are_looked_at_too() {
    let repo = TestRepo::with_policy();
    repo.write(
        "conf/base.toml",
        "version = 1\n[rules]\nGG006 = \"error\"\n",
    );
    repo.write(
        "x/gpuguard.toml",
        RIG.replace(
            "version = 1",
            "version = 1\nextends = \"../conf/base.toml\"",
        ),
    );
    repo.commit_all("two");
    // The base of a policy far from it, beside a file that is none.
    repo.write("conf/base.toml", "version = 1\n[rules]\nGG006 = \"off\"\n");
    repo.write("conf/a.toml", "x = 1\n");
    repo.git(&["add", "."]);
    assert_eq!(
        staged(&repo),
        ["below `x/`, GG006 is `off`, it was `error` conf/base.toml:3"]
    );
    repo.git(&["checkout", "--quiet", "HEAD", "."]);
    // A new policy in a folder that another one counted for.
    repo.write(
        "y/z/gpuguard.toml",
        "version = 1\nextends = \"../../gpuguard.toml\"\n[hook]\non-error = \"pass\"\n[rules]\nGG006 = \"off\"\n",
    );
    repo.git(&["add", "."]);
    assert_eq!(
        staged(&repo),
        [
            // `[hook]` counts at the root only.
            "below `y/z/`, GG006 is `off`, it was `error` y/z/gpuguard.toml:6",
        ]
    );
    repo.commit_all("looser below");
    // Taken away again it is no longer weaker, and the other way round it is.
    repo.git(&["rm", "--quiet", "y/z/gpuguard.toml"]);
    assert_eq!(staged(&repo), [""; 0]);
    repo.commit_all("as before");
    let mode = 1 + RIG
        .lines()
        .position(|line| line.starts_with("mode ="))
        .unwrap();
    repo.write(
        "w/gpuguard.toml",
        "version = 1\nextends = \"../gpuguard.toml\"\n[gpu-check]\nmode = \"required\"\n",
    );
    repo.write("w/pyproject.toml", "[project]\n");
    repo.commit_all("stricter below");
    repo.write("w/pyproject.toml", "[project]\nname = \"x\"\n");
    repo.git(&["rm", "--quiet", "w/gpuguard.toml"]);
    repo.git(&["add", "."]);
    assert_eq!(
        staged(&repo),
        [format!(
            "below `w/`, a missing driver no longer refuses a commit gpuguard.toml:{mode}"
        )]
    );
    repo.commit_all("less strict");
    // The root loosened counts once for all that build on it.
    repo.write(
        "v/gpuguard.toml",
        "version = 1\nextends = \"../gpuguard.toml\"\n",
    );
    repo.commit_all("three");
    repo.write(
        "gpuguard.toml",
        RIG.replace("snapshot = true", "snapshot = false"),
    );
    repo.git(&["add", "."]);
    assert_eq!(staged(&repo).len(), 1);
    repo.git(&["checkout", "--quiet", "HEAD", "."]);
    repo.git(&["rm", "--quiet", "gpuguard.toml"]);
    // What builds on it would be left without a base.
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("v/gpuguard.toml:2:11"), "{run}");
    repo.git(&["rm", "--quiet", "v/gpuguard.toml"]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert!(
        run.stderr
            .contains("policy weakened: `gpuguard.toml` is removed"),
        "{run}"
    );
}

/// The policy with what stands before its rules.
fn with(lines: &str) -> String {
    RIG.replacen("[rules]", &format!("{lines}[rules]"), 1)
}

/// What is said where one policy takes the place of another.
#[track_caller]
fn assert_named(repo: &TestRepo, old: &str, new: &str, expected: &[&str]) {
    repo.write("gpuguard.toml", old);
    repo.commit_all("old");
    repo.write("gpuguard.toml", new);
    repo.git(&["add", "."]);
    let found = staged(repo);
    let whats: Vec<&str> = found
        .iter()
        .map(|line| line.split(" gpuguard.toml:").next().unwrap())
        .collect();
    assert_eq!(whats, expected, "{old}\n->\n{new}");
}

#[test]
fn names_languages_and_backups_count_too() {
    let repo = TestRepo::with_policy();
    for (from, to, expected) in [
        (
            "name = \"RTX 3090\"",
            "name = \"RTX\"",
            &["`RTX 3090` is only `RTX` now, which more cards are called"][..],
        ),
        (
            "[rules]",
            "[[language]]\npaths = [\"*.py\"]\nas = \"ini\"\n[rules]",
            &["`*.py` is read as ini"],
        ),
        (
            "[rules]",
            "[[language]]\npaths = [\"*.tmpl\"]\nas = \"python\"\n[rules]",
            &[],
        ),
        (
            "# keep-last = 50",
            "keep-last = 50",
            &["fewer backups are kept"],
        ),
    ] {
        assert!(RIG.contains(from), "{from}");
        assert_named(&repo, RIG, &RIG.replacen(from, to, 1), expected);
    }
}

#[test]
fn of_entries_of_which_the_last_counts_the_order_is_looked_at() {
    let repo = TestRepo::with_policy();
    let lists = |globs: &str| RIG.replacen("exclude = []", &format!("exclude = [{globs}]"), 1);
    let override_of = |path: &str, severity: &str| {
        format!("[[override]]\npaths = [\"{path}\"]\nrules = {{ GG006 = \"{severity}\" }}\n")
    };
    let language =
        |paths: &str, name: &str| format!("[[language]]\npaths = [\"{paths}\"]\nas = \"{name}\"\n");
    let off = override_of("gpu/", "off");
    let back = override_of("gpu/x/", "error");
    let python = language("*.tmpl", "python");
    for (old, new, expected) in [
        (
            lists("\"vendor/*\", \"!vendor/ours.py\""),
            lists("\"!vendor/ours.py\", \"vendor/*\""),
            &["what `exclude` says is in another order"][..],
        ),
        (lists("\"a/\", \"b/\""), lists("\"b/\", \"a/\""), &[]),
        (
            with(&format!("{off}{back}")),
            with(&format!("{back}{off}")),
            &["what `[[override]]` says of GG006 is in another order"],
        ),
        (
            with(&format!("{off}{back}")),
            with(&off),
            &["GG006 is no longer `error` in `gpu/x/`"],
        ),
        (
            with(&off).replacen("[rules]", "[rules]\nGG006 = \"off\"", 1),
            with(&format!("{off}{back}")).replacen("[rules]", "[rules]\nGG006 = \"off\"", 1),
            &[],
        ),
        (
            with(&back).replacen("[rules]", "[rules]\nGG006 = \"warning\"", 1),
            with(&format!("{back}{}", override_of("gpu/*", "warning"))).replacen(
                "[rules]",
                "[rules]\nGG006 = \"warning\"",
                1,
            ),
            &["GG006 is `warning` in `gpu/*`"],
        ),
        (
            with(&python),
            RIG.to_owned(),
            &["`*.tmpl` is no longer read as python"],
        ),
        (
            with(&python),
            with(&format!("{python}{}", language("*.tmpl", "ini"))),
            &["`*.tmpl` is read as ini"],
        ),
        (
            with(&python),
            with(&format!("{python}{}", language("*.inc", "shell"))),
            &[],
        ),
    ] {
        assert_named(&repo, &old, &new, expected);
    }
}
