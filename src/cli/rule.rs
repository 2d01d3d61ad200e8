//! `gpuguard rule`.

use std::fmt::Write as _;

use super::{Failure, Screen};
use crate::outcome::Answer;
use crate::scan::rule::{RULES, Rule};

/// List the rules, or explain one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard rule             all rules, one line each\n  \
    gpuguard rule GG006       what it finds, why, and what to write instead")]
pub(super) struct Arguments {
    /// The code of a rule, such as GG006
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let text = match &arguments.code {
        Some(code) => Rule::of(code).ok_or_else(|| unknown(code))?.page.to_owned(),
        None => RULES.iter().fold(String::new(), |mut text, rule| {
            let _ = writeln!(text, "{}  {}: {}", rule.code, rule.name, rule.summary);
            text
        }),
    };
    screen.print(&text)?;
    Ok(Answer::Fine)
}

fn unknown(code: &str) -> Failure {
    let shown = crate::text::printable(code.as_bytes());
    let failure = Failure::new(format!("there is no rule `{shown}`"));
    let upper = code.to_ascii_uppercase();
    let nearest = RULES
        .iter()
        .map(|rule| {
            let by_code = strsim::damerau_levenshtein(&upper, rule.code);
            let by_name = strsim::damerau_levenshtein(code, rule.name);
            (by_code.min(by_name), rule.code)
        })
        .min()
        .filter(|(distance, _)| *distance <= 2);
    match nearest {
        Some((_, similar)) => failure.hint(format!("did you mean `{similar}`?")),
        None => failure.hint("`gpuguard rule` lists them all"),
    }
}
