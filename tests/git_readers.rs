//! gix and the `git` program must tell the same about every repository.

use gpuguard::git::{GitError, RepoPath, Repository, StagedChange};

use crate::support::TestRepo;

/// Names that sort oddly around `/`.
const NAMES: [&str; 10] = [
    "a", "a.b", "a-b", "a0", "b/a", "b/c/d", "b.c", "é/x", "z y", "b-c/q",
];

/// What one of the readers says, without what only gix knows (the file times).
fn told(repository: &Repository) -> Result<Vec<StagedChange>, String> {
    match repository.staged_changes() {
        Ok(changes) => Ok(changes
            .into_iter()
            .map(|change| StagedChange {
                worktree_is_staged: false,
                ..change
            })
            .collect()),
        Err(GitError::Unmerged { path }) => Err(path),
        Err(error) => panic!("{error}"),
    }
}

fn assert_same(repo: &TestRepo, context: &str) -> Vec<StagedChange> {
    let index_before = std::fs::read(repo.path().join(".git/index")).ok();
    let with_gix = Repository::discover(&repo.path()).unwrap();
    assert!(
        !with_gix.reads_with_program(),
        "{context}: gix refused the repository"
    );
    let with_program = Repository::discover_with_program(&repo.path()).unwrap();
    assert_eq!(
        with_gix.worktree().unwrap(),
        with_program.worktree().unwrap()
    );
    assert_eq!(with_gix.git_dir(), with_program.git_dir());
    assert_eq!(with_gix.common_dir(), with_program.common_dir());
    assert_eq!(with_gix.index_path(), with_program.index_path());
    assert_eq!(with_gix.head().unwrap(), with_program.head().unwrap());
    let told_by_gix = told(&with_gix);
    assert_eq!(told_by_gix, told(&with_program), "{context}");
    assert_eq!(
        std::fs::read(repo.path().join(".git/index")).ok(),
        index_before
    );
    let changes = told_by_gix.unwrap_or_default();
    for name in NAMES {
        let path = RepoPath::new(name);
        assert_eq!(
            with_gix.staged_entry(&path).unwrap(),
            with_program.staged_entry(&path).unwrap(),
            "{context}: {name}"
        );
    }
    let ids: Vec<_> = changes
        .iter()
        .flat_map(|change| [change.before, change.staged])
        .flatten()
        .map(|(_, id)| id)
        .collect();
    assert_eq!(
        with_gix.blobs(&ids, 20).unwrap(),
        with_program.blobs(&ids, 20).unwrap(),
        "{context}"
    );
    changes
}

/// What index and working tree have against a commit, and what the index says, as both tell it.
fn assert_same_comparison(repo: &TestRepo, context: &str) -> usize {
    let with_gix = Repository::discover(&repo.path()).unwrap();
    let with_program = Repository::discover_with_program(&repo.path()).unwrap();
    let index = with_gix.index_path();
    let listing = with_gix.index_listing(index).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&listing),
        String::from_utf8_lossy(&with_program.index_listing(index).unwrap()),
        "{context}"
    );
    let paths = NAMES.iter().map(|name| RepoPath::new(*name)).collect();
    assert_eq!(
        with_gix.index_blobs(index, &paths).unwrap(),
        with_program.index_blobs(index, &paths).unwrap(),
        "{context}"
    );
    let Some(commit) = with_gix.commit_named("v1").unwrap() else {
        return 0;
    };
    let (one, other) = (
        with_gix.compare(commit).unwrap(),
        with_program.compare(commit).unwrap(),
    );
    assert_eq!(one.differences, other.differences, "{context}");
    assert_eq!(one.entries, other.entries, "{context}");
    one.differences.len()
}

/// Random trees, commits and stagings: names that sort oddly around `/`, folders that become
/// files and back, exec bits, links, intent to add, deletions.
#[test]
fn both_readers_agree_on_random_repositories() {
    let (mut staged, mut different) = (0, 0);
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let repo = TestRepo::new();
        assert_same(&repo, "empty");
        for step in 0..14 {
            let name = NAMES[random.usize(..NAMES.len())];
            let path = repo.path().join(name);
            let in_the_way = path.ancestors().skip(1).take_while(|p| *p != repo.path());
            for parent in in_the_way.collect::<Vec<_>>() {
                if parent.is_file() || parent.is_symlink() {
                    std::fs::remove_file(parent).unwrap();
                }
            }
            if path.is_dir() && !path.is_symlink() {
                std::fs::remove_dir_all(&path).unwrap();
            }
            match random.u8(..6) {
                0 => drop(std::fs::remove_file(&path)),
                #[cfg(unix)]
                1 => {
                    let _ = std::fs::remove_file(&path);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::os::unix::fs::symlink("target", &path).unwrap();
                }
                _ => {
                    let _ = std::fs::remove_file(&path);
                    repo.write(name, format!("{}\n", "x".repeat(random.usize(..40))));
                }
            }
            match random.u8(..9) {
                0 => repo.commit_all("step"),
                7 => drop(repo.try_git(&["update-index", "--skip-worktree", "--", name])),
                8 => drop(repo.try_git(&["update-index", "--assume-unchanged", "--", name])),
                1 => drop(repo.try_git(&["add", "--intent-to-add", "--", name])),
                2 => drop(repo.try_git(&["update-index", "--chmod=+x", "--", name])),
                3 => drop(repo.try_git(&["rm", "--cached", "--quiet", "-r", "--", name])),
                _ => drop(repo.git(&["add", "--all"])),
            }
            if step == 4 {
                repo.try_git(&["tag", "v1"]);
            }
            let context = format!("seed {seed}, step {step}");
            staged += assert_same(&repo, &context).len();
            different += assert_same_comparison(&repo, &context);
        }
    }
    assert!(different > 100, "too little differs: {different}");
    assert!(
        staged > 100,
        "the random repositories stage too little: {staged}"
    );
}

