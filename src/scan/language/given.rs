//! A variable that a file sets for a program: its fact, for languages in which that is one line.

use super::placeholder::is_filled_in;
use crate::scan::catalogue;
use crate::scan::fact::{Cards, Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
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
        let known = !self.dynamic && self.text.len() <= LONGEST && !is_filled_in(&self.text);
        if !catalogue::is_of_interest(name) {
            return known
                .then(|| device_of(name, &self.text, (span, self.inside)))
                .flatten();
        }
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

/// The fact that a program gets the name of a card by a variable of its own: `DEVICE=cuda:1`.
pub(super) fn device_of(
    name: &str,
    text: &str,
    (span, value): (Span, Option<Span>),
) -> Option<Fact> {
    let index = catalogue::card_of_variable(name, text)?;
    Some(Fact {
        span,
        value,
        api: "device",
        when: When::Loading,
        kind: FactKind::SelectIndex {
            index: Value::Known(index),
        },
    })
}

/// What `${NAME:-value}` and `${NAME-value}` are where the variable has no value.
pub(super) fn default_of(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let rest = inner.trim_start_matches(is_part);
    let value = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-'))?;
    let is_known = !value.is_empty() && !value.contains(['$', '`', '{', '}']);
    (rest.len() < inner.len() && is_known).then_some(value)
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
    let last = before.chars().next_back();
    let is_word = last.is_none_or(|c| c.is_whitespace() || "(@-+;&|\"'".contains(c));
    let is_assignment = behind
        .strip_prefix(write.name.as_str())
        .is_some_and(|rest| rest.starts_with('='));
    // In a list of words, a word more is not a word in front.
    let next = text.get(fact.span.end..)?.chars().next();
    let is_alone = last == next && matches!(last, Some('"' | '\''));
    (is_word && is_assignment && !is_alone).then(|| Edit {
        span: Span::new(fact.span.start, fact.span.start),
        replacement: format!("{name}={value} "),
    })
}

/// Another variable beside one that has a line of its own, or is one among others: written like it,
/// quotes and all, on the line above, or in front with what parts two of them.
pub(super) fn beside(
    text: &str,
    fact: &Fact,
    (name, value): (&str, &str),
    between: &str,
) -> Option<Edit> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let inside = fact.value?;
    let line = text
        .get(..inside.start)?
        .rfind('\n')
        .map_or(0, |end| end + 1);
    let ahead = text.get(line..inside.start)?;
    let own = line + ahead.rfind(write.name.as_str())?;
    // Quotes around the name, the value, or both together.
    let opening = text.get(line..own)?.chars().next_back();
    let opening = opening.filter(|c| "\"'".contains(*c));
    let start = own - opening.map_or(0, char::len_utf8);
    let rest = text.get(inside.end..)?.split(['\n', '\r']).next()?;
    let closing = rest.len() - rest.trim_start_matches(['"', '\'']).len();
    let written = format!(
        "{}{name}{}{value}{}",
        text.get(start..own)?,
        text.get(own + write.name.len()..inside.start)?,
        rest.get(..closing)?,
    );
    let behind = rest.get(closing..)?;
    let comma = if behind.starts_with(',') { "," } else { "" };
    let behind = behind.trim_start_matches(',').trim_start();
    let ends_line = behind.is_empty() || behind.starts_with(['#', ';']);
    let ahead = text.get(line..start)?.trim_start();
    let starts_line = ahead.is_empty() || ahead.trim_end() == "export";
    if starts_line && ends_line {
        return super::in_place::line_above(
            text,
            inside.start,
            &format!("{ahead}{written}{comma}"),
        );
    }
    Some(Edit {
        span: Span::new(start, start),
        replacement: format!("{written}{between}"),
    })
}

/// Another variable on the line above one that has a line of its own, with what stands there before
/// the name and around the value.
pub(super) fn line_like(text: &str, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let inside = fact.value?;
    let line = text
        .get(..inside.start)?
        .rfind('\n')
        .map_or(0, |end| end + 1);
    let (ahead, between) = text
        .get(line..inside.start)?
        .rsplit_once(write.name.as_str())?;
    let written = text.get(inside.start..inside.end)?;
    // Quotes that the value keeps are none of the line's style.
    let quote = between.chars().next_back().filter(|c| "\"'".contains(*c));
    let closing = quote.filter(|quote| {
        text.get(inside.end..)
            .is_some_and(|rest| rest.starts_with(*quote))
    });
    if quote != closing || written.contains('\n') {
        return None;
    }
    let closing = closing.map(String::from).unwrap_or_default();
    let line = format!("{}{name}{between}{value}{closing}", ahead.trim_start());
    super::in_place::line_above(text, inside.start, &line)
}

/// An order that a branch sets holds in any case where the branch asks whether there is one: its
/// name then stands in the code more often than it is written.
pub(super) fn asks_for_order(code: &str, facts: &mut [Fact]) {
    const ORDER: &str = "CUDA_DEVICE_ORDER";
    let is_order =
        |fact: &Fact| matches!(&fact.kind, FactKind::SetVariable(write) if write.name == ORDER);
    let is_in_branch = |fact: &Fact| fact.when == When::Branch && is_order(fact);
    let written = facts.iter().filter(|fact| is_order(fact)).count();
    if facts.iter().any(is_in_branch) && code.matches(ORDER).count() > written {
        for fact in facts.iter_mut().filter(|fact| is_in_branch(fact)) {
            fact.when = When::Loading;
        }
    }
}

/// Facts of what runs in a container, which counts its own cards from 0: a launcher that makes the
/// mask there can name no others.
pub(super) fn counted_inside(facts: Vec<Fact>) -> Vec<Fact> {
    let mut found = Vec::with_capacity(facts.len());
    for fact in facts {
        let cards = match &fact.kind {
            FactKind::LauncherFlag { cards, .. } => cards,
            FactKind::SelectEither { numbers } => {
                found.extend(as_indices(&fact, numbers));
                continue;
            }
            _ => {
                found.push(fact);
                continue;
            }
        };
        let of_kind = |kind| Fact {
            kind,
            ..fact.clone()
        };
        match cards {
            Cards::Listed(listed) => {
                let numbers = listed.iter().filter_map(|card| card.parse().ok());
                let indices = numbers.map(|index| FactKind::SelectIndex {
                    index: Value::Known(index),
                });
                found.extend(indices.map(of_kind));
            }
            Cards::Count(count) => found.push(of_kind(FactKind::TakesCount {
                count: Value::Known(*count),
            })),
            Cards::All => found.push(of_kind(FactKind::TakesAll)),
            Cards::Any(_) | Cards::AllBut(_) | Cards::Dynamic => {}
        }
    }
    found
}

/// The numbers of a fact as indices. Of several, none can be written anew for certain.
fn as_indices<'f>(fact: &'f Fact, numbers: &'f [u32]) -> impl Iterator<Item = Fact> + 'f {
    numbers.iter().map(|number| Fact {
        value: fact.value.filter(|_| numbers.len() == 1),
        kind: FactKind::SelectIndex {
            index: Value::Known(*number),
        },
        ..fact.clone()
    })
}

/// The fact of a command's variable, told by its label: one in settings is another.
pub(super) fn is_of_command(fact: &Fact) -> bool {
    fact.api == "shell command"
}
