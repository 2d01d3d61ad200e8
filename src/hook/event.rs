//! Which Git event means what (githooks(5)): one row for each.

/// A Git event that gpuguard answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Git's name for it, and the trigger noted in the snapshot.
    pub name: &'static str,
    /// What is to be done there.
    pub gate: Gate,
    /// What is refused by an exit code other than 0.
    pub refuses: &'static str,
}

/// What a Git event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The index that is about to be committed is judged.
    Commit,
    /// The same for what `git merge` has put together by itself.
    Merge,
    /// A commit was made: whether it was judged is noted.
    Note,
    /// What is about to be pushed is judged.
    Push,
    /// What was sent here is judged before any ref changes.
    Receive,
}

impl Gate {
    /// Whether other hooks of the event may change what is judged, so that they have to run first.
    pub fn judges_index(self) -> bool {
        matches!(self, Self::Commit | Self::Merge)
    }
}

/// All of them, in the order in which a change meets them.
pub const EVENTS: [Event; 5] = [
    Event {
        name: "pre-commit",
        gate: Gate::Commit,
        refuses: "commit",
    },
    Event {
        name: "pre-merge-commit",
        gate: Gate::Merge,
        refuses: "merge",
    },
    Event {
        name: "post-commit",
        gate: Gate::Note,
        refuses: "commit",
    },
    Event {
        name: "pre-push",
        gate: Gate::Push,
        refuses: "push",
    },
    Event {
        name: "pre-receive",
        gate: Gate::Receive,
        refuses: "push",
    },
];

/// The event of that name.
pub fn event(name: &str) -> Option<Event> {
    EVENTS.into_iter().find(|event| event.name == name)
}
