//! What has to hold for every file, whatever is in it. Each promise that is broken panics, and
//! libFuzzer's panic hook makes a crash of it before anything can catch it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gpuguard::git::RepoPath;
use gpuguard::policy::{Preset, parse};
use gpuguard::scan::embedded::Embedded;
use gpuguard::scan::fact::{Detail, FileFacts};
use gpuguard::scan::language::Language;
use gpuguard::scan::{
    FileScan, Finding, FixResult, Reading, Safety, Scanner, SkipReason, Unfixable, mark_introduced,
};
use gpuguard::sys::clock::Date;
use gpuguard::text::{Position, apply};

/// Checking a place costs the length of its line, and a file of one line can have many.
const MOST_PLACES: usize = 200;

/// Whether the parser panicked on the file in a way that is known.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The scanners, made once.
pub struct Promises {
    path: RepoPath,
    plain: Scanner,
    listing: Scanner,
    shows: bool,
}

/// A file to be scanned.
pub struct File<'f> {
    /// Its bytes.
    pub content: &'f [u8],
    /// What they say, where that is known without asking gpuguard.
    pub text: Option<&'f str>,
    /// Whether the places that only the running program knows are asked for.
    pub listing: bool,
    /// Which fixes are made.
    pub allowed: Safety,
}

/// Files of several names, of which an input's first byte chooses one; the others are the file.
pub struct Family(Vec<Promises>);

impl Family {
    /// Of these files.
    pub fn new(file_names: &[&str]) -> Self {
        Self(file_names.iter().map(|name| Promises::new(name)).collect())
    }

    /// Scans and mends a file, and holds everything against what was promised.
    pub fn hold(&self, data: &[u8]) {
        let Some((first, content)) = data.split_first() else {
            return;
        };
        let (listing, allowed) = choices(content);
        self.0[usize::from(*first) % self.0.len()].hold(&File {
            content,
            text: plain_text(content),
            listing,
            allowed,
        });
    }
}

/// What is asked for by an input: whether its first byte is odd, and its length.
pub fn choices(data: &[u8]) -> (bool, Safety) {
    let listing = data.first().is_some_and(|first| first & 1 == 1);
    let allowed = if data.len().is_multiple_of(2) {
        Safety::Safe
    } else {
        Safety::Unsafe
    };
    (listing, allowed)
}

/// How many templates begin more often than they end: a fix takes all of one, or nothing.
fn open_templates(text: &str) -> (usize, usize) {
    let (begin, end) = (text.matches("{{").count(), text.matches("}}").count());
    (begin.saturating_sub(end), end.saturating_sub(begin))
}

/// The text of bytes in UTF-8; `None` where they may mean something else.
pub fn plain_text(content: &[u8]) -> Option<&str> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = std::str::from_utf8(content).ok()?;
    let declares = text
        .split(['\n', '\r'])
        .take(3)
        .any(|line| line.contains("coding"));
    (!declares && !text.contains('\0')).then_some(text)
}

impl Promises {
    /// By the policy that `gpuguard init --preset rtx3090` writes, for files of this name. With
    /// `SHOW` in the environment, each file is printed: what an input stands for.
    pub fn new(file_name: &str) -> Self {
        let text = Preset::Rtx3090.text();
        let policy =
            parse(Path::new("gpuguard.toml"), text.as_bytes()).expect("the preset is valid");
        let scanner = || Scanner::new(&policy).on(Date::constant(2026, 6, 1));
        Self {
            path: RepoPath::new(file_name),
            plain: scanner(),
            listing: scanner().listing_dynamic(),
            shows: std::env::var_os("SHOW").is_some(),
        }
    }

