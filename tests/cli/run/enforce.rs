//! Device files that cannot be opened any more, on real ones.

use std::path::Path;

use crate::support::fake_driver::{ALLOWED_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

use super::{Guarded, guarded, guarded_by};

/// What a kernel that cannot do it is said to be.
const NO_LANDLOCK: &str = "this kernel cannot keep a program from opening files";

/// Real device files that stand for two cards: one that is closed, one that stays open, and the
/// numbers of the first. Loop devices need root.
fn pairs() -> Vec<[&'static str; 3]> {
    let pairs = [
        ["/dev/zero", "/dev/full", "c 1 5"],
        ["/dev/loop0", "/dev/loop1", "b 7 0"],
    ];
    let can_open = |path: &str| std::fs::File::open(path).is_ok();
    let found: Vec<_> = pairs
        .into_iter()
        .filter(|[closed, open, _]| can_open(closed) && can_open(open))
        .collect();
    assert!(!found.is_empty());
    found
}

/// Runs a shell script that cannot open `closed`; `None` where the kernel cannot do that, and
/// says so.
fn enforced(repo: &TestRepo, closed: &str, script: &str) -> Option<Run> {
    let mut command = repo.command(program());
    command
        .args(["__enforce", "--hide", closed, "--", "sh", "-c", script])
        .env("CLOSED", closed);
    let run = Run::from(command.output().unwrap());
    if run.stderr.contains(NO_LANDLOCK) {
        assert_eq!((run.code, &*run.stdout), (2, ""), "{run}");
        assert!(run.stderr.contains("the program was not started"), "{run}");
        return None;
    }
    Some(run)
}

/// Reads a byte at most: an empty device has none.
fn open(path: &str) -> String {
    format!("head -c 1 {path} >/dev/null")
}

/// Whether a script works without being closed anything.
fn works(repo: &TestRepo, script: &str) -> bool {
    let mut command = repo.command("sh");
    command.args(["-c", script]);
    command.output().unwrap().status.success()
}

#[test]
fn a_closed_device_cannot_be_opened_by_the_whole_tree_and_its_neighbour_can() {
    for [closed, other, _] in pairs() {
        let repo = TestRepo::new();
        std::os::unix::fs::symlink(closed, repo.path().join("link")).unwrap();
        for way in [
            open(closed),
            open("link"),
            open(&format!("/proc/self/root{closed}")),
            format!("sh -c '{}'", open(closed)),
            format!("setsid --wait sh -c '{}'", open(closed)),
            format!(": >> {closed}"),
        ] {
            let Some(run) = enforced(&repo, closed, &way) else {
                return;
            };
            assert_ne!(run.code, 0, "{closed}: {way}: {run}");
            assert!(run.stderr.contains("ermission denied"), "{way}: {run}");
        }
        let fine = format!(
            "{} && : > /dev/null && mkdir a b && echo x > a/x && mv a/x b/ && ln b/x a/y && \
             cat a/y && ls / /dev >/dev/null",
            open(other)
        );
        let run = enforced(&repo, closed, &fine).unwrap();
        assert_eq!((run.code, &*run.stdout), (0, "x\n"), "{run}");
    }
}

#[test]
fn no_new_device_file_stands_for_a_closed_one() {
    for [closed, _, numbers] in pairs() {
        let repo = TestRepo::new();
        let way = format!("mknod new {numbers} && {}", open("new"));
        let Some(run) = enforced(&repo, closed, &way) else {
            return;
        };
        assert_ne!(run.code, 0, "{run}");
        assert!(!repo.exists("new"), "{run}");
        // Root can make one: it was not for want of rights that it could not.
        if works(&repo, "test $(id -u) = 0") && works(&repo, &format!("mknod old {numbers}")) {
            assert!(run.stderr.contains("Permission denied"), "{run}");
            let run = enforced(&repo, closed, "mv old older").unwrap();
            assert_ne!(run.code, 0, "{run}");
        }
    }
}

#[test]
fn a_new_user_namespace_is_no_way_out() {
    for [closed, other, _] in pairs() {
        let repo = TestRepo::new();
        repo.write("place", "");
        let inside = |script: &str| {
            format!(
                "unshare --user --map-root-user --mount --propagation unchanged sh -c '{script}'"
            )
        };
        for way in [
            open(closed),
            format!("mount --bind {closed} place && {}", open("place")),
            format!("mount -t devtmpfs none /mnt && {}", open("/mnt/*0")),
        ] {
            let Some(run) = enforced(&repo, closed, &inside(&way)) else {
                return;
            };
            assert_ne!(run.code, 0, "{way}: {run}");
        }
        if works(&repo, &inside(&open(other))) {
            let run = enforced(&repo, closed, &inside(&open(other))).unwrap();
            assert_eq!(run.code, 0, "{run}");
        }
    }
}

#[test]
fn the_exit_code_is_the_programs() {
    let repo = TestRepo::new();
    let Some(run) = enforced(&repo, "/dev/zero", "exit 9") else {
        return;
    };
    assert_eq!(run.code, 9, "{run}");
    let mut command = repo.command(program());
    command
        .args(["__enforce", "--hide", "/dev/zero", "--", "no-such-program"])
        .env("PATH", "/usr/bin:/bin");
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 127, "{run}");
}

