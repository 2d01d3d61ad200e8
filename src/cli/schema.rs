//! `gpuguard schema`: the JSON schemas of what people write and of what programs read.

use clap::ValueEnum;

use super::{Failure, Screen};
use crate::outcome::Answer;
use crate::{dashboard, policy, report};

/// Print a JSON schema: of gpuguard.toml, for editors, or of what a command prints
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gpuguard schema > gpuguard.schema.json\n  \
    gpuguard schema --of scan")]
pub(super) struct Arguments {
    /// Of what
    #[arg(long, value_name = "WHAT", default_value = "policy")]
    of: Described,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Described {
    /// The policy, gpuguard.toml
    Policy,
    /// What `gpuguard scan --format json` prints
    Scan,
    /// What `gpuguard report --format json` prints
    Report,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let schema = match arguments.of {
        Described::Policy => policy::schema(),
        Described::Scan => report::scan_schema(),
        Described::Report => dashboard::dashboard_schema(),
    };
    screen.print(&format!("{schema:#}\n"))?;
    Ok(Answer::Fine)
}
