//! The parent of the child process that asks the driver. Reads what the child says, and knows
//! where it was when it says no more.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::child_environment::child_environment;
use super::health::{self, CardBefore, Health};
use super::inventory::{self, Inventory};
use super::kernel;
use super::loader;
use super::protocol::{Line, ProbeFailure, Reporter};
use super::soak::{Progress, Sample, SoakTask};
use super::verdict::{CardFacts, Phase};
use crate::policy::RequiredEnvironment;
use crate::sys::child::{self, Ending, Finished, Program};
use crate::sys::environment;
use crate::text::printable;

/// The hidden command with which this program starts itself.
pub const COMMAND: &str = "__probe";

/// How much longer than its deadline a child lives when the parent that would end it is gone (a
/// GUI client that cancels a commit kills the hook, not its children).
const ORPHAN_GRACE: Duration = Duration::from_secs(1);

/// What a child is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeTask {
    /// List the cards through NVML.
    Inventory,
    /// Run the kernel on the cards with these UUIDs, which must be all that CUDA shows, in
    /// this order.
    Check(Vec<String>),
    /// Only tell the cards that CUDA shows, which must be these.
    Identity(Vec<String>),
    /// List the cards in CUDA's default order.
    Order,
    /// Look at these cards after a check, through NVML.
    Health(Vec<CardBefore>),
    /// Work on one of the cards with these UUIDs for a time, or until standard input ends.
    Soak(Vec<String>, SoakTask),
}

/// Does `task` in this process, which is the child's, and hands each line of its report to
/// `say`. The report says how it went; there is nothing to return.
pub fn run_probe(task: &ProbeTask, say: &mut dyn FnMut(&str)) {
    let mut reporter = Reporter::new(say);
    #[cfg(windows)]
    if reporter
        .phase("search-path", super::dll_search::restrict)
        .is_err()
    {
        return;
    }
    let result = match task {
        ProbeTask::Inventory => inventory::read(&mut reporter),
        ProbeTask::Check(uuids) => kernel::check(uuids, &mut reporter),
        ProbeTask::Identity(uuids) => kernel::identity(uuids, &mut reporter),
        ProbeTask::Order => kernel::order(&mut reporter),
        ProbeTask::Health(cards) => health::read(cards, &mut reporter),
        ProbeTask::Soak(uuids, task) => {
            kernel::soak(uuids, task, &child::stdin_ended(), &mut reporter)
        }
    };
    // A failure was said by the phase that failed.
    if result.is_ok() {
        reporter.line(&Line::Done);
    }
}

/// Why a child gave no good answer, and how far it came.
#[derive(Debug, thiserror::Error)]
#[error("the graphics cards cannot be asked")]
pub struct ProbeError {
    /// The steps it finished.
    pub phases: Vec<Phase>,
    /// What went wrong.
    #[source]
    pub trouble: Trouble,
}

/// What can go wrong with a child.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It could not be started.
    #[error("the check's process cannot be started")]
    NotStarted(#[from] io::Error),
    /// It said itself why it gave up.
    #[error("{failure}")]
    Failed {
        /// The step it was at.
        phase: String,
        /// Why.
        failure: ProbeFailure,
    },
    /// It did not finish in time.
    #[error(
        "the driver did not answer within {} ms, in step `{phase}`{}",
        deadline.as_millis(),
        left_behind.map_or_else(String::new, |process| format!(
            "; process {process}, which waits for it, cannot be ended and was left behind"
        ))
    )]
    TimedOut {
        /// The step it was at.
        phase: String,
        /// How long it had, all steps together.
        deadline: Duration,
        /// The id of the process, if it could not even be killed.
        left_behind: Option<u32>,
    },
    /// It crashed or ended too early.
    #[error("the driver ended the check's process in step `{phase}`: {how}")]
    Ended {
        /// The step it was at.
        phase: String,
        /// How it ended, and the last line it wrote to stderr.
        how: String,
    },
}

/// What a child that did all its work has said.
#[derive(Debug, Default)]
pub(super) struct ProbeReport {
    /// Its steps.
    pub(super) phases: Vec<Phase>,
    /// The machine's cards, if it was to list them.
    pub(super) inventory: Option<Inventory>,
    /// The cards that CUDA showed, if it was to check them.
    pub(super) cards: Vec<CardFacts>,
    /// The UUIDs in CUDA's order, if it was to list them.
    pub(super) order: Vec<String>,
    /// The file of the library that it loaded, where the system tells.
    pub(super) library: Option<String>,
    /// The newest CUDA of the driver, if it was asked for: 1000 times the major version and 10
    /// times the minor.
    pub(super) cuda_version: Option<i32>,
    /// The cards after a check, if it was to look at them.
    pub(super) health: Vec<Health>,
    /// How far it came, if it was to work for a time.
    pub(super) progress: Progress,
    /// The card meanwhile.
    pub(super) samples: Vec<Sample>,
}

/// The time that several children have together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    whole: Duration,
    end: Instant,
}

