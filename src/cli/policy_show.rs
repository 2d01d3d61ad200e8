//! `gpuguard policy show`: the policy that counts, and who says each value.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::gpu::Format;
use super::policy::{Tree, here, load_policy, load_staged_policy};
use super::{Failure, Screen, policy_explain};
use crate::git::NewSide;
use crate::outcome::Answer;
use crate::policy::{FILE_NAME, Origin, Policy, Setting, SourceRole, user_file};
use crate::scan::rule::RULES;
use crate::text::printable;

/// Show the policy that counts, and who says each value of it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard policy show\n  \
    gpuguard policy show --explain train.py:12")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Show(ShowArguments),
}

/// Show each value of the policy that counts here, with the file and line that says it
///
/// A file is judged by the nearest gpuguard.toml, going up from its folder to the root of the
/// repository; `extends` takes over another one, the user's own file fills in what is left
/// open, and a few GPUGUARD_* variables come before all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard policy show\n  \
    gpuguard policy show --format json\n  \
    gpuguard policy show --explain train.py       which policy and rules count for the file\n  \
    gpuguard policy show --explain train.py:12    why line 12 is flagged, or is not")]
struct ShowArguments {
    /// Say why a file, or one line of it, is flagged or not
    #[arg(long, value_name = "PATH[:LINE]")]
    explain: Option<String>,
    /// The policy at the root as it is staged, which judges the next commit
    #[arg(long, conflicts_with_all = ["explain", "policy"])]
    staged: bool,
    /// Another policy than the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let PolicyCommand::Show(arguments) = &arguments.command;
    let explicit = arguments.policy.as_deref();
    if let Some(place) = &arguments.explain {
        let explanation = policy_explain::explain(place, explicit)?;
        screen.print(&match arguments.format {
            Format::Human => explanation.for_people(),
            Format::Json => explanation.as_json(),
        })?;
        return Ok(Answer::Fine);
    }
    let policy = if arguments.staged {
        load_staged_policy()?
    } else {
        load_policy(explicit)?
    };
    let below = if explicit.is_none() {
        policies_below()?
    } else {
        Vec::new()
    };
    let settings = settings(&policy);
    let without_effect: Vec<&Setting> = if explicit.is_none() {
        policy.without_effect().collect()
    } else {
        Vec::new()
    };
    screen.print(&match arguments.format {
        Format::Human => sources(&policy) + &table(&settings) + &remarks(&without_effect, &below),
        Format::Json => format!(
            "{:#}\n",
            json!({
                "version": 1,
                "sources": policy.sources,
                "settings": settings,
                "without_effect": without_effect,
                "below": below,
            })
        ),
    })?;
    Ok(Answer::Fine)
}

/// All values of the policy; of rules that it does not name, those of the rules themselves.
fn settings(policy: &Policy) -> Vec<Setting> {
    let is_rule = |setting: &Setting| setting.key.starts_with("rules.");
    let others = policy.settings.iter().filter(|setting| !is_rule(setting));
    let mut settings: Vec<Setting> = others.cloned().collect();
    settings.extend(RULES.iter().map(|rule| {
        let key = format!("rules.{}", rule.code);
        let said = policy.settings.iter().find(|setting| setting.key == key);
        said.cloned().unwrap_or_else(|| Setting {
            value: rule.severity.word().into(),
            origin: Origin::Default,
            key,
        })
    }));
    settings
}

/// The tracked policies below the root, by their paths.
fn policies_below() -> Result<Vec<String>, Failure> {
    let Some(repository) = Tree::around(&here()?)?.repository else {
        return Ok(Vec::new());
    };
    let name = FILE_NAME.as_bytes();
    let found = repository.named_in(NewSide::Index, name, None)?;
    let paths = found
        .into_iter()
        .map(|(folder, _)| folder.join(name).to_string());
    Ok(paths.collect())
}

/// Key, value and origin in columns.
fn table(settings: &[Setting]) -> String {
    let mut text = String::new();
    let rows: Vec<(&str, String, String)> = settings.iter().map(row).collect();
    let width = |column: fn(&(&str, String, String)) -> usize| {
        rows.iter().map(column).max().unwrap_or_default()
    };
    let (keys, values) = (
        width(|(key, ..)| key.len()),
        width(|(_, value, _)| value.chars().count()).min(WIDEST),
    );
    for (key, value, origin) in &rows {
        let _ = writeln!(text, "{key:<keys$}  {value:<values$}  {origin}");
    }
    text
}

/// What counts for nothing, and what else there is.
fn remarks(without_effect: &[&Setting], below: &[String]) -> String {
    let mut text = String::new();
    for setting in without_effect {
        let (key, _, origin) = row(setting);
        let _ = writeln!(
            text,
            "\nwithout effect: {key} ({origin}) counts in the policy at the root only"
        );
    }
    if !below.is_empty() {
        let below: Vec<String> = below
            .iter()
            .map(|path| printable(path.as_bytes()))
            .collect();
        let _ = writeln!(
            text,
            "\nin the folders of these, others count: {}",
            below.join(", ")
        );
    }
    text
}

/// The files that the policy was made of.
pub(super) fn sources(policy: &Policy) -> String {
    let mut text = String::new();
    for source in &policy.sources {
        let word = match source.role {
            SourceRole::Policy => "policy: ",
            SourceRole::Base => "extends: ",
            SourceRole::User => "user file: ",
        };
        let _ = writeln!(text, "{word}{}", printable(source.path.as_bytes()));
    }
    let has_users = policy
        .sources
        .iter()
        .any(|source| source.role == SourceRole::User);
    if let Some(path) = user_file()
        && !has_users
    {
        let path = printable(path.as_os_str().as_encoded_bytes());
        let _ = writeln!(text, "user file: none ({path})");
    }
    text.push('\n');
    text
}

fn row(setting: &Setting) -> (&str, String, String) {
    let origin = printable(setting.origin.to_string().as_bytes());
    (&setting.key, value_shown(&setting.value), origin)
}

/// Longer values push what stands behind them to the right, in characters.
const WIDEST: usize = 48;

/// The keys of a card, the only table that is shown as one value, in the order that people write.
const CARD_KEYS: [&str; 5] = ["name", "use", "uuid", "pci-rank", "min-memory-gib"];

/// A value as the policy file would have it.
fn value_shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "not set".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value_shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields = CARD_KEYS.iter().filter_map(|key| {
                let value = fields.get(*key).filter(|value| !value.is_null())?;
                Some(format!("{key} = {}", value_shown(value)))
            });
            let fields: Vec<String> = fields.collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    };
    printable(text.as_bytes())
}

/// An origin in a sentence.
pub(super) fn said_by(origin: Option<&Origin>) -> String {
    match origin {
        None | Some(Origin::Default) => "by default".to_owned(),
        Some(origin) => format!("by {}", printable(origin.to_string().as_bytes())),
    }
}
