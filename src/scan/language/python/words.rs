//! What arguments are by the name of what is called: told, asked about, collected, declared.

use ruff_python_ast::{Expr, ExprCall};

use super::option::flag_name;
use super::place::Place;

/// Functions and methods whose arguments are told to a person.
const MESSAGES: &[&str] = &[
    "print",
    "warn",
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "log",
    "echo",
    "secho",
    "fail",
    "skip",
    "write",
    "writelines",
    "format",
    "join",
    "pprint",
    "input",
    "exit",
    "fatal",
    "success",
    "trace",
    "print_exc",
    "add_row",
    "markdown",
    "raises",
    "set_label",
    "set_text",
    "set_title",
    "set_xlabel",
    "set_ylabel",
    "suptitle",
    "warns",
];

/// Functions and methods that ask about a text, beside `assertEqual` and the like.
const QUESTIONS: &[&str] = &[
    "startswith",
    "endswith",
    "replace",
    "split",
    "rsplit",
    "partition",
    "rpartition",
    "strip",
    "lstrip",
    "rstrip",
    "removeprefix",
    "removesuffix",
    "find",
    "rfind",
    "index",
    "count",
    "match",
    "fullmatch",
    "search",
    "sub",
    "compile",
    "findall",
    "hasattr",
    "isinstance",
];

/// Methods and functions that take a key, and what stands for its value after it.
pub(super) const KEYED: &[&str] = &["get", "getenv", "pop", "setdefault"];

/// Calls that declare a field or an option, with its default.
pub(super) const DECLARATIONS: &[&str] = &["Argument", "Field", "Option", "field"];

/// Keywords that describe, whatever is called.
pub(super) const DESCRIPTIONS: &[&str] = &[
    "choices",
    "help",
    "metavar",
    "description",
    "epilog",
    "title",
    "label",
    "match",
    "msg",
    "message",
    "reason",
    "desc",
    "caption",
    "text",
];

/// Methods that collect texts of any kind.
const COLLECTORS: &[&str] = &["add", "append", "appendleft", "insert"];

/// The last name of a path.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// What arguments without a meaning of their own are, by the last part of what is called.
pub(super) fn rest_place(path: &str, place: Place) -> Place {
    let last = last_part(path);
    let raised =
        last.ends_with("Error") || last.ends_with("Exception") || last.ends_with("Warning");
    if matches!(place, Place::Message) || raised || MESSAGES.contains(&last) {
        Place::Message
    } else if QUESTIONS.contains(&last) || last.starts_with("assert") {
        Place::Compared
    } else {
        Place::Code
    }
}

/// Whether it is `texts.append(…)`, and not `devices.append(…)`.
pub(super) fn collects_texts(call: &ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let collected = match &*method.value {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    }
    .to_ascii_lowercase();
    COLLECTORS.contains(&method.attr.as_str())
        && !["device", "gpu", "cuda", "card"]
            .iter()
            .any(|word| collected.contains(word))
}

/// The name of what is called.
pub(super) fn called_name(call: &ExprCall) -> &str {
    match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => "",
    }
}

/// Whether a call looks something up, with a default for what is not there.
pub(super) fn is_lookup(last: &str, call: &ExprCall) -> bool {
    KEYED.contains(&last) || (last == "getattr" && call.arguments.args.len() == 3)
}

/// How many arguments stand before the default.
pub(super) fn keys_before_default(last: &str, call: &ExprCall) -> usize {
    if last == "getattr" {
        2
    } else {
        usize::from(KEYED.contains(&last) || flag_name(last, call).is_some())
    }
}

/// Whether a call says `enabled=False`.
pub(super) fn is_switched_off(call: &ExprCall) -> bool {
    call.arguments.find_keyword("enabled").is_some_and(
        |keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value),
    )
}
