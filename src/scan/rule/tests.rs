//! The registry is sound, and each rule's page does what it says.

use std::path::Path;

use super::*;
use crate::git::RepoPath;
use crate::policy::Preset;
use crate::scan::{FixResult, Safety, Scanner};

/// The code blocks under a heading.
fn blocks(page: &str, heading: &str) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_default();
    section
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').unwrap().1.to_owned())
        .collect()
}

#[test]
fn codes_are_unique_and_sorted_and_pages_are_whole() {
    assert!(RULES.is_sorted_by(|one, next| one.code < next.code));
    for rule in RULES {
        assert!(
            rule.page.starts_with(&format!("# {}: ", rule.code)),
            "{}",
            rule.code
        );
        for heading in [
            "What it finds",
            "Why it matters",
            "Example",
            "Use instead",
            "Known limits",
        ] {
            assert!(
                rule.page.contains(&format!("\n## {heading}\n")),
                "{} {heading}",
                rule.code
            );
        }
    }
}

#[test]
fn every_example_is_found_and_every_remedy_is_clean() {
    let preset = Preset::Rtx3090.text();
    let policy = crate::policy::parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    let scanner = Scanner::new(&policy);
    let codes = |text: &str| -> Vec<&str> {
        let scan = scanner.scan(&RepoPath::new("a.py"), text.as_bytes());
        scan.findings.iter().map(|finding| finding.rule).collect()
    };
    for rule in RULES {
        let examples = blocks(rule.page, "Example");
        let remedies = blocks(rule.page, "Use instead");
        assert!(
            !examples.is_empty() && !remedies.is_empty(),
            "{}",
            rule.code
        );
        for example in examples {
            assert!(
                codes(&example).contains(&rule.code),
                "{}: {example}",
                rule.code
            );
        }
        for remedy in remedies {
            assert_eq!(
                codes(&remedy),
                Vec::<&str>::new(),
                "{}: {remedy}",
                rule.code
            );
        }
    }
}

#[test]
fn what_is_called_fixable_in_an_example_is_mended() {
    let preset = Preset::Rtx3090.text();
    let policy = crate::policy::parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    let scanner = Scanner::new(&policy);
    let path = RepoPath::new("a.py");
    for rule in RULES {
        for example in blocks(rule.page, "Example") {
            for allowed in [Safety::Safe, Safety::Unsafe] {
                let before = scanner.scan(&path, example.as_bytes());
                let fixed = scanner.fix(&path, example.as_bytes(), allowed);
                let wanted = before.findings.iter().any(|finding| match allowed {
                    Safety::Safe => finding.is_fixable(),
                    Safety::Unsafe => finding.fix.is_some(),
                });
                match fixed.result {
                    FixResult::Nothing => assert!(!wanted, "{}: {example}", rule.code),
                    FixResult::LeftAlone(reason) => panic!("{}: {reason}: {example}", rule.code),
                    FixResult::Mended { content, .. } => {
                        let again = scanner.fix(&path, &content, allowed).result;
                        assert!(
                            matches!(again, FixResult::Nothing),
                            "{}: {example}",
                            rule.code
                        );
                    }
                }
            }
        }
    }
}
