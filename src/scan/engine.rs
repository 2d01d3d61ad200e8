//! One file from bytes to findings.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::changed_lines::changed_lines;
use super::decode::decode;
use super::embedded::CellPosition;
use super::fact::{Certainty, Detail, FileFacts};
use super::finding::{DynamicPlace, FileScan, Finding, Fingerprint, Reading, SkipReason};
use super::language::{Language, ReaderFailed};
use super::remedy::{Fix, Safety, Site, Wish};
use super::rule::{About, Draft, RULES, Situation};
use super::suppress;
use crate::git::RepoPath;
use crate::policy::{self, Policy, Severity};
use crate::sys::clock::Date;
use crate::text::{Edit, LineIndex, Position, Span, apply};

/// Scans files by one policy. Made once, used from any number of threads.
#[derive(Clone, Debug)]
pub struct Scanner {
    pub(super) policy: Policy,
    pub(super) exclude: Gitignore,
    /// The severity of each rule, as the registry has them.
    pub(super) severities: Vec<Severity>,
    /// For some files, the language they are in; `None` for files that are not scanned.
    pub(super) languages: Vec<(Gitignore, Option<&'static Language>)>,
    /// For some files, other severities of some rules.
    pub(super) overrides: Vec<(Gitignore, Vec<(usize, Severity)>)>,
    pub(super) today: Option<Date>,
    pub(super) detail: Detail,
    /// The files that the policies are made of: they name forbidden cards, and select none.
    pub(super) policy_files: HashSet<Vec<u8>>,
    /// By folder, the scanners of other policies.
    pub(super) below: BTreeMap<RepoPath, Self>,
}

impl Scanner {
    /// Prepares what all files share.
    pub fn new(policy: &Policy) -> Self {
        let severities = RULES
            .iter()
            .map(|rule| policy.severity_of(rule.code).unwrap_or(rule.severity));
        let overrides = policy.overrides.iter().map(|overrides| {
            let at = |code: &str| RULES.iter().position(|rule| rule.code == code);
            let severities = overrides
                .severities
                .iter()
                .filter_map(|(code, severity)| Some((at(code)?, *severity)));
            (globs(&overrides.paths), severities.collect())
        });
        let languages = policy.languages.iter().map(|language| {
            let named = Language::called(&language.name);
            (globs(&language.paths), named)
        });
        Self {
            policy: policy.clone(),
            languages: languages.collect(),
            exclude: globs(&policy.scan.exclude),
            severities: severities.collect(),
            overrides: overrides.collect(),
            today: None,
            detail: Detail::Known,
            policy_files: policy
                .sources
                .iter()
                .map(|source| source.path.clone().into_bytes())
                .collect(),
            below: BTreeMap::new(),
        }
    }

    /// The same with a calendar: what comments allow `until=` a day before `today` is found
    /// again.
    #[must_use]
    pub fn on(mut self, today: Date) -> Self {
        self.today = Some(today);
        for scanner in self.below.values_mut() {
            scanner.today = self.today;
        }
        self
    }

    /// Also lists the places that select a card which is not known.
    #[must_use]
    pub fn listing_dynamic(mut self) -> Self {
        self.detail = Detail::Dynamic;
        for scanner in self.below.values_mut() {
            scanner.detail = self.detail;
        }
        self
    }

    /// The language a file is read as: what the policy says, else by its name or first line.
    /// `None` for files that are not scanned at all.
    pub fn language(&self, path: &RepoPath, content: &[u8]) -> Option<&'static Language> {
        let is_policy = path.file_name() == policy::FILE_NAME.as_bytes()
            || self.policy_files.contains(path.as_bytes());
        if is_policy {
            return None;
        }
        let mapped = self.nearest(path).languages.iter().rev();
        let mut mapped = mapped.filter(|(globs, _)| matches(globs, path));
        match mapped.next() {
            Some((_, language)) => *language,
            None => Language::of(path, content),
        }
    }

    /// Whether a file of this name can be in a language that is read; its content may still
    /// tell otherwise.
    pub fn may_be_code(&self, path: &RepoPath) -> bool {
        !self.judges_nothing(path)
            && (path.extension().is_none() || self.language(path, b"").is_some())
    }

    /// Whether there is no policy for a path.
    fn judges_nothing(&self, path: &RepoPath) -> bool {
        self.nearest(path).policy.judges_nothing()
    }

