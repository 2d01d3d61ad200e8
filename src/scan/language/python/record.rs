//! Writes down facts, each once.

use ruff_python_ast::Expr;

use super::span_of;
use super::walk::Walker;
use crate::scan::fact::{Detail, Fact, FactKind, Value, When};
use crate::text::Span;

/// Stands for an index that is not known among those seen at a place.
const UNKNOWN: u32 = u32::MAX;

impl Walker<'_> {
    /// A card chosen by its index, written in `expr`.
    pub(super) fn select(&mut self, expr: &Expr, api: &'static str, index: u32) {
        let span = span_of(expr);
        if self.seen.insert((span, Some(index))) {
            let literal = expr.is_string_literal_expr() || expr.is_number_literal_expr();
            self.facts.push(Fact {
                span,
                value: literal.then_some(span),
                api,
                when: self.when(),
                kind: FactKind::SelectIndex {
                    index: Value::Known(index),
                },
            });
        }
    }

    /// A card chosen by the machine's number for it, written in `expr`.
    pub(super) fn select_of_machine(&mut self, expr: &Expr, api: &'static str, index: u32) {
        let span = span_of(expr);
        if self.seen.insert((span, Some(index))) {
            self.facts.push(Fact {
                span,
                value: None,
                api,
                when: self.when(),
                kind: FactKind::SelectMachineCard { index },
            });
        }
    }

    /// A card whose index is decided at run time.
    pub(super) fn selects_unknown(&mut self, expr: &Expr, api: &'static str) {
        let span = span_of(expr);
        if self.detail == Detail::Dynamic && self.seen.insert((span, Some(UNKNOWN))) {
            let when = self.when();
            self.facts.push(Fact {
                span,
                value: None,
                api,
                when,
                kind: FactKind::SelectIndex {
                    index: Value::Dynamic,
                },
            });
        }
    }

    pub(super) fn uses(&mut self, span: Span, api: &'static str) {
        self.uses_as(FactKind::UsesGpu, span, api);
    }

    /// A call that only asks about the GPU.
    pub(super) fn asks(&mut self, span: Span, api: &'static str) {
        self.uses_as(FactKind::AsksAboutGpu, span, api);
    }

    fn uses_as(&mut self, kind: FactKind, span: Span, api: &'static str) {
        if self.seen.insert((span, None)) {
            self.facts.push(Fact {
                span,
                value: None,
                api,
                when: self.when(),
                kind,
            });
        }
    }

    /// When the place that is being read happens.
    pub(super) fn when(&self) -> When {
        match (self.functions, self.branches) {
            (0, 0) => When::Loading,
            (0, _) => When::Branch,
            _ => When::Called,
        }
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}
