//! Mends one file: the edits of its findings, made again and again until nothing is left that
//! can be mended. Pure: bytes in, bytes out. What it gives parses at least as well as before.

use std::collections::BTreeMap;

use super::decode::{decode_as, encode, foreign_encoding};
use super::engine::Scanner;
use super::fact::Detail;
use super::finding::{FileScan, Finding, Reading};
use super::language::Language;
use super::remedy::Safety;
use crate::git::RepoPath;
use crate::policy::Severity;
use crate::text::{Edit, apply};

/// One fix can make another possible (the mask is set, the index beyond it comes to light), so
/// there are a few rounds; more than these mean that two fixes undo each other.
const MOST_ROUNDS: usize = 100;

/// What became of a file.
#[derive(Debug)]
pub struct FixedFile {
    /// Its findings afterwards; those from before where nothing was changed.
    pub scan: FileScan,
    /// What was done.
    pub result: FixResult,
}

/// Whether a file was mended.
#[derive(Debug)]
pub enum FixResult {
    /// Nothing in it can be mended.
    Nothing,
    /// This is its new content.
    Mended {
        /// The bytes, in the file's own encoding.
        content: Vec<u8>,
        /// How many findings of each rule are gone.
        fixes: BTreeMap<&'static str, usize>,
    },
    /// Something in it could be mended, but the file is left alone.
    LeftAlone(Unfixable),
}

/// Why a file with fixable findings is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfixable {
    /// Its encoding cannot be written back for certain.
    #[error("its encoding {} cannot be written back exactly", .name.as_deref().unwrap_or("is not known and"))]
    Encoding {
        /// The encoding it declares.
        name: Option<String>,
    },
    /// The new text would have more syntax errors than the old.
    #[error("the result would not be valid code")]
    Syntax,
    /// The fixes undo each other.
    #[error("its fixes do not come to an end")]
    Endless,
}

impl Scanner {
    /// Mends a file as far as its fixes go; the doubtful ones only where [`Safety::Unsafe`] is
    /// allowed.
    pub fn fix(&self, path: &RepoPath, content: &[u8], allowed: Safety) -> FixedFile {
        let scan = self.scan(path, content);
        if !scan
            .findings
            .iter()
            .any(|finding| is_wanted(finding, allowed))
        {
            let result = FixResult::Nothing;
            return FixedFile { scan, result };
        }
        match self.mend(path, content, &scan, allowed) {
            Ok(fixed) => fixed,
            Err(reason) => FixedFile {
                scan,
                result: FixResult::LeftAlone(reason),
            },
        }
    }

    fn mend(
        &self,
        path: &RepoPath,
        content: &[u8],
        scan: &FileScan,
        allowed: Safety,
    ) -> Result<FixedFile, Unfixable> {
        if let Some(name) = foreign_encoding(content) {
            let name = Some(format!("`{name}`"));
            return Err(Unfixable::Encoding { name });
        }
        let unwritable = Unfixable::Encoding { name: None };
        let (text, encoding) = decode_as(content).map_err(|_| unwritable.clone())?;
        if encode(&text, encoding).as_deref() != Some(content) {
            return Err(unwritable);
        }
        let language = self.language(path, content).ok_or(Unfixable::Syntax)?;
        let errors = errors(language, &text);
        let mut text = text.into_owned();
        let before = scan;
        let mut scan = scan.clone();
        for _ in 0..MOST_ROUNDS {
            let edits = edits_of_a_round(&scan.findings, allowed);
            if edits.is_empty() {
                let content = encode(&text, encoding).ok_or(unwritable)?;
                let fixes = mended(before, &scan);
                let result = FixResult::Mended { content, fixes };
                return Ok(FixedFile { scan, result });
            }
            text = apply(&text, &edits).ok_or(Unfixable::Endless)?;
            if self::errors(language, &text) > errors {
                return Err(Unfixable::Syntax);
            }
            let content = encode(&text, encoding).ok_or_else(|| unwritable.clone())?;
            scan = self.scan(path, &content);
            if matches!(scan.reading, Reading::Skipped(_)) {
                return Err(Unfixable::Syntax);
            }
        }
        Err(Unfixable::Endless)
    }
}

