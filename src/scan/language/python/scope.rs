//! What names stand for: imports, names bound once, and qualified paths of what is called.

use std::collections::HashMap;

use ruff_python_ast::{
    ExceptHandler, Expr, Parameters, Stmt, StmtClassDef, StmtImport, StmtImportFrom, StmtTry,
};

use crate::scan::catalogue;

/// The scopes around the place that is being read, outermost first.
#[derive(Default)]
pub(super) struct Scopes<'a> {
    levels: Vec<Level<'a>>,
}

#[derive(Default)]
struct Level<'a> {
    class: bool,
    names: HashMap<&'a str, Binding<'a>>,
}

/// All that binds one name in one scope.
#[derive(Default)]
struct Binding<'a> {
    times: u32,
    /// The values it is given, the first few.
    values: Vec<&'a Expr>,
    /// The default of a parameter.
    default: Option<&'a Expr>,
    class: Option<&'a StmtClassDef>,
    import: Option<String>,
}

/// What a name may stand for.
pub(super) struct Bound<'s, 'a> {
    /// The depth of the scope that binds it, where its values are read.
    pub(super) depth: usize,
    /// Values that it is given.
    pub(super) values: &'s [&'a Expr],
    /// Whether it may be something else too.
    pub(super) open: bool,
    /// Whether the value is the default of a parameter.
    pub(super) is_default: bool,
}

/// More values than these of one name are not kept.
const MOST_VALUES: usize = 4;

/// Paths longer than this are of no interest, and deep chains must not cost the square of
/// their length.
const LONGEST_PATH: usize = 12;

impl<'a> Scopes<'a> {
    /// Enters a body with its parameters.
    pub(super) fn enter(
        &mut self,
        class: bool,
        parameters: Option<&'a Parameters>,
        body: &'a [Stmt],
    ) {
        let mut level = Level {
            class,
            ..Level::default()
        };
        for parameter in parameters.into_iter().flat_map(Parameters::iter) {
            level.bind(parameter.name().as_str(), None);
        }
        for parameter in parameters
            .into_iter()
            .flat_map(Parameters::iter_non_variadic_params)
        {
            let binding = level.names.entry(parameter.name().as_str()).or_default();
            binding.default = parameter.default();
        }
        level.collect(body);
        self.levels.push(level);
    }

    /// Enters a comprehension, whose targets hide outer names.
    pub(super) fn enter_targets(&mut self, targets: impl Iterator<Item = &'a Expr>) {
        let mut level = Level::default();
        for target in targets {
            level.bind_target(target, None);
        }
        self.levels.push(level);
    }

    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether the innermost scope is the body of a class.
    pub(super) fn in_class(&self) -> bool {
        self.levels.last().is_some_and(|level| level.class)
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

    /// The scope (as a depth) and expression of a name that is bound exactly once, to a value.
    pub(super) fn bound_once(&self, name: &str, depth: usize) -> Option<(usize, &'a Expr)> {
        let (depth, binding) = self.lookup(name, depth)?;
        Some((depth, binding.only_value()?))
    }

    /// All that a name is given; `None` where that is not known.
    pub(super) fn bound(&self, name: &str, depth: usize) -> Option<Bound<'_, 'a>> {
        let (depth, binding) = self.lookup(name, depth)?;
        let default = binding.default.as_ref().filter(|_| binding.times == 1);
        let values = default.map_or(&binding.values[..], std::slice::from_ref);
        (!values.is_empty()).then_some(Bound {
            depth,
            values,
            open: binding.times as usize != binding.values.len(),
            is_default: default.is_some(),
        })
    }

    /// The constant `DEV` of the class in `C.DEV`, or of the class around in `self.DEV`, with the
    /// depth of the scope where it is read and whether an instance may have another.
    pub(super) fn class_constant(
        &self,
        of: &str,
        name: &str,
        depth: usize,
    ) -> Option<(usize, &'a Expr, bool)> {
        let depth = depth.min(self.levels.len());
        if of == "self" || of == "cls" {
            let at = self.levels[..depth].iter().rposition(|level| level.class)?;
            let value = self.levels[at].names.get(name)?.only_value()?;
            return Some((at + 1, value, true));
        }
        let (depth, binding) = self.lookup(of, depth)?;
        let class = binding.class.filter(|_| binding.times == 1)?;
        let mut values = class.body.iter().filter_map(|statement| match statement {
            Stmt::Assign(assign) => match assign.targets.as_slice() {
                [Expr::Name(target)] if target.id == name => Some(&*assign.value),
                _ => None,
            },
            Stmt::AnnAssign(assign) => match &*assign.target {
                Expr::Name(target) if target.id == name => assign.value.as_deref(),
                _ => None,
            },
            _ => None,
        });
        let value = values.next()?;
        values.next().is_none().then_some((depth, value, false))
    }

    fn lookup(&self, name: &str, depth: usize) -> Option<(usize, &Binding<'a>)> {
        let depth = depth.min(self.levels.len());
        (0..depth).rev().find_map(|at| {
            // Names of a class are not seen in its methods.
            if self.levels[at].class && at + 1 != depth {
                return None;
            }
            Some((at + 1, self.levels[at].names.get(name)?))
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
        match expr {
            Expr::Attribute(attribute) => {
                parts.push(format!(".{}", attribute.attr));
                self.path_parts(&attribute.value, depth, parts, budget);
            }
            Expr::Call(call) => {
                parts.push("()".to_owned());
                self.path_parts(&call.func, depth, parts, budget);
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
                )) => parts.push(path.clone()),
                Some((at, binding)) => match binding.only_value() {
                    Some(value) if is_path(value) => self.path_parts(value, at, parts, budget),
                    _ => parts.push(format!("?{}", name.id)),
                },
            },
            _ => parts.push("?".to_owned()),
        }
    }
}

fn is_path(expr: &Expr) -> bool {
    matches!(expr, Expr::Attribute(_) | Expr::Call(_) | Expr::Name(_))
}

impl<'a> Binding<'a> {
    /// The value of a name that is bound exactly once.
    fn only_value(&self) -> Option<&'a Expr> {
        match self.values.as_slice() {
            [value] if self.times == 1 => Some(value),
            _ => None,
        }
    }
}

