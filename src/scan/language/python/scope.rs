//! What names stand for: imports, names bound once, and qualified paths of what is called.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Arguments, Expr, ExprAttribute, ExprCall, Parameters, Stmt, StmtClassDef};
use ruff_text_size::{Ranged as _, TextSize};

use super::bind::{Binding, Given, Level, Taken};
use super::class::Members;
use super::item::MOST_ITEMS;
use crate::scan::catalogue;

/// The scopes around the place that is being read, outermost first.
#[derive(Default)]
pub(super) struct Scopes<'a> {
    levels: Vec<Level<'a>>,
    /// The attributes of the classes that were asked for, by where the class starts.
    members: RefCell<HashMap<TextSize, Rc<Members<'a>>>>,
    /// How many steps were taken to follow names and values.
    steps: Cell<u64>,
}

/// What a name may stand for.
pub(super) struct Bound<'s, 'a> {
    /// The depth of the scope that binds it, where its values are read.
    pub(super) depth: usize,
    /// What it is given.
    pub(super) given: &'s [Given<'a>],
    /// Whether it may be something else too.
    pub(super) open: bool,
    /// Whether the value is the default of a parameter.
    pub(super) is_default: bool,
}

/// An attribute whose value is written down.
pub(super) struct Attribute<'a> {
    /// The depth of the scope where the value is read.
    pub(super) depth: usize,
    pub(super) value: &'a Expr,
    /// Whether an instance may have another.
    pub(super) open: bool,
}

/// Paths longer than this are of no interest, and deep chains must not cost the square of
/// their length.
const LONGEST_PATH: usize = 12;

/// Names are looked for in this many scopes around, and in the module: deep nesting must not cost
/// the square of its depth.
const MOST_SCOPES: usize = 48;

/// Base classes are followed this far.
const MOST_BASES: u8 = 4;

impl<'a> Scopes<'a> {
    /// Enters a function's body, or the module's.
    pub(super) fn enter(&mut self, parameters: Option<&'a Parameters>, body: &'a [Stmt]) {
        self.levels.push(Level::of(parameters, body));
    }

    /// Enters a class's body.
    pub(super) fn enter_class(&mut self, class: &'a StmtClassDef) {
        let mut level = Level::of(None, &class.body);
        level.class = Some(class);
        self.levels.push(level);
    }

    /// Enters a comprehension, whose targets hide outer names.
    pub(super) fn enter_targets(&mut self, targets: impl Iterator<Item = (&'a Expr, &'a Expr)>) {
        let mut level = Level::default();
        for (target, expr) in targets {
            let taken = Taken::Each;
            level.bind_target(target, Some(Given { expr, taken }));
        }
        self.levels.push(level);
    }

    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether the innermost scope is the body of a class.
    pub(super) fn in_class(&self) -> bool {
        self.levels
            .last()
            .is_some_and(|level| level.class.is_some())
    }

    /// Counts a step.
    pub(super) fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    /// How many steps were taken so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// How many scopes there are.
    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// Says that a function changes the module's name (`global`).
    pub(super) fn rebind_in_module(&mut self, name: &'a str) {
        if let Some(module) = self.levels.first_mut() {
            module.bind(name, None);
        }
    }

    /// Says that a function sets items of what may be the module's name.
    pub(super) fn change_in_module(&mut self, name: &'a str) {
        if let Some(module) = self.levels.first_mut() {
            module.change(name);
        }
    }

    /// The scope (as a depth) and expression of a name that is bound exactly once, to a value.
    pub(super) fn bound_once(&self, name: &str, depth: usize) -> Option<(usize, &'a Expr)> {
        let (depth, binding) = self.lookup(name, depth)?;
        Some((depth, binding.only_value()?))
    }

    /// The same for a list or mapping whose items stay as they are written.
    pub(super) fn bound_to_items(&self, name: &str, depth: usize) -> Option<(usize, &'a Expr)> {
        let (depth, binding) = self.lookup(name, depth)?;
        Some((depth, binding.only_value().filter(|_| !binding.changed)?))
    }

    /// All that a name is given; `None` where that is not known.
    pub(super) fn bound(&self, name: &str, depth: usize) -> Option<Bound<'_, 'a>> {
        let (depth, binding) = self.lookup(name, depth)?;
        let default = binding.default.as_ref().filter(|_| binding.times == 1);
        let given = default.map_or(&binding.given[..], std::slice::from_ref);
        (!given.is_empty()).then_some(Bound {
            depth,
            given,
            open: binding.times as usize != binding.given.len(),
            is_default: default.is_some(),
        })
    }

