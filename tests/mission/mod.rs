//! The founding project's mission, rebuilt: forty listed files of which two do not exist, and the
//! figures that its journal gives for the other thirty-eight.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::TestRepo;

const MISSING: [&str; 2] = [
    "TTS/tts_handler_coqui.py",
    "TTS/tts_handler_piper_native.py",
];

/// The journal's list of files that were right from the start.
const CLEAN: [&str; 12] = [
    "TTS/tts_handler_piper_espeak.py",
    "TTS/tts_handler_piper_fixed.py",
    "TTS/tts_handler_piper_french.py",
    "TTS/tts_handler_piper_rtx3090.py",
    "test_cuda.py",
    "test_espeak_french.py",
    "test_french_voice.py",
    "test_gpu_correct.py",
    "test_piper_native.py",
    "test_tts_fixed.py",
    "test_tts_long_feedback.py",
    "test_upmc_model.py",
];

fn mission() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mission")
}

fn listed() -> Vec<String> {
    let list = fs::read_to_string(mission().join("paths.txt")).unwrap();
    list.lines().map(str::to_owned).collect()
}

/// A repository with the policy and the mission's files, committed.
fn repository() -> TestRepo {
    let repo = TestRepo::with_policy();
    for path in listed() {
        match fs::read(mission().join("files").join(&path)) {
            Ok(content) => repo.write(&path, content),
            Err(_) => assert!(MISSING.contains(&&*path), "{path} is not there"),
        }
    }
    repo.commit_all("before the correction");
    repo
}

fn count<'f>(findings: impl IntoIterator<Item = &'f Value>, key: &str) -> BTreeMap<&'f str, usize> {
    let mut counts = BTreeMap::new();
    for word in findings
        .into_iter()
        .filter_map(|finding| finding[key].as_str())
    {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

#[test]
fn the_scan_finds_what_the_journal_counted() {
    let repo = repository();
    let run = repo.gpuguard(&["scan", "--format", "json", "."]);
    assert_eq!(run.code, 1, "{run}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();

    let by_rule = count(findings, "rule");
    for (rule, expected) in [("GG001", 23), ("GG018", 15), ("GG002", 7)] {
        assert_eq!(by_rule.get(rule), Some(&expected), "{rule}: {by_rule:?}");
    }
    // The other rules name an API too: the one that shows that the file uses the GPU.
    let device_1 = findings
        .iter()
        .filter(|finding| finding["rule"] == "GG006" || finding["rule"] == "GG007");
    let by_api = count(device_1, "api");
    for (api, expected) in [
        ("gpu_device_index", 7),
        ("device=", 2),
        ("torch.cuda.set_device", 2),
        ("torch.device", 2),
    ] {
        assert_eq!(by_api.get(api), Some(&expected), "{api}: {by_api:?}");
    }
    assert_eq!(findings.len(), 23 + 15 + 7 + 13, "{findings:#?}");

    assert_eq!(report["summary"]["files"], 38);
    let with_problems: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding["path"].as_str())
        .collect();
    assert_eq!(with_problems.len(), 26);
    let listed = listed();
    let clean: BTreeSet<&str> = listed
        .iter()
        .map(String::as_str)
        .filter(|path| !with_problems.contains(path) && !MISSING.contains(path))
        .collect();
    assert_eq!(clean, BTreeSet::from(CLEAN));
}

#[test]
fn the_backup_saves_what_the_journal_saved() {
    let repo = repository();
    let list = mission().join("paths.txt");
    let run = repo.gpuguard(&["backup", "create", "--paths-from", list.to_str().unwrap()]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("38 saved, 2 not found, 40 in all"),
        "{run}"
    );
    for path in MISSING {
        assert!(run.stderr.contains(path), "{run}");
    }
}

#[test]
fn the_fix_corrects_what_the_journal_corrected_and_nothing_else() {
    let repo = repository();
    let run = repo.gpuguard(&["fix"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.starts_with("fixed 58 problems in 26 files\n"),
        "{run}"
    );
    assert!(
        run.stdout.contains("38 files scanned: no problems ("),
        "{run}"
    );
    let changed = repo.git(&["diff", "--name-only"]);
    let changed: BTreeSet<&str> = changed.lines().collect();
    assert_eq!(changed.len(), 26);
    assert!(CLEAN.iter().all(|path| !changed.contains(path)));
    // Lines are changed or added, none is lost: what is left out of each is a number or value.
    let removed = repo.git(&["diff", "--unified=0"]);
    let removed = removed
        .lines()
        .filter(|line| line.starts_with('-') && !line.starts_with("---"));
    for line in removed {
        assert!(
            line.contains('1') || line.contains("CUDA_VISIBLE_DEVICES"),
            "{line}"
        );
    }

    let scan = repo.gpuguard(&["scan", "."]);
    assert_eq!(scan.code, 0, "{scan}");
    let state = repo.git(&["diff"]);
    let again = repo.gpuguard(&["fix"]);
    assert_eq!(again.code, 0, "{again}");
    assert!(again.stdout.starts_with("nothing was changed\n"), "{again}");
    assert_eq!(repo.git(&["diff"]), state);

    let undo = repo.gpuguard(&["rollback", "--undo"]);
    assert_eq!(undo.code, 0, "{undo}");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
