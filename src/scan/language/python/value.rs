//! Constants: what an expression is sure to be, or may be where it is one of a few.

use ruff_python_ast::{
    Expr, ExprAttribute, ExprBinOp, ExprCall, ExprFString, ExprList, ExprTuple,
    InterpolatedStringElement, Number, Operator, UnaryOp,
};

use super::scope::Scopes;

/// A value as far as it can be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    /// This text.
    Text(String),
    /// This number.
    Number(i64),
    /// A text of which only the start is known.
    Prefix(String),
    /// Anything.
    Unknown,
}

/// Texts longer than this name no device.
const LONGEST: usize = 512;
/// More values than these at one place are not followed.
const MOST_VALUES: usize = 4;
/// Steps for one expression: names can lead to expressions that double at every step.
const STEPS: u32 = 200;

/// The values an expression may have; never empty.
pub(super) fn constants(expr: &Expr, scopes: &Scopes<'_>) -> Vec<Constant> {
    let mut reader = Reader {
        scopes,
        steps: STEPS,
        widely: false,
    };
    reader.read(expr, scopes.depth())
}

/// The values an environment variable may get: also the fallback of `get(key, "0")` and of
/// `value or "0"`, each value of a name that is bound more than once, joined lists, and bytes.
pub(super) fn possible_values(expr: &Expr, scopes: &Scopes<'_>) -> Vec<Constant> {
    let mut reader = Reader {
        scopes,
        steps: STEPS,
        widely: true,
    };
    reader.read(expr, scopes.depth())
}

struct Reader<'s, 'a> {
    scopes: &'s Scopes<'a>,
    steps: u32,
    /// Whether fallbacks and names bound more than once are followed.
    widely: bool,
}

impl Reader<'_, '_> {
    fn read(&mut self, expr: &Expr, depth: usize) -> Vec<Constant> {
        let Some(steps) = self.steps.checked_sub(1) else {
            return unknown();
        };
        self.steps = steps;
        match expr {
            Expr::StringLiteral(text) => vec![text_of(text.value.to_str())],
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(int) => int
                    .as_i64()
                    .map_or_else(unknown, |n| vec![Constant::Number(n)]),
                _ => unknown(),
            },
            Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => {
                match self.read(&unary.operand, depth).as_slice() {
                    [Constant::Number(number)] => number
                        .checked_neg()
                        .map_or_else(unknown, |n| vec![Constant::Number(n)]),
                    _ => unknown(),
                }
            }
            Expr::FString(text) => self.f_string(text, depth),
            Expr::BinOp(operation) => self.operation(operation, depth),
            Expr::If(choice) => self.either(&choice.body, &choice.orelse, depth),
            Expr::Named(named) => self.read(&named.value, depth),
            Expr::Call(call) => self.call(call, depth),
            Expr::Name(name) => self.name(&name.id, depth),
            Expr::Attribute(attribute) => self.attribute(attribute, depth),
            Expr::BytesLiteral(bytes) if self.widely => {
                let bytes: Vec<u8> = bytes.value.bytes().collect();
                String::from_utf8(bytes).map_or_else(|_| unknown(), |text| vec![text_of(&text)])
            }
            Expr::BoolOp(operation) if self.widely => {
                let mut values = Vec::new();
                for operand in &operation.values {
                    merge(&mut values, self.read(operand, depth));
                }
                values
            }
            _ => unknown(),
        }
    }

    fn either(&mut self, one: &Expr, other: &Expr, depth: usize) -> Vec<Constant> {
        let mut values = self.read(one, depth);
        merge(&mut values, self.read(other, depth));
        values
    }

    fn name(&mut self, name: &str, depth: usize) -> Vec<Constant> {
        let Some(bound) = self.scopes.bound(name, depth) else {
            return unknown();
        };
        let is_certain = !bound.open && bound.values.len() == 1;
        // A parameter is its default, or what it is given.
        if !(self.widely || bound.is_default || is_certain) {
            return unknown();
        }
        let mut values = Vec::new();
        for value in bound.values {
            merge(&mut values, self.read(value, bound.depth));
        }
        if bound.open {
            merge(&mut values, unknown());
        }
        values
    }

    fn attribute(&mut self, attribute: &ExprAttribute, depth: usize) -> Vec<Constant> {
        let Expr::Name(of) = &*attribute.value else {
            return unknown();
        };
        let constant = self.scopes.class_constant(&of.id, &attribute.attr, depth);
        let Some((at, value, open)) = constant else {
            return unknown();
        };
        let mut values = self.read(value, at);
        if open {
            merge(&mut values, unknown());
        }
        values
    }

    /// `mapping.get(key, fallback)` and `",".join(["0", "1"])`; `None` for any other call.
    fn wide_call(&mut self, call: &ExprCall, depth: usize) -> Option<Vec<Constant>> {
        let name = match &*call.func {
            Expr::Attribute(method) => method.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => return None,
        };
        match (name, &*call.arguments.args, &*call.func) {
            ("get" | "getenv" | "pop" | "setdefault", [_, fallback], _) => {
                let mut values = unknown();
                merge(&mut values, self.read(fallback, depth));
                Some(values)
            }
            (
                "join",
                [Expr::List(ExprList { elts, .. }) | Expr::Tuple(ExprTuple { elts, .. })],
                Expr::Attribute(method),
            ) => {
                let separator = self.read(&method.value, depth);
                let mut values = vec![text_of("")];
                for (at, element) in elts.iter().enumerate() {
                    if at > 0 {
                        values = joined(&values, &separator);
                    }
                    let element = self.read(element, depth);
                    values = joined(&values, &element);
                }
                Some(values)
            }
            _ => None,
        }
    }

    fn f_string(&mut self, text: &ExprFString, depth: usize) -> Vec<Constant> {
        let mut values = vec![Constant::Text(String::new())];
        for part in &text.value {
            match part {
                ruff_python_ast::FStringPart::Literal(literal) => {
                    values = joined(&values, &[text_of(literal.as_str())]);
                }
                ruff_python_ast::FStringPart::FString(f_string) => {
                    for element in &f_string.elements {
                        let next = self.element(element, depth);
                        values = joined(&values, &next);
                    }
                }
            }
        }
        values
    }

    fn element(&mut self, element: &InterpolatedStringElement, depth: usize) -> Vec<Constant> {
        match element {
            InterpolatedStringElement::Literal(literal) => vec![text_of(&literal.value)],
            InterpolatedStringElement::Interpolation(inner) => {
                if inner.debug_text.is_some() || inner.format_spec.is_some() {
                    return unknown();
                }
                as_text(self.read(&inner.expression, depth))
            }
        }
    }

    fn operation(&mut self, operation: &ExprBinOp, depth: usize) -> Vec<Constant> {
        let left = self.read(&operation.left, depth);
        match operation.op {
            Operator::Add => {
                let right = self.read(&operation.right, depth);
                match (left.as_slice(), right.as_slice()) {
                    ([Constant::Number(one)], [Constant::Number(other)]) => one
                        .checked_add(*other)
                        .map_or_else(unknown, |sum| vec![Constant::Number(sum)]),
                    _ => joined(&left, &right),
                }
            }
            Operator::Mod => match left.as_slice() {
                [Constant::Text(pattern)] => {
                    let argument = as_text(self.read(&operation.right, depth));
                    filled(pattern, &["%d", "%s", "%i"], &argument)
                }
                _ => unknown(),
            },
            _ => unknown(),
        }
    }

    fn call(&mut self, call: &ExprCall, depth: usize) -> Vec<Constant> {
        if self.widely
            && let Some(values) = self.wide_call(call, depth)
        {
            return values;
        }
        let [argument] = &*call.arguments.args else {
            return unknown();
        };
        if !call.arguments.keywords.is_empty() {
            return unknown();
        }
        match &*call.func {
            Expr::Name(name) if name.id == "str" => as_text(self.read(argument, depth)),
            Expr::Name(name) if name.id == "int" => self
                .read(argument, depth)
                .into_iter()
                .map(|value| match value {
                    Constant::Text(text) => text
                        .trim()
                        .parse()
                        .map_or(Constant::Unknown, Constant::Number),
                    Constant::Number(number) => Constant::Number(number),
                    Constant::Prefix(_) | Constant::Unknown => Constant::Unknown,
                })
                .collect(),
            Expr::Attribute(method) if method.attr.as_str() == "format" => {
                match self.read(&method.value, depth).as_slice() {
                    [Constant::Text(pattern)] => {
                        let argument = as_text(self.read(argument, depth));
                        filled(pattern, &["{}", "{0}"], &argument)
                    }
                    _ => unknown(),
                }
            }
            _ => unknown(),
        }
    }
}

