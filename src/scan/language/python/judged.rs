//! Where a value was chosen: what a name stands for was judged where the name was given it, and a
//! parameter's value is its default's choice.

use ruff_python_ast::{Expr, ExprFString, Operator};

use super::place::ANYWHERE;
use super::value::{Constant, computes};
use super::walk::Walker;
use crate::scan::catalogue::{self, DeviceText, Form, Where};

impl<'a> Walker<'a> {
    /// The default of the parameter that a name stands for.
    pub(super) fn default_meant(&self, expr: &Expr) -> Option<&'a Expr> {
        let Some(Expr::Name(name)) = made_of(expr) else {
            return None;
        };
        let bound = self.scopes.bound(&name.id, self.scopes.depth())?;
        match bound.given {
            [given] if bound.is_default => Some(given.expr),
            _ => None,
        }
    }

    /// Whether a name's value was already judged where the name was given it.
    pub(super) fn was_judged(&self, expr: &Expr, value: &Constant) -> bool {
        let made_of = made_of(expr).unwrap_or(expr);
        let (name, is_given) = match made_of {
            Expr::Name(name) => (
                name.id.as_str(),
                self.judged.names.contains(name.id.as_str()),
            ),
            Expr::Attribute(attribute) => (
                attribute.attr.as_str(),
                self.judged.names.contains(attribute.attr.as_str()),
            ),
            Expr::Subscript(subscript) => (key_name(&subscript.slice), false),
            Expr::Call(call) if !computes(call) => {
                (call.arguments.args.first().map_or("", key_name), false)
            }
            _ => return false,
        };
        match value {
            // Only a name's own text was judged as one where it was given.
            Constant::Text(_) if !std::ptr::eq(made_of, expr) => is_given,
            Constant::Text(text) => {
                is_given || matches!(catalogue::card_text(text), DeviceText::Indices(_))
            }
            Constant::Number(_) => {
                is_given
                    || catalogue::keyword(&name.to_ascii_lowercase())
                        .is_some_and(|keyword| keyword.numbers == Where::Everywhere)
            }
            Constant::Prefix(_) | Constant::Unknown => false,
        }
    }

    /// `job + "/GPU:1"` and the like: a device behind an address that is not known.
    pub(super) fn address(&mut self, expr: &'a Expr) {
        let (literal, text) = match expr {
            Expr::BinOp(operation) => {
                let literal = match operation.op {
                    Operator::Add => &operation.right,
                    Operator::Mod => &operation.left,
                    _ => return,
                };
                (&**literal, text_of(literal))
            }
            Expr::Call(call) if computes(call) => match &*call.func {
                Expr::Attribute(method) => (&*method.value, text_of(&method.value)),
                _ => return,
            },
            Expr::FString(f_string) => {
                let last = f_string.value.elements().last();
                let literal = last.and_then(|element| element.as_literal());
                (expr, literal.map(|literal| &*literal.value))
            }
            _ => return,
        };
        if let Some(index) = text.and_then(catalogue::card_at_end) {
            self.select(literal, ANYWHERE.label, index);
        }
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        _ => None,
    }
}

/// The one name or attribute that a text or number is made of: `gpu` in `f"cuda:{gpu}"`,
/// `"cuda:%d" % gpu`, `str(gpu)` and `"cuda:{}".format(gpu)`.
fn made_of(expr: &Expr) -> Option<&Expr> {
    /// Deeper is not looked: nobody writes it.
    const DEEPEST: u8 = 4;
    let mut inner = expr;
    for _ in 0..DEEPEST {
        inner = match inner {
            Expr::Name(_) | Expr::Attribute(_) => return Some(inner),
            Expr::FString(text) => only_interpolation(text)?,
            Expr::BinOp(operation) => {
                let is_text = matches!(operation.op, Operator::Add | Operator::Mod)
                    && operation.left.is_string_literal_expr();
                is_text.then_some(&*operation.right)?
            }
            Expr::Call(call) if computes(call) => match &*call.arguments.args {
                [argument] if call.arguments.keywords.is_empty() => argument,
                _ => return None,
            },
            _ => return None,
        };
    }
    None
}

fn only_interpolation(text: &ExprFString) -> Option<&Expr> {
    let mut holes = text
        .value
        .elements()
        .filter_map(|element| element.as_interpolation());
    let hole = holes.next()?;
    holes.next().is_none().then_some(&*hole.expression)
}

/// Whether it is a name whose value was read in the same form where it was given it.
pub(super) fn is_named(expr: &Expr, form: Form) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    catalogue::keyword(&name.to_ascii_lowercase()).is_some_and(|keyword| keyword.form == form)
}

/// The text of a key, where it is written there.
fn key_name(key: &Expr) -> &str {
    match key {
        Expr::StringLiteral(text) => text.value.to_str(),
        _ => "",
    }
}
