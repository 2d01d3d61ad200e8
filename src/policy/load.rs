//! Finding, reading and checking the policy file; every error names file, line and column.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::file::SeverityWord;
use super::layer::{Layer, Naming};
use super::merge::merge;
use super::origin::SourceRole;
use super::surroundings::Surroundings;
use super::tree::{self, Folder, Location, PolicyTree};
use super::{Policy, Severity};
use crate::sys::file;
use crate::sys::real_path::real_path;
use crate::text::Position;

/// Name of a policy file, in the root of the repository or in a folder below it.
pub const FILE_NAME: &str = "gpuguard.toml";

/// The most bytes a policy may have: a large one has a few thousand.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no file at the place.
    #[error("no policy: `{}` does not exist", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the policy `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is there is a folder, a pipe or a device.
    #[error("the policy `{}` is not a regular file", path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
    },
    /// The file is far too large for a policy.
    #[error("the policy `{}` is larger than {} KiB", path.display(), MOST_BYTES >> 10)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a valid policy.
    #[error("{}:{}:{}: {message}", path.display(), position.line, position.column)]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: Position,
        /// The text of that line.
        line_text: String,
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// There is a link where Git's own policy, or one below the root, would be.
    #[error("the policy `{}` is a link, and has to be a file", path.display())]
    Link {
        /// Where it is.
        path: PathBuf,
    },
    /// An environment variable does not say what it is for.
    #[error("the variable {name} cannot be `{value}`")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What to write instead.
        hint: &'static str,
    },
}

impl PolicyError {
    /// A policy of no files, which nothing makes.
    pub(super) fn no_files() -> Self {
        Self::Missing {
            path: FILE_NAME.into(),
        }
    }
}

/// Reads and checks the policy at `path`, which may be a link to a regular file, with what it
/// extends and what surrounds it.
pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Policy, PolicyError> {
    let location = Location::OnDisk(path.to_owned());
    let layers = tree::layers(&Folder(PathBuf::new()), location)?;
    merge(&layers, surroundings)
}

/// The same for the file `name` of a tree: what it extends lies in the tree too, or is named by
/// its absolute path.
pub fn load_from<T: PolicyTree>(
    tree: &T,
    name: &str,
    surroundings: &Surroundings,
) -> Result<Policy, T::Error> {
    let layers = tree::layers(tree, Location::InTree(name.to_owned()))?;
    Ok(merge(&layers, surroundings)?)
}

/// Checks the `content` of a policy that stands alone; `path` is only for messages.
pub fn parse(path: &Path, content: &[u8]) -> Result<Policy, PolicyError> {
    let naming = Naming {
        path,
        name: path.display().to_string(),
        folder: "",
    };
    let layer = Layer::parse(naming, SourceRole::Policy, content)?;
    if let Some(extends) = &layer.file.extends {
        return Err(layer.place().invalid(
            extends.span(),
            "this policy has to stand alone",
            Some("leave `extends` out".to_owned()),
        ));
    }
    merge(&[layer], &Surroundings::default())
}

/// The content of a policy file on the disk.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, PolicyError> {
    let unreadable = |source: io::Error| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // A pipe would be waited for, and a device may never end.
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(PolicyError::NotAFile {
                path: path.to_owned(),
            });
        }
        Err(source)
            if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&source.kind()) =>
        {
            return Err(PolicyError::Missing {
                path: path.to_owned(),
            });
        }
        Err(source) => return Err(unreadable(source)),
    }
    let mut content = Vec::new();
    real_path(path)
        .and_then(|target| file::open_regular(&target))
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    Ok(content)
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Off => Self::Off,
            SeverityWord::Warning => Self::Warning,
            SeverityWord::Error => Self::Error,
        }
    }
}
