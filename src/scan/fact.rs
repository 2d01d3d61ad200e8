//! What a language reads out of code, in words that no language owns.
//!
//! A fact says "this span selects device 1, by this API"; whether that is wrong is a rule's matter.

use super::embedded::Embedded;
use super::flow::Flow;
use super::scopes::Scopes;
use crate::text::Span;

/// One thing the code does about GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The code that does it.
    pub span: Span,
    /// The literal that says which card or value: what a fix writes anew. `None` where it is
    /// computed, or written elsewhere.
    pub value: Option<Span>,
    /// The stable label of the API, such as `torch.device` or `os.environ`.
    pub api: &'static str,
    /// When it happens.
    pub when: When,
    /// What it does.
    pub kind: FactKind,
}

/// The kinds of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// Sets or removes an environment variable of CUDA's.
    SetVariable(VariableWrite),
    /// Selects a card by its logical CUDA index.
    SelectIndex {
        /// The index.
        index: Value<u32>,
    },
    /// Selects a card by the number that the machine counts it by: the program writes the mask
    /// anew with it.
    SelectMachineCard {
        /// The number.
        index: u32,
    },
    /// Hands numbers of cards to a program that nobody knows: it takes them as indices, or makes the
    /// mask of them.
    SelectEither {
        /// The numbers.
        numbers: Vec<u32>,
    },
    /// Makes CUDA work, on whichever card is current.
    UsesGpu,
    /// Only asks about the GPU, or prepares for it.
    AsksAboutGpu,
    /// Makes the CUDA driver read its environment variables: what is set later counts for
    /// children of the process only.
    StartsCuda(Certainty),
    /// Works on every card it can see.
    TakesAll,
    /// Takes this many cards, from the first on.
    TakesCount {
        /// How many.
        count: Value<u32>,
    },
    /// Uses a number that NVML counted (every card, by PCI address, no mask) where CUDA counts.
    CountedByNvml,
    /// A launcher's flag that chooses cards whatever `CUDA_VISIBLE_DEVICES` says.
    LauncherFlag {
        /// The flag.
        flag: String,
        /// What it chooses.
        cards: Cards,
    },
    /// Gives a container cards of the host.
    Container(Cards),
}

impl FactKind {
    /// Whether it selects a card, or shows some, that only the running program knows.
    pub fn is_dynamic(&self) -> bool {
        match self {
            Self::SelectIndex { index } => *index == Value::Dynamic,
            Self::SetVariable(write) => {
                write.value == Value::Dynamic && write.name == "CUDA_VISIBLE_DEVICES"
            }
            _ => false,
        }
    }
}

/// Cards as a launcher or a container runtime names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cards {
    /// Every card of the machine.
    All,
    /// This many.
    Count(u32),
    /// This many, whichever a scheduler picks.
    Any(u32),
    /// These, by index in PCI order or by UUID.
    Listed(Vec<String>),
    /// Every card but these.
    AllBut(Vec<String>),
    /// Decided at run time.
    Dynamic,
}

/// How sure it is that something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// In every version, on every machine.
    Certain,
    /// In some versions, or under some settings.
    Fragile,
}

/// A write to an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableWrite {
    /// The variable.
    pub name: String,
    /// What it is set to; [`Value::Absent`] where it is removed.
    pub value: Value<String>,
    /// How it is written.
    pub how: HowSet,
    /// Whose variable it is.
    pub whose: Whose,
    /// Whether this is one of several values, of which one is chosen at run time.
    pub one_of_several: bool,
}

/// Whose environment a variable is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The program's own, and its children's.
    Own,
    /// That of one child, which this program starts.
    Child,
    /// That of a shell which ends at once: nobody ever sees it.
    Nobody,
    /// That of a container, in which cards are counted from 0 anew.
    Container,
    /// That of every container made from an image, unless whoever starts it says otherwise.
    Image,
}

/// How a variable is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowSet {
    /// Replaces what was there.
    Assigned,
    /// Only where nothing was there.
    Default,
    /// Past the language's own copy of the environment.
    Putenv,
    /// Replaces what was there until that is put back.
    ForAWhile,
    /// Puts back what was there before.
    PutBack,
    /// Takes over what another vendor's variable says.
    TakenOver,
    /// Removed.
    Removed,
    /// By words that stand elsewhere in the file, where they are judged: here they only count.
    Shared,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As the file is loaded, in any case.
    Loading,
    /// As the file is loaded, in a branch that may not be taken.
    Branch,
    /// When a function is called.
    Called,
}

impl When {
    /// Whether it happens while the file is loaded.
    pub fn is_loading(self) -> bool {
        matches!(self, Self::Loading | Self::Branch)
    }
}

/// A value as far as the code tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<T> {
    /// This value.
    Known(T),
    /// Decided when the program runs.
    Dynamic,
    /// None.
    Absent,
}

impl<T> Value<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Dynamic | Self::Absent => None,
        }
    }
}

/// Whether what is decided at run time is written down too: there is much of it, and only who
/// asks for it pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Only what is known.
    #[default]
    Known,
    /// Also places that select a card which is not known.
    Dynamic,
}

