//! Environments that are made for another process, and those that a test sets for a while.

use ruff_python_ast::{Expr, ExprCall, ExprDict, Keyword, Operator};

use super::environment::{DEEPEST, LABEL, Manner};
use super::scope::Scopes;
use super::span_of;
use super::walk::Walker;
use crate::scan::fact::{HowSet, When, Whose};

/// How the environment of a child is written.
const CHILD: Manner = Manner {
    how: HowSet::Assigned,
    whose: Whose::Child,
    api: "env=",
    when: None,
};

/// How a test sets the environment for a while.
const TEST: Manner = Manner {
    how: HowSet::ForAWhile,
    whose: Whose::Own,
    api: "monkeypatch.setenv",
    when: Some(When::Called),
};

/// Stands for a mapping among what was seen at a place.
const MAPPING: u32 = u32::MAX - 1;

impl<'a> Walker<'a> {
    /// Calls that say something about another process's environment, or a test's. Their arguments
    /// are still read like any others.
    pub(super) fn environment_of_others(&mut self, call: &'a ExprCall, path: &str) {
        let arguments = &call.arguments;
        let last = path.rsplit('.').next().unwrap_or(path);
        match (last, &*arguments.args) {
            ("setenv", [key, value, ..]) => self.write(span_of(call), (key, value), TEST),
            ("delenv", [key, ..]) => {
                let removed = Manner {
                    how: HowSet::Removed,
                    ..TEST
                };
                self.remove(call, key, removed);
            }
            ("dict", [mapping, rest @ ..]) if path.ends_with("patch.dict") => {
                let named =
                    matches!(mapping, Expr::StringLiteral(text) if text.value.to_str() == LABEL);
                if named || self.scopes.path(mapping) == LABEL {
                    let manner = Manner {
                        api: "mock.patch.dict",
                        ..TEST
                    };
                    for values in rest.iter().take(1) {
                        self.write_all(values, DEEPEST, manner);
                    }
                    self.write_keywords(call, manner);
                }
            }
            ("dict", given) if path == "dict" => {
                let spread = arguments
                    .keywords
                    .iter()
                    .filter(|keyword| keyword.arg.is_none());
                let mut sources = given.iter().chain(spread.map(|keyword| &keyword.value));
                if sources.any(|source| is_environment(&self.scopes, source)) {
                    self.write_keywords(call, CHILD);
                }
            }
            ("execve" | "execvpe" | "posix_spawn" | "posix_spawnp", [_, _, env, ..])
            | ("spawnve" | "spawnvpe", [_, _, _, env, ..])
                if path.starts_with("os.") =>
            {
                self.given_to_child(env);
            }
            ("update" | "setdefault" | "pop", given) => self.changed_for_child(call, last, given),
            _ => {}
        }
    }

