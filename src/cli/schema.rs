//! `gpuguard schema`: the JSON schema of the policy file.

use super::{Failure, Screen};
use crate::outcome::Answer;

/// Print the JSON schema of gpuguard.toml, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard schema > gpuguard.schema.json      for `#:schema gpuguard.schema.json` in the policy")]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    screen.print(&format!("{:#}\n", crate::policy::schema()))?;
    Ok(Answer::Fine)
}
