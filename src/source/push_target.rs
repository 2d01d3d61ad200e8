//! The side that a push goes to, as far as it is known: the branch that others start from there,
//! and what it has already. Asked once for all branches of a push.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::pushed::{PushPolicy, Pushed};
use super::ref_update::{PushSide, RefUpdate};
use super::repository_policy::{RepositoryPolicyError, policy_at, policy_only_below};
use crate::git::{GitError, KnownHistory, ObjectId, Repository};
use crate::policy::{FILE_NAME, OnWeakening, Policy};
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
    /// The tip of the default branch, where this push brings it first.
    judged: Vec<ObjectId>,
    /// Tips that the sender judged by policies of their own, by what these are.
    judged_by: HashMap<Vec<u8>, Vec<ObjectId>>,
    /// Tips of new branches and tags, which all have the policy of the default branch.
    judged_alike: HashSet<ObjectId>,
}

/// The branch that others start from. On the receiving side it may be one of several, so that no
/// push of another one takes its place: what is pushed has to be right by the policy of each.
#[derive(Clone, Debug)]
pub(super) struct DefaultBranch {
    /// Its full name on the side that is pushed to; `None` for a commit that HEAD names itself.
    name: Option<String>,
    /// What others are held against.
    commits: Vec<ObjectId>,
    /// On the receiving side, each policy that judges.
    pub(super) judges: Vec<Judge>,
}

/// A branch whose policy judges others.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    name: Option<String>,
    pub(super) commit: ObjectId,
    pub(super) policy: Policy,
}

impl DefaultBranch {
    /// The commits that other branches are held against.
    pub(super) fn commits(&self) -> Vec<ObjectId> {
        self.commits.clone()
    }

    /// Whether one of the policies refuses to be loosened.
    pub(super) fn refuses_weakening(&self) -> bool {
        let mut judges = self.judges.iter();
        judges.any(|judge| judge.policy.hook.weakening == OnWeakening::Refuse)
    }
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
            judged_by: HashMap::new(),
            judged_alike: HashSet::new(),
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

    /// Puts the default branch first, since others are held against it where it is new itself, and
    /// takes out the new branches and tags that bring no commit, as hundreds of tags do not. Gives
    /// how many these were; what cannot be told stays.
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
        let leading = leading.filter(|update| update.is_new());
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

    /// Notes what was judged, and by which policy. What one branch's own policy allows is new to a
    /// branch that has another one. For the receiving side it is new everywhere, and so is what only
    /// comes to the default branch: Git may refuse that one update and take the others.
    pub fn note_judged(
        &mut self,
        update: &RefUpdate,
        pushed: &Pushed,
        by: Option<&PushPolicy>,
    ) -> Result<(), GitError> {
        match self.side {
            PushSide::Sender { .. } => {
                if by.is_some_and(|by| by.commit == Some(pushed.tip)) {
                    let policies = self.policies_in(pushed.tip)?;
                    self.judged_by.entry(policies).or_default().push(pushed.tip);
                }
            }
            PushSide::Receiver => {
                if self.leading.as_ref() == Some(&update.name) && self.default_branch()?.is_none() {
                    self.judged.push(pushed.tip);
                }
                if update.is_new() {
                    self.judged_alike.insert(pushed.tip);
                }
            }
        }
        Ok(())
    }

    /// Tips that this push brings and that count as known for another one.
    pub(super) fn judged_before(&self, tip: ObjectId) -> Result<Vec<ObjectId>, GitError> {
        if self.judged_by.is_empty() {
            return Ok(self.judged.clone());
        }
        let alike = self.judged_by.get(&self.policies_in(tip)?);
        Ok(alike.cloned().unwrap_or_default())
    }

    /// What the policies of a commit, and those that they extend, are made of.
    fn policies_in(&self, commit: ObjectId) -> Result<Vec<u8>, GitError> {
        self.repository.listed_with_ending(commit, b".toml")
    }

    /// Whether the branch that an update deletes has a policy that refuses to be loosened: without
    /// it the next push could bring any.
    pub fn loses_its_policy(&self, update: &RefUpdate) -> Result<bool, GitError> {
        if *self.side != PushSide::Receiver || update.new.is_some() {
            return Ok(false);
        }
        let judges = self.default_branch()?.map(|default| &default.judges);
        Ok(judges.into_iter().flatten().any(|judge| {
            judge.name.as_ref() == Some(&update.name)
                && judge.policy.hook.weakening == OnWeakening::Refuse
        }))
    }

    /// Whether a new branch or tag leads to what another one was just judged for.
    pub(super) fn was_judged(&self, tip: ObjectId) -> bool {
        self.judged_alike.contains(&tip)
    }

