//! Writes remedies as Python: `literal` and `indirect` values, `insertion` the lines that are
//! missing, `removal` what goes. What needs the tree reads the file once more, for all wishes.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::Stmt;

use super::literal::{index_edit, value_edit};
use super::removal::{Found, move_first, removable, remove};
use super::surroundings::Surroundings;
use super::{indirect, insertion};
use crate::scan::fact::{FactKind, FileFacts, Value};
use crate::scan::language::ReaderFailed;
use crate::scan::remedy::{Change, Site, Wish, Written};
use crate::text::{Edit, Span};

/// Longer lists of cards are left to a person.
const MOST_CARDS: usize = 64;
/// More statements that come too late are left to a person.
const MOST_MOVES: usize = 64;

/// The edits for each wish; `None` for one that cannot be written for certain. `with_module` does
/// what it is given with the statements of the text.
pub(super) fn edits(
    text: &str,
    facts: &FileFacts,
    wishes: &[Wish<'_>],
    with_module: impl FnOnce(
        &(dyn Fn(&[Stmt]) -> Vec<Option<Written>> + Sync),
    ) -> Result<Vec<Option<Written>>, ReaderFailed>,
) -> Vec<Option<Written>> {
    let needs_tree = |wish: &Wish<'_>| match wish.change {
        Change::Index(_) | Change::Remove | Change::MoveFirst => true,
        Change::Value(_) => wish.site.value.is_none(),
        Change::Name(_) | Change::SetFirst(_) | Change::SetBeside(..) => false,
    };
    if !wishes.iter().any(needs_tree) {
        return Editor::new(text, facts, &[], wishes).write_all(wishes);
    }
    let write = |module: &[Stmt]| Editor::new(text, facts, module, wishes).write_all(wishes);
    with_module(&write).unwrap_or_else(|_| vec![None; wishes.len()])
}

/// A text to be edited, with what all wishes need to know of it.
struct Editor<'t> {
    text: &'t str,
    facts: &'t FileFacts,
    module: &'t [Stmt],
    around: Surroundings<'t>,
    /// The literals that get another index, by their start, with the index.
    reindexed: HashSet<(usize, u32)>,
    /// Where the statements start that are taken out.
    going: HashSet<usize>,
    /// The literals that are the value of more than one variable, by their start.
    shared: HashSet<usize>,
    /// How many statements were moved.
    moves: usize,
    /// The lines that are missing: the same for all findings that miss them.
    missing: Option<Missing>,
}

/// Settings, and the lines that set those of them that are missing.
struct Missing {
    settings: Vec<(String, String)>,
    edits: Option<Vec<Edit>>,
}