/// All that was read out of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The facts, by place.
    pub facts: Vec<Fact>,
    /// Whether the file is one that is started, not only imported.
    pub entry_point: bool,
    /// Whether what it starts or configures has its environment from somewhere else: it need not
    /// set the variables itself, and its indices count under the policy's mask.
    pub environment_is_given: bool,
    /// Whether it only shows code to people: nothing in it is more than a warning.
    pub for_people: bool,
    /// Its pieces that have an environment of their own.
    pub scopes: Scopes,
    /// Byte offset of the first syntax error.
    pub first_error: Option<usize>,
    /// In which order it runs; empty where no variable is written.
    pub flow: Flow,
    /// The comments that are addressed to gpuguard, by place.
    pub comments: Vec<Comment>,
    /// The code, where it lies in a file of another format: all spans are in this code then.
    pub embedded: Option<Embedded>,
    /// How many syntax errors there are.
    pub errors: usize,
    /// Where the environment can be set before anything in the file can start CUDA; known where
    /// the file has facts at all.
    pub opening: Option<Opening>,
}

/// What every comment that is addressed to gpuguard begins with.
pub const COMMENT_PREFIX: &str = "gpuguard:";

/// A comment that begins with [`COMMENT_PREFIX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its words, without the sign that begins a comment.
    pub span: Span,
    /// Its words.
    pub text: String,
    /// The code it speaks of: what stands before it, or below it where it stands alone. Empty
    /// where there is none.
    pub covers: Span,
    /// Whether it stands before all code of the file.
    pub heads_file: bool,
}

/// A place that comes before everything in the file that can start CUDA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Byte offset of the place.
    pub at: usize,
    /// Whether it is in the midst of a line, behind what must stay first.
    pub inline: bool,
    /// How the environment is written at this place; `None` where it has to be imported.
    pub environment: Option<String>,
    /// Where the environment is best imported, where it has to be: among the imports above the
    /// place. `None` where there are none.
    pub import: Option<ImportPlace>,
    /// The quotes that the file prefers.
    pub quote: char,
    /// Lines of their own that set a variable before anything can start CUDA.
    pub early: Vec<EarlyWrite>,
}

/// A place for an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportPlace {
    /// Byte offset of the start of a line.
    pub at: usize,
    /// Whether the imports there are of another kind.
    pub apart: bool,
}

/// A line that sets a variable early enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyWrite {
    /// The variable.
    pub variable: String,
    /// The line, without its line end.
    pub line: Span,
    /// How the environment is written in it.
    pub environment: String,
    /// The quotes in it.
    pub quote: char,
}

impl FileFacts {
    /// The facts of exactly this code.
    pub fn at(&self, span: Span) -> &[Fact] {
        let start = self.facts.partition_point(|fact| fact.span < span);
        let end = self.facts.partition_point(|fact| fact.span <= span);
        &self.facts[start..end]
    }

    /// The writes of the program's own environment variable `name`, in order.
    pub fn writes<'f>(
        &'f self,
        name: &'f str,
    ) -> impl Iterator<Item = (&'f Fact, &'f VariableWrite)> {
        self.facts.iter().filter_map(move |fact| match &fact.kind {
            FactKind::SetVariable(write) if write.name == name && write.whose == Whose::Own => {
                Some((fact, write))
            }
            _ => None,
        })
    }

    /// What starts CUDA at a span.
    pub fn start_at(&self, span: Span) -> Option<&Fact> {
        let from = self.facts.partition_point(|fact| fact.span < span);
        let mut here = self.facts[from..].iter();
        here.by_ref()
            .take_while(|fact| fact.span == span)
            .find(|fact| matches!(fact.kind, FactKind::StartsCuda(_)))
    }

    /// The first fact that uses the GPU or selects a card by a known index; in a file that only
    /// asks about the GPU, the first that does.
    pub fn first_use(&self) -> Option<&Fact> {
        let uses = |fact: &&Fact| match &fact.kind {
            FactKind::UsesGpu
            | FactKind::SelectMachineCard { .. }
            | FactKind::SelectEither { .. } => true,
            FactKind::SelectIndex { index } => index.known().is_some(),
            _ => false,
        };
        let asks = |fact: &&Fact| fact.kind == FactKind::AsksAboutGpu;
        let facts = || self.facts.iter();
        facts().find(uses).or_else(|| facts().find(asks))
    }

    /// What had started CUDA when `fact` happens, through calls and branches as far as the text
    /// tells, and whether it certainly had.
    pub fn started_before(&self, fact: &Fact) -> Option<(&Fact, Certainty)> {
        let (span, certainty) = self.flow.started_before(fact)?;
        let first = self.facts.partition_point(|fact| fact.span < span);
        self.facts[first..]
            .iter()
            .take_while(|fact| fact.span == span)
            .find(|fact| matches!(fact.kind, FactKind::StartsCuda(_)))
            .map(|fact| (fact, certainty))
    }
}
