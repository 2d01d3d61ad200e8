//! Numbers under names that hold a card: parameters, options, fields, variables and attributes.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Parameter, Parameters, Stmt, UnaryOp};

use super::hint_words::{MaskName, names_gpu};
use super::place::{Place, Role};
use super::walk::{Imports, Walker};
use crate::scan::catalogue::{self, Evidence, Form, Help, Where};

/// The label of masks that are written as defaults.
pub(super) const MASK_LABEL: &str = "CUDA_VISIBLE_DEVICES";

/// Names that hold a mask in any file.
const MASKS: &[&str] = &["cuda_visible_devices", "visible_gpu", "visible_gpus"];

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is a parameter with a default.
    Default,
    /// It is a field of a class, with a default.
    Field,
    /// It is an option of the command line, with a default.
    Option,
    /// It is given a value: a variable, an attribute.
    Given,
}

impl<'a> Walker<'a> {
    /// What a number under a name is, where it is a card.
    pub(super) fn card_by_name(&mut self, name: &str, stand: Stand, help: Help) -> Option<Role> {
        let choice = catalogue::option(&name.to_ascii_lowercase())?;
        let imports = self.imports;
        let in_other_place = self.in_other_place();
        let hints = self.hints();
        if help == Help::Other || hints.mask_is_open || hints.is_counter(name) {
            return None;
        }
        let about_gpus = imports.gpu || hints.speaks_of_gpu;
        let is_used = hints.is_device(name);
        let among_others =
            in_other_place || hints.is_other(name) || (imports.without_cards && !is_used);
        let counts = help == Help::Index
            || match (choice.needs, stand) {
                (Evidence::Name, _) => true,
                (Evidence::File, Stand::Default) => {
                    // PyTorch alone runs anywhere: something must speak of a GPU.
                    (hints.speaks_of_gpu || imports.gpu && is_used) && !among_others
                }
                // A bare `device` may be anything that is counted by device.
                (Evidence::File, Stand::Field) => {
                    let is_index = choice.name != "device" || imports.gpu || is_used;
                    about_gpus && is_index && !among_others
                }
                (Evidence::File, Stand::Option) => {
                    // A bare `device` is a word such as `cpu` as often.
                    let is_index = choice.name != "device" && imports.gpu;
                    (is_index || choice.name.starts_with("gpu") || about_gpus && is_used)
                        && !among_others
                }
                (Evidence::File, Stand::Given) | (Evidence::Use, _) => {
                    about_gpus && is_used && !among_others
                }
            };
        counts.then_some(Role {
            label: choice.label,
            form: choice.form,
            numbers: true,
        })
    }

    /// What a default under a name is that the mask is made of.
    pub(super) fn mask_by_name(&mut self, name: &str) -> Option<Role> {
        let is_mask = is_name_of_mask(name)
            || (self.mask_name == MaskName::Mentioned && self.hints().is_mask(name));
        is_mask.then_some(Role {
            label: MASK_LABEL,
            form: Form::Mask,
            numbers: true,
        })
    }

    /// What the default of a parameter is. Beside a default that says CPU, a number chooses no
    /// card unless its name says so.
    pub(super) fn place_of_parameter(
        &mut self,
        parameter: &'a Parameter,
        (is_cpu, body): (bool, &[Stmt]),
    ) -> Place {
        let name = parameter.name.as_str();
        if let Some(role) = self.mask_by_name(name)
            && !is_replaced(name, body)
        {
            return Place::Device(role);
        }
        if is_cpu && catalogue::option(name).is_some_and(|choice| choice.needs != Evidence::Name) {
            return self.place_of_key(name);
        }
        match self.card_by_name(name, Stand::Default, Help::Silent) {
            Some(_) if is_replaced(name, body) || is_switch(name, body) => Place::Code,
            Some(role) => Place::Device(role),
            None => self.place_of_key(name),
        }
    }

    /// What the default is of something that is looked up by a name: `config.get("device_id", 0)`.
    /// Where the name says nothing, it is what the `place` says.
    pub(super) fn place_of_looked_up(&mut self, name: &str, place: Place) -> Place {
        let by_key = self.place_of_key(name);
        if matches!(by_key, Place::Device(Role { numbers: true, .. })) {
            return by_key;
        }
        // A variable of a cluster's or a container's: whose device, it does not say.
        let is_open = name == name.to_ascii_uppercase() && !names_gpu(name);
        // Much is looked up by device; under a bare `device` it must be used as a card.
        let stand = if name == "device" {
            Stand::Given
        } else {
            Stand::Field
        };
        let card = (!is_open).then(|| self.card_by_name(name, stand, Help::Silent));
        match (card.flatten(), place) {
            (Some(role), _) => Place::Device(role),
            (None, Place::Device(_)) => place,
            (None, _) => by_key,
        }
    }

    /// What a variable or attribute is that is given a value.
    pub(super) fn place_of_given(&mut self, name: &'a str, value: &Expr) -> Option<Place> {
        if !holds_number(value) {
            return None;
        }
        if is_name_of_mask(name) && !self.hints().is_mask(name) {
            return self.mask_by_name(name).map(Place::Device);
        }
        let role = self.card_by_name(name, Stand::Given, Help::Silent)?;
        self.judged.names.insert(name);
        Some(Place::Device(role))
    }

