//! `docs/git-support.md`: each kind of repository in its table is made with the real `git`, and
//! each command does there what the table says.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::{Path, PathBuf};

use crate::support::{Run, TestRepo, command, git, program};

/// A repository of some kind: `v1` tagged, one more commit, and something staged. `None` where
/// this Git cannot make one.
type Make = fn() -> Option<Place>;

/// The rows of the table, in its order, and how to make such a repository.
const KINDS: [(&str, Make); 19] = [
    ("a repository as `git init` makes it", || Some(plain(&[]))),
    ("linked working tree", linked),
    ("linked working tree with relative paths", relative),
    ("`--separate-git-dir`", separate),
    ("configuration per working tree", worktree_config),
    ("index version 4", || Some(with_index("4"))),
    ("split index", split),
    ("untracked cache", untracked_cache),
    ("sparse checkout", || sparse("--no-sparse-index")),
    ("sparse index", || sparse("--sparse-index")),
    ("reftable", || init_with("--ref-format=reftable")),
    ("SHA-256 objects", || init_with("--object-format=sha256")),
    ("partial clone", partial),
    ("shallow clone", shallow),
    ("objects borrowed from another repository", borrowed),
    ("filters (clean and smudge, as of Git LFS)", filters),
    ("a required filter that is missing", missing_filter),
    ("line ends and encodings", conversions),
    ("submodule", submodule),
];

/// What is in the cells.
const WORKS: &str = "works";

struct Place {
    repo: TestRepo,
    folder: PathBuf,
}

impl Place {
    fn run(&self, program: &Path, arguments: &[&str]) -> Run {
        command(program, &self.folder, self.repo.home())
            .args(arguments)
            .output()
            .unwrap()
            .into()
    }

    fn try_git(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["-c", "protocol.file.allow=always"];
        all.extend(arguments);
        self.run(&git(), &all)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let run = self.try_git(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run}");
        run.stdout
    }

    fn gpuguard(&self, arguments: &[&str]) -> Run {
        self.run(program(), arguments)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(path)).unwrap_or_default()
    }

    /// What Git says of index and working tree.
    fn status(&self) -> (String, String, String) {
        (
            self.git(&["status", "--porcelain=v1", "-z"]),
            self.git(&["ls-files", "-s", "-v"]),
            self.git(&["diff", "--binary"]),
        )
    }

    /// Two commits, the first with the tag `v1`, and then an edit that is staged.
    fn fill(self) -> Self {
        self.write("a.py", "1\n");
        self.write("d/b.py", "1\n");
        self.write("d/gone.py", "1\n");
        self.commit("one");
        self.git(&["tag", "v1"]);
        self.write("a.py", "2\n");
        self.write("new.py", "2\n");
        self.git(&["rm", "-q", "d/gone.py"]);
        if self.folder.join("far").exists() {
            self.write("far/away.py", "2\n");
        }
        if self.folder.join("sub").exists() {
            let commit = ["commit", "-q", "--allow-empty", "-m", "further"];
            self.git(&[&["-C", "sub"][..], &commit].concat());
        }
        self.commit("two");
        self.staged()
    }

    fn staged(self) -> Self {
        self.write("a.py", "staged\n");
        self.git(&["add", "a.py"]);
        self.write("a.py", "staged, and edited\n");
        self
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--no-verify", "-m", message]);
    }
}

fn empty(init: &[&str]) -> Option<Place> {
    let repo = TestRepo::new();
    let folder = repo.path();
    let place = Place { repo, folder };
    if !init.is_empty() {
        std::fs::remove_dir_all(place.folder.join(".git")).unwrap();
        let mut all = vec!["init", "-q", "--initial-branch=main"];
        all.extend(init);
        if place.try_git(&all).code != 0 {
            return None;
        }
    }
    place.write(
        "gpuguard.toml",
        include_str!("../../src/policy/preset_rtx3090.toml"),
    );
    Some(place)
}

fn plain(init: &[&str]) -> Place {
    empty(init).unwrap().fill()
}

fn init_with(option: &str) -> Option<Place> {
    Some(empty(&[option])?.fill())
}

/// A place beside the first one, made by `git` with arguments that end in its path.
fn beside(first: Place, arguments: &[&str], extra: &[&str]) -> Option<Place> {
    let folder = first.repo.beside("other");
    let mut all = arguments.to_vec();
    all.push(folder.to_str().unwrap());
    all.extend(extra);
    (first.try_git(&all).code == 0).then_some(Place {
        repo: first.repo,
        folder,
    })
}

fn linked() -> Option<Place> {
    let place = beside(plain(&[]), &["worktree", "add", "-q", "-b", "side"], &[]);
    Some(place?.staged())
}

fn relative() -> Option<Place> {
    let arguments = ["worktree", "add", "-q", "--relative-paths", "-b", "side"];
    Some(beside(plain(&[]), &arguments, &[])?.staged())
}