    /// Takes a panic for none that `is_known` by its message and source file: a fault of a parser,
    /// for which gpuguard gives the file up. Such a file keeps no other promise.
    pub fn tolerate(is_known: fn(&str, &str) -> bool) {
        let aborting = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map_or("", |location| location.file());
            if is_known(panic.payload_as_str().unwrap_or_default(), file) {
                GIVEN_UP.store(true, Ordering::Relaxed);
            } else {
                aborting(panic);
            }
        }));
    }

    /// Scans and mends a file, and holds everything against what was promised.
    pub fn hold(&self, file: &File<'_>) {
        if self.shows {
            eprintln!("{}", shown(file.content));
        }
        let scanner = if file.listing {
            &self.listing
        } else {
            &self.plain
        };
        GIVEN_UP.store(false, Ordering::Relaxed);
        let scan = scanner.scan(&self.path, file.content);
        if GIVEN_UP.load(Ordering::Relaxed) {
            let reading = &scan.reading;
            let told = matches!(reading, Reading::Skipped(SkipReason::Unreadable { .. }));
            assert!(
                told || *reading != Reading::Whole,
                "given up, and not told: {scan:?}"
            );
            return;
        }
        same(
            &scan,
            &scanner.scan(&self.path, file.content),
            "scanned twice",
        );
        if file.listing {
            let mut plain = self.plain.scan(&self.path, file.content);
            plain.dynamic.clone_from(&scan.dynamic);
            same(&scan, &plain, "scanned without what is dynamic");
        }
        readable(&scan);
        let mut again = scan.clone();
        mark_introduced(&mut again, std::slice::from_ref(&scan));
        assert!(
            !again.findings.iter().any(|finding| finding.introduced),
            "a file brings in what it had"
        );
        if let Some(text) = file.text {
            self.places(&scan, text);
        }
        self.mend(scanner, file, &scan);
    }

    fn facts(&self, text: &str) -> Option<FileFacts> {
        let language = Language::of(&self.path, text.as_bytes())?;
        language.read(text, Detail::Known).ok()
    }

    /// Every place lies in the file, and is where it says it is.
    fn places(&self, scan: &FileScan, text: &str) {
        if scan.findings.is_empty() && scan.suppressed.is_empty() && scan.dynamic.is_empty() {
            return;
        }
        let facts = self.facts(text).expect("what has findings can be read");
        let lines = Lines::of(text);
        for finding in scan.with_suppressed().take(MOST_PLACES) {
            place(finding, facts.embedded.as_ref(), &lines);
            if let Some(fix) = &finding.fix {
                assert!(!fix.edits.is_empty(), "a fix of nothing: {finding:?}");
                assert!(
                    apply(text, &fix.edits).is_some(),
                    "an edit beside the file: {finding:?}"
                );
            }
        }
        for dynamic in scan.dynamic.iter().take(MOST_PLACES) {
            lines.assert_holds(dynamic.start);
        }
    }

    fn mend(&self, scanner: &Scanner, file: &File<'_>, before: &FileScan) {
        let allowed = file.allowed;
        let fixed = scanner.fix(&self.path, file.content, allowed);
        let after = match fixed.result {
            FixResult::Nothing => {
                assert_nothing_left(&fixed.scan, allowed);
                return same(before, &fixed.scan, "nothing was mended");
            }
            FixResult::LeftAlone(Unfixable::Encoding { .. }) => {
                assert!(file.text.is_none(), "UTF-8 that cannot be written back");
                return same(before, &fixed.scan, "left alone");
            }
            FixResult::LeftAlone(reason) => {
                let broken = before.reading != Reading::Whole;
                assert!(broken, "{reason} ({allowed:?}):\n{}", shown(file.content));
                return same(before, &fixed.scan, "left alone");
            }
            FixResult::Mended { content, fixes } => {
                let again = scanner.scan(&self.path, &content);
                same(&fixed.scan, &again, "what was mended");
                gone(before, &again, &fixes);
                content
            }
        };
        let told = || {
            format!(
                "{allowed:?}\n{}\n--- after\n{}",
                shown(file.content),
                shown(&after)
            )
        };
        assert!(file.content != after, "mended, and the same: {}", told());
        assert_nothing_left(&fixed.scan, allowed);
        if before.reading == Reading::Whole {
            assert!(
                fixed.scan.reading == Reading::Whole,
                "broken by a fix: {}",
                told()
            );
        }
        let again = scanner.fix(&self.path, &after, allowed);
        assert!(
            matches!(again.result, FixResult::Nothing),
            "mended twice: {}",
            told()
        );
        if let (Some(old), Some(new)) = (file.text, plain_text(&after)) {
            assert!(
                self.errors(new) <= self.errors(old),
                "more errors: {}",
                told()
            );
            assert!(keeps_line_ends(old, new), "other line ends: {}", told());
            assert!(
                open_templates(old) == open_templates(new),
                "a template is cut: {}",
                told()
            );
            let has_signs = self.has_comments_behind_numbers_signs();
            assert!(
                !has_signs || keeps_comments(old, new),
                "a comment is gone: {}",
                told()
            );
        }
        let marked = |content: &[u8]| content.starts_with(b"\xef\xbb\xbf");
        assert!(
            marked(file.content) == marked(&after),
            "another mark: {}",
            told()
        );
        if Language::of(&self.path, b"").is_some_and(|language| language.name == "notebook") {
            assert!(
                same_but_for_sources(file.content, &after),
                "another notebook: {}",
                told()
            );
        }
    }

    fn has_comments_behind_numbers_signs(&self) -> bool {
        const OTHERS: [&str; 6] = ["batch", "c++", "json", "markdown", "rust", "xml"];
        Language::of(&self.path, b"").is_some_and(|language| !OTHERS.contains(&language.name))
    }

    fn errors(&self, text: &str) -> usize {
        self.facts(text).map_or(usize::MAX, |facts| facts.errors)
    }
}

fn shown(content: &[u8]) -> String {
    String::from_utf8_lossy(content).into_owned()
}

#[track_caller]
fn same(one: &FileScan, other: &FileScan, what: &str) {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    assert!(one == other, "{what}:\n{one}\n{other}");
}

/// Only code that nests absurdly deep may be given up.
fn readable(scan: &FileScan) {
    if let Reading::Skipped(SkipReason::Unreadable { reason }) = &scan.reading {
        panic!("cannot be read: {reason}");
    }
}

fn is_wanted(finding: &Finding, allowed: Safety) -> bool {
    let fix = finding.fix.as_ref();
    fix.is_some_and(|fix| allowed == Safety::Unsafe || fix.safety == Safety::Safe)
}

