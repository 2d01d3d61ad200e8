//! The commands and options that README and book name in a sentence or a table are there.

use std::collections::BTreeSet;

use super::readme_and_book;
use crate::support::TestRepo;

/// Commands that have commands of their own.
const GROUPS: [&str; 4] = ["backup", "gpu", "hook", "policy"];

/// What stands in code spans and begins with `gpuguard `, without fences.
fn named(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut named = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let spans = line.split('`').skip(1).step_by(2);
            named.extend(spans.filter(|span| span.starts_with("gpuguard ")));
        }
    }
    named
}

#[test]
fn the_commands_that_are_named_exist_with_their_options() {
    let repo = TestRepo::with_policy();
    let pages = readme_and_book();
    let mut tried: BTreeSet<Vec<&str>> = BTreeSet::new();
    for page in &pages {
        for command in named(&page.text) {
            // What stands behind `--` is another program's, behind `|` too.
            let words = command.split_whitespace().skip(1);
            let words: Vec<&str> = words
                .take_while(|word| !matches!(*word, "--" | "|" | "\\|"))
                .collect();
            let Some(first) = words.first().copied() else {
                continue;
            };
            if !tried.insert(words.clone()) {
                continue;
            }
            let names: Vec<&str> = words
                .iter()
                .take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
                .take(if GROUPS.contains(&first) { 2 } else { 1 })
                .copied()
                .collect();
            let run = repo.gpuguard(&[&names[..], &["--help"]].concat());
            let page = page.path.display();
            assert_eq!(run.code, 0, "{page}: {command}: {run}");
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let (option, _) = option.split_once('=').unwrap_or((option, ""));
                assert!(
                    run.stdout.contains(option),
                    "{page}: {command} has no {option}: {run}"
                );
            }
        }
    }
    assert!(tried.len() > 40, "{}", tried.len());
}
