//! Why a file is judged as it is: which entries of its policy speak of it, and what the indices in
//! it select.

use ignore::Match;

use super::decode::decode;
use super::engine::{Place, Scanner, matches};
use super::fact::Detail;
use super::language::Language;
use super::rule::{RULES, Situation};
use crate::git::RepoPath;
use crate::policy::selection::Selected;
use crate::policy::{Policy, Severity};
use crate::text::Position;

/// What the policy says of one file.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The entry of `scan.exclude` by which it is not scanned.
    pub excluded_by: Option<usize>,
    /// The language it is read as; `None` where it is in none that is read.
    pub language: Option<&'static str>,
    /// The entry of `[[language]]` that says so, where it is not the name of the file.
    pub language_by: Option<usize>,
    /// Each rule's code, what it does in this file, and who says so.
    pub rules: Vec<(&'static str, Severity, SaidBy)>,
}

/// Who says the severity of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidBy {
    /// The rule itself.
    Rule,
    /// `[rules]`.
    Rules,
    /// This entry of `[[override]]`.
    Override(usize),
}

/// An index in a file, and what it selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where it stands.
    pub start: Position,
    /// The API, such as `torch.device`.
    pub api: &'static str,
    /// The index.
    pub index: u32,
    /// What it selects, for people.
    pub card: String,
}

impl Scanner {
    /// The policy that counts for a file.
    pub fn policy_for(&self, path: &RepoPath) -> &Policy {
        &self.nearest(path).policy
    }

    /// What the policy says of a file.
    pub fn standing(&self, path: &RepoPath, content: &[u8]) -> Standing {
        let nearest = self.nearest(path);
        let below_root = path.below(std::path::Path::new(""));
        let excluded_by = below_root.and_then(|file| {
            let found = match nearest.exclude.matched_path_or_any_parents(file, false) {
                Match::Ignore(glob) => glob.original(),
                Match::None | Match::Whitelist(_) => return None,
            };
            let globs = &nearest.policy.scan.exclude;
            globs.iter().rposition(|glob| glob == found)
        });
        let mapped = nearest.languages.iter();
        let rules = RULES.iter().enumerate().map(|(at, rule)| {
            let said = if nearest.policy.severity_of(rule.code).is_some() {
                SaidBy::Rules
            } else {
                SaidBy::Rule
            };
            let general = nearest.severities.get(at).copied();
            let general = (rule.code, general.unwrap_or(rule.severity), said);
            let overrides = nearest.overrides.iter().enumerate();
            overrides
                .filter(|(_, (globs, _))| matches(globs, path))
                .fold(general, |before, (entry, (_, others))| {
                    let other = others.iter().find(|(other, _)| *other == at);
                    other.map_or(before, |(_, severity)| {
                        (rule.code, *severity, SaidBy::Override(entry))
                    })
                })
        });
        Standing {
            excluded_by,
            language: self.language(path, content).map(|language| language.name),
            language_by: mapped
                .enumerate()
                .filter(|(_, (globs, _))| matches(globs, path))
                .map(|(at, _)| at)
                .next_back(),
            rules: rules.collect(),
        }
    }

    /// The indices that are written in a file, and what each selects; none where the file cannot
    /// be read.
    pub fn selections(&self, path: &RepoPath, content: &[u8]) -> Vec<Selection> {
        let read = || {
            let language: &Language = self.language(path, content)?;
            let text = decode(content).ok()?;
            let facts = language.read(&text, Detail::Known).ok()?;
            let situation = Situation::new(&self.nearest(path).policy, &facts);
            let place = Place::new(language, &text, &facts);
            let selections = situation.indices().map(|(fact, index)| Selection {
                start: place.in_file(fact.span).0,
                api: fact.api,
                index,
                card: words(situation.selected_at(fact, index)),
            });
            Some(selections.collect())
        };
        read().unwrap_or_default()
    }
}

fn words(selected: Option<Selected<'_>>) -> String {
    match selected {
        Some(Selected::Allowed(card)) => format!("{}, which is allowed", card.name),
        Some(Selected::Forbidden(card)) => format!("{}, which is forbidden", card.name),
        Some(Selected::Unknown) => "a card that cannot be told".to_owned(),
        Some(Selected::Nothing) => "no card".to_owned(),
        None => "a card by a mask that is decided at run time".to_owned(),
    }
}
