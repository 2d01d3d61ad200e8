//! What TOML and serde complain of, in words of the policy instead of Rust's.

use super::Place;
use crate::policy::PolicyError;

/// What is wrong, and what to write instead.
type Words = (String, String);

impl Place<'_> {
    pub(in crate::policy) fn invalid_syntax(&self, error: &toml::de::Error) -> PolicyError {
        let span = error.span().unwrap_or(0..0);
        let written = self.text.get(span.clone()).unwrap_or_default().trim();
        let message = error.message().trim();
        let (message, hint) = missing(message)
            .or_else(|| unknown(message))
            .or_else(|| wrong_type(message, written))
            .or_else(|| grammar(message, written))
            .unwrap_or_else(|| {
                (
                    message.replace('\n', " "),
                    "the form of such files is explained at https://toml.io".to_owned(),
                )
            });
        self.invalid(span, message, Some(hint))
    }
}

/// ``missing field `a` ``
fn missing(message: &str) -> Option<Words> {
    let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    let hint = match key {
        "version" => "begin the file with `version = 1`".to_owned(),
        "name" => "write the product name, such as `name = \"RTX 3090\"`".to_owned(),
        "paths" => "write globs of the files, such as `paths = [\"tests/\"]`".to_owned(),
        "rules" => "write the severities, such as `rules = { GG007 = \"warning\" }`".to_owned(),
        "as" => "write the language, such as `as = \"shell\"`".to_owned(),
        "use" => "write `use = \"allowed\"` or `use = \"forbidden\"`".to_owned(),
        other => format!("write `{other} = …`; `gpuguard schema` explains every key"),
    };
    Some((format!("the key `{key}` is missing"), hint))
}

/// ``unknown field `a`, expected one of `b`, `c` ``, or `unknown variant` of a word.
fn unknown(message: &str) -> Option<Words> {
    let (what, rest) = if let Some(rest) = message.strip_prefix("unknown field `") {
        ("key", rest)
    } else {
        ("word", message.strip_prefix("unknown variant `")?)
    };
    let (written, known) = rest.rsplit_once("`, expected ")?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3).max(1));
    let hint = match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Some((format!("unknown {what} `{written}`"), hint))
}

/// `invalid type: map, expected a sequence`, or `invalid value` of a number; `written` is what
/// stands in the file.
fn wrong_type(message: &str, written: &str) -> Option<Words> {
    if message == "wanted string or table" {
        return Some((
            format!("expected a word in quotes, found {}", thing("", written)),
            "`gpuguard schema` has the words of every key".to_owned(),
        ));
    }
    let rest = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    if found.starts_with("integer ") && ["u32", "u64"].contains(&expected.trim()) {
        let (size, hint) = if written.starts_with('-') {
            ("small", "write a whole number that is not negative")
        } else {
            (
                "large",
                "write a smaller one; `gpuguard schema` has the limits",
            )
        };
        return Some((
            format!("the number `{written}` is too {size}"),
            hint.to_owned(),
        ));
    }
    let (expected, hint) = match expected.trim() {
        "u32" | "u64" => ("a whole number", "write it in digits only, without quotes"),
        "a string" => ("text in quotes", "put it in quotes: `\"…\"`"),
        "a boolean" => (
            "`true` or `false`",
            "write it in lower case and without quotes",
        ),
        "a sequence" if found == "map" => (
            "a list of tables",
            "write `[[card]]` or `[[override]]` with two brackets: there may be several",
        ),
        "a sequence" => ("a list", "put it in brackets: `[…]`"),
        "struct OverrideEntry" => (
            "a table for each group of files",
            "write `[[override]]`, and its keys in the lines below",
        ),
        "struct CardEntry" => (
            "a table for each card",
            "write `[[card]]`, and its keys in the lines below",
        ),
        _ => (
            "a table",
            "write its name in brackets, such as `[scan]`, and its keys in the lines below",
        ),
    };
    Some((
        format!("expected {expected}, found {}", thing(found, written)),
        hint.to_owned(),
    ))
}

/// What was found, which serde names as Rust has it and dates as maps.
fn thing(found: &str, written: &str) -> String {
    let first = written.chars().next();
    match (found, first) {
        ("map", Some('{' | '[')) | ("", Some('{')) => "a table".to_owned(),
        ("sequence", _) | ("", Some('[')) => "a list".to_owned(),
        _ if written.is_empty() || written.contains('\n') => "something else".to_owned(),
        _ => format!("`{written}`"),
    }
}

/// Complaints of the TOML grammar that a newcomer meets.
fn grammar(message: &str, written: &str) -> Option<Words> {
    let (message, hint) = if message.starts_with("duplicate key") {
        (
            "this stands in the file already".to_owned(),
            "write each key and each `[table]` once",
        )
    } else if message.starts_with("string values must be quoted") {
        if written.is_empty() {
            ("there is no value after the `=`".to_owned(), "write one")
        } else {
            (
                format!("`{written}` is no value: text stands in quotes"),
                "put it in quotes: `\"…\"`; numbers, `true` and `false` stand without",
            )
        }
    } else if message.starts_with("key with no value") {
        (
            "there is a key without a value".to_owned(),
            "write `key = value`",
        )
    } else {
        return None;
    };
    Some((message, hint.to_owned()))
}