fn separate() -> Option<Place> {
    let place = empty(&[])?;
    std::fs::remove_dir_all(place.folder.join(".git")).unwrap();
    let git_dir = place.repo.beside("git-dir");
    let option = format!("--separate-git-dir={}", git_dir.display());
    place.git(&["init", "-q", "--initial-branch=main", &option]);
    Some(place.fill())
}

fn worktree_config() -> Option<Place> {
    let place = plain(&[]);
    place.git(&["config", "extensions.worktreeConfig", "true"]);
    place.git(&["config", "--worktree", "core.autocrlf", "true"]);
    Some(place)
}

fn with_index(version: &str) -> Place {
    let place = plain(&[]);
    place.git(&["update-index", "--index-version", version]);
    place
}

fn split() -> Option<Place> {
    let place = plain(&[]);
    place.git(&["config", "core.splitIndex", "true"]);
    place.git(&["update-index", "--split-index"]);
    Some(place)
}

fn untracked_cache() -> Option<Place> {
    let place = plain(&[]);
    place.git(&["config", "core.untrackedCache", "true"]);
    place.git(&["update-index", "--force-untracked-cache"]);
    place.git(&["status"]);
    Some(place)
}

fn sparse(index: &str) -> Option<Place> {
    let place = empty(&[])?;
    place.write("far/away.py", "1\n");
    let place = place.fill();
    place.git(&["stash", "-q"]);
    let set = ["sparse-checkout", "set", "--cone", index, "d"];
    if place.try_git(&set).code != 0 {
        return None;
    }
    assert!(!place.folder.join("far").exists());
    Some(place.staged())
}

fn partial() -> Option<Place> {
    let first = plain(&[]);
    first.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", first.folder.display());
    let place = beside(first, &["clone", "-q", "--filter=blob:none", &from], &[])?;
    place.git(&["config", "protocol.file.allow", "always"]);
    Some(place.staged())
}

fn shallow() -> Option<Place> {
    let first = plain(&[]);
    first.git(&["tag", "-f", "v1", "HEAD"]);
    let from = format!("file://{}", first.folder.display());
    let place = beside(first, &["clone", "-q", "--depth=1", &from], &[])?;
    Some(place.staged())
}

fn borrowed() -> Option<Place> {
    let first = plain(&[]);
    let from = first.folder.to_str().unwrap().to_owned();
    Some(beside(first, &["clone", "-q", "--shared", &from], &[])?.staged())
}

fn filters() -> Option<Place> {
    let place = empty(&[])?;
    for (key, value) in [
        ("filter.turn.clean", "tr a-z n-za-m"),
        ("filter.turn.smudge", "tr n-za-m a-z"),
        ("filter.turn.required", "true"),
    ] {
        place.git(&["config", key, value]);
    }
    place.write(".gitattributes", "*.py filter=turn\n");
    Some(place.fill())
}

fn missing_filter() -> Option<Place> {
    let place = filters()?;
    place.git(&["config", "filter.turn.smudge", "no-such-program-anywhere"]);
    Some(place)
}

fn conversions() -> Option<Place> {
    let place = empty(&[])?;
    place.write(
        ".gitattributes",
        "*.py text eol=crlf\nwide.txt text working-tree-encoding=UTF-16LE-BOM\n",
    );
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    place.write("wide.txt", wide("one\n"));
    let place = place.fill();
    place.write("wide.txt", wide("two\n"));
    Some(place)
}

fn submodule() -> Option<Place> {
    let place = empty(&[])?;
    let other = TestRepo::new();
    other.write("inner.py", "1\n");
    other.commit_all("inner");
    let from = other.path();
    place.git(&["submodule", "--quiet", "add", from.to_str().unwrap(), "sub"]);
    Some(place.fill())
}

/// The cells of a row: what is seen of the hook, of backups, of rollbacks.
fn cells(place: &Place) -> [String; 3] {
    [hook(place), backups(place), rollbacks(place)]
}

/// How a refusal is told in the table.
fn refused(place: &Place, before: &(String, String, String), run: &Run) -> String {
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(&place.status(), before, "refused, and yet changed: {run}");
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    "refused, nothing is changed".to_owned()
}

fn hook(place: &Place) -> String {
    let before = place.status();
    let run = place.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(place.status(), before, "the hook changes nothing: {run}");
    if run.code != 0 {
        return refused(place, &before, &run);
    }
    let verify = place.gpuguard(&["backup", "verify", "--all"]);
    assert_eq!(verify.code, 0, "{verify}");
    let shown = place.gpuguard(&["backup", "show", "latest"]).stdout;
    for version in ["before", "staged", "worktree"] {
        let line = shown
            .lines()
            .find(|line| line.contains(version) && line.contains("a.py"));
        assert!(line.is_some(), "{version}: {shown}");
    }
    WORKS.to_owned()
}

