//! What a terminal shows and a pipe does not: colour, and signs that something goes on.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::fake_driver::FakeDriver;
use crate::support::{Run, TestRepo, program};

/// Runs `command` with its stderr on a terminal; gives what the terminal got.
pub(super) fn on_terminal(command: &mut Command) -> String {
    on_terminal_of(command, 80)
}

/// The same for a terminal of so many columns.
fn on_terminal_of(command: &mut Command, columns: u16) -> String {
    shown(command, columns, |_, _| {}).1
}

/// Ends `command` with Ctrl+C as soon as the terminal shows `sign`; gives how it ended and what the
/// terminal got.
pub(super) fn interrupted(command: &mut Command, sign: &str) -> (ExitStatus, String) {
    let mut sent = false;
    shown(command, 80, |child, text| {
        if !sent && text.contains(sign) {
            sent = true;
            let pid = child.to_string();
            let kill = Command::new("kill").args(["-INT", &pid]).status();
            assert!(kill.unwrap().success());
        }
    })
}

/// Runs `command` with its stderr on a terminal. `watch` gets its process id and all that the
/// terminal got so far, whenever something came.
fn shown(
    command: &mut Command,
    columns: u16,
    mut watch: impl FnMut(u32, &str),
) -> (ExitStatus, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs: OwnedFd =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let size = rustix::termios::Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&theirs, size).unwrap();
    command
        .env("TERM", "xterm-256color")
        .stdout(Stdio::null())
        .stderr(Stdio::from(theirs));
    let mut child = command.spawn().unwrap();
    // The command holds the terminal's other side until it is gone.
    command.stderr(Stdio::null());
    let mut bytes = Vec::new();
    let mut terminal = File::from(ours);
    let mut buffer = [0; 4096];
    // The terminal ends with an error (EIO) when its other side is closed.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        watch(child.id(), &String::from_utf8_lossy(&bytes));
    }
    let status = child.wait().unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// What a terminal shows in the end: without the lines that were taken away again.
