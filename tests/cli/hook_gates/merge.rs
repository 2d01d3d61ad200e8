//! `pre-merge-commit`: a merge that Git commits by itself.

use super::{HEADER, bad, good, guarded};

#[test]
fn a_clean_merge_is_judged_by_what_neither_side_has() {
    let pair = guarded();
    // Each side alone is right; together the mask is gone and the index is used.
    pair.commit("a.py", "import torch\n", &[]);
    let head = format!("{HEADER}\n\n\n\n\n\n\n\n\nx = 1\n");
    pair.commit("b.py", &head, &[]);
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.commit(
        "b.py",
        head.replace("x = 1", "x = torch.device(\"cuda:0\")"),
        &[],
    );
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("b.py", head.replace(HEADER, "import torch\n"), &[]);
    let before = pair.repo.git(&["rev-parse", "HEAD"]);
    let run = pair.repo.try_git(&["merge", "--no-edit", "side"]);
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("gpuguard: merge refused"), "{run}");
    assert!(run.stderr.contains("git merge --abort"), "{run}");
    assert_eq!(pair.repo.git(&["rev-parse", "HEAD"]), before);
    pair.repo.git(&["merge", "--abort"]);
    assert_eq!(pair.repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_clean_merge_blames_nobody_for_the_other_side() {
    let pair = guarded();
    pair.repo.git(&["checkout", "--quiet", "-b", "side"]);
    pair.slip("side.py", bad());
    pair.repo.git(&["checkout", "--quiet", "main"]);
    pair.commit("main.py", good(), &[]);
    let run = pair.repo.try_git(&["merge", "--no-edit", "side"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("1 old finding"), "{run}");
}
