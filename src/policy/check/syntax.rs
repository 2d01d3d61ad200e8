//! What TOML and serde complain of, in words of the policy.

use super::Place;
use crate::policy::PolicyError;

impl Place<'_> {
    pub(in crate::policy) fn invalid_syntax(&self, error: &toml::de::Error) -> PolicyError {
        let message = error.message();
        let hint = suggestion(message);
        self.invalid(
            error.span().unwrap_or(0..0),
            message.trim().replace('\n', " "),
            hint,
        )
    }
}

/// What was probably meant. serde words an unknown key or value as ``unknown field `a`,
/// expected one of `b`, `c` ``: the first name is the reader's, the others are ours.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let written = names.next()?;
    let known: Vec<&str> = names.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3).max(1));
    match nearest {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}
