//! Rules: each judges a file's facts against the policy. None of them mentions a language.
//!
//! A rule is a pair of files: `<name>.rs` with the check, `<name>.md` with its page, which is
//! what `gpuguard rule CODE` prints and what the tests run.

mod card_not_allowed;
mod container_selector;
mod count_as_index;
mod device_order_missing;
mod fastest_first;
mod index_beyond_mask;
mod index_without_mask;
mod launcher_flag;
mod mask_removed;
mod name_misspelt;
mod no_effect;
mod not_exported;
mod nvml_index;
mod set_too_late;
mod situation;
mod suppression_unused;
mod suppression_without_reason;
mod takes_all_cards;
mod uuid_not_allowed;
mod value_not_accepted;
mod visible_devices_missing;

pub use situation::Situation;

use super::fact::{Certainty, Fact, FactKind};
use super::remedy::Remedy;
use crate::policy::Severity;
use crate::text::Span;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its code, `GG006`; never used for anything else again.
    pub code: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
    /// Its severity where the policy names none.
    pub severity: Severity,
    check: fn(&Situation<'_>) -> Vec<Draft>,
}

/// What a rule says about a place, before it is known where the place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The code.
    pub span: Span,
    /// The API's label.
    pub api: &'static str,
    /// What is wrong, and which card the line would really use.
    pub message: String,
    /// A few words for the caret line.
    pub label: String,
    /// How to fix it.
    pub help: String,
    /// What the finding is about.
    pub about: About,
    /// Whether the code certainly does what the rule is about; where not, it only warns.
    pub certainty: Certainty,
    /// The literal that holds the wrong value, where there is one.
    pub value: Option<Span>,
    /// The index that is selected, where one is.
    pub index: Option<u32>,
    /// How to mend it by a machine, where that is possible at all.
    pub remedy: Option<Remedy>,
}

/// What a finding is about: decides how it is recognised in another version of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// This line.
    Line,
    /// The file as a whole: something is missing.
    File,
}

/// All rules, by code.
pub static RULES: &[Rule] = &[
    device_order_missing::RULE,
    card_not_allowed::RULE,
    value_not_accepted::RULE,
    name_misspelt::RULE,
    set_too_late::RULE,
    index_beyond_mask::RULE,
    index_without_mask::RULE,
    takes_all_cards::RULE,
    launcher_flag::RULE,
    count_as_index::RULE,
    container_selector::RULE,
    not_exported::RULE,
    nvml_index::RULE,
    no_effect::RULE,
    fastest_first::RULE,
    mask_removed::RULE,
    uuid_not_allowed::RULE,
    visible_devices_missing::RULE,
    suppression_without_reason::RULE,
    suppression_unused::RULE,
];

impl Rule {
    /// The rule of a code, in any case.
    pub fn of(code: &str) -> Option<&'static Self> {
        RULES
            .iter()
            .find(|rule| rule.code.eq_ignore_ascii_case(code))
    }

    /// Whether it is about the comments that allow findings; no comment can allow that.
    pub fn is_about_comments(&self) -> bool {
        self.code.starts_with("GG1")
    }

    /// What the rule finds.
    pub fn check(&self, situation: &Situation<'_>) -> Vec<Draft> {
        (self.check)(situation)
    }
}

impl Draft {
    /// A finding on the words of a comment to gpuguard.
    fn on_comment(span: Span) -> Self {
        Self {
            span,
            api: "gpuguard",
            message: String::new(),
            label: String::new(),
            help: String::new(),
            about: About::Line,
            certainty: Certainty::Certain,
            value: None,
            index: None,
            remedy: None,
        }
    }

    /// A finding on a fact's line.
    fn on(fact: &Fact, about: About) -> Self {
        Self {
            span: fact.span,
            api: fact.api,
            message: String::new(),
            label: String::new(),
            help: String::new(),
            about,
            certainty: Certainty::Certain,
            value: fact.value,
            index: match &fact.kind {
                FactKind::SelectIndex { index } => index.known().copied(),
                _ => None,
            },
            remedy: None,
        }
    }
}

#[cfg(test)]
mod tests;