#[track_caller]
fn assert_nothing_left(scan: &FileScan, allowed: Safety) {
    let left = scan
        .findings
        .iter()
        .find(|finding| is_wanted(finding, allowed));
    assert!(left.is_none(), "not mended: {left:?}");
}

/// What is said to be gone is gone.
fn gone(before: &FileScan, after: &FileScan, fixes: &BTreeMap<&'static str, usize>) {
    let count = |scan: &FileScan, rule: &str| {
        scan.findings
            .iter()
            .filter(|finding| finding.rule == rule)
            .count()
    };
    let rules =
        |scan: &FileScan| -> Vec<_> { scan.findings.iter().map(|finding| finding.rule).collect() };
    assert!(
        !fixes.is_empty(),
        "changed, and still {:?}: now {:?}",
        rules(before),
        rules(after)
    );
    for (rule, told) in fixes {
        let (old, new) = (count(before, rule), count(after, rule));
        assert!(
            new + told <= old,
            "{rule}: {told} of {old} mended, {new} left"
        );
    }
}

fn place(finding: &Finding, embedded: Option<&Embedded>, file: &Lines<'_>) {
    let code = embedded.map_or(file.text, |embedded| embedded.code());
    let span = finding.span;
    assert!(
        code.get(span.start..span.end).is_some(),
        "a span beside the code: {finding:?}"
    );
    let source = finding.source_offset..finding.source_offset + finding.source.len();
    assert!(
        source.contains(&span.start) || source.end == span.start,
        "{finding:?}"
    );
    assert!(
        code.get(source) == Some(&finding.source),
        "another source: {finding:?}"
    );
    let in_file = embedded.map_or(span, |embedded| embedded.in_file(span));
    assert!(
        file.text.get(in_file.start..in_file.end).is_some(),
        "beside the file: {finding:?}"
    );
    assert!(
        finding.start == file.position(in_file.start),
        "another start: {finding:?}"
    );
    assert!(
        finding.end == file.position(in_file.end),
        "another end: {finding:?}"
    );
    assert!(finding.cell.is_some() == embedded.is_some());
    if let (Some(at), Some(embedded)) = (finding.cell, embedded) {
        let cell = embedded.cells().iter().find(|cell| cell.number == at.cell);
        let cell = cell.expect("the cell is there").code;
        let lines = Lines::of(&code[cell.start..cell.end]);
        lines.assert_holds(Position {
            line: at.line,
            column: at.column,
        });
    }
}

/// Where the lines of a text start; counted here anew, since gpuguard's own count is judged.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let mut starts = vec![0];
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let pair = c == '\r' && rest.peek().is_some_and(|(_, next)| *next == '\n');
            if (c == '\n' || c == '\r') && !pair {
                starts.push(at + 1);
            }
        }
        Self { text, starts }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let column = self.text[self.starts[line - 1]..offset].chars().count() + 1;
        Position { line, column }
    }

    #[track_caller]
    fn assert_holds(&self, place: Position) {
        let start = self.starts[place.line - 1];
        let end = self
            .starts
            .get(place.line)
            .copied()
            .unwrap_or(self.text.len());
        let most = self.text[start..end].chars().count() + 1;
        assert!(
            (1..=most).contains(&place.column),
            "{place:?} of {most} columns"
        );
    }
}

/// No line end of a kind that the text had not; any where it had none.
fn keeps_line_ends(before: &str, after: &str) -> bool {
    let kinds = |text: &str| {
        let pairs = text.matches("\r\n").count();
        let count = |c: char| text.matches(c).count() - pairs;
        [pairs > 0, count('\n') > 0, count('\r') > 0]
    };
    let (old, new) = (kinds(before), kinds(after));
    old == [false; 3] || old.iter().zip(new).all(|(old, new)| *old || !new)
}

/// All lines that are nothing but a comment are still there.
fn keeps_comments(before: &str, after: &str) -> bool {
    fn comments(text: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for line in text
            .split(['\n', '\r'])
            .map(str::trim)
            .filter(|line| line.starts_with('#'))
        {
            *counts.entry(line).or_default() += 1;
        }
        counts
    }
    let after = comments(after);
    comments(before)
        .iter()
        .all(|(line, count)| after.get(line).is_some_and(|now| now >= count))
}

/// Whether two notebooks differ in the sources of their cells alone. What serde_json makes nothing
/// of beforehand (too deep, half a surrogate pair) is not compared.
fn same_but_for_sources(before: &[u8], after: &[u8]) -> bool {
    fn parsed(content: &[u8]) -> Option<serde_json::Value> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        serde_json::from_slice(content).ok()
    }
    fn without_sources(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(entries) => {
                for (key, value) in entries {
                    if key == "source" || key == "input" {
                        *value = serde_json::Value::Null;
                    }
                    without_sources(value);
                }
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(without_sources),
            _ => {}
        }
    }
    let Some(mut before) = parsed(before) else {
        return true;
    };
    let Some(mut after) = parsed(after) else {
        return false;
    };
    without_sources(&mut before);
    without_sources(&mut after);
    before == after
}
