//! What a class says about its attributes: constants, fields, members of an enumeration, and what
//! `__init__` gives `self`.

use std::collections::HashMap;

use ruff_python_ast::{
    Expr, ExprCall, InterpolatedStringElement, Stmt, StmtClassDef, StmtFunctionDef,
};

use super::bind::Level;
use super::blocks::for_each_block;
use super::item::MOST_ITEMS;
use super::words::{DECLARATIONS, last_part};

/// The attributes of one class, its own only.
#[derive(Default)]
pub(super) struct Members<'a> {
    /// Annotated fields in order: what a dataclass or a named tuple is made from.
    fields: Vec<&'a str>,
    by_name: HashMap<&'a str, Member<'a>>,
}

#[derive(Default)]
struct Member<'a> {
    times: u32,
    value: Option<&'a Expr>,
    /// What it is given beside `None`, and how often.
    kept: (u32, Option<&'a Expr>),
    /// Whether an instance is given it by a method.
    of_instance: bool,
}

/// How deep an expression is looked into for names of its function.
const DEEPEST: u8 = 6;

impl<'a> Members<'a> {
    pub(super) fn of(class: &'a StmtClassDef) -> Self {
        let mut members = Self::default();
        for statement in &class.body {
            match statement {
                Stmt::Assign(assign) => {
                    if let [Expr::Name(target)] = assign.targets.as_slice() {
                        members.add(target.id.as_str(), Some(&assign.value), false);
                    }
                }
                Stmt::AnnAssign(assign) => {
                    if let Expr::Name(target) = &*assign.target {
                        if members.fields.len() < MOST_ITEMS {
                            members.fields.push(target.id.as_str());
                        }
                        if let Some(value) = &assign.value {
                            members.add(target.id.as_str(), declared(value), false);
                        }
                    }
                }
                Stmt::FunctionDef(function) => members.method(function),
                _ => {}
            }
        }
        members
    }

    /// The one value of an attribute, as the class gives it or, for an instance, a method does.
    pub(super) fn value(&self, name: &str, of_instance: bool) -> Option<&'a Expr> {
        let member = self.by_name.get(name)?;
        (member.times == 1 && (of_instance || !member.of_instance)).then_some(member.value?)
    }

    /// The one value that an attribute is given beside `None`.
    pub(super) fn kept(&self, name: &str) -> Option<&'a Expr> {
        match self.by_name.get(name)?.kept {
            (1, value) => value,
            _ => None,
        }
    }

    /// Whether the class says anything about an attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The place of a field among those that an instance is made from.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| *field == name)
    }

    fn add(&mut self, name: &'a str, value: Option<&'a Expr>, of_instance: bool) {
        let member = self.by_name.entry(name).or_default();
        member.times += 1;
        member.value = value;
        if !value.is_some_and(Expr::is_none_literal_expr) {
            member.kept = (member.kept.0 + 1, value);
        }
        member.of_instance |= of_instance;
    }

    /// What a method gives `self`.
    fn method(&mut self, function: &'a StmtFunctionDef) {
        let Some(first) = function.parameters.iter_non_variadic_params().next() else {
            return;
        };
        let mut method = Method {
            members: self,
            function,
            instance: first.name().as_str(),
            names: None,
        };
        method.block(&function.body);
    }
}

/// A method that is looked through.
struct Method<'m, 'a> {
    members: &'m mut Members<'a>,
    function: &'a StmtFunctionDef,
    instance: &'a str,
    /// Its own names, made when they are needed first.
    names: Option<Level<'a>>,
}

impl<'a> Method<'_, 'a> {
    fn block(&mut self, block: &'a [Stmt]) {
        for statement in block {
            match statement {
                Stmt::Assign(assign) => {
                    for target in &assign.targets {
                        self.assigned(target, Some(&assign.value));
                    }
                }
                Stmt::AnnAssign(assign) => {
                    if let Some(value) = &assign.value {
                        self.assigned(&assign.target, Some(value));
                    }
                }
                Stmt::AugAssign(assign) => self.assigned(&assign.target, None),
                _ => for_each_block(statement, &mut |block| self.block(block)),
            }
        }
    }

    fn assigned(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match target {
            Expr::Attribute(attribute) => {
                if matches!(&*attribute.value, Expr::Name(name) if name.id == self.instance) {
                    // What depends on the method's own names is not known outside of it.
                    let value = value.filter(|value| self.is_free(value, DEEPEST));
                    self.members.add(attribute.attr.as_str(), value, true);
                }
            }
            Expr::Tuple(tuple) => {
                for target in &tuple.elts {
                    self.assigned(target, None);
                }
            }
            _ => {}
        }
    }

    /// Whether an expression is made of constants and names from outside the method.
    fn is_free(&mut self, expr: &'a Expr, deep: u8) -> bool {
        let Some(deep) = deep.checked_sub(1) else {
            return false;
        };
        match expr {
            Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::NoneLiteral(_) => true,
            Expr::Name(name) => {
                let function = self.function;
                self.names
                    .get_or_insert_with(|| Level::of(Some(&function.parameters), &function.body))
                    .get(&name.id)
                    .is_none()
            }
            Expr::FString(text) => text.value.elements().all(|element| match element {
                InterpolatedStringElement::Literal(_) => true,
                InterpolatedStringElement::Interpolation(inner) => {
                    self.is_free(&inner.expression, deep)
                }
            }),
            Expr::Attribute(attribute) => self.is_free(&attribute.value, deep),
            Expr::Subscript(subscript) => {
                self.is_free(&subscript.value, deep) && self.is_free(&subscript.slice, deep)
            }
            Expr::UnaryOp(unary) => self.is_free(&unary.operand, deep),
            Expr::BinOp(operation) => {
                self.is_free(&operation.left, deep) && self.is_free(&operation.right, deep)
            }
            Expr::Call(call) => self.is_free_call(call, deep),
            _ => false,
        }
    }

    fn is_free_call(&mut self, call: &'a ExprCall, deep: u8) -> bool {
        self.is_free(&call.func, deep)
            && call.arguments.len() <= usize::from(DEEPEST)
            && call
                .arguments
                .args
                .iter()
                .all(|argument| self.is_free(argument, deep))
            && call
                .arguments
                .keywords
                .iter()
                .all(|keyword| self.is_free(&keyword.value, deep))
    }
}

/// The default that a field declares: 1 in `field(default=1)`, `Field(1)` or plainly `1`.
fn declared(value: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = value else {
        return Some(value);
    };
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return Some(value),
    };
    if !DECLARATIONS.contains(&last_part(name)) {
        return Some(value);
    }
    call.arguments
        .find_keyword("default")
        .map(|keyword| &keyword.value)
        .or_else(|| call.arguments.args.first())
}
