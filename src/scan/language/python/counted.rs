//! Lists whose items are made one by one, and joined to a text.

use ruff_python_ast::Expr;

use super::constant::{Constant, joined};

/// What is gone through where each of it becomes a text: `map(str, cards)`, `str(i) for i in cards`.
pub(super) fn mapped_to_text(list: &Expr) -> Option<&Expr> {
    let (element, generators) = match list {
        Expr::Call(call) => {
            let is_map = matches!(&*call.func, Expr::Name(name) if name.id == "map");
            return match &*call.arguments.args {
                [Expr::Name(function), each] if is_map && function.id == "str" => Some(each),
                _ => None,
            };
        }
        Expr::Generator(generator) => (&generator.elt, &generator.generators),
        Expr::ListComp(list) => (&list.elt, &list.generators),
        _ => return None,
    };
    let [generator] = generators.as_slice() else {
        return None;
    };
    let Expr::Name(name) = &generator.target else {
        return None;
    };
    let is_text = match &**element {
        Expr::Call(call) => matches!((&*call.func, &*call.arguments.args),
            (Expr::Name(function), [Expr::Name(passed)])
                if function.id == "str" && passed.id == name.id),
        Expr::Name(passed) => passed.id == name.id,
        _ => false,
    };
    (is_text && generator.ifs.is_empty()).then_some(&generator.iter)
}

/// One text out of values that come one behind the other.
pub(super) fn joined_in_turn(parts: &[Constant], separator: &[Constant]) -> Vec<Constant> {
    let mut values = vec![Constant::Text(String::new())];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            values = joined(&values, separator);
        }
        values = joined(&values, std::slice::from_ref(part));
    }
    values
}
