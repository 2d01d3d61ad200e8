//! Where each value of a policy comes from: which line of which file, a variable, or the default.

use std::fmt;

use serde::Serialize;

/// One value of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// The key as the file has it, with its tables: `hook.on-error`, `card[1]`.
    pub key: String,
    /// The value as it was written; null where an optional one is not set.
    pub value: serde_json::Value,
    /// Who says so.
    pub origin: Origin,
}

/// Who says a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// A policy file, or one that it extends.
    File {
        /// Relative to the root of the repository where it lies in it.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// The user's own file.
    User {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: &'static str,
    },
    /// Nobody: the value that counts where nothing is said.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::User { path, line } => write!(f, "{path}:{line} (user file)"),
            Self::Environment { variable } => write!(f, "{variable} (environment)"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A file that a policy was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicySource {
    /// Relative to the root of the repository where it lies in it.
    pub path: String,
    /// What it is to the policy.
    pub role: SourceRole,
}

/// What a file is to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRole {
    /// The policy itself.
    Policy,
    /// One that it extends.
    Base,
    /// The user's own.
    User,
}
