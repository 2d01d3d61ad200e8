//! Makefiles: variables that are exported to what is started, and recipes.
//!
//! Each line of a recipe has a shell of its own. A variable of make's that has one literal value is
//! filled in; all other references are decided when make runs.

mod line;

use std::collections::HashSet;

use super::command::HOLE;
use super::file_name::{has_extension, is_called, is_started_by};
use super::given::{self, Given, asks_for_order, write_of};
use super::logical::{Joining, Lines, Logical};
use super::recipe::{self, Variables};
use super::{Language, ReaderFailed, clue, in_place, remark};
use crate::git::RepoPath;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Detail, Fact, FileFacts, HowSet, Value, When, Whose};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};
use line::{Assignment, Line};

/// The label of a variable that make exports.
const LABEL: &str = "export";

pub(super) const MAKE: Language = Language {
    name: "make",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    is_called(path, &["Makefile", "GNUmakefile", "BSDmakefile"])
        || has_extension(path, &["mk", "mak"])
        || is_started_by(path, content, &["make", "gmake"])
        || path.file_name().starts_with(b"Makefile.") && !has_extension(path, &["in", "am", "py"])
}

/// Lines of make's own.
const OWN: Joining<'_> = Joining {
    escape: '\\',
    joint: " ",
    comments: &[],
    blanks_follow: false,
};
/// Lines of recipes: the shell joins them itself.
const RECIPE: Joining<'_> = Joining {
    joint: "\\\n",
    ..OWN
};