    /// Whether a name is bound at all.
    pub(super) fn knows(&self, name: &str, depth: usize) -> bool {
        self.lookup(name, depth).is_some()
    }

    /// The attribute `name` of what `of` stands for: a class, an instance of one that is made
    /// nearby, or the instance around (`self`).
    pub(super) fn attribute(&self, of: &Expr, name: &str, depth: usize) -> Option<Attribute<'a>> {
        let depth = depth.min(self.levels.len());
        match of {
            Expr::Name(of) if of.id == "self" || of.id == "cls" => {
                let at = scopes_around(depth).find(|at| self.levels[*at].class.is_some())?;
                let class = self.levels[at].class?;
                // Names of the class are seen in its own body only, where the value may stand.
                self.member(class, name, (at + 1, true), MOST_BASES)
            }
            Expr::Name(of) => {
                let (at, binding) = self.lookup(&of.id, depth)?;
                if let Some(class) = binding.class.filter(|_| binding.times == 1) {
                    return self.member(class, name, (at, false), MOST_BASES);
                }
                match binding.only_value()? {
                    Expr::Call(call) => self.instance(call, name, at),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What methods keep in an attribute of the instance around, beside `None`.
    pub(super) fn kept(&self, attribute: &ExprAttribute) -> Option<&'a Expr> {
        if !matches!(&*attribute.value, Expr::Name(of) if of.id == "self") {
            return None;
        }
        let at = scopes_around(self.levels.len()).find(|at| self.levels[*at].class.is_some())?;
        let class = self.levels[at].class?;
        self.members_of(class).kept(&attribute.attr)
    }

    /// The attribute of `C(…)`: what it is made with, or what its class says.
    fn instance(&self, call: &'a ExprCall, name: &str, depth: usize) -> Option<Attribute<'a>> {
        let Expr::Name(class) = &*call.func else {
            return None;
        };
        if call.arguments.len() > MOST_ITEMS {
            return None;
        }
        let (at, binding) = self.lookup(&class.id, depth)?;
        let given = |arguments: &'a Arguments, position: Option<usize>| {
            let keyword = arguments.find_keyword(name).map(|keyword| &keyword.value);
            let value = keyword.or_else(|| arguments.find_positional(position?))?;
            Some(Attribute {
                depth,
                value,
                open: false,
            })
        };
        if let Some(class) = binding.class.filter(|_| binding.times == 1) {
            let position = self.members_of(class).position(name);
            return given(&call.arguments, position)
                .or_else(|| self.member(class, name, (at, true), MOST_BASES));
        }
        match binding.only_value()? {
            Expr::Call(made) if self.path(&made.func).ends_with("namedtuple") => {
                given(&call.arguments, position_in_tuple(made, name))
            }
            _ => None,
        }
    }

    fn member(
        &self,
        class: &'a StmtClassDef,
        name: &str,
        (depth, of_instance): (usize, bool),
        bases: u8,
    ) -> Option<Attribute<'a>> {
        let members = self.members_of(class);
        if members.has(name) {
            return Some(Attribute {
                depth,
                value: members.value(name, of_instance)?,
                open: of_instance,
            });
        }
        let bases = bases.checked_sub(1)?;
        class.bases().iter().take(2).find_map(|base| {
            let Expr::Name(base) = base else {
                return None;
            };
            let (at, binding) = self.lookup(&base.id, depth)?;
            let class = binding.class.filter(|_| binding.times == 1)?;
            self.member(class, name, (at, of_instance), bases)
        })
    }

    fn members_of(&self, class: &'a StmtClassDef) -> Rc<Members<'a>> {
        let mut all = self.members.borrow_mut();
        Rc::clone(
            all.entry(class.start())
                .or_insert_with(|| Rc::new(Members::of(class))),
        )
    }

    fn lookup(&self, name: &str, depth: usize) -> Option<(usize, &Binding<'a>)> {
        let depth = depth.min(self.levels.len());
        scopes_around(depth).find_map(|at| {
            self.step();
            // Names of a class are not seen in its methods.
            if self.levels[at].class.is_some() && at + 1 != depth {
                return None;
            }
            let binding = self.levels[at].get(name)?;
            (binding.times > 0).then_some((at + 1, binding))
        })
    }

    /// The qualified path of an expression: `torch.cuda.set_device`, `ultralytics.YOLO().train`.
    /// Starts with `?` where its origin is not known.
    pub(super) fn path(&self, expr: &Expr) -> String {
        let mut parts = Vec::new();
        let mut budget = LONGEST_PATH;
        self.path_parts(expr, self.depth(), &mut parts, &mut budget);
        parts.reverse();
        parts.concat()
    }

    fn path_parts(&self, expr: &Expr, depth: usize, parts: &mut Vec<String>, budget: &mut usize) {
        if *budget == 0 {
            parts.push("?".to_owned());
            return;
        }
        *budget -= 1;
        self.step();
        match expr {
            Expr::Attribute(attribute) => {
                parts.push(format!(".{}", attribute.attr));
                self.path_parts(&attribute.value, depth, parts, budget);
            }
            Expr::Call(call) => {
                let (part, of) = match self.looked_up(call, depth) {
                    Some(LookedUp::Module(module)) => return parts.push(module),
                    Some(LookedUp::Attribute(name, of)) => (format!(".{name}"), of),
                    None => ("()".to_owned(), &*call.func),
                };
                parts.push(part);
                self.path_parts(of, depth, parts, budget);
            }
            Expr::Subscript(subscript) => {
                parts.push("[]".to_owned());
                self.path_parts(&subscript.value, depth, parts, budget);
            }
            Expr::Await(inner) => self.path_parts(&inner.value, depth, parts, budget),
            // A module that was handed in, loaded late or passed on is still that module.
            Expr::Name(name) if catalogue::is_module_name(&name.id) => {
                parts.push(name.id.to_string());
            }
            Expr::Name(name) => match self.lookup(&name.id, depth) {
                None => parts.push(name.id.to_string()),
                Some((
                    _,
                    Binding {
                        import: Some(path), ..
                    },
                )) => parts.push(handed_on(path)),
                Some((at, binding)) => match binding.only_value() {
                    Some(value) if is_path(value) => self.path_parts(value, at, parts, budget),
                    _ => parts.push(format!("?{}", name.id)),
                },
            },
            _ => parts.push("?".to_owned()),
        }
    }

    /// `__import__("os")`, `importlib.import_module("os")` and `getattr(os, "environ")`.
    fn looked_up<'e>(&self, call: &'e ExprCall, depth: usize) -> Option<LookedUp<'e>> {
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) if attribute.attr.as_str() == "import_module" => {
                "import_module"
            }
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return None,
        };
        let text = |expr: &Expr| match expr {
            Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
            _ => None,
        };
        match (name, &*call.arguments.args) {
            ("__import__" | "import_module", [module, ..]) => Some(LookedUp::Module(text(module)?)),
            // `LazyLoader("tensorflow", …)`: whatever it is called, it stands for the module.
            (lazy, [module, ..]) if lazy.to_ascii_lowercase().contains("lazy") => {
                let module = text(module)?;
                catalogue::is_gpu_library(&module).then_some(LookedUp::Module(module))
            }
            ("getattr", [of, attribute, ..])
                if call.func.is_name_expr() && !self.knows(name, depth) =>
            {
                Some(LookedUp::Attribute(text(attribute)?, of))
            }
            _ => None,
        }
    }
}