/// Whether a finding can be mended with what is allowed.
fn is_wanted(finding: &Finding, allowed: Safety) -> bool {
    finding.severity != Severity::Off
        && finding.fix.as_ref().is_some_and(|fix| match allowed {
            Safety::Safe => fix.safety == Safety::Safe,
            Safety::Unsafe => true,
        })
}

fn errors(language: &Language, text: &str) -> usize {
    language
        .read(text, Detail::Known)
        .map_or(usize::MAX, |facts| facts.errors)
}

/// How many findings of each rule are gone.
fn mended(before: &FileScan, after: &FileScan) -> BTreeMap<&'static str, usize> {
    let mut gone: BTreeMap<&'static str, usize> = BTreeMap::new();
    for finding in &before.findings {
        *gone.entry(finding.rule).or_default() += 1;
    }
    for finding in &after.findings {
        if let Some(count) = gone.get_mut(finding.rule) {
            *count = count.saturating_sub(1);
        }
    }
    gone.retain(|_, count| *count > 0);
    gone
}

/// The fixes of the findings in their order, without those that touch what an earlier one
/// changes; these have their turn in the next round, if they are still needed.
fn edits_of_a_round(findings: &[Finding], allowed: Safety) -> Vec<Edit> {
    let mut taken: BTreeMap<(usize, usize), &Edit> = BTreeMap::new();
    for finding in findings
        .iter()
        .filter(|finding| is_wanted(finding, allowed))
    {
        let edits = finding.fix.as_ref().map_or(&[][..], |fix| &fix.edits);
        if edits.iter().all(|edit| fits(&taken, edit)) {
            taken.extend(edits.iter().map(|edit| (key(edit), edit)));
        }
    }
    taken.into_values().cloned().collect()
}

fn key(edit: &Edit) -> (usize, usize) {
    (edit.span.start, edit.span.end)
}

/// Whether an edit is made already, or can be made beside those that are taken: none may touch
/// it where one of the two inserts.
fn fits(taken: &BTreeMap<(usize, usize), &Edit>, edit: &Edit) -> bool {
    let apart = |one: &Edit, next: &Edit| {
        let inserts = one.span.start == one.span.end || next.span.start == next.span.end;
        one.span.end < next.span.start || (one.span.end == next.span.start && !inserts)
    };
    if let Some(same) = taken.get(&key(edit)) {
        return *same == edit;
    }
    let before = taken.range(..key(edit)).next_back();
    let after = taken.range(key(edit)..).next();
    before.is_none_or(|(_, before)| apart(before, edit))
        && after.is_none_or(|(_, after)| apart(edit, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn edit(start: usize, end: usize, replacement: &str) -> Edit {
        Edit {
            span: Span::new(start, end),
            replacement: replacement.to_owned(),
        }
    }

    #[test]
    fn an_edit_is_made_once_and_beside_others_only_where_none_inserts() {
        let first = edit(4, 8, "x");
        let inserted = edit(12, 12, "i");
        let taken = BTreeMap::from([(key(&first), &first), (key(&inserted), &inserted)]);
        for fitting in [
            edit(4, 8, "x"),
            edit(8, 10, "y"),
            edit(2, 4, "y"),
            edit(12, 12, "i"),
            edit(20, 20, "j"),
        ] {
            assert!(fits(&taken, &fitting), "{fitting:?}");
        }
        for other in [
            edit(4, 8, "y"),
            edit(5, 6, "y"),
            edit(2, 5, "y"),
            edit(7, 9, "y"),
            edit(0, 30, "y"),
            edit(12, 12, "j"),
            edit(12, 14, "y"),
            edit(10, 12, "y"),
            edit(8, 8, "y"),
        ] {
            assert!(!fits(&taken, &other), "{other:?}");
        }
    }
}