    /// Whether a bare number under a general keyword is a card in a call of `path`.
    pub(super) fn numbers_count(&mut self, place: Where, path: &str) -> bool {
        let gpu_library = catalogue::is_gpu_library(path);
        let unknown = |imports: Imports| {
            let audio = imports.audio && catalogue::sounds_like_audio(path);
            gpu_library || (!audio && !catalogue::is_other_device(path))
        };
        match place {
            Where::Everywhere => true,
            Where::GpuLibraries => gpu_library,
            Where::GpuCalls => {
                unknown(self.imports)
                    && (gpu_library || self.imports.gpu)
                    && !catalogue::is_other_device(path)
            }
            Where::GpuIds => {
                unknown(self.imports)
                    && (gpu_library || self.imports.gpu)
                    && !self.imports.without_cards
                    && !catalogue::holds_data(path)
                    && !catalogue::speaks_of_other_device(path)
            }
            Where::Calls if !self.imports.gpu => {
                unknown(self.imports)
                    && (gpu_library || !catalogue::holds_data(path) && !self.hints().mask_is_open)
            }
            Where::Calls | Where::GpuFiles => {
                unknown(self.imports) && (gpu_library || self.counts_cards())
            }
        }
    }

    /// Whether the function or class around is for something other than cards.
    fn in_other_place(&self) -> bool {
        self.around
            .iter()
            .any(|name| catalogue::speaks_of_other_device(name) || catalogue::is_for_cpu(name))
    }
}

fn is_name_of_mask(name: &str) -> bool {
    MASKS.iter().any(|mask| name.eq_ignore_ascii_case(mask))
}

/// Whether a default says that the CPU or another accelerator is meant, or counts CPUs.
pub(super) fn says_cpu(parameters: &Parameters) -> bool {
    let is_other =
        |word: &str| word.eq_ignore_ascii_case("cpu") || catalogue::speaks_of_other_device(word);
    let says = |name: &str, default: &Expr| match default {
        Expr::StringLiteral(text) => is_other(text.value.to_str()),
        Expr::Attribute(attribute) => is_other(attribute.attr.as_str()),
        Expr::NumberLiteral(_) => is_count_of_cpus(name),
        _ => false,
    };
    parameters.iter_non_variadic_params().any(|parameter| {
        let default = parameter.default();
        default.is_some_and(|default| says(parameter.name().as_str(), default))
    })
}

/// Whether a name is a number of CPUs: beside it, `gpu=1` is a number of cards.
fn is_count_of_cpus(name: &str) -> bool {
    ["cpu", "cpus", "n_cpus", "ncpus", "num_cpus"].contains(&name)
}

/// Whether a body gives a name another value before it reads it.
fn is_replaced(name: &str, body: &[Stmt]) -> bool {
    let mut mention = Mention::of(name);
    let first = body.iter().find(|statement| {
        mention.visit_stmt(statement);
        mention.found
    });
    let Some(Stmt::Assign(assign)) = first else {
        return false;
    };
    let mut mention = Mention::of(name);
    mention.visit_expr(&assign.value);
    let [Expr::Name(target)] = assign.targets.as_slice() else {
        return false;
    };
    target.id == name && !mention.found
}

/// Whether a body asks whether a parameter that may be a number of cards, or a card, is set at
/// all: `if gpu:`. Card 0 would not be.
fn is_switch(name: &str, body: &[Stmt]) -> bool {
    let may_switch = catalogue::option(name).is_some_and(|choice| choice.needs == Evidence::Use);
    may_switch
        && body.iter().any(|statement| {
            let Stmt::If(statement) = statement else {
                return false;
            };
            let test = match &*statement.test {
                Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => &*unary.operand,
                test => test,
            };
            matches!(test, Expr::Name(tested) if tested.id == name)
        })
}

/// Looks for a name.
struct Mention<'n> {
    name: &'n str,
    found: bool,
    /// How many expressions are looked at yet: many names must not cost the square of a file.
    left: u32,
}

impl<'n> Mention<'n> {
    const MOST: u32 = 2_000;

    fn of(name: &'n str) -> Self {
        Self {
            name,
            found: false,
            left: Self::MOST,
        }
    }
}

impl Visitor<'_> for Mention<'_> {
    fn visit_stmt(&mut self, statement: &Stmt) {
        if !self.found {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expr: &Expr) {
        self.left = self.left.saturating_sub(1);
        // Who looks no further takes it for mentioned.
        self.found |= self.left == 0;
        self.found |= matches!(expr, Expr::Name(name) if name.id == self.name);
        if !self.found {
            walk_expr(self, expr);
        }
    }
}

/// Whether a value is a number, or a list or choice with one, and nothing that is computed.
fn holds_number(value: &Expr) -> bool {
    match value {
        Expr::NumberLiteral(_) => true,
        Expr::StringLiteral(text) => {
            let text = text.value.to_str();
            text.starts_with(|first: char| first.is_ascii_digit())
        }
        Expr::List(list) => list.elts.iter().any(Expr::is_number_literal_expr),
        Expr::Tuple(tuple) => tuple.elts.iter().any(Expr::is_number_literal_expr),
        Expr::If(choice) => {
            let is_plain = |arm: &Expr| {
                arm.is_number_literal_expr() || arm.is_list_expr() || arm.is_string_literal_expr()
            };
            is_plain(&choice.body) || is_plain(&choice.orelse)
        }
        _ => false,
    }
}
