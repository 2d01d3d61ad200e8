//! What was meant by a command or an option that does not exist: one that lies elsewhere, or has
//! another name in other programs. Slips of the pen are clap's to find.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// What people know from other programs, and what it is called here.
const KNOWN: [(&str, &str); 15] = [
    ("add", "install"),
    ("check", "scan"),
    ("config", "policy show"),
    ("exec", "run -- COMMAND"),
    ("explain", "rule CODE"),
    ("explain-rule", "rule CODE"),
    ("lint", "scan"),
    ("ls", "backup list"),
    ("remove", "uninstall"),
    ("save", "backup create"),
    ("setup", "init"),
    ("snapshot", "backup create"),
    ("status", "doctor"),
    ("undo", "rollback --undo"),
    ("validate", "policy show"),
];

/// More places than this are no help.
const MOST: usize = 3;

/// `error` with a tip where something of that name exists elsewhere; `whole` is the program.
pub(super) fn improved(mut error: Error, whole: &Command) -> Error {
    keep_hidden(&mut error, whole);
    without_contradictions(&mut error);
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        _ => None,
    };
    let (found, weaker) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(word) = word(ContextKind::InvalidSubcommand) else {
                return error;
            };
            (commands(whole, &word), ContextKind::SuggestedSubcommand)
        }
        // An option that is nearly right is the better guess.
        ErrorKind::UnknownArgument if error.get(ContextKind::SuggestedArg).is_none() => {
            let Some(word) = word(ContextKind::InvalidArg) else {
                return error;
            };
            (options(whole, &word), ContextKind::Suggested)
        }
        _ => return error,
    };
    if !found.is_empty() && found.len() <= MOST {
        error.remove(weaker);
        let tips = found.into_iter().map(StyledStr::from).collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Takes out what says the opposite of the error: a usage with both of what cannot stand together,
/// and the tip to name a file like an option.
fn without_contradictions(error: &mut Error) {
    if error.kind() == ErrorKind::ArgumentConflict {
        error.remove(ContextKind::Usage);
        let is_range = |kind| match error.get(kind) {
            Some(ContextValue::String(name)) => name.starts_with("--range"),
            _ => false,
        };
        if is_range(ContextKind::InvalidArg) || is_range(ContextKind::PriorArg) {
            let tip = StyledStr::from("a range is one word: `--range A..B`");
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested)
    {
        let helps = |tip: &&StyledStr| !tip.to_string().contains("as a value");
        let left: Vec<StyledStr> = tips.iter().filter(helps).cloned().collect();
        error.remove(ContextKind::Suggested);
        if !left.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(left));
        }
    }
}

/// Takes out of the tips what gpuguard starts by itself.
fn keep_hidden(error: &mut Error, whole: &Command) {
    let is_hidden = |name: &String| {
        let mut commands = whole.get_subcommands();
        commands.any(|command| command.is_hide_set() && command.get_name() == name)
    };
    let kind = ContextKind::SuggestedSubcommand;
    let left = match error.get(kind) {
        Some(ContextValue::String(name)) if is_hidden(name) => Vec::new(),
        Some(ContextValue::Strings(names)) => names
            .iter()
            .filter(|name| !is_hidden(name))
            .cloned()
            .collect(),
        _ => return,
    };
    if left.is_empty() {
        error.remove(kind);
    } else {
        error.insert(kind, ContextValue::Strings(left));
    }
}

/// The commands that `word` may stand for.
fn commands(whole: &Command, word: &str) -> Vec<String> {
    let known = KNOWN.iter().filter(|(other, _)| *other == word);
    let mut found: Vec<String> = known
        .map(|(_, here)| format!("`{word}` is `gpuguard {here}` here"))
        .collect();
    let outer = whole.get_subcommands().filter(|outer| !outer.is_hide_set());
    for outer in outer {
        if outer
            .get_subcommands()
            .any(|inner| inner.get_name() == word)
        {
            let outer = outer.get_name();
            found.push(format!("there is a command `gpuguard {outer} {word}`"));
        }
    }
    found
}

/// The commands that have the option `word`.
fn options(whole: &Command, word: &str) -> Vec<String> {
    let Some(long) = word.strip_prefix("--") else {
        return Vec::new();
    };
    let has = |command: &Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == Some(long) && !argument.is_hide_set())
    };
    let tip = |path: &str| format!("`{word}` is an option of `gpuguard {path}`");
    let mut found = Vec::new();
    for outer in whole.get_subcommands().filter(|outer| !outer.is_hide_set()) {
        let name = outer.get_name();
        if has(outer) {
            found.push(tip(name));
        }
        let inner = outer.get_subcommands().filter(|inner| has(inner));
        found.extend(inner.map(|inner| tip(&format!("{name} {}", inner.get_name()))));
    }
    found
}
