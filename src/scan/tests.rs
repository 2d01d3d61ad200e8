//! Whole scans: who has to set the variables, what a change brings in, what is skipped.

use std::path::Path;

use super::*;
use crate::git::RepoPath;
use crate::policy::{Policy, Preset, SetIn, Severity, parse};

const MASK: &str = "import os\n\
                    os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";

fn policy(set_in: SetIn) -> Policy {
    let mut policy = parse(
        Path::new("gpuguard.toml"),
        Preset::Rtx3090.text().as_bytes(),
    )
    .unwrap();
    policy.environment.set_in = set_in;
    policy
}

fn scan(path: &str, content: impl AsRef<[u8]>) -> FileScan {
    Scanner::new(&policy(SetIn::EachFile)).scan(&RepoPath::new(path), content.as_ref())
}

fn rules(scan: &FileScan) -> Vec<&'static str> {
    scan.findings.iter().map(|finding| finding.rule).collect()
}

fn introduced(scan: &FileScan) -> Vec<&'static str> {
    let new = scan.findings.iter().filter(|finding| finding.introduced);
    new.map(|finding| finding.rule).collect()
}

fn judged(new: &str, parents: &[&str], deleted: &[&str]) -> Vec<&'static str> {
    let mut new = scan("a.py", new);
    let parents: Vec<FileScan> = parents.iter().map(|text| scan("a.py", text)).collect();
    mark_introduced(&mut new, &parents);
    let mut moved = MovedCode::default();
    for text in deleted {
        moved.add_removed(&scan("old.py", text), None);
    }
    moved.excuse(&mut new, |_| true);
    introduced(&new)
}

#[test]
fn who_sets_the_variables_decides_what_is_missing() {
    let library = "import torch\nx.to('cuda')\ntorch.cuda.set_device(1)\n";
    let program = &format!("{library}if __name__ == '__main__':\n    main()\n");
    let only_mask = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
    let missing: &[&str] = &["GG001", "GG018", "GG007"];
    for (set_in, text, expected) in [
        (SetIn::EachFile, library, missing),
        (SetIn::EachFile, program, missing),
        (SetIn::EachFile, only_mask, &["GG001"]),
        (SetIn::EntryPoints, library, &["GG006"]),
        (SetIn::EntryPoints, program, missing),
        (SetIn::EntryPoints, only_mask, &["GG001"]),
        (SetIn::Outside, library, &["GG006"]),
        (SetIn::Outside, program, &["GG006"]),
        (SetIn::Outside, only_mask, &["GG001"]),
    ] {
        let scan = Scanner::new(&policy(set_in)).scan(&RepoPath::new("a.py"), text.as_bytes());
        assert_eq!(rules(&scan), expected, "{set_in:?}\n{text}");
    }
}

#[test]
fn messages_name_the_card() {
    let message = |text: &str| scan("a.py", text).findings[0].message.clone();
    assert_eq!(
        message(&format!("{MASK}x.to('cuda:1')")),
        "index 1 is beyond the mask: with CUDA_VISIBLE_DEVICES=1 only index 0 exists"
    );
    let mask_0 = MASK.replace("'1'", "'0'");
    assert_eq!(
        message(&mask_0),
        "CUDA_VISIBLE_DEVICES=0 shows RTX 5060 Ti (forbidden)"
    );
    let order = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n";
    let found = scan("a.py", format!("{order}gpu_device_index = 0\n"));
    let found = found
        .findings
        .iter()
        .find(|finding| finding.rule == "GG007")
        .unwrap();
    assert!(
        found
            .message
            .ends_with("selects the RTX 5060 Ti, which must not be used")
    );
    // A removed order is none.
    let removed = format!("{order}del os.environ['CUDA_DEVICE_ORDER']\ngpu_device_index = 0\n");
    let found = scan("a.py", removed);
    let message = |rule| {
        let mut all = found.findings.iter();
        all.find(|finding| finding.rule == rule)
            .map(|finding| finding.message.as_str())
    };
    assert!(
        message("GG007")
            .unwrap()
            .contains("whichever card CUDA counts as 0")
    );
    assert!(
        message("GG016")
            .unwrap()
            .starts_with("CUDA_DEVICE_ORDER is removed here")
    );
}

#[test]
fn the_policy_sets_severities() {
    let mut policy = policy(SetIn::EachFile);
    policy
        .severities
        .insert("GG018".to_owned(), Severity::Warning);
    policy.severities.insert("GG001".to_owned(), Severity::Off);
    let scan = Scanner::new(&policy).scan(&RepoPath::new("a.py"), b"x.to('cuda')");
    assert_eq!(rules(&scan), ["GG018"]);
    assert_eq!(scan.findings[0].severity, Severity::Warning);
    assert!(!scan.findings[0].blocks());
}

