//! Comments that allow a finding where it stands: `gpuguard: allow[GG007] why, until=2027-01-31`.
//!
//! Language-free: which code a comment speaks of, its language has said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::fact::{COMMENT_PREFIX, Comment, FileFacts};
use super::finding::{FileScan, Suppressed};
use super::rule::Rule;
use crate::sys::clock::Date;
use crate::text::Span;

/// What a comment allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suppression<'f> {
    /// The rules it names, and where.
    pub(super) codes: Vec<(&'static str, Span)>,
    /// Why; empty where it does not say.
    pub(super) reason: &'f str,
    /// The last day on which it holds.
    pub(super) until: Option<Date>,
    /// Where a finding has to begin.
    pub(super) covers: Span,
}

/// Why a comment allows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// It is something else than `allow[…]`.
    #[error("this comment to gpuguard says nothing that it understands")]
    NotUnderstood,
    /// The codes are not in brackets, or there are none.
    #[error(
        "this comment does not name what it allows: codes stand in brackets, right behind `allow`"
    )]
    NoCodes,
    /// There is no such rule.
    #[error("`{0}` is not the code of a rule: nothing is allowed by this comment")]
    UnknownCode(String),
    /// The rule is about such comments.
    #[error("{0} cannot be allowed by a comment: it is about such comments")]
    AboutComments(&'static str),
    /// The date is none.
    #[error("`{0}` is not a date: nothing is allowed by this comment")]
    BadDate(String),
    /// It is for the whole file, and stands below code.
    #[error("`allow-file` stands below code: nothing is allowed by this comment")]
    NotAtHead,
}

impl Suppression<'_> {
    /// Whether its last day is over; without a calendar it is not.
    pub(super) fn is_expired(&self, today: Option<Date>) -> bool {
        matches!((self.until, today), (Some(until), Some(today)) if until < today)
    }
}

/// Reads a comment that begins with [`COMMENT_PREFIX`].
pub(super) fn parse(comment: &Comment) -> Result<Suppression<'_>, Malformed> {
    let text = comment.text.as_str();
    let rest = text
        .strip_prefix(COMMENT_PREFIX)
        .ok_or(Malformed::NotUnderstood)?;
    let words = rest.trim_start();
    // `gpuguard:allow` is another word: with one spelling, one search finds them all.
    let spaced = words.len() < rest.len();
    let (whole_file, rest) = if let Some(rest) = words.strip_prefix("allow-file") {
        (true, rest)
    } else {
        (false, words.strip_prefix("allow").unwrap_or(words))
    };
    if !spaced || !words.starts_with("allow") || rest.starts_with(char::is_alphanumeric) {
        return Err(Malformed::NotUnderstood);
    }
    let (list, rest) = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .ok_or(Malformed::NoCodes)?;
    let codes = codes(list, comment.span.start + offset_in(text, list))?;
    let (reason, until) = reason_and_date(rest)?;
    if whole_file && !comment.heads_file {
        return Err(Malformed::NotAtHead);
    }
    Ok(Suppression {
        codes,
        reason,
        until,
        covers: if whole_file {
            Span::new(0, usize::MAX)
        } else {
            comment.covers
        },
    })
}

/// The codes in a list that stands at `start`.
fn codes(list: &str, start: usize) -> Result<Vec<(&'static str, Span)>, Malformed> {
    let mut codes = Vec::new();
    for written in list.split(',') {
        let code = written.trim();
        if code.is_empty() {
            return Err(Malformed::NoCodes);
        }
        let rule = Rule::of(code)
            .filter(|rule| rule.code == code)
            .ok_or_else(|| Malformed::UnknownCode(crate::text::printable(code.as_bytes())))?;
        if rule.is_about_comments() {
            return Err(Malformed::AboutComments(rule.code));
        }
        let start = start + offset_in(list, code);
        codes.push((rule.code, Span::new(start, start + code.len())));
    }
    Ok(codes)
}

