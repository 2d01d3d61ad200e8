//! The card itself: inventory, identity, kernel check.
//!
//! Knows nothing of scans or backups.

/// What the card check said.
#[derive(Clone, Debug)]
pub struct CardVerdict {}

impl CardVerdict {
    /// Whether a commit is refused.
    pub fn refuses(&self) -> bool {
        false
    }
}
