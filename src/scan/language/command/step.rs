//! Scripts whose syntax is not a shell's, read into steps by their language.

use super::follow::Variables;
use super::words::{Simple, Word};
use super::{CommandFacts, DEEPEST, Exports, Shell, flags};
use crate::scan::catalogue;
use crate::scan::fact::{When, Whose};
use crate::scan::language::shell::powershell_steps;
use crate::text::Span;

/// A step of a script in another syntax.
#[derive(Debug)]
pub(in crate::scan::language) enum Step {
    /// A program, with its words.
    Start(Simple),
    /// A variable of the environment, which programs get from here on.
    Export(Setting),
    /// One that only programs get which are started by others, later.
    Keep(Setting),
    /// A variable of the script alone.
    Assign(Setting),
    /// One that a loop sets to one of these after the other.
    Each { name: String, values: Vec<Word> },
}

/// A variable and what it is set to.
#[derive(Debug)]
pub(in crate::scan::language) struct Setting {
    /// All of the statement.
    pub(in crate::scan::language) span: Span,
    pub(in crate::scan::language) name: String,
    /// None where the variable is removed.
    pub(in crate::scan::language) value: Option<Word>,
    /// Whether it is removed by an empty value, which elsewhere hides every card.
    pub(in crate::scan::language) is_emptied: bool,
    /// Whether it stands in a branch or a loop.
    pub(in crate::scan::language) in_branch: bool,
}

impl Shell {
    /// A text for `PowerShell`, with an environment of its own.
    pub(super) fn powershell(&mut self, word: &Word, deep: u8) {
        let Some(deep) = deep.checked_sub(1) else {
            return;
        };
        let steps = powershell_steps(&word.text);
        let variables = std::mem::replace(&mut self.variables, Variables::of_steps(&steps));
        let names = std::mem::take(&mut self.exported_names);
        self.at_word(word, |shell| {
            for step in &steps {
                shell.step(step, deep);
            }
        });
        self.exported_names = names;
        self.variables = variables;
    }

    fn step(&mut self, step: &Step, deep: u8) {
        match step {
            Step::Start(command) => {
                // Its words open no blocks that a shell's words close.
                let blocks = std::mem::take(&mut self.blocks);
                self.simple_command(command, deep);
                self.input("", command, deep);
                self.blocks = blocks;
            }
            Step::Export(setting) => self.in_branch(setting, false),
            Step::Keep(setting) => self.in_branch(setting, true),
            Step::Assign(setting) => self.assigned(setting),
            Step::Each { .. } => {}
        }
    }

    /// A variable of the script that is called as one of the environment is: no program sees it.
    fn assigned(&mut self, setting: &Setting) {
        let name = setting.name.to_ascii_uppercase();
        if catalogue::is_of_interest(&name)
            && !self.variables.is_read(&setting.name)
            && let Some(value) = &setting.value
        {
            let at = Word {
                span: setting.span,
                ..Word::default()
            };
            let value = self.variables.expand_word(value);
            self.named(&at, &name, &value, Whose::Nobody);
        }
    }

    fn in_branch(&mut self, setting: &Setting, kept: bool) {
        let around = self.when;
        if setting.in_branch && around == When::Loading {
            self.when = When::Branch;
        }
        self.setting(setting, kept);
        self.when = around;
    }
}

/// What a script does that was read into steps.
pub(in crate::scan::language) fn steps(steps: &[Step], text: &str) -> CommandFacts {
    let mut shell = Shell::new(When::Loading, Exports::Own);
    shell.variables = Variables::of_steps(steps);
    shell.of_others = flags::speaks_of_others(text);
    shell.of_gpus = flags::speaks_of_gpus(text);
    for step in steps {
        shell.step(step, DEEPEST);
    }
    shell.finish(Span::new(0, text.len()))
}
