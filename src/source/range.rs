//! What a range of commits comes to: the tree at its end held against the one at its start.
//!
//! Commits in between do not matter, merges among them neither: what was brought in and taken
//! out again is not there.

use super::change::{Change, ChangedFile};
use crate::git::{GitError, NewSide, ObjectId, Repository};

/// Two ends of history, as `A..B` or `A...B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// A's name.
    pub base_name: String,
    /// B's name.
    pub tip_name: String,
    /// A; of `A...B` the commit at which the two parted.
    pub base: ObjectId,
    /// Where they parted more than once (criss-cross merges), the other places.
    parted: Vec<ObjectId>,
    /// B.
    pub tip: ObjectId,
}

/// Why there is no such range.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// It is not written as one.
    #[error("`{text}` is not a range of commits")]
    NotARange {
        /// What was written.
        text: String,
    },
    /// One end is not in this clone.
    #[error("there is no commit `{name}` in this clone")]
    NoCommit {
        /// The name.
        name: String,
        /// Whether the clone's history ends early.
        shallow: bool,
        /// The remote and the branch there, where it is the name of one.
        remote_branch: Option<(String, String)>,
    },
    /// The two ends have no common history.
    #[error("`{base}` and `{tip}` have no commit in common in this clone")]
    NothingInCommon {
        /// One end.
        base: String,
        /// The other end.
        tip: String,
        /// Whether the clone's history ends early.
        shallow: bool,
    },
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl RangeError {
    /// There is no commit of this name.
    pub fn no_commit(repository: &Repository, name: &str) -> Self {
        Self::NoCommit {
            shallow: repository.is_shallow(),
            remote_branch: repository.remote_branch(name),
            name: name.to_owned(),
        }
    }
}

impl Range {
    /// Reads `A..B` (B held against A) or `A...B` (against the commit at which the two parted);
    /// an end that is left out is HEAD.
    pub fn resolve(repository: &Repository, text: &str) -> Result<Self, RangeError> {
        let not_a_range = || RangeError::NotARange {
            text: text.to_owned(),
        };
        let (base_name, tip_name, since_parted) = match text.split_once("...") {
            Some((base, tip)) => (base, tip, true),
            None => text
                .split_once("..")
                .map(|(base, tip)| (base, tip, false))
                .ok_or_else(not_a_range)?,
        };
        // No name of a commit holds two dots (git-check-ref-format(1)).
        // `..HEAD` is what an unset variable leaves of a range, and has nothing in it.
        if (base_name.is_empty() && ["", "HEAD"].contains(&tip_name))
            || tip_name.contains("..")
            || tip_name.starts_with('.')
        {
            return Err(not_a_range());
        }
        let named = |name: &str| -> Result<(String, ObjectId), RangeError> {
            let name = if name.is_empty() { "HEAD" } else { name };
            match repository.commit_named(name)? {
                Some(commit) => Ok((name.to_owned(), commit)),
                None => Err(RangeError::no_commit(repository, name)),
            }
        };
        let (base_name, mut base) = named(base_name)?;
        let (tip_name, tip) = named(tip_name)?;
        let mut parted = Vec::new();
        if since_parted {
            let mut bases = repository.merge_bases(base, tip)?.into_iter();
            let Some(first) = bases.next() else {
                return Err(RangeError::NothingInCommon {
                    base: base_name,
                    tip: tip_name,
                    shallow: repository.is_shallow(),
                });
            };
            base = first;
            parted = bases.collect();
        }
        Ok(Self {
            base_name,
            tip_name,
            base,
            parted,
            tip,
        })
    }
}

impl<'r> Change<'r> {
    /// What a range comes to. Nothing is read before it is asked for.
    pub fn of_range(
        repository: &'r Repository,
        range: &Range,
        limit: u64,
    ) -> Result<Self, GitError> {
        let new = NewSide::Commit(range.tip);
        let changes = repository.changes_since(Some(range.base), new)?;
        Ok(Self {
            files: changes.into_iter().map(ChangedFile::from).collect(),
            repository,
            limit,
            base: Some(range.base),
            parents: range.parted.clone(),
            new,
        })
    }
}
