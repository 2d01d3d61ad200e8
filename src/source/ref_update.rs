//! What Git tells a hook about a push: one line for each branch or tag.

use crate::git::ObjectId;
use crate::text::printable;

/// A branch or tag that a push changes (githooks(5), "pre-push" and "pre-receive").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Its full name on the side that is pushed to, made safe to print.
    pub name: String,
    /// What it leads to there; `None` where it is new.
    pub old: Option<ObjectId>,
    /// What it shall lead to; `None` where it is deleted.
    pub new: Option<ObjectId>,
}

/// Whose side of a push is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushSide {
    /// The one that pushes.
    Sender {
        /// The remote, as Git names it: by its name, else by its address.
        remote: String,
        /// The address that is pushed to, where it is told.
        address: Option<String>,
    },
    /// The one that is pushed to.
    Receiver,
}

/// A line that is none of Git's.
#[derive(Debug, thiserror::Error)]
#[error("`{line}` is not what Git tells a hook about a push")]
pub struct NotARefUpdate {
    /// The line, made safe to print.
    pub line: String,
}

impl RefUpdate {
    /// Reads what Git writes to the standard input of `pre-push` (`<local ref> <local id> <remote
    /// ref> <remote id>`) or `pre-receive` (`<old id> <new id> <ref>`).
    pub fn read_all(side: &PushSide, input: &[u8]) -> Result<Vec<Self>, NotARefUpdate> {
        input
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .map(|line| {
                Self::read(side, line).ok_or_else(|| NotARefUpdate {
                    line: printable(line),
                })
            })
            .collect()
    }

    fn read(side: &PushSide, line: &[u8]) -> Option<Self> {
        let (old, new, name) = match side {
            PushSide::Sender { .. } => {
                // From behind: a local ref may be any name of a commit, with blanks in it.
                let mut words = line.rsplitn(4, |byte| *byte == b' ');
                let (old, name, new) = (words.next()?, words.next()?, words.next()?);
                words.next()?;
                (old, new, name)
            }
            PushSide::Receiver => {
                let mut words = line.splitn(3, |byte| *byte == b' ');
                (words.next()?, words.next()?, words.next()?)
            }
        };
        let id = |hex: &[u8]| {
            let id = ObjectId::from_hex(std::str::from_utf8(hex).ok()?)?;
            Some((!id.is_null()).then_some(id))
        };
        Some(Self {
            name: printable(name),
            old: id(old)?,
            new: id(new)?,
        })
    }

    /// The name as people say it: `main` for `refs/heads/main`.
    pub fn short_name(&self) -> &str {
        ["refs/heads/", "refs/tags/", "refs/"]
            .iter()
            .find_map(|prefix| self.name.strip_prefix(prefix))
            .unwrap_or(&self.name)
    }

    /// Whether it is a branch. A tag, or what other programs keep below `refs/`, leads to what
    /// others made and has no policy of its own.
    pub fn is_branch(&self) -> bool {
        self.name.starts_with("refs/heads/")
    }

    /// Whether it is not there yet and shall be.
    pub(super) fn is_new(&self) -> bool {
        self.old.is_none() && self.new.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NEW: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn sender() -> PushSide {
        PushSide::Sender {
            remote: "origin".to_owned(),
            address: None,
        }
    }

    #[test]
    fn lines_of_both_hooks_are_read() {
        let text = format!(
            "refs/heads/a {NEW} refs/heads/b {OLD}\nHEAD^{{/two words}} {NEW} refs/heads/c {NONE}\n\
             (delete) {NONE} refs/heads/d {OLD}\n"
        );
        let read = RefUpdate::read_all(&sender(), text.as_bytes()).unwrap();
        let names: Vec<&str> = read.iter().map(RefUpdate::short_name).collect();
        assert_eq!(names, ["b", "c", "d"]);
        assert_eq!(read[0].old, ObjectId::from_hex(OLD));
        assert_eq!(read[0].new, ObjectId::from_hex(NEW));
        assert_eq!((read[1].old, read[2].new), (None, None));

        let text = format!("{OLD} {NEW} refs/tags/v 1\r\n");
        let read = RefUpdate::read_all(&PushSide::Receiver, text.as_bytes()).unwrap();
        assert_eq!(read[0].short_name(), "v 1");
        assert_eq!(read[0].new, ObjectId::from_hex(NEW));
    }

    #[test]
    fn other_lines_are_refused() {
        for text in ["x", "a b c", "refs/heads/a 12 refs/heads/b 34"] {
            assert!(
                RefUpdate::read_all(&sender(), text.as_bytes()).is_err(),
                "{text}"
            );
            assert!(
                RefUpdate::read_all(&PushSide::Receiver, text.as_bytes()).is_err(),
                "{text}"
            );
        }
        assert_eq!(RefUpdate::read_all(&sender(), b"").unwrap(), []);
    }
}
