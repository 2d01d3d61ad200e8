//! Goes through statements and writes down facts.

use std::collections::HashSet;

use ruff_python_ast::{Expr, Operator, Parameters, Stmt, StmtClassDef, StmtFunctionDef};

use super::asked::{Asked, may_hold_device};
use super::blocks::{for_each_block, for_each_body};
use super::cards::Judged;
use super::hint_words::MaskName;
use super::hints::Hints;
use super::named::says_cpu;
use super::place::Place;
use super::saved::Region;
use super::scope::Scopes;
use super::start::{Starts, is_for_type_checkers};
use super::statement::{changes, is_printed};
use super::vendor::is_named_for_amd;
use super::{Escaped, flow, span_of};
use crate::scan::catalogue;
use crate::scan::fact::{Detail, Fact, FactKind, FileFacts};
use crate::scan::flow::Flow;
use crate::text::Span;

/// What kinds of libraries the file imports.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Imports {
    /// For the GPU.
    pub(super) gpu: bool,
    /// For microphones and loudspeakers.
    pub(super) audio: bool,
    /// For devices that are no cards: these too, and ports, buses and instruments.
    pub(super) without_cards: bool,
}

pub(super) struct Walker<'a> {
    pub(super) scopes: Scopes<'a>,
    pub(super) imports: Imports,
    /// Whether the place that is being read is in a class of exceptions.
    pub(super) in_exception: bool,
    /// Whether the text speaks of `CUDA_VISIBLE_DEVICES` at all.
    pub(super) mask_name: MaskName,
    /// Whether the file has syntax errors.
    pub(super) broken: bool,
    pub(super) module: &'a [Stmt],
    /// Made when it is needed first.
    asked: Option<Asked<'a>>,
    /// Whether the file is one of several processes.
    pub(super) one_of_several: Option<bool>,
    /// Made when it is needed first.
    pub(super) hints: Option<Hints<'a>>,
    pub(super) judged: Judged<'a>,
    /// The names of the functions and classes around the place that is being read.
    pub(super) around: Vec<&'a str>,
    /// How many functions are around the place that is being read.
    pub(super) functions: u32,
    /// How many branches that may not be taken are around it.
    pub(super) branches: u32,
    /// How many names were followed to the mapping they stand for.
    pub(super) followed: u32,
    /// How many pairs of mappings were read through names.
    pub(super) pairs_followed: usize,
    /// What is known of starts of CUDA here.
    pub(super) starts: Starts,
    /// Where what is put back may have been saved.
    pub(super) region: Region,
    pub(super) detail: Detail,
    pub(super) facts: Vec<Fact>,
    pub(super) seen: HashSet<(Span, Option<u32>)>,
    pub(super) entry_point: bool,
    /// The commands that were read already.
    pub(super) commands: HashSet<(Span, &'static str)>,
    /// Lines that are IPython's, not Python's.
    pub(super) escaped: Vec<Escaped>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(module: &'a [Stmt], detail: Detail) -> Self {
        let mut walker = Self {
            scopes: Scopes::default(),
            imports: Imports::default(),
            in_exception: false,
            mask_name: MaskName::Absent,
            broken: false,
            module,
            asked: None,
            one_of_several: None,
            hints: None,
            judged: Judged::default(),
            around: Vec::new(),
            functions: 0,
            branches: 0,
            followed: 0,
            pairs_followed: 0,
            starts: Starts::default(),
            region: Region::default(),
            detail,
            facts: Vec::new(),
            seen: HashSet::new(),
            entry_point: false,
            commands: HashSet::new(),
            escaped: Vec::new(),
        };
        walker.scopes.enter(None, module);
        walker.survey(module);
        walker
    }

    pub(super) fn finish(mut self) -> (FileFacts, Vec<Escaped>) {
        self.facts.sort_by_key(|fact| fact.span);
        let writes = |fact: &Fact| matches!(fact.kind, FactKind::SetVariable(_));
        // The lines that are IPython's may set variables too.
        let flow = if !self.escaped.is_empty() || self.facts.iter().any(writes) {
            Flow::new(flow::bodies(self.module), &self.facts)
        } else {
            Flow::default()
        };
        let facts = FileFacts {
            flow,
            facts: self.facts,
            entry_point: self.entry_point,
            ..FileFacts::default()
        };
        (facts, self.escaped)
    }

    pub(super) fn module(&mut self, module: &'a [Stmt]) {
        self.body(module);
    }

    /// Looks through all functions for what decides how the rest is read.
    fn survey(&mut self, body: &'a [Stmt]) {
        for statement in body {
            match statement {
                Stmt::Import(import) => {
                    for alias in &import.names {
                        self.imported(alias.name.as_str());
                    }
                }
                Stmt::ImportFrom(import) => {
                    if let Some(module) = import.module.as_ref().filter(|_| import.level == 0) {
                        self.imported(module.as_str());
                    }
                    // `from .compat import torch`
                    let mut names = import.names.iter();
                    self.imports.gpu |=
                        names.any(|alias| catalogue::is_module_name(alias.name.as_str()));
                }
                Stmt::Global(global) => {
                    for name in &global.names {
                        self.scopes.rebind_in_module(name.as_str());
                    }
                }
                _ => {
                    if let Some(name) = changes(statement) {
                        self.scopes.change_in_module(name);
                    }
                    for_each_body(statement, &mut |body| self.survey(body));
                }
            }
        }
    }

    fn imported(&mut self, module: &str) {
        self.imports.gpu |= catalogue::is_gpu_library(module);
        self.imports.audio |= catalogue::is_audio_library(module);
        self.imports.without_cards |= catalogue::is_library_without_cards(module);
    }

    /// `%magic` and `!command`: the notebook's to read.
    pub(super) fn escaped(&mut self, span: Span) {
        let when = self.when();
        self.escaped.push(Escaped { span, when });
    }

    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        let mut before: Option<&Stmt> = None;
        for statement in body {
            if is_printed(before.filter(|_| self.broken), statement) {
                if let Stmt::Expr(statement) = statement {
                    self.expression(&statement.value, Place::Message);
                }
            } else {
                self.statement(statement);
            }
            before = Some(statement);
            if self.ends_on_cuda(statement) {
                break;
            }
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Expr(statement) => match &*statement.value {
                // Docstrings and bare strings.
                Expr::StringLiteral(_) | Expr::FString(_) => {}
                value => self.expression(value, Place::Code),
            },
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.environment_assigned(target, &assign.value);
                    self.target(target);
                }
                // One value for several targets is still one value.
                let first = assign.targets.first();
                let place = first.map_or(Place::Code, |target| {
                    self.place_of_target(target, &assign.value)
                });
                self.assigned(first, &assign.value, place);
            }
            Stmt::AnnAssign(assign) => {
                self.target(&assign.target);
                if let Some(value) = &assign.value {
                    self.environment_assigned(&assign.target, value);
                    let place = self.place_of_declared(&assign.target, value);
                    self.expression(value, place);
                }
            }
            Stmt::AugAssign(assign) => {
                if assign.op == Operator::BitOr {
                    self.environment_merged(&assign.target, &assign.value);
                }
                self.target(&assign.target);
                self.expression(&assign.value, Place::Code);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.environment_removed(target);
                    self.target(target);
                }
            }
            Stmt::IpyEscapeCommand(command) => self.escaped(span_of(command)),
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::If(condition) => {
                let elsewhere = u32::from(is_for_type_checkers(statement));
                self.starts.elsewhere += elsewhere;
                self.condition(condition);
                self.starts.elsewhere -= elsewhere;
            }
            Stmt::Import(import) => self.imports(import),
            Stmt::ImportFrom(import) => self.imports_from(import),
            Stmt::Return(statement) => self.optional(statement.value.as_deref(), Place::Code),
            Stmt::Raise(raise) => {
                self.optional(raise.exc.as_deref(), Place::Message);
                self.optional(raise.cause.as_deref(), Place::Message);
            }
            Stmt::Assert(assert) => {
                self.expression(&assert.test, Place::Code);
                self.optional(assert.msg.as_deref(), Place::Message);
            }
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::For(statement) => {
                self.environment_loop(statement);
                self.expression(&statement.iter, Place::Code);
            }
            Stmt::While(statement) => self.expression(&statement.test, Place::Code),
            Stmt::Match(statement) => {
                self.expression(&statement.subject, Place::Compared);
                for case in &statement.cases {
                    self.optional(case.guard.as_deref(), Place::Code);
                }
            }
            Stmt::With(with) => {
                for item in &with.items {
                    self.expression(&item.context_expr, Place::Code);
                }
            }
            _ => {}
        }
        // A `with` runs its body, and a `try` starts with it.
        let mut certain = usize::from(matches!(statement, Stmt::With(_) | Stmt::Try(_)));
        for_each_block(statement, &mut |body| {
            if certain > 0 {
                certain -= 1;
                self.body(body);
            } else {
                self.branch(|walker| walker.body(body));
            }
        });
    }

    pub(super) fn optional(&mut self, expr: Option<&'a Expr>, place: Place) {
        if let Some(expr) = expr {
            self.expression(expr, place);
        }
    }

    /// What is assigned: `a, gpu_device_index = 0, 1` by its parts.
    fn assigned(&mut self, target: Option<&'a Expr>, value: &'a Expr, place: Place) {
        match (target, value) {
            (Some(Expr::Tuple(targets)), Expr::Tuple(values))
                if targets.elts.len() == values.elts.len() =>
            {
                for (target, value) in targets.elts.iter().zip(&values.elts) {
                    let place = self.place_of_target(target, value);
                    self.assigned(Some(target), value, place);
                }
            }
            (Some(Expr::Name(name)), Expr::Tuple(_) | Expr::List(_) | Expr::Set(_))
                if may_hold_device(value, place) && self.is_only_asked(name.id.as_str()) =>
            {
                self.expression(value, Place::Compared);
            }
            _ => self.expression(value, place),
        }
    }

    /// Whether a name stands for a list that is only looked into (`if device in FORBIDDEN`).
    fn is_only_asked(&mut self, name: &str) -> bool {
        let module = self.module;
        self.asked
            .get_or_insert_with(|| Asked::of(module))
            .only(name)
    }

    /// A target is no value, but `f("cuda:1").x = 1` has values in it.
    fn target(&mut self, target: &'a Expr) {
        match target {
            Expr::Attribute(attribute) => self.expression(&attribute.value, Place::Compared),
            Expr::Subscript(subscript) => {
                self.expression(&subscript.value, Place::Compared);
                self.expression(&subscript.slice, Place::Compared);
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.expression(&decorator.expression, Place::Code);
        }
        if self.is_skipped_on_cuda(&function.decorator_list)
            || is_named_for_amd(function.name.as_str())
        {
            return;
        }
        self.around.push(function.name.as_str());
        self.defaults(&function.parameters, &function.body);
        self.scopes
            .enter(Some(&function.parameters), &function.body);
        self.in_region(false, |walker| {
            walker.called_later(|walker| walker.body(&function.body));
        });
        self.scopes.leave();
        self.around.pop();
    }

    /// The defaults of parameters, which belong to the scope outside.
    pub(super) fn defaults(&mut self, parameters: &'a Parameters, body: &'a [Stmt]) {
        let is_cpu = says_cpu(parameters);
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                let place = self.place_of_parameter(&parameter.parameter, (is_cpu, body));
                self.expression(default, place);
            }
        }
    }

    fn class(&mut self, class: &'a StmtClassDef) {
        for decorator in &class.decorator_list {
            self.expression(&decorator.expression, Place::Code);
        }
        if self.is_skipped_on_cuda(&class.decorator_list) {
            return;
        }
        if let Some(arguments) = &class.arguments {
            for base in &arguments.args {
                self.expression(base, Place::Code);
            }
            for keyword in &arguments.keywords {
                self.expression(&keyword.value, Place::Code);
            }
        }
        let around = self.in_exception;
        self.in_exception = class.bases().iter().any(|base| {
            let path = self.scopes.path(base);
            ["Error", "Exception", "Warning"]
                .iter()
                .any(|end| path.ends_with(end))
        });
        self.scopes.enter_class(class);
        self.around.push(class.name.as_str());
        self.in_region(true, |walker| walker.body(&class.body));
        self.around.pop();
        self.scopes.leave();
        self.in_exception = around;
    }
}
