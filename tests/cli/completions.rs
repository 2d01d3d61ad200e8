//! `gpuguard completions` and `gpuguard man`: what they print is what shells and `man` take.
#![cfg(unix)]

use std::path::Path;

use crate::support::{Run, TestRepo};

fn completions(repo: &TestRepo, shell: &str) -> String {
    let run = repo.gpuguard(&["completions", shell]);
    assert_eq!(run.code, 0, "{run}");
    run.stdout
}

#[test]
fn every_shell_gets_every_command() {
    let repo = TestRepo::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = completions(&repo, shell);
        for word in ["rollback", "backup", "prune", "dry-run", "continue"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        // What gpuguard starts by itself.
        for hidden in ["__probe", "__watch", "__enforce", "____", "end-after"] {
            assert!(!text.contains(hidden), "{shell}: {hidden}");
        }
    }
    assert_eq!(repo.gpuguard(&["completions", "tcsh"]).code, 2);
}

#[test]
fn bash_completes_commands_and_options() {
    let repo = TestRepo::new();
    repo.write("complete", completions(&repo, "bash"));
    let ask = |words: &str, at: usize| -> Vec<String> {
        let script = format!(
            "source ./complete; COMP_WORDS=({words}); COMP_CWORD={at}; \
             _gpuguard gpuguard \"${{COMP_WORDS[{at}]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let run: Run = repo
            .command(Path::new("bash"))
            .args(["--norc", "-c", &script])
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 0, "{run}");
        run.stdout.lines().map(str::to_owned).collect()
    };
    assert_eq!(ask("gpuguard roll", 1), ["rollback"]);
    assert_eq!(ask("gpuguard backup pr", 2), ["prune"]);
    assert_eq!(ask("gpuguard __", 1), [""; 1]);
    assert_eq!(ask("gpuguard rollback --con", 2), ["--continue"]);
}

#[test]
fn each_command_has_a_page() {
    let repo = TestRepo::new();
    let run = repo.gpuguard(&["man"]);
    assert!(run.stdout.contains(".TH gpuguard 1"), "{run}");
    let scan: Run = repo
        .command(crate::support::program())
        .args(["man", "--dir", "lines"])
        .output()
        .unwrap()
        .into();
    assert_eq!(scan.code, 0, "{scan}");
    // Commands that can be copied: one line each, with hyphens that can be typed.
    let page = String::from_utf8(repo.read("lines/gpuguard-scan.1")).unwrap();
    let examples = page.split_once(".SH EXAMPLES\n.nf\n").unwrap().1;
    assert!(
        examples.contains("gpuguard scan \\-\\-range origin/main...HEAD"),
        "{examples}"
    );
    assert!(!page.contains(".SH EXTRA"), "{page}");
    let run = repo.gpuguard(&["man", "--dir", "pages"]);
    assert_eq!(run.code, 0, "{run}");
    for page in [
        "gpuguard.1",
        "gpuguard-rollback.1",
        "gpuguard-backup-prune.1",
    ] {
        let text = String::from_utf8(repo.read(&format!("pages/{page}"))).unwrap();
        assert!(
            text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"),
            "{page}: {text}"
        );
    }
    assert!(!repo.exists("pages/gpuguard-__probe.1"));
    let run = repo.gpuguard(&["man", "--dir", "pages/gpuguard.1"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("cannot be written"), "{run}");
}