/// What follows the codes: `until=` as its first or its last word, the rest is the reason.
fn reason_and_date(text: &str) -> Result<(&str, Option<Date>), Malformed> {
    const UNTIL: &str = "until=";
    let mut reason = text.trim();
    let mut until = None;
    let first = reason.split_whitespace().next().unwrap_or_default();
    let last = reason.split_whitespace().next_back().unwrap_or_default();
    if let Some(date) = first.strip_prefix(UNTIL) {
        until = Some(date);
        reason = reason[first.len()..].trim();
    } else if let Some(date) = last.strip_prefix(UNTIL) {
        until = Some(date);
        reason = reason[..reason.len() - last.len()].trim();
    }
    // A date that is not read would never be over.
    let another = reason
        .split_whitespace()
        .find(|word| word.starts_with(UNTIL));
    if let Some(word) = another {
        return Err(Malformed::BadDate(crate::text::printable(word.as_bytes())));
    }
    let until = until.map(date).transpose()?;
    if !reason.contains(char::is_alphanumeric) {
        reason = "";
    }
    Ok((reason, until))
}

fn date(text: &str) -> Result<Date, Malformed> {
    let text = text.trim_end_matches([',', ':', ';']);
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    text.parse()
        .ok()
        .filter(|_| form)
        .ok_or_else(|| Malformed::BadDate(crate::text::printable(text.as_bytes())))
}

/// Where `part`, which is a part of `whole`, begins in it.
fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// Moves the findings that comments allow out of `scan.findings`, which are sorted.
pub(super) fn apply(scan: &mut FileScan, facts: &FileFacts, today: Option<Date>) {
    if facts.comments.is_empty() {
        return;
    }
    // By rule, the place and number of each finding that is not allowed yet.
    let mut open: HashMap<&str, BTreeSet<(usize, usize)>> = HashMap::new();
    for (at, finding) in scan.findings.iter().enumerate() {
        let places = open.entry(finding.rule).or_default();
        places.insert((finding.span.start, at));
    }
    let mut allowed: BTreeMap<usize, (String, Option<Date>)> = BTreeMap::new();
    for comment in &facts.comments {
        let Ok(suppression) = parse(comment) else {
            continue;
        };
        if suppression.is_expired(today) {
            continue;
        }
        for (code, _) in &suppression.codes {
            let Some(places) = open.get_mut(code) else {
                continue;
            };
            let covered: Vec<(usize, usize)> =
                places.range(keys(suppression.covers)).copied().collect();
            for key in covered {
                places.remove(&key);
                let why = (suppression.reason.to_owned(), suppression.until);
                allowed.insert(key.1, why);
            }
        }
    }
    let findings = std::mem::take(&mut scan.findings);
    for (at, finding) in findings.into_iter().enumerate() {
        match allowed.remove(&at) {
            Some((reason, until)) => scan.suppressed.push(Suppressed {
                finding,
                reason,
                until,
            }),
            None => scan.findings.push(finding),
        }
    }
}

fn keys(span: Span) -> Range<(usize, usize)> {
    (span.start, 0)..(span.end.max(span.start), 0)
}

/// Where rules are broken, to be asked for what comments allow.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<&'static str, Vec<usize>>);

impl Places {
    /// Takes places with the codes of their rules.
    pub(super) fn of(places: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        let mut by_code: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (code, start) in places {
            by_code.entry(code).or_default().push(start);
        }
        for starts in by_code.values_mut() {
            starts.sort_unstable();
        }
        Self(by_code)
    }

    /// Whether the rule is broken inside the span.
    pub(super) fn has(&self, code: &str, span: Span) -> bool {
        self.0.get(code).is_some_and(|starts| {
            let at = starts.partition_point(|start| *start < span.start);
            starts.get(at).is_some_and(|start| *start < span.end)
        })
    }
}

#[cfg(test)]
mod tests;
