//! Values as far as they can be computed, and what texts are made of them.

/// A value as far as it can be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    /// This text.
    Text(String),
    /// This number.
    Number(i64),
    /// A text of which only the start is known.
    Prefix(String),
    /// Anything.
    Unknown,
}

/// Texts longer than this name no device.
const LONGEST: usize = 512;
/// More values than these at one place are not followed.
pub(super) const MOST_VALUES: usize = 8;

/// Adds values that are not there, up to a few.
pub(super) fn merge(values: &mut Vec<Constant>, more: Vec<Constant>) {
    for value in more {
        if values.contains(&value) {
            continue;
        }
        if values.len() < MOST_VALUES {
            values.push(value);
        } else if let Some(last) = values.last_mut() {
            *last = Constant::Unknown;
        }
    }
}

pub(super) fn unknown() -> Vec<Constant> {
    vec![Constant::Unknown]
}

pub(super) fn number(number: Option<i64>) -> Vec<Constant> {
    vec![number.map_or(Constant::Unknown, Constant::Number)]
}

pub(super) fn text_of(text: &str) -> Constant {
    if text.len() <= LONGEST {
        return Constant::Text(text.to_owned());
    }
    let end = text.floor_char_boundary(LONGEST);
    Constant::Prefix(text[..end].to_owned())
}

/// What `str(…)` makes of values.
pub(super) fn as_text(values: Vec<Constant>) -> Vec<Constant> {
    formatted(values, "")
}

/// What `int(…)` makes of a value.
pub(super) fn as_number(value: &Constant) -> Constant {
    match value {
        Constant::Text(text) => text
            .trim()
            .parse()
            .map_or(Constant::Unknown, Constant::Number),
        Constant::Number(number) => Constant::Number(*number),
        Constant::Prefix(_) | Constant::Unknown => Constant::Unknown,
    }
}

/// Values in the format `{:spec}` or `%spec`: as they are, as numbers, and as numbers filled up
/// with zeros.
pub(super) fn formatted(values: Vec<Constant>, spec: &str) -> Vec<Constant> {
    let digits = spec.trim_end_matches(['d', 'i', 's']);
    let width: Option<usize> = match digits {
        "" => Some(0),
        _ => digits.parse().ok().filter(|width| *width <= 20),
    };
    let filled = digits.starts_with('0');
    let value = |value| match (value, width) {
        (Constant::Number(number), Some(width)) if filled || width <= 1 => {
            Constant::Text(format!("{number:0width$}"))
        }
        (Constant::Text(text), Some(0)) if !spec.ends_with(['d', 'i']) => Constant::Text(text),
        (Constant::Prefix(text), Some(0)) => Constant::Prefix(text),
        _ => Constant::Unknown,
    };
    values.into_iter().map(value).collect()
}

/// Every left text with every right text behind it.
pub(super) fn joined(left: &[Constant], right: &[Constant]) -> Vec<Constant> {
    if left.len() * right.len() > MOST_VALUES {
        let starts = left.iter().map(|one| behind(one, &Constant::Unknown));
        let mut all = Vec::new();
        merge(&mut all, starts.collect());
        return all;
    }
    let mut all = Vec::with_capacity(left.len() * right.len());
    for one in left {
        for other in right {
            all.push(behind(one, other));
        }
    }
    all
}

fn behind(one: &Constant, other: &Constant) -> Constant {
    match (one, other) {
        (Constant::Text(one), Constant::Text(other)) => text_of(&format!("{one}{other}")),
        (Constant::Text(one), Constant::Prefix(other)) => match text_of(&format!("{one}{other}")) {
            Constant::Text(start) => Constant::Prefix(start),
            cut => cut,
        },
        (Constant::Text(one) | Constant::Prefix(one), _) => Constant::Prefix(one.clone()),
        (Constant::Number(_) | Constant::Unknown, _) => Constant::Unknown,
    }
}
