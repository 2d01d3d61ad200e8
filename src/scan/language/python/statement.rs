//! What single statements are: what they change, what Python 2 prints, where a program starts.

use ruff_python_ast::{CmpOp, Expr, Operator, Stmt};

use super::bind::{changed_by_call, changed_name};
use super::span_of;

/// The name whose items a statement sets or takes away.
pub(super) fn changes(statement: &Stmt) -> Option<&str> {
    match statement {
        Stmt::Assign(assign) => assign.targets.iter().find_map(changed_name),
        Stmt::AugAssign(assign) => changed_name(&assign.target),
        Stmt::Delete(delete) => delete.targets.iter().find_map(changed_name),
        Stmt::Expr(statement) => changed_by_call(&statement.value),
        _ => None,
    }
}

/// Whether a statement is what Python 2 prints: `print "…" % x`, `print >>file, "…"`. The parser
/// takes the word for a statement of its own, or for an operand.
pub(super) fn is_printed(before: Option<&Stmt>, statement: &Stmt) -> bool {
    let is_print = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id == "print");
    let Stmt::Expr(printed) = statement else {
        return false;
    };
    if let Some(Stmt::Expr(word)) = before {
        let gap = span_of(printed).start.saturating_sub(span_of(word).end);
        if is_print(&word.value) && gap <= 1 {
            return true;
        }
    }
    let first = match &*printed.value {
        Expr::Tuple(tuple) => tuple.elts.first(),
        other => Some(other),
    };
    matches!(first, Some(Expr::BinOp(shift))
        if shift.op == Operator::RShift && is_print(&shift.left))
}

/// `__name__ == "__main__"`, either way round.
pub(super) fn is_main_check(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else {
        return false;
    };
    let ([CmpOp::Eq], [right]) = (&*compare.ops, &*compare.comparators) else {
        return false;
    };
    let is_name = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id == "__name__");
    let is_main = |expr: &Expr| matches!(expr, Expr::StringLiteral(literal) if literal.value.to_str() == "__main__");
    (is_name(&compare.left) && is_main(right)) || (is_main(&compare.left) && is_name(right))
}
