//! `--help` of every command, and what is said to who mistypes one.

use std::path::Path;

use crate::support::{Run, gpuguard};

fn run(arguments: &[&str]) -> Run {
    gpuguard(Path::new("."), arguments)
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split_once("Commands:\n").map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    // What goes on in the next line is indented further.
    let names = lines.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_examples_and_they_are_valid() {
    let mut left = vec![Vec::<String>::new()];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = run(&arguments);
        assert_eq!(help.code, 0, "{help}");
        for name in commands(&help.stdout) {
            left.push(path.iter().cloned().chain([name]).collect());
        }
        if path.is_empty() {
            continue;
        }
        let name = format!("gpuguard {}", path.join(" "));
        let examples = help.stdout.split_once("Examples:\n");
        let examples = examples
            .unwrap_or_else(|| panic!("{name} has no examples"))
            .1;
        let examples: Vec<&str> = examples
            .lines()
            .take_while(|line| line.starts_with("  "))
            .filter(|line| line.contains("gpuguard"))
            .collect();
        assert!(
            examples.iter().any(|line| line.contains(&name)),
            "{name}: {examples:?}"
        );
        for example in examples {
            check_example(example);
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

/// Fails unless the command and the options of an example exist.
fn check_example(example: &str) {
    let (_, command) = example.split_once("gpuguard ").unwrap();
    let own = command.split([')', '|', '>']).next().unwrap();
    // What stands behind a wide gap is about it.
    let own = own.split("    ").next().unwrap();
    let own = own.split(" -- ").next().unwrap();
    let words: Vec<&str> = own.split_whitespace().collect();
    let mut path: Vec<&str> = Vec::new();
    for word in &words {
        let mut arguments = path.clone();
        arguments.push("--help");
        if !commands(&run(&arguments).stdout)
            .iter()
            .any(|name| name == word)
        {
            break;
        }
        path.push(word);
    }
    assert!(!path.is_empty(), "{example}");
    let mut arguments = path.clone();
    arguments.push("--help");
    let help = run(&arguments).stdout;
    for option in words
        .iter()
        .filter(|word| word.starts_with('-') && word.len() > 1)
    {
        assert!(help.contains(option), "{example}: no {option}");
    }
}

#[test]
fn the_help_of_the_program_says_what_to_type_first() {
    let bare = run(&[]);
    assert_eq!((bare.code, bare.stdout.as_str()), (2, ""), "{bare}");
    let short = run(&["-h"]);
    for text in [&bare.stderr, &short.stdout] {
        for part in [
            "First steps:",
            "gpuguard init",
            "policy  ",
            "gpuguard help COMMAND",
        ] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        assert!(!text.contains("__"), "{text}");
    }
    let long = run(&["--help"]);
    for part in [
        "First steps:",
        "Exit codes:",
        "GPUGUARD=0",
        "gpuguard policy show",
    ] {
        assert!(long.stdout.contains(part), "no {part:?} in {long}");
    }
    assert!(!short.stdout.contains("Exit codes"), "{short}");
}

#[test]
fn who_mistypes_is_told_what_there_is() {
    for (arguments, tip) in [
        (&["scna"][..], "similar subcommands exist: 'schema', 'scan'"),
        (&["backup", "lst"], "a similar subcommand exists: 'list'"),
        (
            &["scan", "--formt", "json"],
            "a similar argument exists: '--format'",
        ),
        (&["restore"], "there is a command `gpuguard backup restore`"),
        (&["check"], "there is a command `gpuguard gpu check`"),
        (
            &["show", "latest"],
            "there is a command `gpuguard policy show`",
        ),
        (&["lint", "."], "`lint` is `gpuguard scan` here"),
        (&["check"], "`check` is `gpuguard scan` here"),
        (&["status"], "`status` is `gpuguard doctor` here"),
        (&["undo"], "`undo` is `gpuguard rollback --undo` here"),
        (&["--staged"], "`--staged` is an option of `gpuguard scan`"),
        (
            &["scan", "--preset", "x"],
            "`--preset` is an option of `gpuguard init`",
        ),
        (
            &["install", "--dry-run"],
            "`--dry-run` is an option of `gpuguard rollback`",
        ),
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.contains(tip), "no {tip:?} in {run}");
    }
    // Not what gpuguard starts by itself, and nothing that obeys a terminal.
    for arguments in [
        &["--end-after"][..],
        &["--hide"],
        &["probe"],
        &["\u{1b}[31mlint"],
    ] {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(
            !run.stderr.contains("__") && !run.stderr.contains('\u{1b}'),
            "{run}"
        );
    }
}
