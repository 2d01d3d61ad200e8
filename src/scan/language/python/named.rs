//! Numbers under names that hold a card: parameters, options, fields, variables and attributes.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Number, Parameter, Parameters, Stmt, UnaryOp};

use super::hint_words::{MaskName, names_gpu};
use super::place::{Place, Role};
use super::rank::is_rank;
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

    /// What the default of an option is whose name says nothing, but whose value is put where a
    /// card stands: `--idx`, then `set_device(args.idx)`.
    pub(super) fn card_by_use(&mut self, name: &str, help: Help) -> Option<Role> {
        /// Words of options that also stand in `.to(…)`, or count processes.
        const OTHERS: &[&str] = &["dtype", "precision", "fp", "bits", "size", "world", "node"];
        if help == Help::Other || !self.imports.gpu || catalogue::option(name).is_some() {
            return None;
        }
        let mut words = name.split('_');
        let is_other = is_rank(name) || words.any(|word| OTHERS.contains(&word));
        let in_other_place = self.in_other_place();
        let hints = self.hints();
        let counts = !is_other
            && !in_other_place
            && !hints.mask_is_open
            && hints.is_device(name)
            && !hints.is_counter(name)
            && !hints.is_other(name);
        counts.then_some(Role {
            label: "device=",
            form: Form::Index,
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
        let role = match self.card_by_name(name, Stand::Given, Help::Silent) {
            Some(role) => role,
            None => self.cards_by_list(name, value)?,
        };
        self.judged.names.insert(name);
        Some(Place::Device(role))
    }

    /// What a list of numbers under a name of GPUs is: nobody counts them by a list.
    pub(super) fn cards_by_list(&mut self, name: &str, value: &Expr) -> Option<Role> {
        let choice = catalogue::option(&name.to_ascii_lowercase())?;
        let is_gpu = names_gpu(choice.name);
        let counts = is_gpu && lists_cards(value) && !self.hints().mask_is_open;
        counts.then_some(Role {
            label: choice.label,
            form: choice.form,
            numbers: true,
        })
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

fn is_number_or_text(element: &Expr) -> bool {
    element.is_number_literal_expr() || holds_number(element)
}

/// Whether a value lists cards, the first of them among them: `[0]`, `("0", "1")`, `"0,1"`. A
/// list such as `[1, 2, 4]` may be what is to be tried.
fn lists_cards(value: &Expr) -> bool {
    let elements = match value {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::StringLiteral(text) => {
            let mut parts = text.value.to_str().split(',').map(str::trim);
            let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            return parts.clone().count() > 1
                && parts
                    .clone()
                    .all(|part| !part.is_empty() && is_number(part))
                && parts.any(|part| part == "0");
        }
        _ => return false,
    };
    let is_first = |element: &Expr| match element {
        Expr::NumberLiteral(number) => {
            matches!(&number.value, Number::Int(int) if *int == 0)
        }
        Expr::StringLiteral(text) => text.value.to_str() == "0",
        _ => false,
    };
    elements.iter().all(Expr::is_literal_expr) && elements.iter().any(is_first)
}

/// Whether a value is a number, or a list or choice with one, and nothing that is computed.
fn holds_number(value: &Expr) -> bool {
    match value {
        Expr::NumberLiteral(_) => true,
        Expr::StringLiteral(text) => {
            let text = text.value.to_str();
            text.starts_with(|first: char| first.is_ascii_digit())
        }
        Expr::List(list) => list.elts.iter().any(is_number_or_text),
        Expr::Tuple(tuple) => tuple.elts.iter().any(is_number_or_text),
        Expr::If(choice) => {
            let is_plain = |arm: &Expr| {
                arm.is_number_literal_expr() || arm.is_list_expr() || arm.is_string_literal_expr()
            };
            is_plain(&choice.body) || is_plain(&choice.orelse)
        }
        _ => false,
    }
}
