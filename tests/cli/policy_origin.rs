//! The user's own file and the variables, and `gpuguard policy show`, which says who says what.

use serde_json::Value;

use crate::support::{Run, TestRepo, program};

const RIG: &str = include_str!("../../src/policy/preset_rtx3090.toml");
#[cfg(not(windows))]
const CARDS: &str = "version = 1\n[[card]]\nname = \"RTX 4090\"\npci-rank = 2\nuse = \"allowed\"\n";
const BAD: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                   os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n\
                   device = torch.device(\"cuda:1\")\n\
                   other = torch.device(\"cuda:1\")  # gpuguard: allow[GG006] the old rig\n\
                   right = torch.device(\"cuda:0\")\n\
                   late = torch.device(args.device)\n";

/// The line of the founding rig's policy that has these words.
fn rig_line(words: &str) -> usize {
    1 + RIG.lines().position(|line| line.contains(words)).unwrap()
}

#[cfg(not(windows))]
fn write_user_file(repo: &TestRepo, text: &str) {
    let folder = repo.home().join(".config/gpuguard");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("gpuguard.toml"), text).unwrap();
}

fn run_with(repo: &TestRepo, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = repo.command(program());
    command.args(arguments).envs(variables.iter().copied());
    command.output().unwrap().into()
}

fn shown(repo: &TestRepo, variables: &[(&str, &str)]) -> Value {
    let run = run_with(repo, &["policy", "show", "--format", "json"], variables);
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn setting<'v>(shown: &'v Value, key: &str) -> &'v Value {
    let settings = shown["settings"].as_array().unwrap();
    settings
        .iter()
        .find(|setting| setting["key"] == key)
        .unwrap_or_else(|| panic!("no {key} in {shown:#}"))
}

#[cfg(not(windows))]
#[test]
fn the_users_file_fills_in_what_is_left_open_and_nothing_else() {
    let repo = TestRepo::new();
    write_user_file(
        &repo,
        &format!("{CARDS}[run]\nevery-ms = 500\n[backup]\nkeep-last = 7\n"),
    );
    repo.write("gpuguard.toml", "version = 1\n[rules]\nGG018 = \"off\"\n");
    let found = shown(&repo, &[]);
    assert_eq!(setting(&found, "card[0]")["value"]["name"], "RTX 4090");
    assert_eq!(setting(&found, "card[0]")["origin"]["kind"], "user");
    assert_eq!(
        setting(&found, "environment.CUDA_VISIBLE_DEVICES")["value"],
        "2"
    );
    assert_eq!(setting(&found, "run.every-ms")["value"], 500);
    assert_eq!(setting(&found, "backup.keep-last")["origin"]["line"], 9);
    assert_eq!(
        setting(&found, "hook.on-error")["origin"]["kind"],
        "default"
    );
    assert_eq!(found["sources"][1]["role"], "user");
    // What the repository says stands.
    repo.write(
        "gpuguard.toml",
        RIG.replace("every-ms = 200", "every-ms = 300"),
    );
    let found = shown(&repo, &[]);
    assert_eq!(setting(&found, "card[0]")["value"]["name"], "RTX 5060 Ti");
    assert_eq!(
        setting(&found, "environment.CUDA_VISIBLE_DEVICES")["value"],
        "1"
    );
    assert_eq!(setting(&found, "run.every-ms")["value"], 300);
}

#[cfg(not(windows))]
#[test]
fn the_users_file_cannot_say_what_a_repository_decides() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "."]);
    for (lines, key) in [
        ("[rules]\nGG006 = \"off\"", "rules"),
        ("[scan]\nexclude = [\"src/\"]", "scan.exclude"),
        ("[scan]\nmax-file-mib = 1", "scan.max-file-mib"),
        ("[hook]\non-error = \"pass\"", "hook.on-error"),
        ("[hook]\nsnapshot = false", "hook.snapshot"),
        ("[hook]\nweakening = \"warn\"", "hook.weakening"),
        ("[gpu-check]\nmode = \"off\"", "gpu-check.mode"),
        ("[gpu-check]\ncache-minutes = 90", "gpu-check.cache-minutes"),
        ("[run]\non-violation = \"report\"", "run.on-violation"),
        ("[environment]\nset-in = \"outside\"", "environment.set-in"),
        (
            "[environment]\nCUDA_DEVICE_ORDER = \"PCI_BUS_ID\"",
            "environment.CUDA_DEVICE_ORDER",
        ),
        ("extends = \"x.toml\"", "extends"),
        (
            "[[override]]\npaths = [\"a\"]\nrules = { GG006 = \"off\" }",
            "override",
        ),
        ("[[language]]\npaths = [\"a\"]\nas = \"none\"", "language"),
    ] {
        write_user_file(&repo, &format!("version = 1\n{lines}\n"));
        for arguments in [&["scan", "."][..], &["hook", "run", "pre-commit"]] {
            let run = repo.gpuguard(arguments);
            assert_eq!(run.code, 2, "{key}: {run}");
            let words = format!("`{key}` cannot stand in the user's own file");
            assert!(run.stderr.contains(&words), "{key}: {run}");
        }
    }
    let mask = "version = 1\n[environment]\nCUDA_VISIBLE_DEVICES = \"1\"\n";
    write_user_file(&repo, mask);
    let run = repo.gpuguard(&["scan", "."]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains(":3:24: CUDA_VISIBLE_DEVICES shows cards"),
        "{run}"
    );
    write_user_file(&repo, "version = 1\n[gpu-check]\ndeadline-ms = 700\n");
    assert_eq!(repo.gpuguard(&["scan", "."]).code, 0);
}