fn left_over(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        // Carriage return and "erase in line" (ECMA-48) leave nothing of what stood there.
        let kept = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
        let kept = kept.trim_end_matches('\r');
        kept.rsplit('\r').next().unwrap_or_default()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// It ended as Ctrl+C ends a program, said so, and left a clean terminal with its cursor.
#[track_caller]
fn assert_ended_cleanly((status, text): &(ExitStatus, String), said: &str) {
    assert_eq!(status.signal(), Some(2), "{text:?}");
    assert_eq!(left_over(text), format!("error: {said}\n"), "{text:?}");
    assert!(
        !text.contains("\u{1b}[?25l"),
        "the cursor is hidden: {text:?}"
    );
}

/// A repository in which something bad is staged.
fn with_a_bad_file() -> TestRepo {
    let repo = TestRepo::with_policy();
    repo.write("a.py", "import torch\nd = torch.device(\"cuda:1\")\n");
    repo.git(&["add", "."]);
    repo
}

fn hook(repo: &TestRepo) -> Command {
    let mut command = repo.command(program());
    command.args(["hook", "run", "pre-commit"]);
    command
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let repo = with_a_bad_file();
    // Not what moves the cursor: on a busy machine a line says what is waited for.
    let is_colour = |rest: &str| {
        let end = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        end.starts_with('m')
    };
    let coloured = |text: &str| text.split("\u{1b}[").skip(1).any(is_colour);
    let shown = on_terminal(&mut hook(&repo));
    assert!(shown.contains("commit refused"), "{shown}");
    assert!(coloured(&shown), "{shown}");
    assert!(!coloured(&on_terminal(hook(&repo).env("NO_COLOR", "1"))));
    assert!(!coloured(&on_terminal(
        hook(&repo).args(["--color", "never"])
    )));
    let piped = |command: &mut Command| Run::from(command.output().unwrap()).stderr;
    assert!(!coloured(&piped(&mut hook(&repo))));
    assert!(coloured(&piped(hook(&repo).args(["--color", "always"]))));
    assert!(coloured(&piped(hook(&repo).env("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&piped(
        hook(&repo).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")
    )));
    let broken = TestRepo::new();
    broken.write("gpuguard.toml", "?");
    assert!(coloured(&on_terminal(&mut hook(&broken))));
    assert!(!coloured(&piped(&mut hook(&broken))));
}

/// Code that takes long to scan, under so many names.
fn slow_code(repo: &TestRepo, lines: usize, names: usize) {
    let line = "x = [torch.device('cuda:1'), {'a': 1, 'b': (2, 3)}]\n";
    repo.write("slow/0.py", format!("import torch\n{}", line.repeat(lines)));
    for at in 1..names {
        let name = repo.path().join(format!("slow/{at}.py"));
        std::fs::hard_link(repo.path().join("slow/0.py"), name).unwrap();
    }
}

#[test]
fn a_long_scan_tells_how_far_it_is_and_ends_cleanly_with_ctrl_c() {
    let repo = TestRepo::with_policy();
    slow_code(&repo, 400, 400);
    let mut scan = repo.command(program());
    scan.args(["scan", "--color", "never"]);
    let ended = interrupted(&mut scan, "/401 files, ");
    let text = &ended.1;
    assert!(
        text.contains("scanning [") && text.contains(" left"),
        "{text:?}"
    );
    assert_ended_cleanly(&ended, "interrupted: nothing was judged");
}

#[test]
fn what_is_staged_is_counted_too_and_ends_cleanly_with_ctrl_c() {
    let repo = TestRepo::with_policy();
    slow_code(&repo, 300, 1_000);
    repo.git(&["add", "."]);
    let mut scan = repo.command(program());
    scan.args(["scan", "--staged", "--color", "never"]);
    let ended = interrupted(&mut scan, "/1000 files, ");
    assert_ended_cleanly(&ended, "interrupted: nothing was judged");
}

#[test]
fn a_report_counts_too_and_leaves_nothing_behind_with_ctrl_c() {
    let repo = TestRepo::with_policy();
    slow_code(&repo, 100, 800);
    repo.commit_all("as it was");
    repo.git(&["tag", "then"]);
    repo.git(&["rm", "-r", "--quiet", "slow"]);
    repo.commit_all("all gone");
    let mut report = repo.command(program());
    report.args(["report", "--since", "then", "--output", "report.html"]);
    let ended = interrupted(report.args(["--color", "never"]), "/800 files, ");
    assert!(ended.1.contains("scanning then ["), "{:?}", ended.1);
    assert_ended_cleanly(&ended, "interrupted: no report was made");
    assert!(!repo.exists("report.html"));
}

#[test]
fn a_narrow_terminal_gets_narrow_lines() {
    let repo = with_a_bad_file();
    let shown = on_terminal_of(hook(&repo).env("NO_COLOR", "1"), 44);
    let finding = shown.split("\r\n\r\n").nth(1).unwrap();
    for line in finding.lines() {
        assert!(line.chars().count() <= 44, "{line:?} in\n{shown}");
    }
    for part in ["GG001", "note: ", "torch.device(\"cuda:1\")"] {
        assert!(finding.contains(part), "no {part:?} in\n{shown}");
    }
}

#[test]
fn a_locale_of_ascii_gets_ascii() {
    let repo = TestRepo::with_policy();
    repo.write(
        "café.py",
        "import torch\n# é\nx = 'é', torch.device('cuda:1')\n",
    );
    repo.git(&["add", "."]);
    let shown = |locale: &str| on_terminal(hook(&repo).env("NO_COLOR", "1").env("LC_ALL", locale));
    let plain = shown("C");
    assert!(plain.is_ascii(), "{plain}");
    for part in ["caf\\u{e9}.py:3:", "x = '\\u{e9}', torch"] {
        assert!(plain.contains(part), "no {part:?} in\n{plain}");
    }
    let lines: Vec<&str> = plain.lines().collect();
    let at = lines
        .iter()
        .rposition(|line| line.contains(" | x = "))
        .unwrap();
    assert_eq!(
        lines[at].find("'cuda:1'"),
        lines[at + 1].find('^'),
        "{plain}"
    );
    assert!(shown("C.UTF-8").contains("café.py"));
}

#[test]
fn long_work_shows_that_it_goes_on_and_only_on_a_terminal() {
    let repo = TestRepo::with_policy();
    let preset = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write(
        "gpuguard.toml",
        preset.replace("deadline-ms = 5000", "deadline-ms = 1500"),
    );
    // A driver that never answers: the work takes as long as the policy lets it.
    let driver = FakeDriver::new().with("NVML_HANG", "nvmlInit_v2");
    let check = |arguments: &[&str]| {
        let mut command = repo.command(program());
        command.args(["gpu", "check"]).args(arguments);
        driver.add_to(&mut command);
        command
    };
    assert!(on_terminal(&mut check(&[])).contains("checking the card"));
    assert!(!on_terminal(&mut check(&["--quiet"])).contains("checking the card"));
    let piped = Run::from(check(&[]).output().unwrap());
    assert!(!piped.stderr.contains("checking the card"), "{piped}");
}
