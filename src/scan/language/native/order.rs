//! In which order a C++ file sets CUDA's variables and starts CUDA: its functions, their branches,
//! and the calls that make the driver read its environment.

use std::collections::BTreeMap;

use super::path::Path;
use super::reader::Reader;
use crate::scan::catalogue::start;
use crate::scan::fact::{Certainty, Fact, FactKind, Value, Whose};
use crate::scan::flow::{Body, Flow, Runs};
use crate::text::Span;

/// Brackets around a call that are looked through for its statement.
const MOST_BRACKETS: usize = 16;

impl Reader<'_> {
    /// The order in which things happen, with the calls that start CUDA as facts; empty where the
    /// file sets no variable of CUDA's for itself.
    pub(super) fn order(&mut self) -> Flow {
        if !self.facts.iter().any(sets_mask) {
            return Flow::default();
        }
        let bodies = self.bodies();
        self.facts.sort_by_key(|fact| (fact.span, fact.value));
        Flow::new(bodies, &self.facts)
    }

    /// A call that starts CUDA.
    fn start(&mut self, open: usize) {
        let Some(path) = Path::before(&self.tokens, open, self.syntax) else {
            return;
        };
        if path.declares.is_some() || path.is_method {
            return;
        }
        let Some((api, certainty)) = start::of_native(&path.words) else {
            return;
        };
        let certainty = if self.is_certain(path.first) {
            certainty
        } else {
            Certainty::Fragile
        };
        self.facts.push(Fact {
            span: self.tokens.span(path.first, self.tokens.close_of(open)),
            value: None,
            api,
            when: self.when(open),
            kind: FactKind::StartsCuda(certainty),
        });
    }

    /// Whether a call is no branch by itself, as in `if (x) cudaFree(0);`.
    fn is_certain(&self, at: usize) -> bool {
        let mut first = self.tokens.statement_start(at);
        for _ in 0..MOST_BRACKETS {
            match self.tokens.around(first) {
                Some(around) if self.tokens.is_open(around, b'(') => {
                    first = self.tokens.statement_start(around);
                }
                _ => break,
            }
        }
        match self.tokens.word(first) {
            Some("if" | "while" | "for" | "switch") => {
                let is_open = |open: &usize| self.tokens.is_open(*open, b'(');
                let condition = [first + 1, first + 2].into_iter().find(is_open);
                condition.is_some_and(|open| at < self.tokens.close_of(open))
            }
            Some("else" | "case" | "default") => false,
            _ => true,
        }
    }

    /// The functions and the arms of their branches; on the way, the calls in them that start CUDA.
    /// In an arm that leaves its function, and sets nothing, they have not run for what follows.
    fn bodies(&mut self) -> Vec<Body> {
        let whole = Body {
            span: Span::new(0, self.tokens.text.len()),
            outer: 0,
            runs: Runs::First,
        };
        let mut bodies = vec![whole];
        let sets = self.facts.iter().filter(|fact| sets_mask(fact));
        let sets: Vec<usize> = sets.map(|fact| fact.span.start).collect();
        let is_set_in = |span: Span| {
            let next = sets.partition_point(|start| *start < span.start);
            sets.get(next).is_some_and(|start| *start < span.end)
        };
        // The arm that a chain of `else` begins with, by its block.
        let mut chains: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open: Vec<Open> = Vec::new();
        for at in 0..self.tokens.len() {
            while open.last().is_some_and(|body| body.end < at) {
                self.close(&mut open);
            }
            if self.tokens.is_open(at, b'(') {
                // Outside a function it is a declaration.
                if let Some(body) = open.last_mut() {
                    body.starts_program |= self.starts_program(at);
                    if !body.is_left {
                        self.start(at);
                    }
                }
                continue;
            }
            if !self.tokens.is_open(at, b'{') {
                continue;
            }
            let span = self.tokens.span(at, self.tokens.close_of(at));
            let runs = match self.arm(at) {
                _ if self.is_function(at) => Runs::Unknown,
                Arm::No => continue,
                Arm::Lambda => Runs::Unknown,
                Arm::First => Runs::Perhaps { at: span.start },
                Arm::Behind(first) => Runs::Perhaps {
                    at: chains.get(&first).copied().unwrap_or(span.start),
                },
            };
            let mut is_left = open.last().is_some_and(|outer| outer.is_left);
            if let Runs::Perhaps { at: first } = runs {
                chains.insert(at, first);
                is_left |= self.leaves(at) && !is_set_in(span);
            }
            let outer = open.last().map_or(0, |outer| outer.body);
            open.push(Open {
                end: self.tokens.close_of(at),
                body: bodies.len(),
                first: self.facts.len(),
                is_left,
                starts_program: false,
            });
            bodies.push(Body { span, outer, runs });
        }
        while !open.is_empty() {
            self.close(&mut open);
        }
        bodies
    }

    /// Ends a body. What a function sets that starts a program is meant for that, whenever it is
    /// set: nothing is too late there.
    fn close(&mut self, open: &mut Vec<Open>) {
        let Some(body) = open.pop() else { return };
        match open.last_mut() {
            Some(outer) => outer.starts_program |= body.starts_program,
            None if body.starts_program => self.facts.truncate(body.first),
            None => {}
        }
    }

    /// Whether a bracket is that of a call which starts a program.
    fn starts_program(&self, open: usize) -> bool {
        let name = open.checked_sub(1).and_then(|at| self.tokens.word(at));
        name.is_some_and(|name| {
            let name = name.trim_start_matches('_');
            name.starts_with("exec")
                || name.starts_with("CreateProcess")
                || [
                    "fork",
                    "popen",
                    "posix_spawn",
                    "posix_spawnp",
                    "system",
                    "vfork",
                ]
                .contains(&name)
        })
    }

    /// What the words before a block make of it.
    fn arm(&self, block: usize) -> Arm {
        let Some(before) = block.checked_sub(1) else {
            return Arm::No;
        };
        // The block whose `else` stands before a token.
        let chain = |behind: usize| {
            let word = behind.checked_sub(1)?;
            let close = word.checked_sub(1)?;
            (self.tokens.word(word) == Some("else"))
                .then(|| self.tokens.open_of(close))
                .flatten()
        };
        if self.tokens.word(before) == Some("else") {
            return chain(block).map_or(Arm::First, Arm::Behind);
        }
        let is_lambda = |close: usize| {
            let open = self.tokens.open_of(close);
            open.is_some_and(|open| self.tokens.is_open(open, b'['))
        };
        if is_lambda(before) {
            return Arm::Lambda;
        }
        let Some(condition) = self
            .tokens
            .open_of(before)
            .filter(|open| self.tokens.is_open(*open, b'('))
        else {
            return Arm::No;
        };
        let Some(word) = condition.checked_sub(1) else {
            return Arm::No;
        };
        match self.tokens.word(word) {
            Some("if") => chain(word).map_or(Arm::First, Arm::Behind),
            Some("constexpr" | "for" | "while" | "switch" | "catch") => Arm::First,
            None if is_lambda(word) => Arm::Lambda,
            _ => Arm::No,
        }
    }

    /// Whether the last statement of a block leaves what is around it.
    fn leaves(&self, block: usize) -> bool {
        let last = self.tokens.close_of(block).saturating_sub(2);
        if last <= block {
            return false;
        }
        let first = self.tokens.statement_start(last);
        matches!(
            self.tokens.word(first),
            Some("return" | "throw" | "exit" | "_exit" | "abort" | "goto" | "break" | "continue")
        )
    }
}

/// A body whose end was not seen yet.
struct Open {
    end: usize,
    /// Its place in the list.
    body: usize,
    /// How many facts there were before it.
    first: usize,
    /// Whether a program is started in it.
    starts_program: bool,
    /// Whether it leaves its function, and nothing is set in it.
    is_left: bool,
}

/// What a block is.
enum Arm {
    /// Part of the code around it.
    No,
    /// Runs when somebody calls it.
    Lambda,
    /// Runs perhaps.
    First,
    /// Runs perhaps, and not with the arm that begins with this block.
    Behind(usize),
}

/// Whether a fact sets a variable of CUDA's for the program itself.
fn sets_mask(fact: &Fact) -> bool {
    matches!(
        &fact.kind,
        FactKind::SetVariable(write) if write.whose == Whose::Own
            && write.value != Value::Absent
            && write.name.starts_with("CUDA_")
    )
}
