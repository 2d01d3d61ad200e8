//! A variable that a file sets for a program: its fact, for languages in which that is one line.

use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::text::{Edit, Span};

/// Values longer than this name no cards.
const LONGEST: usize = 512;

/// What a variable is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// The value, as the program gets it.
    pub(super) text: String,
    /// Whether something in it is decided when it runs.
    pub(super) dynamic: bool,
    /// Where it stands in the file, exactly as it is.
    pub(super) inside: Option<Span>,
}

impl Given {
    /// A value that stands in the file as it is.
    pub(super) fn literal(text: &str, span: Span) -> Self {
        Self {
            text: text.to_owned(),
            dynamic: false,
            inside: Some(span),
        }
    }

    /// One that is decided when it runs.
    pub(super) fn unknown() -> Self {
        Self {
            dynamic: true,
            ..Self::default()
        }
    }

    /// The fact that a variable is set to it, if the variable is of interest.
    pub(super) fn fact(
        self,
        name: &str,
        span: Span,
        (api, whose): (&'static str, Whose),
    ) -> Option<Fact> {
        if !catalogue::is_of_interest(name) {
            return None;
        }
        let known = !self.dynamic && self.text.len() <= LONGEST;
        Some(Fact {
            span,
            value: self.inside.filter(|_| known),
            api,
            when: When::Loading,
            kind: FactKind::SetVariable(VariableWrite {
                name: name.to_owned(),
                value: if known {
                    Value::Known(self.text)
                } else {
                    Value::Dynamic
                },
                how: HowSet::Assigned,
                whose,
                one_of_several: false,
            }),
        })
    }
}

/// The write of a fact, if it is one.
pub(super) fn write_of(fact: &mut Fact) -> Option<&mut VariableWrite> {
    match &mut fact.kind {
        FactKind::SetVariable(write) => Some(write),
        _ => None,
    }
}

/// Another variable as a word in front of `NAME=value`, which stands in a command line as a word of
/// its own.
pub(super) fn word_before(text: &str, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let (before, behind) = text.split_at_checked(fact.span.start)?;
    let is_word = before.is_empty() || before.ends_with([' ', '\t', '\n', '(', '@', '-', '+']);
    let is_assignment = behind
        .strip_prefix(write.name.as_str())
        .is_some_and(|rest| rest.starts_with('='));
    (is_word && is_assignment).then(|| Edit {
        span: Span::new(fact.span.start, fact.span.start),
        replacement: format!("{name}={value} "),
    })
}

/// Another variable on a line of its own above the line of a fact, written like it: with what
/// stands before the name and between the name and the value.
pub(super) fn line_like(text: &str, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let span = fact.value?;
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |end| end + 1);
    let before = text.get(start..span.start)?;
    let (ahead, between) = before.rsplit_once(write.name.as_str())?;
    let rest = text.get(span.end..)?;
    let quote = between.chars().next_back().filter(|c| "\"'".contains(*c));
    let closing = quote.filter(|quote| rest.starts_with(*quote));
    if quote != closing {
        return None;
    }
    let closing = closing.map(String::from).unwrap_or_default();
    let line = format!("{}{name}{between}{value}{closing}", ahead.trim_start());
    super::in_place::line_above(text, span.start, &line)
}