    /// Whether the policy excludes a path.
    pub fn excludes(&self, path: &RepoPath) -> bool {
        matches(&self.nearest(path).exclude, path)
    }

    /// The severity of each rule in a file.
    fn severities(&self, path: &RepoPath) -> Cow<'_, [Severity]> {
        let nearest = self.nearest(path);
        let mut severities = Cow::Borrowed(&nearest.severities[..]);
        for (globs, others) in &nearest.overrides {
            if matches(globs, path) {
                for (at, severity) in others {
                    severities.to_mut()[*at] = *severity;
                }
            }
        }
        severities
    }

    /// The size above which files are skipped.
    pub fn most_bytes(&self) -> u64 {
        self.policy.scan.max_file_bytes
    }

    /// Whether a file of this size is skipped.
    pub fn too_large(&self, bytes: u64) -> Option<SkipReason> {
        (bytes > self.policy.scan.max_file_bytes).then_some(SkipReason::TooLarge { bytes })
    }

    /// Scans one file as a whole: every finding counts as introduced.
    pub fn scan(&self, path: &RepoPath, content: &[u8]) -> FileScan {
        let skipped = |reason| FileScan::skipped(path.clone(), reason);
        if self.judges_nothing(path) {
            return skipped(SkipReason::NoPolicy);
        }
        if self.excludes(path) {
            return skipped(SkipReason::Excluded);
        }
        if is_checkpoint(path) {
            return skipped(SkipReason::Checkpoint);
        }
        let nearest = self.nearest(path);
        if let Some(reason) = nearest.too_large(content.len() as u64) {
            return skipped(reason);
        }
        if content.starts_with(b"version https://git-lfs") {
            return skipped(SkipReason::LfsPointer);
        }
        let text = match decode(content) {
            Ok(text) => text,
            Err(reason) => return skipped(reason),
        };
        let nothing = FileScan {
            path: path.clone(),
            reading: Reading::Whole,
            findings: Vec::new(),
            suppressed: Vec::new(),
            uses_gpu: false,
            dynamic: Vec::new(),
        };
        let Some(language) = self.language(path, content) else {
            return nothing;
        };
        if language.worth_reading(&text) {
            return nearest.read(nothing, language, &text);
        }
        let mut scan = nothing;
        if self.detail == Detail::Dynamic {
            // What is decided at run time need not say a word of GPUs. Whether it is listed
            // decides nothing else.
            scan.dynamic = nearest.read(scan.clone(), language, &text).dynamic;
        }
        scan
    }

    /// Reads the file's text and judges what is in it.
    fn read(&self, scan: FileScan, language: &Language, text: &str) -> FileScan {
        let skipped = |reason| FileScan::skipped(scan.path.clone(), reason);
        match language.read(text, self.detail) {
            Ok(facts) => self.judge(scan, language, text, &facts),
            Err(ReaderFailed::Malformed { format, reason }) => {
                skipped(SkipReason::Malformed { format, reason })
            }
            Err(reason @ (ReaderFailed::GaveUp | ReaderFailed::TooManyValues { .. })) => {
                skipped(SkipReason::Unreadable {
                    reason: reason.to_string(),
                })
            }
        }
    }

    /// Judges `facts`, whose spans are in the `file`'s text, or in the code embedded in it.
    fn judge(
        &self,
        mut scan: FileScan,
        language: &Language,
        file: &str,
        facts: &FileFacts,
    ) -> FileScan {
        let place = Place::new(language, file, facts);
        if let Some(offset) = facts.first_error {
            // What is missing at the end is missing in the last line, not in one that is not there.
            let last = file.trim_end_matches(['\n', '\r']).len();
            let line = place.in_file(Span::new(offset, offset)).0.line;
            let line = line.min(LineIndex::new(file).position(file, last).line);
            scan.reading = Reading::WithErrors { line };
        }
        scan.uses_gpu = facts.first_use().is_some();
        if self.detail == Detail::Dynamic {
            scan.dynamic = place.dynamic();
        }
        let situation = Situation::new(&self.policy, facts).on(self.today);
        let severities = self.severities(&scan.path);
        let mut drafts = Vec::new();
        for (rule, severity) in RULES.iter().zip(severities.iter()) {
            if *severity != Severity::Off {
                let found = rule.check(&situation).into_iter();
                drafts.extend(found.map(|draft| (rule.code, *severity, draft)));
            }
        }
        let mut fixes = fixes(
            language,
            place.file,
            facts,
            drafts.iter().map(|(.., draft)| draft),
        );
        if facts.environment_is_given {
            self.keep_what_mends(language, file, (&drafts, facts.errors), &mut fixes);
        }
        for ((rule, severity, draft), mut fix) in drafts.into_iter().zip(fixes) {
            if let Some(fix) = &mut fix {
                fix.diff = changed_lines(file, place.file_lines(), &fix.edits);
            }
            scan.findings.push(Finding {
                fix,
                ..place.finding(rule, severity, draft)
            });
        }
        scan.findings
            .sort_by(|one, other| (one.span, one.rule).cmp(&(other.span, other.rule)));
        suppress::apply(&mut scan, facts, self.today);
        scan
    }
}