#[test]
fn some_files_have_severities_of_their_own() {
    let mut policy = policy(SetIn::EachFile);
    policy.severities.insert("GG001".to_owned(), Severity::Off);
    let mut others = |paths: &[&str], code: &str, severity| {
        policy.overrides.push(crate::policy::Override {
            paths: paths.iter().copied().map(str::to_owned).collect(),
            severities: [(code.to_owned(), severity)].into(),
        });
    };
    others(&["tests/", "*_cpu.py"], "GG018", Severity::Warning);
    others(&["tests/old/**"], "GG018", Severity::Off);
    others(&["tests/old/**"], "GG001", Severity::Error);
    others(&["**/*.py", "!/a.py"], "GG007", Severity::Off);
    let scanner = Scanner::new(&policy);
    for (path, expected) in [
        (
            "a.py",
            &[("GG018", Severity::Error), ("GG007", Severity::Error)][..],
        ),
        ("src/tests/a.py", &[("GG018", Severity::Warning)]),
        ("src/run_cpu.py", &[("GG018", Severity::Warning)]),
        // The later one counts, and may switch on what is off elsewhere.
        ("tests/old/b.py", &[("GG001", Severity::Error)]),
        ("b.py", &[("GG018", Severity::Error)]),
    ] {
        let scan = scanner.scan(
            &RepoPath::new(path),
            b"import torch\ntorch.cuda.set_device(1)\n",
        );
        let found: Vec<(&str, Severity)> = scan
            .findings
            .iter()
            .map(|finding| (finding.rule, finding.severity))
            .collect();
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn what_a_parent_had_is_not_new() {
    let bad = "import torch\ntorch.cuda.set_device(1)\n";
    assert_eq!(judged(bad, &[], &[]), ["GG001", "GG018", "GG007"]);
    assert_eq!(judged(bad, &[bad], &[]), Vec::<&str>::new());
    // Moved down, indented otherwise, in one of two parents only.
    let moved = "import torch\n\n\nif True:\n    torch.cuda.set_device(1)\n";
    assert_eq!(judged(moved, &["x = 1\n", bad], &[]), Vec::<&str>::new());
    // The same line once more is new once.
    let twice = &format!("{bad}torch.cuda.set_device(1)\n");
    assert_eq!(judged(twice, &[bad], &[]), ["GG007"]);
    assert_eq!(judged(twice, &[twice], &[]), Vec::<&str>::new());
    // Two parents that have it once each do not make it known twice.
    assert_eq!(judged(twice, &[bad, bad], &[]), ["GG007"]);
}

#[test]
fn a_deleted_mask_is_a_new_finding() {
    let masked = &format!("{MASK}import torch\ntorch.cuda.set_device(0)\n");
    let bare = "import torch\ntorch.cuda.set_device(0)\n";
    assert_eq!(judged(bare, &[masked], &[]), ["GG001", "GG018", "GG007"]);
    let without_order = &masked.replace("os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n", "");
    assert_eq!(judged(without_order, &[masked], &[]), ["GG001"]);
}

#[test]
fn moved_lines_are_not_new_but_what_the_file_lacks_is() {
    let bad = "import torch\ntorch.cuda.set_device(1)\n";
    assert_eq!(judged(bad, &[], &[bad]), ["GG001", "GG018"]);
    let other = "import torch\nmodel.cuda(1)\n";
    assert_eq!(judged(other, &[], &[bad]), ["GG001", "GG018", "GG007"]);
    // One removed line accounts for one added line.
    let mut moved = MovedCode::default();
    moved.add_removed(&scan("old.py", bad), None);
    let (mut one, mut two) = (scan("a.py", bad), scan("b.py", bad));
    moved.excuse(&mut one, |_| true);
    moved.excuse(&mut two, |_| true);
    assert_eq!((introduced(&one).len(), introduced(&two).len()), (2, 3));
}

#[test]
fn what_cannot_be_read_is_skipped_with_the_reason() {
    let reason = |path: &str, content: &[u8]| match scan(path, content).reading {
        Reading::Skipped(reason) => Some(reason),
        _ => None,
    };
    assert_eq!(reason("a.py", b"cuda\0"), Some(SkipReason::Binary));
    assert_eq!(reason("a.py", b"\xff\xfec"), Some(SkipReason::Undecodable));
    assert_eq!(
        reason(
            "a.py",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
        ),
        Some(SkipReason::LfsPointer)
    );
    let mut policy = policy(SetIn::EachFile);
    policy.scan.exclude = vec!["third_party/".to_owned(), "*_pb2.py".to_owned()];
    policy.scan.max_file_bytes = 20;
    let scanner = Scanner::new(&policy);
    for (path, excluded) in [
        ("third_party/a.py", true),
        ("x/third_party/b/c.py", true),
        ("x/a_pb2.py", true),
        ("a.py", false),
    ] {
        assert_eq!(scanner.excludes(&RepoPath::new(path)), excluded, "{path}");
    }
    let long = scanner.scan(
        &RepoPath::new("a.py"),
        "# cuda, a long line".repeat(2).as_bytes(),
    );
    assert_eq!(
        long.reading,
        Reading::Skipped(SkipReason::TooLarge { bytes: 38 })
    );
}

#[test]
fn every_encoding_gives_the_same_finding() {
    let code = "# \u{e9}\nx = y.to('cuda:1')\n";
    let latin: Vec<u8> = code
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(code.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let bom = [b"\xef\xbb\xbf", code.as_bytes()].concat();
    for content in [code.as_bytes(), &latin, &utf16, &bom] {
        let scan = scan("a.py", content);
        let found = scan
            .findings
            .iter()
            .find(|finding| finding.rule == "GG007")
            .unwrap();
        assert_eq!((found.start.line, found.start.column), (2, 10));
    }
}

#[test]
fn python_is_known_by_name_or_first_line() {
    let scanner = Scanner::new(&policy(SetIn::EachFile));
    for (path, content, known) in [
        ("a.py", "", true),
        ("A.PY", "", true),
        ("a.pyi", "", true),
        ("a.pyw", "", true),
        ("run", "#!/usr/bin/env python3\n", true),
        ("run", "#!/usr/bin/perl\n", false),
        ("a.txt", "#!/usr/bin/env python3\n", false),
        ("a.zig", "cuda", false),
    ] {
        let language = scanner.language(&RepoPath::new(path), content.as_bytes());
        assert_eq!(language.is_some(), known, "{path}");
    }
}

#[test]
fn the_scanner_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Scanner>();
}

#[test]
fn many_variables_that_nobody_sees_take_no_longer_than_their_number() {
    let began = std::time::Instant::now();
    let run = "export CUDA_VISIBLE_DEVICES=1 && \\\n".repeat(20_000);
    let scanner = Scanner::new(&policy(SetIn::EachFile));
    let scan = scanner.scan(
        &RepoPath::new("Dockerfile"),
        format!("FROM x\nRUN {run}true\n").as_bytes(),
    );
    assert_eq!(scan.findings.len(), 20_000);
    // Far more than it takes; a square of the number takes minutes.
    assert!(began.elapsed().as_secs() < 30);
}

#[test]
fn the_prefilter_lets_every_catalogue_row_through() {
    let scanner = Scanner::new(&policy(SetIn::EachFile));
    let python = scanner.language(&RepoPath::new("a.py"), b"").unwrap();
    let mut examples = Vec::new();
    for api in catalogue::all() {
        examples.push(api.example);
        examples.extend(api.all.map(|all| all.example));
    }
    examples.extend(catalogue::keywords().map(|keyword| keyword.example));
    examples.extend(catalogue::listings().map(|listing| listing.example));
    examples.extend(catalogue::properties().map(|property| property.example));
    examples.retain(|example| !python.worth_reading(example));
    assert_eq!(examples, Vec::<&str>::new());
}

#[test]
fn listing_what_is_dynamic_decides_nothing_else() {
    let plain = Scanner::new(&policy(SetIn::EachFile));
    let listing = Scanner::new(&policy(SetIn::EachFile)).listing_dynamic();
    for (path, content, places) in [
        // Without a clue, and with one.
        (
            "a.py",
            "import torch\nn = 1\nmodel.to(n)\ntorch.device(pick())\n",
            1,
        ),
        (
            "a.py",
            "import torch\nmodel.to(1)\ntorch.device(pick())\n",
            1,
        ),
        ("a.ipynb", "{", 0),
        // The clue is in an output, the code is broken.
        (
            "a.ipynb",
            r#"{"cells": [{"cell_type": "code", "metadata": {}, "outputs": ["cuda"],
            "source": ["torch.device(pick())\nn = ("]}], "metadata": {}, "nbformat": 4}"#,
            1,
        ),
    ] {
        let (path, content) = (RepoPath::new(path), content.as_bytes());
        let (one, mut other) = (plain.scan(&path, content), listing.scan(&path, content));
        assert_eq!(other.dynamic.len(), places);
        other.dynamic.clear();
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
}

