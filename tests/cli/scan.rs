//! `gpuguard scan` with the real binary.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Run, TestRepo, gpuguard};

const MASK: &str = "import os\n\
                    os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";

/// A folder outside any repository, with the founding rig's policy.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let preset = include_bytes!("../../src/policy/preset_rtx3090.toml");
    write(folder.path(), "gpuguard.toml", preset);
    for (path, content) in files {
        write(folder.path(), path, content);
    }
    folder
}

fn write(folder: &Path, path: &str, content: &[u8]) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
    std::fs::write(file, content).expect("a file");
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

#[test]
fn clean_code_is_fine() {
    let folder = folder(&[("a.py", MASK.as_bytes()), ("notes.txt", b"cuda:1")]);
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    assert_eq!(
        run.stdout_without_times(),
        "1 file scanned: no problems (… ms)\n"
    );
}

#[test]
fn a_finding_shows_the_line_the_card_and_the_remedy() {
    let code = format!("{MASK}import torch\nx = torch.device(\"cuda:1\")\n");
    let folder = folder(&[("a/b.py", code.as_bytes())]);
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run}");
    let expected = r#"error[GG006]: index 1 is beyond the mask: with CUDA_VISIBLE_DEVICES=1 only index 0 exists
 --> a/b.py:5:18
  |
5 | x = torch.device("cuda:1")
  |                  ^^^^^^^^ selects no card: "invalid device ordinal"
  |
  = fix: use index 0 ("cuda:0"): under the mask that is the RTX 3090
  |
5 - x = torch.device("cuda:1")
5 + x = torch.device("cuda:0")

  GG006 x1: a card index that does not exist under CUDA_VISIBLE_DEVICES
  1 fixable with `gpuguard fix`
1 file scanned: 0 clean, 1 with problems (… ms); next: `gpuguard fix --diff` shows what can be
mended, `gpuguard rule GG006` explains
"#;
    assert_eq!(run.stdout_without_times(), expected);
    let quiet = gpuguard(folder.path(), &["scan", "-q"]);
    assert!(
        !quiet.stdout.contains("scanned") && quiet.stdout.contains("GG006"),
        "{quiet}"
    );
    let colored = gpuguard(folder.path(), &["scan", "--color=always"]);
    assert!(colored.stdout.contains("\u{1b}["), "{colored}");
}

#[test]
fn json_is_the_contracts_object() {
    let code = format!("{MASK}é = 1; x.to('cuda:1')\n");
    let folder = folder(&[("a/b.py", code.as_bytes()), ("x.py", b"\0")]);
    let run = gpuguard(folder.path(), &["scan", "--format", "json"]);
    assert_eq!(run.code, 1, "{run}");
    let report = json(&run);
    assert_eq!(report["version"], 1);
    let finding = &report["findings"][0];
    for (key, value) in [
        ("rule", Value::from("GG006")),
        ("severity", "error".into()),
        ("path", "a/b.py".into()),
        ("line", 4.into()),
        ("column", 13.into()),
        ("end_line", 4.into()),
        ("end_column", 21.into()),
        ("introduced", true.into()),
        ("fixable", true.into()),
        ("api", ".to".into()),
    ] {
        assert_eq!(finding[key], value, "{key}");
    }
    assert!(finding["message"].is_string() && finding["help"].is_string());
    let summary = &report["summary"];
    assert_eq!(summary["files"], 1);
    assert_eq!(
        (&summary["errors"], &summary["warnings"]),
        (&1.into(), &0.into())
    );
    assert_eq!(summary["skipped"][0]["path"], "x.py");
    assert_eq!(summary["skipped"][0]["reason"], "binary");
}

#[test]
fn warnings_do_not_block() {
    let folder = folder(&[("a.py", b"x.to('cuda')\n")]);
    let preset = include_str!("../../src/policy/preset_rtx3090.toml");
    let policy = format!("{preset}\nGG001 = \"warning\"\nGG018 = \"warning\"\n");
    write(folder.path(), "gpuguard.toml", policy.as_bytes());
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("warning[GG018]"), "{run}");
    let report = json(&gpuguard(folder.path(), &["scan", "--format=json"]));
    assert_eq!(report["summary"]["warnings"], 2);
}

