//! One scanner for a tree with several policies: each file goes by the nearest.

use super::engine::Scanner;
use crate::git::RepoPath;
use crate::policy::Policy;

impl Scanner {
    /// The same, with another policy for the files in `folder` and below it.
    #[must_use]
    pub fn with_below(mut self, folder: RepoPath, policy: &Policy) -> Self {
        let mut scanner = Self::new(policy);
        scanner.today = self.today;
        scanner.detail = self.detail;
        self.policy_files.extend(scanner.policy_files.drain());
        self.below.insert(folder, scanner);
        self
    }

    /// The scanner whose policy counts for a file.
    pub(super) fn nearest(&self, path: &RepoPath) -> &Self {
        if self.below.is_empty() {
            return self;
        }
        path.folders()
            .find_map(|folder| self.below.get(&folder))
            .unwrap_or(self)
    }
}