fn read(text: &str, _detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut reader = Reader::default();
    // Once for the variables, which may be set below what uses them.
    for pass in [Pass::Variables, Pass::Facts] {
        reader.pass = pass;
        reader.lines(text);
        if pass == Pass::Variables {
            reader.variables.resolve(filled_in);
        }
    }
    reader.end_rule(text.len());
    let first_error = reader.unclosed();
    let mut facts = reader.facts;
    facts.sort_by_key(|fact| fact.span);
    asks_for_order(text, &mut facts);
    Ok(FileFacts {
        facts,
        environment_is_given: true,
        scopes: Scopes::new(reader.scopes),
        comments: remark::comments(text, &["#"]),
        first_error,
        errors: usize::from(first_error.is_some()),
        ..FileFacts::default()
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pass {
    #[default]
    Variables,
    Facts,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else about the file; none excludes another"
)]
struct Reader {
    pass: Pass,
    variables: Variables,
    /// Variables that a line without a value exports.
    exported: HashSet<String>,
    exports_all: bool,
    /// Whether recipes are read by something that is no shell.
    foreign_shell: bool,
    /// Whether all lines of a recipe are read by one shell: `.ONESHELL:`.
    one_shell: bool,
    /// The lines of such a recipe up to here, and where they stand.
    body: Option<(Embedded, Span, When)>,
    facts: Vec<Fact>,
    scopes: Vec<Span>,
    /// Where the rule starts whose recipe is read.
    rule: Option<usize>,
    /// What that rule makes.
    target: String,
    /// Where the conditions start that have no end yet.
    conditions: Vec<usize>,
    /// The same of definitions, which stand in each other.
    definitions: Vec<usize>,
    /// Whether a word of make's own stood where recipes are: it may have been the end of one.
    is_unsure: bool,
}

impl Reader {
    fn lines(&mut self, text: &str) {
        self.conditions.clear();
        self.definitions.clear();
        self.rule = None;
        self.body = None;
        let mut lines = Lines::new(text);
        while let Some((_, next)) = lines.peek() {
            let is_recipe =
                next.starts_with('\t') && (self.rule.is_some() || !self.definitions.is_empty());
            let joining = if is_recipe { RECIPE } else { OWN };
            let Some(logical) = lines.joined(joining) else {
                return;
            };
            if is_recipe {
                self.is_unsure |= line::is_directive(next);
                self.recipe(&logical, 0);
            } else {
                self.own(&logical);
            }
        }
    }

    /// Where the first condition or definition starts that has no end.
    fn unclosed(&self) -> Option<usize> {
        let open = self.conditions.iter().chain(&self.definitions);
        open.copied().min().filter(|_| !self.is_unsure)
    }

    fn when(&self) -> When {
        if self.conditions.is_empty() {
            When::Loading
        } else {
            When::Branch
        }
    }

    /// A line of make's own.
    fn own(&mut self, logical: &Logical) {
        let code = logical.code.code();
        let word = code.split_whitespace().next().unwrap_or_default();
        if !self.definitions.is_empty() {
            match word {
                "endef" => {
                    self.end_recipe();
                    self.definitions.pop();
                }
                "define" => self.definitions.push(logical.span.start),
                _ => self.recipe(logical, 0),
            }
            return;
        }
        match line::read(code) {
            Line::Nothing => {}
            Line::Definition => self.definitions.push(logical.span.start),
            Line::Condition => self.conditions.push(logical.span.start),
            Line::EndOfCondition => _ = self.conditions.pop(),
            Line::Export(names) => {
                self.exports_all |= names.is_empty();
                self.exported.extend(names);
            }
            Line::Unexport(names) => self.unexport(&names, logical),
            Line::Assignment(assignment) => {
                self.assign(&assignment, logical, Whose::Own);
            }
            Line::Rule { assignment, recipe } => {
                // What is set for a target counts with the lines of the same target that follow.
                let target = code.split(':').next().unwrap_or_default().trim();
                self.one_shell |= target == ".ONESHELL";
                if self.rule.is_none() || self.target != target {
                    self.end_rule(logical.span.start);
                    self.rule = Some(logical.span.start);
                    target.clone_into(&mut self.target);
                }
                self.exports_all |= word.starts_with(".EXPORT_ALL_VARIABLES");
                if let Some(assignment) = assignment {
                    self.assign(&assignment, logical, Whose::Child);
                }
                if let Some(at) = recipe {
                    self.recipe(logical, at);
                }
            }
        }
    }

    /// A rule ends: what it exports is there for its recipe.
    fn end_rule(&mut self, at: usize) {
        self.end_recipe();
        if let Some(start) = self.rule.take()
            && self.pass == Pass::Facts
            && self
                .facts
                .last()
                .is_some_and(|fact| fact.span.start >= start)
        {
            self.scopes.push(Span::new(start, at));
        }
    }

    fn assign(&mut self, assignment: &Assignment, logical: &Logical, whose: Whose) {
        let code = logical.code.code();
        let written = assignment.value;
        let text = code.get(written.start..written.end).unwrap_or_default();
        let is_literal = !text.contains('$') && assignment.replaces;
        if assignment.export && whose == Whose::Own {
            // From then on, whatever the name is set to.
            self.exported.insert(assignment.name.clone());
        }
        if self.pass == Pass::Variables {
            let known = assignment.replaces.then_some(text);
            // What a target sets is not what others get.
            let known = known.filter(|_| whose == Whose::Own);
            self.variables.set(&assignment.name, known);
            if assignment.name == "SHELL" {
                let name = text.rsplit('/').next().unwrap_or_default();
                self.foreign_shell =
                    is_literal && !["sh", "bash", "dash", "zsh", "ash", "ksh"].contains(&name);
            }
            return;
        }
        let is_exported = assignment.export
            || self.exports_all
            || self.exported.contains(assignment.name.as_str());
        if !is_exported {
            return;
        }
        let given = if is_literal {
            Given {
                text: text.to_owned(),
                dynamic: false,
                inside: logical.code.verbatim(written),
            }
        } else {
            let known = line::reference(text).and_then(|name| self.variables.get(name));
            let known = known.filter(|value| !value.contains(HOLE));
            known.map_or_else(Given::unknown, |value| Given {
                text: value.to_owned(),
                ..Given::default()
            })
        };
        let span = logical.code.in_file(assignment.span);
        if let Some(mut fact) = given.fact(&assignment.name, span, (LABEL, whose)) {
            fact.when = self.when();
            self.facts.push(fact);
        }
    }

    fn unexport(&mut self, names: &[String], logical: &Logical) {
        if self.pass == Pass::Variables {
            return;
        }
        for name in names {
            let span = logical.span;
            let given = Given::literal("", span);
            if let Some(mut fact) = given.fact(name, span, (LABEL, Whose::Own)) {
                fact.value = None;
                if let Some(write) = write_of(&mut fact) {
                    write.value = Value::Absent;
                    write.how = HowSet::Removed;
                }
                fact.when = self.when();
                self.facts.push(fact);
            }
        }
    }

    /// A line of a recipe, from an offset on.
    fn recipe(&mut self, logical: &Logical, from: usize) {
        if self.pass == Pass::Variables || self.foreign_shell {
            return;
        }
        let code = logical.code.code();
        let content = code.get(from..).unwrap_or_default();
        let command = content.trim_start_matches([' ', '\t', '@', '-', '+']);
        let start = from + (content.len() - command.len());
        let mut filled = Embedded::default();
        for piece in line::pieces(command) {
            let span = Span::new(start + piece.span.start, start + piece.span.end);
            match piece.reference {
                None => logical.code.copy_to(&mut filled, span),
                Some(name) => {
                    let value = match name {
                        "$" => Some("$".to_owned()),
                        "MAKE" => Some("make".to_owned()),
                        _ => self
                            .variables
                            .get(name)
                            .map(|value| value.replace("$$", "$")),
                    };
                    recipe::fill(&mut filled, logical.code.in_file(span), value.as_deref());
                }
            }
        }
        let when = self.when();
        if self.one_shell {
            let whole = Span::new(0, filled.code().len());
            let (body, span, _) = self
                .body
                .get_or_insert_with(|| (Embedded::default(), logical.span, when));
            filled.copy_to(body, whole);
            body.push(Span::new(logical.span.end, logical.span.end), "\n");
            span.end = logical.span.end;
            return;
        }
        self.shell(&filled, logical.span, when);
    }

    /// The recipe of one shell ends.
    fn end_recipe(&mut self) {
        if let Some((body, span, when)) = self.body.take() {
            self.shell(&body, span, when);
        }
    }

    fn shell(&mut self, code: &Embedded, span: Span, when: When) {
        let facts = recipe::shell(code, when);
        if !facts.is_empty() {
            self.scopes.push(span);
        }
        self.facts.extend(facts);
    }
}

/// A variable's value with what `known` says of those in it, for others a hole.
fn filled_in(text: &str, known: &mut dyn FnMut(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    for piece in line::pieces(text) {
        let written = text.get(piece.span.start..piece.span.end);
        match piece.reference {
            None => filled.push_str(written.unwrap_or_default()),
            // For the shell, which comes later.
            Some("$") => filled.push_str("$$"),
            Some(name) => match known(name) {
                Some(value) => filled.push_str(&value),
                None => filled.push(HOLE),
            },
        }
    }
    filled
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

fn beside(text: &str, _: &FileFacts, fact: &Fact, pair: (&str, &str)) -> Option<Edit> {
    if given::is_of_command(fact) {
        return given::word_before(text, fact, pair);
    }
    let mut edit = given::line_like(text, fact, pair)?;
    // A line of its own that exports the variable exports no other.
    let at = edit.replacement.find(pair.0)?;
    let ahead = edit.replacement.get(..at)?;
    if !ahead.split_whitespace().any(|word| word == "export") {
        edit.replacement.insert_str(at, "export ");
    }
    Some(edit)
}
