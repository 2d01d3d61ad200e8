//! `GIT_INDEX_FILE`, by which Git names the index to its hooks: relative to the root of the working
//! tree, wherever the hook goes.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{TestRepo, program_in_sh};

const BAD: &str = "import torch\nd = torch.device(\"cuda:1\")\n";

#[test]
fn a_hook_that_goes_to_a_folder_below_judges_what_git_commits() {
    // A place for objects makes the `git` program read them.
    for before in ["", "export GIT_OBJECT_DIRECTORY=\"$PWD/.git/objects\"\n"] {
        let repo = TestRepo::with_policy();
        std::fs::create_dir(repo.path().join("sub")).unwrap();
        let hook = repo.path().join(".git/hooks/pre-commit");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        let script = format!(
            "#!/bin/sh\n{before}cd sub || exit 0\nexec {} hook run pre-commit\n",
            program_in_sh()
        );
        std::fs::write(&hook, script).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        repo.write("b.py", BAD);
        repo.git(&["add", "b.py"]);
        let run = repo.try_git(&["commit", "--quiet", "-m", "bad"]);
        assert_eq!(run.code, 1, "{before}: {run}");
        assert!(run.stderr.contains("b.py:2"), "{before}: {run}");
        assert!(!run.stderr.contains("weakened"), "{before}: {run}");
    }
}

#[test]
fn an_index_that_is_not_there_is_no_empty_one() {
    let repo = TestRepo::with_policy();
    for name in ["nowhere", "/nowhere/index"] {
        let run: crate::support::Run = repo
            .command(crate::support::program())
            .args(["hook", "run", "pre-commit"])
            .env("GIT_INDEX_FILE", name)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("there is no index"), "{run}");
    }
    // The first commit of all may be without one.
    let new = TestRepo::new();
    new.write(
        "gpuguard.toml",
        include_str!("../../src/policy/preset_rtx3090.toml"),
    );
    let run: crate::support::Run = new
        .command(crate::support::program())
        .args(["hook", "run", "pre-commit"])
        .env("GIT_INDEX_FILE", "nowhere")
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 0, "{run}");
}
