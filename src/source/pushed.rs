//! What a push brings to a branch: its new tip held against what the other side has already.

use super::change::{Change, ChangedFile};
use super::push_target::{DefaultBranch, PushTarget};
use super::ref_update::{PushSide, RefUpdate};
use super::repository_policy::{
    Judged, PolicyFrom, RepositoryPolicyError, policy_at, policy_of, policy_only_below,
};
use crate::git::{GitError, KnownHistory, NewSide, ObjectId, Repository};
use crate::policy::{FILE_NAME, Policy, PolicyError};

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
    /// Whether it is a branch: else it has no policy of its own.
    is_branch: bool,
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
    /// The commit whose policies those that are pushed should not be weaker than.
    pub before: Option<ObjectId>,
}

impl Pushed {
    /// What an update brings in; `None` where it deletes, leads to no commit, or adds none.
    ///
    /// A branch that was there is held against itself and the default branch: what another branch
    /// was allowed to have is new here. A new one is held against the default branch too, by the
    /// side that is pushed to; the side that pushes holds it against everything that it knows the
    /// other side to have, and against what was judged before in the same push.
    pub fn of(target: &PushTarget<'_>, update: &RefUpdate) -> Result<Option<Self>, GitError> {
        let repository = target.repository();
        let commit = |id: Option<ObjectId>| match id {
            Some(id) => repository.commit_named(&id.to_string()),
            None => Ok(None),
        };
        let Some(tip) = commit(update.new)? else {
            return Ok(None);
        };
        // A sender need not have what others pushed meanwhile.
        let old = commit(update.old)?;
        if update.is_new() && target.was_judged(tip) {
            return Ok(None);
        }
        let default = || -> Result<Vec<ObjectId>, GitError> {
            let default = target.default_branch()?;
            Ok(default.map(DefaultBranch::commits).unwrap_or_default())
        };
        let mut heads = Vec::new();
        let (history, judged) = match old {
            Some(old) => {
                heads.push(old);
                heads.extend(default()?.into_iter().filter(|head| *head != old));
                (KnownHistory::Commits(heads.clone()), Vec::new())
            }
            None => (target.history_of_new()?, target.judged_before(tip)?),
        };
        let new = repository.new_commits(tip, &history, &judged)?;
        if new.commits.is_empty() {
            return Ok(None);
        }
        let mut known = new.bases;
        let mut is_cut_short = false;
        if known.is_empty() && repository.is_shallow() {
            if heads.is_empty() {
                heads.extend(default()?);
            }
            is_cut_short = !heads.is_empty();
            known = heads;
        }
        match old {
            // What a branch had is not new to it, however its history was rewritten.
            Some(old) => {
                known.retain(|commit| *commit != old);
                known.insert(0, old);
            }
            // First where it left the default branch.
            None if known.len() > 1 => {
                if let Some(default) = default()?.first() {
                    let left = repository.merge_bases(*default, tip)?;
                    known.sort_by_key(|commit| !left.contains(commit));
                }
            }
            None => {}
        }
        Ok(Some(Self {
            tip,
            commits: new.commits,
            known,
            is_cut_short,
            old,
            is_branch: update.is_branch(),
        }))
    }

    /// The policies that count, one or more: what is pushed has to be right by each.
    ///
    /// A sender goes by the pushed policy, as a commit goes by the staged one. A receiver goes by
    /// the one that the branch has, for a new branch or a tag by that of the default branch: a
    /// push must not loosen what judges it. Only where no branch has one yet, the pushed one
    /// counts. Where policies lie below the root only, these do.
    ///
    /// # Errors
    /// [`PolicyError::Missing`] where there is none anywhere. The pushed policy has to be one that
    /// can be read, whichever counts.
    pub fn policies(
        &self,
        target: &PushTarget<'_>,
    ) -> Result<Vec<PushPolicy>, RepositoryPolicyError> {
        let pushed = at(target.repository(), self.tip)?;
        match target.side() {
            PushSide::Sender { .. } => {
                let policy = self.policy_of_sender(target.repository(), pushed)?;
                Ok(vec![policy])
            }
            PushSide::Receiver => self.policies_of_receiver(target, pushed),
        }
    }

