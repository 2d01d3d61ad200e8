//! The forms in which Python writes environment variables.

use ruff_python_ast::{Expr, ExprCall, ExprDict, ExprName, Stmt, StmtFor};

use super::place::Place;
use super::span_of;
use super::value::{Constant, possible_values};
use super::walk::Walker;
use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, Whose};
use crate::text::Span;

/// The label of these facts.
const LABEL: &str = "os.environ";
const PUTENV: &str = "os.putenv";
/// How far `{**other}` is followed; a mapping may name itself.
const DEEPEST: u8 = 4;

impl<'a> Walker<'a> {
    /// `os.environ["X"] = value`, and several of them in one assignment.
    pub(super) fn environment_assigned(&mut self, target: &'a Expr, value: &'a Expr) {
        if let (Some(targets), Some(values)) = (elements(target), elements(value)) {
            if targets.len() == values.len() {
                for (target, value) in targets.iter().zip(values) {
                    if let Some(key) = self.environment_key(target) {
                        self.write(span_of(value), (key, value), HowSet::Assigned);
                    } else {
                        self.environment_assigned(target, value);
                    }
                }
            }
        } else if let Some(key) = self.environment_key(target) {
            self.write(span_of(target).to(value), (key, value), HowSet::Assigned);
        }
    }

    /// `os.environ |= {"X": value}`.
    pub(super) fn environment_merged(&mut self, target: &'a Expr, value: &'a Expr) {
        if self.scopes.path(target) == LABEL {
            self.write_all(value, DEEPEST);
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
            self.write_all(&statement.iter, DEEPEST);
        }
    }

    /// `del os.environ["X"]`.
    pub(super) fn environment_removed(&mut self, target: &'a Expr) {
        if let Some(key) = self.environment_key(target) {
            self.remove(target, key);
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
                    self.write(span, (key, value), HowSet::Default);
                }
            }
            ("os.putenv", [key, value]) => self.write(span, (key, value), HowSet::Putenv),
            ("os.environ.__setitem__", [key, value]) => {
                self.write(span, (key, value), HowSet::Assigned);
            }
            ("os.environ.pop", [key, ..]) | ("os.unsetenv", [key]) => self.remove(&call.func, key),
            ("os.environ.update", given) => {
                for all in given {
                    self.write_all(all, DEEPEST);
                }
                for keyword in &arguments.keywords {
                    match &keyword.arg {
                        Some(name) => {
                            let span = Span::new(span_of(keyword).start, span_of(keyword).end);
                            self.write_named(span, name.as_str(), &keyword.value, HowSet::Assigned);
                        }
                        None => self.write_all(&keyword.value, DEEPEST),
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

    /// Each pair of a literal mapping, or of a name bound once to one, or of `dict(X=value)`.
    fn write_all(&mut self, given: &'a Expr, deep: u8) {
        let Some(deep) = deep.checked_sub(1) else {
            return;
        };
        let given = match given {
            Expr::Name(name) => match self.scopes.bound_once(&name.id, self.scopes.depth()) {
                Some((_, value)) => value,
                None => return,
            },
            other => other,
        };
        match given {
            Expr::Dict(dict) => self.write_dict(dict, deep),
            Expr::List(_) | Expr::Tuple(_) => {
                for pair in elements(given).unwrap_or_default() {
                    if let Some([key, value]) = elements(pair) {
                        self.write(span_of(pair), (key, value), HowSet::Assigned);
                    }
                }
            }
            Expr::Call(call) if is_items(call) => {
                if let Expr::Attribute(method) = &*call.func {
                    self.write_all(&method.value, deep);
                }
            }
            Expr::Call(call) if self.scopes.path(&call.func) == "dict" => {
                for keyword in &call.arguments.keywords {
                    if let Some(name) = &keyword.arg {
                        let span = span_of(keyword);
                        self.write_named(span, name.as_str(), &keyword.value, HowSet::Assigned);
                    }
                }
            }
            _ => {}
        }
    }

    fn write_dict(&mut self, dict: &'a ExprDict, deep: u8) {
        for item in &dict.items {
            match &item.key {
                Some(key) => {
                    let span = span_of(key).to(&item.value);
                    self.write(span, (key, &item.value), HowSet::Assigned);
                }
                None => self.write_all(&item.value, deep),
            }
        }
    }

    fn write(&mut self, span: Span, (key, value): (&'a Expr, &'a Expr), how: HowSet) {
        if let [Constant::Text(name)] = possible_values(key, &self.scopes).as_slice() {
            self.write_named(span, name, value, how);
        }
    }

    fn write_named(&mut self, span: Span, name: &str, value: &'a Expr, how: HowSet) {
        if !catalogue::is_of_interest(name) {
            return;
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
            self.fact(Fact {
                span,
                value: literal,
                api: if how == HowSet::Putenv { PUTENV } else { LABEL },
                when: self.when(),
                kind: FactKind::SetVariable(VariableWrite {
                    name: name.to_owned(),
                    value,
                    how,
                    whose: Whose::Own,
                    one_of_several,
                }),
            });
        }
    }

    fn remove(&mut self, at: &'a Expr, key: &'a Expr) {
        let [Constant::Text(name)] = &*possible_values(key, &self.scopes) else {
            return;
        };
        if catalogue::is_of_interest(name) {
            let write = VariableWrite {
                name: name.clone(),
                value: Value::Absent,
                how: HowSet::Removed,
                whose: Whose::Own,
                one_of_several: false,
            };
            self.fact(Fact {
                span: span_of(at),
                value: None,
                api: LABEL,
                when: self.when(),
                kind: FactKind::SetVariable(write),
            });
        }
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

/// From the start of one node to the end of another.
trait To {
    fn to(self, last: &Expr) -> Span;
}

impl To for Span {
    fn to(self, last: &Expr) -> Span {
        Self::new(self.start, span_of(last).end)
    }
}
