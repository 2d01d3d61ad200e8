//! Calls: what is called decides what its arguments are.

use ruff_python_ast::{Expr, ExprCall, Keyword};

use super::option::{flag_name, option_name};
use super::place::{Place, Role};
use super::rank::asks_for_rank;
use super::span_of;
use super::value::{Constant, computes, constants, counted_out, kept};
use super::walk::Walker;
use super::words::{
    DECLARATIONS, DESCRIPTIONS, called_name, collects_texts, is_lookup, is_switched_off,
    keys_before_default, last_part, rest_place,
};
use crate::scan::catalogue::{self, Api, Argument, DeviceText, Evidence, Form, Uses, Where};

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
    /// How many arguments stand before the default: a key, and for `getattr` an object.
    keys: usize,
}

impl<'a> Walker<'a> {
    pub(super) fn call(&mut self, expr: &'a Expr, call: &'a ExprCall, place: Place) {
        if self.computed(expr, call, place) {
            return;
        }
        let path = self.scopes.path(&call.func);
        if let Place::Device(role) = place {
            match (path.as_str(), &*call.arguments.args) {
                ("dict", _) if role.form.is_map() => return self.dict_call(call, place),
                // The default is a text, and stands for a number.
                ("int", [text @ Expr::Call(inner)])
                    if matches!(role.form, Form::Device | Form::Index)
                        && is_lookup(called_name(inner), inner) =>
                {
                    let form = Form::List;
                    return self.expression(text, Place::Device(Role { form, ..role }));
                }
                _ => {}
            }
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
        self.command_call(call, &path);
        self.environment_of_others(call, &path);
        let switched_off = is_switched_off(call);
        let api = catalogue::api(Some(&path), method)
            .filter(|api| !catalogue::starts_nothing(api.path, switched_off));
        let last = method.unwrap_or(&path);
        let rest = if self.in_exception && path == "super().__init__" {
            Place::Message
        } else {
            rest_place(last, place)
        };
        let called = Called {
            path: &path,
            api,
            rest,
            default: self.default_place(last, call, (place, rest)),
            keys: keys_before_default(last_part(last), call),
            elsewhere: self.names_another_device(call, api)
                || self.kind_is_open(call, api)
                || catalogue::is_of_quantity(&path),
        };
        if let Some(api) = api
            && api.uses == Uses::Always
            && !called.elsewhere
            && !catalogue::starts_nothing(&path, switched_off)
            && !self.acts_on_given(call, api)
        {
            if catalogue::only_asks(&path) {
                self.asks(span_of(&*call.func), api.label);
            } else {
                self.uses(span_of(&*call.func), api.label);
            }
        }
        if let Some(api) = api
            && let Some(all) = &api.all
            && !called.elsewhere
        {
            self.calls_all(call, api, all);
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
        if !called.elsewhere && !catalogue::starts_nothing(&path, switched_off) {
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
            let of_list = || {
                let form = role.form.element().filter(|_| role.numbers)?;
                Some((counted_out(call, &self.scopes)?, form))
            };
            let (values, form) = match kept(call, &self.scopes) {
                Some(values) => (values, role.form),
                None => match of_list() {
                    Some(found) => found,
                    None => return false,
                },
            };
            self.device(expr, Role { form, ..role }, &values);
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
                self.positional(position, call, called)
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
            let place = self.keyword(keyword, call, called);
            self.expression(&keyword.value, place);
        }
    }

    fn positional(&self, position: usize, call: &ExprCall, called: &Called<'_>) -> Place {
        if let Some(default) = called.default {
            return if position < called.keys {
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
            .find(|argument| argument.position == Some(position) && is_meant(argument.form, call))
            .map_or(called.rest, |argument| {
                Place::Device(self.role_in(api, argument.form, call, called.elsewhere))
            })
    }

    fn role_in(&self, api: &'static Api, form: Form, call: &ExprCall, elsewhere: bool) -> Role {
        // `.to(1)` may be anything in a file without a GPU library.
        let is_known = !api.path.starts_with('.') || api.is_unmistakable();
        let numbers = !elsewhere && (self.imports.gpu || is_known);
        let form = limited(form, call);
        Role {
            label: api.label,
            form: if numbers { form } else { form.words_only() },
            numbers,
        }
    }

    fn keyword(&mut self, keyword: &Keyword, call: &ExprCall, called: &Called<'_>) -> Place {
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
                .find(|argument| argument.keyword == name && is_meant(argument.form, call))
        {
            let mut role = self.role_in(api, argument.form, call, called.elsewhere);
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
            let numbers = !called.elsewhere && self.numbers_count(general.numbers, called.path);
            let form = limited(general.form, call);
            return Place::Device(Role {
                label: general.label,
                form: if numbers { form } else { form.words_only() },
                numbers,
            });
        }
        if let Some(choice) = catalogue::option(name)
            && choice.needs == Evidence::Name
            && !called.elsewhere
            && self.numbers_count(Where::Calls, called.path)
        {
            return Place::Device(Role {
                label: choice.label,
                form: choice.form,
                numbers: true,
            });
        }
        if catalogue::is_of_scheduler(name) {
            return Place::Compared;
        }
        if name == "default" {
            return match (option_name(call), called.default) {
                (Some(option), _) => self.place_of_option(&option, call),
                (None, Some(default)) => default,
                (None, None) => called.rest,
            };
        }
        called.rest
    }

    /// Whether a number stands beside a kind of device that is decided at run time, as in
    /// `torch.device(kind, 0)`: it may be any device's.
    fn kind_is_open(&self, call: &'a ExprCall, api: Option<&'static Api>) -> bool {
        let is_open = |kind: &Expr| constants(kind, &self.scopes).contains(&Constant::Unknown);
        let by_row = api.filter(|api| api.needs_kind()).is_some_and(|api| {
            let given = |row: &Argument| {
                let by_place = row
                    .position
                    .and_then(|position| call.arguments.find_positional(position));
                by_place.or_else(|| Some(&call.arguments.find_keyword(row.keyword)?.value))
            };
            let mut numbers = api.arguments.iter().filter(|row| row.form == Form::Index);
            let mut kinds = api.arguments.iter().filter(|row| row.form.names_kind());
            numbers.any(|row| given(row).is_some())
                && kinds.any(|row| given(row).is_some_and(is_open))
        });
        by_row
            || call
                .arguments
                .find_keyword("device_type")
                .is_some_and(|kind| {
                    let values = constants(&kind.value, &self.scopes);
                    values.iter().any(|value| {
                        !matches!(value, Constant::Text(text)
                        if Form::Kind.read(text) == DeviceText::Cuda)
                    })
                })
    }

    /// What the default in `config.get("gpu_device_index", 1)`, `gpu_device_index =
    /// field(default=1)` and `DEFINE_integer("gpu_id", 1)` is; `None` for calls that take none.
    fn default_place(
        &mut self,
        path: &str,
        call: &ExprCall,
        (place, rest): (Place, Place),
    ) -> Option<Place> {
        let last = last_part(path);
        if is_lookup(last, call) {
            let key = keys_before_default(last, call) - 1;
            return Some(match (place, call.arguments.args.get(key)) {
                (Place::Message, _) => rest,
                (Place::Device(_), _) if asks_for_rank(call) => rest,
                (Place::Device(Role { numbers: true, .. }), _) => place,
                (_, Some(Expr::StringLiteral(key))) => {
                    self.place_of_looked_up(key.value.to_str(), place)
                }
                (Place::Device(_), _) => place,
                _ => rest,
            });
        }
        if let Some(flag) = flag_name(last, call) {
            return Some(self.place_of_option(flag, call));
        }
        if !DECLARATIONS.contains(&last) {
            return None;
        }
        match (place, option_name(call)) {
            (Place::Device(_), _) => Some(place),
            (_, Some(option)) => Some(self.place_of_option(&option, call)),
            (_, None) => None,
        }
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
                let words = argument.form.names_kind();
                let given = argument
                    .position
                    .and_then(|position| call.arguments.find_positional(position))
                    .or_else(|| Some(&call.arguments.find_keyword(argument.keyword)?.value));
                words && given.is_some_and(|expr| is_other(expr, argument.form))
            });
        by_row
            || names_no_cuda(call)
            || call
                .arguments
                .find_keyword("device")
                .is_some_and(|keyword| is_other(&keyword.value, Form::List))
    }
}

/// Whether an argument of this form is one in this call.
fn is_meant(form: Form, call: &ExprCall) -> bool {
    match form {
        Form::After(word) => matches!(call.arguments.args.first(),
            Some(Expr::StringLiteral(text)) if text.value.to_str() == word),
        _ => true,
    }
}

/// A map beside `max_memory` spreads over the cards that are named there.
fn limited(form: Form, call: &ExprCall) -> Form {
    let is_limited = || {
        let limit = call.arguments.find_keyword("max_memory");
        limit.is_some_and(|limit| !limit.value.is_none_literal_expr())
    };
    match form {
        Form::Map if is_limited() => Form::LimitedMap,
        other => other,
    }
}

/// Whether `providers` lists some, and none of them is CUDA's.
fn names_no_cuda(call: &ExprCall) -> bool {
    let Some(providers) = call.arguments.find_keyword("providers") else {
        return false;
    };
    let Expr::List(list) = &providers.value else {
        return false;
    };
    !list.elts.is_empty()
        && list.elts.iter().all(|provider| {
            let name = match provider {
                Expr::Tuple(pair) => pair.elts.first(),
                other => Some(other),
            };
            matches!(name, Some(Expr::StringLiteral(name))
                if Form::Providers.read(name.value.to_str()) != DeviceText::Cuda)
        })
}
