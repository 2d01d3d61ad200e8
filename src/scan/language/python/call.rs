//! Calls: what is called decides what its arguments are.

use ruff_python_ast::{Expr, ExprCall, Keyword};

use super::place::{Place, Role, place_of_name, words_only};
use super::span_of;
use super::value::{Constant, computes, constants, kept};
use super::walk::Walker;
use super::words::{DECLARATIONS, DESCRIPTIONS, KEYED, collects_texts, last_part, rest_place};
use crate::scan::catalogue::{self, Api, DeviceText, Form, Uses, Where};

/// What is known of a call before its arguments are read.
struct Called<'p> {
    path: &'p str,
    api: Option<&'static Api>,
    /// What arguments without a meaning of their own are.
    rest: Place,
    /// A device argument names something that is not CUDA: numbers count something else.
    elsewhere: bool,
    /// What a default value in it is, where it takes one.
    default: Option<Place>,
    /// What `default=` is: by the option's name, where it is one.
    option: Place,
    /// Whether a key stands before the default.
    keyed: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn call(&mut self, expr: &'a Expr, call: &'a ExprCall, place: Place) {
        if self.computed(expr, call, place) {
            return;
        }
        let path = self.scopes.path(&call.func);
        if let Place::Device(role) = place
            && role.form == Form::Map
            && path == "dict"
        {
            return self.dict_call(call, place);
        }
        let method = match &*call.func {
            Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
            _ => None,
        };
        if matches!(place, Place::Compared) && path == "torch.device" {
            return;
        }
        if let Expr::Attribute(attribute) = &*call.func {
            self.expression(&attribute.value, Place::Compared);
        } else {
            self.expression(&call.func, Place::Compared);
        }
        if self.environment_call(call, &path) {
            return;
        }
        self.environment_of_others(call, &path);
        let api = catalogue::api(Some(&path), method);
        let last = method.unwrap_or(&path);
        let rest = if self.in_exception && path == "super().__init__" {
            Place::Message
        } else {
            rest_place(last, place)
        };
        let default = default_place(last, call, (place, rest));
        let option = match (call.arguments.find_keyword("default"), default) {
            (Some(_), default) => option_name(call).map_or(default.unwrap_or(rest), |option| {
                place_of_name(&option, true)
            }),
            (None, _) => rest,
        };
        let called = Called {
            path: &path,
            api,
            rest,
            option,
            default,
            keyed: KEYED.contains(&last_part(last)),
            elsewhere: self.names_another_device(call, api)
                || self.kind_is_open(call, &path)
                || catalogue::is_of_quantity(&path),
        };
        if let Some(api) = api
            && api.uses == Uses::Always
            && !called.elsewhere
            && !catalogue::starts_nothing(&path, is_switched_off(call))
        {
            self.uses(span_of(&*call.func), api.label);
        }
        let around = std::mem::take(&mut self.starts.names_cuda);
        self.arguments(call, &called);
        let names_cuda = std::mem::replace(&mut self.starts.names_cuda, around);
        if path == "torch.device" {
            self.starts.names_cuda |= names_cuda;
            return;
        }
        if let Place::Device(role) = place
            && api.is_none()
        {
            self.device_unknown(expr, role, &[Constant::Unknown]);
        }
        if !called.elsewhere && !catalogue::starts_nothing(&path, is_switched_off(call)) {
            self.call_starts(span_of(expr), &path, api, names_cuda);
        }
    }

    /// `str(…)`, `int(…)` and `"…".format(…)` are values, and so is `CARDS.get(…)` in a device's
    /// place, where they are known.
    fn computed(&mut self, expr: &'a Expr, call: &'a ExprCall, place: Place) -> bool {
        if computes(call) {
            let values = constants(expr, &self.scopes);
            if values.iter().all(|value| *value == Constant::Unknown) {
                return false;
            }
            self.value(expr, place);
        } else {
            let Place::Device(role) = place else {
                return false;
            };
            let Some(values) = kept(call, &self.scopes) else {
                return false;
            };
            self.device(expr, role, &values);
        }
        // What they are made of may call.
        for argument in &call.arguments.args {
            if !argument.is_literal_expr() {
                self.expression(argument, Place::Compared);
            }
        }
        true
    }

    fn arguments(&mut self, call: &'a ExprCall, called: &Called<'_>) {
        let collects = collects_texts(call);
        let mut counted = true;
        for (position, argument) in call.arguments.args.iter().enumerate() {
            counted &= !argument.is_starred_expr();
            let place = if counted {
                self.positional(position, called)
            } else {
                called.rest
            };
            let is_text = argument.is_string_literal_expr() || argument.is_f_string_expr();
            let place = match place {
                Place::Code if collects && is_text => Place::Compared,
                _ => place,
            };
            self.expression(argument, place);
        }
        for keyword in &call.arguments.keywords {
            if let Some(name) = &keyword.arg {
                self.environment_keyword(name.as_str(), keyword);
            }
            let place = self.keyword(keyword, called);
            self.expression(&keyword.value, place);
        }
    }

    fn positional(&self, position: usize, called: &Called<'_>) -> Place {
        if let Some(default) = called.default {
            return if called.keyed && position == 0 {
                Place::Compared
            } else {
                default
            };
        }
        let Some(api) = called.api else {
            return called.rest;
        };
        api.arguments
            .iter()
            .find(|argument| argument.position == Some(position))
            .map_or(called.rest, |argument| {
                Place::Device(self.role_in(api, argument.form, called.elsewhere))
            })
    }

    fn role_in(&self, api: &'static Api, form: Form, elsewhere: bool) -> Role {
        // `.to(1)` may be anything in a file without a GPU library.
        let numbers = !elsewhere && (self.imports.gpu || !api.path.starts_with('.'));
        Role {
            label: api.label,
            form: if numbers { form } else { words_only(form) },
            numbers,
        }
    }

    fn keyword(&self, keyword: &Keyword, called: &Called<'_>) -> Place {
        let Some(name) = keyword.arg.as_deref() else {
            return called.rest;
        };
        if DESCRIPTIONS.contains(&name) {
            return Place::Message;
        }
        let general = catalogue::keyword(name);
        if let Some(api) = called.api
            && let Some(argument) = api
                .arguments
                .iter()
                .find(|argument| argument.keyword == name)
        {
            let mut role = self.role_in(api, argument.form, called.elsewhere);
            // Only calls that are known by their own name keep it as the label.
            if let Some(general) = general
                && !api.path.starts_with("torch")
                && !api.path.starts_with('.')
            {
                role.label = general.label;
            }
            return Place::Device(role);
        }
        if let Some(general) = general {
            let gpu_call = catalogue::is_gpu_library(called.path) || self.imports.gpu;
            let numbers = match general.numbers {
                Where::Everywhere => true,
                Where::GpuCalls => {
                    let audio = self.imports.audio
                        && !catalogue::is_gpu_library(called.path)
                        && catalogue::sounds_like_audio(called.path);
                    gpu_call
                        && !called.elsewhere
                        && !audio
                        && !catalogue::is_other_device(called.path)
                }
            };
            return Place::Device(Role {
                label: general.label,
                form: if numbers {
                    general.form
                } else {
                    words_only(general.form)
                },
                numbers,
            });
        }
        if name == "default" {
            return called.option;
        }
        called.rest
    }

    /// Whether a `torch.device(kind, 0)` has a kind that is decided at run time: the number may
    /// be any device's.
    fn kind_is_open(&self, call: &'a ExprCall, path: &str) -> bool {
        path == "torch.device"
            && call.arguments.find_argument_value("index", 1).is_some()
            && call
                .arguments
                .find_argument_value("type", 0)
                .is_some_and(|kind| constants(kind, &self.scopes).contains(&Constant::Unknown))
    }

    /// Whether a device argument is sure to be something other than CUDA.
    fn names_another_device(&self, call: &'a ExprCall, api: Option<&'static Api>) -> bool {
        let is_other = |expr: &Expr, form: Form| {
            constants(expr, &self.scopes).iter().all(|value| {
                matches!(value, Constant::Text(text) if form.read(text) == DeviceText::Other)
            })
        };
        let by_row = api
            .into_iter()
            .flat_map(|api| api.arguments)
            .any(|argument| {
                let words = matches!(argument.form, Form::Device | Form::Text | Form::List);
                let given = argument
                    .position
                    .and_then(|position| call.arguments.find_positional(position))
                    .or_else(|| Some(&call.arguments.find_keyword(argument.keyword)?.value));
                words && given.is_some_and(|expr| is_other(expr, argument.form))
            });
        by_row
            || call
                .arguments
                .find_keyword("device")
                .is_some_and(|keyword| is_other(&keyword.value, Form::List))
    }
}

/// Whether a call says `enabled=False`.
fn is_switched_off(call: &ExprCall) -> bool {
    call.arguments.find_keyword("enabled").is_some_and(
        |keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value),
    )
}

/// What the default in `config.get("gpu_device_index", 1)` and `gpu_device_index = field(default=1)`
/// is; `None` for calls that take none.
fn default_place(path: &str, call: &ExprCall, (place, rest): (Place, Place)) -> Option<Place> {
    let last = last_part(path);
    if KEYED.contains(&last) {
        return Some(match (place, call.arguments.args.first()) {
            (Place::Message, _) => rest,
            (Place::Device(_), _) => place,
            (_, Some(Expr::StringLiteral(key))) => place_of_name(key.value.to_str(), true),
            _ => rest,
        });
    }
    match place {
        Place::Device(_) if DECLARATIONS.contains(&last) => Some(place),
        _ => None,
    }
}

/// The name of a command line option: `--gpu-device-index` as `gpu_device_index`.
fn option_name(call: &ExprCall) -> Option<String> {
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
