//! A program on a card that is not allowed, and what is said at the end.

use serde_json::{Value, json};

use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, program};

use super::{Guarded, WORDS, guarded, guarded_by, lives};

const NAME: &str = "NVIDIA GeForce RTX 5060 Ti";

/// Runs a script whose processes put their ids into the file `pids`, and that must be ended.
#[track_caller]
fn caught(guarded: &Guarded, script: &str) -> (Run, Value) {
    let (run, report) = guarded.reported(&[], script);
    assert_eq!(run.code, 97, "{run}");
    assert_eq!(report["outcome"], "violation", "{report:#}");
    assert_eq!(report["exit_code"], 97);
    assert_eq!(report["ended_by_guard"], true);
    assert_eq!(report["left_running"], json!([]));
    let pids = String::from_utf8(guarded.repo.read("pids")).unwrap();
    for process in pids.lines() {
        assert!(!lives(process), "{process} lives: {run}");
    }
    let last = pids.lines().last().unwrap();
    let words = format!("gpuguard: process {last} (sh) ");
    assert!(run.stderr.contains(&words), "{words}: {run}");
    (run, report)
}

#[test]
fn a_program_on_a_forbidden_card_is_ended() {
    let guarded = guarded();
    let (run, report) = caught(
        &guarded,
        "echo $$ > pids; use 0; while :; do sleep 60; done",
    );
    assert!(
        run.stderr.contains(&format!(
            " computes on {NAME}, which is not allowed; it is ended\n"
        )),
        "{run}"
    );
    assert!(run.stderr.contains("; the program was ended\n"), "{run}");
    let violation = &report["violations"][0];
    assert_eq!(violation["uuid"], FORBIDDEN_UUID);
    assert_eq!(violation["card"], NAME);
    assert_eq!(violation["kind"], "compute");
    assert_eq!(violation["bytes"], 1 << 20);
    assert_eq!(report["program_code"], 143);
    assert_eq!(report["violations"].as_array().unwrap().len(), 1);
}