/// Data of 200 MiB, which takes no room on the disk: it is not read at all.
#[test]
fn a_huge_file_of_data_is_skipped_by_name() {
    let folder = folder(&[("a.json", b"{\"device\": \"cuda:0\"}\n")]);
    write(
        folder.path(),
        "gpuguard.toml",
        include_bytes!("../../src/policy/preset_rtx3090.toml"),
    );
    let data = std::fs::File::create(folder.path().join("data.json")).unwrap();
    data.set_len(200 << 20).unwrap();
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .contains("skipped data.json: too large (200 MiB)"),
        "{run}"
    );
}

#[test]
fn what_is_skipped_is_named_with_the_reason() {
    let folder = folder(&[
        ("binary.py", b"x = 'cuda:1'\0"),
        ("half.py", b"\xff\xfex"),
        ("lfs.py", b"version https://git-lfs.github.com/spec/v1\n"),
        ("third/a.py", b"x.to('cuda')\n"),
        ("big.py", &vec![b'#'; (1 << 20) + 1]),
        ("big.bin", &vec![b'#'; (1 << 20) + 1]),
    ]);
    let preset = include_str!("../../src/policy/preset_rtx3090.toml")
        .replace("exclude = []", "exclude = [\"third/\"]")
        .replace("max-file-mib = 16", "max-file-mib = 1");
    write(folder.path(), "gpuguard.toml", preset.as_bytes());
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        "no files were scanned: nothing is known about this code\n\
         \u{20} skipped big.py: too large (2 MiB)\n\
         \u{20} skipped binary.py: binary\n\
         \u{20} skipped half.py: unknown text encoding\n\
         \u{20} skipped lfs.py: Git LFS pointer, content not scanned\n\
         \u{20} skipped third/a.py: excluded by the policy\n"
    );
}

#[test]
fn no_file_is_not_a_pass() {
    let folder = folder(&[("notes.txt", b"cuda:1")]);
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        "no files were scanned: nothing is known about this code\n"
    );
    assert_eq!(
        json(&gpuguard(folder.path(), &["scan", "--format=json"]))["summary"]["files"],
        0
    );
}

#[test]
fn broken_code_is_scanned_and_named() {
    let folder = folder(&[(
        "a.py",
        b"import torch\ntorch.cuda.set_device(1)\ndef f(:\n  pass\n",
    )]);
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("GG007"), "{run}");
    assert!(
        run.stdout
            .contains("  a.py: syntax error on line 3; the rest was scanned\n"),
        "{run}"
    );
    let report = json(&gpuguard(folder.path(), &["scan", "--format=json"]));
    assert_eq!(report["summary"]["syntax_errors"][0]["line"], 3);
}

#[test]
fn bytes_that_are_not_utf_8_are_still_code() {
    let folder = folder(&[("a.py", b"# caf\xe9\nx = y.to('cuda:1')  # \x1b[2J\xe9\n")]);
    let run = gpuguard(folder.path(), &["scan"]);
    assert!(run.stdout.contains("a.py:2:10"), "{run}");
    assert!(!run.stdout.contains('\u{1b}'), "{run}");
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_shown_safely() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&[]);
    let name = std::ffi::OsStr::from_bytes(b"\x1b[2J\xff.py");
    std::fs::write(folder.path().join(name), "x.to('cuda:1')\n").unwrap();
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("\\u{1b}[2J\\xff.py:1:6"), "{run}");
    let report = json(&gpuguard(folder.path(), &["scan", "--format=json"]));
    assert_eq!(report["findings"][0]["path"], "\\u{1b}[2J\\xff.py");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_unless_named() {
    let folder = folder(&[("inner/a.py", b"x.to('cuda:1')\n")]);
    let outside = TempDir::new().unwrap();
    write(outside.path(), "b.py", b"x.to('cuda:1')\n");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("b.py"), folder.path().join("c.py")).unwrap();
    std::os::unix::fs::symlink("nowhere.py", folder.path().join("d.py")).unwrap();
    let files =
        |arguments: &[&str]| json(&gpuguard(folder.path(), arguments))["summary"]["files"].clone();
    assert_eq!(files(&["scan", "--format=json"]), 1);
    assert_eq!(files(&["scan", "--format=json", "c.py"]), 1);
}

