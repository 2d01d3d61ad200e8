//! `gpuguard backup create`: what is saved of what was asked for, and what is said of the rest.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use super::backup::{archive, backup, created, members};
use crate::support::{Run, TestRepo, program};

/// The names that an archive saves, in its order.
fn saved(repo: &TestRepo, id: &str) -> Vec<String> {
    members(repo, id)
        .into_iter()
        .filter_map(|(name, _)| name.strip_prefix("worktree/").map(str::to_owned))
        .collect()
}

#[cfg(unix)]
fn pipe(repo: &TestRepo, path: &str) {
    let made = repo.command("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn what_git_tracks_is_saved_though_a_rule_would_ignore_it() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.log\nbuild/\n");
    repo.write("z.log", "tracked\n");
    repo.write("pkg/build/x.py", "tracked\n");
    repo.write("pkg/gone.log", "tracked\n");
    repo.git(&["add", "--force", "."]);
    repo.git(&["commit", "--quiet", "-m", "one"]);
    std::fs::remove_file(repo.path().join("pkg/gone.log")).unwrap();
    repo.write("other.log", "ignored\n");
    repo.write("build/y.py", "ignored\n");
    let id = created(&repo, &[]);
    assert_eq!(saved(&repo, &id), [".gitignore", "pkg/build/x.py", "z.log"]);
    let id = created(&repo, &["pkg"]);
    assert_eq!(saved(&repo, &id), ["pkg/build/x.py"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_named_and_left_out() {
    let repo = TestRepo::new();
    repo.write("d/x.py", "x");
    pipe(&repo, "d/pipe");
    let run = backup(&repo, &["create", "d"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("skipped `d/pipe`: not a file"), "{run}");
    assert_eq!(saved(&repo, run.stdout.trim()), ["d/x.py"]);
}

#[test]
fn a_list_may_begin_with_the_mark_of_utf_8() {
    let repo = TestRepo::new();
    repo.write("a/x.py", "x");
    repo.write("list.txt", "\u{feff}a/x.py\r\n");
    let id = created(&repo, &["--paths-from", "list.txt"]);
    assert_eq!(saved(&repo, &id), ["a/x.py"]);
}

#[cfg(unix)]
#[test]
fn one_path_that_cannot_be_saved_does_not_keep_the_others_from_it() {
    let repo = TestRepo::new();
    repo.write("good.py", "x");
    pipe(&repo, "pipe");
    let long = "n".repeat(300);
    let list = format!("good.py\npipe\n../outside\n.git/config\n{long}\ngone.py\n");
    repo.write("list.txt", list);
    let run = backup(&repo, &["create", "--paths-from", "list.txt"]);
    assert_eq!(run.code, 1, "{run}");
    for told in [
        "not saved: `pipe`: it is not a file",
        "not saved: `../outside`: it is not in this working tree",
        "not saved: `.git/config`",
        &format!("not saved: `{long}`"),
        "not found: `gone.py`",
        "1 saved, 1 not found, 4 not saved, 6 in all",
    ] {
        assert!(run.stderr.contains(told), "{told}: {run}");
    }
    assert_eq!(saved(&repo, run.stdout.trim()), ["good.py"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_be_read_is_named_and_the_others_are_saved() {
    use std::os::unix::fs::PermissionsExt;

    use crate::support::{Run, program};
    let repo = TestRepo::new();
    repo.write("d/good.py", "x");
    repo.write("d/secret.py", "x");
    let secret = repo.path().join("d/secret.py");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    let mut create = repo.command(program());
    if std::fs::read(&secret).is_ok() {
        // Root reads everything, unless that right is taken from it.
        create = repo.command("setpriv");
        create
            .arg("--bounding-set=-dac_override,-dac_read_search")
            .arg(program());
    }
    let run = Run::from(create.args(["backup", "create", "d"]).output().unwrap());
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("not saved: `d/secret.py`"), "{run}");
    assert_eq!(saved(&repo, run.stdout.trim()), ["d/good.py"]);
}

/// The temporaries in the store.
fn temporaries(repo: &TestRepo) -> Vec<String> {
    let folder = repo.path().join(".git/gpuguard/backups");
    let Ok(names) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    names
        .map(|name| name.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("tmp"))
        .collect()
}

/// A program that does not outlive the test.
#[cfg(unix)]
struct Busy(std::process::Child);

#[cfg(unix)]
impl Busy {
    /// A `backup create` in the background.
    fn create(repo: &TestRepo, path: &str) -> Self {
        let mut command = repo.command(program());
        command.args(["backup", "create", path]);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// SIGKILL, and its end awaited.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
impl Drop for Busy {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A `backup create` that writes its archive and will not be done for minutes.
#[cfg(unix)]
fn busy(repo: &TestRepo) -> Busy {
    // Zeros that take no room on the disk, but their time to be read.
    let huge = std::fs::File::create(repo.path().join("huge.bin")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let before = temporaries(repo).len();
    let mut busy = Busy::create(repo, "huge.bin");
    while temporaries(repo).len() == before {
        assert!(busy.0.try_wait().unwrap().is_none(), "it ended early");
        std::thread::yield_now();
    }
    busy
}

#[test]
fn however_many_threads_there_are_the_archive_is_the_same() {
    let repo = TestRepo::new();
    let mut random = fastrand::Rng::with_seed(11);
    for number in 0..150 {
        let line = format!("x = {}\n", random.u32(..));
        repo.write(&format!("src/{}/{number}.py", number % 7), line.repeat(200));
    }
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(5 << 20)
        .collect();
    repo.write("large.bin", &noise);
    repo.write("zeros.bin", vec![0; 3 << 20]);
    let made = |threads: &str| {
        let run: Run = repo
            .command(program())
            .args(["backup", "create", "."])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, 0, "{run}");
        let id = run.stdout.trim_end();
        assert_eq!(backup(&repo, &["verify", id]).code, 0);
        let bytes = std::fs::read(archive(&repo, id)).unwrap();
        let folder = repo.path().join(".git/gpuguard");
        std::fs::rename(folder, repo.beside(threads)).unwrap();
        let manifest = bytes.windows(13).position(|name| name == b"manifest.json");
        // Its header holds its sum: it begins 30 bytes before the name.
        bytes[..manifest.unwrap() - 30].to_vec()
    };
    let one = made("1");
    assert!(
        one.len() > noise.len() && one.len() < noise.len() + 500_000,
        "{}",
        one.len()
    );
    assert!(made("5") == one);
}

#[cfg(unix)]
#[test]
fn a_killed_backup_leaves_nothing_that_stays() {
    let repo = TestRepo::new();
    repo.write("a.py", "x");
    let first = created(&repo, &["a.py"]);
    let mut child = busy(&repo);
    let second = created(&repo, &["a.py"]);
    assert_eq!(
        temporaries(&repo).len(),
        1,
        "another run's file is left alone while that runs"
    );
    child.kill();
    let run = backup(&repo, &["list"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run}");
    assert_eq!(run.stderr, "", "{run}");
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("2 whole, 0 damaged, 2 in all"), "{run}");
    let third = created(&repo, &["a.py"]);
    assert_eq!(temporaries(&repo), [""; 0]);
    for id in [first, second, third] {
        assert_eq!(backup(&repo, &["verify", &id]).code, 0);
    }
}

#[cfg(unix)]
#[test]
fn a_backup_killed_at_any_moment_is_whole_or_not_there() {
    let repo = TestRepo::new();
    repo.write("a.py", "x".repeat(100_000));
    let folder = repo.path().join(".git/gpuguard/backups");
    std::fs::create_dir_all(&folder).unwrap();
    let names = || std::fs::read_dir(&folder).unwrap().count();
    for round in 0..40 {
        // What is saved already would only be referred to.
        repo.write("a.py", round.to_string().repeat(100_000));
        let before = names();
        let mut child = Busy::create(&repo, "a.py");
        // Until the first, second or third change in the store, or its end.
        for _ in 0..=round % 3 {
            let now = names();
            while now == names() && names() < before + 2 && child.0.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
        }
        child.kill();
        let run = backup(&repo, &["verify", "--all"]);
        assert_eq!(run.code, 0, "round {round}: {run}");
    }
    repo.write("a.py", "the last");
    created(&repo, &["a.py"]);
    let archives = backup(&repo, &["list"]).stdout.lines().count();
    assert_eq!(names(), 2 * archives, "archives and their sums, no more");
}

#[test]
fn a_sum_whose_archive_never_came_is_no_damage_and_goes_with_the_temporary() {
    let repo = TestRepo::new();
    repo.write("a.py", "x");
    created(&repo, &["a.py"]);
    let folder = repo.path().join(".git/gpuguard/backups");
    let id = "20260101T000000Z-0a1b2c3d";
    let sum = folder.join(format!("{id}.zip.sha256"));
    std::fs::write(&sum, format!("{}  {id}.zip\n", "0".repeat(64))).unwrap();
    std::fs::write(folder.join(format!(".gpuguard-{id}-Xx1Yy2.tmp")), "half").unwrap();
    let run = backup(&repo, &["verify", "--all"]);
    assert_eq!(run.code, 0, "{run}");
    created(&repo, &["a.py"]);
    assert!(!sum.exists());
    assert_eq!(temporaries(&repo), [""; 0]);
}

#[cfg(not(windows))]
#[test]
fn a_colon_and_a_backslash_are_letters_where_they_are() {
    let repo = TestRepo::new();
    for name in ["a:b", "c\\d", "e\\..\\f"] {
        repo.write(name, name);
    }
    repo.commit_all("one");
    repo.git(&["tag", "v1"]);
    let id = created(&repo, &[]);
    assert_eq!(saved(&repo, &id), ["a%3Ab", "c%5Cd", "e%5C..%5Cf"]);
    for back in [
        &["backup", "restore", &id][..],
        &["rollback", "v1", "--yes"],
    ] {
        repo.write("a:b", "changed");
        std::fs::remove_file(repo.path().join("c\\d")).unwrap();
        let run = repo.gpuguard(back);
        assert_eq!(run.code, 0, "{back:?}: {run}");
        assert_eq!(repo.read("a:b"), b"a:b", "{back:?}");
        assert_eq!(repo.read("c\\d"), b"c\\d", "{back:?}");
    }
}
