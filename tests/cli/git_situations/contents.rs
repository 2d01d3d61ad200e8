//! What a commit can hold.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{HEADER, Place, bad, good, in_each_setting};
use crate::support::TestRepo;

#[test]
fn a_renamed_file_brings_in_only_what_is_added() {
    in_each_setting(|place| {
        place.write("old.py", format!("{}{}", bad(), "# same\n".repeat(20)));
        place.slip("old");
        place.git(&["mv", "old.py", "new.py"]);
        place.assert_passes(&["commit", "-m", "moved"]);
        place.git(&["mv", "new.py", "newer.py"]);
        let more = format!(
            "{}{}x = torch.device('cuda:3')\n",
            bad(),
            "# same\n".repeat(20)
        );
        place.stage("newer.py", more);
        place.assert_refused(&["commit", "-m", "x"], &["1 new problem", "newer.py:26"]);
        // What the policy says of paths is said of the new one.
        place.git(&["reset", "--quiet", "--hard"]);
        let policy = std::fs::read_to_string(place.folder.join("gpuguard.toml")).unwrap();
        place.write(
            "gpuguard.toml",
            policy.replace("exclude = []", "exclude = [\"attic/\"]"),
        );
        place.write("attic/a.py", bad());
        place.slip("attic");
        place.git(&["mv", "attic/a.py", "a.py"]);
        place.assert_refused(&["commit", "-m", "x"], &["a.py:5"]);
    });
}

#[test]
fn deleted_files_are_saved_and_not_judged() {
    in_each_setting(|place| {
        place.write("a.py", bad());
        place.slip("bad");
        place.git(&["rm", "--quiet", "a.py"]);
        let run = place.assert_passes(&["commit", "-m", "x"]);
        assert!(run.stderr.contains("nothing to judge"), "{run}");
        let saved = place.gpuguard(&["backup", "show", "latest"]);
        assert!(saved.stdout.contains("a.py"), "{saved}");
    });
}

#[test]
fn links_and_modes_are_told_from_content() {
    in_each_setting(|place| {
        place.write("a.py", bad());
        place.slip("bad");
        std::fs::set_permissions(place.folder.join("a.py"), PermissionsExt::from_mode(0o755))
            .unwrap();
        place.assert_passes(&["commit", "-am", "executable"]);
        // A link's target is a name, whatever it says; it is never followed.
        std::fs::remove_file(place.folder.join("a.py")).unwrap();
        symlink("torch.device('cuda:1')", place.folder.join("a.py")).unwrap();
        symlink(place.repo.beside("outside.py"), place.folder.join("b.py")).unwrap();
        std::fs::write(place.repo.beside("outside.py"), bad()).unwrap();
        place.git(&["add", "--all"]);
        place.assert_passes(&["commit", "-m", "links"]);
        std::fs::remove_file(place.folder.join("a.py")).unwrap();
        place.stage("a.py", bad());
        place.assert_refused(&["commit", "-m", "a file again"], &["a.py:5"]);
        // A file where a folder was, and the other way round.
        place.git(&["reset", "--quiet", "--hard"]);
        place.git(&["rm", "--quiet", "a.py"]);
        place.stage("a.py/b.py", good());
        place.assert_passes(&["commit", "-m", "a folder"]);
        place.git(&["rm", "--quiet", "-r", "a.py"]);
        place.stage("a.py", bad());
        place.assert_refused(&["commit", "-m", "a file again"], &["a.py:5"]);
    });
}

#[test]
fn a_submodule_is_one_id_and_has_gates_of_its_own() {
    in_each_setting(|place| {
        let inner = TestRepo::new();
        inner.write("a.py", bad());
        inner.commit_all("inner");
        let from = inner.path();
        place.git_with_tools(&["submodule", "--quiet", "add", from.to_str().unwrap(), "sub"]);
        place.assert_passes(&["commit", "-m", "sub"]);
        let empty = [
            "commit",
            "--quiet",
            "--no-verify",
            "--allow-empty",
            "-m",
            "further",
        ];
        place.git(&[&["-C", "sub"][..], &empty].concat());
        place.git(&["add", "sub"]);
        place.stage("b.py", bad());
        place.assert_refused(&["commit", "-m", "x"], &["b.py:5"]);
        place.stage("b.py", good());
        place.assert_passes(&["commit", "-m", "x"]);
        // Inside, the index lies elsewhere.
        let hooks = place.git(&[
            "-C",
            "sub",
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "hooks",
        ]);
        place.wire(hooks.trim().as_ref());
        let policy = std::fs::read(place.folder.join("gpuguard.toml")).unwrap();
        place.write("sub/gpuguard.toml", policy);
        place.write("sub/c.py", bad());
        place.git(&["-C", "sub", "add", "--all"]);
        let run = place.try_git(&["-C", "sub", "commit", "-m", "x"]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("c.py:5"), "{run}");
        assert_eq!(place.seen(), ["1"]);
    });
}

