//! How a broken policy is told: in words of the file, in few characters, with none for the terminal.

use super::{ALLOWED, scan_with};
use crate::support::TestRepo;

#[test]
fn a_terminal_obeys_nothing_that_stands_in_a_policy_or_an_argument() {
    let policies = [
        "\"\\u001b[31mEVIL\" = 1\n".to_owned(),
        format!("version = 1\n{ALLOWED}uuid = \"\\u001b[31mEVIL\"\n"),
        format!("version = 1\n{ALLOWED}[rules]\n\"\\u001b[31mEVIL\" = \"off\"\n"),
        "version = 1 # \u{1b}[31mEVIL\n".to_owned(),
        "version = 1\n\u{202e}EVIL = \n".to_owned(),
    ];
    for policy in policies {
        let run = scan_with(&policy);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("EVIL"), "{run}");
        assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{run}");
    }
    let repo = TestRepo::with_policy();
    let evil = "\u{1b}[31mEVIL\r\u{202e}";
    let option = format!("--{evil}");
    for arguments in [
        &["scan", evil][..],
        &["scan", "--policy", evil],
        &["init", "--tag", evil],
        &["rollback", evil],
        &[evil],
        &["scan", &option],
        &["scan", "--format", evil],
        &["schema", evil],
    ] {
        let run = repo.gpuguard(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("\\u{1b}[31mEVIL\\r\\u{202e}"), "{run}");
        assert!(!run.stderr.contains(['\u{1b}', '\r', '\u{202e}']), "{run}");
    }
}

#[test]
fn the_mark_stands_below_the_place_though_the_line_is_shown_escaped() {
    let run = scan_with("version = 1\n\"\u{202e}a\"\t= 1\n");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(
        lines.get(1..3),
        Some(&["  note: \"\\u{202e}a\" = 1", "        ^"][..]),
        "{run}"
    );
    let run = scan_with("version = 1 # \u{202e}\tx\rcard = 1\n");
    assert_eq!(run.code, 2, "{run}");
    let run = scan_with("version\t= \"\u{202e}\" 1\n");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines[1], "  note: version = \"\\u{202e}\" 1", "{run}");
    let marked = lines[2].find('^').map(|at| &lines[1][at..]);
    assert_eq!(marked, Some("1"), "{run}");
}

#[test]
fn mistakes_of_form_are_told_in_words_of_the_file() {
    let after = |lines: &str| format!("version = 1\n{ALLOWED}{lines}\n");
    let cases = [
        (ALLOWED.to_owned(), "the key `version` is missing"),
        (
            "version = 1\n[[card]]\nname = \"A\"\npci-rank = 0\n".to_owned(),
            "the key `use` is missing",
        ),
        (
            "version = 1\n[[card]]\nuse = \"allowed\"\npci-rank = 0\n".to_owned(),
            "the key `name` is missing",
        ),
        (
            format!("version = \"1\"\n{ALLOWED}"),
            "expected a whole number, found `\"1\"`",
        ),
        (
            format!("version = 99999999999999999999999\n{ALLOWED}"),
            "the number `99999999999999999999999` is too large",
        ),
        (
            "version = 1\n[card]\nname = \"A\"\n".to_owned(),
            "expected a list of tables, found a table",
        ),
        (
            "version = 1\ncard = [\"A\"]\n".to_owned(),
            "expected a table for each card, found `\"A\"`",
        ),
        (
            format!("version = 1\n{}", after("")),
            "this stands in the file already",
        ),
        (after("name = \"B\""), "this stands in the file already"),
        (after("uuid = 5"), "expected text in quotes, found `5`"),
        (after("min-memory-gib = -5"), "the number `-5` is too small"),
        (
            after("min-memory-gib = 2026-01-01"),
            "expected a whole number, found `2026-01-01`",
        ),
        (
            after("[hook]\nsnapshot = \"yes\""),
            "expected `true` or `false`, found `\"yes\"`",
        ),
        (
            after("[hook]\non-error = true"),
            "expected a word in quotes, found `true`",
        ),
        (
            after("[hook]\non-error = \"never\""),
            "unknown word `never`",
        ),
        (
            after("[hook]\non-error = block"),
            "`block` is no value: text stands in quotes",
        ),
        (
            after("[hook]\non-error ="),
            "there is no value after the `=`",
        ),
        (after("[hook]\non-error"), "there is a key without a value"),
        (
            after("[scan]\nexclude = \"a\""),
            "expected a list, found `\"a\"`",
        ),
        (
            format!("version = 1\nscan = 5\n{ALLOWED}"),
            "expected a table, found `5`",
        ),
        (
            format!("version = 1\nrules = []\n{ALLOWED}"),
            "expected a table, found a list",
        ),
        (after("[hook\n"), "unclosed table, expected `]`"),
    ];
    for (policy, message) in cases {
        let run = scan_with(&policy);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(message), "no {message:?} in {run}");
        assert!(run.stderr.contains("\n  hint: "), "no hint in {run}");
        for rust in ["u32", "i128", "struct", "map", "sequence", "invalid type"] {
            assert!(!run.stderr.contains(rust), "{rust} in {run}");
        }
    }
}

#[test]
fn of_a_long_line_the_part_with_the_mistake_is_shown() {
    let long = "x".repeat(5000);
    for (line, around) in [
        (format!("a = \"{long}\" bad"), "xxx\" bad\n"),
        (format!("\"{long}\" = 1"), "\"xxx"),
        (format!("a = \"{long}\" bad # {long}"), "xxx\" bad # xxx"),
    ] {
        let run = scan_with(&format!("version = 1\n{line}\n"));
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(around), "{run}");
        assert!(run.stderr.contains('…'), "{run}");
        let widest = run.stderr.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest < 500), "{run}");
        let lines: Vec<&str> = run.stderr.lines().collect();
        let mark = lines[2].chars().position(|c| c == '^').unwrap();
        let marked: String = lines[1].chars().skip(mark).take(3).collect();
        assert!(["bad", "\"xx"].contains(&&*marked), "{run}");
    }
}
