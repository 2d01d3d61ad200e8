//! Takes statements out, and moves writes of variables up.

use std::collections::HashSet;

use ruff_python_ast::Stmt;

use super::blocks::for_each_body;
use super::insertion::{Setting, insert};
use super::lines::{Lines, end_of_line, line_end_at, line_end_before, start_of_line};
use super::span_of;
use crate::scan::fact::{FactKind, FileFacts, HowSet, Value, Whose};
use crate::text::{Edit, Span};

/// A statement in its body.
#[derive(Clone, Copy)]
pub(super) struct Found<'t> {
    lines: Lines<'t>,
    index: usize,
    nested: bool,
}

impl Found<'_> {
    /// Where the statement starts.
    pub(super) fn start(&self) -> usize {
        self.span().start
    }

    fn span(&self) -> Span {
        span_of(&self.lines.body[self.index])
    }

    /// Whether all that would go with the statement is known, and no line of it is a comment.
    /// Nobody knows where it ends once the parser has stumbled: what follows may seem a part of
    /// it.
    fn may_go(&self, facts: &FileFacts) -> bool {
        let span = self.span();
        let code = self.lines.text.get(span.start..span.end);
        let mut lines = code.unwrap_or_default().split(['\n', '\r']);
        facts.first_error.is_none_or(|error| span.end < error)
            && !lines.any(|line| line.trim_start().starts_with('#'))
    }
}

/// The statement that does what a fact says and nothing else, where it can be taken out.
pub(super) fn removable<'t>(
    (text, module): (&'t str, &'t [Stmt]),
    facts: &FileFacts,
    site: Span,
) -> Option<Found<'t>> {
    statement_of(text, module, site).filter(|found| found.may_go(facts))
}

/// The statement that does what a fact says and nothing else.
fn statement_of<'t>(text: &'t str, module: &'t [Stmt], site: Span) -> Option<Found<'t>> {
    let mut body = module;
    let mut nested = false;
    loop {
        let behind = body.partition_point(|statement| span_of(statement).start <= site.start);
        let index = behind.checked_sub(1)?;
        let statement = &body[index];
        let holds = |body: &&[Stmt]| match (body.first(), body.last()) {
            (Some(first), Some(last)) => {
                span_of(first).start <= site.start && site.start < span_of(last).end
            }
            _ => false,
        };
        let mut inner = None;
        for_each_body(statement, &mut |body| {
            if inner.is_none() && holds(&body) {
                inner = Some(body);
            }
        });
        if let Some(inner) = inner {
            body = inner;
            nested = true;
            continue;
        }
        let first = span_of(body.first()?).start;
        let from = if nested {
            start_of_line(text, first)
        } else {
            0
        };
        let lines = Lines { text, body, from };
        return does_only(statement, site).then_some(Found {
            lines,
            index,
            nested,
        });
    }
}

/// Whether a statement is `site` and nothing else.
fn does_only(statement: &Stmt, site: Span) -> bool {
    match statement {
        Stmt::Expr(expr) => {
            let span = span_of(&*expr.value);
            let function = expr.value.as_call_expr().map(|call| span_of(&*call.func));
            span == site || function == Some(site)
        }
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => {
                span_of(target).start == site.start && span_of(&*assign.value).end == site.end
            }
            _ => false,
        },
        Stmt::Delete(delete) => match delete.targets.as_slice() {
            [target] => span_of(target) == site,
            _ => false,
        },
        _ => false,
    }
}

/// Takes a statement out, with its line where it stands alone on it. `going` are the starts of
/// all statements that are taken out: a body must not become empty.
pub(super) fn remove(found: Found<'_>, going: &HashSet<usize>) -> Option<Edit> {
    let Found {
        lines,
        index,
        nested,
    } = found;
    let text = lines.text;
    let span = span_of(&lines.body[index]);
    let edit = |start, end, replacement: &str| {
        Some(Edit {
            span: Span::new(start, end),
            replacement: replacement.to_owned(),
        })
    };
    let leaves_nothing = || {
        let mut body = lines.body.iter();
        body.all(|statement| going.contains(&span_of(statement).start))
    };
    if nested && index == 0 && leaves_nothing() {
        return edit(span.start, span.end, "pass");
    }
    if lines.joins_next(index) {
        return edit(span.start, span_of(&lines.body[index + 1]).start, "");
    }
    if lines.joins_previous(index) {
        return edit(span_of(&lines.body[index - 1]).end, span.end, "");
    }
    let start = lines.start(index)?;
    let end = end_of_line(text, span.end);
    if let Some(line_end) = line_end_at(text, end) {
        return edit(start, end + line_end.len(), "");
    }
    // The last line of a file without a line end.
    let before = line_end_before(text, start).map_or(0, str::len);
    edit(start - before, end, "")
}

/// Sets a variable at the opening, and no longer where it is set now.
pub(super) fn move_first(
    facts: &FileFacts,
    (found, site): (Found<'_>, Span),
    going: &HashSet<usize>,
) -> Option<Vec<Edit>> {
    let [fact] = facts.at(site) else {
        return None;
    };
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    let Value::Known(value) = &write.value else {
        return None;
    };
    if write.whose != Whose::Own || !matches!(write.how, HowSet::Assigned | HowSet::Default) {
        return None;
    }
    let opening = facts.opening.as_ref()?;
    let setting = Setting {
        name: &write.name,
        value,
        default: write.how == HowSet::Default,
    };
    let early = opening.early.iter().map(|early| early.variable.as_str());
    let order: Vec<&str> = early.chain([setting.name]).collect();
    let mut edits = insert(found.lines.text, opening, &[setting], &order)?;
    edits.push(remove(found, going)?);
    Some(edits)
}