fn backups(place: &Place) -> String {
    let content = place.read("a.py");
    let made = place.gpuguard(&["backup", "create", "a.py"]);
    assert_eq!(made.code, 0, "{made}");
    place.write("a.py", "other\n");
    let before = place.status();
    let restored = place.gpuguard(&["backup", "restore", made.stdout.trim(), "a.py"]);
    if restored.code != 0 {
        return refused(place, &before, &restored);
    }
    assert_eq!(place.read("a.py"), content);
    let undone = place.gpuguard(&["rollback", "--undo"]);
    assert_eq!(undone.code, 0, "{undone}");
    assert_eq!(place.read("a.py"), b"other\n");
    let again = place.gpuguard(&["rollback", made.stdout.trim(), "--yes"]);
    assert_eq!(again.code, 0, "{again}");
    assert_eq!(place.read("a.py"), content);
    WORKS.to_owned()
}

fn rollbacks(place: &Place) -> String {
    let before = place.status();
    let run = place.gpuguard(&["rollback", "v1", "--yes"]);
    if run.code != 0 {
        return refused(place, &before, &run);
    }
    for judge in [
        &["diff", "--ignore-submodules", "v1", "--", ".", ":!far"][..],
        &[
            "diff",
            "--ignore-submodules",
            "--cached",
            "v1",
            "--",
            ".",
            ":!far",
        ],
    ] {
        assert_eq!(place.git(judge), "", "{judge:?}: {run}");
    }
    place.git(&["fsck", "--strict", "--connectivity-only"]);
    let undone = place.gpuguard(&["rollback", "--undo"]);
    assert_eq!(undone.code, 0, "{undone}");
    assert_eq!(place.status(), before, "{undone}");
    let left: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.trim_start().starts_with("leave "))
        .collect();
    match &left[..] {
        [] => WORKS.to_owned(),
        lines => {
            let why = |word: &str| lines.iter().any(|line| line.contains(word));
            assert!(why("submodule") || why("sparse"), "{run}");
            if why("submodule") {
                "works; the submodule is left, and named".to_owned()
            } else {
                "works; what is outside is left, and named".to_owned()
            }
        }
    }
}

/// The rows of the table in the documentation.
fn table() -> Vec<(String, Vec<String>)> {
    let page = include_str!("../../docs/git-support.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows = rows.skip_while(|line| !line.contains("hook")).skip(1);
    let rows = rows.take_while(|line| !line.contains("| gpuguard says"));
    rows.map(|line| {
        let mut cells = line
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned());
        (cells.next().unwrap(), cells.collect())
    })
    .collect()
}

#[test]
fn each_kind_of_repository_is_served_as_the_table_says() {
    let table = table();
    let names: Vec<&str> = table.iter().map(|(name, _)| &name[..]).collect();
    let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known);
    let judge = |at: usize| {
        let (name, make) = KINDS[at];
        // A Git that cannot make such a repository has none.
        let place = make()?;
        let seen = cells(&place);
        let says = &table[at].1;
        (says[..] != seen).then(|| format!("{name}: the page says {says:?}, but it is {seen:?}"))
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|first| {
                scope.spawn(move || {
                    let rows = (first..KINDS.len()).step_by(4);
                    rows.filter_map(judge).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason() {
    let bare = || {
        let place = plain(&[]);
        place.git(&["clone", "-q", "--bare", ".", "../bare"]);
        let folder = place.repo.beside("bare");
        Place {
            repo: place.repo,
            folder,
        }
    };
    let merging = |conflict: bool| {
        let place = plain(&[]);
        place.git(&["stash", "-q"]);
        place.git(&["checkout", "-q", "-b", "side", "v1"]);
        place.write("a.py", if conflict { "side\n" } else { "1\n" });
        place.write("side.py", "side\n");
        place.commit("side");
        let merge = ["merge", "-q", "--no-ff", "--no-commit", "main"];
        assert_eq!(place.try_git(&merge).code == 0, !conflict);
        place
    };
    let unknown = || {
        let place = plain(&[]);
        place.git(&["config", "core.repositoryFormatVersion", "1"]);
        place.git(&["config", "extensions.somethingNew", "true"]);
        place
    };
    let cases: [(&str, Place, &str); 5] = [
        ("no working tree", bare(), "has no working tree"),
        (
            "a merge in progress",
            merging(false),
            "a merge is in progress",
        ),
        ("a conflict", merging(true), "merge"),
        (
            "an extension that Git does not know",
            unknown(),
            "somethingnew",
        ),
        (
            "no commit of the name",
            plain(&[]),
            "there is no tag, branch or commit `v9`",
        ),
    ];
    let page = include_str!("../../docs/git-support.md");
    for (name, place, reason) in cases {
        let goal = if name.starts_with("no commit") {
            "v9"
        } else {
            "v1"
        };
        let run = place.gpuguard(&["rollback", goal, "--yes"]);
        assert_eq!(run.code, 2, "{name}: {run}");
        assert!(
            run.stderr.to_lowercase().contains(&reason.to_lowercase()),
            "{name}: {run}"
        );
        assert!(
            page.contains(&format!("| {name} |")),
            "{name} is not on the page"
        );
    }
}
