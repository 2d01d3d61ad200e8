//! Where a line can be put so that it runs before anything in the file can start CUDA: behind
//! what must or may stay first (shebang, encoding, docstring, `__future__`, harmless imports).

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::Parsed;

use super::blocks::for_each_body;
use super::harmless::{is_harmless, is_standard};
use super::lines::{Lines, end_of_line, line_end_at};
use super::span_of;
use crate::scan::fact::{
    EarlyWrite, Fact, FactKind, FileFacts, ImportPlace, Opening, Value, When, Whose,
};
use crate::text::Span;

/// As many texts are looked at to know which quotes a file prefers.
const MOST_TEXTS: usize = 200;

/// The place of a file that has facts; `None` where there is none.
pub(super) fn opening(
    text: &str,
    parsed: &Parsed<ModModule>,
    facts: &FileFacts,
) -> Option<Opening> {
    let body = parsed.suite();
    let lines = Lines {
        text,
        body,
        from: 0,
    };
    let anchor = (0..body.len()).find(|index| !stays_first(&body[*index], *index))?;
    let first = lines.first_on_line(anchor);
    let inline = (first..anchor).any(|index| must_stay_first(&body[index], index));
    let before = if inline { anchor } else { first };
    let at = if inline {
        span_of(&body[anchor]).start
    } else {
        let start = lines.start(first)?;
        // A comment right below an import is about what comes next.
        match first.checked_sub(1).map(|previous| &body[previous]) {
            Some(previous) if is_import(previous) && !must_stay_first(previous, first - 1) => {
                lines.start_with_comments(first, start)
            }
            _ => start,
        }
    };
    let environment = body[..before].iter().rev().find_map(environment_of_import);
    let import = match environment {
        None if !inline => import_place(lines, before),
        _ => None,
    };
    Some(Opening {
        at,
        inline,
        environment,
        import,
        quote: preferred_quote(parsed),
        early: early_writes(lines, anchor, facts),
    })
}

/// Where `import os` goes among the imports before `end`: by its name among those of the standard
/// library, else above the others.
fn import_place(lines: Lines<'_>, end: usize) -> Option<ImportPlace> {
    let imports = (0..end).filter(|index| {
        let statement = &lines.body[*index];
        is_import(statement)
            && !must_stay_first(statement, *index)
            && !lines.joins_previous(*index)
            && !lines.joins_next(*index)
    });
    let mut first_standard = None;
    let mut first = None;
    let mut smaller = None;
    for index in imports {
        first = first.or(Some(index));
        match &lines.body[index] {
            Stmt::Import(import) if import.names.iter().all(|name| is_standard(&name.name)) => {
                first_standard = first_standard.or(Some(index));
                if import.names.iter().all(|name| name.name.as_str() < "os") {
                    smaller = Some(index);
                }
            }
            Stmt::ImportFrom(import) if import.module.as_deref().is_some_and(is_standard) => {
                first_standard = first_standard.or(Some(index));
            }
            _ => {}
        }
    }
    if let Some(index) = smaller {
        let end = end_of_line(lines.text, span_of(&lines.body[index]).end);
        let at = end + line_end_at(lines.text, end)?.len();
        return Some(ImportPlace { at, apart: false });
    }
    Some(ImportPlace {
        at: lines.start(first_standard.or(first)?)?,
        apart: first_standard.is_none(),
    })
}

/// Whether the file needs a statement to come first: a docstring, an import from `__future__`.
fn must_stay_first(statement: &Stmt, index: usize) -> bool {
    match statement {
        Stmt::Expr(expr) => index == 0 && expr.value.is_string_literal_expr(),
        Stmt::ImportFrom(import) => {
            import.level == 0 && import.module.as_deref() == Some("__future__")
        }
        _ => false,
    }
}

fn stays_first(statement: &Stmt, index: usize) -> bool {
    must_stay_first(statement, index) || (is_import(statement) && !imports_unknown(statement))
}

fn is_import(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Import(_) | Stmt::ImportFrom(_))
}

/// Whether a statement itself imports something that may start CUDA.
fn imports_unknown(statement: &Stmt) -> bool {
    match statement {
        Stmt::Import(import) => !import
            .names
            .iter()
            .all(|alias| is_harmless(alias.name.as_str())),
        Stmt::ImportFrom(import) => {
            import.level > 0 || !import.module.as_deref().is_some_and(is_harmless)
        }
        _ => false,
    }
}

