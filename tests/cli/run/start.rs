//! What a program is started with, and when it is not.

use crate::support::fake_driver::{ALLOWED_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

use super::{Guarded, guarded, guarded_by};

#[test]
fn the_program_gets_the_policys_environment_and_everything_else_as_it_was() {
    let guarded = guarded();
    let script = "echo $CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES $OTHER";
    let mut command = guarded.command(&[], &["sh", "-c", script]);
    command
        .env("CUDA_VISIBLE_DEVICES", "0")
        .env("CUDA_INJECTION64_PATH", "/nonexistent.so")
        .env("OTHER", "kept");
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout, "PCI_BUS_ID 1 kept\n", "{run}");
    for words in [
        "gpuguard: CUDA_VISIBLE_DEVICES=0 is replaced by 1\n",
        "gpuguard: CUDA_INJECTION64_PATH=/nonexistent.so is not passed on\n",
    ] {
        assert!(run.stderr.contains(words), "{run}");
    }
    let by_uuid = guarded.run(&["--id", "uuid"], &["sh", "-c", script]);
    assert_eq!(by_uuid.stdout, format!("PCI_BUS_ID {ALLOWED_UUID}\n"));
}

#[test]
fn no_shell_reads_the_command_and_input_and_output_are_its_own() {
    let guarded = guarded();
    let run = guarded.run(&[], &["printf", "%s\n", "$HOME;*", "a  b"]);
    assert_eq!(run.stdout, "$HOME;*\na  b\n", "{run}");
    let input = guarded.repo.path().join("gpuguard.toml");
    let mut command = guarded.command(&[], &["sh", "-c", "cat; echo why >&2"]);
    command.stdin(std::fs::File::open(&input).unwrap());
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.stdout, std::fs::read_to_string(&input).unwrap());
    assert!(run.stderr.contains("why\n"), "{run}");
}

#[test]
fn the_exit_code_is_the_programs_or_what_a_shell_would_say() {
    let guarded = guarded();
    for (script, code) in [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
    ] {
        let run = guarded.run(&[], &["sh", "-c", script]);
        assert_eq!(run.code, code, "{script}: {run}");
    }
    // A folder on PATH that cannot be searched would be another error.
    let mut command = guarded.command(&[], &["no-such-program"]);
    let run = Run::from(command.env("PATH", "/usr/bin:/bin").output().unwrap());
    assert_eq!(run.code, 127, "{run}");
    assert!(
        run.stderr
            .starts_with("error: `no-such-program` cannot be started\n"),
        "{run}"
    );
    let run = guarded.run(&[], &["./gpuguard.toml"]);
    assert_eq!(run.code, 126, "{run}");
    let run = guarded.repo.gpuguard(&["run", "--"]);
    assert_eq!(run.code, 2, "{run}");
}

/// Runs what must not be started.
#[track_caller]
fn refused(guarded: &Guarded, options: &[&str], code: i32, words: &str) {
    let run = guarded.run(options, &["touch", "started"]);
    assert_eq!(run.code, code, "{run}");
    assert!(run.stderr.contains("the program was not started"), "{run}");
    assert!(run.stderr.contains(words), "{run}");
    assert!(run.stderr.contains("hint: "), "{run}");
    assert!(!guarded.repo.exists("started"), "{run}");
}

#[test]
fn on_a_wrong_card_nothing_is_started() {
    let quick = "every-ms = 50";
    let swapped = |library: &str| FakeDriver::new().with(library, "swapped");
    let nvml = guarded_by(swapped("NVML_CARDS"), quick);
    refused(&nvml, &[], 1, "not `RTX 3090`");
    let cuda = guarded_by(swapped("CUDA_CARDS"), quick);
    refused(&cuda, &[], 1, "`cuda:0` is the card");
    refused(&cuda, &["--no-watch"], 1, "`cuda:0` is the card");
    let corrupt = guarded_by(FakeDriver::new().with("CUDA_CORRUPT", "kernel"), quick);
    refused(&corrupt, &[], 1, "wrong result");
}

#[test]
fn what_cannot_be_asked_is_not_trusted() {
    let quick = "every-ms = 50";
    let absent = guarded_by(FakeDriver::absent(), quick);
    refused(
        &absent,
        &[],
        2,
        "`gpuguard run --no-watch` starts it without",
    );
    let no_cuda = guarded_by(FakeDriver::new().without_cuda(), quick);
    refused(&no_cuda, &[], 2, "libcuda.so.1");
    for (function, code) in [
        ("nvmlInit_v2", 18),
        ("nvmlDeviceGetComputeRunningProcesses_v3", 999),
    ] {
        let failing = FakeDriver::new().with("NVML_FAIL", &format!("{function}:{code}"));
        refused(&guarded_by(failing, quick), &[], 2, "NVML: ");
    }
    let old = FakeDriver::new().without_function("nvmlDeviceGetComputeRunningProcesses_v3");
    let words = "no function `nvmlDeviceGetComputeRunningProcesses_v3`";
    refused(&guarded_by(old, quick), &[], 2, words);
}