#[test]
fn one_that_was_there_between_two_looks_is_known_by_the_drivers_samples() {
    let guarded = guarded();
    // It lives until it has been looked at, works on the card, and is gone at the next look.
    let inner = "echo $$ > pids; echo \"1 $$ 1\" >> \"$USES\"; \
                 until [ \"$(grep -c \" listed $$ on 1\" \"$CALLS\")\" -ge 2 ]; do sleep 0.02; done";
    let script = format!(
        "sh -c '{inner}'; echo \"0 $(cat pids) 0 sampled\" >> \"$USES\"; while :; do sleep 60; done"
    );
    let (run, report) = caught(&guarded, &script);
    assert!(run.stderr.contains(") worked on "), "{run}");
    assert_eq!(report["violations"][0]["kind"], "sampled");
    assert_eq!(report["violations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_process_that_nobody_knows_is_said_and_is_no_violation() {
    let script = "echo \"0 4194999 0 sampled\" >> \"$USES\"; use 1; seen 1";
    let (run, report) = guarded().reported(&[], script);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(report["untold"], json!([4_194_999]));
    assert!(
        run.stderr
            .contains("cannot be told whose these processes there are: 4194999\n"),
        "{run}"
    );
    // What worked there before the start is no question.
    let guarded = guarded();
    std::fs::write(&guarded.uses, "0 4194999 0 sampled\n").unwrap();
    let (_, report) = guarded.reported(&[], "use 1; seen 1");
    assert_eq!(report["untold"], json!([]));
}

#[test]
fn so_is_one_that_draws_or_computes_through_the_service() {
    for (kind, words) in [
        ("graphics", " draws on "),
        ("mps", " computes (multi-process service) on "),
    ] {
        let script = format!("echo $$ > pids; use 0 1 {kind}; while :; do sleep 60; done");
        let (run, report) = caught(&guarded(), &script);
        assert!(run.stderr.contains(words), "{run}");
        assert_eq!(report["violations"][0]["kind"], kind);
    }
}

#[test]
fn a_grandchild_counts_and_one_that_has_left_its_parents_too() {
    let inner = "echo $$ >> pids; echo \"0 $$ 1\" >> \"$USES\"; while :; do sleep 60; done";
    for script in [
        format!("echo $$ > pids; sh -c 'sh -c \"$0\"; :' '{inner}'; :"),
        // A daemon: another session, and its parent is gone.
        format!(
            "echo $$ > pids; (setsid sh -c '{inner}' >/dev/null 2>&1 &); while :; do sleep 60; done"
        ),
        // Likewise, with the program itself gone as well.
        format!(
            "(setsid sh -c '{inner}' >/dev/null 2>&1 &); until grep -q . \"$USES\"; do sleep 0.02; done"
        ),
    ] {
        caught(&guarded(), &script);
    }
}

#[test]
fn one_that_does_not_want_to_end_is_killed() {
    let stubborn = "trap '' TERM; echo $$ > pids; use 0; while :; do sleep 60; done";
    let guarded = guarded_by(FakeDriver::new(), "every-ms = 50\ngrace-ms = 100");
    let (_, report) = caught(&guarded, stubborn);
    assert_eq!(report["program_code"], 137);
}

#[test]
fn the_policy_can_let_it_go_on_and_the_exit_code_still_says_it() {
    let script = "use 0; seen 0; echo done; exit 5";
    let run_to_the_end = |guarded: &Guarded, options: &[&str]| {
        let (run, report) = guarded.reported(options, script);
        assert_eq!((run.code, &*run.stdout), (97, "done\n"), "{run}");
        assert!(!run.stderr.contains("ended"), "{run}");
        assert_eq!(report["program_code"], 5);
        assert_eq!(report["ended_by_guard"], false);
    };
    let policy = "every-ms = 50\non-violation = \"report\"";
    run_to_the_end(&guarded_by(FakeDriver::new(), policy), &[]);
    run_to_the_end(&guarded(), &["--on-violation", "report"]);
}

#[test]
fn others_on_the_forbidden_card_are_none_of_the_programs() {
    let guarded = guarded();
    let mut stranger = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    std::fs::write(&guarded.uses, format!("0 {} 1\n", stranger.id())).unwrap();
    let script = format!(
        "until [ \"$(grep -c ' listed {} on 0' \"$CALLS\")\" -ge 4 ]; do sleep 0.02; done",
        stranger.id()
    );
    let (run, report) = guarded.reported(&[], &script);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(report["outcome"], "clean", "{report:#}");
    assert_eq!(report["violations"], json!([]));
    assert_eq!(report["untold"], json!([]));
    assert!(report["looks"].as_u64().unwrap() >= 3, "{report:#}");
    assert_eq!(report["every_ms"], 50);
    assert_eq!(report["forbidden"], json!([NAME]));
    let words = if report["limits"] == json!([]) {
        "never touched"
    } else {
        "not seen on"
    };
    let words = format!(
        "gpuguard: {words} {NAME} (looked {} times, every 50 ms)",
        report["looks"]
    );
    assert!(run.stderr.contains(&words), "{run}");
}

#[test]
fn peak_time_and_memory_not_given_back_are_said() {
    let script = "use 1 3221225472; seen 1; echo \"1 0 104857600\" >> \"$USES\"";
    let (run, report) = guarded().reported(&[], script);
    assert_eq!(run.code, 0, "{run}");
    let card = &report["cards"][0];
    assert_eq!(card["uuid"], ALLOWED_UUID);
    assert_eq!(card["peak_bytes"], 3_u64 << 30);
    assert_eq!(card["peak_is_estimate"], false);
    assert!(card["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(card["used_before_bytes"], 512 << 20);
    assert_eq!(card["not_given_back_bytes"], 100 << 20);
    assert!(run.stderr.contains("RTX 3090: at most 3072 MiB, "), "{run}");
    assert!(run.stderr.contains(", 100 MiB NOT given back\n"), "{run}");
    let (run, report) = guarded().reported(&[], "use 1; seen 1");
    assert_eq!(report["cards"][0]["not_given_back_bytes"], 0, "{run}");
    assert!(run.stderr.contains(", all memory given back\n"), "{run}");
    let quiet = guarded().script(&["--quiet"], "use 1; seen 1");
    assert_eq!((quiet.code, &*quiet.stderr), (0, ""), "{quiet}");
}

#[test]
fn where_the_driver_tells_no_processs_memory_the_cards_is_the_estimate() {
    let driver = FakeDriver::new().with("NVML_NO_PROCESS_MEMORY", "1");
    let guarded = guarded_by(driver, "every-ms = 50");
    let (run, report) = guarded.reported(&[], "use 1 1073741824; seen 1");
    assert_eq!(report["cards"][0]["peak_bytes"], 1 << 30, "{run}");
    assert_eq!(report["cards"][0]["peak_is_estimate"], true);
    assert!(run.stderr.contains("at most about 1024 MiB"), "{run}");
}

#[test]
fn a_driver_that_keeps_no_list_or_a_wrong_one_is_a_limit() {
    for (function, limit) in [
        (
            "nvmlDeviceGetGraphicsRunningProcesses_v3",
            "no-graphics-list",
        ),
        ("nvmlDeviceGetMPSComputeRunningProcesses_v3", "no-mps-list"),
        ("nvmlDeviceGetProcessUtilization", "no-samples"),
    ] {
        let driver = FakeDriver::new().without_function(function);
        let (run, report) = guarded_by(driver, "every-ms = 50").reported(&[], "use 1; seen 1");
        assert_eq!(run.code, 0, "{run}");
        let limits = report["limits"].as_array().unwrap();
        assert!(limits.contains(&json!(limit)), "{report:#}");
        assert!(!run.stderr.contains("never touched"), "{run}");
    }
    let driver = FakeDriver::new().with("NVML_VERSION", "535.54.03");
    let (_, report) = guarded_by(driver, "every-ms = 50").reported(&[], "use 1; seen 1");
    assert!(
        report["limits"]
            .as_array()
            .unwrap()
            .contains(&json!("driver-lists"))
    );
}

#[test]
fn in_a_container_the_ids_may_be_others_and_nothing_is_promised() {
    let guarded = guarded();
    let namespace = [
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
    ];
    let can = std::process::Command::new("unshare")
        .args(namespace)
        .arg("true")
        .output();
    if !can.unwrap().status.success() {
        return;
    }
    let inner = guarded.command(&["--report", "report.json"], &["true"]);
    let mut command = guarded.repo.command("unshare");
    command
        .args(namespace)
        .arg(inner.get_program())
        .args(inner.get_args());
    let run = Run::from(guarded.driver.add_to(&mut command).output().unwrap());
    assert_eq!(run.code, 0, "{run}");
    let report: Value = serde_json::from_slice(&guarded.repo.read("report.json")).unwrap();
    assert!(
        report["limits"]
            .as_array()
            .unwrap()
            .contains(&json!("container"))
    );
    let words = format!("gpuguard: not seen on {NAME} (looked ");
    assert!(run.stderr.contains(&words), "{run}");
    assert!(
        run.stderr.contains("gpuguard: note: this is a container "),
        "{run}"
    );
}

#[test]
fn a_watch_that_breaks_off_is_said_and_taken_up_again() {
    let end_the_watch = "kill -9 $(grep ' listed '$$ \"$CALLS\" | tail -n 1 | cut -d ' ' -f 1)";
    let script = format!(
        "use 1; seen 1; {end_the_watch}; rm \"$CALLS\"; echo > \"$CALLS.gone\"; \
         until [ -e \"$CALLS\" ]; do sleep 0.02; done; seen 1"
    );
    let (run, report) = guarded().reported(&[], &script);
    assert_eq!(run.code, 0, "{run}");
    assert!(report["failed_looks"].as_u64().unwrap() >= 1, "{report:#}");
    assert_eq!(report["outcome"], "clean");
    assert!(
        run.stderr.contains("gpuguard: the cards cannot be seen: "),
        "{run}"
    );
    assert!(run.stderr.contains("NVML gave no answer 1 of "), "{run}");
    let words = format!("gpuguard: not seen on {NAME} (looked ");
    assert!(run.stderr.contains(&words), "{run}");
    assert!(run.stderr.contains("), but for up to "), "{run}");
}

#[test]
fn what_worked_while_the_watch_was_taken_up_again_is_seen() {
    let end_the_watch = "kill -9 $(grep ' listed '$$ \"$CALLS\" | tail -n 1 | cut -d ' ' -f 1)";
    let script = format!(
        "echo $$ > pids; use 1; seen 1; echo \"0 $$ 0 sampled\" > later; {end_the_watch}; \
         cat later >> \"$USES\"; for n in 1 2 3; do sleep 5; done"
    );
    caught(&guarded(), &script);
}

#[test]
fn a_program_that_was_removed_meanwhile_can_still_watch() {
    let guarded = guarded();
    let copy = guarded.repo.beside("gpuguard-copy");
    // Another name where that can be, since it is large.
    if std::fs::hard_link(program(), &copy).is_err() {
        std::fs::copy(program(), &copy).unwrap();
    }
    let end_the_watch = "kill -9 $(grep ' listed '$$ \"$CALLS\" | tail -n 1 | cut -d ' ' -f 1)";
    let script = format!(
        "{WORDS}\nuse 1; seen 1; rm {}; {end_the_watch}; rm \"$CALLS\"; \
         until [ -e \"$CALLS\" ]; do sleep 0.02; done; seen 1",
        copy.display()
    );
    let inner = guarded.command(&[], &["sh", "-c", &script]);
    let mut command = guarded.repo.command(&copy);
    command.args(inner.get_args());
    let command = guarded.driver.add_to(&mut command);
    command
        .env("USES", &guarded.uses)
        .env("CALLS", guarded.driver.folder().join("calls"));
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("NVML gave no answer 1 of "), "{run}");
}

#[test]
fn a_program_that_has_ended_at_the_first_look_is_known() {
    let guarded = guarded_by(FakeDriver::new(), "every-ms = 60000");
    let (run, report) = guarded.reported(&[], "echo \"0 $$ 0 sampled\" >> \"$USES\"; exit 0");
    assert_eq!(run.code, 97, "{run}");
    assert_eq!(report["violations"][0]["name"], "sh", "{report:#}");
}

#[test]
fn a_driver_that_hangs_in_the_midst_is_said_and_nothing_is_claimed() {
    const LIST: &str = "nvmlDeviceGetComputeRunningProcesses_v3";
    let driver = FakeDriver::new();
    let hang = driver.folder().join("hang");
    let driver = driver
        .with("NVML_HANG", LIST)
        .with("NVML_HANG_WHEN", &hang.display().to_string());
    let guarded = guarded_by(driver, "every-ms = 50");
    let policy = String::from_utf8(guarded.repo.read("gpuguard.toml")).unwrap();
    guarded
        .repo
        .write("gpuguard.toml", policy.replace("60000", "4000"));
    let script = format!("use 1; seen 1; : > {}; exit 0", hang.display());
    let (run, report) = guarded.reported(&[], &script);
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(report["outcome"], "not-watched", "{report:#}");
    assert_eq!(report["program_code"], 0);
    let words = "gpuguard: the cards cannot be seen: the driver did not answer within 4000 ms";
    assert!(run.stderr.contains(words), "{run}");
    let words = format!("gpuguard: it cannot be said whether it touched {NAME}");
    assert!(run.stderr.contains(&words), "{run}");
    for (process, call) in guarded.driver.calls() {
        assert!(!lives(&process.to_string()), "{call}: {process} lives");
    }
}

#[test]
fn what_goes_on_after_the_program_is_named() {
    let (run, report) = guarded().reported(&[], "sleep 600 >/dev/null 2>&1 & echo $!");
    let process = run.stdout.trim();
    assert!(lives(process), "{run}");
    let killed = std::process::Command::new("kill")
        .arg(process)
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        report["left_running"],
        json!([process.parse::<u32>().unwrap()])
    );
    let words = format!("gpuguard: still running, and watched no more: {process}\n");
    assert!(run.stderr.contains(&words), "{run}");
    assert!(!run.stderr.contains("never touched"), "{run}");
    assert!(
        run.stderr
            .contains("what it left running is watched no more"),
        "{run}"
    );
}

#[test]
fn nothing_of_the_guard_is_left() {
    let guarded = guarded();
    guarded.script(&[], "use 1; seen 1");
    for (process, call) in guarded.driver.calls() {
        assert!(!lives(&process.to_string()), "{call}: {process} lives");
    }
}
