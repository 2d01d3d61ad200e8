//! Names that are only asked about: `if device in FORBIDDEN`.

use foldhash::HashMap;
use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{CmpOp, Expr, ExprList, ExprSet, ExprTuple, Stmt};

use super::place::Place;

/// How often each name is read, and how often only to look something up in it.
#[derive(Default)]
pub(super) struct Asked<'a> {
    reads: HashMap<&'a str, (u32, u32)>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(module: &'a [Stmt]) -> Self {
        let mut asked = Self::default();
        asked.visit_body(module);
        asked
    }

    /// Whether a name is read, and only to look something up in it.
    pub(super) fn only(&self, name: &str) -> bool {
        self.reads
            .get(name)
            .is_some_and(|(reads, asked)| reads == asked)
    }
}

impl<'a> Visitor<'a> for Asked<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_load() => {
                self.reads.entry(name.id.as_str()).or_default().0 += 1;
            }
            Expr::Compare(compare) => {
                for (op, right) in compare.ops.iter().zip(&compare.comparators) {
                    if let (CmpOp::In | CmpOp::NotIn, Expr::Name(name)) = (op, right) {
                        self.reads.entry(name.id.as_str()).or_default().1 += 1;
                    }
                }
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// Whether something in a list may be read as a device: a cheap question before the names of the
/// whole file are counted.
pub(super) fn may_hold_device(value: &Expr, place: Place) -> bool {
    let (Expr::Tuple(ExprTuple { elts, .. })
    | Expr::List(ExprList { elts, .. })
    | Expr::Set(ExprSet { elts, .. })) = value
    else {
        return true;
    };
    matches!(place, Place::Device(_))
        || elts.iter().any(|element| match element {
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                text.contains("cuda") || text.contains("gpu") || text.contains("GPU")
            }
            Expr::Name(_) => false,
            other => !other.is_literal_expr(),
        })
}