#[test]
fn paths_are_taken_as_named_and_folders_as_git_sees_them() {
    let repo = TestRepo::with_policy();
    repo.write(".gitignore", "ignored/\n");
    repo.write("ignored/a.py", "x.to('cuda:1')\n");
    repo.write("sub/b.py", "x.to('cuda:1')\n");
    repo.write("sub/.hidden/c.py", "x.to('cuda:1')\n");
    let paths = |directory: &Path, arguments: &[&str]| -> Vec<String> {
        let all = [&["scan", "--format=json"], arguments].concat();
        let report = json(&gpuguard(directory, &all));
        let mut paths: Vec<String> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| finding["path"].as_str().unwrap_or_default().to_owned())
            .collect();
        paths.dedup();
        paths
    };
    let root = repo.path();
    let sub = root.join("sub");
    assert_eq!(paths(&root, &[]), ["sub/.hidden/c.py", "sub/b.py"]);
    assert_eq!(paths(&root, &["ignored/a.py"]), ["ignored/a.py"]);
    assert_eq!(
        paths(&root, &["sub/b.py", "sub", "./sub/b.py"]),
        ["sub/.hidden/c.py", "sub/b.py"]
    );
    // Named from below the root, shown from the root: the policy's globs mean the same.
    assert_eq!(paths(&sub, &["b.py"]), ["sub/b.py"]);
    assert_eq!(paths(&sub, &["../sub/b.py"]), ["sub/b.py"]);
    assert_eq!(
        paths(&root, &[sub.join("b.py").to_str().unwrap_or_default()]),
        ["sub/b.py"]
    );
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let folder = folder(&[("a.py", b"x = 1\n")]);
    let run = gpuguard(folder.path(), &["scan", "a.py", "b.py"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert_eq!(
        run.stderr,
        "error: there is no file or folder `b.py`\n  note: nothing was scanned\n  hint: paths are relative to the current folder\n"
    );
}

#[test]
fn without_a_policy_nothing_is_judged() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "a.py", b"x.to('cuda:1')\n");
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(run.stderr.contains("gpuguard init"), "{run}");
    write(folder.path(), "other.toml", b"version = 1\nnonsense = 2\n");
    let run = gpuguard(folder.path(), &["scan", "--policy", "other.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(run.stderr.contains("nonsense"), "{run}");
}

#[test]
fn a_policy_can_be_named_outside_a_repository() {
    let folder = folder(&[]);
    let other = TempDir::new().unwrap();
    write(other.path(), "a.py", b"x.to('cuda:1')\n");
    let policy = folder.path().join("gpuguard.toml");
    let arguments = [
        "scan",
        "--policy",
        policy.to_str().unwrap(),
        "--format=json",
    ];
    let run = gpuguard(other.path(), &arguments);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(json(&run)["findings"][0]["path"], "a.py");
}

#[test]
fn statistics_count_by_rule_and_by_api() {
    let folder = folder(&[
        (
            "a.py",
            b"import torch\ntorch.cuda.set_device(1)\nd = torch.device('cuda:1')\n",
        ),
        ("b.py", MASK.as_bytes()),
    ]);
    let run = gpuguard(folder.path(), &["scan", "--statistics"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(
        run.stdout,
        "files analysed            2\n\
         files clean               1\n\
         files with problems       1\n\
         files skipped             0\n\
         \n\
         rule   api                    count  files\n\
         GG007  all                        2      1\n\
         \u{20}      torch.cuda.set_device      1      1\n\
         \u{20}      torch.device               1      1\n\
         GG001  all                        1      1\n\
         \u{20}      torch.cuda.set_device      1      1\n\
         GG018  all                        1      1\n\
         \u{20}      torch.cuda.set_device      1      1\n"
    );
}

#[test]
fn many_files_give_the_same_answer_each_time() {
    let names: Vec<String> = (0..200)
        .map(|at| format!("d{}/f{at:03}.py", at % 7))
        .collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x.to('cuda:1')\n"[..]))
        .collect();
    let folder = folder(&files);
    let first = gpuguard(folder.path(), &["scan", "--format=json"]);
    let second = gpuguard(folder.path(), &["scan", "--format=json"]);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(json(&first)["summary"]["files"], 200);
}

#[test]
fn a_named_file_in_no_known_language_is_said_to_be_skipped() {
    let folder = folder(&[("notes.txt", b"cuda:1"), ("LICENSE", b"cuda:1")]);
    let run = gpuguard(folder.path(), &["scan", "notes.txt", "LICENSE", "."]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        "no files were scanned: nothing is known about this code\n\
         \u{20} skipped LICENSE: in no language that gpuguard reads\n\
         \u{20} skipped notes.txt: in no language that gpuguard reads\n"
    );
}

#[cfg(unix)]
#[test]
fn what_is_named_and_no_file_cannot_be_scanned() {
    let folder = folder(&[("a.py", b"x = 1\n")]);
    let pipe = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe.py"))
        .status()
        .expect("mkfifo");
    assert!(pipe.success());
    for named in ["pipe.py", "/dev/zero"] {
        let run = gpuguard(folder.path(), &["scan", named]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.contains(named), "{run}");
    }
    // In a folder it is no code.
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout_without_times(),
        "1 file scanned: no problems (… ms)\n"
    );
}

#[cfg(unix)]
#[test]
fn a_named_file_that_may_not_be_read_cannot_be_scanned() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("a.py", b"x = 1\n"), ("b.py", b"x = 1\n")]);
    let file = folder.path().join("a.py");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).expect("a mode");
    if std::fs::read(&file).is_ok() {
        return; // The system's administrator reads everything.
    }
    let run = gpuguard(folder.path(), &["scan", "a.py"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("a.py"), "{run}");
    let run = gpuguard(folder.path(), &["scan"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("skipped a.py"), "{run}");
}

#[test]
fn dynamic_places_are_listed_on_demand_and_decide_nothing() {
    let code = format!(
        "{MASK}import torch\n\
         def run(args, rank, dtype):\n    \
             d = torch.device(args.device)\n    \
             x.to(dtype).to(rank).to(d)\n    \
             return load(f\"cuda:{{rank}}\")\n\
         y = torch.device('cuda:0')\n"
    );
    let folder = folder(&[("a.py", code.as_bytes())]);
    let run = gpuguard(folder.path(), &["scan", "--show-dynamic"]);
    assert_eq!(run.code, 0, "{run}");
    let expected = "  \
                    3 dynamic places: the card is decided at run time, not judged\n    \
                    a.py:6:22: torch.device\n    \
                    a.py:7:20: .to\n    \
                    a.py:8:17: cuda:N\n\
                    1 file scanned: no problems (… ms)\n";
    assert_eq!(run.stdout_without_times(), expected, "{run}");
    let run = gpuguard(
        folder.path(),
        &["scan", "--show-dynamic", "--format", "json"],
    );
    assert_eq!(
        json(&run)["dynamic"][0],
        serde_json::json!({"path": "a.py", "line": 6, "column": 22, "api": "torch.device"})
    );
    let run = gpuguard(folder.path(), &["scan", "--format", "json"]);
    assert!(json(&run).get("dynamic").is_none(), "{run}");
}
