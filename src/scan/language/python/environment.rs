//! The forms in which Python writes environment variables.

use ruff_python_ast::{Expr, ExprCall, ExprDict, ExprName, Stmt, StmtFor};
use ruff_text_size::Ranged;

use super::place::Place;
use super::saved::Source;
use super::span_of;
use super::value::{Constant, possible_values};
use super::walk::Walker;
use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::text::Span;

/// The label of these facts.
pub(super) const LABEL: &str = "os.environ";
/// How far `{**other}` is followed; a mapping may name itself.
pub(super) const DEEPEST: u8 = 4;
/// Pairs of mappings that names stand for, in all of a file: many uses of a long mapping must not
/// cost the square of a file.
const MOST_PAIRS: usize = 20_000;

/// How a variable is written, whose, and by what.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) how: HowSet,
    pub(super) whose: Whose,
    pub(super) api: &'static str,
    /// When, if not as the code around.
    pub(super) when: Option<When>,
}

/// `os.environ["X"] = value`.
const ASSIGNED: Manner = Manner {
    how: HowSet::Assigned,
    whose: Whose::Own,
    api: LABEL,
    when: None,
};
const DEFAULT: Manner = Manner {
    how: HowSet::Default,
    ..ASSIGNED
};
const REMOVED: Manner = Manner {
    how: HowSet::Removed,
    ..ASSIGNED
};
const PUTENV: Manner = Manner {
    how: HowSet::Putenv,
    api: "os.putenv",
    ..ASSIGNED
};

impl<'a> Walker<'a> {
    /// `os.environ["X"] = value`, and several of them in one assignment.
    pub(super) fn environment_assigned(&mut self, target: &'a Expr, value: &'a Expr) {
        if let (Some(targets), Some(values)) = (elements(target), elements(value)) {
            if targets.len() == values.len() {
                for (target, value) in targets.iter().zip(values) {
                    if let Some(key) = self.environment_key(target) {
                        self.write(span_of(value), (key, value), ASSIGNED);
                    } else {
                        self.environment_assigned(target, value);
                    }
                }
            }
        } else if let Some(key) = self.environment_key(target) {
            self.write(span_of(target).to(span_of(value)), (key, value), ASSIGNED);
        } else if let Some(key) = self.child_key(target) {
            self.child_assigned(target, key, value);
        } else if target.is_attribute_expr() && self.scopes.path(target) == LABEL {
            self.all_put_back(value);
        }
    }

    /// `os.environ |= {"X": value}`.
    pub(super) fn environment_merged(&mut self, target: &'a Expr, value: &'a Expr) {
        if self.scopes.path(target) == LABEL {
            self.write_all(value, DEEPEST, ASSIGNED);
        }
    }

