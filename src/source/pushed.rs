//! What a push brings to a branch: its new tip held against what the other side has already.

use super::change::{Change, ChangedFile};
use super::repository_policy::{Judged, PolicyFrom, RepositoryPolicyError, policy_at, policy_of};
use crate::git::{GitError, KnownHistory, NewSide, ObjectId, Repository};
use crate::policy::{FILE_NAME, Policy, PolicyError};
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
    /// The one that pushes, to the remote of this name or address.
    Sender {
        /// As Git names it.
        remote: String,
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

/// The part of a push that concerns one branch.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// The new tip.
    pub tip: ObjectId,
    /// The commits that are new there.
    pub commits: Vec<ObjectId>,
    /// What the tip is held against: what any of these has is not new. Empty where nothing is
    /// known.
    pub known: Vec<ObjectId>,
    /// Whether `known` is a guess, since this clone's history ends before they meet.
    pub is_cut_short: bool,
    /// The branch's tip before.
    old: Option<ObjectId>,
}

impl PushSide {
    /// What the side that is pushed to is known to have.
    fn history(&self) -> KnownHistory {
        match self {
            Self::Sender { remote } => KnownHistory::Remote(remote.clone()),
            Self::Receiver => KnownHistory::OwnRefs,
        }
    }
}

/// The policy that counts for a push.
#[derive(Clone, Debug)]
pub struct PushPolicy {
    /// The one at the root.
    pub policy: Policy,
    /// Whether it is pushed, or was there before.
    pub from: PolicyFrom,
    /// The commit that has it, and those below the root; `None` for the working tree's.
    pub commit: Option<ObjectId>,
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

    /// Takes out the new branches and tags where none of them brings a commit, as hundreds of tags
    /// do not; what cannot be told stays.
    pub fn drop_new_without_commits(
        repository: &Repository,
        side: &PushSide,
        updates: &mut Vec<Self>,
    ) {
        let is_new = |update: &Self| update.old.is_none() && update.new.is_some();
        let new = updates.iter().filter(|update| is_new(update));
        let tips: Vec<ObjectId> = new.filter_map(|update| update.new).collect();
        if tips.len() > 1
            && repository
                .adds_nothing(&tips, &side.history())
                .unwrap_or_default()
        {
            updates.retain(|update| !is_new(update));
        }
    }

    /// The name as people say it: `main` for `refs/heads/main`.
    pub fn short_name(&self) -> &str {
        ["refs/heads/", "refs/tags/", "refs/"]
            .iter()
            .find_map(|prefix| self.name.strip_prefix(prefix))
            .unwrap_or(&self.name)
    }
}

impl Pushed {
    /// What an update brings in; `None` where it deletes, leads to no commit, or adds none.
    ///
    /// A new branch is held against everything that is known on the side it goes to and against
    /// the tips `judged` before in the same push; a branch that was there against itself and the
    /// default branch: what another branch was allowed to have is new here.
    pub fn of(
        repository: &Repository,
        side: &PushSide,
        update: &RefUpdate,
        judged: &[ObjectId],
    ) -> Result<Option<Self>, GitError> {
        let commit = |id: Option<ObjectId>| match id {
            Some(id) => repository.commit_named(&id.to_string()),
            None => Ok(None),
        };
        let Some(tip) = commit(update.new)? else {
            return Ok(None);
        };
        // A sender need not have what others pushed meanwhile.
        let old = commit(update.old)?;
        let mut heads = Vec::new();
        let history = match (old, side) {
            (Some(old), _) => {
                heads.push(old);
                heads.extend(default_branch(repository, side)?.filter(|head| *head != old));
                KnownHistory::Commits(heads.clone())
            }
            (None, side) => side.history(),
        };
        let judged = if old.is_some() { &[] } else { judged };
        let new = repository.new_commits(tip, &history, judged)?;
        if new.commits.is_empty() {
            return Ok(None);
        }
        let mut known = new.bases;
        let mut is_cut_short = false;
        if known.is_empty() && repository.is_shallow() {
            if heads.is_empty() {
                heads.extend(default_branch(repository, side)?);
            }
            is_cut_short = !heads.is_empty();
            known = heads;
        }
        // What a branch had is not new to it, however its history was rewritten.
        if let Some(old) = old {
            known.retain(|commit| *commit != old);
            known.insert(0, old);
        }
        Ok(Some(Self {
            tip,
            commits: new.commits,
            known,
            is_cut_short,
            old,
        }))
    }