#[test]
fn what_was_only_laid_out_otherwise_is_not_new() {
    let before = "import torch\nmodel = torch.load('m', map_location='cuda:1')\n";
    for after in [
        before.replace('\'', "\""),
        before.replace("')\n", "')  # the big one\n"),
        before
            .replace("'m', ", "\n    'm',\n    ")
            .replace("')", "',\n)"),
    ] {
        assert_eq!(
            judged(&after, &[before], &[]),
            Vec::<&str>::new(),
            "{after}"
        );
    }
    let other = before.replace("cuda:1", "cuda:2");
    assert_eq!(judged(&other, &[before], &[]), ["GG007"]);
}

#[test]
fn a_line_is_gained_in_any_encoding_and_with_any_line_ends() {
    let bad = scan("a.py", "import torch\ntorch.cuda.set_device(1)\n");
    let finding = bad.findings.last().unwrap();
    let with = "x = 1\rtorch.cuda.set_device(1)\r";
    let wide: Vec<u8> = std::iter::once(0xfeff)
        .chain(with.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for content in [with.as_bytes(), &wide] {
        let (after, before) = (Lines::of(content), Lines::of(b"x = 1\r"));
        assert!(after.gained(finding, &before));
        assert!(!after.gained(finding, &after));
    }
}

#[test]
fn a_line_moved_from_one_file_to_another_is_not_new() {
    let line = "model.to('cuda:1')\n";
    let (rest, masked) = (format!("{MASK}x = 1\n"), format!("{MASK}y = 1\n"));
    let (one, other) = (format!("{rest}{line}"), format!("{masked}{line}"));
    let judged = |after: &str| {
        let mut moved = MovedCode::default();
        moved.add_removed(&scan("a.py", &one), Some(&scan("a.py", after)));
        let mut new = scan("b.py", &other);
        mark_introduced(&mut new, &[scan("b.py", &masked)]);
        moved.excuse(&mut new, |_| true);
        introduced(&new)
    };
    assert_eq!(judged(&rest), Vec::<&str>::new());
    // Copied, it is one more.
    assert_eq!(judged(&one), ["GG006"]);
}

#[test]
fn a_policy_names_the_languages_that_are_read() {
    let names: Vec<&str> = language::LANGUAGES
        .iter()
        .map(|language| language.name)
        .collect();
    assert_eq!(names, crate::policy::LANGUAGE_NAMES);
}

#[test]
fn the_policy_says_in_which_language_a_file_is() {
    let text = format!(
        "{}[[language]]\npaths = [\"*.tmpl\", \"*.py\"]\nas = \"dotenv\"\n\
         [[language]]\npaths = [\"old/*.py\"]\nas = \"none\"\n",
        Preset::Rtx3090.text()
    );
    let policy = parse(Path::new("p"), text.as_bytes()).unwrap();
    let scanner = Scanner::new(&policy);
    let language = |path: &str| {
        let found = scanner.language(&RepoPath::new(path), b"");
        found.map(|language| language.name)
    };
    assert_eq!(language("a/b.tmpl"), Some("dotenv"));
    assert_eq!(language("b.py"), Some("dotenv"));
    assert_eq!(language("old/b.py"), None);
    assert_eq!(language("b.pyi"), Some("python"));
}

#[test]
fn a_fix_that_is_offered_in_half_a_file_comes_to_an_end() {
    let scanner = Scanner::new(&policy(SetIn::EachFile));
    for (path, text) in [
        (
            "Makefile",
            "train: export CUDA_DEVICE_ORDER = PCI_BUS_ID\n\
             train: export CUDA_VISIBLE_DEVICES = 0,1\ntrain: data\n\ttorchrun train.py\n\
             other: ; CUDA_VISIBLE_DEVICES=0 python a.py\n",
        ),
        (
            "Makefile",
            "CUDA_VISIBLE_DEVICES ?= \"0\"\nexport CUDA_VISIBLE_DEVICES CUDA_DEVICE_first\n",
        ),
        (
            "a.ps1",
            "$env:CUDA_DEVICE_ORDER =PC\"_I BUS_I\"\n$nv:CUDA_VCU",
        ),
        (
            "a.sh",
            "set -a\nexport CUDA_VISIBLE_DEVICSE\nCUDA_VISIBLE_DEVICES=1\nNVIDIA_VISIBLE_DEVICES=1\n",
        ),
        (
            "a.toml",
            "[tool.pytest.ini_options]\nenv = [\n    \"D:CUDA_VISIBLE_DEVICES=1\",\n]\n",
        ),
    ] {
        for allowed in [Safety::Safe, Safety::Unsafe] {
            let fixed = scanner.fix(&RepoPath::new(path), text.as_bytes(), allowed);
            let result = fixed.result;
            assert!(
                !matches!(result, FixResult::LeftAlone(_)),
                "{text}: {result:?}"
            );
        }
    }
}

#[test]
fn listing_what_is_dynamic_decides_nothing_in_a_fence() {
    let page = "nvidia\n\n```toml\n[env]\nUDA_DEVICE_ORDER = \"PCI_BUS_ID\"\n```\n";
    let scanner = Scanner::new(&policy(SetIn::EachFile));
    let path = RepoPath::new("a.md");
    let plain = scanner.scan(&path, page.as_bytes());
    let listing = scanner.listing_dynamic().scan(&path, page.as_bytes());
    assert_eq!(rules(&listing), rules(&plain));
}