    fn policy_of_sender(
        &self,
        repository: &Repository,
        pushed: Option<Policy>,
    ) -> Result<PushPolicy, RepositoryPolicyError> {
        let of = |policy, from, commit| PushPolicy {
            policy,
            from,
            commit,
            before: self.known.first().copied(),
        };
        if let Some(policy) = pushed {
            return Ok(of(policy, PolicyFrom::Tip, Some(self.tip)));
        }
        for commit in &self.known {
            if let Some(policy) = at(repository, *commit)? {
                return Ok(of(policy, PolicyFrom::Base, Some(*commit)));
            }
        }
        for commit in std::iter::once(&self.tip).chain(&self.known) {
            if let Some(policy) = policy_only_below(repository, *commit)? {
                return Ok(of(policy, PolicyFrom::OnlyBelow, Some(*commit)));
            }
        }
        if repository.worktree().is_ok() {
            let (policy, from) = policy_of(repository, Judged::WorkingTree)?;
            return Ok(of(policy, from, None));
        }
        Err(missing())
    }

    fn policies_of_receiver(
        &self,
        target: &PushTarget<'_>,
        pushed: Option<Policy>,
    ) -> Result<Vec<PushPolicy>, RepositoryPolicyError> {
        let repository = target.repository();
        let of = |policy, from, commit| PushPolicy {
            policy,
            from,
            commit: Some(commit),
            before: Some(commit),
        };
        let mut broken = None;
        // One that cannot be read judges nothing; else no push could mend it.
        let mut sound = |commit| match at(repository, commit) {
            Err(error @ RepositoryPolicyError::Policy(_)) => {
                broken.get_or_insert(error);
                Ok(None)
            }
            other => other,
        };
        let default = target.default_branch()?;
        // Who may loosen nothing may not do so on a branch of their own either.
        let is_for_all = default.is_some_and(DefaultBranch::refuses_weakening);
        let old = self.old.filter(|_| self.is_branch && !is_for_all);
        if let Some(old) = old
            && let Some(policy) = sound(old)?
        {
            return Ok(vec![of(policy, PolicyFrom::Base, old)]);
        }
        let judges = default.map(|default| default.judges.as_slice());
        let judges = judges.unwrap_or_default();
        let mut counting: Vec<PushPolicy> = judges
            .iter()
            .map(|judge| {
                let from = if judge.policy.judges_nothing() {
                    PolicyFrom::OnlyBelow
                } else {
                    PolicyFrom::Base
                };
                of(judge.policy.clone(), from, judge.commit)
            })
            .collect();
        // Its own policies below the root judge it beside those of others.
        if let Some(old) = old.filter(|old| judges.iter().all(|judge| judge.commit != *old))
            && let Some(policy) = policy_only_below(repository, old)?
        {
            counting.insert(0, of(policy, PolicyFrom::OnlyBelow, old));
        }
        if !counting.is_empty() {
            return Ok(counting);
        }
        for commit in &self.known {
            if let Some(policy) = sound(*commit)? {
                return Ok(vec![of(policy, PolicyFrom::Base, *commit)]);
            }
        }
        if let Some(policy) = pushed {
            return Ok(vec![of(policy, PolicyFrom::Tip, self.tip)]);
        }
        for commit in self.known.iter().chain([&self.tip]) {
            if let Some(policy) = policy_only_below(repository, *commit)? {
                return Ok(vec![of(policy, PolicyFrom::OnlyBelow, *commit)]);
            }
        }
        Err(broken.unwrap_or_else(missing))
    }
}

fn at(repository: &Repository, commit: ObjectId) -> Result<Option<Policy>, RepositoryPolicyError> {
    policy_at(repository, commit, &commit.short())
}

fn missing() -> RepositoryPolicyError {
    let path = FILE_NAME.into();
    PolicyError::Missing { path }.into()
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
