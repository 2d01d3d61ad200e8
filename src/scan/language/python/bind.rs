//! What binds names: all that a body gives each of its names.

use foldhash::HashMap;
use ruff_python_ast::{Expr, Parameters, Stmt, StmtClassDef, StmtImport, StmtImportFrom, StmtTry};

use super::blocks::for_each_block;

/// The names of one scope.
#[derive(Default)]
pub(super) struct Level<'a> {
    pub(super) class: Option<&'a StmtClassDef>,
    names: HashMap<&'a str, Binding<'a>>,
}

/// All that binds one name in one scope.
#[derive(Default)]
pub(super) struct Binding<'a> {
    pub(super) times: u32,
    /// What it is given, the first few.
    pub(super) given: Vec<Given<'a>>,
    /// The default of a parameter.
    pub(super) default: Option<Given<'a>>,
    pub(super) class: Option<&'a StmtClassDef>,
    pub(super) import: Option<String>,
    /// Whether items of it are set or taken away.
    pub(super) changed: bool,
}

/// One thing that a name is given: a part of an expression.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) expr: &'a Expr,
    pub(super) taken: Taken,
}

/// Which part of an expression a name is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All of it.
    Whole,
    /// The item at this place.
    Item(usize),
    /// Each of its items in turn.
    Each,
    /// What stands at this place of each of its items.
    EachItem(usize),
}

/// More than these of one name are not kept.
const MOST_GIVEN: usize = 4;

/// Methods that change a list or a mapping in place.
const CHANGES: &[&str] = &[
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

impl<'a> Given<'a> {
    pub(super) fn whole(expr: &'a Expr) -> Self {
        Self {
            expr,
            taken: Taken::Whole,
        }
    }

    /// The expression, where all of it is taken.
    pub(super) fn whole_value(self) -> Option<&'a Expr> {
        (self.taken == Taken::Whole).then_some(self.expr)
    }

    /// The item at a place of this; `None` deeper than is followed.
    fn item(self, at: usize) -> Option<Self> {
        let taken = match self.taken {
            Taken::Whole => Taken::Item(at),
            Taken::Each => Taken::EachItem(at),
            Taken::Item(_) | Taken::EachItem(_) => return None,
        };
        Some(Self { taken, ..self })
    }
}

impl<'a> Binding<'a> {
    /// The value of a name that is bound exactly once, to all of it.
    pub(super) fn only_value(&self) -> Option<&'a Expr> {
        match self.given.as_slice() {
            [given] if self.times == 1 && given.taken == Taken::Whole => Some(given.expr),
            _ => None,
        }
    }
}

impl<'a> Level<'a> {
    /// The names of a body with its parameters.
    pub(super) fn of(parameters: Option<&'a Parameters>, body: &'a [Stmt]) -> Self {
        let mut level = Self::default();
        for parameter in parameters.into_iter().flat_map(Parameters::iter) {
            level.bind(parameter.name().as_str(), None);
        }
        for parameter in parameters
            .into_iter()
            .flat_map(Parameters::iter_non_variadic_params)
        {
            let binding = level.names.entry(parameter.name().as_str()).or_default();
            binding.default = parameter.default().map(Given::whole);
        }
        level.collect(body);
        level
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding<'a>> {
        self.names.get(name)
    }

    pub(super) fn bind(&mut self, name: &'a str, given: Option<Given<'a>>) {
        let binding = self.names.entry(name).or_default();
        binding.times += 1;
        if binding.given.len() < MOST_GIVEN {
            binding.given.extend(given);
        }
    }

    /// Says that items of a name are set, here or in a function.
    pub(super) fn change(&mut self, name: &'a str) {
        self.names.entry(name).or_default().changed = true;
    }

    /// An import beside another binding (`try: import torch` … `torch = None`) stays the import.
    fn bind_import(&mut self, name: &'a str, path: String) {
        let binding = self.names.entry(name).or_default();
        binding.times += 1;
        binding.import.get_or_insert(path);
    }

    pub(super) fn bind_target(&mut self, target: &'a Expr, given: Option<Given<'a>>) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str(), given),
            Expr::Starred(starred) => self.bind_target(&starred.value, None),
            Expr::Tuple(tuple) => self.bind_all(&tuple.elts, given),
            Expr::List(list) => self.bind_all(&list.elts, given),
            _ => {
                if let Some(name) = changed_name(target) {
                    self.change(name);
                }
            }
        }
    }

    fn bind_all(&mut self, targets: &'a [Expr], given: Option<Given<'a>>) {
        // What a star takes, and what is behind it, has no certain place.
        let mut counted = true;
        for (at, target) in targets.iter().enumerate() {
            counted &= !target.is_starred_expr();
            let item = match given.map(|given| (given, given.expr)) {
                Some((
                    Given {
                        taken: Taken::Whole,
                        ..
                    },
                    Expr::Tuple(tuple),
                )) if tuple.elts.len() == targets.len() => tuple.elts.get(at).map(Given::whole),
                Some((given, _)) => given.item(at),
                None => None,
            };
            self.bind_target(target, item.filter(|_| counted));
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
                    self.bind_target(target, Some(Given::whole(&assign.value)));
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.bind_target(&assign.target, Some(Given::whole(value)));
                }
            }
            Stmt::AugAssign(assign) => self.bind_target(&assign.target, None),
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.bind_target(target, None);
                }
            }
            Stmt::Expr(statement) => self.collect_call(&statement.value),
            Stmt::FunctionDef(function) => self.bind(function.name.as_str(), None),
            Stmt::ClassDef(class) => self.bind_class(class),
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            _ => self.collect_compound(statement),
        }
    }

    fn collect_compound(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::For(statement) => {
                let each = Given {
                    expr: &statement.iter,
                    taken: Taken::Each,
                };
                self.bind_target(&statement.target, Some(each));
            }
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, None);
                    }
                }
            }
            Stmt::Try(statement) => self.bind_handlers(statement),
            _ => {}
        }
        for_each_block(statement, &mut |block| self.collect(block));
    }

    /// `names.append(…)` changes what `names` was given.
    fn collect_call(&mut self, value: &'a Expr) {
        if let Some(name) = changed_by_call(value) {
            self.change(name);
        }
    }

    fn bind_handlers(&mut self, statement: &'a StmtTry) {
        for handler in &statement.handlers {
            if let Some(handler) = handler.as_except_handler()
                && let Some(name) = &handler.name
            {
                self.bind(name.as_str(), None);
            }
        }
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
            if name == "*" && module == "os" {
                for name in ["environ", "environb", "putenv", "unsetenv", "getenv"] {
                    self.bind_import(name, format!("os.{name}"));
                }
            }
            self.bind_import(name, format!("{dots}{module}.{}", alias.name));
        }
    }
}

/// The name whose items a target sets: `CFG` in `CFG["device"] = …`.
pub(super) fn changed_name(target: &Expr) -> Option<&str> {
    let mut inner = target;
    while let Expr::Subscript(subscript) = inner {
        inner = &subscript.value;
    }
    match inner {
        Expr::Name(name) if target.is_subscript_expr() => Some(name.id.as_str()),
        _ => None,
    }
}

/// The name that a statement such as `names.append(…)` changes in place.
pub(super) fn changed_by_call(statement: &Expr) -> Option<&str> {
    let Expr::Call(call) = statement else {
        return None;
    };
    match &*call.func {
        Expr::Attribute(method) if CHANGES.contains(&method.attr.as_str()) => {
            match &*method.value {
                Expr::Name(name) => Some(name.id.as_str()),
                _ => None,
            }
        }
        _ => None,
    }
}