#[test]
fn variables_come_first_and_can_only_ask_for_more() {
    let repo = TestRepo::with_policy();
    let variables = [
        ("GPUGUARD_BACKUP_STORE", "~/saved"),
        ("GPUGUARD_GPU_CHECK_DEADLINE_MS", "900"),
        ("GPUGUARD_GPU_CHECK_MODE", "required"),
    ];
    let found = shown(&repo, &variables);
    for (key, value, variable) in [
        ("backup.store", Value::from("~/saved"), variables[0].0),
        ("gpu-check.deadline-ms", 900.into(), variables[1].0),
        ("gpu-check.mode", "required".into(), variables[2].0),
    ] {
        assert_eq!(setting(&found, key)["value"], value);
        assert_eq!(setting(&found, key)["origin"]["variable"], variable);
    }
    for (name, value) in [
        ("GPUGUARD_BACKUP_STORE", "~bob/x"),
        ("GPUGUARD_GPU_CHECK_DEADLINE_MS", "5"),
        ("GPUGUARD_GPU_CHECK_DEADLINE_MS", "soon"),
        ("GPUGUARD_GPU_CHECK_MODE", "off"),
    ] {
        let run = run_with(&repo, &["policy", "show"], &[(name, value)]);
        assert_eq!(run.code, 2, "{run}");
        let words = format!("the variable {name} cannot be `{value}`");
        assert!(run.stderr.contains(&words), "{run}");
    }
    // The store is where the hook saves to.
    repo.write("a.py", "print(1)\n");
    repo.git(&["add", "."]);
    let run = run_with(&repo, &["hook", "run", "pre-commit"], &variables[..1]);
    assert_eq!(run.code, 0, "{run}");
    assert!(repo.home().join("saved").is_dir());
}

