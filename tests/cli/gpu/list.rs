//! `gpuguard gpu list`.

use serde_json::{Value, json};

use super::{gpu, repository};
use crate::support::TestRepo;
use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};

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
            .starts_with("error: the graphics cards cannot be asked\n"),
        "{run}"
    );
    let run = gpu(&repo, &FakeDriver::absent(), &["list", "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.starts_with("no NVIDIA driver: "), "{run}");
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list["cards"], json!([]));
}
