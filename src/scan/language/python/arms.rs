//! The arms of a choice: which of them run where there is CUDA, and which choose another vendor's
//! cards beside one that chooses CUDA's.

use ruff_python_ast::{BoolOp, Decorator, Expr, ExprBoolOp, ExprIf, Stmt, StmtIf};

use super::place::Place;
use super::rank::is_rank_or_else;
use super::statement::is_main_check;
use super::vendor::on_cuda;
use super::walk::Walker;
use super::words::last_part;
use crate::scan::catalogue::{self, Variable};
use crate::scan::fact::{Fact, FactKind};

/// The facts of the arms that set `CUDA_VISIBLE_DEVICES`.
#[derive(Default)]
struct Masks {
    /// In how many arms.
    arms: u32,
    /// The facts of the last of them.
    last: (usize, usize),
}

impl<'a> Walker<'a> {
    /// `if`, with all that belongs to it.
    pub(super) fn condition(&mut self, statement: &'a StmtIf) {
        if self.functions == 0 && is_main_check(&statement.test) {
            self.entry_point = true;
        }
        let first = self.facts.len();
        let mut masks = Masks::default();
        self.expression(&statement.test, Place::Code);
        let mut says = on_cuda(&statement.test, &self.scopes);
        if says != Some(false) {
            self.arm(&statement.body, &mut masks);
        }
        for clause in &statement.elif_else_clauses {
            if says == Some(true) {
                break;
            }
            self.branch(|walker| walker.optional(clause.test.as_ref(), Place::Code));
            says = clause
                .test
                .as_ref()
                .and_then(|test| on_cuda(test, &self.scopes));
            if says != Some(false) {
                self.arm(&clause.body, &mut masks);
            }
        }
        self.leave_out_others(first, &masks);
    }

    fn arm(&mut self, body: &'a [Stmt], masks: &mut Masks) {
        let first = self.facts.len();
        self.branch(|walker| walker.body(body));
        let sets_mask = |fact: &Fact| variable_of(fact) == Some(Variable::Visible);
        if self.facts[first..].iter().any(sets_mask) {
            masks.arms += 1;
            masks.last = (first, self.facts.len());
        }
    }

    /// Leaves out what arms do for another vendor's cards where a sibling masks CUDA's: each has
    /// its own variable, and none of them is there by mistake.
    fn leave_out_others(&mut self, first: usize, masks: &Masks) {
        let of_others = |fact: &Fact| matches!(variable_of(fact), Some(Variable::Elsewhere(_)));
        if masks.arms == 0 || !self.facts[first..].iter().any(of_others) {
            return;
        }
        let facts = self.facts.split_off(first);
        let (start, end) = masks.last;
        let kept = facts.into_iter().zip(first..).filter(|(fact, at)| {
            let alone_in_its_arm = masks.arms == 1 && (start..end).contains(at);
            alone_in_its_arm || !of_others(fact)
        });
        self.facts.extend(kept.map(|(fact, _)| fact));
    }

    /// `a if test else b`.
    pub(super) fn choice(&mut self, choice: &'a ExprIf, place: Place) {
        self.expression(&choice.test, Place::Code);
        let says = on_cuda(&choice.test, &self.scopes);
        self.starts.unsure += 1;
        if says != Some(false) {
            self.expression(&choice.body, place);
        }
        if says != Some(true) {
            self.expression(&choice.orelse, place);
        }
        self.starts.unsure -= 1;
    }

    /// `a and b`, `a or b`.
    pub(super) fn alternatives(&mut self, operation: &'a ExprBoolOp, place: Place) {
        let place = match place {
            Place::Device(_) if is_rank_or_else(operation) => Place::Code,
            place => place,
        };
        let decides = operation.op == BoolOp::Or;
        for (at, operand) in operation.values.iter().enumerate() {
            // Only the first operand is evaluated in any case.
            let unsure = u32::from(at > 0);
            self.starts.unsure += unsure;
            self.expression(operand, place);
            self.starts.unsure -= unsure;
            if on_cuda(operand, &self.scopes) == Some(decides) {
                break;
            }
        }
    }

    /// Whether what stands below a statement is never reached where there is CUDA:
    /// `if not is_rocm(): return`.
    pub(super) fn ends_on_cuda(&self, statement: &Stmt) -> bool {
        match statement {
            Stmt::If(statement) => {
                let tests = std::iter::once((Some(&*statement.test), &statement.body));
                let clauses = &statement.elif_else_clauses;
                let arms = tests.chain(clauses.iter().map(|arm| (arm.test.as_ref(), &arm.body)));
                for (test, body) in arms {
                    match test.map(|test| on_cuda(test, &self.scopes)) {
                        Some(Some(false)) => {}
                        Some(None) => return false,
                        // That nobody asks and all arms leave has nothing to do with a vendor.
                        Some(Some(true)) | None => return leaves(body),
                    }
                }
                false
            }
            Stmt::Assert(assert) => on_cuda(&assert.test, &self.scopes) == Some(false),
            _ => false,
        }
    }

    /// Whether a test is skipped where there is CUDA: `@pytest.mark.skipif(not is_rocm(), …)`.
    pub(super) fn is_skipped_on_cuda(&self, decorators: &[Decorator]) -> bool {
        decorators.iter().any(|decorator| {
            let Expr::Call(call) = &decorator.expression else {
                return false;
            };
            let skips_if = match &*call.func {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(method) => last_part(method.attr.as_str()),
                _ => return false,
            };
            let skips_if = match skips_if {
                "skipif" | "skipIf" => true,
                "skipUnless" => false,
                _ => return false,
            };
            let test = call.arguments.find_argument_value("condition", 0);
            test.and_then(|test| on_cuda(test, &self.scopes)) == Some(skips_if)
        })
    }
}

/// What the variable does that a fact sets.
fn variable_of(fact: &Fact) -> Option<Variable> {
    match &fact.kind {
        FactKind::SetVariable(write) => catalogue::variable(&write.name),
        _ => None,
    }
}

/// Whether a block is left at its end, and what stands below it with it.
fn leaves(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_)) => true,
        Some(Stmt::Expr(statement)) => {
            let Expr::Call(call) = &*statement.value else {
                return false;
            };
            match &*call.func {
                Expr::Name(name) => ["exit", "quit"].contains(&name.id.as_str()),
                Expr::Attribute(method) => matches!(&*method.value, Expr::Name(of)
                    if (of.id == "sys" && method.attr.as_str() == "exit")
                        || (of.id == "pytest" && method.attr.as_str() == "skip")),
                _ => false,
            }
        }
        _ => false,
    }
}