impl Deadline {
    /// From now on.
    pub(super) fn starting_now(whole: Duration) -> Self {
        Self {
            whole,
            end: Instant::now() + whole,
        }
    }
}

/// Has a child do `task`, with the policy's environment if CUDA is to be asked.
pub(super) fn probe(
    task: &ProbeTask,
    required: Option<&RequiredEnvironment>,
    deadline: Deadline,
) -> Result<ProbeReport, ProbeError> {
    probe_through(&[], task, required, deadline)
}

/// The same for a child that this program becomes by way of another hidden command, whose
/// arguments are `launcher`.
pub(super) fn probe_through(
    launcher: &[OsString],
    task: &ProbeTask,
    required: Option<&RequiredEnvironment>,
    deadline: Deadline,
) -> Result<ProbeReport, ProbeError> {
    let mut report = ProbeReport::default();
    let started = Instant::now();
    let finished = match start(launcher, task, required, deadline) {
        Ok(finished) => finished,
        Err(error) => {
            return Err(ProbeError {
                phases: Vec::new(),
                trouble: error.into(),
            });
        }
    };
    match read(&finished, deadline, &mut report) {
        Ok(()) => Ok(report),
        Err(trouble) => {
            if let Trouble::TimedOut { phase, .. } = &trouble {
                // The step that took all the time there was left.
                let before: f64 = report.phases.iter().map(|phase| phase.ms).sum();
                let before = Duration::from_secs_f64(before / 1000.0);
                let rest = started.elapsed().saturating_sub(before);
                report.phases.push(Phase::new(phase, rest));
            }
            Err(ProbeError {
                phases: report.phases,
                trouble,
            })
        }
    }
}

fn start(
    launcher: &[OsString],
    task: &ProbeTask,
    required: Option<&RequiredEnvironment>,
    deadline: Deadline,
) -> io::Result<Finished> {
    let left = deadline.end.saturating_duration_since(Instant::now());
    let mut program = program(task, required, left + ORPHAN_GRACE)?;
    if !launcher.is_empty() {
        let own = std::iter::once(program.file.clone().into());
        let arguments = std::mem::take(&mut program.arguments);
        program.arguments = launcher
            .iter()
            .cloned()
            .chain(own)
            .chain(arguments)
            .collect();
    }
    child::run(&program, left)
}

/// This program as a child that does `task`, and ends by itself after `end_after` in any case.
pub(super) fn program(
    task: &ProbeTask,
    required: Option<&RequiredEnvironment>,
    end_after: Duration,
) -> io::Result<Program> {
    let end_after = end_after.as_millis().to_string();
    let mut arguments: Vec<OsString> = vec![COMMAND.into(), "--end-after".into(), end_after.into()];
    match task {
        ProbeTask::Inventory => arguments.push("inventory".into()),
        ProbeTask::Check(uuids) => {
            arguments.push("check".into());
            arguments.extend(uuids.iter().map(OsString::from));
        }
        ProbeTask::Identity(uuids) => {
            arguments.push("identity".into());
            arguments.extend(uuids.iter().map(OsString::from));
        }
        ProbeTask::Order => arguments.push("order".into()),
        ProbeTask::Health(cards) => {
            arguments.push("health".into());
            arguments.extend(cards.iter().map(|card| match card.memory_used_bytes {
                Some(used) => format!("{}={used}", card.uuid).into(),
                None => OsString::from(&card.uuid),
            }));
        }
        ProbeTask::Soak(uuids, task) => {
            arguments.extend([
                "soak".into(),
                format!("--milliseconds={}", task.duration.as_millis()).into(),
                format!("--share={}", task.share).into(),
                format!("--ordinal={}", task.ordinal).into(),
            ]);
            arguments.extend(uuids.iter().map(OsString::from));
        }
    }
    Ok(Program {
        file: environment::current_exe()?,
        arguments,
        environment: environment_of_child(required),
    })
}

/// The environment of a process that asks the driver.
pub(super) fn environment_of_child(
    required: Option<&RequiredEnvironment>,
) -> Vec<(OsString, OsString)> {
    let repository = loader::repository();
    let folders = (repository.as_deref(), driver_folder());
    child_environment(environment::all(), required, folders)
}

/// Where WSL2 keeps the driver's libraries, if this is WSL2. The loader does not always know.
pub(super) fn driver_folder() -> Option<&'static Path> {
    let folder = Path::new("/usr/lib/wsl/lib");
    folder.is_dir().then_some(folder)
}

/// Reads what a child said into `report`.
fn read(finished: &Finished, deadline: Deadline, report: &mut ProbeReport) -> Result<(), Trouble> {
    let mut listener = Listener::default();
    for line in finished.stdout.split(|byte| *byte == b'\n') {
        listener.hear(line, report);
    }
    listener.conclude(&finished.ending, &finished.stderr, deadline.whole)
}

/// What is known of a child from its lines so far.
#[derive(Debug, Default)]
pub(super) struct Listener {
    phase: Option<String>,
    done: bool,
    failed: Option<ProbeFailure>,
}