#[test]
fn what_is_open_already_or_not_there_is_refused() {
    let repo = TestRepo::new();
    if enforced(&repo, "/dev/zero", "true").is_none() {
        return;
    }
    let refused = |script: &str, words: &str| {
        let mut command = repo.command("sh");
        command.args(["-c", script, "sh"]).arg(program());
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(words), "{run}");
    };
    refused(
        "exec 7</dev/zero; \"$1\" __enforce --hide /dev/zero -- true",
        "`/dev/zero` is open already, by descriptor 7",
    );
    refused(
        "\"$1\" __enforce --hide /nowhere -- true",
        "`/nowhere` cannot be looked at",
    );
    refused(
        "cd /dev; \"$1\" __enforce --hide zero -- true",
        "`zero` cannot be looked at",
    );
}

#[test]
fn a_device_that_is_not_there_cannot_be_closed_and_that_is_said() {
    // The pretended cards have no device files.
    let guarded = guarded();
    let run = guarded.run(&["--enforce"], &["touch", "started"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.starts_with(
            "error: the other cards cannot be closed to the program, and it was not started\n"
        ),
        "{run}"
    );
    let missing = "should be `/dev/nvidia4000`, which does not exist";
    let one_for_all = "WSL2 has one device for all cards";
    let expected = if Path::new("/dev/dxg").exists() {
        one_for_all
    } else {
        missing
    };
    assert!(
        run.stderr.contains(expected) || run.stderr.contains(NO_LANDLOCK),
        "{run}"
    );
    assert!(!guarded.repo.exists("started"));
    // Without a driver there is nothing to close either.
    let run = guarded
        .repo
        .gpuguard(&["run", "--enforce", "--no-watch", "--", "true"]);
    assert_eq!(run.code, 2, "{run}");
}

/// Runs `gpuguard run --enforce` where `/dev` has device files for both pretended cards: in a
/// mount namespace of its own, `/dev/zero` and `/dev/full` stand at their places. `None` where
/// that cannot be made or enforced.
fn with_cards_in_dev(guarded: &Guarded, options: &[&str], script: &str) -> Option<Run> {
    const DEV: &str = r#"
        set -e
        mkdir -p dev
        mount -t tmpfs none dev
        for pair in null:null zero:nvidia4000 zero:other full:nvidia4001; do
            : > "dev/${pair#*:}"
            mount --bind "/dev/${pair%:*}" "dev/${pair#*:}"
        done
        mount --rbind dev /dev
        exec "$@"
    "#;
    let namespace = ["--user", "--map-root-user", "--mount"];
    if !works(
        &guarded.repo,
        "unshare --user --map-root-user --mount mount -t tmpfs none /mnt",
    ) {
        return None;
    }
    let inner = guarded.command(options, &["sh", "-c", script]);
    let mut command = guarded.repo.command("unshare");
    command
        .args(namespace)
        .args(["sh", "-c", DEV, "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(
            inner
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    let run = Run::from(command.output().unwrap());
    if run.stderr.contains(NO_LANDLOCK) {
        assert_eq!(run.code, 2, "{run}");
        return None;
    }
    Some(run)
}

#[test]
fn the_forbidden_cards_file_is_closed_and_the_allowed_ones_is_not() {
    let script = "echo $CUDA_VISIBLE_DEVICES; head -c 1 /dev/nvidia4001 | wc -c; \
                  head -c 1 /dev/nvidia4000; exit 9";
    let Some(run) = with_cards_in_dev(&guarded(), &["--enforce"], script) else {
        return;
    };
    assert_eq!(run.code, 9, "{run}");
    // A number would count the cards that can be opened.
    assert_eq!(run.stdout, format!("{ALLOWED_UUID}\n1\n"), "{run}");
    let refused = "/dev/nvidia4000' for reading: Permission denied";
    assert!(run.stderr.contains(refused), "{run}");
    assert!(
        run.stderr
            .contains("gpuguard: closed to it: /dev/nvidia4000\n"),
        "{run}"
    );
    // Another node of the same device is no way around it.
    let other = "head -c 1 /dev/other";
    let run = with_cards_in_dev(&guarded(), &["--enforce"], other).unwrap();
    assert!(run.stderr.contains("Permission denied"), "{run}");
    let open = with_cards_in_dev(&guarded(), &[], script).unwrap();
    assert_eq!(open.stdout.len(), "1\n1\n".len() + 1, "{open}");
}

#[test]
fn by_number_the_allowed_card_would_be_gone() {
    let uses_cuda = |variables: &str| {
        let probe = program().display();
        format!("{variables} {probe} __probe --end-after 60000 check {ALLOWED_UUID}")
    };
    let Some(run) = with_cards_in_dev(&guarded(), &["--enforce"], &uses_cuda("")) else {
        return;
    };
    assert!(run.stdout.ends_with("\"done\"\n"), "{run}");
    let by_number = uses_cuda("CUDA_VISIBLE_DEVICES=1");
    let run = with_cards_in_dev(&guarded(), &["--enforce"], &by_number).unwrap();
    assert!(
        run.stdout
            .ends_with("{\"failed\":{\"cuda\":{\"code\":100}}}\n"),
        "{run}"
    );
    let run = with_cards_in_dev(&guarded(), &[], &by_number).unwrap();
    assert!(run.stdout.ends_with("\"done\"\n"), "{run}");
}

#[test]
fn what_gpuguard_does_inside_goes_on_working() {
    let gpuguard = program().display();
    let script =
        format!("{gpuguard} gpu check && {gpuguard} run -- echo inside && {gpuguard} doctor card");
    let Some(run) = with_cards_in_dev(&guarded(), &["--enforce"], &script) else {
        return;
    };
    assert!(run.stdout.contains("\ninside\n"), "{run}");
    assert!(
        run.stdout.contains(" here show what the policy allows"),
        "{run}"
    );
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn a_driver_that_then_shows_no_card_at_all_is_seen_before_the_start() {
    let driver = FakeDriver::new().with("CUDA_ALL_OR_NONE", "1");
    let guarded = guarded_by(driver, "every-ms = 50");
    let Some(run) = with_cards_in_dev(&guarded, &["--enforce"], "touch started") else {
        return;
    };
    assert_eq!(run.code, 1, "{run}");
    let words = "with the other cards closed, the allowed one is not seen: ";
    assert!(run.stderr.contains(words), "{run}");
    assert!(!guarded.repo.exists("started"), "{run}");
    let run = with_cards_in_dev(&guarded, &[], "true").unwrap();
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn what_is_closed_is_watched_too() {
    let guarded = guarded();
    let script = "echo \"0 $$ 1\" >> \"$USES\"; while :; do sleep 60; done";
    let Some(run) = with_cards_in_dev(&guarded, &["--enforce"], script) else {
        return;
    };
    assert_eq!(run.code, 97, "{run}");
}
