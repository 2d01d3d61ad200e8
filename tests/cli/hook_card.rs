//! The hook and the card: when it is checked, and what the answer does to the commit.
#![cfg(target_os = "linux")]

use crate::support::fake_driver::FakeDriver;
use crate::support::{Run, TestRepo, program};

const GPU_CODE: &str = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                        os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n\
                        device = torch.device(\"cuda:0\")\n";

fn staged(code: &str, check: &str) -> TestRepo {
    let repo = TestRepo::with_policy();
    let preset = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    let preset = preset.replace("deadline-ms = 5000", "deadline-ms = 60000");
    repo.write(
        "gpuguard.toml",
        preset.replace("mode = \"auto\"", &format!("mode = \"{check}\"")),
    );
    repo.write("a.py", code);
    repo.git(&["add", "."]);
    repo
}

fn hook(repo: &TestRepo, driver: &FakeDriver) -> Run {
    let mut command = repo.command(program());
    command.args(["hook", "run", "pre-commit"]);
    driver.add_to(&mut command).output().unwrap().into()
}

#[test]
fn the_right_card_passes_and_is_not_asked_again_at_once() {
    let repo = staged(GPU_CODE, "auto");
    let driver = FakeDriver::new().logged();
    let run = hook(&repo, &driver);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("RTX 3090 is right and computes correctly\n"),
        "{run}"
    );
    let launches = |driver: &FakeDriver| {
        driver
            .calls()
            .iter()
            .filter(|(_, call)| call == "cuLaunchKernel")
            .count()
    };
    assert_eq!(launches(&driver), 1);
    let again = hook(&repo, &driver);
    assert!(again.stderr.contains("checked before"), "{again}");
    assert_eq!(launches(&driver), 1);
}

#[test]
fn the_wrong_card_refuses_the_commit_and_says_why() {
    let repo = staged(GPU_CODE, "auto");
    let driver = FakeDriver::new().with("NVML_CARDS", "swapped");
    let run = hook(&repo, &driver);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .starts_with("gpuguard: commit refused: the card check failed"),
        "{run}"
    );
    assert!(run.stderr.contains("RTX 5060 Ti"), "{run}");
    assert!(
        run.stderr
            .contains("nothing was committed, nothing was changed"),
        "{run}"
    );
}

#[test]
fn code_without_a_gpu_word_and_refused_code_do_not_touch_the_driver() {
    for (code, check, expected) in [
        ("print(1)\n", "auto", 0),
        (&GPU_CODE.replace("cuda:0", "cuda:1"), "auto", 1),
        (GPU_CODE, "off", 0),
    ] {
        let repo = staged(code, check);
        let driver = FakeDriver::new().logged();
        let run = hook(&repo, &driver);
        assert_eq!(run.code, expected, "{run}");
        assert_eq!(driver.calls(), [], "{code}");
    }
}

#[test]
fn a_missing_driver_refuses_only_where_it_is_required() {
    let absent = FakeDriver::absent();
    let run = hook(&staged(GPU_CODE, "auto"), &absent);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("not checked, there is no NVIDIA driver here"),
        "{run}"
    );
    let run = hook(&staged(GPU_CODE, "required"), &absent);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr.contains("commit refused: the card check failed"),
        "{run}"
    );
    assert!(run.stderr.contains("install NVIDIA's driver"), "{run}");
}

#[test]
fn a_card_that_is_not_looked_at_is_said() {
    let quiet = |repo: &TestRepo, driver: &FakeDriver, arguments: &[&str], ci: Option<&str>| {
        let mut command = repo.command(program());
        command.args(["hook", "run", "pre-commit"]).args(arguments);
        if let Some(ci) = ci {
            command.env("CI", ci);
        }
        Run::from(driver.add_to(&mut command).output().unwrap())
    };
    let driver = FakeDriver::new().logged();
    let repo = staged("print(1)\n", "auto");
    let run = quiet(&repo, &driver, &["-v"], None);
    assert!(
        run.stderr
            .contains("  card: not checked, no staged file uses the GPU\n"),
        "{run}"
    );
    assert!(!hook(&repo, &driver).stderr.contains("card:"));

    let run = quiet(&staged(GPU_CODE, "auto"), &driver, &[], Some("true"));
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("  card: not checked, this is CI (`CI` is set)\n  hint: `mode = "),
        "{run}"
    );
    assert_eq!(driver.calls(), []);
    for (mode, ci) in [("required", "true"), ("auto", "false")] {
        let run = quiet(&staged(GPU_CODE, mode), &driver, &[], Some(ci));
        assert!(run.stderr.contains("is right and computes"), "{run}");
    }
}

#[test]
fn a_note_on_the_card_is_shown() {
    let hot = FakeDriver::new().with("NVML_SLOWED_BY", "64");
    let run = hook(&staged(GPU_CODE, "auto"), &hot);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("  note: NVIDIA GeForce RTX 3090 is slowed down"),
        "{run}"
    );
}
