//! `gpuguard doctor`: what it says of driver, variables and cards.

use serde_json::Value;

use super::{check, contexts, repository, repository_with};
use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

fn doctor(repo: &TestRepo, driver: &FakeDriver, variables: &[(&str, &str)]) -> Run {
    let mut command = repo.command(program());
    command.args(["doctor", "card"]);
    driver
        .add_to(&mut command)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
        .into()
}

/// Fails unless a line begins with `word` and has all of `parts`.
#[track_caller]
fn assert_line(run: &Run, word: &str, parts: &[&str]) {
    let fits = |line: &str| line.starts_with(word) && parts.iter().all(|part| line.contains(part));
    assert!(
        run.stdout.lines().any(fits),
        "no {word} with {parts:?}: {run}"
    );
}

#[test]
fn a_machine_in_order_is_fine() {
    let driver = FakeDriver::new().logged();
    let run = doctor(&repository(), &driver, &[]);
    assert_eq!(run.code, 0, "{run}");
    let folder = driver.folder().canonicalize().unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    assert_line(
        &run,
        "ok    driver 575.64.FAKE",
        &[&file("libnvidia-ml.so.1")],
    );
    assert_line(&run, "ok    CUDA 12.9 at most", &[&file("libcuda.so")]);
    assert_line(
        &run,
        "ok    neither CUDA_DEVICE_ORDER nor",
        &["the code sets them"],
    );
    assert_line(
        &run,
        "ok    CUDA_VISIBLE_DEVICES=1 of the policy selects",
        &["RTX 3090"],
    );
    assert_line(
        &run,
        "ok    the allowed NVIDIA GeForce RTX 3090 is open",
        &[],
    );
    let close = format!("sudo nvidia-smi -i {FORBIDDEN_UUID} -c PROHIBITED");
    assert_line(
        &run,
        "note  the forbidden NVIDIA GeForce RTX 5060 Ti",
        &[&close],
    );
    assert!(!run.stdout.contains("persistence"), "{run}");
    assert!(contexts(&driver).is_empty());
}

#[test]
fn what_this_environment_selects_is_held_against_the_policy() {
    for (variables, word, part) in [
        (
            &[
                ("CUDA_VISIBLE_DEVICES", "0"),
                ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            ][..],
            "wrong",
            "show the forbidden RTX 5060 Ti",
        ),
        (
            &[("CUDA_VISIBLE_DEVICES", "1")],
            "wrong",
            "no CUDA_DEVICE_ORDER and CUDA_VISIBLE_DEVICES=1 here may show a card that is not allowed",
        ),
        (
            &[("CUDA_DEVICE_ORDER", "PCI_BUS_ID")],
            "wrong",
            "show the forbidden RTX 5060 Ti",
        ),
        (
            &[
                ("CUDA_VISIBLE_DEVICES", ""),
                ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            ],
            "wrong",
            "show no card",
        ),
        (
            &[
                ("CUDA_VISIBLE_DEVICES", "1"),
                ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            ],
            "ok",
            "here show what the policy allows",
        ),
    ] {
        let run = doctor(&repository(), &FakeDriver::new(), variables);
        assert_line(&run, word, &[part]);
        assert_eq!(run.code, i32::from(word == "wrong"), "{run}");
        if word == "wrong" {
            assert_line(&run, word, &["; cure: `eval \"$(gpuguard gpu env)\"`"]);
        }
    }
    let preset = include_str!("../../../src/policy/preset_rtx3090.toml");
    let outside =
        repository_with(&preset.replace("set-in = \"each-file\"", "set-in = \"outside\""));
    let run = doctor(&outside, &FakeDriver::new(), &[]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(&run, "wrong neither", &["set outside of the code"]);
}

#[test]
fn what_redirects_the_driver_is_named_and_does_not_reach_it() {
    let driver = FakeDriver::new();
    let search_path = format!("lib:{}", driver.folder().display());
    let variables = [
        ("LD_LIBRARY_PATH", search_path.as_str()),
        ("LD_PRELOAD", ""),
        ("CUDA_INJECTION64_PATH", "/opt/tool.so"),
        ("CUDA_DISABLE_PTX_JIT", "1"),
    ];
    let run = doctor(&repository(), &driver, &variables);
    assert_eq!(run.code, 0, "{run}");
    for name in [
        "LD_LIBRARY_PATH",
        "CUDA_INJECTION64_PATH",
        "CUDA_DISABLE_PTX_JIT",
    ] {
        assert_line(
            &run,
            &format!("note  {name} "),
            &["does not pass it on", "; cure: unset it"],
        );
    }
    assert!(!run.stdout.contains("LD_PRELOAD"), "{run}");

    let repo = repository();
    let mut command = repo.command(program());
    command.args(["gpu", "check", "--format", "json"]);
    let output = driver
        .add_to(&mut command)
        .envs(variables)
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["status"], "ok", "{answer:#}");
    assert_eq!(
        answer["notes"][0],
        "not passed on to the driver, since it would redirect it: LD_LIBRARY_PATH, \
         CUDA_INJECTION64_PATH, CUDA_DISABLE_PTX_JIT; `gpuguard doctor` says more"
    );
    assert_eq!(check(&repo, &driver).1["notes"], Value::Array(Vec::new()));
}

