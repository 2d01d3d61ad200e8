//! Another program under a deadline: whatever it does, its caller goes on.
//!
//! Knows nothing of what the program is. `git` is started in [`crate::git`], which waits for it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// How long a killed program has to die. One that sits in a driver call may not die at all.
const DEATH: Duration = Duration::from_millis(500);

/// How long output is waited for once the program is gone; only a program of its own that still
/// holds the pipe makes this wait. On a machine with more work than cores the thread that reads may
/// not run for hundreds of milliseconds, and what it has not read would be missed as never said.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// More output than this is read and thrown away, in bytes for each stream.
const MOST_OUTPUT: usize = 1024 * 1024;

/// What to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file to run.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All of its environment; nothing is inherited.
    pub environment: Vec<(OsString, OsString)>,
}

/// What became of a program, and what it printed up to then.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// Its standard output, at most 1 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error, at most 1 MiB.
    pub stderr: Vec<u8>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// It crashed, or someone killed it.
    Crashed {
        /// For people: `signal 6 (abort)`, `exception 0xc0000005`.
        how: String,
    },
    /// It was killed, since the deadline had passed.
    Killed,
    /// The deadline had passed, and killing it did not end it: it is left behind.
    LeftBehind {
        /// Its process id.
        process: u32,
    },
}

/// A program without input whose output is captured.
#[expect(
    clippy::disallowed_methods,
    reason = "sys/ starts programs under a deadline"
)]
pub(super) fn command(program: &Program) -> Command {
    let environment = program.environment.iter();
    let mut command = Command::new(&program.file);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(environment.map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // What libraries open by a relative name is not to be found in the user's folder.
    #[cfg(unix)]
    command.current_dir("/");
    command
}

/// Runs a program without input for at most `deadline` (and half a second to die after it).
///
/// # Errors
/// What the system said when the program could not be started or waited for.
pub fn run(program: &Program, deadline: Duration) -> io::Result<Finished> {
    let start = Instant::now();
    let mut child = command(program).spawn()?;
    let streams = Capture::start(child.stdout.take())
        .and_then(|stdout| Ok((stdout, Capture::start(child.stderr.take())?)));
    let (stdout, stderr) = match streams {
        Ok(streams) => streams,
        Err(no_thread) => {
            kill(&mut child)?;
            return Err(no_thread);
        }
    };
    let ending = match wait_until(&mut child, start + deadline)? {
        Some(status) => ending_of(status),
        None => kill(&mut child)?,
    };
    let silence = Instant::now() + LAST_WORDS;
    Ok(Finished {
        ending,
        stdout: stdout.finish(silence),
        stderr: stderr.finish(silence),
    })
}

/// Waits for the end of `child`, but not longer than to `end`.
pub(super) fn wait_until(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    // The standard library has no wait with a limit. The steps grow, so that a short program is
    // not kept waiting and a long one does not keep a core busy.
    let mut step = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(step.min(left));
        step = (step * 2).min(Duration::from_millis(10));
    }
}

/// Kills `child`; never waits longer than [`DEATH`], since a process inside a driver call can
/// be unkillable, and a wait for it would hang just like it.
pub(super) fn kill(child: &mut Child) -> io::Result<Ending> {
    // It may have ended by itself just now: then there is nothing to kill, and that is no error.
    let _ = child.kill();
    match wait_until(child, Instant::now() + DEATH)? {
        Some(_) => Ok(Ending::Killed),
        None => Ok(Ending::LeftBehind {
            process: child.id(),
        }),
    }
}

#[cfg(unix)]
pub(super) fn ending_of(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, signal) => Ending::Crashed {
            how: match signal.unwrap_or_default() {
                4 => "signal 4 (illegal instruction)".to_owned(),
                6 => "signal 6 (abort)".to_owned(),
                9 => "signal 9 (killed)".to_owned(),
                11 => "signal 11 (segmentation fault)".to_owned(),
                other => format!("signal {other}"),
            },
        },
    }
}

