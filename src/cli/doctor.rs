//! `gpuguard doctor`: what stands in the way, one line for each thing, with the cure.

use std::fmt::Write as _;
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use super::gpu::Format;
use super::policy::{here, load_policy};
use super::{Failure, Screen};
use crate::git::Repository;
use crate::gpu::{self, Diagnosis, Weight};
use crate::hook;
use crate::outcome::Answer;
use crate::text::printable;

/// Try the hook and look at the card, and say what does not work, with the cure
///
/// The hook is run for real, on an index in which nothing is staged, in every working tree, once
/// with this shell's variables and once with those of a graphical client; nothing is saved or
/// changed, and hooks of others do not run. Of the card, driver, libraries, variables and modes are
/// held against the policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard doctor\n  \
    gpuguard doctor hook             only whether commits are judged\n  \
    gpuguard doctor hook ../srv.git  in another repository\n  \
    gpuguard doctor card             only driver, variables and cards\n  \
    gpuguard doctor --format json\n\n\
    Exit codes: 0 nothing is against the policy, 1 something is, or does not work, \
    2 it could not be looked at.")]
pub(super) struct Arguments {
    /// What to look at [default: both]
    #[arg(value_name = "PART")]
    part: Option<Part>,
    /// The repository whose hook to try, or a folder in it [default: the current folder]
    #[arg(value_name = "REPO")]
    repository: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to hold the cards against, instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// What a thing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Part {
    /// Whether commits are judged
    Hook,
    /// Driver, libraries, variables and cards
    Card,
}

#[derive(Serialize)]
struct Found {
    about: Part,
    #[serde(flatten)]
    diagnosis: Diagnosis,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let wants = |part| arguments.part.is_none_or(|asked| asked == part);
    let mut found: Vec<Found> = Vec::new();
    if wants(Part::Hook) {
        let waiting = screen.waiting("trying the hook");
        let folder = match &arguments.repository {
            Some(folder) if !folder.is_dir() => {
                let folder = super::paths::shown(folder);
                return Err(Failure::new(format!("`{folder}` is not a folder")));
            }
            Some(folder) => here()?.join(folder),
            None => here()?,
        };
        if arguments.part == Some(Part::Hook) {
            // Asked for by name, so that there is none is no answer.
            Repository::discover(&folder)?;
        }
        let diagnoses = hook::diagnose(&folder);
        drop(waiting);
        found.extend(diagnoses.into_iter().map(|diagnosis| Found {
            about: Part::Hook,
            diagnosis,
        }));
    }
    if wants(Part::Card) {
        let diagnoses = match load_policy(arguments.policy.as_deref()) {
            Ok(policy) => {
                let waiting = screen.waiting("asking the driver");
                let diagnoses = gpu::diagnose(&policy);
                drop(waiting);
                diagnoses
            }
            // Told with the hook, unless that was not asked for or another policy was.
            Err(_) if arguments.part.is_none() && arguments.policy.is_none() => {
                vec![Diagnosis::note(
                    "the cards were not looked at: there is no policy that says which is right",
                    Some("`gpuguard init` writes one; `gpuguard gpu list` lists the cards"),
                )]
            }
            Err(failure) => return Err(failure),
        };
        found.extend(diagnoses.into_iter().map(|diagnosis| Found {
            about: Part::Card,
            diagnosis,
        }));
    }
    screen.print(&match arguments.format {
        Format::Human => for_people(&found, screen),
        Format::Json => format!("{:#}\n", json!({"version": 1, "found": found})),
    })?;
    let is_wrong = found.iter().any(|one| one.diagnosis.is_wrong());
    Ok(if is_wrong { Answer::No } else { Answer::Fine })
}

fn for_people(found: &[Found], screen: &Screen) -> String {
    let mut text = String::new();
    for Found { diagnosis: one, .. } in found {
        let (word, color) = match one.weight {
            Weight::Ok | Weight::Note if screen.quiet => continue,
            Weight::Ok => ("ok", AnsiColor::Green),
            Weight::Note => ("note", AnsiColor::Yellow),
            Weight::Wrong => ("wrong", AnsiColor::Red),
        };
        let style = color.on_default().bold();
        let _ = if screen.color_on_stdout() {
            write!(text, "{style}{word:<6}{style:#}")
        } else {
            write!(text, "{word:<6}")
        };
        text.push_str(&printable(one.found.as_bytes()));
        if let Some(cure) = &one.cure {
            let _ = write!(text, "; cure: {}", printable(cure.as_bytes()));
        }
        text.push('\n');
    }
    text
}
