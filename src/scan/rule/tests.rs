//! The registry is sound, and each rule's page does what it says.

use std::path::Path;

use super::*;
use crate::git::RepoPath;
use crate::policy::Preset;
use crate::scan::{FixResult, Safety, Scanner};

/// The code blocks under a heading, each in the file that its kind means.
fn blocks(page: &str, heading: &str) -> Vec<(RepoPath, String)> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_default();
    section
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| {
            let (kind, code) = block.split_once('\n').unwrap();
            (RepoPath::new(file_of(kind)), code.to_owned())
        })
        .collect()
}

/// How a file is called whose code stands in a block of this kind.
fn file_of(kind: &str) -> &str {
    match kind {
        "python" => "a.py",
        "sh" | "console" => "a.sh",
        "fish" => "a.fish",
        "powershell" => "a.ps1",
        "batch" => "a.bat",
        "dotenv" => ".env",
        "yaml" => "a.yaml",
        "compose" => "compose.yaml",
        "dockerfile" => "Dockerfile",
        "makefile" => "Makefile",
        "toml" => "pyproject.toml",
        "ini" => "tox.ini",
        "json" => "launch.json",
        "cpp" => "a.cpp",
        "cuda" => "a.cu",
        "rust" => "a.rs",
        other => panic!("blocks of {other} are in no file"),
    }
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
    let codes = |(path, text): &(RepoPath, String)| -> Vec<&str> {
        let scan = scanner.scan(path, text.as_bytes());
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
        for example in &examples {
            assert!(
                codes(example).contains(&rule.code),
                "{}: {}",
                rule.code,
                example.1
            );
        }
        for (path, example) in examples {
            check_fixes(&scanner, rule.code, &path, &example);
        }
        for remedy in remedies {
            assert_eq!(
                codes(&remedy),
                Vec::<&str>::new(),
                "{}: {}",
                rule.code,
                remedy.1
            );
        }
    }
}

/// Makes a rule's fixes, one after the other, as long as there are any: then nothing that it calls
/// fixable is left, and the rule is content where it could fix at all.
fn check_fixes(scanner: &Scanner, code: &str, path: &RepoPath, example: &str) {
    let mut text = example.to_owned();
    let mut fixed = 0;
    loop {
        let scan = scanner.scan(path, text.as_bytes());
        let mut own = scan.findings.iter().filter(|finding| finding.rule == code);
        let Some(fix) = own.find_map(|finding| finding.fix.as_ref()) else {
            let left = scan.findings.iter().filter(|finding| finding.rule == code);
            assert!(fixed == 0 || left.count() == 0, "{code}: {text}");
            return;
        };
        text = crate::text::apply(&text, &fix.edits).unwrap();
        fixed += 1;
        assert!(fixed < 10, "{code}: the fixes of {example} never end");
    }
}

/// A policy in which every card has a UUID.
fn policy_with_uuids() -> crate::policy::Policy {
    let text = "version = 1\n[[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"forbidden\"\n\
                uuid = \"GPU-8932f937-d72c-4106-c12f-20bd9faed9f6\"\n[[card]]\n\
                name = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n\
                uuid = \"GPU-8955aaaa-1111-2222-3333-444444444444\"\n";
    crate::policy::parse(Path::new("gpuguard.toml"), text.as_bytes()).unwrap()
}

#[test]
fn a_uuid_is_judged_by_the_cards_that_have_one() {
    use crate::policy::Severity::{Error, Warning};
    let preset = Preset::Rtx3090.text();
    let bare = crate::policy::parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    let full = policy_with_uuids();
    for (policy, value, expected) in [
        (&full, "GPU-8955aaaa-1111-2222-3333-444444444444", None),
        (&full, "GPU-8955", None),
        (&full, "GPU-8932f937", Some(("GG017", Error))),
        (&full, "GPU-8955aaaa,GPU-8932f937", Some(("GG017", Error))),
        (&full, "GPU-ffff", Some(("GG017", Error))),
        (&full, "GPU-89", Some(("GG003", Error))),
        (&full, "MIG-GPU-8955aaaa/1/0", Some(("GG017", Warning))),
        (&bare, "GPU-ffff", Some(("GG017", Warning))),
    ] {
        let text = format!(
            "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
             os.environ['CUDA_VISIBLE_DEVICES'] = '{value}'\n"
        );
        let scan = Scanner::new(policy).scan(&RepoPath::new("a.py"), text.as_bytes());
        let found: Vec<_> = scan
            .findings
            .iter()
            .map(|finding| (finding.rule, finding.severity))
            .collect();
        assert_eq!(found, Vec::from_iter(expected), "{value}");
    }
}

#[test]
fn what_is_called_fixable_in_an_example_is_mended() {
    let preset = Preset::Rtx3090.text();
    let policy = crate::policy::parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    let scanner = Scanner::new(&policy);
    for rule in RULES {
        for (path, example) in blocks(rule.page, "Example") {
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
