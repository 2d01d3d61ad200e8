//! Drivers that hang, crash, lie, refuse, lack a function, or are not there.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{assert_no_process_is_left, check, expect, gpu, policy, repository, repository_with};
use crate::support::fake_driver::FakeDriver;
use crate::support::{TestRepo, program};

#[test]
fn a_driver_that_hangs_is_given_up() {
    let calls = [
        ("NVML", "nvmlInit_v2", "nvml"),
        ("NVML", "nvmlDeviceGetName", "cards"),
        ("CUDA", "cuInit", "init"),
        ("CUDA", "cuDevicePrimaryCtxRetain", "context"),
        ("CUDA", "cuLaunchKernel", "kernel"),
        ("CUDA", "cuMemcpyDtoHAsync_v2", "compare"),
        ("CUDA", "cuStreamSynchronize", "memory"),
        ("CUDA", "cuDevicePrimaryCtxRelease_v2", "release"),
    ];
    // Side by side, since each takes the whole deadline; that is long, so that also a busy
    // machine gets to the call that hangs.
    std::thread::scope(|scope| {
        for (library, call, phase) in calls {
            scope.spawn(move || gives_up(library, call, phase));
        }
    });
}

/// The functions that a check calls, each with its library.
fn called(pools: &str) -> BTreeSet<(&'static str, String)> {
    let driver = FakeDriver::new().with("CUDA_POOLS", pools).logged();
    expect(&repository(), &driver, "ok", 0);
    driver
        .calls()
        .into_iter()
        .filter(|(_, call)| !call.contains(' '))
        .map(|(_, call)| {
            let library = if call.starts_with("nvml") {
                "NVML"
            } else {
                "CUDA"
            };
            (library, call)
        })
        .collect()
}

/// Also where it is not known in which step: the call may come in several.
#[test]
fn a_hang_at_any_call_is_given_up_and_leaves_no_process() {
    let with_pools = called("1");
    let without: BTreeSet<_> = called("0").difference(&with_pools).cloned().collect();
    let calls: Vec<_> = with_pools
        .into_iter()
        .map(|call| (call, "1"))
        .chain(without.into_iter().map(|call| (call, "0")))
        .collect();
    assert!(calls.len() > 40, "{calls:?}");
    for some in calls.chunks(8) {
        std::thread::scope(|scope| {
            for ((library, call), pools) in some {
                scope.spawn(move || {
                    let repo = repository_with(&policy("deadline-ms = 1000"));
                    let driver = FakeDriver::new()
                        .with(&format!("{library}_HANG"), call)
                        .with("CUDA_POOLS", pools)
                        .logged();
                    let message = expect(&repo, &driver, "timeout", 1);
                    assert!(
                        message.contains("did not answer within 1000 ms"),
                        "{call}: {message}"
                    );
                    assert_no_process_is_left(&driver);
                });
            }
        });
    }
}

fn gives_up(library: &str, call: &str, phase: &str) {
    let repo = repository_with(&policy("deadline-ms = 4000"));
    let driver = FakeDriver::new()
        .with(&format!("{library}_HANG"), call)
        // Then cudarc synchronizes before it frees memory.
        .with("CUDA_POOLS", "0")
        .logged();
    let start = Instant::now();
    let (code, answer) = check(&repo, &driver);
    assert_eq!(
        (code, &answer["status"]),
        (1, &"timeout".into()),
        "{answer}"
    );
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("did not answer within 4000 ms"),
        "{message}"
    );
    assert!(message.contains(&format!("`{phase}`")), "{call}: {message}");
    // The step that hung took the time.
    let steps = answer["phases"].as_array().unwrap();
    let all: f64 = steps.iter().map(|step| step["ms"].as_f64().unwrap()).sum();
    assert_eq!(steps.last().unwrap()["name"], phase, "{answer}");
    assert!(all >= 1000.0, "{answer}");
    assert!(start.elapsed() < Duration::from_mins(1), "{call}");
    assert_no_process_is_left(&driver);
}

/// Waits until `done`; only a test that fails waits long.
pub(super) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_mins(2),
            "still not: {what}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_hanging_child_does_not_outlive_a_killed_parent_for_long() {
    let repo = repository_with(&policy("deadline-ms = 1000"));
    let driver = FakeDriver::new().with("NVML_HANG", "nvmlInit_v2").logged();
    let mut command = repo.command(program());
    command
        .args(["gpu", "check"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut parent = driver.add_to(&mut command).spawn().unwrap();
    wait_until("the child hangs", || !driver.calls().is_empty());
    parent.kill().unwrap();
    parent.wait().unwrap();
    let (child, _) = driver.calls()[0].clone();
    let state = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    // Gone, or (where nothing reaps orphans) a dead entry of the process table.
    wait_until("the child is gone", || {
        state().is_empty() || state().contains(") Z ")
    });
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
        ("CUDA", "cuInit:3", "unhealthy", 1, "NOT_INITIALIZED"),
        ("CUDA", "cuInit:4", "unhealthy", 1, "DEINITIALIZED"),
        ("CUDA", "cuInit:100", "wrong-card", 1, "NO_DEVICE"),
        ("CUDA", "cuDeviceGet:101", "wrong-card", 1, "INVALID_DEVICE"),
        ("CUDA", "cuInit:802", "unhealthy", 1, "SYSTEM_NOT_READY"),
        ("CUDA", "cuInit:804", "unhealthy", 1, "COMPAT_NOT_SUPPORTED"),
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
        (
            "CUDA",
            "cuModuleLoadData:209",
            "no-driver",
            0,
            "NO_BINARY_FOR_GPU",
        ),
        (
            "CUDA",
            "cuModuleLoadData:218",
            "no-driver",
            0,
            "INVALID_PTX",
        ),
        (
            "CUDA",
            "cuModuleLoadData:223",
            "no-driver",
            0,
            "JIT_COMPILATION_DISABLED",
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
    let source = include_str!("../../fakes/cuda/src/lib.rs");
    let functions: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fn cu")?.split_once('('))
        .map(|(rest, _)| rest)
        .collect();
    assert_eq!(functions.len(), 29);
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
    let run = gpu(&TestRepo::with_policy(), &FakeDriver::absent(), &["check"]);
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
