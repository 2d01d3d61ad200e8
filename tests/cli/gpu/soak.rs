//! `gpuguard gpu soak`. None of this depends on how long something takes: each pattern is tried
//! once however short the time is.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::failures::wait_until;
use super::{assert_no_process_is_left, contexts, gpu, policy, repository, repository_with};
use crate::cli::screen::{interrupted, on_terminal};
use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

/// So short that it is over after one turn.
const SHORT: [&str; 5] = ["soak", "--minutes", "0.00001", "--format", "json"];

/// The exit code and the report.
fn soak(repo: &TestRepo, driver: &FakeDriver, more: &[&str]) -> (i32, Value) {
    let run = gpu(repo, driver, &[&SHORT[..], more].concat());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    (run.code, report)
}

/// A soak that must answer with `status` and `code`; gives its message.
#[track_caller]
fn expect(repo: &TestRepo, driver: &FakeDriver, status: &str, code: i32) -> String {
    let (found, report) = soak(repo, driver, &[]);
    assert_eq!(
        (report["status"].as_str(), found),
        (Some(status), code),
        "{report:#}"
    );
    assert_eq!(report["finished"], status == "ok");
    assert!(report["hint"].is_string() || status == "ok", "{report:#}");
    report["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_good_card_is_worked_on_and_looked_at() {
    let driver = FakeDriver::new().logged();
    let repo = repository();
    let (code, report) = soak(&repo, &driver, &["--plot", "soak.svg"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["version"], 1);
    assert_eq!(report["status"], "ok");
    assert_eq!(report["finished"], true);
    assert_eq!(report["card"]["uuid"], ALLOWED_UUID);
    assert_eq!(report["rounds"], report["patterns"]);
    assert!(report["rounds"].as_u64().unwrap() >= 5, "{report:#}");
    // Three quarters of what the fake has free.
    assert_eq!(report["memory_bytes"], 48 << 20);
    assert_eq!(report["hottest_celsius"], 41);
    assert_eq!(report["notes"], json!([]));
    let samples = report["samples"].as_array().unwrap();
    assert!(samples.len() >= 2, "one at the beginning, one at the end");
    assert!(samples[0]["seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(samples[0]["power_milliwatts"], 120_500);
    assert_eq!(contexts(&driver), [ALLOWED_UUID]);
    assert_no_process_is_left(&driver);
    let plot = String::from_utf8(repo.read("soak.svg")).unwrap();
    assert_eq!(plot.matches("<polyline").count(), 2, "{plot}");
    assert!(
        plot.contains("NVIDIA GeForce RTX 3090: all results right"),
        "{plot}"
    );
}

#[test]
fn people_are_told_what_was_seen() {
    let run = gpu(
        &repository(),
        &FakeDriver::new(),
        &["soak", "--minutes", "0.00001"],
    );
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .starts_with("ok: NVIDIA GeForce RTX 3090 worked for "),
        "{run}"
    );
    for line in [
        "  temperature: 41 to 41 °C",
        "  clock: 1695 to 1695 MHz",
        "  memory used: 512 to 512 MiB",
        "  memory errors: this card does not count them",
    ] {
        assert!(
            run.stdout.lines().any(|shown| shown == line),
            "{line}: {run}"
        );
    }
}

#[test]
fn more_memory_than_one_launch_verifies_is_tested_in_pieces() {
    let driver = FakeDriver::new().with("CUDA_FREE_MIB", "264");
    let (code, report) = soak(&repository(), &driver, &["--memory", "100%"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["memory_bytes"], 264 << 20);
}

#[test]
fn wrong_results_are_unhealthy() {
    for (corrupt, words) in [
        ("turn", "wrong result at word 777777"),
        (
            "cell",
            "1 word(s) of the card's memory are wrong, the last one 16968 bytes",
        ),
        (
            "verify",
            "did not find a wrong word that was written on purpose",
        ),
    ] {
        let driver = FakeDriver::new().with("CUDA_CORRUPT", corrupt);
        let message = expect(&repository(), &driver, "unhealthy", 1);
        assert!(message.contains(words), "{corrupt}: {message}");
    }
    let damaged = FakeDriver::new().with("NVML_ECC_ERRORS", "2");
    expect(&repository(), &damaged, "unhealthy", 1);
}

#[test]
fn a_card_that_is_not_allowed_is_never_touched() {
    for library in ["NVML", "CUDA"] {
        let driver = FakeDriver::new()
            .with(&format!("{library}_CARDS"), "swapped")
            .logged();
        expect(&repository(), &driver, "wrong-card", 1);
        assert!(contexts(&driver).is_empty(), "{library}");
    }
    let driver = FakeDriver::new().logged();
    let (code, report) = soak(&repository(), &driver, &["--card", "1"]);
    assert_eq!(
        (code, &report["status"]),
        (1, &json!("wrong-card")),
        "{report:#}"
    );
    assert!(contexts(&driver).is_empty());
}

#[test]
fn of_several_cards_the_one_asked_for_is_used() {
    let both = repository_with(
        "version = 1\n\
         [[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"allowed\"\n\
         [[card]]\nname = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n\
         [gpu-check]\ndeadline-ms = 60000\n",
    );
    for (card, uuid) in [("0", FORBIDDEN_UUID), ("1", ALLOWED_UUID)] {
        let driver = FakeDriver::new().logged();
        let (code, report) = soak(&both, &driver, &["--card", card]);
        assert_eq!(code, 0, "{report:#}");
        assert_eq!(contexts(&driver), [uuid]);
        assert_eq!(report["samples"][0]["uuid"], uuid);
    }
}

#[test]
fn a_driver_that_hangs_is_given_up() {
    std::thread::scope(|scope| {
        for (library, call, phase) in [
            ("CUDA", "cuInit", "init"),
            ("CUDA", "cuMemGetInfo_v2", "allocate"),
            ("CUDA", "cuEventQuery", "allocate"),
            ("NVML", "nvmlDeviceGetTemperature", "soak"),
        ] {
            scope.spawn(move || {
                let repo = repository_with(&policy("deadline-ms = 4000"));
                let driver = FakeDriver::new()
                    .with(&format!("{library}_HANG"), call)
                    .logged();
                let message = expect(&repo, &driver, "timeout", 1);
                assert!(message.contains(&format!("`{phase}`")), "{call}: {message}");
                assert_no_process_is_left(&driver);
            });
        }
    });
}

#[test]
fn a_card_that_cannot_be_had_is_not_fine() {
    for (driver, status) in [
        (FakeDriver::absent(), "no-driver"),
        (FakeDriver::new().with("NVML_COMPUTE_MODE", "2"), "busy"),
        (FakeDriver::new().with("NVML_USED_MIB", "24500"), "busy"),
        (
            FakeDriver::new().with("CUDA_FAIL", "cuMemAllocAsync:2"),
            "busy",
        ),
    ] {
        expect(&repository(), &driver, status, 2);
    }
}

#[test]
fn heat_and_lost_memory_are_noted() {
    let driver = FakeDriver::new()
        .logged()
        .with("NVML_SLOWED_BY", "64")
        .with("NVML_LEAK_MIB", "100");
    let (code, report) = soak(&repository(), &driver, &[]);
    assert_eq!(code, 0, "{report:#}");
    let notes = report["notes"].to_string();
    for words in [
        "was slowed down in ",
        "(hw-thermal-slowdown)",
        "100 MiB more are in use",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let driver = FakeDriver::new().logged();
    let repo = repository();
    for arguments in [
        ["soak", "--minutes", "0"],
        ["soak", "--memory", "80"],
        ["soak", "--plot", "no/such/folder.svg"],
    ] {
        let run = gpu(&repo, &driver, &arguments);
        assert_eq!(run.code, 2, "{run}");
    }
    assert_eq!(driver.calls(), []);
}

/// Three seconds are more than it waits before it shows one.
#[test]
fn a_bar_is_shown_on_a_terminal() {
    let driver = FakeDriver::new();
    let repo = repository();
    let mut command = repo.command(program());
    command.args(["gpu", "soak", "--minutes", "0.05"]);
    let shown = on_terminal(driver.add_to(&mut command));
    assert!(
        shown.contains("soaking [") && shown.contains("/3 s, "),
        "{shown}"
    );
    let quiet = on_terminal(command.arg("--quiet"));
    assert!(!quiet.contains("soaking"), "{quiet}");
}

#[test]
fn ctrl_c_leaves_a_clean_terminal_and_what_was_seen() {
    let driver = FakeDriver::new().logged();
    let repo = repository();
    let mut command = repo.command(program());
    command.args(["gpu", "soak", "--minutes", "60", "--color", "never"]);
    let (status, shown) = interrupted(driver.add_to(&mut command), "/3600 s, ");
    assert_eq!(status.code(), Some(2), "{shown:?}");
    let last = shown.rsplit("\u{1b}[2K").next().unwrap();
    assert!(
        last.trim_start().starts_with("error: the soak was ended"),
        "{shown:?}"
    );
    assert!(
        !shown.contains("\u{1b}[?25l"),
        "the cursor is hidden: {shown:?}"
    );
    assert_no_process_is_left(&driver);
}

/// A soak for an hour that has begun to work.
fn begun(repo: &TestRepo, driver: &FakeDriver) -> Child {
    let mut command = repo.command(program());
    command
        .args(["gpu", "soak", "--minutes", "60", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = driver.add_to(&mut command).spawn().unwrap();
    wait_until("the card works", || {
        let calls = driver.calls();
        calls
            .iter()
            .filter(|(_, call)| call == "cuLaunchKernel")
            .count()
            > 200
    });
    child
}

#[test]
fn an_interrupt_ends_it_with_what_was_seen() {
    for signal in ["-INT", "-TERM"] {
        let driver = FakeDriver::new().logged();
        let repo = repository();
        let child = begun(&repo, &driver);
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, 2, "{run}");
        assert!(
            run.stderr.contains("error: the soak was ended after "),
            "{run}"
        );
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (&report["status"], &report["finished"]),
            (&json!("ok"), &json!(false))
        );
        assert!(report["rounds"].as_u64().unwrap() > 0, "{report:#}");
        assert!(report["samples"].as_array().unwrap().len() >= 2);
        assert_no_process_is_left(&driver);
    }
}

#[test]
fn the_child_ends_with_its_parent() {
    let driver = FakeDriver::new().logged();
    let repo = repository();
    let mut parent = begun(&repo, &driver);
    parent.kill().unwrap();
    parent.wait().unwrap();
    let (child, _) = driver.calls().last().unwrap().clone();
    let state = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    wait_until("the child is gone", || {
        state().is_empty() || state().contains(") Z ")
    });
}
