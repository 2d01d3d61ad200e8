//! Which Git event means what (githooks(5)): one row for each.

/// A Git event that gpuguard answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Git's name for it, and the trigger noted in the snapshot.
    pub name: &'static str,
    /// What is refused by an exit code other than 0.
    pub refuses: &'static str,
}

/// All of them.
pub const EVENTS: [Event; 1] = [Event {
    name: "pre-commit",
    refuses: "commit",
}];

/// The event of that name.
pub fn event(name: &str) -> Option<Event> {
    EVENTS.into_iter().find(|event| event.name == name)
}