    /// What a new branch or tag is held against.
    pub(super) fn history_of_new(&self) -> Result<KnownHistory, GitError> {
        Ok(match self.side {
            PushSide::Sender { .. } => match self.tracked_remote()? {
                Some(remote) => KnownHistory::Remote(remote.to_owned()),
                None => KnownHistory::Commits(Vec::new()),
            },
            PushSide::Receiver => match self.default_branch()? {
                Some(default) => KnownHistory::Commits(default.commits()),
                // No branch has a policy: nothing was forbidden to any.
                None => KnownHistory::OwnRefs,
            },
        })
    }

    /// The name of the remote that is pushed to, where this clone has remote-tracking branches of
    /// it; else nothing is known of it.
    pub fn tracked_remote(&self) -> Result<Option<&str>, GitError> {
        let PushSide::Sender { remote, address } = self.side else {
            return Ok(None);
        };
        if let Some(tracked) = self.tracked.get() {
            return Ok(tracked.as_deref());
        }
        let found = self.repository.tracked_remote(remote, address.as_deref())?;
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
        let mut names = Vec::from_iter(head.as_deref().map(full_name));
        names.extend(NAMES.map(full_name));
        Ok(names)
    }
}

/// What a default branch is mostly called.
const NAMES: [&str; 2] = ["main", "master"];

fn full_name(branch: &str) -> String {
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
                commits: vec![commit],
                judges: Vec::new(),
            }));
        }
    }
    Ok(None)
}

/// The default branch of this repository, which is pushed to: HEAD's and `main`, where one of them
/// has a policy, be it below the root only; else all branches that have one at the root. HEAD may
/// lead to a branch that nobody made, until somebody pushes one of that name.
fn own_default(repository: &Repository) -> Result<Option<DefaultBranch>, GitError> {
    let head = repository.head()?;
    let head_name = head.branch.as_deref().map(full_name);
    let mut candidates = Vec::new();
    candidates.extend(head.commit.map(|commit| (head_name.clone(), commit)));
    for name in NAMES.map(full_name) {
        if head_name.as_ref() != Some(&name)
            && let Some(commit) = repository.commit_named(&name)?
        {
            candidates.push((Some(name), commit));
        }
    }
    let first = candidates.first().cloned();
    let main = full_name(NAMES[0]);
    candidates.retain(|(name, _)| *name == head_name || name.as_ref() == Some(&main));
    let mut judges = judges_among(repository, candidates, true)?;
    if judges.is_empty() {
        // Not asked before it must be: there may be thousands.
        let branches = repository.branches_with(FILE_NAME)?.into_iter();
        let named = branches.map(|(name, tip)| (Some(printable(name.as_bytes())), tip));
        judges = judges_among(repository, named.collect(), false)?;
    }
    let Some((name, of_head)) = judges
        .first()
        .map(|judge| (judge.name.clone(), judge.commit))
        .or_else(|| first.clone())
    else {
        return Ok(None);
    };
    // What all of them have got in by all of their policies.
    let tips: Vec<ObjectId> = judges.iter().map(|judge| judge.commit).collect();
    let mut commits = repository.common_to_all(&tips)?;
    let without_policy = first.map_or(of_head, |(_, commit)| commit);
    if !tips.contains(&without_policy) {
        commits.push(without_policy);
    }
    Ok(Some(DefaultBranch {
        name,
        commits,
        judges,
    }))
}

/// Those of the branches that have a policy, at the root, or also where it is only `below` it.
fn judges_among(
    repository: &Repository,
    branches: Vec<(Option<String>, ObjectId)>,
    below: bool,
) -> Result<Vec<Judge>, GitError> {
    let mut judges: Vec<Judge> = Vec::new();
    for (name, commit) in branches {
        if judges.iter().any(|judge| judge.commit == commit) {
            continue;
        }
        let policy = match sound(policy_at(repository, commit, &commit.short()))? {
            None if below => sound(policy_only_below(repository, commit))?,
            policy => policy,
        };
        judges.extend(policy.map(|policy| Judge {
            name,
            commit,
            policy,
        }));
    }
    Ok(judges)
}

/// A policy that can be read. Any other judges nothing; else no push could mend it.
fn sound(
    policy: Result<Option<Policy>, RepositoryPolicyError>,
) -> Result<Option<Policy>, GitError> {
    match policy {
        Ok(policy) => Ok(policy),
        Err(RepositoryPolicyError::Policy(_)) => Ok(None),
        Err(RepositoryPolicyError::Git(error)) => Err(error),
    }
}
