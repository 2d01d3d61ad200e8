//! Another process that is asked again and again: it may hang or crash, its asker goes on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::child::{self, Program};

/// How long it has to end by itself when it is no longer asked.
const FAREWELL: Duration = Duration::from_millis(300);

/// A longer line is no answer, in bytes.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// A process that is asked on its standard input and answers in lines on its standard output.
/// Ends when dropped, or with this process.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Receiver<Vec<u8>>,
}

/// Why there is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLine {
    /// The time is over.
    TimedOut,
    /// The process has ended.
    Ended,
}

impl Companion {
    /// Starts `program`. What the terminal sends to this process does not reach it.
    #[expect(
        clippy::disallowed_methods,
        reason = "sys/ starts programs, and never waits long for this one"
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
            .stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let questions = child.stdin.take();
        let answers = match child.stdout.take().map(lines_of) {
            Some(Ok(answers)) => answers,
            failed => {
                let _ = child::kill(&mut child);
                return Err(match failed {
                    Some(Err(no_thread)) => no_thread,
                    _ => io::ErrorKind::BrokenPipe.into(),
                });
            }
        };
        Ok(Self {
            child,
            questions,
            answers,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks; the question is one line.
    pub fn ask(&mut self) -> io::Result<()> {
        match &mut self.questions {
            // A pipe that nobody reads has room for thousands of these.
            Some(questions) => questions.write_all(b"\n"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The next line that it says, up to `end`.
    pub fn line(&mut self, end: Instant) -> Result<Vec<u8>, NoLine> {
        self.answers
            .recv_timeout(end.saturating_duration_since(Instant::now()))
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => NoLine::TimedOut,
                RecvTimeoutError::Disconnected => NoLine::Ended,
            })
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        drop(self.questions.take());
        let ended = child::wait_until(&mut self.child, Instant::now() + FAREWELL);
        if !matches!(ended, Ok(Some(_))) {
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
            match stream
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
            {
                Ok(0) | Err(_) => return,
                Ok(_) if sender.send(line).is_err() => return,
                Ok(_) => {}
            }
        }
    })?;
    Ok(lines)
}

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
        for answer in ["1\n", "2\n"] {
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
}
