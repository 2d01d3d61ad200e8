//! Scripts whose syntax is not a shell's, read into steps by their language.

use super::follow::Variables;
use super::words::{Simple, Word};
use super::{CommandFacts, DEEPEST, Exports, Shell};
use crate::scan::fact::When;
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
}

/// What a script does that was read into steps.
pub(in crate::scan::language) fn steps(
    steps: &[Step],
    whole: Span,
    of_others: bool,
) -> CommandFacts {
    let mut shell = Shell::new(When::Loading, Exports::Own);
    shell.variables = Variables::of_steps(steps);
    shell.of_others = of_others;
    for step in steps {
        match step {
            Step::Start(command) => {
                shell.simple_command(command, DEEPEST);
                shell.input("", command, DEEPEST);
            }
            Step::Export(setting) => shell.setting(setting, false),
            Step::Keep(setting) => shell.setting(setting, true),
            Step::Assign(_) => {}
        }
    }
    shell.finish(whole)
}
