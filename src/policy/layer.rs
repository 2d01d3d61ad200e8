//! One policy file, read and checked by itself; [`super::merge`] makes a policy of several.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::check::Place;
use super::file::PolicyFile;
use super::load::{MOST_BYTES, PolicyError};
use super::origin::{Origin, SourceRole};
use super::{Card, LanguageOfFiles, Override};
use crate::text::LineIndex;

/// One file of a policy.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) role: SourceRole,
    /// What it is called where a value is traced back to it.
    pub(super) name: String,
    /// What it is called in complaints.
    path: PathBuf,
    text: String,
    lines: LineIndex,
    pub(super) file: PolicyFile,
    pub(super) cards: Option<Vec<Card>>,
    /// Globs from the root of the tree.
    pub(super) exclude: Vec<String>,
    pub(super) overrides: Vec<Override>,
    pub(super) languages: Vec<LanguageOfFiles>,
}

/// What a file is called, and from where its globs count.
pub(super) struct Naming<'n> {
    /// In complaints.
    pub(super) path: &'n Path,
    /// Where a value is traced back to it.
    pub(super) name: String,
    /// The folder of its globs, from the root of the tree.
    pub(super) folder: &'n str,
}

impl Layer {
    /// Reads and checks the `content` of a file.
    pub(super) fn parse(
        naming: Naming<'_>,
        role: SourceRole,
        content: &[u8],
    ) -> Result<Self, PolicyError> {
        let Naming { path, name, folder } = naming;
        let text = text_of(path, content)?;
        let place = Place { path, text };
        let file: PolicyFile =
            toml::from_str(text).map_err(|error| place.invalid_syntax(&error))?;
        place.check_version(&file.version)?;
        if role == SourceRole::User {
            place.check_user_file(&file)?;
        }
        place.check_scalars(&file)?;
        let cards = match &file.card {
            Some(entries) => Some(place.cards(entries)?),
            None => None,
        };
        place.severities(&file.rules)?;
        let mut overrides = place.overrides(&file.overrides)?;
        let mut languages = place.languages(&file.language)?;
        for glob in &file.scan.exclude {
            place.check_glob(glob)?;
        }
        let root_all = |globs: &mut [String]| {
            for glob in globs {
                *glob = rooted(glob, folder);
            }
        };
        for entry in &mut overrides {
            root_all(&mut entry.paths);
        }
        for entry in &mut languages {
            root_all(&mut entry.paths);
        }
        let exclude = file.scan.exclude.iter().map(Spanned::get_ref);
        Ok(Self {
            role,
            name,
            exclude: exclude.map(|glob| rooted(glob, folder)).collect(),
            path: path.to_owned(),
            lines: LineIndex::new(text),
            text: text.to_owned(),
            cards,
            overrides,
            languages,
            file,
        })
    }

    /// For complaints that point into the file.
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            path: &self.path,
            text: &self.text,
        }
    }

    /// Who says the value at `span`.
    pub(super) fn origin(&self, span: Range<usize>) -> Origin {
        let path = self.name.clone();
        let line = self.lines.position(&self.text, span.start).line;
        match self.role {
            SourceRole::User => Origin::User { path, line },
            SourceRole::Policy | SourceRole::Base => Origin::File { path, line },
        }
    }

    /// The severities of `[rules]`, with their places.
    pub(super) fn rules(&self) -> BTreeMap<&str, (super::Severity, Origin)> {
        let rules = self.file.rules.iter();
        rules
            .map(|(code, word)| {
                let origin = self.origin(code.span());
                (code.get_ref().as_str(), ((*word).into(), origin))
            })
            .collect()
    }
}

fn text_of<'c>(path: &Path, content: &'c [u8]) -> Result<&'c str, PolicyError> {
    if content.len() as u64 > MOST_BYTES {
        return Err(PolicyError::TooLarge {
            path: path.to_owned(),
        });
    }
    match std::str::from_utf8(content) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = content.get(..error.valid_up_to()).unwrap_or_default();
            let valid = String::from_utf8_lossy(valid);
            let place = Place { path, text: &valid };
            Err(place.invalid(
                valid.len()..valid.len(),
                "the file is not UTF-8",
                Some("save it as UTF-8, which TOML requires".to_owned()),
            ))
        }
    }
}

/// A glob that counts from `folder`, as one that counts from the root (gitignore(5): a slash
/// before the end ties a glob to the folder of its file, any other holds at each depth).
fn rooted(glob: &str, folder: &str) -> String {
    if folder.is_empty() || glob.is_empty() || glob.starts_with('#') {
        return glob.to_owned();
    }
    let (negation, body) = match glob.strip_prefix('!') {
        Some(body) => ("!", body),
        None => ("", glob),
    };
    let is_tied = body.trim_end_matches('/').contains('/');
    let depth = if is_tied { "" } else { "**/" };
    let body = body.strip_prefix('/').unwrap_or(body);
    let mut escaped = String::with_capacity(folder.len());
    for character in folder.chars() {
        if "*?[]{}\\! ".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    format!("{negation}/{escaped}/{depth}{body}")
}

#[cfg(test)]
mod tests {
    use super::rooted;

    #[test]
    fn globs_keep_their_meaning_below_a_folder() {
        for (glob, expected) in [
            ("tests/", "/a b/**/tests/"),
            ("*.py", "/a b/**/*.py"),
            ("/top", "/a b/top"),
            ("x/y.py", "/a b/x/y.py"),
            ("!keep.py", "!/a b/**/keep.py"),
            ("# note", "# note"),
        ] {
            let expected = expected.replace("a b", "a\\ b");
            assert_eq!(rooted(glob, "a b"), expected, "{glob}");
            assert_eq!(rooted(glob, ""), glob);
        }
        assert_eq!(rooted("x", "[a]"), "/\\[a\\]/**/x");
    }
}