/// Adds values that are not there, up to a few.
fn merge(values: &mut Vec<Constant>, more: Vec<Constant>) {
    for value in more {
        if !values.contains(&value) && values.len() < MOST_VALUES {
            values.push(value);
        }
    }
}

fn unknown() -> Vec<Constant> {
    vec![Constant::Unknown]
}

fn text_of(text: &str) -> Constant {
    if text.len() <= LONGEST {
        return Constant::Text(text.to_owned());
    }
    let end = text.floor_char_boundary(LONGEST);
    Constant::Prefix(text[..end].to_owned())
}

fn as_text(values: Vec<Constant>) -> Vec<Constant> {
    values
        .into_iter()
        .map(|value| match value {
            Constant::Number(number) => Constant::Text(number.to_string()),
            other => other,
        })
        .collect()
}

/// Every left text with every right text behind it.
fn joined(left: &[Constant], right: &[Constant]) -> Vec<Constant> {
    if left.len() * right.len() > MOST_VALUES {
        return unknown();
    }
    let mut all = Vec::with_capacity(left.len() * right.len());
    for one in left {
        for other in right {
            all.push(match (one, other) {
                (Constant::Text(one), Constant::Text(other)) => text_of(&format!("{one}{other}")),
                (Constant::Text(one), Constant::Prefix(other)) => {
                    Constant::Prefix(format!("{one}{other}"))
                }
                (Constant::Text(one) | Constant::Prefix(one), _) => Constant::Prefix(one.clone()),
                (Constant::Number(_) | Constant::Unknown, _) => Constant::Unknown,
            });
        }
    }
    all
}

/// `pattern` with its one placeholder filled.
fn filled(pattern: &str, placeholders: &[&str], arguments: &[Constant]) -> Vec<Constant> {
    let holes: usize = placeholders
        .iter()
        .map(|hole| pattern.matches(hole).count())
        .sum();
    let Some((before, after)) = placeholders
        .iter()
        .find_map(|hole| pattern.split_once(hole))
        .filter(|_| holes == 1)
    else {
        return unknown();
    };
    let start = joined(&[text_of(before)], arguments);
    joined(&start, &[text_of(after)])
}