    /// The policy that counts.
    ///
    /// A sender goes by the pushed policy, as a commit goes by the staged one. A receiver goes by
    /// the one that the branch has, for a new branch by that of the default branch: a push must
    /// not loosen what judges it. Only where there is none yet, the pushed one counts.
    ///
    /// # Errors
    /// [`PolicyError::Missing`] where there is none anywhere. The pushed policy has to be one that
    /// can be read, whichever counts.
    pub fn policy(
        &self,
        repository: &Repository,
        side: &PushSide,
    ) -> Result<PushPolicy, RepositoryPolicyError> {
        let at = |commit: ObjectId| policy_at(repository, commit, &commit.short());
        let of = |policy, from, commit| PushPolicy {
            policy,
            from,
            commit,
        };
        let pushed = at(self.tip)?;
        let mut known = self.known.iter();
        match side {
            PushSide::Sender { .. } => {
                if let Some(policy) = pushed {
                    return Ok(of(policy, PolicyFrom::Tip, Some(self.tip)));
                }
                for commit in known {
                    if let Some(policy) = at(*commit)? {
                        return Ok(of(policy, PolicyFrom::Base, Some(*commit)));
                    }
                }
                if repository.worktree().is_ok() {
                    let (policy, from) = policy_of(repository, Judged::WorkingTree)?;
                    return Ok(of(policy, from, None));
                }
            }
            PushSide::Receiver => {
                let head = repository.head()?.commit;
                let first = [self.old, head].into_iter().flatten();
                for commit in first.chain(known.by_ref().copied()) {
                    match at(commit) {
                        Ok(Some(policy)) => {
                            return Ok(of(policy, PolicyFrom::Base, Some(commit)));
                        }
                        Ok(None) => {}
                        // One that cannot be read judges nothing; else no push could mend it.
                        Err(RepositoryPolicyError::Policy(_)) if pushed.is_some() => break,
                        Err(error) => return Err(error),
                    }
                }
                if let Some(policy) = pushed {
                    return Ok(of(policy, PolicyFrom::Tip, Some(self.tip)));
                }
            }
        }
        let path = FILE_NAME.into();
        Err(PolicyError::Missing { path }.into())
    }
}

/// The tip of the branch that others start from.
fn default_branch(repository: &Repository, side: &PushSide) -> Result<Option<ObjectId>, GitError> {
    let PushSide::Sender { remote } = side else {
        return Ok(repository.head()?.commit);
    };
    // `git clone` notes it, `git remote add` does not.
    for name in ["HEAD", "main", "master"] {
        let commit = repository.commit_named(&format!("refs/remotes/{remote}/{name}"))?;
        if commit.is_some() {
            return Ok(commit);
        }
    }
    Ok(None)
}

impl<'r> Change<'r> {
    /// What a push brings to a branch. Nothing is read before it is asked for.
    pub fn of_push(
        repository: &'r Repository,
        pushed: &Pushed,
        limit: u64,
    ) -> Result<Self, GitError> {
        let new = NewSide::Commit(pushed.tip);
        let mut known = pushed.known.iter().copied();
        let base = known.next();
        let changes = repository.changes_since(base, new)?;
        Ok(Self {
            files: changes.into_iter().map(ChangedFile::from).collect(),
            repository,
            limit,
            base,
            parents: known.collect(),
            new,
        })
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
