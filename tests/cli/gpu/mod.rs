//! `gpuguard gpu`, the real program against the fake driver. The fakes are libraries that the
//! loader of Linux finds by `LD_LIBRARY_PATH`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod doctor;
mod env;
mod failures;
mod health;
mod list;
mod soak;

use serde_json::{Value, json};

use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

/// The preset's policy with other lines under `[gpu-check]`.
fn policy(check: &str) -> String {
    let preset = include_str!("../../../src/policy/preset_rtx3090.toml");
    let (before, after) = preset.split_once("[gpu-check]").unwrap();
    let (_, rules) = after.split_once("# Severity").unwrap();
    format!("{before}[gpu-check]\n{check}\n# Severity{rules}")
}

/// A repository whose policy gives a driver plenty of time on a busy machine.
fn repository() -> TestRepo {
    repository_with(&policy("deadline-ms = 60000"))
}

fn repository_with(policy: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.write("gpuguard.toml", policy);
    repo
}

fn gpu(repo: &TestRepo, driver: &FakeDriver, arguments: &[&str]) -> Run {
    let mut command = repo.command(program());
    command.arg("gpu").args(arguments);
    driver.add_to(&mut command).output().unwrap().into()
}

/// `gpu check --format json`: the exit code and the answer.
fn check(repo: &TestRepo, driver: &FakeDriver) -> (i32, Value) {
    let run = gpu(repo, driver, &["check", "--format", "json"]);
    let answer = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    (run.code, answer)
}

/// Runs a check that must answer with `status` and `code`, and gives its message.
#[track_caller]
fn expect(repo: &TestRepo, driver: &FakeDriver, status: &str, code: i32) -> String {
    let (found, answer) = check(repo, driver);
    assert_eq!(
        (answer["status"].as_str(), found),
        (Some(status), code),
        "{answer:#}"
    );
    assert_eq!(answer["version"], 1);
    if status != "ok" {
        assert!(answer["hint"].is_string(), "no hint: {answer:#}");
    }
    answer["message"].as_str().unwrap().to_owned()
}

/// UUIDs of the cards on which a context was made, in order.
fn contexts(driver: &FakeDriver) -> Vec<String> {
    let calls = driver.calls();
    calls
        .iter()
        .filter_map(|(_, call)| call.strip_prefix("context on "))
        .map(str::to_owned)
        .collect()
}

/// Ids of the processes that called the fake, all of which must have ended.
#[track_caller]
fn assert_no_process_is_left(driver: &FakeDriver) {
    let calls = driver.calls();
    assert!(!calls.is_empty(), "the fake was never called");
    for (process, call) in calls {
        let folder = format!("/proc/{process}");
        assert!(
            !std::path::Path::new(&folder).exists(),
            "{call}: {process} lives"
        );
    }
}

#[test]
fn the_right_card_is_ok() {
    let driver = FakeDriver::new().logged();
    let (code, mut answer) = check(&repository(), &driver);
    let phases: Vec<Value> = answer["phases"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|phase| {
            assert!(phase["ms"].as_f64().unwrap() >= 0.0);
            phase["name"].take()
        })
        .collect();
    answer["phases"].take();
    let health = answer["health"].take();
    assert_eq!(code, 0);
    assert_eq!(
        answer,
        json!({
            "version": 1,
            "status": "ok",
            "card": {
                "name": "NVIDIA GeForce RTX 3090",
                "uuid": ALLOWED_UUID,
                "pci_bus_id": "00000000:0A:00.0",
                "memory_bytes": 24_u64 << 30,
                "compute_capability": "8.6",
            },
            "phases": null,
            "message": format!(
                "CUDA_VISIBLE_DEVICES=1 selects NVIDIA GeForce RTX 3090 ({ALLOWED_UUID}); \
                 the kernel's results are right"
            ),
            "hint": null,
            "notes": [],
            "health": null,
            "cached": false,
        })
    );
    assert_eq!(
        phases,
        [
            "nvml", "cards", "library", "init", "driver", "identity", "context", "module",
            "kernel", "compare", "memory", "release", "health"
        ]
    );
    assert_eq!(
        health,
        json!([{
            "uuid": ALLOWED_UUID,
            "temperature_celsius": 41,
            "sm_clock_mhz": 1695,
            "memory_clock_mhz": 9501,
            "power_milliwatts": 120_500,
            "memory_used_bytes": 512 << 20,
            "slowed_by": [],
            "uncorrected_ecc_errors": null,
        }])
    );
    assert_no_process_is_left(&driver);
}

