//! Calls that start programs: the command line in them, as text or as a list of words, with the
//! places it has in the file.

use ruff_python_ast::{
    Expr, ExprCall, ExprFString, ExprStringLiteral, FStringPart, InterpolatedStringElement,
    Operator, StringFlags,
};

use super::span_of;
use super::value::{Constant, constants};
use super::walk::Walker;
use crate::scan::fact::Fact;
use crate::scan::language::command::{HOLE, Word, command_facts, word_facts};
use crate::text::Span;

/// How far names and parts are followed.
const DEEPEST: u8 = 6;
/// More parts than these are no command that a person wrote.
const MOST_PARTS: usize = 256;

/// Functions whose first argument is a text for the shell.
const SHELLS: &[&str] = &[
    "asyncio.create_subprocess_shell",
    "commands.getoutput",
    "os.popen",
    "os.system",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
];

/// Functions whose first argument is a text or a list of words.
const PROGRAMS: &[&str] = &[
    "subprocess.Popen",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.run",
];

/// A command line as a text, with the places of its pieces in the file.
#[derive(Default)]
struct CommandText {
    text: String,
    /// Where a piece starts in the text, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl<'a> Walker<'a> {
    /// The facts of the command that a call starts.
    pub(super) fn command_call(&mut self, call: &'a ExprCall, path: &str) {
        self.container_environment(call, path);
        let facts = if SHELLS.contains(&path) {
            call.arguments
                .find_argument_value("command", 0)
                .or_else(|| call.arguments.find_argument_value("cmd", 0))
                .map(|given| self.text_command(given))
        } else if PROGRAMS.contains(&path) {
            call.arguments
                .find_argument_value("args", 0)
                .map(|given| match given {
                    // With a shell, the first word of a list is the text, the rest its arguments.
                    Expr::List(list) if has_shell(call) && !list.elts.is_empty() => {
                        self.text_command(&list.elts[0])
                    }
                    given => self.command(given, DEEPEST),
                })
        } else if path == "asyncio.create_subprocess_exec" {
            Some(self.word_command(&call.arguments.args))
        } else if path.ends_with("DeviceRequest") && path.starts_with("docker") {
            Some(self.device_request(call))
        } else {
            None
        };
        for fact in facts.into_iter().flatten() {
            // A command in a name is read wherever it is started, and said once.
            if self.commands.insert((fact.span, fact.api)) {
                self.fact(fact);
            }
        }
    }

    /// A text, or a list of words.
    fn command(&self, given: &'a Expr, deep: u8) -> Vec<Fact> {
        let Some(deep) = deep.checked_sub(1) else {
            return Vec::new();
        };
        match given {
            Expr::List(list) => self.word_command(&list.elts),
            Expr::Tuple(tuple) => self.word_command(&tuple.elts),
            Expr::Name(name) => match self.scopes.bound_once(&name.id, self.scopes.depth()) {
                Some((_, value)) => self.command(value, deep),
                None => Vec::new(),
            },
            Expr::BinOp(_) if operands(given).iter().any(|one| one.is_list_expr()) => {
                let mut words = Vec::new();
                for operand in operands(given) {
                    match operand {
                        Expr::List(list) => {
                            let elements = list.elts.iter().take(MOST_PARTS);
                            words.extend(elements.map(|one| self.word(one)));
                        }
                        other => words.push(self.word(other)),
                    }
                }
                word_facts(&words, self.when())
            }
            // `"deepspeed a.py".split()`, `shlex.split("deepspeed a.py")`
            Expr::Call(call) => match (&*call.func, &*call.arguments.args) {
                (Expr::Attribute(method), []) if method.attr.as_str() == "split" => {
                    self.text_command(&method.value)
                }
                (_, [text]) if self.scopes.path(&call.func) == "shlex.split" => {
                    self.text_command(text)
                }
                _ => Vec::new(),
            },
            text => self.text_command(text),
        }
    }

    fn word_command(&self, elements: &'a [Expr]) -> Vec<Fact> {
        let words: Vec<Word> = elements
            .iter()
            .take(MOST_PARTS)
            .map(|element| self.word(element))
            .collect();
        word_facts(&words, self.when())
    }

    pub(super) fn word(&self, element: &'a Expr) -> Word {
        let span = span_of(element);
        match constants(element, &self.scopes).as_slice() {
            [Constant::Text(text)] => Word {
                text: text.clone(),
                span,
                ..Word::default()
            },
            [Constant::Number(number)] => Word {
                text: number.to_string(),
                span,
                ..Word::default()
            },
            _ => {
                // What is known of `f"--gpus={n}"` tells which flag it is.
                let mut text = CommandText::default();
                self.add(element, DEEPEST, &mut text);
                Word {
                    text: text.text,
                    span,
                    dynamic: true,
                    ..Word::default()
                }
            }
        }
    }

    fn text_command(&self, given: &'a Expr) -> Vec<Fact> {
        let mut text = CommandText::default();
        self.add(given, DEEPEST, &mut text);
        let whole = span_of(given);
        let mut facts = command_facts(&text.text, self.when());
        for fact in &mut facts {
            let exact = text.place(fact.span);
            fact.value = fact.value.and_then(|value| text.place(value));
            fact.span = exact.unwrap_or(whole);
        }
        facts
    }

