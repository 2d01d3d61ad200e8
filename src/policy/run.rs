//! What `gpuguard run` does with the program that it watches.

use std::time::Duration;

/// How a program is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPolicy {
    /// What happens when it uses a card that is not allowed.
    pub on_violation: OnViolation,
    /// How often the cards' process lists are looked at.
    pub every: Duration,
    /// How long a program that is ended has to end by itself.
    pub grace: Duration,
}

/// What happens to a program that uses a card that is not allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnViolation {
    /// It is ended, with all that it started.
    #[default]
    End,
    /// It goes on, and is reported.
    Report,
}
