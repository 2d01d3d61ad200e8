//! `gpuguard gpu`, the real program against the fake driver. The fakes are libraries that the
//! loader of Linux finds by LD_LIBRARY_PATH.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

/// The preset's policy with other lines under `[gpu-check]`.
fn policy(check: &str) -> String {
    let preset = include_str!("../../src/policy/preset_rtx3090.toml");
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
            "cached": false,
        })
    );
    assert_eq!(
        phases,
        [
            "nvml", "cards", "library", "init", "identity", "context", "module", "kernel",
            "compare", "memory", "release"
        ]
    );
    assert_no_process_is_left(&driver);
}

#[test]
fn a_context_is_made_on_the_allowed_card_only() {
    let driver = FakeDriver::new().logged();
    expect(&repository(), &driver, "ok", 0);
    let contexts: Vec<String> = driver
        .calls()
        .into_iter()
        .map(|(_, call)| call)
        .filter(|call| call.starts_with("context on"))
        .collect();
    assert_eq!(contexts, [format!("context on {ALLOWED_UUID}")]);
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
        let touched = format!("context on {FORBIDDEN_UUID}");
        assert!(driver.calls().iter().all(|(_, call)| *call != touched));
    }
}

#[test]
fn a_driver_that_hangs_is_given_up() {
    let repo = repository_with(&policy("deadline-ms = 1500"));
    for (library, call, phase) in [
        ("NVML", "nvmlInit_v2", "nvml"),
        ("NVML", "nvmlDeviceGetName", "cards"),
        ("CUDA", "cuInit", "init"),
        ("CUDA", "cuDevicePrimaryCtxRetain", "context"),
        ("CUDA", "cuLaunchKernel", "kernel"),
        ("CUDA", "cuMemcpyDtoHAsync_v2", "compare"),
        ("CUDA", "cuStreamSynchronize", "memory"),
        ("CUDA", "cuDevicePrimaryCtxRelease_v2", "release"),
    ] {
        let driver = FakeDriver::new()
            .with(&format!("{library}_HANG"), call)
            // Then cudarc synchronizes before it frees memory.
            .with("CUDA_POOLS", "0")
            .logged();
        let start = Instant::now();
        let message = expect(&repo, &driver, "timeout", 1);
        assert!(
            message.contains("did not answer within 1500 ms"),
            "{message}"
        );
        assert!(message.contains(&format!("`{phase}`")), "{call}: {message}");
        assert!(start.elapsed() < Duration::from_secs(60), "{call}");
        assert_no_process_is_left(&driver);
    }
}

#[test]
fn a_wrong_result_is_unhealthy() {
    for corrupt in ["kernel", "memory"] {
        let driver = FakeDriver::new().with("CUDA_CORRUPT", corrupt);
        let message = expect(&repository(), &driver, "unhealthy", 1);
        assert!(message.contains("wrong result at word"), "{message}");
    }
}