impl<'a> Level<'a> {
    fn bind(&mut self, name: &'a str, value: Option<&'a Expr>) {
        let binding = self.names.entry(name).or_default();
        binding.times += 1;
        if binding.values.len() < MOST_VALUES {
            binding.values.extend(value);
        }
    }

    /// An import beside another binding (`try: import torch` … `torch = None`) stays the import.
    fn bind_import(&mut self, name: &'a str, path: String) {
        let binding = self.names.entry(name).or_default();
        binding.times += 1;
        binding.import.get_or_insert(path);
    }

    fn bind_target(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str(), value),
            Expr::Starred(starred) => self.bind_target(&starred.value, None),
            Expr::Tuple(tuple) => self.bind_all(&tuple.elts, value),
            Expr::List(list) => self.bind_all(&list.elts, value),
            _ => {}
        }
    }

    fn bind_all(&mut self, targets: &'a [Expr], value: Option<&'a Expr>) {
        let values = match value {
            Some(Expr::Tuple(tuple)) if tuple.elts.len() == targets.len() => Some(&tuple.elts),
            _ => None,
        };
        for (at, target) in targets.iter().enumerate() {
            self.bind_target(target, values.map(|values| &values[at]));
        }
    }

    /// Binds what the statements bind, without entering functions and classes.
    fn collect(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.collect_statement(statement);
        }
    }

    fn collect_statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.bind_target(target, Some(&assign.value));
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.bind_target(&assign.target, Some(value));
                }
            }
            Stmt::AugAssign(assign) => self.bind_target(&assign.target, None),
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.bind_target(target, None);
                }
            }
            Stmt::For(statement) => {
                self.bind_target(&statement.target, None);
                self.collect(&statement.body);
                self.collect(&statement.orelse);
            }
            Stmt::While(statement) => {
                self.collect(&statement.body);
                self.collect(&statement.orelse);
            }
            Stmt::If(statement) => {
                self.collect(&statement.body);
                for clause in &statement.elif_else_clauses {
                    self.collect(&clause.body);
                }
            }
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, None);
                    }
                }
                self.collect(&with.body);
            }
            Stmt::Try(statement) => self.collect_try(statement),
            Stmt::Match(statement) => {
                for case in &statement.cases {
                    self.collect(&case.body);
                }
            }
            Stmt::FunctionDef(function) => self.bind(function.name.as_str(), None),
            Stmt::ClassDef(class) => self.bind_class(class),
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            _ => {}
        }
    }

    fn collect_try(&mut self, statement: &'a StmtTry) {
        self.collect(&statement.body);
        for ExceptHandler::ExceptHandler(handler) in &statement.handlers {
            if let Some(name) = &handler.name {
                self.bind(name.as_str(), None);
            }
            self.collect(&handler.body);
        }
        self.collect(&statement.orelse);
        self.collect(&statement.finalbody);
    }

    fn bind_class(&mut self, class: &'a StmtClassDef) {
        self.bind(class.name.as_str(), None);
        let binding = self.names.entry(class.name.as_str()).or_default();
        binding.class = Some(class);
    }

    fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            let path = alias.name.as_str();
            if let Some(name) = &alias.asname {
                self.bind_import(name.as_str(), path.to_owned());
            } else {
                // `import torch.cuda` binds `torch`.
                let root = path.split('.').next().unwrap_or(path);
                self.bind_import(root, root.to_owned());
            }
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let dots = ".".repeat(import.level as usize);
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        for alias in &import.names {
            let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            self.bind_import(name, format!("{dots}{module}.{}", alias.name));
        }
    }
}