    /// `env={…}`, `env_vars={…}`, `runtime_env={"env_vars": {…}}`.
    pub(super) fn environment_keyword(&mut self, name: &str, keyword: &'a Keyword) {
        match name {
            "env" | "env_vars" => self.given_to_child(&keyword.value),
            "runtime_env" => {
                if let Expr::Dict(dict) = self.meant(&keyword.value) {
                    for item in &dict.items {
                        if matches!(&item.key, Some(Expr::StringLiteral(key)) if key.value.to_str() == "env_vars")
                        {
                            self.given_to_child(&item.value);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// `{**os.environ, "X": value}`.
    pub(super) fn environment_dict(&mut self, dict: &'a ExprDict) {
        if extends_environment(&self.scopes, dict) {
            self.write_dict(dict, 1, CHILD);
        }
    }

    /// The key of `env[key]`, where `env` is made for a child.
    pub(super) fn child_key(&self, target: &'a Expr) -> Option<&'a Expr> {
        let Expr::Subscript(subscript) = target else {
            return None;
        };
        self.is_for_child(&subscript.value)
            .then_some(&*subscript.slice)
    }

    pub(super) fn child_assigned(&mut self, target: &'a Expr, key: &'a Expr, value: &'a Expr) {
        self.write(span_of(target).to(span_of(value)), (key, value), CHILD);
    }

    pub(super) fn child_removed(&mut self, target: &'a Expr, key: &'a Expr) {
        let removed = Manner {
            how: HowSet::Removed,
            ..CHILD
        };
        self.remove(target, key, removed);
    }

    fn changed_for_child(&mut self, call: &'a ExprCall, method: &str, given: &'a [Expr]) {
        let Expr::Attribute(of) = &*call.func else {
            return;
        };
        if !self.is_for_child(&of.value) {
            return;
        }
        match (method, given) {
            ("update", given) => {
                for values in given.iter().take(1) {
                    self.write_all(values, DEEPEST, CHILD);
                }
                self.write_keywords(call, CHILD);
            }
            ("setdefault", [key, value]) => {
                let manner = Manner {
                    how: HowSet::Default,
                    ..CHILD
                };
                self.write(span_of(call), (key, value), manner);
            }
            ("pop", [key, ..]) => self.child_removed(&call.func, key),
            _ => {}
        }
    }

    fn given_to_child(&mut self, env: &'a Expr) {
        let meant = self.meant(env);
        // One mapping may be handed to several children.
        if !self.seen.insert((span_of(meant), Some(MAPPING))) {
            return;
        }
        // What extends the own environment is written down where it is made.
        match meant {
            Expr::Dict(dict) if extends_environment(&self.scopes, dict) => {}
            Expr::Dict(dict) => self.write_dict(dict, DEEPEST, CHILD),
            Expr::Call(call) if self.scopes.path(&call.func) == "dict" => {
                let spread = call
                    .arguments
                    .keywords
                    .iter()
                    .any(|keyword| keyword.arg.is_none());
                if call.arguments.args.is_empty() && !spread {
                    self.write_keywords(call, CHILD);
                }
            }
            _ => {}
        }
    }

    fn write_keywords(&mut self, call: &'a ExprCall, manner: Manner) {
        for keyword in &call.arguments.keywords {
            if let Some(name) = &keyword.arg {
                self.write_named(span_of(keyword), name.as_str(), &keyword.value, manner);
            }
        }
    }

    /// What a name that is bound once stands for; other expressions as they are.
    fn meant(&self, expr: &'a Expr) -> &'a Expr {
        match expr {
            Expr::Name(name) => self
                .scopes
                .bound_once(&name.id, self.scopes.depth())
                .map_or(expr, |(_, value)| value),
            _ => expr,
        }
    }

    /// Whether an expression stands for an environment that is made for a child: a copy of the
    /// own one, or something that is called so.
    fn is_for_child(&self, expr: &Expr) -> bool {
        let Expr::Name(name) = expr else {
            return self.scopes.path(expr) == "os.environ.copy()";
        };
        let Some(bound) = self.scopes.bound(&name.id, self.scopes.depth()) else {
            return false;
        };
        let own = |expr: &Expr| self.scopes.path(expr) == LABEL;
        if bound.given.iter().any(|given| own(given.expr)) {
            return false;
        }
        let lower = name.id.to_ascii_lowercase();
        let called_so = lower == "env" || lower.ends_with("_env") || lower.ends_with("environ");
        called_so
            || bound
                .given
                .iter()
                .any(|given| copies_environment(&self.scopes, given.expr))
    }
}

/// `os.environ.copy()`, `dict(os.environ)`, `{**os.environ}`, `os.environ | {…}`.
pub(super) fn copies_environment(scopes: &Scopes<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Dict(dict) => extends_environment(scopes, dict),
        Expr::BinOp(operation) => {
            operation.op == Operator::BitOr && is_environment(scopes, &operation.left)
        }
        Expr::Call(call) => {
            let path = scopes.path(&call.func);
            path == "os.environ.copy"
                || (["dict", "copy.copy", "copy.deepcopy"].contains(&path.as_str())
                    && call
                        .arguments
                        .args
                        .first()
                        .is_some_and(|source| is_environment(scopes, source)))
        }
        _ => false,
    }
}

/// Whether an expression is the environment, or a copy of it.
fn is_environment(scopes: &Scopes<'_>, expr: &Expr) -> bool {
    let path = scopes.path(expr);
    path == LABEL || path == "os.environ.copy()"
}

fn extends_environment(scopes: &Scopes<'_>, dict: &ExprDict) -> bool {
    let mut spread = dict.items.iter().filter(|item| item.key.is_none());
    spread.any(|item| is_environment(scopes, &item.value))
}
