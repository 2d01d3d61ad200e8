//! What a fix must know about the literals it writes anew: the list they are in, whether they
//! are defaults, and who else uses a constant.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{
    Visitor, walk_alias, walk_except_handler, walk_expr, walk_keyword, walk_parameter,
    walk_parameters, walk_pattern, walk_stmt,
};
use ruff_python_ast::{Alias, ExceptHandler, Expr, Keyword, Parameter, Parameters, Pattern, Stmt};

use super::span_of;
use crate::text::Span;

/// Larger expressions are not taken apart.
const MOST_PARTS: usize = 32;

/// What is around the literals and expressions of some sites.
pub(super) struct Surroundings<'a> {
    /// Where the literals start that are of interest.
    literals: HashSet<usize>,
    /// The expressions without a literal of their own that are of interest.
    computed: HashSet<Span>,
    /// The lists and tuples with such literals, by their elements.
    lists: Vec<Vec<Span>>,
    /// For such a literal its list, and its place in it.
    in_list: HashMap<usize, (usize, usize)>,
    /// Such literals in the default of a parameter or option.
    defaults: HashSet<usize>,
    parts: HashMap<Span, Parts<'a>>,
    names: HashMap<&'a str, Uses>,
    /// How many defaults are around.
    inside_default: u32,
}

/// What an expression is computed from.
#[derive(Default)]
pub(super) struct Parts<'a> {
    /// Its numbers and texts.
    pub(super) literals: Vec<Span>,
    /// The names it reads.
    pub(super) names: Vec<&'a str>,
    nodes: usize,
}

/// All uses of a name in a file, in whatever scope.
#[derive(Default)]
pub(super) struct Uses {
    /// How often it is bound.
    pub(super) bound: u32,
    /// The literal it is given, in one of the bindings.
    pub(super) literal: Option<Span>,
    /// Where it is read.
    pub(super) reads: Vec<Span>,
}

impl<'a> Surroundings<'a> {
    /// Looks through a module once. Names are only looked at where some expression is computed.
    pub(super) fn of(
        module: &'a [Stmt],
        literals: HashSet<usize>,
        computed: HashSet<Span>,
    ) -> Self {
        let mut surroundings = Self {
            literals,
            computed,
            lists: Vec::new(),
            in_list: HashMap::new(),
            defaults: HashSet::new(),
            parts: HashMap::new(),
            names: HashMap::new(),
            inside_default: 0,
        };
        surroundings.visit_body(module);
        surroundings
    }

    /// The elements of the list that a literal is in, and its place in it.
    pub(super) fn list_of(&self, literal: usize) -> Option<(&[Span], usize)> {
        let (list, place) = self.in_list.get(&literal)?;
        Some((self.lists.get(*list)?, *place))
    }

    /// Whether a literal is the default of a parameter or option.
    pub(super) fn is_default(&self, literal: usize) -> bool {
        self.defaults.contains(&literal)
    }

    /// What an expression is computed from; `None` where that is too much.
    pub(super) fn parts(&self, computed: Span) -> Option<&Parts<'a>> {
        let parts = self.parts.get(&computed)?;
        (parts.nodes <= MOST_PARTS).then_some(parts)
    }

    /// The uses of a name.
    pub(super) fn uses(&self, name: &str) -> Option<&Uses> {
        self.names.get(name)
    }

    fn bind(&mut self, name: &'a str) {
        if !self.computed.is_empty() {
            self.names.entry(name).or_default().bound += 1;
        }
    }

    fn list(&mut self, elements: &'a [Expr]) {
        let list = self.lists.len();
        let mut found = false;
        for (place, element) in elements.iter().enumerate() {
            let start = span_of(element).start;
            if self.literals.contains(&start) {
                self.in_list.insert(start, (list, place));
                found = true;
            }
        }
        if found {
            self.lists.push(elements.iter().map(span_of).collect());
        }
    }

    fn take_apart(&mut self, site: Span, value: &'a Expr) {
        if self.computed.contains(&site) {
            let mut parts = Parts::default();
            parts.visit_expr(value);
            self.parts.insert(site, parts);
        }
    }

    fn assigned(&mut self, target: &'a Expr, value: &'a Expr) {
        let site = Span::new(span_of(target).start, span_of(value).end);
        self.take_apart(site, value);
        if let Expr::Name(name) = target
            && !self.computed.is_empty()
            && (value.is_number_literal_expr() || value.is_string_literal_expr())
        {
            self.names.entry(name.id.as_str()).or_default().literal = Some(span_of(value));
        }
    }
}

