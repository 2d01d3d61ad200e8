//! The side that a push goes to, as far as it is known: the branch that others start from there,
//! and what it has already. Asked once for all branches of a push.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::pushed::Pushed;
use super::ref_update::{PushSide, RefUpdate};
use super::repository_policy::{RepositoryPolicyError, policy_at};
use crate::git::{GitError, KnownHistory, ObjectId, Repository};
use crate::policy::{FILE_NAME, Policy};
use crate::text::printable;

/// The side that a push goes to.
#[derive(Debug)]
pub struct PushTarget<'r> {
    repository: &'r Repository,
    side: &'r PushSide,
    default: OnceCell<Option<DefaultBranch>>,
    tracked: OnceCell<Option<String>>,
    /// The default branch, where it is one of several that are pushed.
    leading: Option<String>,
    /// Tips that this push brings and that count as known from then on.
    pub(super) judged: Vec<ObjectId>,
}

/// The branch that others start from.
#[derive(Clone, Debug)]
pub(super) struct DefaultBranch {
    /// Its full name on the side that is pushed to; `None` for a commit that HEAD names itself.
    name: Option<String>,
    pub(super) commit: ObjectId,
    /// On the receiving side, its policy, if it has one that can be read.
    pub(super) policy: Option<Policy>,
}

impl<'r> PushTarget<'r> {
    /// Of a repository that pushes or is pushed to. Nothing is asked yet.
    pub fn new(repository: &'r Repository, side: &'r PushSide) -> Self {
        Self {
            repository,
            side,
            default: OnceCell::new(),
            tracked: OnceCell::new(),
            leading: None,
            judged: Vec::new(),
        }
    }

    /// The repository that the hook runs in.
    pub fn repository(&self) -> &'r Repository {
        self.repository
    }

    /// Whose side is asked.
    pub fn side(&self) -> &'r PushSide {
        self.side
    }

    /// Puts the default branch first, since others are held against it as it will be, and takes
    /// out the new branches and tags that bring no commit, as hundreds of tags do not. Gives how
    /// many these were; what cannot be told stays.
    pub fn arrange(&mut self, updates: &mut Vec<RefUpdate>) -> usize {
        self.leading = self.put_default_first(updates).unwrap_or_default();
        let first = &self.leading;
        let is_new = |update: &RefUpdate| update.is_new() && Some(&update.name) != first.as_ref();
        let news = updates.iter().filter(|update| is_new(update));
        let tips: Vec<ObjectId> = news.filter_map(|update| update.new).collect();
        if tips.len() < 2 {
            return 0;
        }
        let leading = updates.first().filter(|_| first.is_some());
        let leading = leading.and_then(|update| update.new);
        let Ok(known) = self.tips_without_commits(&tips, leading) else {
            return 0;
        };
        let before = updates.len();
        updates.retain(|update| {
            !(is_new(update) && update.new.is_some_and(|tip| known.contains(&tip)))
        });
        before - updates.len()
    }

    /// Gives its name, where it is among the updates.
    fn put_default_first(&self, updates: &mut Vec<RefUpdate>) -> Result<Option<String>, GitError> {
        if updates.len() < 2 || *self.side != PushSide::Receiver {
            return Ok(None);
        }
        let names = self.default_names()?;
        let among = |name: &String| updates.iter().position(|update| update.name == *name);
        let Some(at) = names.iter().find_map(among) else {
            return Ok(None);
        };
        let leading = updates.remove(at);
        let name = leading.name.clone();
        updates.insert(0, leading);
        Ok(Some(name))
    }

    /// Those of `tips` that lead to no commit that is new.
    fn tips_without_commits(
        &self,
        tips: &[ObjectId],
        leading: Option<ObjectId>,
    ) -> Result<HashSet<ObjectId>, GitError> {
        let commits = self.repository.commits_of(tips)?;
        let led_to: Vec<ObjectId> = commits.iter().flatten().copied().collect();
        let leading = Vec::from_iter(leading);
        let new = self
            .repository
            .new_among(&led_to, &self.history_of_new()?, &leading)?;
        let pairs = tips.iter().zip(commits);
        Ok(pairs
            .filter(|(_, commit)| commit.is_some_and(|commit| !new.contains(&commit)))
            .map(|(tip, _)| *tip)
            .collect())
    }

    /// Notes that a branch was judged. On the receiving side only the default branch counts for
    /// others: what a policy of their own allows to them is new elsewhere.
    pub fn note_judged(&mut self, update: &RefUpdate, pushed: &Pushed) {
        let counts = match self.side {
            PushSide::Sender { .. } => true,
            PushSide::Receiver => self.leading.as_ref() == Some(&update.name),
        };
        if counts {
            self.judged.push(pushed.tip);
        }
    }

    /// What a new branch or tag is held against.
    pub(super) fn history_of_new(&self) -> Result<KnownHistory, GitError> {
        Ok(match self.side {
            PushSide::Sender { .. } => match self.tracked_remote()? {
                Some(remote) => KnownHistory::Remote(remote.to_owned()),
                None => KnownHistory::Commits(Vec::new()),
            },
            PushSide::Receiver => match self.default_branch()? {
                Some(default) => KnownHistory::Commits(vec![default.commit]),
                // No branch has a policy: nothing was forbidden to any.
                None => KnownHistory::OwnRefs,
            },
        })
    }

    /// The name of the remote that is pushed to, where this clone has remote-tracking branches of
    /// it; else nothing is known of it.
    pub fn tracked_remote(&self) -> Result<Option<&str>, GitError> {
        let PushSide::Sender { remote } = self.side else {
            return Ok(None);
        };
        if let Some(tracked) = self.tracked.get() {
            return Ok(tracked.as_deref());
        }
        let found = self.repository.tracked_remote(remote)?;
        Ok(self.tracked.get_or_init(|| found).as_deref())
    }

    /// The branch that others start from; `None` where it cannot be told.
    pub(super) fn default_branch(&self) -> Result<Option<&DefaultBranch>, GitError> {
        if let Some(known) = self.default.get() {
            return Ok(known.as_ref());
        }
        let found = match self.side {
            PushSide::Sender { .. } => match self.tracked_remote()? {
                Some(remote) => tracked_default(self.repository, remote)?,
                None => None,
            },
            PushSide::Receiver => own_default(self.repository)?,
        };
        Ok(self.default.get_or_init(|| found).as_ref())
    }

    /// What the default branch is called; where there is none yet, what it may be called.
    fn default_names(&self) -> Result<Vec<String>, GitError> {
        if let Some(default) = self.default_branch()? {
            return Ok(Vec::from_iter(default.name.clone()));
        }
        let head = self.repository.head()?.branch;
        let mut names = Vec::from_iter(head.map(full_name));
        names.extend(NAMES.map(|name| full_name(name.to_owned())));
        Ok(names)
    }
}