#[test]
fn a_context_is_made_on_the_allowed_card_only() {
    let driver = FakeDriver::new().logged();
    expect(&repository(), &driver, "ok", 0);
    assert_eq!(contexts(&driver), [ALLOWED_UUID]);
}

#[test]
fn the_callers_environment_does_not_matter() {
    let repo = repository();
    let driver = FakeDriver::new();
    let mut command = repo.command(program());
    command
        .args(["gpu", "check", "--no-cache"])
        .env("CUDA_VISIBLE_DEVICES", "0")
        .env("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
        .env("CUDA_DISABLE_PTX_JIT", "1")
        .env("CUDA_DISABLE_JIT", "1")
        .env("CUDA_INJECTION64_PATH", "/nonexistent.so");
    let run = Run::from(driver.add_to(&mut command).output().unwrap());
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("ok: "), "{run}");
}

#[test]
fn a_policy_by_uuid_is_checked_by_uuid() {
    let by_uuid = |uuid: &str| {
        repository_with(&format!(
            "version = 1\n[[card]]\nname = \"RTX 3090\"\nuuid = \"{uuid}\"\nuse = \"allowed\"\n\
             [gpu-check]\ndeadline-ms = 60000\n"
        ))
    };
    let driver = FakeDriver::new();
    expect(&by_uuid(ALLOWED_UUID), &driver, "ok", 0);
    let another = "GPU-00000000-0000-0000-0000-000000000000";
    let message = expect(&by_uuid(another), &driver, "wrong-card", 1);
    assert!(message.contains(another), "{message}");
    let message = expect(&by_uuid(FORBIDDEN_UUID), &driver, "wrong-card", 1);
    assert!(message.contains("RTX 5060 Ti"), "{message}");
}

#[test]
fn cards_that_are_not_those_of_the_policy_are_wrong() {
    let cases = [
        ("swapped", "is `NVIDIA GeForce RTX 5060 Ti`, not `RTX 3090`"),
        ("forbidden-only", "this machine has 1 card(s)"),
        ("none", "this machine has 0 card(s)"),
        ("small", "has 12288 MiB of memory"),
    ];
    for (cards, words) in cases {
        let driver = FakeDriver::new().with("NVML_CARDS", cards).logged();
        let message = expect(&repository(), &driver, "wrong-card", 1);
        assert!(message.contains(words), "{cards}: {message}");
        let calls = driver.calls();
        assert!(
            calls.iter().all(|(_, call)| !call.starts_with("cu")),
            "{cards}"
        );
    }
}

#[test]
fn what_cuda_shows_must_be_what_nvml_lists() {
    // The driver's default order is the reverse of PCI order; a driver that ignored the order
    // would show the forbidden card, which "swapped" stands for.
    for (cards, words) in [
        ("swapped", FORBIDDEN_UUID),
        ("forbidden-only", "NO_DEVICE"),
        ("small", "has 12288 MiB"),
    ] {
        let driver = FakeDriver::new().with("CUDA_CARDS", cards).logged();
        let message = expect(&repository(), &driver, "wrong-card", 1);
        assert!(message.contains(words), "{cards}: {message}");
        assert!(!contexts(&driver).contains(&FORBIDDEN_UUID.to_owned()));
    }
}

#[test]
fn both_ways_to_allocate_work() {
    for (pools, function) in [("0", "cuMemAlloc_v2"), ("1", "cuMemAllocAsync")] {
        let driver = FakeDriver::new().with("CUDA_POOLS", pools).logged();
        expect(&repository(), &driver, "ok", 0);
        assert!(driver.calls().iter().any(|(_, call)| call == function));
    }
}

