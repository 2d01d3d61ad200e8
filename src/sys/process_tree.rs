//! The processes that a process started, and those that they started: Linux's `/proc`.
//!
//! A process whose parent ends is given to the nearest ancestor that takes orphans in, so that
//! this process keeps all descendants of its children, daemons included.

use std::io;
use std::path::Path;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitpid,
};

/// Whether descendants can be told at all.
pub const IS_KNOWN: bool = true;

/// More generations than any tree of processes has.
const MOST_GENERATIONS: usize = 4096;

/// A process as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// The name of its program, at most 15 bytes of it.
    pub name: String,
    parent: u32,
    /// When it started, in the kernel's ticks: tells it from a later one with its id.
    started: u64,
    /// Whether it has ended, and only its exit status is left.
    pub ended: bool,
}

/// Whose child a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descent {
    /// This process's, in whatever generation.
    Ours(Process),
    /// Somebody else's.
    Foreign,
    /// It cannot be seen: it has ended, or it belongs to another user or namespace.
    Unseen,
}

/// Has this process take in the orphans among its descendants.
pub fn take_orphans_in() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Whether the ids that this process sees are those of the machine. In a container's namespace
/// they are not.
pub fn ids_are_the_machines() -> bool {
    // The first namespace has this number in every kernel (PROC_PID_INIT_INO).
    std::fs::read_link("/proc/self/ns/pid")
        .is_ok_and(|target| target == Path::new("pid:[4026531836]"))
}

/// Whose child the process `id` is; children named in `except`, and theirs, are not counted.
pub fn descent_of(id: u32, except: &[u32]) -> Descent {
    // A parent that ends while the line is followed breaks it once; its child is then ours.
    match descent_now(id, except) {
        Descent::Unseen => descent_now(id, except),
        seen => seen,
    }
}

fn descent_now(id: u32, except: &[u32]) -> Descent {
    let Some(process) = see(id) else {
        return Descent::Unseen;
    };
    let own = std::process::id();
    let (mut at, mut parent) = (id, process.parent);
    for _ in 0..MOST_GENERATIONS {
        if except.contains(&at) || at == own || parent == 0 {
            return Descent::Foreign;
        }
        if parent == own {
            return Descent::Ours(process);
        }
        let Some(next) = see(parent) else {
            return Descent::Unseen;
        };
        (at, parent) = (parent, next.parent);
    }
    Descent::Foreign
}

/// All descendants of this process that have not ended, but for those of `except`. Buries the
/// orphans that have, since nobody else would take their exit status; that of the child
/// `waited_for` is left to who waits for it.
pub fn descendants(except: &[u32], waited_for: u32) -> io::Result<Vec<Process>> {
    let mut others: Vec<Process> = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let id = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        others.extend(
            id.and_then(see)
                .filter(|process| !except.contains(&process.id)),
        );
    }
    let mut parents = vec![std::process::id()];
    let mut found = Vec::new();
    while !parents.is_empty() {
        let (children, rest): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|process| parents.contains(&process.parent));
        parents = children.iter().map(|process| process.id).collect();
        found.extend(children);
        others = rest;
    }
    let (ended, living): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.ended);
    for process in ended.iter().filter(|one| one.id != waited_for) {
        bury(process);
    }
    Ok(living)
}

/// Takes the exit status of a child that has ended.
fn bury(process: &Process) {
    if process.parent == std::process::id()
        && let Some(id) = pid(process.id)
    {
        let _ = waitpid(Some(id), WaitOptions::NOHANG);
    }
}

/// Asks a process to end (`SIGTERM`).
pub fn ask_to_end(process: &Process) -> io::Result<()> {
    send(process, Signal::TERM)
}

/// Ends a process (`SIGKILL`).
pub fn end(process: &Process) -> io::Result<()> {
    send(process, Signal::KILL)
}

/// Sends to this very process, not to a later one that was given its id.
fn send(process: &Process, signal: Signal) -> io::Result<()> {
    let id = pid(process.id).ok_or(io::ErrorKind::InvalidInput)?;
    let handle = match pidfd_open(id, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        opened => opened?,
    };
    if see(process.id).is_none_or(|now| now.started != process.started) {
        return Ok(());
    }
    match pidfd_send_signal(handle, signal) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        sent => Ok(sent?),
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// The process `id`, if it can be seen.
fn see(id: u32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{id}/stat")).ok()?;
    read_stat(id, &String::from_utf8_lossy(&stat))
}

/// Reads `/proc/ID/stat`, see `proc_pid_stat(5)`. The name may hold blanks and brackets.
fn read_stat(id: u32, stat: &str) -> Option<Process> {
    let (head, fields) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // The 22nd field of the line; the state is the third, its parent the fourth.
    let started = fields.nth(17)?.parse().ok()?;
    Some(Process {
        id,
        name: name.to_owned(),
        parent,
        started,
        ended: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name() {
        let line = "7 (a) b (c) Z 5 7 7 0 -1 4 1 0 0 0 1 2 0 0 20 0 1 0 4711 9 9";
        let process = read_stat(7, line).unwrap();
        assert_eq!((process.parent, process.started), (5, 4711));
        assert_eq!(process.name, "a) b (c");
        assert!(process.ended);
        assert_eq!(read_stat(7, "7 (a) S 5"), None);
        assert_eq!(read_stat(7, ""), None);
    }

    #[test]
    fn the_first_process_is_foreign_and_this_one_no_child_of_its_own() {
        assert_eq!(descent_of(1, &[]), Descent::Foreign);
        assert_eq!(descent_of(std::process::id(), &[]), Descent::Foreign);
        assert_eq!(descent_of(u32::MAX, &[]), Descent::Unseen);
    }
}
