//! Shows an [`Outcome`]: one file for each format.

mod human;
mod json;
mod soak_plot;
mod statistics;
mod verdict;

use crate::outcome::Outcome;

pub use human::{findings, findings_up_to, summary};
pub use soak_plot::soak_plot;
pub use statistics::statistics;
pub use verdict::verdict;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object, as the contract says.
    Json,
}

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// Also what decides nothing: old findings, how long it took.
    pub verbose: bool,
    /// Width of the terminal in columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            verbose: false,
            width: 100,
        }
    }
}

/// The outcome as text that ends with a line end.
pub fn render(format: Format, outcome: &Outcome, style: &Style) -> String {
    match format {
        Format::Human => human::render(outcome, style),
        Format::Json => json::render(outcome),
    }
}

#[cfg(test)]
mod tests;