#[cfg(not(unix))]
pub(super) fn ending_of(status: ExitStatus) -> Ending {
    // A crash is an NTSTATUS of severity "error", 0xC0000000 and above: negative as an i32.
    match status.code() {
        Some(code) if code < 0 => Ending::Crashed {
            how: format!("exception {code:#010x}"),
        },
        code => Ending::Exited(code.unwrap_or(-1)),
    }
}

/// One stream being read by a thread of its own, which is left behind when the stream does not
/// end: a program that the child started may hold it open for as long as it likes.
#[derive(Debug)]
pub(super) struct Capture {
    chunks: Receiver<Vec<u8>>,
}

impl Capture {
    pub(super) fn start(stream: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel();
        if let Some(stream) = stream {
            std::thread::Builder::new().spawn(move || read_all(stream, &sender))?;
        }
        Ok(Self { chunks })
    }

    /// All that was read, up to the end of the stream or to `end`.
    pub(super) fn finish(&self, end: Instant) -> Vec<u8> {
        let mut output = Vec::new();
        while let Ok(chunk) = self
            .chunks
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            output.extend(chunk);
        }
        output
    }
}

/// Reads to the end, so that the program never blocks on a full pipe, and passes on the first
/// [`MOST_OUTPUT`] bytes.
fn read_all(mut stream: impl Read, chunks: &Sender<Vec<u8>>) {
    let mut buffer = [0; 8192];
    let mut room = MOST_OUTPUT;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let kept = length.min(room);
                room -= kept;
                if kept > 0 && chunks.send(buffer[..kept].to_vec()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Becomes true once this process's standard input has ended: how a [`Companion`](super::companion::Companion) is asked to
/// stop, also by ending itself.
pub fn stdin_ended() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        told.store(true, Ordering::Relaxed);
    });
    ended
}

/// Ends this process after `limit`, whatever it is doing then. For a child that must not outlive
/// its use: a call that hangs in a library stops one thread, not this one. By an abort, since an
/// ordinary exit would first run what the library registered for the end.
pub fn end_this_process_after(limit: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        std::process::abort();
    });
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Finished {
        let program = Program {
            file: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![
                ("ONLY".into(), "this".into()),
                ("PATH".into(), "/usr/bin:/bin".into()),
            ],
        };
        run(&program, deadline).unwrap()
    }

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(100);

    #[test]
    fn output_code_and_environment_are_the_programs_own() {
        let done = shell("echo \"$ONLY$HOME\"; echo why >&2; cat; exit 3", LONG);
        assert_eq!(done.ending, Ending::Exited(3));
        assert_eq!(done.stdout, b"this\n");
        assert_eq!(done.stderr, b"why\n");
    }

    #[test]
    fn a_crash_is_told_from_an_exit() {
        let done = shell("kill -ABRT $$", LONG);
        let how = "signal 6 (abort)".to_owned();
        assert_eq!(done.ending, Ending::Crashed { how });
    }

    #[test]
    fn the_deadline_ends_it_and_keeps_what_was_said() {
        let done = shell("echo begun; exec sleep 600", SHORT);
        assert_eq!(done.ending, Ending::Killed);
        assert_eq!(done.stdout, b"begun\n");
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
        let done = shell("sleep 600 & echo $!", LONG);
        assert_eq!(done.ending, Ending::Exited(0));
        let grandchild = String::from_utf8(done.stdout).unwrap();
        let gone = shell(&format!("kill {grandchild}"), LONG);
        assert_eq!(gone.ending, Ending::Exited(0));
    }

    #[test]
    fn a_flood_neither_blocks_nor_fills_the_memory() {
        let done = shell("head -c 3000000 /dev/zero", LONG);
        assert_eq!(done.ending, Ending::Exited(0));
        assert_eq!(done.stdout.len(), MOST_OUTPUT);
    }
}
