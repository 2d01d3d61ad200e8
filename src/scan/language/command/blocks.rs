//! The blocks of a shell's script: branches, loops and functions.

use crate::scan::fact::When;

/// The blocks that are open.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    branches: usize,
    /// Open braces: whether each holds a function.
    braces: Vec<bool>,
    function_begins: bool,
}

impl Blocks {
    /// A word that may open or close one.
    pub(super) fn keyword(&mut self, word: &str) {
        match word {
            "if" | "for" | "while" | "until" | "case" | "select" | "switch" => self.branches += 1,
            "fi" | "done" | "esac" | "end" => self.branches = self.branches.saturating_sub(1),
            "function" => self.function_begins = true,
            "{" => self.braces.push(std::mem::take(&mut self.function_begins)),
            "}" => {
                self.braces.pop();
            }
            _ => {}
        }
    }

    /// When a command in them runs.
    pub(super) fn when(&self, when: When) -> When {
        if when == When::Called || self.braces.contains(&true) {
            When::Called
        } else if self.branches > 0 {
            When::Branch
        } else {
            when
        }
    }
}