    /// `for key, value in pairs: os.environ[key] = value`.
    pub(super) fn environment_loop(&mut self, statement: &'a StmtFor) {
        let Some([Expr::Name(key), Expr::Name(value)]) = elements(&statement.target) else {
            return;
        };
        let is = |expr: &Expr, name: &ExprName| match expr {
            Expr::Name(found) => found.id == name.id,
            // `str(value)`
            Expr::Call(call) => matches!(&*call.arguments.args,
                [Expr::Name(found)] if found.id == name.id),
            _ => false,
        };
        let writes = statement.body.iter().any(|inner| match inner {
            Stmt::Assign(assign) => {
                let target = assign.targets.first();
                let written = target.and_then(|target| self.environment_key(target));
                written.is_some_and(|written| is(written, key)) && is(&assign.value, value)
            }
            Stmt::Expr(inner) => match &*inner.value {
                Expr::Call(call) => match &*call.arguments.args {
                    [one, other] => {
                        let path = self.scopes.path(&call.func);
                        let known = ["os.environ.setdefault", "os.putenv"];
                        known.contains(&path.as_str()) && is(one, key) && is(other, value)
                    }
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        });
        if writes {
            self.write_all(&statement.iter, DEEPEST, ASSIGNED);
        }
    }

    /// `del os.environ["X"]`.
    pub(super) fn environment_removed(&mut self, target: &'a Expr) {
        if let Some(key) = self.environment_key(target) {
            self.remove(target, key, REMOVED);
        } else if let Some(key) = self.child_key(target) {
            self.child_removed(target, key);
        }
    }

    /// The methods of `os.environ`, and `os.putenv`; false for any other call.
    pub(super) fn environment_call(&mut self, call: &'a ExprCall, path: &str) -> bool {
        let span = Span::new(span_of(&*call.func).start, span_of(&call.arguments).end);
        let arguments = &call.arguments;
        let path = path
            .strip_prefix("os.environb.")
            .map_or_else(|| path.to_owned(), |method| format!("{LABEL}.{method}"));
        match (path.as_str(), &*arguments.args) {
            ("os.environ.setdefault", _) => {
                let key = arguments.find_argument_value("key", 0);
                let value = arguments.find_argument_value("value", 1);
                if let (Some(key), Some(value)) = (key, value) {
                    self.write(span, (key, value), DEFAULT);
                }
            }
            ("os.putenv", [key, value]) => self.write(span, (key, value), PUTENV),
            ("os.environ.__setitem__", [key, value]) => {
                self.write(span, (key, value), ASSIGNED);
            }
            ("os.environ.pop", [key, ..]) | ("os.unsetenv", [key]) => {
                self.remove(&*call.func, key, REMOVED);
            }
            ("os.environ.update", given) => {
                for all in given {
                    self.all_put_back(all);
                    self.write_all(all, DEEPEST, ASSIGNED);
                }
                for keyword in &arguments.keywords {
                    match &keyword.arg {
                        Some(name) => {
                            let span = Span::new(span_of(keyword).start, span_of(keyword).end);
                            self.write_named(span, name.as_str(), &keyword.value, ASSIGNED);
                        }
                        None => self.write_all(&keyword.value, DEEPEST, ASSIGNED),
                    }
                }
            }
            _ => return false,
        }
        for argument in &arguments.args {
            self.expression(argument, Place::Compared);
        }
        true
    }

    /// The key of `os.environ[key]`.
    fn environment_key(&self, target: &'a Expr) -> Option<&'a Expr> {
        match target {
            Expr::Subscript(subscript) => {
                let path = self.scopes.path(&subscript.value);
                (path == LABEL || path == "os.environb").then_some(&*subscript.slice)
            }
            _ => None,
        }
    }

    /// A mapping that a name stands for, as long as not too much is followed in this file.
    pub(super) fn affordable(&mut self, mapping: &'a Expr) -> Option<&'a Expr> {
        let pairs = match mapping {
            Expr::Dict(dict) => dict.items.len(),
            Expr::Call(call) => call.arguments.len(),
            other => elements(other).map_or(0, <[Expr]>::len),
        };
        self.pairs_followed = self.pairs_followed.saturating_add(pairs);
        (self.pairs_followed <= MOST_PAIRS).then_some(mapping)
    }

    /// Each pair of a literal mapping, or of a name bound once to one, or of `dict(X=value)`.
    pub(super) fn write_all(&mut self, given: &'a Expr, deep: u8, manner: Manner) {
        let Some(deep) = deep.checked_sub(1) else {
            return;
        };
        let given = match given {
            Expr::Name(name) => {
                let bound = self.scopes.bound_once(&name.id, self.scopes.depth());
                let Some(value) = bound.and_then(|(_, value)| self.affordable(value)) else {
                    return;
                };
                value
            }
            other => other,
        };
        match given {
            Expr::Dict(dict) => self.write_dict(dict, deep, manner),
            Expr::List(_) | Expr::Tuple(_) => {
                for pair in elements(given).unwrap_or_default() {
                    if let Some([key, value]) = elements(pair) {
                        self.write(span_of(pair), (key, value), manner);
                    }
                }
            }
            Expr::Call(call) if is_items(call) => {
                if let Expr::Attribute(method) = &*call.func {
                    self.write_all(&method.value, deep, manner);
                }
            }
            Expr::Call(call) if self.scopes.path(&call.func) == "dict" => {
                for keyword in &call.arguments.keywords {
                    if let Some(name) = &keyword.arg {
                        let span = span_of(keyword);
                        self.write_named(span, name.as_str(), &keyword.value, manner);
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn write_dict(&mut self, dict: &'a ExprDict, deep: u8, manner: Manner) {
        for item in &dict.items {
            match &item.key {
                Some(key) => {
                    let span = span_of(key).to(span_of(&item.value));
                    self.write(span, (key, &item.value), manner);
                }
                None => self.write_all(&item.value, deep, manner),
            }
        }
    }

    pub(super) fn write(&mut self, span: Span, (key, value): (&'a Expr, &'a Expr), manner: Manner) {
        if let [Constant::Text(name)] = possible_values(key, &self.scopes).as_slice() {
            self.write_named(span, name, value, manner);
        }
    }

    pub(super) fn write_named(&mut self, span: Span, name: &str, value: &'a Expr, manner: Manner) {
        if !catalogue::is_of_interest(name) {
            return;
        }
        let mut manner = manner;
        if manner.whose == Whose::Own {
            match self.source(name, value) {
                Some(Source::OtherVendor) => manner.how = HowSet::TakenOver,
                Some(source) => {
                    self.put_back(Some(name), source);
                    manner.how = HowSet::PutBack;
                }
                None => {}
            }
        }
        let values = possible_values(value, &self.scopes);
        let one_of_several = values.len() > 1;
        if values == [Constant::Unknown] || matches!(values.as_slice(), [Constant::Prefix(_)]) {
            self.counted_by_nvml(value, span, LABEL);
        }
        let literal = value.is_string_literal_expr().then(|| span_of(value));
        for value in values {
            let value = match value {
                Constant::Text(text) => Value::Known(text),
                Constant::Number(_) | Constant::Prefix(_) | Constant::Unknown => Value::Dynamic,
            };
            self.variable(span, literal, (name, value, one_of_several), manner);
        }
    }

    pub(super) fn remove(&mut self, at: &impl Ranged, key: &'a Expr, manner: Manner) {
        let names = possible_values(key, &self.scopes);
        for name in &names {
            if let Constant::Text(name) = name
                && catalogue::is_of_interest(name)
            {
                self.variable(span_of(at), None, (name, Value::Absent, false), manner);
            }
        }
    }

    fn variable(
        &mut self,
        span: Span,
        literal: Option<Span>,
        (name, value, one_of_several): (&str, Value<String>, bool),
        manner: Manner,
    ) {
        let when = manner.when.unwrap_or_else(|| self.when());
        self.fact(Fact {
            span,
            value: literal,
            api: manner.api,
            when,
            kind: FactKind::SetVariable(VariableWrite {
                name: name.to_owned(),
                value,
                how: manner.how,
                whose: manner.whose,
                one_of_several,
            }),
        });
    }
}

/// The elements of a tuple or list.
fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(tuple) => Some(&tuple.elts),
        Expr::List(list) => Some(&list.elts),
        _ => None,
    }
}

/// `mapping.items()`.
fn is_items(call: &ExprCall) -> bool {
    call.arguments.is_empty()
        && matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "items")
}
