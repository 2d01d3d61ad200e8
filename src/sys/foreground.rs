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
    /// The name of the program, without its folder.
    pub fn name(&self) -> String {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Starts it. From then on signals do not end this process, but are passed on.
    #[cfg(unix)]
    pub fn start(&self) -> io::Result<Running> {
        let listener = signals::Listener::new()?;
        let mut child = self.command().spawn()?;
        match listener.watch(child.id()) {
            Ok(news) => Ok(Running { child, news }),
            Err(no_thread) => {
                super::child::kill(&mut child)?;
                Err(no_thread)
            }
        }
    }

    /// Starts it.
    #[cfg(not(unix))]
    pub fn start(&self) -> io::Result<Running> {
        let child = self.command().spawn()?;
        Ok(Running { child })
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

    /// Waits for its end, but not longer than to `end`.
    #[cfg(unix)]
    pub fn wait_until(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        if !self.news.has_ended(end) {
            return Ok(None);
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
    if let Some(signal) = signal(status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    // Windows has 32 bits; what does not fit must not look like a success.
    let code = status.code().unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// The signal that ended a program, if one did.
pub fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = {
        let _ = status;
        None
    };
    signal
}

/// Ends this process as Ctrl+C does, if `signal` is what that sends. A shell goes on with its
/// loop or script when a program has caught Ctrl+C and ends with a code of its own.
pub fn end_if_interrupted(signal: Option<i32>) {
    #[cfg(unix)]
    if signal == Some(signal_hook::consts::SIGINT) {
        let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    }
    #[cfg(not(unix))]
    let _ = signal;
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
    //! Signals are passed on by a thread of their own, whatever this process is waiting for.

    use std::io;
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::time::Instant;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::low_level::siginfo::Cause;

    /// Those that would end this process and are meant for the program.
    const PASSED: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

    /// Whom signals are meant for.
    #[derive(Debug)]
    enum Target {
        /// A program that is not there yet: they are kept for it.
        Coming(Vec<i32>),
        /// A program nobody has waited for, so that its id is its own.
        Program(Pid),
        /// Nobody.
        Gone,
    }

    impl Target {
        fn get(&mut self, signal: i32) {
            match self {
                Self::Coming(kept) => kept.push(signal),
                Self::Program(id) => {
                    if let Some(signal) = Signal::from_named_raw(signal) {
                        // It may have ended just now.
                        let _ = kill_process(*id, signal);
                    }
                }
                Self::Gone => {}
            }
        }
    }

    /// Catches signals from its making on.
    pub(super) struct Listener {
        target: Arc<Mutex<Target>>,
    }

    impl Listener {
        pub(super) fn new() -> io::Result<Self> {
            let target = Arc::new(Mutex::new(Target::Coming(Vec::new())));
            let ignored = ignored_signals();
            // What is ignored (`nohup`, a shell's background job) stays so for the program too.
            let caught = PASSED
                .iter()
                .filter(|signal| ignored & (1 << (**signal - 1)) == 0);
            let mut signals = SignalsInfo::<WithOrigin>::new(caught)?;
            let to = Arc::clone(&target);
            std::thread::Builder::new().spawn(move || {
                for origin in &mut signals {
                    // What a terminal sends, it sends to the program as well.
                    if origin.cause != Cause::Kernel {
                        locked(&to).get(origin.signal);
                    }
                }
            })?;
            Ok(Self { target })
        }

        /// Passes signals on to the child `id`, and hears of its end.
        pub(super) fn watch(self, id: u32) -> io::Result<News> {
            let program = i32::try_from(id)
                .ok()
                .and_then(Pid::from_raw)
                .ok_or(io::ErrorKind::InvalidInput)?;
            let (sender, end) = mpsc::channel::<()>();
            std::thread::Builder::new().spawn(move || {
                // Its exit status is left for whoever waits for it, and with it its id.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(program), options) {}
                drop(sender);
            })?;
            let mut target = locked(&self.target);
            let before = std::mem::replace(&mut *target, Target::Program(program));
            if let Target::Coming(kept) = before {
                for signal in kept {
                    target.get(signal);
                }
            }
            drop(target);
            Ok(News {
                target: self.target,
                end,
            })
        }
    }

    /// What happens to a program.
    #[derive(Debug)]
    pub(super) struct News {
        target: Arc<Mutex<Target>>,
        /// Has another side until the program ends.
        end: Receiver<()>,
    }

    impl News {
        /// Whether the program ends before `end`. Signals are passed on no more then.
        pub(super) fn has_ended(&self, end: Instant) -> bool {
            let left = end.saturating_duration_since(Instant::now());
            let ended = self.end.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Disconnected);
            if ended {
                *locked(&self.target) = Target::Gone;
            }
            ended
        }
    }

    fn locked(target: &Mutex<Target>) -> MutexGuard<'_, Target> {
        target.lock().unwrap_or_else(PoisonError::into_inner)
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
