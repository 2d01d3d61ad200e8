//! Another program that is listened to while it works, and can be asked: it may hang or crash, its
//! starter goes on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::child::{self, Capture, Ending, LAST_WORDS, Program};

/// How long it has to end by itself when it is no longer listened to.
const FAREWELL: Duration = Duration::from_millis(300);

/// A longer line is cut, in bytes.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// A program that is asked on its standard input and speaks in lines on its standard output.
/// Ends when dropped, or with this process.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    /// Closed when it is to stop.
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    /// What it wrote to standard error; taken when that is read.
    stderr: Option<Capture>,
}

/// Why there is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLine {
    /// The time is over.
    TimedOut,
    /// It says no more: it closed its output, as it does when it ends.
    Ended,
}

impl Companion {
    /// Starts `program`. What the terminal sends to this process, such as Ctrl+C, does not reach
    /// it: its starter decides.
    pub fn start(program: &Program) -> io::Result<Self> {
        let mut command = child::command(program);
        command.stdin(Stdio::piped());
        apart_from_the_terminal(&mut command);
        let mut child = command.spawn()?;
        let heard = child.stdout.take().map_or_else(
            || Err(io::ErrorKind::BrokenPipe.into()),
            |stdout| Ok((lines_of(stdout)?, Capture::start(child.stderr.take())?)),
        );
        match heard {
            Ok((lines, stderr)) => Ok(Self {
                stdin: child.stdin.take(),
                child,
                lines,
                stderr: Some(stderr),
            }),
            Err(no_thread) => {
                let _ = child::kill(&mut child);
                Err(no_thread)
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks; the question is one line.
    pub fn ask(&mut self) -> io::Result<()> {
        match &mut self.stdin {
            // A pipe that nobody reads has room for thousands of these.
            Some(questions) => questions.write_all(b"\n"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The next line that it says, without its end, up to `end`.
    pub fn line(&mut self, end: Instant) -> Result<Vec<u8>, NoLine> {
        self.lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => NoLine::TimedOut,
                RecvTimeoutError::Disconnected => NoLine::Ended,
            })
    }

    /// Asks it to stop, by closing its standard input.
    pub fn ask_to_stop(&mut self) {
        self.stdin = None;
    }

    /// Kills it. Gives whether it is gone.
    pub fn end(mut self) -> io::Result<Ending> {
        self.stderr = None;
        child::kill(&mut self.child)
    }

    /// Waits for its end for at most `patience`, then kills it. Gives how it ended, and what it
    /// wrote to standard error.
    pub fn finish(mut self, patience: Duration) -> io::Result<(Ending, Vec<u8>)> {
        let ending = match child::wait_until(&mut self.child, Instant::now() + patience)? {
            Some(status) => child::ending_of(status),
            None => child::kill(&mut self.child)?,
        };
        let silence = Instant::now() + LAST_WORDS;
        let stderr = self.stderr.take().map(|stderr| stderr.finish(silence));
        Ok((ending, stderr.unwrap_or_default()))
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.ask_to_stop();
        // Who has finished with it has read what it wrote, and done what can be done.
        let patience = self.stderr.as_ref().map_or(Duration::ZERO, |_| FAREWELL);
        let ended = child::wait_until(&mut self.child, Instant::now() + patience);
        if !matches!(ended, Ok(Some(_))) && self.stderr.is_some() {
            // One that cannot be killed is left behind.
            let _ = child::kill(&mut self.child);
        }
    }
}

/// The lines of a stream, read by a thread of their own.
fn lines_of(stream: ChildStdout) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, lines) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            let piece = stream.by_ref().take(LONGEST_LINE);
            if !matches!({ piece }.read_until(b'\n', &mut line), Ok(1..)) {
                return;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

#[cfg(unix)]
fn apart_from_the_terminal(command: &mut std::process::Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn apart_from_the_terminal(command: &mut std::process::Command) {
    /// `CREATE_NEW_PROCESS_GROUP` of processthreadsapi.h: Ctrl+C is off in it.
    const NEW_GROUP: u32 = 0x0000_0200;
    std::os::windows::process::CommandExt::creation_flags(command, NEW_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn apart_from_the_terminal(_command: &mut std::process::Command) {}

/// The questions that this process is asked, as its asker's companion: ends when the asker has
/// ended or wants no more. Should this process hang by then, it is ended.
pub fn questions() -> io::Result<impl Iterator<Item = ()>> {
    let (sender, questions) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let mut input = io::stdin().lock();
        let mut byte = [0];
        while let Ok(1) = input.read(&mut byte) {
            if sender.send(()).is_err() {
                return;
            }
        }
        drop(sender);
        child::end_this_process_after(FAREWELL);
    })?;
    Ok(questions.into_iter())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Companion {
        Companion::start(&Program {
            file: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        })
        .unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[test]
    fn it_answers_each_question() {
        let mut companion = shell("while read line; do n=$((n+1)); echo $n; done");
        for answer in ["1", "2"] {
            companion.ask().unwrap();
            assert_eq!(companion.line(soon()), Ok(answer.as_bytes().to_vec()));
        }
    }

    #[test]
    fn its_end_is_told_from_its_silence() {
        let mut gone = shell("exit");
        assert_eq!(gone.line(soon()), Err(NoLine::Ended));
        let mut silent = shell("exec sleep 60");
        assert_eq!(silent.line(Instant::now()), Err(NoLine::TimedOut));
        let id = silent.id();
        drop(silent);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn lines_are_heard_while_it_works_and_it_stops_when_asked() {
        let mut companion =
            shell("echo one; printf two; echo; echo why >&2; cat; printf end; exit 3");
        for line in ["one", "two"] {
            assert_eq!(companion.line(soon()), Ok(line.into()));
        }
        assert_eq!(companion.line(Instant::now()), Err(NoLine::TimedOut));
        companion.ask_to_stop();
        assert_eq!(companion.line(soon()), Ok("end".into()));
        assert_eq!(companion.line(soon()), Err(NoLine::Ended));
        let (ending, stderr) = companion.finish(Duration::from_mins(1)).unwrap();
        assert_eq!((ending, &stderr[..]), (Ending::Exited(3), &b"why\n"[..]));
    }

    #[test]
    fn one_that_does_not_end_is_killed() {
        let companion = shell("exec sleep 600");
        let (ending, _) = companion.finish(Duration::ZERO).unwrap();
        assert_eq!(ending, Ending::Killed);
    }
}
