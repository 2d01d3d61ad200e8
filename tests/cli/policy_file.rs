//! What a broken policy says: file, line, column and a hint, exit code 2.

mod words;

use crate::support::{Run, TestRepo};

fn scan_with(policy: &str) -> Run {
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", policy);
    repo.write("a.py", "print(1)\n");
    repo.gpuguard(&["scan", "a.py"])
}

const ALLOWED: &str = "[[card]]\nname = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n";
const UUID: &str = "GPU-8955abcd-1111-2222-3333-444444444444";

#[track_caller]
fn assert_refused(policy: &str, expected: &[&str]) {
    let run = scan_with(policy);
    assert_eq!(run.code, 2, "{run}");
    for part in expected {
        assert!(run.stderr.contains(part), "no {part:?} in {run}");
    }
    assert_eq!(run.stdout, "");
}

#[test]
fn no_policy_names_the_place_and_the_command() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    let place = repo.path().join("gpuguard.toml");
    assert!(
        run.stderr
            .contains(&format!("`{}` does not exist", place.display())),
        "{run}"
    );
    assert!(
        run.stderr.contains("gpuguard init --preset rtx3090"),
        "{run}"
    );
}

#[test]
fn a_syntax_error_has_a_line_and_a_column() {
    assert_refused("version = 1\n[[card]\n", &["gpuguard.toml:2:", "[[card]"]);
}

#[test]
fn unknown_keys_are_errors_with_a_suggestion() {
    assert_refused(
        &format!("version = 1\n{ALLOWED}[hook]\non-eror = \"block\"\n"),
        &[
            "gpuguard.toml:7:1",
            "unknown key `on-eror`",
            "did you mean `on-error`?",
        ],
    );
    assert_refused(
        &format!("version = 1\n{ALLOWED}[gpu_check]\nmode = \"auto\"\n"),
        &["unknown key `gpu_check`", "did you mean `gpu-check`?"],
    );
    assert_refused(
        &format!("version = 1\n{ALLOWED}[gpu-check]\nmode = \"requird\"\n"),
        &["gpuguard.toml:7:8", "did you mean `required`?"],
    );
    for code in [
        "GG99",
        "GG+06",
        "GG000",
        "GG019",
        "GG06",
        "GG0006",
        "gg006",
        "GG\u{665}06",
    ] {
        assert_refused(
            &format!("version = 1\n{ALLOWED}[rules]\n\"{code}\" = \"off\"\n"),
            &[
                "gpuguard.toml:7:1",
                &format!("`{code}` is not the code of a rule"),
                "gpuguard rule",
            ],
        );
    }
}

#[test]
fn severities_for_some_files_are_checked_and_count() {
    for (entry, expected) in [
        (
            "paths = [\"tests/\"]\nrules = { GG099 = \"off\" }",
            &["gpuguard.toml:8:11", "`GG099` is not the code of a rule"][..],
        ),
        (
            "paths = [\"a{b\"]\nrules = { GG007 = \"off\" }",
            &["gpuguard.toml:7:10", "`a{b` is not a valid glob"],
        ),
        (
            "paths = []\nrules = { GG007 = \"off\" }",
            &["gpuguard.toml:7:9", "these severities are for no file"],
        ),
        (
            "paths = [\"a\"]",
            &["the key `rules` is missing", "GG007 = \"warning\""],
        ),
        (
            "path = [\"a\"]\nrules = {}",
            &["unknown key `path`", "did you mean `paths`?"],
        ),
        (
            "paths = [\"a\"]\nrules = { GG007 = \"of\" }",
            &["did you mean `off`?"],
        ),
    ] {
        assert_refused(
            &format!("version = 1\n{ALLOWED}[[override]]\n{entry}\n"),
            expected,
        );
    }
    assert_refused(
        &format!("version = 1\n{ALLOWED}[override]\npaths = [\"a\"]\nrules = {{}}\n"),
        &["expected a list of tables", "`[[override]]`"],
    );
    let repo = TestRepo::new();
    let policy = "[[override]]\npaths = [\"tests/**\"]\nrules = { GG007 = \"warning\" }\n";
    repo.write(
        "gpuguard.toml",
        format!("version = 1\n{ALLOWED}[rules]\nGG001 = \"off\"\nGG018 = \"off\"\n{policy}"),
    );
    repo.write("a.py", "x.to('cuda:1')\n");
    repo.write("tests/b.py", "x.to('cuda:1')\n");
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 1, "{run}");
    let run = repo.gpuguard(&["scan", "tests"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("warning[GG007]"), "{run}");
}

