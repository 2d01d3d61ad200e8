//! The blocks of a shell's script: branches, loops and functions.

use super::Word;
use crate::scan::fact::When;
use crate::text::Span;

/// The blocks that are open, and the functions that are closed.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    branches: usize,
    braces: Vec<Brace>,
    /// The name of a function whose body begins next.
    next: Option<String>,
    /// Each function with its body.
    functions: Vec<(String, Span)>,
}

/// An open brace.
#[derive(Debug)]
struct Brace {
    /// The function that it holds.
    function: Option<String>,
    at: usize,
}

impl Blocks {
    /// A function is defined; its body follows.
    pub(super) fn function(&mut self, name: &str) {
        self.next = Some(name.to_owned());
    }

    /// A word that may open or close a block.
    pub(super) fn keyword(&mut self, word: &Word) {
        match word.text.as_str() {
            "if" | "for" | "while" | "until" | "case" | "select" | "switch" => self.branches += 1,
            "fi" | "done" | "esac" | "end" => self.branches = self.branches.saturating_sub(1),
            "{" => self.braces.push(Brace {
                function: self.next.take(),
                at: word.span.start,
            }),
            "}" => {
                if let Some(Brace {
                    function: Some(name),
                    at,
                }) = self.braces.pop()
                {
                    let body = Span::new(at, word.span.end.max(at));
                    self.functions.push((name, body));
                }
            }
            _ => {}
        }
    }

    /// Whether a function is read.
    pub(super) fn in_function(&self) -> bool {
        self.braces.iter().any(|brace| brace.function.is_some())
    }

    /// The functions that are closed, each with its body.
    pub(super) fn functions(&self) -> &[(String, Span)] {
        &self.functions
    }

    /// When a command in them runs.
    pub(super) fn when(&self, when: When) -> When {
        if when == When::Called || self.in_function() {
            When::Called
        } else if self.branches > 0 {
            When::Branch
        } else {
            when
        }
    }
}
