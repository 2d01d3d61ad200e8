//! What goes past the hook: for this shell, and always.

use crate::git::Repository;
use crate::gpu::Diagnosis;
use crate::hook::{Named, unchecked, unchecked_in_words};
use crate::sys::environment;

/// Variables of this shell by which the hook passes everything.
pub(super) fn switched_off_here() -> Vec<Diagnosis> {
    let mut found = Vec::new();
    if environment::text("GPUGUARD").is_some_and(|value| value == "0") {
        found.push(Diagnosis::wrong(
            "GPUGUARD=0 is set here: nothing that is committed from this shell is judged",
            "`unset GPUGUARD`",
        ));
    }
    let skip = environment::text("SKIP").unwrap_or_default();
    if skip.split(',').any(|name| name.trim() == "gpuguard") {
        found.push(Diagnosis::wrong(
            format!("SKIP={skip} is set here: nothing that is committed from this shell is judged"),
            "take gpuguard out of SKIP",
        ));
    }
    found
}

/// What goes past the hook of a commit, however well it is wired, and what then stops it.
pub(super) fn bypasses(wired: &[&str]) -> Diagnosis {
    let mut ways = vec![
        "`git commit --no-verify`",
        "GPUGUARD=0",
        "SKIP=gpuguard",
        "`git commit-tree` and other plumbing",
        "rebase",
        "cherry-pick",
        "revert",
        "`git am`",
    ];
    if !wired.contains(&"pre-merge-commit") {
        ways.push("merges without a conflict");
    }
    let cure = "`gpuguard scan --range origin/main...HEAD` in CI judges what came in so";
    let cure = if wired.contains(&"pre-push") {
        format!("the hook of a push judges what came in so; {cure} too")
    } else {
        cure.to_owned()
    };
    Diagnosis::note(
        format!("these go past the hook of a commit: {}", ways.join(", ")),
        Some(&cure),
    )
}

/// What goes past the hook of a push where pushes are received.
pub(super) fn bypasses_of_a_server() -> Diagnosis {
    Diagnosis::note(
        "these go past the hook of a push: `git fetch` and `git update-ref` in the repository \
         itself, and for those who push through the file system GPUGUARD=0 and SKIP=gpuguard",
        None,
    )
}

/// What has gone past it already, as post-commit noted.
pub(super) fn gone_past(repository: &Repository) -> Option<Diagnosis> {
    let words = unchecked_in_words(repository, &unchecked(repository), Named::Few)?;
    Some(Diagnosis::note(
        words,
        Some("`gpuguard scan .` judges what they left; the hook of a push judges them"),
    ))
}

#[cfg(test)]
mod tests {
    use super::bypasses;

    #[test]
    fn further_gates_leave_less_to_go_past() {
        let alone = bypasses(&["pre-commit"]);
        assert!(alone.found.contains("merges without a conflict"));
        let more = bypasses(&["pre-commit", "pre-merge-commit", "pre-push"]);
        assert!(!more.found.contains("merges without a conflict"));
        assert!(more.cure.unwrap().starts_with("the hook of a push"));
    }
}
