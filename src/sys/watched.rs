//! Another program that is listened to while it works: what it says, and that it still says
//! something.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::child::{self, Capture, Ending, LAST_WORDS, Program};

/// A longer line is cut, in bytes.
const LONGEST_LINE: u64 = 1024 * 1024;

/// A program at work. Killed when dropped.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    /// Closed to ask it to stop.
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    stderr: Capture,
    finished: bool,
}

/// What was heard of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// Nothing for as long as was listened.
    Nothing,
    /// It says no more: it closed its output, as it does when it ends.
    End,
}

impl Watched {
    /// Starts a program. A Ctrl+C at the terminal does not reach it: its starter decides.
    #[expect(
        clippy::disallowed_methods,
        reason = "sys/ starts programs under a deadline"
    )]
    pub fn start(program: &Program) -> io::Result<Self> {
        let mut command = Command::new(&program.file);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        apart_from_the_terminal(&mut command);
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take();
        let listening = std::thread::Builder::new().spawn(move || {
            for line in stdout.into_iter().flat_map(lines_of) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = listening.and_then(|_| Capture::start(child.stderr.take()));
        match stderr {
            Ok(stderr) => Ok(Self {
                stdin: child.stdin.take(),
                child,
                lines,
                stderr,
                finished: false,
            }),
            Err(no_thread) => {
                child::kill(&mut child)?;
                Err(no_thread)
            }
        }
    }

    /// The next line, for which it has `patience`.
    pub fn listen(&self, patience: Duration) -> Heard {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }

    /// Asks the program to stop, by closing its standard input.
    pub fn ask_to_stop(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end for at most `patience`, then kills. Gives how it ended, and what it
    /// wrote to standard error.
    pub fn finish(mut self, patience: Duration) -> io::Result<(Ending, Vec<u8>)> {
        self.finished = true;
        let ending = match child::wait_until(&mut self.child, Instant::now() + patience)? {
            Some(status) => child::ending_of(status),
            None => child::kill(&mut self.child)?,
        };
        let silence = Instant::now() + LAST_WORDS;
        Ok((ending, self.stderr.finish(silence)))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.finished {
            let _ = child::kill(&mut self.child);
        }
    }
}

fn lines_of(stream: impl Read) -> impl Iterator<Item = Vec<u8>> {
    let mut reader = BufReader::new(stream);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let length = reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .ok()?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        (length > 0).then_some(line)
    })
}

#[cfg(unix)]
fn apart_from_the_terminal(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn apart_from_the_terminal(command: &mut Command) {
    /// `CREATE_NEW_PROCESS_GROUP` of processthreadsapi.h: Ctrl+C is off in it.
    const NEW_GROUP: u32 = 0x0000_0200;
    std::os::windows::process::CommandExt::creation_flags(command, NEW_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn apart_from_the_terminal(_command: &mut Command) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn shell(script: &str) -> Watched {
        Watched::start(&Program {
            file: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        })
        .unwrap()
    }

    #[test]
    fn lines_are_heard_while_it_works_and_it_stops_when_asked() {
        let mut watched =
            shell("echo one; printf two; echo; echo why >&2; cat; printf end; exit 3");
        for line in ["one", "two"] {
            assert_eq!(watched.listen(LONG), Heard::Line(line.into()));
        }
        assert_eq!(watched.listen(Duration::ZERO), Heard::Nothing);
        watched.ask_to_stop();
        assert_eq!(watched.listen(LONG), Heard::Line("end".into()));
        assert_eq!(watched.listen(LONG), Heard::End);
        let (ending, stderr) = watched.finish(LONG).unwrap();
        assert_eq!((ending, &stderr[..]), (Ending::Exited(3), &b"why\n"[..]));
    }

    #[test]
    fn one_that_does_not_end_is_killed() {
        let watched = shell("exec sleep 600");
        let (ending, _) = watched.finish(Duration::ZERO).unwrap();
        assert_eq!(ending, Ending::Killed);
    }
}
