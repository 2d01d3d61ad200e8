//! What a value is, by where it stands and by the name it is given.

use ruff_python_ast::Expr;

use super::walk::Walker;
use crate::scan::catalogue::{self, Evidence, Form, Where};

/// What a value is, by where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Code like any other: a whole `"cuda:1"` is a device here.
    Code,
    /// Told to a person: nothing in it is a device, whatever it is wrapped in.
    Message,
    /// Compared, searched for, a key: not a device, but calls inside are code again.
    Compared,
    /// A device.
    Device(Role),
}

/// How a value says which device, and under which label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Role {
    pub(super) label: &'static str,
    pub(super) form: Form,
    /// Whether a bare number is an index.
    pub(super) numbers: bool,
}

/// The label of a `"cuda:1"` that stands by itself.
const DEVICE_TEXT: &str = "cuda:N";

/// What a variable, attribute or key is by its name. A bare number counts only where the name
/// can mean nothing but a GPU; `as_argument` says that the name is a parameter or key, whose
/// label is that of the keyword.
pub(super) fn place_of_name(name: &str, as_argument: bool) -> Place {
    let name = name.to_ascii_lowercase();
    let row = if name.ends_with("_device_map") {
        "device_map"
    } else {
        &name
    };
    if let Some(keyword) = catalogue::keyword(row) {
        let everywhere = keyword.numbers == Where::Everywhere;
        return Place::Device(Role {
            label: if as_argument || everywhere || keyword.numbers.is_kept() {
                keyword.label
            } else {
                DEVICE_TEXT
            },
            form: if everywhere {
                keyword.form
            } else {
                keyword.form.words_only()
            },
            numbers: everywhere,
        });
    }
    if catalogue::is_of_scheduler(&name) {
        return Place::Compared;
    }
    // `VLLM_TARGET_DEVICE = "cuda"` says what is built.
    if name.ends_with("device") && !name.ends_with("_target_device") {
        return Place::Device(DEVICE_NAME);
    }
    Place::Code
}

const DEVICE_NAME: Role = Role {
    label: DEVICE_TEXT,
    form: Form::Text,
    numbers: false,
};

/// The role of `device_id` among the options of ONNX Runtime's CUDA provider.
pub(super) const PROVIDER_CARD: Role = Role {
    label: "onnxruntime",
    form: Form::List,
    numbers: true,
};

/// The role of a `"cuda:1"` anywhere in code.
pub(super) const ANYWHERE: Role = DEVICE_NAME;

impl<'a> Walker<'a> {
    /// What is assigned to a target.
    pub(super) fn place_of_target(&mut self, target: &'a Expr, value: &Expr) -> Place {
        match target {
            Expr::Name(name) => self
                .place_of_given(name.id.as_str(), value)
                .unwrap_or_else(|| place_of_name(&name.id, false)),
            Expr::Attribute(attribute) => {
                let name = attribute.attr.as_str();
                if name == "device"
                    && let Some(property) = catalogue::property(&self.scopes.path(target))
                {
                    return Place::Device(Role {
                        label: property.path,
                        form: property.form,
                        numbers: true,
                    });
                }
                if let Some(place) = self.place_of_given(name, value) {
                    return place;
                }
                match self.place_of_key(name) {
                    place @ Place::Device(Role { numbers: true, .. }) if self.is_card(name) => {
                        place
                    }
                    _ => place_of_name(name, false),
                }
            }
            Expr::Subscript(subscript) => match &*subscript.slice {
                // The value of a variable that selects cards is no device by itself.
                Expr::StringLiteral(key) if catalogue::variable(key.value.to_str()).is_some() => {
                    Place::Compared
                }
                Expr::StringLiteral(key) => self.place_of_key(key.value.to_str()),
                _ => Place::Code,
            },
            _ => Place::Code,
        }
    }

    /// Whether an attribute of this name is a card, and no rank or counter.
    fn is_card(&mut self, name: &str) -> bool {
        let is_named = catalogue::option(name).is_none_or(|choice| choice.needs == Evidence::Name);
        let hints = self.hints();
        !hints.is_counter(name) && (is_named || hints.is_device(name))
    }

    /// What a key's or an attribute's value is by its name.
    pub(super) fn place_of_key(&mut self, name: &str) -> Place {
        let lower = name.to_ascii_lowercase();
        // `render_gpu_ids` is a `gpu_ids`.
        let whole = catalogue::keyword(&lower).or_else(|| {
            let choice = catalogue::option(&lower)?;
            (choice.needs == Evidence::Name).then(|| catalogue::keyword(choice.name))?
        });
        match whole {
            Some(keyword) if keyword.numbers.is_kept() && self.counts_cards() => {
                Place::Device(Role {
                    label: keyword.label,
                    form: keyword.form,
                    numbers: true,
                })
            }
            _ => place_of_name(name, true),
        }
    }
}