impl Scanner {
    /// Takes back the fixes that would not do away with their finding, or would break the file: the
    /// languages that are edited in place are many, and each has places where nobody looks for a
    /// variable. Of large files only the first ones are tried.
    fn keep_what_mends(
        &self,
        language: &Language,
        text: &str,
        (drafts, errors): (&[(&'static str, Severity, Draft)], usize),
        fixes: &mut [Option<Fix>],
    ) {
        /// So much is read once more for a file, in bytes.
        const MOST: usize = 512 << 10;
        let mut left = MOST;
        for ((code, _, draft), fix) in drafts.iter().zip(fixes) {
            let Some(edits) = fix.as_ref().map(|fix| &fix.edits) else {
                continue;
            };
            let Some(rest) = left.checked_sub(text.len()) else {
                return;
            };
            left = rest;
            let start = draft.span.start;
            let here = drafts
                .iter()
                .filter(|(other, _, draft)| other == code && draft.span.start == start);
            let count = here.count();
            let moved = moved_by(edits, start);
            let mends = apply(text, edits).is_some_and(|text| {
                let facts = language.read(&text, Detail::Known);
                facts.is_ok_and(|facts| {
                    let situation = Situation::new(&self.policy, &facts).on(self.today);
                    let rule = RULES.iter().find(|rule| rule.code == *code);
                    let found = rule.map_or_else(Vec::new, |rule| rule.check(&situation));
                    let left = found.iter().filter(|draft| draft.span.start == moved);
                    facts.errors <= errors && left.count() < count
                })
            });
            if !mends {
                *fix = None;
            }
        }
    }
}

/// Where an offset of a text is once edits are made before it.
fn moved_by(edits: &[Edit], offset: usize) -> usize {
    let before = edits.iter().filter(|edit| edit.span.end <= offset);
    before.fold(offset, |at, edit| {
        (at + edit.replacement.len()).saturating_sub(edit.span.end - edit.span.start)
    })
}

/// Globs as one matcher. The policy's loader has refused those that do not compile.
fn globs(lines: &[String]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for line in lines {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

pub(super) fn matches(globs: &Gitignore, path: &RepoPath) -> bool {
    !globs.is_empty()
        && path
            .below(std::path::Path::new(""))
            .is_some_and(|path| globs.matched_path_or_any_parents(path, false).is_ignore())
}

/// Whether a file is a copy that Jupyter keeps of another: nobody runs or edits it.
fn is_checkpoint(path: &RepoPath) -> bool {
    let mut parts = path.as_bytes().split(|byte| *byte == b'/');
    parts.any(|part| part == b".ipynb_checkpoints")
}

/// The fix of each draft, where it has a remedy and the language can write it.
fn fixes<'d>(
    language: &Language,
    text: &str,
    facts: &FileFacts,
    drafts: impl Iterator<Item = &'d Draft> + Clone,
) -> Vec<Option<Fix>> {
    let wishes: Vec<Wish<'_>> = drafts
        .clone()
        .filter_map(|draft| {
            let site = Site {
                span: draft.span,
                value: draft.value,
                index: draft.index,
            };
            let change = &draft.remedy.as_ref()?.change;
            Some(Wish { site, change })
        })
        .collect();
    let mut written = language.edits(text, facts, &wishes).into_iter();
    let fixes = drafts.map(|draft| {
        let remedy = draft.remedy.as_ref()?;
        let written = written.next()??;
        Some(Fix {
            safety: if written.only_that {
                remedy.safety
            } else {
                Safety::Unsafe
            },
            edits: written.edits,
            diff: Vec::new(),
        })
    });
    fixes.collect()
}

/// Code with its lines, and the file it is in.
pub(super) struct Place<'t> {
    language: &'t Language,
    /// The file's text.
    file: &'t str,
    /// The code: the file's text, or what is embedded in it.
    text: &'t str,
    facts: &'t FileFacts,
    /// The code's lines; counted when needed, since most files have nothing to be said of.
    lines: OnceCell<LineIndex>,
    /// The file's lines where these are not those of the code; counted when needed.
    file_lines: OnceCell<LineIndex>,
}

impl<'t> Place<'t> {
    pub(super) fn new(language: &'t Language, file: &'t str, facts: &'t FileFacts) -> Self {
        let embedded = facts.embedded.as_ref();
        Self {
            language,
            file,
            text: embedded.map_or(file, |embedded| embedded.code()),
            facts,
            lines: OnceCell::new(),
            file_lines: OnceCell::new(),
        }
    }

    fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(self.text))
    }

    fn finding(&self, rule: &'static str, severity: Severity, draft: Draft) -> Finding {
        let start = self.lines().position(self.text, draft.span.start);
        let end = self.lines().position(self.text, draft.span.end);
        let shown = self.shown(draft.span, (start.line, end.line));
        let (start, end) = self.in_file(draft.span);
        let source = self.text.get(shown.start..shown.end).unwrap_or_default();
        let fingerprint = match draft.about {
            About::File => Fingerprint(rule.to_owned()),
            About::Line => {
                // Its own code only: what stands beside it on the line may change.
                let own = Span::new(draft.span.start, draft.span.end.min(shown.end));
                let code = self.text.get(own.start..own.end).unwrap_or_default();
                Fingerprint(format!(
                    "{rule} {} {}",
                    draft.api,
                    self.language.plain(code)
                ))
            }
        };
        Finding {
            rule,
            severity: match draft.certainty {
                Certainty::Certain if !self.facts.for_people => severity,
                Certainty::Certain | Certainty::Fragile => severity.min(Severity::Warning),
            },
            span: draft.span,
            start,
            end,
            cell: self.cell(draft.span.start),
            source: source.to_owned(),
            source_offset: shown.start,
            message: draft.message,
            label: draft.label,
            help: draft.help,
            api: draft.api,
            introduced: true,
            fix: None,
            fingerprint,
        }
    }

    /// The lines of the file, whatever is embedded in it.
    fn file_lines(&self) -> &LineIndex {
        match self.facts.embedded {
            Some(_) => self.file_lines.get_or_init(|| LineIndex::new(self.file)),
            None => self.lines(),
        }
    }

    /// Where a span of the code starts and ends in the file.
    pub(super) fn in_file(&self, span: Span) -> (Position, Position) {
        let Some(embedded) = &self.facts.embedded else {
            let at = |offset| self.lines().position(self.text, offset);
            return (at(span.start), at(span.end));
        };
        let lines = self.file_lines();
        let span = embedded.in_file(span);
        let at = |offset| lines.position(self.file, offset);
        (at(span.start), at(span.end))
    }

    /// The places whose card is decided at run time.
    fn dynamic(&self) -> Vec<DynamicPlace> {
        let facts = self.facts.facts.iter();
        facts
            .filter(|fact| fact.kind.is_dynamic())
            .map(|fact| DynamicPlace {
                start: self.in_file(fact.span).0,
                api: fact.api,
            })
            .collect()
    }

    fn cell(&self, offset: usize) -> Option<CellPosition> {
        let embedded = self.facts.embedded.as_ref()?;
        embedded.position(self.lines(), offset)
    }

    /// The lines a span lies on; of very long ones only what is around it, since a file of one
    /// line can have thousands of findings.
    fn shown(&self, span: Span, (first, last): (usize, usize)) -> Span {
        const LONG: usize = 2_000;
        const AROUND: usize = 200;
        let first = self.lines().line_span(self.text, first);
        let last = self.lines().line_span(self.text, last);
        let lines = match (first, last) {
            (Some(first), Some(last)) => Span::new(first.start, last.end),
            _ => span,
        };
        if lines.end - lines.start <= LONG {
            return lines;
        }
        let start = self
            .text
            .floor_char_boundary(span.start.saturating_sub(AROUND));
        let end = self
            .text
            .ceil_char_boundary(span.end.min(span.start + LONG) + AROUND);
        Span::new(start.max(lines.start), end.min(lines.end))
    }
}