/// Git writes a size of 0 into an entry whose file was edited so soon that its time tells nothing:
/// an empty file must not pass for it.
#[test]
fn both_readers_distrust_an_entry_that_git_has_marked() {
    use std::time::{Duration, SystemTime};
    let repo = TestRepo::new();
    repo.git(&["config", "core.trustctime", "false"]);
    let late = SystemTime::UNIX_EPOCH + Duration::from_hours(600_000);
    let set_time = |path: &str, time: SystemTime| {
        let file = std::fs::File::options();
        let file = file.clone().append(true).open(repo.path().join(path));
        file.unwrap().set_modified(time).unwrap();
    };
    let write = |content: &str| {
        repo.write("a", content);
        set_time("a", late);
    };
    write("1\n");
    repo.commit_all("base");
    repo.git(&["tag", "v1"]);
    write("2\n");
    repo.write("b", "other\n");
    repo.git(&["add", "b"]);
    write("");
    set_time(".git/index", late + Duration::from_hours(1));
    let entry = repo.git(&["ls-files", "--debug", "a"]);
    assert!(entry.contains("size: 0"), "{entry}");
    assert_eq!(assert_same_comparison(&repo, "a marked entry"), 2);
}

#[cfg(unix)]
#[test]
fn both_readers_see_that_a_folder_became_a_link() {
    let repo = TestRepo::new();
    repo.write("b/c/d", "1\n");
    repo.commit_all("base");
    repo.git(&["tag", "v1"]);
    std::fs::rename(repo.path().join("b"), repo.beside("elsewhere")).unwrap();
    std::os::unix::fs::symlink(repo.beside("elsewhere"), repo.path().join("b")).unwrap();
    assert_eq!(assert_same_comparison(&repo, "a linked folder"), 1);
}

#[test]
fn both_readers_refuse_a_conflict_by_its_name() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a.py", "2\n");
    repo.commit_all("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a.py", "3\n");
    repo.commit_all("main");
    assert_ne!(repo.try_git(&["merge", "side"]).code, 0);
    assert_same(&repo, "conflict");
    repo.git(&["tag", "v1"]);
    let commit = Repository::discover(&repo.path()).unwrap();
    let commit = commit.commit_named("v1").unwrap().unwrap();
    for open in [Repository::discover, Repository::discover_with_program] {
        let refused = open(&repo.path()).unwrap().compare(commit);
        assert!(matches!(refused, Err(GitError::Unmerged { path }) if path == "a.py"));
    }
    let repository = Repository::discover(&repo.path()).unwrap();
    assert!(
        matches!(repository.staged_changes(), Err(GitError::Unmerged { path }) if path == "a.py")
    );
    assert_eq!(repository.merge_heads().len(), 1);
}

#[test]
fn repositories_gix_cannot_read_for_certain_are_read_through_git() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("base");
    repo.write("a.py", "2\n");
    repo.git(&["add", "--all"]);
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.partialClone", "origin"]);
    let repository = Repository::discover(&repo.path()).unwrap();
    assert!(repository.reads_with_program());
    assert_eq!(repository.staged_changes().unwrap().len(), 1);

    for (format, value) in [("--object-format", "sha256"), ("--ref-format", "reftable")] {
        let repo = TestRepo::new();
        let other = repo.beside("other");
        let created = repo.try_git(&[
            "init".to_owned(),
            "--quiet".to_owned(),
            format!("{format}={value}"),
            other.to_string_lossy().into_owned(),
        ]);
        if created.code != 0 {
            // A `git` without this format has no such repositories.
            continue;
        }
        std::fs::write(other.join("a.py"), "1\n").unwrap();
        repo.git(&["-C", other.to_str().unwrap(), "add", "a.py"]);
        let repository = Repository::discover(&other).unwrap();
        let changes = repository.staged_changes().unwrap();
        assert_eq!(changes.len(), 1, "{value}");
        assert_eq!(
            told(&Repository::discover_with_program(&other).unwrap())
                .unwrap()
                .len(),
            1
        );
    }
}
