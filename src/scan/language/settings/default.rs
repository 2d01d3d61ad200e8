//! Values with a default: what a setting is where the variable that it asks for has no value.
//!
//! Sources: Compose's "Interpolation", `OmegaConf`'s "Custom resolvers" (`oc.env`), GitHub's
//! "Expressions" (`||`).

use std::borrow::Cow;

use super::tree::Scalar;
use super::variable::is_decided_later;
use crate::text::Span;

/// A scalar, or its default in its place.
pub(super) fn resolved(scalar: &Scalar) -> Cow<'_, Scalar> {
    let Some((start, value)) = default_of(&scalar.text) else {
        return Cow::Borrowed(scalar);
    };
    let inside = scalar.inside.map(|inside| {
        let start = inside.start + start;
        Span::new(start, start + value.len())
    });
    Cow::Owned(Scalar {
        text: value.to_owned(),
        inside,
        quoted: scalar.quoted,
        pieces: None,
    })
}

/// The default in `${NAME:-value}`, `${NAME-value}`, `${oc.env:NAME,value}` and
/// `${{ name || 'value' }}`, with its place in the text.
pub(super) fn default_of(text: &str) -> Option<(usize, &str)> {
    if !text.starts_with("${") {
        return None;
    }
    let value = of_expression(text)
        .or_else(|| of_resolver(text))
        .or_else(|| of_shell(text))?;
    let bare = value.trim();
    let bare = ['"', '\'']
        .iter()
        .find_map(|quote| bare.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(bare);
    // Where it stands: it is a piece of the text.
    let start = bare.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (!is_decided_later(bare) && !bare.contains(['"', '\''])).then_some((start, bare))
}

fn of_shell(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let rest = inner.trim_start_matches(is_part);
    let value = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-'))?;
    (rest.len() < inner.len()).then_some(value)
}

fn of_resolver(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${oc.env:")?.strip_suffix('}')?;
    Some(inner.split_once(',')?.1)
}

fn of_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${{")?.strip_suffix("}}")?;
    let value = inner.rsplit_once("||")?.1.trim();
    let is_literal = value.starts_with('\'') || value.bytes().all(|byte| byte.is_ascii_digit());
    is_literal.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_read_in_its_place() {
        for (text, expected) in [
            ("${GPU:-0}", Some("0")),
            ("${GPU-0,1}", Some("0,1")),
            ("${GPU:-}", Some("")),
            ("${oc.env:DEVICE,cuda:1}", Some("cuda:1")),
            ("${oc.env:DEVICE, 'cuda:1'}", Some("cuda:1")),
            ("${{ inputs.gpu || '0' }}", Some("0")),
            ("${{ inputs.gpu || 1 }}", Some("1")),
            ("${{ inputs.gpu || env.GPU }}", None),
            ("${GPU:-${OTHER}}", None),
            ("${GPU}", None),
            ("${GPU:?no card}", None),
            ("${oc.env:DEVICE}", None),
            ("${:-0}", None),
            ("0", None),
        ] {
            let found = default_of(text);
            assert_eq!(found.map(|(_, value)| value), expected, "{text}");
            if let Some((start, value)) = found {
                assert_eq!(&text[start..start + value.len()], value, "{text}");
            }
        }
    }
}
