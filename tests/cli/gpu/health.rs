//! How the card is after a check, and what keeps it from being checked at all.

use serde_json::{Value, json};

use super::{check, contexts, expect, gpu, repository};
use crate::support::fake_driver::FakeDriver;

/// The notes of a check that is fine.
#[track_caller]
fn notes(driver: &FakeDriver) -> Value {
    let (code, answer) = check(&repository(), driver);
    assert_eq!((code, &answer["status"]), (0, &json!("ok")), "{answer:#}");
    answer["notes"].clone()
}

#[test]
fn memory_that_is_not_given_back_is_said() {
    let leak = |mib| FakeDriver::new().logged().with("NVML_LEAK_MIB", mib);
    assert_eq!(notes(&leak("16")), json!([]), "that much comes and goes");
    let notes = notes(&leak("17"));
    let note = notes[0].as_str().unwrap();
    assert!(note.starts_with("17 MiB more are in use on "), "{note}");
    let run = gpu(&repository(), &leak("17"), &["check"]);
    assert!(run.stdout.contains(&format!("\n  note: {note}\n")), "{run}");
}

#[test]
fn a_card_that_is_slowed_down_by_heat_is_said() {
    // nvml.h: 0x40 is the hardware's thermal slowdown, 0x4 the power cap, 0x1 idle.
    let hot = FakeDriver::new()
        .with("NVML_SLOWED_BY", "69")
        .with("NVML_CELSIUS", "93");
    let (_, answer) = check(&repository(), &hot);
    assert_eq!(
        answer["health"][0]["slowed_by"],
        json!(["sw-power-cap", "hw-thermal-slowdown"])
    );
    let note = answer["notes"][0].as_str().unwrap();
    assert!(
        note.contains("slowed down at 93 °C (hw-thermal-slowdown)"),
        "{note}"
    );
    let capped = FakeDriver::new().with("NVML_SLOWED_BY", "5");
    assert_eq!(notes(&capped), json!([]));
}

#[test]
fn memory_errors_are_unhealthy() {
    let sound = FakeDriver::new().with("NVML_ECC_ERRORS", "0");
    assert_eq!(notes(&sound), json!([]));
    let damaged = FakeDriver::new().with("NVML_ECC_ERRORS", "3");
    let message = expect(&repository(), &damaged, "unhealthy", 1);
    assert!(message.contains("3 error(s)"), "{message}");
}

#[test]
fn a_driver_that_tells_little_is_no_failure() {
    for name in [
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetClockInfo",
        "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetCurrentClocksThrottleReasons",
        "nvmlDeviceGetTotalEccErrors",
        "nvmlDeviceGetMemoryInfo_v2",
    ] {
        let driver = FakeDriver::new().without_function(name);
        assert_eq!(notes(&driver), json!([]), "{name}");
    }
}

#[test]
fn a_full_card_is_busy_and_no_context_is_made_on_it() {
    let full = FakeDriver::new()
        .logged()
        .with("NVML_USED_MIB", &(24 * 1024 - 599).to_string());
    let message = expect(&repository(), &full, "busy", 0);
    assert!(message.contains("599 MiB of memory free"), "{message}");
    assert!(contexts(&full).is_empty());
    let enough = FakeDriver::new().with("NVML_USED_MIB", &(24 * 1024 - 600).to_string());
    assert_eq!(notes(&enough), json!([]));
}

#[test]
fn a_driver_or_a_card_too_old_for_the_kernel_is_not_checked() {
    for (knob, value, words) in [
        ("CUDA_VERSION", "8000", "the driver knows CUDA 8.0 only"),
        ("CUDA_CARDS", "old", "compute capability is 3.7"),
    ] {
        let driver = FakeDriver::new().with(knob, value).logged();
        let message = expect(&repository(), &driver, "no-driver", 0);
        assert!(message.contains(words), "{message}");
        assert!(contexts(&driver).is_empty());
    }
    let oldest = FakeDriver::new().with("CUDA_VERSION", "9000");
    assert_eq!(notes(&oldest), json!([]));
}

#[test]
fn the_steps_are_shown_with_their_times_when_asked_for() {
    let run = gpu(&repository(), &FakeDriver::new(), &["check", "-v"]);
    for step in [
        "nvml",
        "identity",
        "kernel",
        "health",
        "together (meant: 300)",
    ] {
        let shown = format!(" ms  {step}\n");
        assert!(run.stdout.contains(&shown), "{step}: {run}");
    }
    let run = gpu(&repository(), &FakeDriver::new(), &["check"]);
    assert!(!run.stdout.contains(" ms  "), "{run}");
}