#[test]
fn a_policy_without_an_allowed_card_is_refused() {
    assert_refused(
        "version = 1\n",
        &["the policy names no card", "use = \"allowed\""],
    );
    assert_refused(
        "version = 1\n[[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"forbidden\"\n",
        &["the policy allows no card"],
    );
}

#[test]
fn cards_that_cannot_be_told_apart_are_refused() {
    assert_refused(
        "version = 1\n[[card]]\nname = \"RTX 3090\"\nuse = \"allowed\"\n",
        &[
            "gpuguard.toml:2:1",
            "nothing says which card `RTX 3090` is",
            "pci-rank",
        ],
    );
    assert_refused(
        &format!(
            "version = 1\n{ALLOWED}[[card]]\nname = \"B\"\npci-rank = 1\nuse = \"forbidden\"\n"
        ),
        &[
            "gpuguard.toml:8:",
            "`RTX 3090` and `B` have the same PCI rank",
        ],
    );
    let other_case = UUID.replace("abcd", "ABCD");
    assert_refused(
        &format!(
            "version = 1\n{ALLOWED}uuid = \"{UUID}\"\n[[card]]\nname = \"B\"\nuuid = \"{other_case}\"\nuse = \"forbidden\"\n"
        ),
        &[
            "gpuguard.toml:9:8",
            "`RTX 3090` and `B` have the same UUID",
            "nvidia-smi -L",
        ],
    );
    assert_refused(
        "version = 1\n[[card]]\nname = \"A\"\nuuid = \"GPU-12\"\nuse = \"allowed\"\n",
        &[
            "gpuguard.toml:4:8",
            "`GPU-12` is not the UUID of a card",
            "nvidia-smi -L",
        ],
    );
}

#[test]
fn a_rank_that_no_machine_has_is_refused() {
    for rank in ["64", "1000000000", "4294967295"] {
        assert_refused(
            &format!(
                "version = 1\n{ALLOWED}[[card]]\nname = \"B\"\npci-rank = {rank}\nuse = \"forbidden\"\n"
            ),
            &[
                "gpuguard.toml:8:12",
                &format!("no machine has a card at PCI rank {rank}"),
                "0 to 63",
            ],
        );
    }
}

#[test]
fn a_required_mask_that_shows_the_wrong_card_is_refused() {
    let cards = format!(
        "version = 1\n[[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"forbidden\"\n{ALLOWED}"
    );
    assert_refused(
        &format!("{cards}[environment]\nCUDA_VISIBLE_DEVICES = \"0\"\n"),
        &[
            "selects `RTX 5060 Ti`, which the policy forbids",
            "CUDA_VISIBLE_DEVICES = \"1\"",
        ],
    );
    for (mask, problem) in [
        ("", "selects no card"),
        ("7", "selects a card that the policy does not name: `7`"),
        ("1,7", "selects a card that the policy does not name: `7`"),
        ("1,0", "selects `RTX 5060 Ti`, which the policy forbids"),
        ("1,1", "names `RTX 3090` twice"),
        (
            "-1",
            "has `-1`, which is neither a PCI rank nor a whole UUID",
        ),
        ("1,-1", "has `-1`"),
        ("1-2", "has `1-2`"),
        ("1gpu", "has `1gpu`"),
        ("1;0", "has `1;0`"),
        (" 1", "has ` 1`"),
        ("1, 0", "has ` 0`"),
        ("+1", "has `+1`"),
        ("01", "has `01`"),
        ("1,", "has ``"),
        ("GPU-8955", "has `GPU-8955`"),
        (UUID, "selects a card that the policy does not name"),
        (&format!("1,{UUID}"), "mixes ranks and UUIDs"),
    ] {
        assert_refused(
            &format!("{cards}[environment]\nCUDA_VISIBLE_DEVICES = \"{mask}\"\n"),
            &[
                "gpuguard.toml:11:24",
                &format!("CUDA_VISIBLE_DEVICES = \"{mask}\" {problem}"),
                "the allowed cards are `CUDA_VISIBLE_DEVICES = \"1\"`",
            ],
        );
    }
    let by_uuid = format!("version = 1\n{ALLOWED}uuid = \"{UUID}\"\n[environment]\n");
    for mask in ["1", UUID, &UUID.replace("abcd", "ABCD")] {
        let run = scan_with(&format!("{by_uuid}CUDA_VISIBLE_DEVICES = \"{mask}\"\n"));
        assert_eq!(run.code, 0, "{run}");
    }
    assert_refused(
        &format!("{cards}[environment]\nCUDA_DEVICE_ORDER = \"FASTEST_FIRST\"\n"),
        &["CUDA_DEVICE_ORDER cannot be required to be `FASTEST_FIRST`"],
    );
}