#[test]
fn a_crash_is_unhealthy() {
    for (knob, call, phase) in [
        ("NVML_ABORT", "nvmlDeviceGetUUID", "cards"),
        ("CUDA_ABORT", "cuModuleLoadData", "module"),
        ("CUDA_ABORT", "cuMemFreeAsync", "memory"),
    ] {
        let driver = FakeDriver::new().with(knob, call).logged();
        let message = expect(&repository(), &driver, "unhealthy", 1);
        assert!(message.contains("signal 6 (abort)"), "{message}");
        assert!(message.contains(&format!("`{phase}`")), "{message}");
        assert!(message.contains("assertion failed"), "{message}");
        assert_no_process_is_left(&driver);
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
fn errors_of_the_driver_have_their_own_answers() {
    let cases = [
        ("CUDA", "cuMemAllocAsync:2", "busy", 0, "OUT_OF_MEMORY"),
        (
            "CUDA",
            "cuDevicePrimaryCtxRetain:2",
            "busy",
            0,
            "OUT_OF_MEMORY",
        ),
        (
            "CUDA",
            "cuDevicePrimaryCtxRetain:46",
            "busy",
            0,
            "DEVICE_UNAVAILABLE",
        ),
        ("CUDA", "cuInit:34", "unhealthy", 1, "STUB_LIBRARY"),
        ("CUDA", "cuInit:100", "wrong-card", 1, "NO_DEVICE"),
        (
            "CUDA",
            "cuInit:803",
            "unhealthy",
            1,
            "SYSTEM_DRIVER_MISMATCH",
        ),
        ("CUDA", "cuInit:999", "unhealthy", 1, "UNKNOWN"),
        (
            "CUDA",
            "cuModuleLoadData:222",
            "no-driver",
            0,
            "UNSUPPORTED_PTX_VERSION",
        ),
        ("CUDA", "cuEventQuery:719", "unhealthy", 1, "LAUNCH_FAILED"),
        (
            "CUDA",
            "cuMemcpyDtoHAsync_v2:700",
            "unhealthy",
            1,
            "ILLEGAL_ADDRESS",
        ),
        (
            "CUDA",
            "cuMemFreeAsync:700",
            "unhealthy",
            1,
            "ILLEGAL_ADDRESS",
        ),
        ("NVML", "nvmlInit_v2:9", "no-driver", 0, "not loaded"),
        ("NVML", "nvmlInit_v2:18", "unhealthy", 1, "version mismatch"),
        (
            "NVML",
            "nvmlDeviceGetUUID:15",
            "unhealthy",
            1,
            "fell off the bus",
        ),
        ("NVML", "nvmlInit_v2:4", "unhealthy", 1, "permission"),
        ("NVML", "nvmlInit_v2:4242", "unhealthy", 1, "4242"),
    ];
    let repo = repository();
    for (library, fail, status, code, words) in cases {
        let driver = FakeDriver::new().with(&format!("{library}_FAIL"), fail);
        let message = expect(&repo, &driver, status, code);
        assert!(message.contains(words), "{fail}: {message}");
    }
}

#[test]
fn a_card_closed_to_all_programs_is_busy() {
    let driver = FakeDriver::new().with("NVML_COMPUTE_MODE", "2");
    let message = expect(&repository(), &driver, "busy", 0);
    assert!(message.contains("prohibited"), "{message}");
}

/// Each function of the fake CUDA library is one that the check asks for before it calls
/// anything; and since a call of any other would be a panic, that list is complete.
#[test]
fn a_missing_function_is_an_answer_and_no_crash() {
    let repo = repository();
    let source = include_str!("../fakes/cuda/src/lib.rs");
    let functions: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fn cu")?.split_once('('))
        .map(|(rest, _)| rest)
        .collect();
    assert_eq!(functions.len(), 27);
    for rest in functions {
        let name = format!("cu{rest}");
        let driver = FakeDriver::new().without_function(&name).logged();
        let message = expect(&repo, &driver, "no-driver", 0);
        assert!(
            message.contains(&format!("no function `{name}`")),
            "{message}"
        );
        assert!(
            driver
                .calls()
                .iter()
                .all(|(_, call)| !call.starts_with("cu"))
        );
    }
    let driver = FakeDriver::new().without_function("nvmlDeviceGetUUID");
    let message = expect(&repo, &driver, "no-driver", 0);
    assert!(message.contains("nvmlDeviceGetUUID"), "{message}");
}

#[test]
fn no_driver_is_said_and_refused_only_where_one_is_required() {
    let repo = TestRepo::with_policy();
    let run = repo.gpuguard(&["gpu", "check"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .starts_with("no NVIDIA driver: the card was not checked\n"),
        "{run}"
    );
    let driver = FakeDriver::new().without_cuda();
    let message = expect(&repository(), &driver, "no-driver", 0);
    assert!(message.contains("libcuda.so.1"), "{message}");
    let required = repository_with(&policy("mode = \"required\"\ndeadline-ms = 60000"));
    expect(&required, &driver, "no-driver", 1);
}

#[test]
fn a_library_in_the_current_folder_is_not_loaded() {
    let repo = repository();
    let driver = FakeDriver::new();
    for name in ["libcuda.so.1", "libnvidia-ml.so.1"] {
        std::fs::copy(driver.folder().join(name), repo.path().join(name)).unwrap();
    }
    for search_path in ["", ".", ":", "./:"] {
        let mut command = repo.command(program());
        command
            .args(["gpu", "check"])
            .env("LD_LIBRARY_PATH", search_path);
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
fn the_list_says_what_the_policy_says_of_each_card() {
    let repo = repository();
    let run = gpu(&repo, &FakeDriver::new(), &["list"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        format!(
            "driver 575.64.FAKE\n\
             rank 0: NVIDIA GeForce RTX 5060 Ti, 16384 MiB, {FORBIDDEN_UUID}, PCI 00000000:01:00.0, drives a screen: forbidden\n\
             rank 1: NVIDIA GeForce RTX 3090, 24576 MiB, {ALLOWED_UUID}, PCI 00000000:0A:00.0: allowed\n"
        )
    );
    let alone = FakeDriver::new().with("NVML_CARDS", "forbidden-only");
    let run = gpu(&repo, &alone, &["list"]);
    assert!(
        run.stdout
            .ends_with("not in this machine as the policy describes it: RTX 3090 (allowed)\n"),
        "{run}"
    );
}

#[test]
fn the_list_needs_no_policy() {
    let repo = TestRepo::new();
    let run = gpu(&repo, &FakeDriver::new(), &["list", "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list["driver_version"], "575.64.FAKE");
    assert_eq!(
        list["cards"][1],
        json!({
            "pci_rank": 1,
            "nvml_index": 0,
            "name": "NVIDIA GeForce RTX 3090",
            "uuid": ALLOWED_UUID,
            "pci_bus_id": "00000000:0A:00.0",
            "memory_bytes": 24_u64 << 30,
            "memory_used_bytes": 512 << 20,
            "compute_capability": "8.6",
            "compute_mode": "default",
            "display_active": false,
            "policy": null,
        })
    );
}

#[test]
fn a_list_that_cannot_be_had_is_a_failure_but_no_driver_is_an_empty_list() {
    let repo = repository();
    let broken = FakeDriver::new().with("NVML_FAIL", "nvmlDeviceGetCount_v2:999");
    let run = gpu(&repo, &broken, &["list"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .starts_with("error: the cards cannot be listed\n"),
        "{run}"
    );
    let run = repo.gpuguard(&["gpu", "list", "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.starts_with("no NVIDIA driver: "), "{run}");
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list["cards"], json!([]));
}

#[test]
fn a_check_without_a_policy_could_not_be_done() {
    let run = gpu(&TestRepo::new(), &FakeDriver::new(), &["check"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("error: no policy"), "{run}");
}