/// What a default branch is mostly called.
const NAMES: [&str; 2] = ["main", "master"];

fn full_name(branch: String) -> String {
    printable(format!("refs/heads/{branch}").as_bytes())
}

/// The default branch of a remote, as this clone knows it.
fn tracked_default(
    repository: &Repository,
    remote: &str,
) -> Result<Option<DefaultBranch>, GitError> {
    // `git clone` notes it as HEAD, `git remote add` does not.
    for name in ["HEAD", NAMES[0], NAMES[1]] {
        let commit = repository.commit_named(&format!("refs/remotes/{remote}/{name}"))?;
        if let Some(commit) = commit {
            return Ok(Some(DefaultBranch {
                name: None,
                commit,
                policy: None,
            }));
        }
    }
    Ok(None)
}

/// The default branch of this repository, which is pushed to: HEAD's, `main`, `master`, else any;
/// of these the first that has a policy. HEAD may lead to a branch that nobody made.
fn own_default(repository: &Repository) -> Result<Option<DefaultBranch>, GitError> {
    let head = repository.head()?;
    let head_name = head.branch.map(full_name);
    let mut candidates = Vec::new();
    candidates.extend(head.commit.map(|commit| (head_name.clone(), commit)));
    for name in NAMES.map(|name| full_name(name.to_owned())) {
        if head_name.as_ref() != Some(&name)
            && let Some(commit) = repository.commit_named(&name)?
        {
            candidates.push((Some(name), commit));
        }
    }
    for (name, commit) in &candidates {
        if let Some(policy) = sound_policy(repository, *commit)? {
            return Ok(Some(DefaultBranch {
                name: name.clone(),
                commit: *commit,
                policy: Some(policy),
            }));
        }
    }
    // Not asked before it must be: there may be thousands.
    for (name, commit) in repository.branches_with(FILE_NAME)? {
        if let Some(policy) = sound_policy(repository, commit)? {
            return Ok(Some(DefaultBranch {
                name: Some(printable(name.as_bytes())),
                commit,
                policy: Some(policy),
            }));
        }
    }
    let first = candidates.into_iter().next();
    Ok(first.map(|(name, commit)| DefaultBranch {
        name,
        commit,
        policy: None,
    }))
}

/// The policy of a commit. One that cannot be read judges nothing; else no push could mend it.
fn sound_policy(repository: &Repository, commit: ObjectId) -> Result<Option<Policy>, GitError> {
    match policy_at(repository, commit, &commit.short()) {
        Ok(policy) => Ok(policy),
        Err(RepositoryPolicyError::Policy(_)) => Ok(None),
        Err(RepositoryPolicyError::Git(error)) => Err(error),
    }
}
