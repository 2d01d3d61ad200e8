//! Variables that get back what they were, or what another vendor's variable says: neither
//! chooses a card. What was set between saving a variable and putting it back was so for a while.

use ruff_python_ast::{BoolOp, Expr, ExprCall};

use super::child::copies_environment;
use super::environment::LABEL;
use super::scope::Scopes;
use super::value::{Constant, constants};
use super::walk::Walker;
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::{FactKind, HowSet, Whose};

/// How far names and alternatives are followed.
const DEEPEST: u8 = 4;

/// Where the code begins that a variable may be saved in, as numbers of facts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Region {
    /// The function that is being read, or the file.
    function: usize,
    /// The class around it, or the function.
    class: usize,
    /// What stands before these was looked at already, for each kind of variable: each fact is
    /// looked at once, however often something is put back.
    marked: [usize; 3],
}

/// What the value of a variable is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The same variable, read in this function before.
    Itself,
    /// The same variable, kept by the object whose method this is.
    Kept,
    /// What another vendor's runtime reads.
    OtherVendor,
}

impl Walker<'_> {
    /// Reads a function's or a class's body as a region of its own.
    pub(super) fn in_region(&mut self, of_class: bool, read: impl FnOnce(&mut Self)) {
        let around = self.region;
        self.region.function = self.facts.len();
        if of_class {
            self.region.class = self.facts.len();
        }
        read(self);
        self.region.function = around.function;
        self.region.class = around.class;
    }

    /// What a variable of this name is set to, where that is only read from variables.
    pub(super) fn source(&self, name: &str, value: &Expr) -> Option<Source> {
        if value.is_literal_expr() {
            return None;
        }
        let mut reader = Reader {
            scopes: &self.scopes,
            name,
            found: None,
        };
        reader.read(value, self.scopes.depth(), DEEPEST)?;
        reader.found
    }

    /// Says of what was set before, in this function or class, that it was so for a while.
    pub(super) fn put_back(&mut self, name: Option<&str>, source: Source) {
        let from = match source {
            Source::Kept => self.region.class,
            _ => self.region.function,
        };
        let kinds = match name.map(catalogue::variable) {
            None => 0..3,
            Some(Some(Variable::Visible)) => 0..1,
            Some(Some(Variable::Order)) => 1..2,
            Some(_) => 2..3,
        };
        let marked = &mut self.region.marked[kinds];
        let first = marked.iter().copied().min().unwrap_or_default();
        marked.fill(self.facts.len());
        let from = from.max(first).min(self.facts.len());
        for fact in &mut self.facts[from..] {
            if let FactKind::SetVariable(write) = &mut fact.kind
                && write.whose == Whose::Own
                && write.how == HowSet::Assigned
                && name.is_none_or(|name| write.name == name)
            {
                write.how = HowSet::ForAWhile;
            }
        }
    }

    /// `os.environ.update(saved)` and `os.environ = saved`, where `saved` is a copy of it.
    pub(super) fn all_put_back(&mut self, saved: &Expr) {
        let (made, source) = match saved {
            Expr::Name(name) => match self.scopes.bound_once(&name.id, self.scopes.depth()) {
                Some((_, value)) => (value, Source::Itself),
                None => return,
            },
            Expr::Attribute(attribute) => match self.scopes.kept(attribute) {
                Some(value) => (value, Source::Kept),
                None => return,
            },
            _ => return,
        };
        if copies_environment(&self.scopes, made) {
            self.put_back(None, source);
        }
    }
}

struct Reader<'s, 'a> {
    scopes: &'s Scopes<'a>,
    /// The variable that is written.
    name: &'s str,
    found: Option<Source>,
}

impl Reader<'_, '_> {
    /// `None` where a value is taken from anything else.
    fn read(&mut self, value: &Expr, depth: usize, deep: u8) -> Option<()> {
        let deep = deep.checked_sub(1)?;
        match value {
            Expr::NoneLiteral(_) => Some(()),
            // Stands for a variable that is not set.
            Expr::StringLiteral(text) if text.value.is_empty() => Some(()),
            Expr::Name(name) => {
                let bound = self.scopes.bound(&name.id, depth)?;
                if bound.open || bound.is_default {
                    return None;
                }
                for given in bound.given {
                    self.read(given.whole_value()?, bound.depth, deep)?;
                }
                Some(())
            }
            Expr::Attribute(attribute) => {
                self.read(self.scopes.kept(attribute)?, depth, deep)?;
                if self.found == Some(Source::Itself) {
                    self.found = Some(Source::Kept);
                }
                Some(())
            }
            Expr::BoolOp(operation) if operation.op == BoolOp::Or => {
                for operand in &operation.values {
                    self.read(operand, depth, deep)?;
                }
                Some(())
            }
            Expr::If(choice) => {
                self.read(&choice.body, depth, deep)?;
                self.read(&choice.orelse, depth, deep)
            }
            Expr::Subscript(subscript) => self.variable(&subscript.value, &subscript.slice),
            Expr::Call(call) => self.called(call, depth, deep),
            _ => None,
        }
    }

    fn called(&mut self, call: &ExprCall, depth: usize, deep: u8) -> Option<()> {
        let arguments = &*call.arguments.args;
        match &*call.func {
            Expr::Name(name) if name.id == "str" => self.read(arguments.first()?, depth, deep),
            Expr::Attribute(method) if ["get", "pop"].contains(&method.attr.as_str()) => {
                self.variable(&method.value, arguments.first()?)?;
                self.fallback(call, depth, deep)
            }
            function if self.scopes.path(function) == "os.getenv" => {
                self.key(arguments.first()?)?;
                self.fallback(call, depth, deep)
            }
            _ => None,
        }
    }

    fn fallback(&mut self, call: &ExprCall, depth: usize, deep: u8) -> Option<()> {
        match call.arguments.find_argument_value("default", 1) {
            Some(fallback) => self.read(fallback, depth, deep),
            None => Some(()),
        }
    }

    /// A variable of the environment, or of a copy of it.
    fn variable(&mut self, of: &Expr, key: &Expr) -> Option<()> {
        let is_environment = self.scopes.path(of) == LABEL
            || matches!(of, Expr::Name(name) if {
                let bound = self.scopes.bound_once(&name.id, self.scopes.depth());
                bound.is_some_and(|(_, value)| copies_environment(self.scopes, value))
            });
        if is_environment { self.key(key) } else { None }
    }

    fn key(&mut self, key: &Expr) -> Option<()> {
        let values = constants(key, self.scopes);
        let [Constant::Text(key)] = values.as_slice() else {
            return None;
        };
        let source = if key == self.name {
            Source::Itself
        } else if matches!(catalogue::variable(key), Some(Variable::Elsewhere(_))) {
            Source::OtherVendor
        } else {
            return None;
        };
        if self.found != Some(Source::OtherVendor) {
            self.found = Some(source);
        }
        Some(())
    }
}