#[test]
fn a_driver_that_hangs_is_not_waited_for() {
    for function in ["nvmlInit_v2", "nvmlDeviceGetComputeRunningProcesses_v3"] {
        let hanging = FakeDriver::new().with("NVML_HANG", function);
        let guarded = guarded_by(hanging, "every-ms = 50");
        let policy = String::from_utf8(guarded.repo.read("gpuguard.toml")).unwrap();
        guarded
            .repo
            .write("gpuguard.toml", policy.replace("60000", "1500"));
        refused(&guarded, &[], 2, "did not answer within 1500 ms");
    }
}

#[test]
fn without_a_driver_it_is_started_only_for_those_who_say_so() {
    let absent = guarded_by(FakeDriver::absent(), "every-ms = 50");
    let run = absent.run(
        &["--no-watch"],
        &["sh", "-c", "echo $CUDA_VISIBLE_DEVICES; exit 4"],
    );
    assert_eq!((run.code, &*run.stdout), (4, "1\n"), "{run}");
    assert!(
        run.stderr.contains("gpuguard: the card was not checked: "),
        "{run}"
    );
    assert!(!run.stderr.contains("never touched"), "{run}");
    let by_uuid = absent.run(&["--no-watch", "--id", "uuid"], &["true"]);
    assert_eq!(by_uuid.code, 2, "{by_uuid}");
}

#[test]
fn a_busy_card_that_was_identified_is_the_programs_own_affair() {
    let full = FakeDriver::new().with("CUDA_FAIL", "cuMemAllocAsync:2");
    let run = guarded_by(full, "every-ms = 50").run(&[], &["true"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the card is busy: "), "{run}");
    let prohibited = FakeDriver::new().with("NVML_COMPUTE_MODE", "2");
    refused(
        &guarded_by(prohibited, "every-ms = 50"),
        &[],
        1,
        "prohibited",
    );
}

#[test]
fn a_full_card_is_identified_without_a_context_and_is_the_programs_own_affair() {
    let full = FakeDriver::new().with("NVML_USED_MIB", "24200");
    let guarded = guarded_by(full, "every-ms = 50");
    let run = guarded.run(&[], &["true"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the card is busy: "), "{run}");
    let calls = guarded.driver.calls();
    assert!(calls.iter().any(|(_, call)| call.contains("cuInit")));
    assert!(!calls.iter().any(|(_, call)| call.contains("context on")));
}

#[test]
fn which_card_cuda_shows_is_looked_up_anew_even_where_its_kernel_is_known() {
    let mut guarded = guarded();
    let mut command = guarded.repo.command(program());
    command.args(["gpu", "check"]);
    let check = Run::from(guarded.driver.add_to(&mut command).output().unwrap());
    assert_eq!(check.code, 0, "{check}");
    let run = guarded.run(&[], &["true"]);
    assert_eq!(run.code, 0, "{run}");
    let contexts = |(_, call): &(u32, String)| call.contains("context on");
    assert_eq!(
        guarded.driver.calls().into_iter().filter(contexts).count(),
        1
    );
    guarded.driver = guarded.driver.with("CUDA_FAIL", "cuInit:999");
    refused(&guarded, &[], 1, "CUDA_ERROR_UNKNOWN (999)");
}

#[test]
fn a_report_goes_to_where_it_is_wanted_or_nothing_is_started() {
    let guarded = guarded();
    std::os::unix::fs::symlink("real.json", guarded.repo.path().join("link.json")).unwrap();
    let run = guarded.run(&["--report", "link.json"], &["true"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(guarded.repo.path().join("link.json").is_symlink());
    assert!(guarded.repo.exists("real.json"), "{run}");
    let run = guarded.run(&["--report", "/dev/stdout"], &["true"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("\"outcome\": \"clean\""), "{run}");
    for place in ["none/x.json", "."] {
        let run = guarded.run(&["--report", place], &["touch", "started"]);
        assert_eq!(run.code, 2, "{run}");
        let words = format!(
            "error: the report `{place}` cannot be written
"
        );
        assert!(run.stderr.starts_with(&words), "{run}");
        assert!(!guarded.repo.exists("started"), "{run}");
    }
}

#[test]
fn the_watch_can_be_left_out() {
    let guarded = guarded();
    let run = guarded.run(&["--no-watch"], &["true"]);
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
    let calls = guarded.driver.calls();
    assert!(
        calls
            .iter()
            .all(|(_, call)| !call.contains("RunningProcesses"))
    );
    let run = guarded.run(&["--no-watch", "--report", "x"], &["true"]);
    assert_eq!(run.code, 2, "{run}");
}

#[test]
fn without_a_policy_nothing_is_started() {
    let repo = TestRepo::new();
    let mut command = repo.command(program());
    command.args(["run", "--", "touch", "started"]);
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 2, "{run}");
    assert!(!repo.exists("started"));
}

#[test]
fn the_keys_of_the_policy_have_ranges() {
    for (keys, words) in [
        ("every-ms = 49", "give 50 to 60000 milliseconds"),
        ("grace-ms = 600001", "give 0 to 600000 milliseconds"),
        ("on-violation = \"stop\"", "known here: end, report"),
    ] {
        let run = guarded_by(FakeDriver::new(), keys).run(&[], &["true"]);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(words), "{run}");
    }
}
