//! What a whole file says about the names in it: which of them stand where a device does, and
//! whether the mask comes from one of them.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{
    Expr, ExprCall, FStringPart, InterpolatedStringElement, Keyword, Operator, Stmt,
};

use super::words::last_part;
use crate::scan::catalogue;

const MASK: &str = "CUDA_VISIBLE_DEVICES";

/// Functions and methods whose first argument is a device.
const DEVICE_CALLS: &[&str] = &[
    "set_device",
    "device",
    "cuda",
    "to",
    "get_device",
    "get_device_from_id",
    "get_device_name",
    "get_device_properties",
    "select_device",
    "Device",
    "gpu",
    "CUDAPlace",
    "require_gpu",
    "prefer_gpu",
    "to_gpu",
];

/// Modules of other accelerators that have the same functions: `torch.npu.set_device`.
const OTHERS: &[&str] = &["npu", "xpu", "mlu", "musa", "hpu", "mps", "sdaa", "gcu"];

/// Keywords whose value is a device of CUDA's.
const DEVICE_KEYWORDS: &[&str] = &["device_ids", "gpu_id", "map_location", "main_gpu"];

/// Names without a value of their own in what is written to the mask.
const TOOLS: &[&str] = &["str", "int", "map", "repr", "list", "range", "len", "os"];

/// What a whole file says about its names.
#[derive(Default)]
pub(super) struct Hints<'a> {
    /// Whether the mask is made of names: a card's number in an option may be the mask's.
    pub(super) mask_is_open: bool,
    /// Whether JAX is told to pretend that the CPU is several devices.
    pub(super) pretends_devices: bool,
    /// How many values of the mask are around the place that is being read.
    in_mask: u32,
    devices: HashSet<&'a str>,
}

impl<'a> Hints<'a> {
    pub(super) fn of(module: &'a [Stmt]) -> Self {
        let mut hints = Self::default();
        hints.visit_body(module);
        hints
    }

    /// Whether a name, attribute or key stands where a device does.
    pub(super) fn is_device(&self, name: &str) -> bool {
        self.devices.contains(name)
    }

    fn visit_value(&mut self, value: &'a Expr, is_mask: bool) {
        self.in_mask += u32::from(is_mask);
        self.visit_expr(value);
        self.in_mask -= u32::from(is_mask);
    }

    /// The names in a device's place.
    fn collect(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                self.devices.insert(name.id.as_str());
            }
            Expr::Attribute(attribute) => {
                self.devices.insert(attribute.attr.as_str());
            }
            Expr::Subscript(subscript) => match &*subscript.slice {
                Expr::StringLiteral(key) => {
                    self.devices.insert(key.value.to_str());
                }
                _ => self.collect(&subscript.value),
            },
            Expr::Call(call) if matches!(last_name(&call.func), Some("str" | "int")) => {
                for argument in &call.arguments.args {
                    self.collect(argument);
                }
            }
            Expr::List(list) => {
                for element in &list.elts {
                    self.collect(element);
                }
            }
            Expr::If(choice) => {
                self.collect(&choice.body);
                self.collect(&choice.orelse);
            }
            _ => {}
        }
    }

    /// The names that are written behind `cuda:`.
    fn joined(&mut self, expr: &'a Expr) {
        match expr {
            Expr::FString(text) => {
                for part in &text.value {
                    let FStringPart::FString(f_string) = part else {
                        continue;
                    };
                    for pair in f_string.elements.windows(2) {
                        if let [
                            InterpolatedStringElement::Literal(before),
                            InterpolatedStringElement::Interpolation(value),
                        ] = pair
                            && ends_as_device(&before.value, "")
                        {
                            self.collect(&value.expression);
                        }
                    }
                }
            }
            Expr::BinOp(operation) => {
                let hole = match operation.op {
                    Operator::Add => "",
                    Operator::Mod => "%",
                    _ => return,
                };
                if text_of(&operation.left).is_some_and(|text| ends_as_device(text, hole)) {
                    self.collect(&operation.right);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        let arguments = &call.arguments;
        let Some(name) = last_name(&call.func) else {
            return;
        };
        let of_another = matches!(&*call.func, Expr::Attribute(method)
            if last_name(&method.value).is_some_and(|module| OTHERS.contains(&module)));
        if of_another {
            return;
        }
        if DEVICE_CALLS.contains(&name) {
            if let Some(first) = arguments.args.first() {
                self.collect(first);
            }
        } else if name == "format"
            && let Expr::Attribute(method) = &*call.func
            && text_of(&method.value).is_some_and(|text| ends_as_device(text, "{"))
        {
            for argument in &arguments.args {
                self.collect(argument);
            }
        }
        for keyword in &arguments.keywords {
            let Some(key) = keyword.arg.as_deref() else {
                continue;
            };
            if DEVICE_KEYWORDS.contains(&key)
                || (key == "device" && !catalogue::is_other_device(name))
            {
                self.collect(&keyword.value);
            }
        }
    }
}

impl<'a> Visitor<'a> for Hints<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let Stmt::Assign(assign) = statement else {
            walk_stmt(self, statement);
            return;
        };
        let mut is_mask = false;
        for target in &assign.targets {
            is_mask |= matches!(target, Expr::Subscript(subscript)
                if text_of(&subscript.slice) == Some(MASK));
            self.visit_expr(target);
        }
        self.visit_value(&assign.value, is_mask);
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        let is_mask = keyword.arg.as_deref() == Some(MASK);
        self.visit_value(&keyword.value, is_mask);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if self.in_mask > 0 => {
                self.mask_is_open |= !TOOLS.contains(&name.id.as_str());
            }
            Expr::Call(call) => {
                self.call(call);
                self.visit_expr(&call.func);
                let arguments = &call.arguments.args;
                let is_mask = arguments
                    .iter()
                    .any(|argument| text_of(argument) == Some(MASK));
                for argument in arguments {
                    self.visit_value(argument, is_mask);
                }
                for keyword in &call.arguments.keywords {
                    self.visit_keyword(keyword);
                }
                return;
            }
            Expr::Dict(dict) => {
                for item in &dict.items {
                    let key = item.key.as_ref();
                    if let Some(key) = key {
                        self.visit_expr(key);
                    }
                    self.visit_value(&item.value, key.and_then(text_of) == Some(MASK));
                }
                return;
            }
            Expr::StringLiteral(text) => {
                self.pretends_devices |= text
                    .value
                    .to_str()
                    .contains("xla_force_host_platform_device_count");
            }
            Expr::FString(_) | Expr::BinOp(_) => self.joined(expr),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// Whether a text is the start of a device, up to the hole for its number: `"cuda:%d"`.
fn ends_as_device(text: &str, hole: &str) -> bool {
    let start = match hole {
        "" => text,
        hole => text.split(hole).next().unwrap_or_default(),
    };
    ["cuda:", "gpu:", "GPU:"]
        .iter()
        .any(|end| start.ends_with(end))
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        _ => None,
    }
}

/// The last name of what is called.
fn last_name(function: &Expr) -> Option<&str> {
    match function {
        Expr::Name(name) => Some(last_part(name.id.as_str())),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}