#[cfg(not(windows))]
#[test]
fn backups_go_where_the_user_says_also_without_a_policy() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    repo.commit_all("first");
    write_user_file(
        &repo,
        "version = 1\n[backup]\nstore = \"~/mine\"\nkeep-last = 1\n",
    );
    assert_eq!(repo.gpuguard(&["backup", "create"]).code, 0);
    assert!(repo.home().join("mine").is_dir());
    let variable = [("GPUGUARD_BACKUP_STORE", "~/other")];
    assert_eq!(run_with(&repo, &["backup", "create"], &variable).code, 0);
    assert!(repo.home().join("other").is_dir());
    assert!(!repo.exists(".git/gpuguard/backups"));
    let run = repo.gpuguard(&["backup", "prune", "--dry-run"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn every_value_has_its_line() {
    let repo = TestRepo::new();
    repo.write("conf/base.toml", RIG);
    repo.write(
        "gpuguard.toml",
        "version = 1\nextends = \"conf/base.toml\"\n\n[hook]\nsnapshot = false\n\n\
         [[override]]\npaths = [\"tests/\"]\nrules = { GG007 = \"off\" }\n",
    );
    repo.write(
        "sub/gpuguard.toml",
        "version = 1\nextends = \"../gpuguard.toml\"\n",
    );
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["policy", "show"]);
    assert_eq!(run.code, 0, "{run}");
    let line = |key: &str| {
        let mut lines = run.stdout.lines();
        let line = lines.find(|line| line.starts_with(key));
        line.unwrap_or_else(|| panic!("no {key}: {run}")).to_owned()
    };
    let on_error = format!("conf/base.toml:{}", rig_line("on-error ="));
    let card = format!("conf/base.toml:{}", rig_line("RTX 3090\"") - 1);
    for (key, value, origin) in [
        ("hook.snapshot ", "false", "gpuguard.toml:5"),
        ("hook.on-error ", "\"block\"", &on_error),
        ("override[0].rules.GG007", "\"off\"", "gpuguard.toml:9"),
        ("backup.store", "not set", "default"),
        ("rules.GG006", "\"error\"", "default"),
        ("card[1]", "name = \"RTX 3090\"", &card),
    ] {
        assert!(line(key).contains(value), "{}", line(key));
        assert!(line(key).ends_with(origin), "{}", line(key));
    }
    assert!(
        run.stdout
            .starts_with("policy: gpuguard.toml\nextends: conf/base.toml\n")
    );
    assert!(
        run.stdout.contains("others count: sub/gpuguard.toml"),
        "{run}"
    );
    // What counts at the root only is said so.
    let text = "version = 1\nextends = \"../gpuguard.toml\"\n[hook]\non-error = \"pass\"\n";
    repo.write("sub/gpuguard.toml", text);
    let mut below = repo.command(program());
    below.current_dir(repo.path().join("sub"));
    let below: Run = below.args(["policy", "show"]).output().unwrap().into();
    let words =
        "without effect: hook.on-error (sub/gpuguard.toml:4) counts in the policy at the root only";
    assert!(below.stdout.contains(words), "{below}");
    // What is staged, and a file of one's own.
    repo.write("gpuguard.toml", RIG);
    let staged = repo.gpuguard(&["policy", "show", "--staged"]);
    assert!(
        staged.stdout.contains("extends: conf/base.toml"),
        "{staged}"
    );
    let named = repo.gpuguard(&["policy", "show", "--policy", "conf/base.toml"]);
    assert!(
        named.stdout.starts_with("policy: conf/base.toml\n"),
        "{named}"
    );
}

#[test]
fn a_line_is_explained() {
    let repo = TestRepo::with_policy();
    repo.write("a.py", BAD);
    let explain = |place: &str| {
        let run = repo.gpuguard(&["policy", "show", "--explain", place]);
        assert_eq!(run.code, 0, "{run}");
        run.stdout
    };
    for (place, parts) in [
        (
            "a.py:5",
            &[
                "policy: gpuguard.toml",
                &format!(
                    "CUDA_VISIBLE_DEVICES=1 is asked for, by gpuguard.toml:{}",
                    rig_line("CUDA_VISIBLE_DEVICES =")
                ),
                "language: python",
                "5:23: flagged: a commit that brings it in is refused",
                "rule: GG006 (a card index that does not exist",
                "why: index 1 is beyond the mask",
                "severity: error, as the rule itself has it",
                "`torch.device` selects index 1: no card",
            ][..],
        ),
        (
            "a.py:6",
            &["6:22: not flagged: a comment allows GG006: the old rig"],
        ),
        ("a.py:7", &["selects index 0: RTX 3090, which is allowed"]),
        ("a.py:8", &["decided at run time"]),
        (
            "a.py:1",
            &["not flagged: no rule finds anything in this line"],
        ),
        ("a.py", &["5:23: flagged", "6:22: not flagged", "7:22"]),
    ] {
        let text = explain(place);
        for part in parts {
            assert!(text.contains(part), "{place}: no {part:?} in {text}");
        }
    }
    assert!(!explain("a.py:7").contains("flagged"));

    let rules = "[rules]\nGG006 = \"warning\"\n[[override]]\npaths = [\"old/\"]\nrules = { GG006 = \"off\" }";
    repo.write(
        "gpuguard.toml",
        RIG.replace("[rules]", rules)
            .replace("exclude = []", "exclude = [\"gen/\"]"),
    );
    repo.write("old/a.py", BAD);
    repo.write("gen/a.py", BAD);
    let rules_line = rig_line("[rules]");
    let text = explain("a.py:5");
    let by = format!("severity: warning, by gpuguard.toml:{}", rules_line + 1);
    assert!(
        text.contains("flagged, never refused") && text.contains(&by),
        "{text}"
    );
    let text = explain("old/a.py:5");
    let by = format!(
        "not flagged: GG006 is off here, by gpuguard.toml:{}",
        rules_line + 4
    );
    assert!(text.contains(&by), "{text}");
    let text = explain("gen/a.py:5");
    let by = format!(
        "not scanned: excluded by gpuguard.toml:{}",
        rig_line("exclude =")
    );
    assert!(text.contains(&by), "{text}");

    let run = repo.gpuguard(&[
        "policy",
        "show",
        "--explain",
        "old/a.py:5",
        "--format",
        "json",
    ]);
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["off"][0]["rule"], "GG006");
    assert_eq!(object["off"][0]["severity_origin"]["line"], rules_line + 4);
    assert_eq!(object["selections"][0]["index"], 1);
    for place in ["none.py", "a.py:0", "a.py:x"] {
        let run = repo.gpuguard(&["policy", "show", "--explain", place]);
        assert_eq!(run.code, 2, "{run}");
    }
}