impl<'a> Visitor<'a> for Surroundings<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                if let [target] = assign.targets.as_slice() {
                    self.assigned(target, &assign.value);
                    if let (Some(_), Some(values)) = (elements(target), elements(&assign.value)) {
                        // `a, b = 0, 1`: each has its own value, nothing is a list.
                        self.visit_expr(target);
                        return values.iter().for_each(|value| self.visit_expr(value));
                    }
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assigned(&assign.target, value);
                }
            }
            Stmt::FunctionDef(function) => self.bind(function.name.as_str()),
            Stmt::ClassDef(class) => self.bind(class.name.as_str()),
            Stmt::Global(global) => {
                for name in &global.names {
                    self.bind(name.as_str());
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                for name in &nonlocal.names {
                    self.bind(name.as_str());
                }
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::FString(_) => {
                let start = span_of(expr).start;
                if self.inside_default > 0 && self.literals.contains(&start) {
                    self.defaults.insert(start);
                }
            }
            Expr::List(list) => self.list(&list.elts),
            Expr::Tuple(tuple) => self.list(&tuple.elts),
            Expr::Set(set) => self.list(&set.elts),
            Expr::Name(name) if !self.computed.is_empty() => {
                let uses = self.names.entry(name.id.as_str()).or_default();
                if name.ctx.is_load() {
                    uses.reads.push(span_of(expr));
                } else {
                    uses.bound += 1;
                }
            }
            Expr::Call(call) => {
                // `setdefault(key, value)` sets what its second argument says.
                if let [_, value] = &*call.arguments.args {
                    let site = Span::new(span_of(&*call.func).start, span_of(&call.arguments).end);
                    self.take_apart(site, value);
                }
            }
            _ => {}
        }
        if !self.parts.contains_key(&span_of(expr)) {
            self.take_apart(span_of(expr), expr);
        }
        walk_expr(self, expr);
    }

    fn visit_parameters(&mut self, parameters: &'a Parameters) {
        self.inside_default += 1;
        walk_parameters(self, parameters);
        self.inside_default -= 1;
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        let is_default = keyword.arg.as_deref() == Some("default");
        self.inside_default += u32::from(is_default);
        walk_keyword(self, keyword);
        self.inside_default -= u32::from(is_default);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.bind(parameter.name.as_str());
        walk_parameter(self, parameter);
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        self.bind(name.split('.').next().unwrap_or(name));
        walk_alias(self, alias);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(captured) => captured.name.as_ref(),
            Pattern::MatchStar(captured) => captured.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str());
        }
        walk_pattern(self, pattern);
    }
}

impl<'a> Visitor<'a> for Parts<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        self.nodes += 1;
        if self.nodes > MOST_PARTS {
            return;
        }
        match expr {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => self.literals.push(span_of(expr)),
            Expr::FString(_) => {
                // `f"{kind}:1"` holds the number, `f"cuda:{x}"` reads it.
                self.literals.push(span_of(expr));
                walk_expr(self, expr);
            }
            Expr::Name(name) => self.names.push(name.id.as_str()),
            Expr::Call(call) => {
                match &*call.func {
                    // `str(DEV)`, and `"cuda:{}".format(DEV)`
                    Expr::Name(name) if ["str", "int"].contains(&name.id.as_str()) => {}
                    function => self.visit_expr(function),
                }
                self.visit_arguments(&call.arguments);
            }
            _ => walk_expr(self, expr),
        }
    }
}

fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(tuple) => Some(&tuple.elts),
        Expr::List(list) => Some(&list.elts),
        _ => None,
    }
}