#[test]
fn pointers_binaries_and_huge_files_are_named_and_not_read() {
    in_each_setting(|place| {
        let policy = std::fs::read_to_string(place.folder.join("gpuguard.toml")).unwrap();
        place.write(
            "gpuguard.toml",
            policy.replace("max-file-mib = 16", "max-file-mib = 1"),
        );
        place.write(
            "pointer.py",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        );
        place.write("binary.py", b"torch.device('cuda:1')\0\0");
        place.write("huge.py", format!("{}{}", bad(), "# x\n".repeat(300_000)));
        place.git(&["add", "--all"]);
        let run = place.assert_passes(&["commit", "-m", "x"]);
        for part in ["pointer.py", "LFS", "binary.py", "huge.py", "too large"] {
            assert!(run.stderr.contains(part), "no {part:?} in {run}");
        }
    });
}

#[test]
fn line_ends_and_encodings_are_those_of_the_commit() {
    in_each_setting(|place| {
        place.write(
            ".gitattributes",
            "crlf.py text eol=crlf\nraw.py -text\nwide.py text working-tree-encoding=UTF-16LE-BOM\n\
             plain.ps1 -text\n",
        );
        place.slip("attributes");
        let wide = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe].into_iter().chain(units).collect()
        };
        let crlf = bad().replace('\n', "\r\n");
        place.stage("crlf.py", &crlf);
        place.stage("raw.py", &crlf);
        place.stage("wide.py", wide(&bad()));
        // As PowerShell writes files: UTF-16 without an attribute that says so.
        place.stage("plain.ps1", wide("$env:CUDA_VISIBLE_DEVICES = '0'\r\n"));
        place.assert_refused(
            &["commit", "-m", "x"],
            &[
                "5 new problems in 4 files",
                "crlf.py:5:23",
                "raw.py:5:23",
                "wide.py:5:23",
                "plain.ps1:1",
            ],
        );
    });
}

#[test]
fn names_of_any_bytes_are_judged_and_shown_safely() {
    in_each_setting(|place| {
        for name in [
            "a\tb.py",
            "a\nb.py",
            "a\"b.py",
            "caf\u{e9}.py",
            " a.py",
            "-a.py",
            ":(top)a.py",
            "a\\b.py",
        ] {
            place.write(name, bad());
        }
        let raw = OsStr::from_bytes(b"caf\xe9\x1b[31m.py");
        std::fs::write(place.folder.join(raw), bad()).unwrap();
        place.git(&["add", "--all"]);
        let run = place.assert_refused(
            &["commit", "-m", "x"],
            &[
                "9 new problems in 9 files",
                "a\\tb.py:5",
                "a\\nb.py:5",
                "caf\u{e9}.py:5",
                "caf\\xe9\\u{1b}[31m.py:5",
            ],
        );
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
        let verify = place.gpuguard(&["backup", "verify", "--all"]);
        assert_eq!(verify.code, 0, "{verify}");
    });
}

#[test]
fn the_users_configuration_changes_no_verdict() {
    in_each_setting(|place| {
        place.write("old.py", format!("{HEADER}a = 1\n"));
        place.write("same.py", bad());
        place.slip("old");
        place.git(&["mv", "same.py", "moved.py"]);
        place.stage("old.py", format!("{HEADER}a = torch.device('cuda:1')\n"));
        let run = place.assert_refused(
            &["commit", "-m", "x"],
            &["1 new problem in 1 file", "old.py:5:18"],
        );
        assert!(!run.stderr.contains("moved.py:"), "{run}");
        let staged = place.gpuguard(&["scan", "--staged"]);
        assert_eq!(staged.code, 1, "{staged}");
        place.slip("bad");
        let range = place.gpuguard(&["scan", "--range", "HEAD~1..HEAD"]);
        assert_eq!(range.code, 1, "{range}");
        let counts = |text: &str| text.lines().last().unwrap_or_default().to_owned();
        assert_eq!(
            counts(&staged.stdout).split(" in ").next(),
            counts(&range.stdout).split(" in ").next()
        );
    });
}

/// Not a situation of its own: the harness sees what it is for.
#[test]
#[should_panic(expected = "gpuguard changed something")]
fn a_hook_that_changes_something_is_seen() {
    let place = Place::new(super::Setting::Plain, &[]);
    let hook = place.folder.join(".git/hooks/pre-commit");
    let script = std::fs::read_to_string(&hook).unwrap();
    super::executable(
        &hook,
        &script.replace("code=$?", "code=$?; echo more >>a.py"),
    );
    place.stage("a.py", good());
    place.assert_passes(&["commit", "-m", "x"]);
}
