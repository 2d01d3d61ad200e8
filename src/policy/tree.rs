//! A policy and what it extends, file by file, from wherever they lie: folders, the index, a
//! commit.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::layer::{Layer, Naming};
use super::load::{PolicyError, read_file};
use super::origin::SourceRole;

/// The most files one policy may be made of.
const MOST_FILES: usize = 8;

/// A tree of files in which policies lie; names are relative to its root, with `/` between parts.
pub trait PolicyTree {
    /// Why a file cannot be read.
    type Error: From<PolicyError>;

    /// The content of a file; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Self::Error>;

    /// What a file is called in complaints.
    fn shown(&self, name: &str) -> PathBuf;

    /// Why a policy here may extend no file by its absolute path, if it may not.
    fn refuses_absolute(&self) -> Option<&'static str> {
        None
    }

    /// What to do where a file that is extended is not in the tree.
    fn when_missing(&self) -> &'static str {
        "paths in `extends` are relative to the file that they stand in"
    }
}

/// A folder on the disk.
#[derive(Clone, Debug)]
pub struct Folder(
    /// Its root.
    pub PathBuf,
);

impl PolicyTree for Folder {
    type Error = PolicyError;

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PolicyError> {
        match read_file(&self.0.join(name)) {
            Ok(content) => Ok(Some(content)),
            Err(PolicyError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn shown(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Where a file of a policy lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// In the tree, by its name.
    InTree(String),
    /// Anywhere.
    OnDisk(PathBuf),
}

impl Location {
    fn shown<T: PolicyTree>(&self, tree: &T) -> PathBuf {
        match self {
            Self::InTree(name) => tree.shown(name),
            Self::OnDisk(path) => path.clone(),
        }
    }

    /// How it is traced back.
    fn name(&self) -> String {
        match self {
            Self::InTree(name) => name.clone(),
            Self::OnDisk(path) => path.display().to_string(),
        }
    }

    /// The folder of a file in the tree.
    fn folder(&self) -> Option<&str> {
        match self {
            Self::InTree(name) => Some(name.rsplit_once('/').map_or("", |(folder, _)| folder)),
            Self::OnDisk(_) => None,
        }
    }
}

/// Reads the file at `start` and those it extends, nearest first.
pub(super) fn layers<T: PolicyTree>(tree: &T, start: Location) -> Result<Vec<Layer>, T::Error> {
    let own_folder = start.folder().unwrap_or_default().to_owned();
    let mut seen = vec![start.clone()];
    let mut layers: Vec<Layer> = Vec::new();
    let mut next = start;
    loop {
        let path = next.shown(tree);
        let content = match &next {
            Location::InTree(name) => tree.read(name)?,
            Location::OnDisk(path) => match read_file(path) {
                Ok(content) => Some(content),
                Err(PolicyError::Missing { .. }) => None,
                Err(error) => return Err(error.into()),
            },
        };
        let Some(content) = content else {
            return Err(missing(tree, layers.last(), path).into());
        };
        // A base above the policy has its place in the tree; any other is read as if it stood in
        // the policy.
        let folder = match next.folder() {
            Some(folder) if is_at_or_above(folder, &own_folder) => folder,
            _ => &own_folder,
        };
        let naming = Naming {
            path: &path,
            name: next.name(),
            folder,
        };
        let role = if layers.is_empty() {
            SourceRole::Policy
        } else {
            SourceRole::Base
        };
        let layer = Layer::parse(naming, role, &content)?;
        let Some(extended) = &layer.file.extends else {
            layers.push(layer);
            return Ok(layers);
        };
        let target = resolve(tree, &layer, &next, extended)?;
        let invalid = |message: String, hint: &str| {
            layer
                .place()
                .invalid(extended.span(), message, Some(hint.to_owned()))
        };
        if let Some(at) = seen.iter().position(|other| *other == target) {
            let mut circle: Vec<String> = seen.iter().skip(at).map(Location::name).collect();
            circle.push(target.name());
            let message = format!("this policy extends itself: {}", circle.join(" -> "));
            return Err(invalid(message, "take one `extends` of the circle out").into());
        }
        if seen.len() == MOST_FILES {
            let message = format!("a policy can be made of {MOST_FILES} files at most");
            let hint = "extend the last one directly, or write its keys here";
            return Err(invalid(message, hint).into());
        }
        seen.push(target.clone());
        next = target;
        layers.push(layer);
    }
}

fn missing<T: PolicyTree>(tree: &T, asker: Option<&Layer>, path: PathBuf) -> PolicyError {
    let span = |layer: &Layer| layer.file.extends.as_ref().map(Spanned::span);
    match asker.and_then(|layer| Some((layer, span(layer)?))) {
        Some((layer, span)) => layer.place().invalid(
            span,
            format!(
                "`{}`, which this policy extends, does not exist",
                path.display()
            ),
            Some(tree.when_missing().to_owned()),
        ),
        None => PolicyError::Missing { path },
    }
}

/// Whether a folder of the tree is `below`, or one that `below` lies in.
fn is_at_or_above(folder: &str, below: &str) -> bool {
    match below.strip_prefix(folder) {
        Some(rest) => folder.is_empty() || rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// What `extends` in the file at `from` means.
fn resolve<T: PolicyTree>(
    tree: &T,
    layer: &Layer,
    from: &Location,
    extended: &Spanned<String>,
) -> Result<Location, PolicyError> {
    let target = extended.get_ref();
    let invalid = |message: String, hint: &str| {
        Err(layer
            .place()
            .invalid(extended.span(), message, Some(hint.to_owned())))
    };
    // So it is known of a commit without reading all it holds whether it changes a policy.
    if Path::new(target).extension() != Some("toml".as_ref()) {
        return invalid(
            format!("`{target}` is not the name of a policy, which ends in `.toml`"),
            "write the path of a policy, or leave the key out",
        );
    }
    if Path::new(target).is_absolute() || target.starts_with('/') {
        return match tree.refuses_absolute() {
            Some(why) => invalid(
                format!("`{target}` cannot be extended: {why}"),
                "put that policy into the repository, and name it by a relative path",
            ),
            None => Ok(Location::OnDisk(PathBuf::from(target))),
        };
    }
    if target.contains('\\') {
        return invalid(
            format!("`{target}` has a backslash, which only Windows reads as a folder's end"),
            "write `/` between the parts of the path",
        );
    }
    match from {
        Location::OnDisk(path) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            Ok(Location::OnDisk(clean(&folder.join(target))))
        }
        Location::InTree(_) => {
            let mut parts: Vec<&str> = from
                .folder()
                .unwrap_or_default()
                .split('/')
                .filter(|part| !part.is_empty())
                .collect();
            for part in target.split('/') {
                match part {
                    ".." if parts.pop().is_none() => {
                        return invalid(
                            format!("`{target}` leads out of the repository"),
                            "a policy outside is named by its absolute path",
                        );
                    }
                    "" | "." | ".." => {}
                    part => parts.push(part),
                }
            }
            Ok(Location::InTree(parts.join("/")))
        }
    }
}

/// `path` without `.` and `x/..`, so that a circle is seen as one.
fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(cleaned.components().next_back(), Some(Component::Normal(_))) =>
            {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}
