//! One file from bytes to findings.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::bytes::Regex;

use super::decode::decode;
use super::fact::{Certainty, Detail, FactKind, FileFacts, Value};
use super::finding::{DynamicPlace, FileScan, Finding, Fingerprint, Reading, SkipReason};
use super::language::{LANGUAGES, Language};
use super::remedy::{Fix, Site};
use super::rule::{About, Draft, RULES, Rule, Situation};
use crate::git::RepoPath;
use crate::policy::{Policy, Severity};
use crate::text::{LineIndex, Span};

/// Scans files by one policy. Made once, used from any number of threads.
#[derive(Debug)]
pub struct Scanner {
    policy: Policy,
    exclude: Gitignore,
    /// For each language, what a file must hold to be worth parsing.
    words: Vec<(&'static str, Option<Regex>)>,
    rules: Vec<(&'static Rule, Severity)>,
    detail: Detail,
}

impl Scanner {
    /// Prepares what all files share.
    pub fn new(policy: &Policy) -> Self {
        let mut exclude = GitignoreBuilder::new("");
        for glob in &policy.scan.exclude {
            // The policy's loader has refused globs that do not compile.
            let _ = exclude.add_line(None, glob);
        }
        let words = LANGUAGES.iter().map(|language| {
            let any: Vec<String> = language
                .words
                .iter()
                .map(|word| regex::escape(word))
                .collect();
            (language.name, Regex::new(&any.join("|")).ok())
        });
        let rules = RULES.iter().filter_map(|rule| {
            let severity = policy.severity_of(rule.code).unwrap_or(rule.severity);
            (severity != Severity::Off).then_some((rule, severity))
        });
        Self {
            policy: policy.clone(),
            exclude: exclude.build().unwrap_or_else(|_| Gitignore::empty()),
            words: words.collect(),
            rules: rules.collect(),
            detail: Detail::Known,
        }
    }

    /// Also lists the places that select a card which is not known.
    #[must_use]
    pub fn listing_dynamic(mut self) -> Self {
        self.detail = Detail::Dynamic;
        self
    }

    /// The language a file is read as; `None` for files that are not scanned at all.
    pub fn language(&self, path: &RepoPath, content: &[u8]) -> Option<&'static Language> {
        Language::of(path, content)
    }

    /// Whether the policy excludes a path.
    pub fn excludes(&self, path: &RepoPath) -> bool {
        !self.exclude.is_empty()
            && path.below(std::path::Path::new("")).is_some_and(|path| {
                self.exclude
                    .matched_path_or_any_parents(path, false)
                    .is_ignore()
            })
    }

    /// Whether a file of this size is skipped.
    pub fn too_large(&self, bytes: u64) -> Option<SkipReason> {
        (bytes > self.policy.scan.max_file_bytes).then_some(SkipReason::TooLarge { bytes })
    }

    /// Scans one file as a whole: every finding counts as introduced.
    pub fn scan(&self, path: &RepoPath, content: &[u8]) -> FileScan {
        let skipped = |reason| FileScan::skipped(path.clone(), reason);
        if self.excludes(path) {
            return skipped(SkipReason::Excluded);
        }
        if let Some(reason) = self.too_large(content.len() as u64) {
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
            uses_gpu: false,
            dynamic: Vec::new(),
            lines: Vec::new(),
        };
        let Some(language) = self.language(path, content) else {
            return nothing;
        };
        if !self.worth_reading(language, text.as_bytes()) {
            return nothing;
        }
        let Ok(facts) = language.read(&text, self.detail) else {
            return skipped(SkipReason::Unreadable {
                reason: super::language::ReaderFailed.to_string(),
            });
        };
        self.judge(nothing, language, &text, &facts)
    }

    fn worth_reading(&self, language: &Language, text: &[u8]) -> bool {
        self.words
            .iter()
            .find(|(name, _)| *name == language.name)
            .is_none_or(|(_, words)| words.as_ref().is_none_or(|words| words.is_match(text)))
    }

    fn judge(
        &self,
        mut scan: FileScan,
        language: &Language,
        text: &str,
        facts: &FileFacts,
    ) -> FileScan {
        let lines = LineIndex::new(text);
        if let Some(offset) = facts.first_error {
            let line = lines.position(text, offset).line;
            scan.reading = Reading::WithErrors { line };
        }
        scan.uses_gpu = facts.first_use().is_some();
        if self.detail == Detail::Dynamic {
            scan.dynamic = dynamic_places(text, &lines, facts);
        }
        let situation = Situation::new(&self.policy, facts);
        for (rule, severity) in &self.rules {
            for draft in rule.check(&situation) {
                let place = Place {
                    language,
                    text,
                    facts,
                    lines: &lines,
                };
                scan.findings
                    .push(place.finding(rule.code, *severity, draft));
            }
        }
        scan.findings
            .sort_by(|one, other| (one.span, one.rule).cmp(&(other.span, other.rule)));
        if scan.findings.iter().any(Finding::is_about_file) {
            scan.lines = line_hashes(text);
        }
        scan
    }
}

/// The places whose card is decided at run time.
fn dynamic_places(text: &str, lines: &LineIndex, facts: &FileFacts) -> Vec<DynamicPlace> {
    let is_dynamic = |kind: &FactKind| {
        matches!(
            kind,
            FactKind::SelectIndex {
                index: Value::Dynamic
            }
        )
    };
    let dynamic = facts.facts.iter().filter(|fact| is_dynamic(&fact.kind));
    dynamic
        .map(|fact| DynamicPlace {
            start: lines.position(text, fact.span.start),
            api: fact.api,
        })
        .collect()
}

fn line_hashes(text: &str) -> Vec<u64> {
    let lines = text.split(['\n', '\r']).map(str::trim);
    let mut hashes: Vec<u64> = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    hashes.sort_unstable();
    hashes
}

/// A text with its lines.
struct Place<'t> {
    language: &'t Language,
    text: &'t str,
    facts: &'t FileFacts,
    lines: &'t LineIndex,
}

impl Place<'_> {
    fn finding(&self, rule: &'static str, severity: Severity, draft: Draft) -> Finding {
        let start = self.lines.position(self.text, draft.span.start);
        let end = self.lines.position(self.text, draft.span.end);
        let shown = self.shown(draft.span, (start.line, end.line));
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
        let site = Site {
            span: draft.span,
            value: draft.value,
        };
        let fix = draft.remedy.and_then(|remedy| {
            Some(Fix {
                edits: self
                    .language
                    .edits(self.text, self.facts, site, &remedy.change)?,
                safety: remedy.safety,
            })
        });
        Finding {
            rule,
            severity: match draft.certainty {
                Certainty::Certain => severity,
                Certainty::Fragile => severity.min(Severity::Warning),
            },
            span: draft.span,
            start,
            end,
            source: source.to_owned(),
            source_offset: shown.start,
            message: draft.message,
            label: draft.label,
            help: draft.help,
            api: draft.api,
            introduced: true,
            fix,
            fingerprint,
        }
    }

    /// The lines a span lies on; of very long ones only what is around it, since a file of one
    /// line can have thousands of findings.
    fn shown(&self, span: Span, (first, last): (usize, usize)) -> Span {
        const LONG: usize = 2_000;
        const AROUND: usize = 200;
        let first = self.lines.line_span(self.text, first);
        let last = self.lines.line_span(self.text, last);
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
