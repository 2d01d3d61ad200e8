//! Options of the command line and fields of configuration classes: whether their default is a
//! card.

use ruff_python_ast::{Expr, ExprCall, Number};

use super::hints::Hints;
use super::named::Stand;
use super::place::{Place, place_of_name};
use super::walk::Walker;
use crate::scan::catalogue::{self, Evidence, Help};

impl<'a> Walker<'a> {
    /// What the whole file says about its names; looked through when first needed.
    pub(super) fn hints(&mut self) -> &Hints<'a> {
        let module = self.module;
        self.hints.get_or_insert_with(|| Hints::of(module))
    }

    /// Whether a number by a card's name counts: the file uses a GPU library, and does not make
    /// the mask of such numbers.
    pub(super) fn counts_cards(&mut self) -> bool {
        self.imports.gpu && !self.hints().mask_is_open
    }

    /// What the default of an option is.
    pub(super) fn place_of_option(&mut self, name: &str, call: &ExprCall) -> Place {
        let help = call
            .arguments
            .find_keyword("help")
            .map(|keyword| &keyword.value)
            .or_else(|| call.arguments.find_positional(2));
        let read = |text: Option<&Expr>| match text {
            Some(Expr::StringLiteral(text)) => catalogue::help(text.value.to_str()),
            _ => Help::Silent,
        };
        let metavar = call.arguments.find_keyword("metavar");
        let help = match (read(help), read(metavar.map(|keyword| &keyword.value))) {
            // `metavar="GPU_ID"`
            (Help::Silent, Help::Index) => Help::Index,
            (help, _) => help,
        };
        let help = if is_switch(name, call) {
            Help::Other
        } else {
            help
        };
        self.place_of_choice(name, help)
    }

    /// What is assigned to a target with a type: in a class, the default of a field.
    pub(super) fn place_of_declared(&mut self, target: &'a Expr, value: &Expr) -> Place {
        match target {
            Expr::Name(name) if self.scopes.in_class() => self.place_of_field(name.id.as_str()),
            _ => self.place_of_target(target, value),
        }
    }

    fn place_of_field(&mut self, name: &'a str) -> Place {
        if let Some(role) = self.mask_by_name(name) {
            return Place::Device(role);
        }
        match self.card_by_name(name, Stand::Field, Help::Silent) {
            Some(role) => {
                self.judged.names.insert(name);
                Place::Device(role)
            }
            None => place_of_name(name, false),
        }
    }

    fn place_of_choice(&mut self, name: &str, help: Help) -> Place {
        let role = match self.mask_by_name(name) {
            Some(role) if help != Help::Other => Some(role),
            _ => self
                .card_by_name(name, Stand::Option, help)
                .or_else(|| self.card_by_use(name, help)),
        };
        role.map_or_else(|| place_of_name(name, true), Place::Device)
    }
}

/// Whether an option such as `--gpu` is on or off: `choices=[0, 1]`.
fn is_switch(name: &str, call: &ExprCall) -> bool {
    let Some(choices) = call.arguments.find_keyword("choices") else {
        return false;
    };
    let choices: Vec<&Expr> = match &choices.value {
        Expr::List(list) => list.elts.iter().collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        _ => return false,
    };
    let is = |expr: &Expr, digit: u8| {
        matches!(expr, Expr::NumberLiteral(number)
            if matches!(&number.value, Number::Int(int) if *int == digit))
    };
    let on_or_off = matches!(choices[..], [off, on] if is(off, 0) && is(on, 1));
    let may_switch = catalogue::option(name).is_some_and(|choice| choice.needs == Evidence::Use);
    on_or_off && may_switch
}

/// The name of a command line option: `--gpu-device-index` as `gpu_device_index`.
pub(super) fn option_name(call: &ExprCall) -> Option<String> {
    call.arguments
        .args
        .iter()
        .find_map(|argument| match argument {
            Expr::StringLiteral(text) => text
                .value
                .to_str()
                .strip_prefix("--")
                .map(|name| name.replace('-', "_")),
            _ => None,
        })
}

/// The name of an absl or `TensorFlow` flag: `DEFINE_integer("gpu", 0, "help")`.
pub(super) fn flag_name<'c>(last: &str, call: &'c ExprCall) -> Option<&'c str> {
    match call.arguments.args.first() {
        Some(Expr::StringLiteral(name)) if last.starts_with("DEFINE_") => Some(name.value.to_str()),
        _ => None,
    }
}
