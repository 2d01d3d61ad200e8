//! How a finding can be mended, in words that no language owns: a rule proposes it, the language
//! writes it as edits.

use crate::text::{Edit, Span};

/// What a rule proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What is to change.
    pub change: Change,
    /// Whether the program is sure to mean the same afterwards, but for the card.
    pub safety: Safety,
}

/// A change that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Select this logical index instead.
    Index(u32),
    /// Give the variable this value instead.
    Value(String),
    /// Write this variable instead.
    Name(String),
    /// Set those of these variables that are not set, before anything here can start CUDA.
    SetFirst(Vec<(String, String)>),
    /// Set this variable to this value for the same program as the one here.
    SetBeside(String, String),
    /// Set the variable where nothing can have started CUDA yet, instead of here.
    MoveFirst,
    /// Leave it out.
    Remove,
}

/// Whether a fix may be made without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Made by `gpuguard fix`.
    Safe,
    /// Made only with `--unsafe-fixes`.
    Unsafe,
}

/// A remedy as the file's language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be made without being asked for.
    pub safety: Safety,
    /// What to change in the file's text.
    pub edits: Vec<Edit>,
    /// The lines that this changes, for people; empty where they are too long to be read.
    pub diff: Vec<ChangedLines>,
}

/// Neighbouring lines of a file before and after a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLines {
    /// The line of the file at which they start, from 1.
    pub line: usize,
    /// What stands there, without line ends; empty where lines are only added.
    pub removed: Vec<String>,
    /// What stands there afterwards.
    pub added: Vec<String>,
}

/// Where a finding stands, for the language that writes its remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// The code of the finding.
    pub(super) span: Span,
    /// The literal that holds the wrong value.
    pub(super) value: Option<Span>,
    /// The index that is wrong, where one is: a literal may hold several.
    pub(super) index: Option<u32>,
}

/// A change that is asked of a language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'c> {
    /// Where.
    pub(super) site: Site,
    /// What.
    pub(super) change: &'c Change,
}

/// A change as a language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// The edits.
    pub(super) edits: Vec<Edit>,
    /// Whether they change nothing but what was asked for; where others may use the same value,
    /// or give another, they are unsafe.
    pub(super) only_that: bool,
}