#[test]
fn a_library_in_the_current_folder_is_not_loaded() {
    let repo = repository();
    let driver = FakeDriver::new();
    for name in ["libcuda.so.1", "libnvidia-ml.so.1"] {
        std::fs::copy(driver.folder().join(name), repo.path().join(name)).unwrap();
    }
    let absent = FakeDriver::absent();
    for before in ["", ".", "./", ":."] {
        let search_path = format!("{before}:{}", absent.folder().display());
        let mut command = repo.command(program());
        command
            .args(["gpu", "check"])
            .env("LD_LIBRARY_PATH", &search_path);
        let run = Run::from(command.output().unwrap());
        assert!(
            run.stdout.starts_with("no NVIDIA driver"),
            "{search_path}: {run}"
        );
    }
}

#[test]
fn a_good_result_is_kept_and_only_a_good_one() {
    let repo = repository();
    let good = FakeDriver::new().logged();
    let cached = |run: &Run| serde_json::from_str::<Value>(&run.stdout).unwrap()["cached"].clone();
    let launches = |driver: &FakeDriver| {
        let calls = driver.calls();
        calls
            .iter()
            .filter(|(_, call)| call == "cuLaunchKernel")
            .count()
    };
    let json = ["check", "--format", "json"];
    assert_eq!(cached(&gpu(&repo, &good, &json)), false);
    assert_eq!(cached(&gpu(&repo, &good, &json)), true);
    assert_eq!(launches(&good), 1);
    let human = gpu(&repo, &good, &["check"]);
    assert!(human.stdout.contains("its kernel was right "), "{human}");
    let anew = ["check", "--format", "json", "--no-cache"];
    assert_eq!(cached(&gpu(&repo, &good, &anew)), false);
    assert_eq!(launches(&good), 2);

    // Which card it is counts each time, whatever is kept.
    let swapped = FakeDriver::new().with("NVML_CARDS", "swapped");
    expect(&repo, &swapped, "wrong-card", 1);
    expect(&repo, &swapped, "wrong-card", 1);
    // That also ended what was kept.
    assert_eq!(cached(&gpu(&repo, &good, &json)), false);
    let updated = FakeDriver::new().with("NVML_VERSION", "580.95.FAKE");
    assert_eq!(cached(&gpu(&repo, &updated, &json)), false);
    // A bad result is not kept, and ends what was.
    let corrupt = FakeDriver::new().with("CUDA_CORRUPT", "kernel");
    expect(&repo, &corrupt, "unhealthy", 1);
    expect(&repo, &corrupt, "unhealthy", 1);
}

#[test]
fn zero_cache_minutes_check_every_time() {
    let repo = repository_with(&policy("deadline-ms = 60000\ncache-minutes = 0"));
    let driver = FakeDriver::new();
    for _ in 0..2 {
        assert_eq!(check(&repo, &driver).1["cached"], false);
    }
}

#[test]
fn a_check_without_a_policy_could_not_be_done() {
    let run = gpu(&TestRepo::new(), &FakeDriver::new(), &["check"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("error: no policy"), "{run}");
}

#[test]
fn several_allowed_cards_are_all_checked_in_the_order_of_the_mask() {
    let repo = repository_with(
        "version = 1\n\
         [[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"allowed\"\n\
         [[card]]\nname = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n\
         [environment]\nCUDA_VISIBLE_DEVICES = \"1,0\"\n\
         [gpu-check]\ndeadline-ms = 60000\n",
    );
    let driver = FakeDriver::new().logged();
    let message = expect(&repo, &driver, "ok", 0);
    assert!(
        message.contains(ALLOWED_UUID) && message.contains(FORBIDDEN_UUID),
        "{message}"
    );
    assert_eq!(contexts(&driver), [ALLOWED_UUID, FORBIDDEN_UUID]);
}