    /// Adds an expression's text; what is not known is a hole.
    fn add(&self, expr: &'a Expr, deep: u8, text: &mut CommandText) {
        let Some(deep) = deep.checked_sub(1) else {
            return text.hole();
        };
        match expr {
            Expr::StringLiteral(literal) => text.literal(literal),
            Expr::FString(literal) => self.add_f_string(literal, deep, text),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                for operand in operands(expr) {
                    self.add(operand, deep, text);
                }
            }
            Expr::BinOp(filled) if filled.op == Operator::Mod => {
                self.add_pattern(expr, &filled.left, deep, text);
            }
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) if method.attr.as_str() == "format" => {
                    self.add_pattern(expr, &method.value, deep, text);
                }
                _ => self.add_constant(expr, text),
            },
            Expr::Name(name) => match self.scopes.bound_once(&name.id, self.scopes.depth()) {
                Some((_, value)) => self.add(value, deep, text),
                None => self.add_constant(expr, text),
            },
            _ => self.add_constant(expr, text),
        }
    }

    fn add_f_string(&self, literal: &'a ExprFString, deep: u8, text: &mut CommandText) {
        for part in &literal.value {
            match part {
                FStringPart::Literal(part) => {
                    text.piece(&part.value, inside_quotes(part, part.flags));
                }
                FStringPart::FString(part) => {
                    for element in part.elements.iter().take(MOST_PARTS) {
                        match element {
                            InterpolatedStringElement::Literal(piece) => {
                                text.piece(&piece.value, span_of(piece));
                            }
                            InterpolatedStringElement::Interpolation(inner) => {
                                self.add_inexact(&inner.expression, deep, text);
                            }
                        }
                    }
                }
            }
        }
    }

    /// `"… %s" % x` and `"… {}".format(x)`: computed, or with a hole for each place.
    fn add_pattern(&self, whole: &'a Expr, pattern: &'a Expr, deep: u8, text: &mut CommandText) {
        if let [Constant::Text(known)] = constants(whole, &self.scopes).as_slice() {
            return text.inexact(known);
        }
        let mut inner = CommandText::default();
        self.add(pattern, deep, &mut inner);
        text.inexact(&with_holes(&inner.text));
    }

    fn add_inexact(&self, expr: &'a Expr, deep: u8, text: &mut CommandText) {
        let mut inner = CommandText::default();
        self.add(expr, deep, &mut inner);
        text.inexact(&inner.text);
    }

    fn add_constant(&self, expr: &'a Expr, text: &mut CommandText) {
        match constants(expr, &self.scopes).as_slice() {
            [Constant::Text(known)] => text.inexact(known),
            [Constant::Number(number)] => text.inexact(&number.to_string()),
            _ => text.hole(),
        }
    }
}

impl CommandText {
    fn literal(&mut self, literal: &ExprStringLiteral) {
        for part in &literal.value {
            self.piece(&part.value, inside_quotes(part, part.flags));
        }
    }

    /// Adds a piece that stands in the file; exactly so, unless there are escapes in it.
    fn piece(&mut self, value: &str, inside: Span) {
        if inside.end.saturating_sub(inside.start) == value.len() {
            self.pieces.push((self.text.len(), inside.start));
        } else {
            self.end_piece();
        }
        self.text.push_str(value);
    }

    fn inexact(&mut self, value: &str) {
        self.end_piece();
        self.text.push_str(value);
    }

    fn hole(&mut self) {
        self.end_piece();
        self.text.push(HOLE);
    }

    /// Says that what follows does not stand in the file as it is.
    fn end_piece(&mut self) {
        self.pieces.push((self.text.len(), usize::MAX));
    }

    /// Where a part of the text stands in the file, where that is one place.
    fn place(&self, span: Span) -> Option<Span> {
        let piece = |at: usize| self.pieces.partition_point(|(start, _)| *start <= at);
        let first = piece(span.start);
        if span.start >= span.end || first != piece(span.end - 1) {
            return None;
        }
        let (start, place) = *self.pieces.get(first.checked_sub(1)?)?;
        let moved = |at: usize| place.checked_add(at - start);
        Some(Span::new(moved(span.start)?, moved(span.end)?)).filter(|_| place != usize::MAX)
    }
}

/// A literal without its prefix and quotes.
fn inside_quotes(literal: &impl ruff_text_size::Ranged, flags: impl StringFlags) -> Span {
    let span = span_of(literal);
    Span::new(
        span.start + flags.opener_len().to_usize(),
        span.end.saturating_sub(flags.closer_len().to_usize()),
    )
}

/// `%s`, `%(name)s` and `{name}` as holes.
fn with_holes(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find(['%', '{']) {
        text.push_str(&rest[..at]);
        let hole = &rest[at..];
        let end = if hole.starts_with('{') {
            hole.find('}').map(|end| end + 1)
        } else {
            hole.find(|c: char| c.is_ascii_alphabetic() && c != '(')
                .map(|end| end + 1)
        };
        text.push(HOLE);
        rest = end.map_or("", |end| &hole[end..]);
    }
    text.push_str(rest);
    text
}

/// Whether a call says `shell=True`.
fn has_shell(call: &ExprCall) -> bool {
    call.arguments.find_keyword("shell").is_some_and(
        |keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if literal.value),
    )
}

/// What is added up, from left to right; of very many only the first and last.
fn operands(sum: &Expr) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut rest = sum;
    while let Expr::BinOp(sum) = rest
        && sum.op == Operator::Add
    {
        if found.len() < MOST_PARTS {
            found.push(&*sum.right);
        }
        rest = &sum.left;
    }
    found.push(rest);
    found.reverse();
    found
}
