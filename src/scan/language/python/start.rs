//! Which calls and imports start CUDA: what is set later comes too late.

use ruff_python_ast::{Stmt, StmtImport, StmtImportFrom};

use super::span_of;
use super::walk::Walker;
use crate::scan::catalogue::start::{of_call, of_import};
use crate::scan::catalogue::{Api, Uses, is_gpu_library};
use crate::scan::fact::{Certainty, Fact, FactKind};
use crate::text::Span;

/// What is known of starts at the place that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Starts {
    /// How certainly this body, or one around it, has started CUDA already: only what comes first
    /// matters.
    started: Option<Certainty>,
    /// How many parts of an expression are around that may not be evaluated.
    pub(super) unsure: u32,
    /// How many pieces of code are around that never run here: what is only for type checkers,
    /// and functions without a name.
    pub(super) elsewhere: u32,
    /// Whether a device that was read since the last call names CUDA.
    pub(super) names_cuda: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn imports(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            if let Some((label, certainty)) = of_import(alias.name.as_str()) {
                self.starts(span_of(import), label, certainty);
            }
        }
    }

    pub(super) fn imports_from(&mut self, import: &'a StmtImportFrom) {
        let Some(module) = import.module.as_ref().filter(|_| import.level == 0) else {
            return;
        };
        if let Some((label, certainty)) = of_import(module.as_str()) {
            self.starts(span_of(import), label, certainty);
            return;
        }
        for alias in &import.names {
            if let Some((label, certainty)) = of_import(&format!("{module}.{}", alias.name)) {
                self.starts(span_of(import), label, certainty);
            }
        }
    }

    /// A call of `path`, whose arguments were read; `names_cuda` where one of them names CUDA.
    pub(super) fn call_starts(
        &mut self,
        span: Span,
        path: &str,
        api: Option<&'static Api>,
        names_cuda: bool,
    ) {
        let certainty = match (of_call(path), api) {
            (Some(known), _) => known.certainty(),
            (None, Some(api)) => match api.uses {
                Uses::Always if api.path.ends_with(".*") => Some(Certainty::Fragile),
                Uses::Always => Some(Certainty::Certain),
                Uses::WhenNamed => names_cuda.then_some(Certainty::Certain),
            },
            // It may only be told the device, for later.
            (None, None) if names_cuda && path.starts_with("torch.") => Some(Certainty::Certain),
            (None, None) if names_cuda && is_gpu_library(path) => Some(Certainty::Fragile),
            (None, None) => None,
        };
        if let Some(certainty) = certainty {
            self.starts(span, api.map_or("a call", |api| api.label), certainty);
        }
    }

    fn starts(&mut self, span: Span, api: &'static str, certainty: Certainty) {
        if self.starts.elsewhere > 0 {
            return;
        }
        let certainty = if self.starts.unsure > 0 {
            Certainty::Fragile
        } else {
            certainty
        };
        match (self.starts.started, certainty) {
            (None, _) | (Some(Certainty::Fragile), Certainty::Certain) => {
                self.starts.started = Some(certainty);
            }
            (Some(_), _) => return,
        }
        let when = self.when();
        self.fact(Fact {
            span,
            value: None,
            api,
            when,
            kind: FactKind::StartsCuda(certainty),
        });
    }

    /// Reads a block that may not run: what it starts says nothing of what comes behind it.
    pub(super) fn branch(&mut self, read: impl FnOnce(&mut Self)) {
        let started = self.starts.started;
        self.branches += 1;
        read(self);
        self.branches -= 1;
        self.starts.started = started;
    }

    /// Reads a function's body, which runs at another time.
    pub(super) fn called_later(&mut self, read: impl FnOnce(&mut Self)) {
        let around = std::mem::take(&mut self.starts);
        self.starts.elsewhere = around.elsewhere;
        self.functions += 1;
        read(self);
        self.functions -= 1;
        self.starts = around;
    }
}

/// Whether a block is for type checkers only.
pub(super) fn is_for_type_checkers(statement: &Stmt) -> bool {
    use ruff_python_ast::Expr;
    match statement {
        Stmt::If(statement) => match &*statement.test {
            Expr::Name(name) => name.id == "TYPE_CHECKING",
            Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
            _ => false,
        },
        _ => false,
    }
}
