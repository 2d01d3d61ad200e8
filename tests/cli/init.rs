//! `gpuguard init`: the policy it writes, the tag it makes, and that it does neither by halves.

use crate::support::TestRepo;
#[cfg(target_os = "linux")]
use crate::support::{Run, fake_driver::FakeDriver, program};

const PRESET: &str = include_str!("../../src/policy/preset_rtx3090.toml");

#[test]
fn the_preset_is_written_once_and_is_valid() {
    let repo = TestRepo::new();
    let run = repo.gpuguard(&["init", "--preset", "rtx3090"]);
    assert_eq!(run.code, 0, "{run}");
    let written = repo.read("gpuguard.toml");
    assert_eq!(written, PRESET.as_bytes());
    repo.write("a.py", "print(1)\n");
    assert_eq!(repo.gpuguard(&["scan", "a.py"]).code, 0);

    repo.write("gpuguard.toml", [&written[..], b"# mine\n"].concat());
    let again = repo.gpuguard(&["init", "--preset", "rtx3090"]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("exists already"), "{again}");
    assert!(repo.read("gpuguard.toml").ends_with(b"# mine\n"));
}

#[test]
fn without_a_driver_it_says_so_and_shows_the_preset() {
    let repo = TestRepo::new();
    let run = repo.gpuguard(&["init"]);
    assert_eq!(run.code, 2, "{run}");
    let library = if cfg!(windows) {
        "nvml.dll"
    } else {
        "libnvidia-ml.so.1"
    };
    assert!(
        run.stderr
            .contains(&format!("{library}` is not on this machine")),
        "{run}"
    );
    assert!(run.stderr.contains("install NVIDIA's driver"), "{run}");
    assert!(
        run.stderr.contains("gpuguard init --preset rtx3090"),
        "{run}"
    );
    assert_eq!(run.stdout, PRESET);
    assert!(!repo.exists("gpuguard.toml"));
}

#[cfg(target_os = "linux")]
fn init(repo: &TestRepo, driver: &FakeDriver) -> Run {
    let mut command = repo.command(program());
    driver.add_to(command.arg("init")).output().unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn the_cards_found_make_a_policy_that_holds() {
    use crate::support::fake_driver::ALLOWED_UUID;
    let repo = TestRepo::new();
    let run = init(&repo, &FakeDriver::new());
    assert_eq!((run.code, &*run.stdout), (0, ""), "{run}");
    let policy: toml::Table =
        toml::from_str(&String::from_utf8(repo.read("gpuguard.toml")).unwrap()).unwrap();
    assert_eq!(policy["card"][0]["use"].as_str(), Some("forbidden"));
    assert_eq!(policy["card"][1]["use"].as_str(), Some("allowed"));
    assert_eq!(policy["card"][1]["uuid"].as_str(), Some(ALLOWED_UUID));
    repo.write("a.py", "print(1)\n");
    assert_eq!(repo.gpuguard(&["scan", "a.py"]).code, 0);
    let mode = std::os::unix::fs::MetadataExt::mode(
        &repo.path().join("gpuguard.toml").metadata().unwrap(),
    );
    assert_eq!(mode & 0o777, 0o644);
}

#[cfg(target_os = "linux")]
#[test]
fn a_driver_without_a_card_makes_no_policy() {
    let repo = TestRepo::new();
    let run = init(&repo, &FakeDriver::new().with("NVML_CARDS", "none"));
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("the driver lists no card"), "{run}");
    assert!(run.stderr.contains("nothing was written"), "{run}");
    assert!(
        run.stderr.contains("gpuguard init --preset rtx3090"),
        "{run}"
    );
    assert_eq!(run.stdout, PRESET);
    assert!(!repo.exists("gpuguard.toml"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_driver_that_hangs_is_shown_and_given_up() {
    let repo = TestRepo::new();
    let driver = FakeDriver::new().with("NVML_HANG", "nvmlInit_v2");
    let mut command = repo.command(program());
    let shown = super::screen::on_terminal(driver.add_to(command.arg("init")));
    assert!(shown.contains("asking the driver"), "{shown}");
    assert!(shown.contains("did not answer within 10000 ms"), "{shown}");
    assert!(shown.contains("`nvidia-smi` shows whether"), "{shown}");
    assert!(!shown.contains("deadline-ms"), "{shown}");
    assert!(!repo.exists("gpuguard.toml"));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told_before_the_tag_is_made() {
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("first");
    std::os::unix::fs::symlink("nowhere", repo.path().join("gpuguard.toml")).unwrap();
    let run = repo.gpuguard(&["init", "--preset", "rtx3090", "--tag", "v-before"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("is a link to a file that does not exist"),
        "{run}"
    );
    assert!(run.stderr.contains("remove the link"), "{run}");
    assert_eq!(repo.git(&["tag"]), "");
    assert!(!repo.exists("nowhere"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_gets_no_tag_either() {
    use std::os::unix::fs::PermissionsExt;
    let repo = TestRepo::new();
    repo.write("a.py", "1\n");
    repo.commit_all("first");
    let set = |mode| {
        std::fs::set_permissions(repo.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0o555);
    // The superuser writes everywhere.
    let anyway = std::fs::write(repo.path().join("probe"), "").is_ok();
    let run = repo.gpuguard(&["init", "--preset", "rtx3090", "--tag", "v-before"]);
    set(0o755);
    if !anyway {
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains("cannot be written"), "{run}");
        assert_eq!(repo.git(&["tag"]), "");
    }
}

#[test]
fn the_tag_is_annotated_on_head_and_never_moved() {
    let repo = TestRepo::new();
    let unborn = repo.gpuguard(&["init", "--preset", "rtx3090", "--tag", "v-before"]);
    assert_eq!(unborn.code, 2, "{unborn}");
    assert!(unborn.stderr.contains("no commit yet"), "{unborn}");
    assert!(
        !repo.exists("gpuguard.toml"),
        "a refused `init` writes nothing"
    );

    repo.write("a.py", "1\n");
    repo.commit_all("first");
    let run = repo.gpuguard(&[
        "init",
        "--preset=rtx3090",
        "--tag",
        "v-before-gpu-correction",
    ]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        repo.git(&["cat-file", "-t", "v-before-gpu-correction"]),
        "tag\n"
    );
    assert_eq!(
        repo.git(&["rev-parse", "v-before-gpu-correction^{commit}"]),
        repo.git(&["rev-parse", "HEAD"])
    );

    repo.commit_all("second");
    let before = repo.git(&["rev-parse", "v-before-gpu-correction"]);
    let again = repo.gpuguard(&["init", "--tag", "v-before-gpu-correction"]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("exists already"), "{again}");
    assert_eq!(repo.git(&["rev-parse", "v-before-gpu-correction"]), before);

    for bad in ["a b", "-x", "x..y"] {
        let run = repo.gpuguard(&["init".to_owned(), format!("--tag={bad}")]);
        assert_eq!(run.code, 2, "{run}");
        assert!(
            run.stderr.contains("is not a valid name for a tag"),
            "{run}"
        );
    }
}