impl Listener {
    /// Takes a line into `report`; says whether it was one of the child's own.
    pub(super) fn hear(&mut self, line: &[u8], report: &mut ProbeReport) -> bool {
        let Ok(line) = serde_json::from_slice(line) else {
            return false;
        };
        match line {
            Line::Begin(name) => self.phase = Some(name),
            Line::End(ended) => report.phases.push(ended),
            Line::Inventory(inventory) => report.inventory = Some(inventory),
            Line::Card(card) => report.cards.push(card),
            Line::Order(uuids) => report.order = uuids,
            Line::Library(path) => report.library = Some(path),
            Line::CudaVersion(version) => report.cuda_version = Some(version),
            Line::Health(cards) => report.health = cards,
            Line::Progress(progress) => report.progress = progress,
            Line::Sample(sample) => report.samples.push(sample),
            Line::Failed(failure) => self.failed = Some(failure),
            Line::Done => {
                self.done = true;
                // What is left is the driver's own clearing up.
                self.phase = Some("exit".to_owned());
            }
        }
        true
    }

    /// How it went, after the last line. `deadline` is what it had, for the words only.
    pub(super) fn conclude(
        self,
        ending: &Ending,
        stderr: &[u8],
        deadline: Duration,
    ) -> Result<(), Trouble> {
        let phase = self.phase.unwrap_or_else(|| "start".to_owned());
        let ended = |how: String| Trouble::Ended {
            how: with_last_words(how, stderr),
            phase: phase.clone(),
        };
        let timed_out = |left_behind| Trouble::TimedOut {
            phase: phase.clone(),
            deadline,
            left_behind,
        };
        match (ending, self.failed) {
            // What the child said counts, also when it then did not end.
            (_, Some(failure)) => Err(Trouble::Failed { phase, failure }),
            (Ending::Killed, None) => Err(timed_out(None)),
            (Ending::LeftBehind { process }, None) => Err(timed_out(Some(*process))),
            (Ending::Exited(0), None) if self.done => Ok(()),
            (Ending::Exited(code), None) => Err(ended(format!("exit code {code}"))),
            (Ending::Crashed { how }, None) => Err(ended(how.clone())),
        }
    }
}

/// `how`, and the last line of `stderr` made safe to print. The advice that follows the message
/// of a panic says nothing.
fn with_last_words(how: String, stderr: &[u8]) -> String {
    const MOST: usize = 300;
    let last = stderr
        .split(|byte| *byte == b'\n')
        .rfind(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"note: "));
    match last {
        None => how,
        Some(line) => format!("{how}, {}", printable(&line[..line.len().min(MOST)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(stdout: &str, ending: Ending, stderr: &str) -> Result<ProbeReport, String> {
        let finished = Finished {
            ending,
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        let mut report = ProbeReport::default();
        let deadline = Deadline::starting_now(Duration::from_millis(700));
        read(&finished, deadline, &mut report)
            .map(|()| report)
            .map_err(|trouble| trouble.to_string())
    }

    const BEGUN: &str = "{\"begin\":\"init\"}\n";

    #[test]
    fn what_a_driver_prints_is_no_report() {
        let said =
            "NVRM: hello\n{\"begin\":\"a\"}\n{}\n{\"end\":{\"name\":\"a\",\"ms\":1.5}}\n\"done\"\n";
        let report = child(said, Ending::Exited(0), "").unwrap();
        assert_eq!(report.phases.len(), 1);
    }

    #[test]
    fn an_end_without_a_word_is_no_good_answer() {
        let how = |ending, stderr| child(BEGUN, ending, stderr).unwrap_err();
        assert_eq!(
            how(Ending::Exited(0), ""),
            "the driver ended the check's process in step `init`: exit code 0"
        );
        let panic = "\nthread 'main' panicked at a.rs:1:2:\nMissing symbol\nnote: run with\n";
        assert!(how(Ending::Exited(101), panic).ends_with("exit code 101, Missing symbol"));
        assert!(how(Ending::Exited(1), "\x1b[2J").ends_with("exit code 1, \\u{1b}[2J"));
        assert_eq!(
            how(Ending::Killed, ""),
            "the driver did not answer within 700 ms, in step `init`"
        );
        assert_eq!(
            how(Ending::LeftBehind { process: 4711 }, ""),
            "the driver did not answer within 700 ms, in step `init`; process 4711, which waits \
             for it, cannot be ended and was left behind"
        );
    }

    #[test]
    fn a_failure_counts_also_when_clearing_up_then_hangs() {
        let said = format!("{BEGUN}{{\"failed\":{{\"cuda\":{{\"code\":2}}}}}}\n");
        for ending in [
            Ending::Killed,
            Ending::LeftBehind { process: 1 },
            Ending::Exited(0),
        ] {
            let how = child(&said, ending, "").unwrap_err();
            assert_eq!(how, "CUDA: CUDA_ERROR_OUT_OF_MEMORY (2)");
        }
    }
}
