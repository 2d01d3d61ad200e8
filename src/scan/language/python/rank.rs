//! Ranks: the number of a process among many, which a launcher gives it. What stands beside one
//! is for a run without a launcher, and says nothing of the card of any other.

use ruff_python_ast::{BoolOp, Expr, ExprBoolOp, ExprCall};

use super::words::KEYED;

/// Whether a variable or a name holds a rank: `LOCAL_RANK`, `SLURM_LOCALID`.
pub(super) fn is_rank(name: &str) -> bool {
    let mut parts = name.split('_');
    let known = ["rank", "localrank", "localid"];
    parts.any(|part| known.iter().any(|rank| part.eq_ignore_ascii_case(rank)))
}

/// Whether a choice is a rank or what stands in for it: `args.local_rank or 0`.
pub(super) fn is_rank_or_else(operation: &ExprBoolOp) -> bool {
    operation.op == BoolOp::Or && operation.values.first().is_some_and(tells_rank)
}

/// Whether a call asks for a rank by its key: `os.environ.get("LOCAL_RANK", 0)`.
pub(super) fn asks_for_rank(call: &ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(method) => method.attr.as_str(),
        _ => return false,
    };
    let key = match name {
        "getattr" => call.arguments.args.get(1),
        name if KEYED.contains(&name) => call.arguments.args.first(),
        _ => None,
    };
    key.is_some_and(is_key_of_rank)
}

fn is_key_of_rank(key: &Expr) -> bool {
    matches!(key, Expr::StringLiteral(key) if is_rank(key.value.to_str()))
}

fn tells_rank(expr: &Expr) -> bool {
    let expr = match expr {
        // `int(…)` of it; one level is what people write.
        Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id == "int") => {
            call.arguments.args.first().unwrap_or(expr)
        }
        other => other,
    };
    match expr {
        Expr::Name(name) => is_rank(&name.id),
        Expr::Attribute(attribute) => is_rank(&attribute.attr),
        Expr::Subscript(subscript) => is_key_of_rank(&subscript.slice),
        Expr::Call(call) => {
            let named = match &*call.func {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(method) => method.attr.as_str(),
                _ => return false,
            };
            is_rank(named) || asks_for_rank(call)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_rank;

    #[test]
    fn ranks_are_told_by_a_whole_word() {
        for rank in [
            "LOCAL_RANK",
            "rank",
            "SLURM_LOCALID",
            "OMPI_COMM_WORLD_RANK",
            "_get_local_rank",
        ] {
            assert!(is_rank(rank), "{rank}");
        }
        for other in ["GPU", "ranking", "crank", "CARD"] {
            assert!(!is_rank(other), "{other}");
        }
    }
}
