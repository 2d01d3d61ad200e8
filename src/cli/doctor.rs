//! `gpuguard doctor`: what stands in the way, one line for each thing, with the cure.

use std::fmt::Write as _;
use std::path::PathBuf;

use anstyle::AnsiColor;
use serde_json::json;

use super::gpu::Format;
use super::policy::load_policy;
use super::{Failure, Screen};
use crate::gpu::{self, Diagnosis, Weight};
use crate::outcome::Answer;
use crate::text::printable;

/// Look at driver, libraries, variables and cards, and say what is against the policy
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing is against the policy, 1 something is or is broken, \
    2 it could not be looked at."
)]
pub(super) struct Arguments {
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// The policy to read instead of the repository's gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = load_policy(arguments.policy.as_deref())?;
    let waiting = screen.waiting("asking the driver");
    let found = gpu::diagnose(&policy);
    drop(waiting);
    screen.print(&match arguments.format {
        Format::Human => for_people(&found, screen),
        Format::Json => format!("{:#}\n", json!({"version": 1, "found": found})),
    })?;
    let is_wrong = found.iter().any(|one| one.weight == Weight::Wrong);
    Ok(if is_wrong { Answer::No } else { Answer::Fine })
}

fn for_people(found: &[Diagnosis], screen: &Screen) -> String {
    let mut text = String::new();
    for one in found {
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
