use crate::support::TestRepo;

#[test]
fn the_preset_is_written_once_and_is_valid() {
    let repo = TestRepo::new();
    let run = repo.gpuguard(&["init", "--preset", "rtx3090"]);
    assert_eq!(run.code, 0, "{run}");
    let written = repo.read("gpuguard.toml");
    assert_eq!(
        written,
        include_bytes!("../../src/policy/preset_rtx3090.toml")
    );
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
    assert!(
        run.stderr
            .contains("libnvidia-ml.so.1` is not on this machine"),
        "{run}"
    );
    assert!(run.stderr.contains("install NVIDIA's driver"), "{run}");
    assert!(
        run.stderr.contains("gpuguard init --preset rtx3090"),
        "{run}"
    );
    assert!(!repo.exists("gpuguard.toml"));
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
