//! What a whole file says about the names in it: which of them stand where a device does, and
//! whether the mask comes from one of them.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_alias, walk_expr, walk_parameter, walk_stmt};
use ruff_python_ast::{
    Alias, Expr, ExprCall, FStringPart, InterpolatedStringElement, Keyword, Operator, Parameter,
    Stmt,
};

use super::hint_words::{
    As, DEVICE_CALLS, DEVICE_KEYWORDS, MASK, OTHERS, RANK_KEYWORDS, SOUNDS, ends_as, names_gpu,
};
use super::words::last_part;
use crate::scan::catalogue;

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
    /// Names that stand where another accelerator, a camera or a rank does.
    others: HashSet<&'a str>,
    /// Names that the mask is made of.
    masks: HashSet<&'a str>,
    /// Names that are counted up, or go through what a loop does.
    counters: HashSet<&'a str>,
    /// Whether a name or a text in it speaks of a GPU.
    pub(super) speaks_of_gpu: bool,
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

    /// Whether a name stands where something does that is no card.
    pub(super) fn is_other(&self, name: &str) -> bool {
        self.others.contains(name)
    }

    /// Whether the mask is made of a name, attribute or key.
    pub(super) fn is_mask(&self, name: &str) -> bool {
        self.masks.contains(name)
    }

    /// Whether a name is a counter.
    pub(super) fn is_counter(&self, name: &str) -> bool {
        self.counters.contains(name)
    }

    fn speaks(&mut self, word: &str) {
        self.speaks_of_gpu = self.speaks_of_gpu || names_gpu(word);
    }

    fn visit_value(&mut self, value: &'a Expr, is_mask: bool) {
        if is_mask {
            self.collect_mask(value);
        }
        self.in_mask += u32::from(is_mask);
        self.visit_expr(value);
        self.in_mask -= u32::from(is_mask);
    }

    /// The names in a place.
    fn collect(&mut self, expr: &'a Expr, kind: As) {
        let mut add = |name| match kind {
            As::Device => self.devices.insert(name),
            As::Mask => self.masks.insert(name),
            As::Other => self.others.insert(name),
        };
        match expr {
            Expr::Name(name) => {
                add(name.id.as_str());
            }
            Expr::Attribute(attribute) => {
                add(attribute.attr.as_str());
            }
            Expr::Subscript(subscript) => match &*subscript.slice {
                Expr::StringLiteral(key) => {
                    add(key.value.to_str());
                }
                _ => self.collect(&subscript.value, kind),
            },
            Expr::Call(call) if matches!(last_name(&call.func), Some("str" | "int")) => {
                for argument in &call.arguments.args {
                    self.collect(argument, kind);
                }
            }
            Expr::List(list) => {
                for element in &list.elts {
                    self.collect(element, kind);
                }
            }
            Expr::If(choice) => {
                self.collect(&choice.body, kind);
                self.collect(&choice.orelse, kind);
            }
            _ => {}
        }
    }

    /// The names that a mask is made of; not those that only count its cards.
    fn collect_mask(&mut self, value: &'a Expr) {
        match value {
            Expr::FString(text) => {
                for element in text.value.elements() {
                    if let InterpolatedStringElement::Interpolation(hole) = element {
                        self.collect(&hole.expression, As::Mask);
                    }
                }
            }
            // `",".join(map(str, gpus))`
            Expr::Call(call) if last_name(&call.func) == Some("join") => {
                for argument in &call.arguments.args {
                    match argument {
                        Expr::Call(map) if last_name(&map.func) == Some("map") => {
                            for listed in map.arguments.args.iter().skip(1) {
                                self.collect(listed, As::Mask);
                            }
                        }
                        listed => self.collect(listed, As::Mask),
                    }
                }
            }
            value => self.collect(value, As::Mask),
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
                            && let Some(kind) = ends_as(&before.value, "")
                        {
                            self.collect(&value.expression, kind);
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
                let text = text_of(&operation.left);
                if let Some(kind) = text.and_then(|text| ends_as(text, hole)) {
                    self.collect(&operation.right, kind);
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
        let kind = if of_another || catalogue::speaks_of_other_device(name) {
            As::Other
        } else {
            As::Device
        };
        if kind == As::Other || DEVICE_CALLS.contains(&name) {
            if let Some(first) = arguments.args.first() {
                self.collect(first, kind);
            }
        } else if name == "format"
            && let Expr::Attribute(method) = &*call.func
            && let Some(kind) = text_of(&method.value).and_then(|text| ends_as(text, "{"))
        {
            for argument in &arguments.args {
                self.collect(argument, kind);
            }
        }
        for keyword in &arguments.keywords {
            let Some(key) = keyword.arg.as_deref() else {
                continue;
            };
            if RANK_KEYWORDS.contains(&key) {
                self.collect(&keyword.value, As::Other);
            } else if kind == As::Device
                && (DEVICE_KEYWORDS.contains(&key)
                    || (key == "device"
                        && !catalogue::is_other_device(name)
                        && !SOUNDS.contains(&name)))
            {
                self.collect(&keyword.value, As::Device);
            }
        }
    }
}

impl<'a> Visitor<'a> for Hints<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let assign = match statement {
            Stmt::Assign(assign) => assign,
            Stmt::AugAssign(counted) => {
                self.counters.extend(last_name(&counted.target));
                return walk_stmt(self, statement);
            }
            Stmt::For(each) => {
                self.counters.extend(last_name(&each.target));
                return walk_stmt(self, statement);
            }
            Stmt::FunctionDef(function) => {
                self.speaks(function.name.as_str());
                return walk_stmt(self, statement);
            }
            _ => return walk_stmt(self, statement),
        };
        if let [target] = assign.targets.as_slice()
            && let Expr::BinOp(operation) = &*assign.value
            && last_name(target).is_some_and(|name| last_name(&operation.left) == Some(name))
        {
            self.counters.extend(last_name(target));
        }
        let mut is_mask = false;
        for target in &assign.targets {
            is_mask |= matches!(target, Expr::Subscript(subscript)
                if text_of(&subscript.slice) == Some(MASK));
            self.visit_expr(target);
        }
        self.visit_value(&assign.value, is_mask);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.speaks(parameter.name.as_str());
        walk_parameter(self, parameter);
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        self.speaks(alias.name.as_str());
        walk_alias(self, alias);
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        if let Some(name) = &keyword.arg {
            self.speaks(name.as_str());
        }
        let is_mask = keyword.arg.as_deref() == Some(MASK);
        self.visit_value(&keyword.value, is_mask);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.speaks(name.id.as_str()),
            Expr::Attribute(attribute) => self.speaks(attribute.attr.as_str()),
            _ => {}
        }
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
                    let key = key.and_then(text_of);
                    // `{"device_id": self.card}`; a name alone may be any provider's.
                    let is_card = key.is_some_and(|key| key == "device_id" || key == "gpu_id");
                    if is_card && item.value.is_attribute_expr() {
                        self.collect(&item.value, As::Device);
                    }
                    self.visit_value(&item.value, key == Some(MASK));
                }
                return;
            }
            Expr::StringLiteral(text) => {
                self.speaks(text.value.to_str());
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
