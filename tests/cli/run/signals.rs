//! Signals, the terminal and job control are the program's own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::guarded;
use crate::support::{Run, program};

#[test]
fn a_signal_to_the_guard_is_the_programs() {
    let guarded = guarded();
    for (name, code) in [("TERM", 5), ("HUP", 6), ("USR1", 7), ("INT", 8)] {
        let script = "trap 'exit 5' TERM; trap 'exit 6' HUP; trap 'exit 7' USR1; \
                      trap 'exit 8' INT; echo ready; while :; do sleep 0.05; done";
        let mut command = guarded.command(&[], &["sh", "-c", script]);
        let mut guard = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(guard.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert_eq!(ready, "ready\n");
        let sent = Command::new("kill")
            .args(["-s", name, &guard.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        assert_eq!(guard.wait().unwrap().code(), Some(code), "{name}");
    }
}

#[test]
fn a_shell_stops_its_script_when_the_program_was_interrupted() {
    use std::os::unix::process::ExitStatusExt;
    let guarded = guarded();
    for options in [&[][..], &["--no-watch"]] {
        let mut command = guarded.command(options, &["sh", "-c", "kill -INT $$"]);
        let status = command.output().unwrap().status;
        assert_eq!(status.signal(), Some(2), "{options:?}");
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    let guarded = guarded();
    let mut command = guarded.repo.command("sh");
    command
        .args([
            "-c",
            "trap '' HUP; exec \"$0\" run -- sh -c 'kill -HUP $$; echo alive'",
        ])
        .arg(program());
    let run = Run::from(guarded.driver.add_to(&mut command).output().unwrap());
    assert_eq!((run.code, &*run.stdout), (0, "alive\n"), "{run}");
}

#[test]
fn the_program_has_the_terminal_and_its_keys() {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs: OwnedFd =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let guarded = guarded();
    let script = "trap 'echo interrupted; exit 7' INT; test -t 0 && test -t 1 && echo ready; \
                  while :; do sleep 0.05; done";
    let inner = guarded.command(&[], &["sh", "-c", script]);
    // The terminal becomes that of a new session, as in a terminal's window.
    let mut command = guarded.repo.command("setsid");
    command
        .args(["--ctty", "--wait"])
        .arg(inner.get_program())
        .args(inner.get_args());
    guarded
        .driver
        .add_to(&mut command)
        .stdin(Stdio::from(theirs.try_clone().unwrap()))
        .stdout(Stdio::from(theirs))
        .stderr(Stdio::null());
    let mut guard = command.spawn().unwrap();
    drop(command);
    let mut terminal = File::from(ours);
    let mut shown = String::new();
    let mut buffer = [0; 256];
    let mut read_until = |words: &str, terminal: &mut File| {
        while !shown.contains(words) {
            let count = terminal.read(&mut buffer).unwrap();
            shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    read_until("ready", &mut terminal);
    terminal.write_all(b"\x03").unwrap();
    read_until("interrupted", &mut terminal);
    assert_eq!(guard.wait().unwrap().code(), Some(7));
}