#[test]
fn wrong_versions_values_and_bytes_are_refused() {
    assert_refused(
        &format!("version = 2\n{ALLOWED}"),
        &["gpuguard.toml:1:11", "version 2"],
    );
    assert_refused(ALLOWED, &["the key `version` is missing", "`version = 1`"]);
    assert_refused(
        &format!("version = 1\n{ALLOWED}[gpu-check]\ndeadline-ms = 5\n"),
        &["a deadline of 5 ms is out of range"],
    );
    // With 0 every file was skipped, and bad code passed.
    for mib in ["0", "1025", "4294967295"] {
        assert_refused(
            &format!("version = 1\n{ALLOWED}[scan]\nmax-file-mib = {mib}\n"),
            &[
                "gpuguard.toml:7:16",
                &format!("{mib} MiB cannot be the size"),
                "give 1 to 1024 MiB",
            ],
        );
    }
    assert_refused(
        &format!("version = 1\n{ALLOWED}[scan]\nexclude = [\"a{{b\"]\n"),
        &["`a{b` is not a valid glob"],
    );
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", b"version = 1\n# \xff\n");
    let run = repo.gpuguard(&["scan", "."]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("gpuguard.toml:2:3: the file is not UTF-8"),
        "{run}"
    );
}

#[test]
fn only_a_regular_file_of_sensible_size_is_read() {
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    std::fs::create_dir(repo.path().join("gpuguard.toml")).unwrap();
    let run = repo.gpuguard(&["scan", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("is not a regular file"), "{run}");

    repo.write(
        "large.toml",
        format!("version = 1\n{ALLOWED}# {}\n", "x".repeat(1 << 20)),
    );
    let run = repo.gpuguard(&["scan", "--policy", "large.toml", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("`large.toml` is larger than 1024 KiB"),
        "{run}"
    );
    assert!(
        run.stderr.contains("a policy is a short TOML file"),
        "{run}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_or_a_device_is_no_policy_and_a_link_to_a_file_is() {
    use std::os::unix::fs::symlink;
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        repo.path().join("gpuguard.toml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    // `timeout` ends what waits for a writer.
    let run: Run = repo
        .command("timeout")
        .arg("60")
        .arg(crate::support::program())
        .args(["scan", "a.py"])
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("is not a regular file"), "{run}");
    let run = repo.gpuguard(&["scan", "--policy", "/dev/zero", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("`/dev/zero` is not a regular file"),
        "{run}"
    );

    repo.write("real.toml", format!("version = 1\n{ALLOWED}"));
    symlink("real.toml", repo.path().join("link.toml")).unwrap();
    let run = repo.gpuguard(&["scan", "--policy", "link.toml", "a.py"]);
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn a_policy_says_in_which_language_files_are() {
    for (entry, expected) in [
        (
            "paths = []\nas = \"dotenv\"",
            &["gpuguard.toml:7:9", "this language is for no file"][..],
        ),
        (
            "paths = [\"a{b\"]\nas = \"dotenv\"",
            &["gpuguard.toml:7:10", "`a{b` is not a valid glob"],
        ),
        (
            "paths = [\"a\"]\nas = \"cobol\"",
            &[
                "gpuguard.toml:8:6",
                "`cobol` is not a language that is read",
                "dotenv",
            ],
        ),
        (
            "paths = [\"a\"]",
            &["the key `as` is missing", "as = \"shell\""],
        ),
        ("path = [\"a\"]", &["did you mean `paths`?"]),
    ] {
        assert_refused(
            &format!("version = 1\n{ALLOWED}[[language]]\n{entry}\n"),
            expected,
        );
    }
    let repo = TestRepo::new();
    let policy = "[[language]]\npaths = [\"*.vars\"]\nas = \"dotenv\"\n\
                  [[language]]\npaths = [\"old.vars\"]\nas = \"none\"\n";
    repo.write("gpuguard.toml", format!("version = 1\n{ALLOWED}{policy}"));
    let wrong = "CUDA_DEVICE_ORDER=FASTEST_FIRST\n";
    repo.write("a.vars", wrong);
    repo.write("old.vars", wrong);
    repo.write("b.txt", wrong);
    let run = repo.gpuguard(&["scan", "."]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("error[GG015]"), "{run}");
    assert!(run.stdout.contains("a.vars:1:1"), "{run}");
    assert!(!run.stdout.contains("old.vars"), "{run}");
    assert!(!run.stdout.contains("b.txt"), "{run}");
}
