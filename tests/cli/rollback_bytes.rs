//! Bytes and names: what `gpuguard rollback` writes is what Git writes, in any working tree.

use std::process::Command;

use super::rollback::{assert_tidy, refuses_other_attributes, rollback, rolled_back, tree};
use crate::support::{Run, TestRepo, command, program};

#[test]
fn bytes_are_those_git_writes_for_the_tag_also_where_the_attributes_differ() {
    let repo = TestRepo::new();
    repo.git(&["config", "filter.rot.clean", "tr a-y b-z"]);
    repo.git(&["config", "filter.rot.smudge", "tr b-z a-y"]);
    repo.git(&["config", "filter.rot.required", "true"]);
    repo.write(
        ".gitattributes",
        "*.txt text eol=crlf\n*.rot filter=rot\n*.u16 working-tree-encoding=UTF-16LE\n",
    );
    // Sorts before `.gitattributes`: Git itself would read the attributes of the old tree here.
    repo.write("+a.txt", "one\r\ntwo\r\n");
    repo.write("b.txt", "one\r\n");
    repo.write("c.rot", "abc\n");
    repo.write("d.u16", b"h\0i\0\n\0");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    let expected = tree(&repo.path());
    repo.write(".gitattributes", "*.txt text eol=lf\n");
    for path in ["+a.txt", "b.txt", "c.rot", "d.u16"] {
        repo.write(path, "other\n");
    }
    repo.commit_all("two");
    if refuses_other_attributes(&repo) {
        return;
    }
    let between = tree(&repo.path());
    rolled_back(&repo, &["v1", "--yes"]);
    assert_eq!(tree(&repo.path()), expected);
    assert_eq!(repo.git(&["status", "--porcelain"]).lines().count(), 5);
    assert_eq!(repo.git(&["diff", "v1", "--"]), "");
    rolled_back(&repo, &["--undo"]);
    assert_eq!(tree(&repo.path()), between);
}

#[test]
fn a_failing_filter_is_noticed_before_anything_is_changed() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.rot filter=rot\n");
    repo.write("a.txt", "v1\n");
    repo.write("c.rot", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.txt", "v2\n");
    repo.write("c.rot", "v2\n");
    repo.commit_all("two");
    repo.git(&["config", "filter.rot.smudge", "false"]);
    repo.git(&["config", "filter.rot.required", "true"]);
    let before = tree(&repo.path());
    // Without a clean filter, Git cannot even tell what differs.
    for clean in [None, Some("cat")] {
        if let Some(clean) = clean {
            repo.git(&["config", "filter.rot.clean", clean]);
        }
        let run = rollback(&repo, &["v1", "--yes"]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("nothing was changed"), "{run}");
        assert!(run.stderr.contains("hint:"), "{run}");
        assert_eq!(tree(&repo.path()), before);
        assert_tidy(&repo);
    }
}

#[cfg(unix)]
#[test]
fn odd_names_go_back_and_come_back() {
    use std::os::unix::ffi::OsStrExt;
    let repo = TestRepo::new();
    let names: [&[u8]; 5] = [
        b"new\nline",
        b"caf\xe9",
        b"-dash",
        b"a\"quote",
        "\u{202e}x".as_bytes(),
    ];
    let write = |content: &str| {
        for name in names {
            let path = repo.path().join(std::ffi::OsStr::from_bytes(name));
            std::fs::write(path, content).unwrap();
        }
    };
    write("v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    let first = tree(&repo.path());
    write("v2\n");
    repo.commit_all("two");
    let second = tree(&repo.path());
    let run = rolled_back(&repo, &["v1", "--yes"]);
    assert!(
        run.stdout.contains("caf\\xe9") && run.stdout.contains("new\\nline"),
        "{run}"
    );
    assert_eq!(tree(&repo.path()), first);
    rolled_back(&repo, &["--undo"]);
    assert_eq!(tree(&repo.path()), second);
}

#[test]
fn a_linked_working_tree_has_its_own_index_and_undo() {
    let repo = TestRepo::new();
    repo.write("a.py", "v1\n");
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    repo.write("a.py", "v2\n");
    repo.commit_all("two");
    let linked = repo.beside("linked");
    repo.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "other",
        linked.to_str().unwrap(),
    ]);
    let run = |arguments: &[&str]| -> Run {
        let mut command: Command = command(program(), &linked, repo.home());
        command.args(arguments).output().unwrap().into()
    };
    let done = run(&["rollback", "v1", "--yes"]);
    assert_eq!(done.code, 0, "{done}");
    assert_eq!(std::fs::read(linked.join("a.py")).unwrap(), b"v1\n");
    assert_eq!(repo.read("a.py"), b"v2\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(
        rollback(&repo, &["--undo"]).code,
        2,
        "the main tree has nothing to undo"
    );
    let undone = run(&["rollback", "--undo"]);
    assert_eq!(undone.code, 0, "{undone}");
    assert_eq!(std::fs::read(linked.join("a.py")).unwrap(), b"v2\n");
}