impl<'t> Editor<'t> {
    fn new(text: &'t str, facts: &'t FileFacts, module: &'t [Stmt], wishes: &[Wish<'_>]) -> Self {
        let mut literals = HashSet::new();
        let mut computed = HashSet::new();
        let mut reindexed = HashSet::new();
        let mut going = HashSet::new();
        for Wish { site, change } in wishes {
            match (change, site.value) {
                (Change::Index(index), Some(literal)) => {
                    literals.insert(literal.start);
                    reindexed.insert((literal.start, *index));
                }
                (Change::Index(_) | Change::Value(_), None) => {
                    computed.insert(site.span);
                }
                (Change::Remove | Change::MoveFirst, _) => {
                    let found = removable((text, module), facts, site.span);
                    going.extend(found.map(|found| found.start()));
                }
                _ => {}
            }
        }
        Self {
            text,
            facts,
            module,
            around: Surroundings::of(module, literals, computed),
            reindexed,
            going,
            shared: shared_values(facts),
            moves: 0,
            missing: None,
        }
    }

    fn write_all(mut self, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
        wishes.iter().map(|wish| self.write(wish)).collect()
    }

    fn write(&mut self, wish: &Wish<'_>) -> Option<Written> {
        let Wish { site, change } = wish;
        let edits = match (change, site.value) {
            (Change::Index(index), Some(literal)) => {
                return self.index(literal, site.index?, *index);
            }
            (Change::Index(index), None) => {
                let indices = (site.index?, *index);
                return indirect::index_in(self.text, self.facts, &self.around, *site, indices);
            }
            (Change::Value(value), None) => {
                return indirect::value_in(self.text, self.facts, &self.around, (*site, value));
            }
            // `environ[A] = environ[B] = "1"`: no value is right for both.
            (Change::Value(_), Some(literal)) if self.shared.contains(&literal.start) => {
                return None;
            }
            (Change::Value(value), Some(literal)) => vec![value_edit(self.text, literal, value)?],
            (Change::Name(name), _) => vec![self.name(*site, name)?],
            (Change::SetFirst(settings), _) => self.set_first(settings)?,
            // The environment of a child is made in too many ways.
            (Change::SetBeside(..), _) => return None,
            (Change::Remove, _) => vec![remove(self.statement(site.span)?, &self.going)?],
            (Change::MoveFirst, _) => {
                self.moves += 1;
                if self.moves > MOST_MOVES {
                    return None;
                }
                let found = self.statement(site.span)?;
                move_first(self.facts, (found, site.span), &self.going)?
            }
        };
        Some(Written {
            edits,
            only_that: true,
        })
    }

    fn statement(&self, site: Span) -> Option<Found<'t>> {
        removable((self.text, self.module), self.facts, site)
    }

    fn index(&self, literal: Span, wrong: u32, index: u32) -> Option<Written> {
        let edit = index_edit(self.text, literal, wrong, index)?;
        let only_that = !self.around.is_default(literal.start);
        let edit = match self.around.list_of(literal.start) {
            Some((list, _)) if list.len() > MOST_CARDS => return None,
            Some((list, place)) if self.is_there_already(list, place, index) => {
                self.without_element(list, place)?
            }
            _ => edit,
        };
        Some(Written {
            edits: vec![edit],
            only_that,
        })
    }

    /// Whether a list has the index that an element is to become, or gets it at an earlier place.
    fn is_there_already(&self, list: &[Span], place: usize, index: u32) -> bool {
        let has = |element: &Span| {
            self.facts.at(*element).iter().any(|fact| {
                matches!(&fact.kind, FactKind::SelectIndex { index: found }
                    if *found == Value::Known(index))
            })
        };
        let gets = |element: &Span| self.reindexed.contains(&(element.start, index));
        list.iter().any(has) || list[..place].iter().any(gets)
    }

    /// A list without one of its elements. Comments between two are left to a person.
    fn without_element(&self, list: &[Span], place: usize) -> Option<Edit> {
        let span = if place > 0 {
            Span::new(list[place - 1].end, list[place].end)
        } else {
            Span::new(list[0].start, list.get(1)?.start)
        };
        let between = if place > 0 {
            Span::new(span.start, list[place].start)
        } else {
            Span::new(list[0].end, span.end)
        };
        let layout = self.text.get(between.start..between.end)?;
        let plain = layout.chars().all(|c| c == ',' || c.is_whitespace());
        // `(0, 1)` would become `(0)`, which is no tuple.
        let close = self.text.get(list.last()?.end..)?.trim_start();
        let stays_list = list.len() > 2 || close.starts_with([']', '}']) || close.starts_with(',');
        (plain && stays_list).then(|| Edit {
            span,
            replacement: String::new(),
        })
    }

    /// The name of the variable that is written, where it stands in the code as it is.
    fn name(&self, site: Site, name: &str) -> Option<Edit> {
        let write = self
            .facts
            .at(site.span)
            .iter()
            .find_map(|fact| match &fact.kind {
                FactKind::SetVariable(write) => Some(write),
                _ => None,
            })?;
        let code = self.text.get(site.span.start..site.span.end)?;
        let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let mut places = code
            .match_indices(write.name.as_str())
            .filter(|(at, found)| {
                let before = code[..*at].chars().next_back();
                let after = code[at + found.len()..].chars().next();
                let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !joins(before) && !joins(after)
            });
        let ((at, found), None) = (places.next()?, places.next()) else {
            return None;
        };
        let start = site.span.start + at;
        (is_word(name) && !name.is_empty()).then(|| Edit {
            span: Span::new(start, start + found.len()),
            replacement: name.to_owned(),
        })
    }

    fn set_first(&mut self, settings: &[(String, String)]) -> Option<Vec<Edit>> {
        if let Some(missing) = &self.missing
            && missing.settings == settings
        {
            return missing.edits.clone();
        }
        let edits = insertion::set_first(self.text, self.facts, settings);
        self.missing = Some(Missing {
            settings: settings.to_vec(),
            edits: edits.clone(),
        });
        edits
    }
}

/// Where the literals start that are given to variables of different names.
fn shared_values(facts: &FileFacts) -> HashSet<usize> {
    let mut names: HashMap<usize, &str> = HashMap::new();
    let mut shared = HashSet::new();
    for fact in &facts.facts {
        if let (FactKind::SetVariable(write), Some(literal)) = (&fact.kind, fact.value) {
            let first = *names.entry(literal.start).or_insert(&write.name);
            if first != write.name {
                shared.insert(literal.start);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests;