/// The scopes seen from a depth, innermost first.
fn scopes_around(depth: usize) -> impl Iterator<Item = usize> {
    let near = depth.saturating_sub(MOST_SCOPES);
    (near..depth).rev().chain((near > 0).then_some(0))
}

/// What a call stands for instead of its result.
enum LookedUp<'e> {
    /// This module.
    Module(String),
    /// This attribute of that.
    Attribute(String, &'e Expr),
}

/// The place of a field in `namedtuple("Card", "name index")`.
fn position_in_tuple(made: &ExprCall, name: &str) -> Option<usize> {
    match made.arguments.find_argument_value("field_names", 1)? {
        Expr::StringLiteral(text) => text
            .value
            .to_str()
            .split([' ', ','])
            .filter(|field| !field.is_empty())
            .position(|field| field == name),
        Expr::List(list) => list.elts.iter().position(
            |field| matches!(field, Expr::StringLiteral(text) if text.value.to_str() == name),
        ),
        _ => None,
    }
}

/// The path of an import; a module that another hands on (`from .compat import torch`) is still
/// that module.
fn handed_on(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    if catalogue::is_module_name(last) && path.starts_with('.') {
        last.to_owned()
    } else {
        path.to_owned()
    }
}

fn is_path(expr: &Expr) -> bool {
    matches!(expr, Expr::Attribute(_) | Expr::Call(_) | Expr::Name(_))
}