/// How the environment is written once a statement has imported it.
fn environment_of_import(statement: &Stmt) -> Option<String> {
    match statement {
        Stmt::Import(import) => import.names.iter().find_map(|alias| {
            let name = alias.name.as_str();
            match &alias.asname {
                Some(other) => (name == "os").then(|| format!("{other}.environ")),
                None => (name == "os" || name.starts_with("os.")).then(|| "os.environ".to_owned()),
            }
        }),
        Stmt::ImportFrom(import) if import.level == 0 && import.module.as_deref() == Some("os") => {
            let environ = import
                .names
                .iter()
                .find(|alias| alias.name.as_str() == "environ");
            environ.map(|alias| alias.asname.as_ref().unwrap_or(&alias.name).to_string())
        }
        _ => None,
    }
}

/// The writes of variables that stand alone on their lines and come before anything loud.
fn early_writes(lines: Lines<'_>, anchor: usize, facts: &FileFacts) -> Vec<EarlyWrite> {
    let mut early = Vec::new();
    for index in anchor..lines.body.len() {
        let statement = &lines.body[index];
        let inside = facts_in(facts, span_of(statement));
        if is_loud(statement, inside) {
            break;
        }
        if inside.is_empty() {
            continue;
        }
        let alone = !lines.joins_previous(index) && !lines.joins_next(index);
        if let (true, Some(start)) = (alone && is_simple(statement), lines.start(index)) {
            let line = Span::new(start, end_of_line(lines.text, span_of(statement).end));
            early.extend(
                inside
                    .iter()
                    .filter_map(|fact| early_write(lines.text, line, fact)),
            );
        }
    }
    early
}

fn early_write(text: &str, line: Span, fact: &Fact) -> Option<EarlyWrite> {
    let FactKind::SetVariable(write) = &fact.kind else {
        return None;
    };
    if write.whose != Whose::Own || write.value == Value::Absent || fact.when != When::Loading {
        return None;
    }
    let code = text.get(fact.span.start..fact.span.end)?;
    let path = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    let path = path.into_iter().next()?;
    let environment = path
        .strip_suffix(".setdefault")
        .or_else(|| code[path.len()..].starts_with('[').then_some(path))?;
    let quote = code.chars().find(|c| matches!(c, '"' | '\''))?;
    Some(EarlyWrite {
        variable: write.name.clone(),
        line,
        environment: environment.to_owned(),
        quote,
    })
}

fn is_simple(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::Expr(_)
    )
}

/// Whether running a statement may start CUDA.
fn is_loud(statement: &Stmt, facts: &[Fact]) -> bool {
    // A function that is only defined does nothing.
    if statement.is_function_def_stmt() {
        return false;
    }
    // What is only listed where it is asked for must not change a fix.
    let is_quiet = |fact: &Fact| {
        matches!(
            fact.kind,
            FactKind::SetVariable(_)
                | FactKind::SelectIndex {
                    index: Value::Dynamic
                }
        )
    };
    if !facts.iter().all(is_quiet) {
        return true;
    }
    let mut open = vec![statement];
    while let Some(statement) = open.pop() {
        if imports_unknown(statement) {
            return true;
        }
        if !statement.is_function_def_stmt() {
            for_each_body(statement, &mut |body| open.extend(body));
        }
    }
    false
}

/// The facts inside a span; facts are sorted by place.
fn facts_in(facts: &FileFacts, span: Span) -> &[Fact] {
    let facts = &facts.facts;
    let start = facts.partition_point(|fact| fact.span.start < span.start);
    let end = facts.partition_point(|fact| fact.span.start < span.end);
    &facts[start..end.max(start)]
}

fn preferred_quote(parsed: &Parsed<ModModule>) -> char {
    let texts = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind() == TokenKind::String && !token.is_triple_quoted_string());
    let (mut single, mut double) = (0_usize, 0_usize);
    for token in texts.take(MOST_TEXTS) {
        if token.string_quote_style().is_single() {
            single += 1;
        } else {
            double += 1;
        }
    }
    if single > double { '\'' } else { '"' }
}
