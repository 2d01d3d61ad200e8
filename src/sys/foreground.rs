//! A program in the foreground: it has this terminal and these streams, and the signals that
//! this process is sent are its own.
//!
//! Knows nothing of what the program is or why it is waited for.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Instant;

/// What to start. Streams, folder, process group and terminal are this process's own.
#[derive(Clone, Debug)]
pub struct Foreground {
    /// The program: a path, or a name that is looked for on PATH.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All of its environment; nothing else is inherited.
    pub environment: Vec<(OsString, OsString)>,
}

/// A program that was started and not yet waited for.
#[derive(Debug)]
pub struct Running {
    child: Child,
    #[cfg(unix)]
    news: signals::News,
}

impl Foreground {
    /// Starts it. From then on signals do not end this process, but are passed on.
    pub fn start(&self) -> io::Result<Running> {
        #[cfg(unix)]
        let listener = signals::Listener::new()?;
        let child = self.command().spawn()?;
        Ok(Running {
            #[cfg(unix)]
            news: listener.watch(child.id())?,
            child,
        })
    }

    /// Becomes it: this process is then the program. Comes back only with an error.
    #[cfg(unix)]
    pub fn become_it(&self) -> io::Error {
        std::os::unix::process::CommandExt::exec(&mut self.command())
    }

    /// Only Unix knows how.
    #[cfg(not(unix))]
    pub fn become_it(&self) -> io::Error {
        io::ErrorKind::Unsupported.into()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "sys/ starts programs, and this one is started for its own sake"
    )]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, but not longer than to `end`; passes signals on meanwhile.
    #[cfg(unix)]
    pub fn wait_until(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        while !self.news.has_ended(end) {
            if Instant::now() >= end {
                return Ok(None);
            }
        }
        // It has ended, so this does not wait; only now is its id free for another process.
        self.child.wait().map(Some)
    }

    /// Waits for its end, but not longer than to `end`.
    #[cfg(not(unix))]
    pub fn wait_until(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        super::child::wait_until(&mut self.child, end)
    }
}

/// The exit code that a shell gives for how a program ended: its own, or 128 and the number of
/// the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            return u8::try_from(128 + signal).unwrap_or(u8::MAX);
        }
    }
    // Windows has 32 bits; what does not fit must not look like a success.
    let code = status.code().unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// The exit code that a shell gives for a program that could not be started.
pub fn exit_code_not_started(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    }
}

#[cfg(unix)]
mod signals {
    //! Signals, and the end of a program, as one stream of news.

    use std::io;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Instant;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::low_level::siginfo::Cause;

    /// Those that would end this process and are meant for the program.
    const PASSED: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

    /// Something that happened.
    #[derive(Debug)]
    enum Event {
        /// The program ended.
        Ended,
        /// A process sent this signal.
        Sent(i32),
    }

    /// Catches signals from its making on.
    pub(super) struct Listener {
        sender: Sender<Event>,
        events: Receiver<Event>,
    }

    impl Listener {
        pub(super) fn new() -> io::Result<Self> {
            let (sender, events) = mpsc::channel();
            let ignored = ignored_signals();
            // What is ignored (`nohup`, a shell's background job) stays so for the program too.
            let caught = PASSED
                .iter()
                .filter(|signal| ignored & (1 << (**signal - 1)) == 0);
            let mut signals = SignalsInfo::<WithOrigin>::new(caught)?;
            let to = sender.clone();
            std::thread::Builder::new().spawn(move || {
                for origin in &mut signals {
                    // What a terminal sends, it sends to the program as well.
                    if origin.cause != Cause::Kernel && to.send(Event::Sent(origin.signal)).is_err()
                    {
                        return;
                    }
                }
            })?;
            Ok(Self { sender, events })
        }

        /// Also hears of the end of the child `id`.
        pub(super) fn watch(self, id: u32) -> io::Result<News> {
            let program = i32::try_from(id)
                .ok()
                .and_then(Pid::from_raw)
                .ok_or(io::ErrorKind::InvalidInput)?;
            let sender = self.sender;
            std::thread::Builder::new().spawn(move || {
                // Its exit status is left for whoever waits for it, and with it its id.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(program), options) {}
                let _ = sender.send(Event::Ended);
            })?;
            Ok(News {
                program,
                events: self.events,
                ended: false,
            })
        }
    }

    /// What happens to a program.
    #[derive(Debug)]
    pub(super) struct News {
        program: Pid,
        events: Receiver<Event>,
        ended: bool,
    }

    impl News {
        /// Whether the program has ended; passes a signal on, or waits for news up to `end`.
        pub(super) fn has_ended(&mut self, end: Instant) -> bool {
            let left = end.saturating_duration_since(Instant::now());
            if !self.ended {
                match self.events.recv_timeout(left) {
                    Ok(Event::Ended) => self.ended = true,
                    Ok(Event::Sent(number)) => {
                        // Its id is its own as long as nobody has waited for it.
                        if let Some(signal) = Signal::from_named_raw(number) {
                            let _ = kill_process(self.program, signal);
                        }
                    }
                    Err(_) => {}
                }
            }
            self.ended
        }
    }

    /// The signals this process was started to ignore, a bit for each; none where the system
    /// does not tell.
    fn ignored_signals() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or_default()
    }
}
