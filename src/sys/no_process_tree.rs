//! The processes that a process started: not to be had on this system.

use std::io;

/// Whether descendants can be told at all.
pub const IS_KNOWN: bool = false;

/// A process as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// The name of its program.
    pub name: String,
    /// Whether it has ended.
    pub ended: bool,
}

/// Whose child a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descent {
    /// This process's.
    Ours(Process),
    /// Somebody else's.
    Foreign,
    /// It cannot be told.
    Unseen,
}

/// Does not.
pub fn take_orphans_in() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There are no namespaces.
pub fn ids_are_the_machines() -> bool {
    true
}

/// Cannot be told.
pub fn descent_of(_: u32, _: &[u32]) -> Descent {
    Descent::Unseen
}

/// Cannot be told.
pub fn descendants(_: &[u32], _: u32) -> io::Result<Vec<Process>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Cannot be done.
pub fn ask_to_end(_: &Process) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Cannot be done.
pub fn end(_: &Process) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
