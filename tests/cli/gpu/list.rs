//! `gpuguard gpu list`.

use serde_json::{Value, json};

use super::{assert_no_process_is_left, contexts, gpu, repository};
use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

#[test]
fn the_list_says_what_the_policy_says_of_each_card() {
    let repo = repository();
    let run = gpu(&repo, &FakeDriver::new(), &["list"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        format!(
            "driver 575.64.FAKE\n\n\
             NVIDIA GeForce RTX 5060 Ti: forbidden\n  \
               index 0 by PCI_BUS_ID, 1 by CUDA's default order\n  \
               memory 512 of 16384 MiB used; compute mode default, drives a screen\n  \
               PCI 00000000:01:00.0, {FORBIDDEN_UUID}\n\n\
             NVIDIA GeForce RTX 3090: allowed\n  \
               index 1 by PCI_BUS_ID, 0 by CUDA's default order\n  \
               memory 512 of 24576 MiB used; compute mode default\n  \
               PCI 00000000:0A:00.0, {ALLOWED_UUID}\n"
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
    assert_eq!(list["default_order_unknown"], Value::Null);
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
            "persistence_mode": true,
            "default_index": 0,
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
            .starts_with("error: the graphics cards cannot be asked\n"),
        "{run}"
    );
    let run = gpu(&repo, &FakeDriver::absent(), &["list", "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.starts_with("no NVIDIA driver: "), "{run}");
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list["cards"], json!([]));
}

/// The mask and the order of the caller would change what is asked, and no context is made.
#[test]
fn the_default_order_is_cudas_own_and_touches_no_card() {
    let driver = FakeDriver::new().logged();
    let repo = repository();
    let mut command = repo.command(program());
    command
        .args(["gpu", "list", "--format", "json"])
        .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        .env("CUDA_VISIBLE_DEVICES", "0");
    let run = Run::from(driver.add_to(&mut command).output().unwrap());
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    let indices: Vec<&Value> = (0..2)
        .map(|rank| &list["cards"][rank]["default_index"])
        .collect();
    assert_eq!(indices, [1, 0]);
    assert!(contexts(&driver).is_empty());
    assert_no_process_is_left(&driver);
}

#[test]
fn a_default_order_that_cannot_be_had_is_said_and_the_list_is_shown() {
    for (driver, words) in [
        (
            FakeDriver::new().with("CUDA_FAIL", "cuInit:999"),
            "CUDA_ERROR_UNKNOWN (999)",
        ),
        (FakeDriver::new().without_cuda(), "libcuda.so.1"),
        (
            FakeDriver::new().with("CUDA_ABORT", "cuDeviceGetUuid"),
            "signal 6",
        ),
    ] {
        let run = gpu(&repository(), &driver, &["list"]);
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stdout
                .contains("index 1 by PCI_BUS_ID, unknown by CUDA's default order\n"),
            "{run}"
        );
        let said = run.stdout.lines().last().unwrap();
        assert!(
            said.starts_with("CUDA's default order is not known: ") && said.contains(words),
            "{run}"
        );
        let run = gpu(&repository(), &driver, &["list", "--format", "json"]);
        let list: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(list["cards"][1]["default_index"], Value::Null);
        assert!(
            list["default_order_unknown"]
                .as_str()
                .unwrap()
                .contains(words)
        );
    }
}
