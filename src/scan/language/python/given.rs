//! Calls that only act on a device they are given: whoever gives it has chosen the card.

use ruff_python_ast::{Expr, ExprCall};

use super::scope::Scopes;
use super::walk::Walker;
use crate::scan::catalogue::{Api, Form};

/// Names of what holds settings: its device is one that the program chooses.
const SETTINGS: &[&str] = &[
    "args",
    "cfg",
    "cls",
    "conf",
    "config",
    "flags",
    "hparams",
    "namespace",
    "opt",
    "options",
    "opts",
    "params",
    "self",
    "settings",
    "state",
];

/// Names that a tensor or a model leads to are followed this far.
const DEEPEST: u8 = 4;

impl Walker<'_> {
    /// Whether a call of `PyTorch` acts on the device of a tensor or model, and on no other:
    /// `torch.cuda.current_stream(x.device)`.
    pub(super) fn acts_on_given(&self, call: &ExprCall, api: &Api) -> bool {
        if !api.path.starts_with("torch.cuda.") && api.path != ".cuda" {
            return false;
        }
        let mut rows = api.arguments.iter().filter(|row| row.form == Form::Device);
        let device = rows.find_map(|row| {
            let by_place = row
                .position
                .and_then(|position| call.arguments.find_positional(position));
            by_place.or_else(|| Some(&call.arguments.find_keyword(row.keyword)?.value))
        });
        device.is_some_and(|device| is_given(device, &self.scopes, self.scopes.depth(), DEEPEST))
    }
}

/// Whether an expression is the device of something that has one already.
fn is_given(device: &Expr, scopes: &Scopes<'_>, depth: usize, deep: u8) -> bool {
    let Some(deep) = deep.checked_sub(1) else {
        return false;
    };
    match device {
        Expr::Attribute(attribute) => {
            attribute.attr.as_str() == "device" && !holds_settings(&attribute.value)
        }
        Expr::Call(call) => matches!(&*call.func, Expr::Attribute(method)
            if method.attr.as_str() == "get_device" && call.arguments.is_empty()
                && !holds_settings(&method.value)),
        Expr::Name(name) => scopes
            .bound_once(&name.id, depth)
            .is_some_and(|(depth, value)| is_given(value, scopes, depth, deep)),
        _ => false,
    }
}

fn holds_settings(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Call(_) | Expr::Subscript(_) => return false,
        _ => return true,
    };
    let name = name.trim_start_matches('_').to_ascii_lowercase();
    // `model_args`, `train_config`
    let last = name.rsplit('_').next().unwrap_or(&name);
    SETTINGS.contains(&last) || last == "torch"
}