#[test]
fn a_stub_library_on_the_search_path_is_wrong() {
    let driver = FakeDriver::new();
    let stubs = driver.folder().join("stubs");
    std::fs::create_dir(&stubs).unwrap();
    let search_path = format!("{}:{}", driver.folder().display(), stubs.display());
    let variables = [("LD_LIBRARY_PATH", search_path.as_str())];
    assert_eq!(
        doctor(&repository(), &driver, &variables).code,
        0,
        "an empty folder is none"
    );
    std::fs::write(stubs.join("libcuda.so"), "").unwrap();
    let run = doctor(&repository(), &driver, &variables);
    assert_eq!(run.code, 1, "{run}");
    let shown = stubs.display().to_string();
    assert_line(
        &run,
        "wrong",
        &[&shown, "stub", "; cure: take that folder off"],
    );
}

#[test]
fn cards_and_modes_are_held_against_the_policy() {
    let swapped = FakeDriver::new().with("NVML_CARDS", "swapped");
    let run = doctor(&repository(), &swapped, &[]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong the card at PCI rank 1 is",
        &["not `RTX 3090`", "; cure: "],
    );

    let closed = FakeDriver::new().with("NVML_COMPUTE_MODE", "2");
    let run = doctor(&repository(), &closed, &[]);
    assert_eq!(run.code, 1, "{run}");
    let open = format!("; cure: `sudo nvidia-smi -i {ALLOWED_UUID} -c DEFAULT`");
    assert_line(&run, "wrong the allowed", &[&open]);
    assert_line(&run, "ok    the forbidden", &["lets no program compute"]);

    let exclusive = FakeDriver::new().with("NVML_COMPUTE_MODE", "3");
    let run = doctor(&repository(), &exclusive, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(&run, "note  the allowed", &["one program at a time"]);

    let asleep = FakeDriver::new().with("NVML_PERSISTENCE", "0");
    let run = doctor(&repository(), &asleep, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "note  persistence is off for NVIDIA GeForce RTX 3090",
        &["-pm 1"],
    );
    assert!(
        !run.stdout.contains("off for NVIDIA GeForce RTX 5060"),
        "{run}"
    );
}

#[test]
fn a_driver_in_trouble_is_wrong_and_a_missing_one_only_where_it_is_required() {
    let run = doctor(&repository(), &FakeDriver::absent(), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_line(
        &run,
        "note  NVML: the driver's library",
        &["; cure: install NVIDIA's driver"],
    );
    assert_line(&run, "note  CUDA: the driver's library", &[]);
    let preset = include_str!("../../../src/policy/preset_rtx3090.toml");
    let required = repository_with(&preset.replace("mode = \"auto\"", "mode = \"required\""));
    assert_eq!(doctor(&required, &FakeDriver::absent(), &[]).code, 1);

    let updated = FakeDriver::new().with("NVML_FAIL", "nvmlInit_v2:18");
    let run = doctor(&repository(), &updated, &[]);
    assert_eq!(run.code, 1, "{run}");
    assert_line(
        &run,
        "wrong NVML: ",
        &["version mismatch", "; cure: the driver was updated"],
    );
}

#[test]
fn programs_get_json_and_quiet_says_only_what_is_wrong() {
    let driver = FakeDriver::new().with("NVML_COMPUTE_MODE", "2");
    let repo = repository();
    let said = |arguments: &[&str]| {
        let mut command = repo.command(program());
        command.args(["doctor", "card"]).args(arguments);
        Run::from(driver.add_to(&mut command).output().unwrap())
    };
    let list: Value = serde_json::from_str(&said(&["--format", "json"]).stdout).unwrap();
    assert_eq!(list["version"], 1);
    let found = list["found"].as_array().unwrap();
    assert!(found.len() > 4);
    assert!(
        found
            .iter()
            .any(|one| one["weight"] == "wrong" && one["cure"].is_string())
    );
    let quiet = said(&["-q"]);
    assert!(
        quiet.stdout.lines().all(|line| line.starts_with("wrong ")),
        "{quiet}"
    );
    assert_eq!(quiet.stdout.lines().count(), 1, "{quiet}");
}

#[test]
fn without_a_policy_there_is_nothing_to_hold_it_against() {
    let run = doctor(&TestRepo::new(), &FakeDriver::new(), &[]);
    assert_eq!(run.code, 2, "{run}");
}

#[test]
fn a_uuid_is_known_though_the_policy_does_not_name_it() {
    let driver = FakeDriver::new();
    let right = [("CUDA_VISIBLE_DEVICES", ALLOWED_UUID)];
    let run = doctor(&repository(), &driver, &right);
    assert_line(&run, "ok", &[ALLOWED_UUID, "show what the policy allows"]);
    let wrong = [("CUDA_VISIBLE_DEVICES", FORBIDDEN_UUID)];
    let run = doctor(&repository(), &driver, &wrong);
    assert_line(&run, "wrong", &[FORBIDDEN_UUID, "show the forbidden"]);
    assert_eq!(run.code, 1, "{run}");
}
