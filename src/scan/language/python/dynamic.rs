//! Places whose device only the running program knows; written down for who asks.

use ruff_python_ast::Expr;

use super::place::{ANYWHERE, Role};
use super::value::Constant;
use super::walk::Walker;
use crate::scan::catalogue::Form;
use crate::scan::fact::Detail;

/// Words of which one is in the name of what holds a device.
const DEVICE_WORDS: &[&str] = &["card", "cuda", "device", "gpu", "rank"];

impl Walker<'_> {
    /// A value in a device's place, as far as it is not known.
    pub(super) fn device_unknown(&mut self, expr: &Expr, role: Role, values: &[Constant]) {
        if self.detail == Detail::Known {
            return;
        }
        let open = values.iter().any(|value| match value {
            Constant::Unknown => self.may_be_device(expr, role),
            Constant::Prefix(start) => start.starts_with("cuda:"),
            Constant::Text(_) | Constant::Number(_) => false,
        });
        if open {
            self.selects_unknown(expr, role.label);
        }
    }

    /// `f"cuda:{rank}"` wherever it stands.
    pub(super) fn text_unknown(&mut self, expr: &Expr, value: &Constant) {
        if matches!(value, Constant::Prefix(start) if start.starts_with("cuda:")) {
            self.selects_unknown(expr, ANYWHERE.label);
        }
    }

    fn may_be_device(&self, expr: &Expr, role: Role) -> bool {
        // The device of a microphone is no card, and `.to(…)` takes much else.
        let of_gpu = role.numbers || (self.imports.gpu && role.label == ANYWHERE.label);
        if !of_gpu || (role.label == ".to" && !is_named_like_device(expr)) {
            return false;
        }
        match expr {
            // What a name is given was judged where it is given, unless it was made of what it had.
            Expr::Name(name) => {
                self.scopes
                    .bound(&name.id, self.scopes.depth())
                    .is_none_or(|bound| {
                        let mut given = bound.given.iter();
                        bound.is_default || bound.open || given.any(|one| one.expr.is_bin_op_expr())
                    })
            }
            Expr::Call(_) => role.form != Form::Map || is_named_like_device(expr),
            Expr::Attribute(_) | Expr::Subscript(_) | Expr::FString(_) | Expr::BinOp(_) => true,
            _ => false,
        }
    }
}

/// Whether the name of what holds or gives a value speaks of a device.
fn is_named_like_device(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Subscript(subscript) => return is_named_like_device(&subscript.value),
        Expr::Call(call) => return is_named_like_device(&call.func),
        Expr::FString(_) | Expr::BinOp(_) => return true,
        _ => return false,
    };
    let name = name.to_ascii_lowercase();
    DEVICE_WORDS.iter().any(|word| name.contains(word))
}
