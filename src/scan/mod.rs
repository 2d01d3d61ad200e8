//! Reads code into facts ("this span selects device 1"), judges them against the policy.
//!
//! Pure: bytes and a policy in, findings out. Knows nothing of Git, backups or GPUs.

pub mod catalogue;
mod changed_lines;
mod decode;
pub mod embedded;
mod engine;
mod explain;
pub mod fact;
mod finding;
mod fix;
pub mod flow;
mod introduced;
pub mod language;
mod nearest;
mod remedy;
pub mod rule;
pub mod scopes;
mod suppress;

pub use embedded::CellPosition;
pub use engine::Scanner;
pub use explain::{SaidBy, Selection, Standing};
pub use finding::{DynamicPlace, FileScan, Finding, Fingerprint, Reading, SkipReason, Suppressed};
pub use fix::{FixResult, FixedFile, Unfixable};
pub use introduced::{Lines, MovedCode, mark_introduced};
pub use remedy::{Change, ChangedLines, Fix, Remedy, Safety};

#[cfg(test)]
mod tests;
