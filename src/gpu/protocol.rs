//! What the child process tells its parent: one JSON object on each line of its output.
//!
//! A phase is announced before it begins, so that the parent knows where a child that hangs or
//! crashes was. Lines that are no such object (a driver that prints) are not ours.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::health::Health;
use super::inventory::Inventory;
use super::soak::{Progress, Sample};
use super::verdict::{CardFacts, Phase};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// A phase begins.
    Begin(String),
    /// The phase that began last is over.
    End(Phase),
    /// The machine's cards.
    Inventory(Inventory),
    /// A card as CUDA describes it.
    Card(CardFacts),
    /// The UUIDs of the cards as CUDA counts them.
    Order(Vec<String>),
    /// The file that the driver's library was loaded from.
    Library(String),
    /// What `cuDriverGetVersion` says.
    CudaVersion(i32),
    /// Each card after the check.
    Health(Vec<Health>),
    /// How far a soak is.
    Progress(Progress),
    /// The card during a soak.
    Sample(Sample),
    /// It is over, and this is why.
    Failed(ProbeFailure),
    /// It is over, and all is well.
    Done,
}

/// Why the child gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeFailure {
    /// A library of the driver is not on this machine.
    #[error("the driver's library `{library}` is not on this machine")]
    NoLibrary {
        /// Its file name.
        library: String,
    },
    /// Windows did not restrict where libraries are loaded from, so none was.
    #[error("Windows does not restrict where libraries are loaded from; nothing was loaded")]
    SearchNotRestricted,
    /// A library of the driver lacks a function.
    #[error("the driver's library has no function `{symbol}`")]
    MissingSymbol {
        /// The function.
        symbol: String,
    },
    /// NVML said no.
    #[error("NVML: {text}")]
    Nvml {
        /// Which kind of no.
        kind: NvmlTrouble,
        /// NVML's own words.
        text: String,
    },
    /// CUDA said no. The number is a `CUresult`, see `cuda_code`.
    #[error("CUDA: {}", super::cuda_code::describe(*code))]
    Cuda {
        /// The `CUresult`.
        code: u32,
    },
    /// The driver translates no kernel as new as the check's.
    #[error("the driver knows CUDA {}.{} only", version / 1000, version % 1000 / 10)]
    OldDriver {
        /// What `cuDriverGetVersion` says: 1000 times the major version and 10 times the minor.
        version: i32,
    },
    /// The check's kernel is not for a card as old as this one.
    #[error("the card's compute capability is {found}; the check's kernel needs 5.0")]
    OldCard {
        /// The card's compute capability.
        found: String,
    },
    /// CUDA sees another number of cards than the policy's environment selects.
    #[error("CUDA sees {found} card(s) where the policy's environment selects {expected}")]
    Count {
        /// What the policy's environment selects.
        expected: usize,
        /// What CUDA sees.
        found: i32,
    },
    /// A logical index is not the card it should be.
    #[error("`cuda:{index}` is the card {found}, not {expected}")]
    WrongUuid {
        /// The logical index.
        index: usize,
        /// UUID of the card it should be.
        expected: String,
        /// UUID of the card it is.
        found: String,
    },
    /// The card computed or remembered something wrong.
    #[error("the card gave a wrong result at word {word}: {found:#010x}, not {expected:#010x}")]
    WrongResult {
        /// Place of the first wrong word.
        word: usize,
        /// What it should be.
        expected: u32,
        /// What it is.
        found: u32,
    },
    /// The card remembered something wrong.
    #[error(
        "{words} word(s) of the card's memory are wrong, the last one {place} bytes into the tested part"
    )]
    WrongMemory {
        /// How many.
        words: u32,
        /// Place of the last one, in bytes.
        place: u64,
    },
    /// The card does not find what was made wrong on purpose.
    #[error("the card did not find a wrong word that was written on purpose")]
    Blind,
}

/// The kinds of NVML's errors that lead to different advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NvmlTrouble {
    /// There is a library, but the kernel has no driver loaded.
    NotLoaded,
    /// The library and the kernel's driver are of different versions.
    VersionMismatch,
    /// A card fell off the bus or needs a reset.
    Lost,
    /// This user may not use the device files.
    NoPermission,
    /// Anything else.
    Other,
}

/// The child's side: announces phases, measures them, and passes lines on.
pub(super) struct Reporter<'s> {
    say: &'s mut dyn FnMut(&str),
}

impl<'s> Reporter<'s> {
    /// A reporter that hands each line, with its line end, to `say`.
    pub(super) fn new(say: &'s mut dyn FnMut(&str)) -> Self {
        Self { say }
    }

    /// Does `work` as the phase `name`.
    pub(super) fn phase<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, ProbeFailure>,
    ) -> Result<T, ProbeFailure> {
        self.line(&Line::Begin(name.to_owned()));
        let start = Instant::now();
        let result = work();
        // Said at once: what follows a failure is clearing up, in which a broken driver may hang.
        self.line(&match &result {
            Ok(_) => Line::End(Phase::new(name, start.elapsed())),
            Err(failure) => Line::Failed(failure.clone()),
        });
        result
    }

    /// Says one line.
    pub(super) fn line(&mut self, line: &Line) {
        // These types always have a JSON form; a child that says nothing is taken for broken.
        if let Ok(text) = serde_json::to_string(line) {
            (self.say)(&format!("{text}\n"));
        }
    }
}
