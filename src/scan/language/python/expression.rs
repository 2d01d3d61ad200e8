//! Goes through expressions, with the place each value stands in.

use ruff_python_ast::{Comprehension, Expr, ExprCall, ExprDict, ExprFString, ExprLambda, ExprName};

use super::judged::is_named;
use super::place::{ANYWHERE, PROVIDER_CARD, Place, Role};
use super::span_of;
use super::value::{Constant, constants};
use super::walk::Walker;
use crate::scan::catalogue::{self, DeviceText, Form};
use crate::text::Span;

impl<'a> Walker<'a> {
    pub(super) fn expression(&mut self, expr: &'a Expr, place: Place) {
        if let Place::Device(role) = place {
            if role.numbers && matches!(expr, Expr::Call(_) | Expr::Subscript(_)) {
                self.counted_by_nvml(expr, span_of(expr), role.label);
            }
            if self.special(expr, role) {
                return;
            }
        }
        match expr {
            Expr::StringLiteral(_) | Expr::NumberLiteral(_) => self.value(expr, place),
            Expr::Name(name) => self.name(expr, name, place),
            Expr::FString(text) => {
                self.value(expr, place);
                self.interpolations(text, place);
            }
            Expr::BinOp(_) => {
                self.value(expr, place);
                self.operands(expr, place);
            }
            Expr::UnaryOp(unary) => {
                self.value(expr, place);
                self.expression(&unary.operand, inner(place));
            }
            Expr::If(choice) => self.choice(choice, place),
            Expr::BoolOp(operation) => self.alternatives(operation, place),
            Expr::Compare(compare) => {
                self.expression(&compare.left, Place::Compared);
                self.all(&compare.comparators, Place::Compared);
            }
            Expr::Call(call) => self.call(expr, call, place),
            Expr::Dict(dict) => self.dict(dict, place),
            Expr::List(list) => self.elements(&list.elts, place),
            Expr::Tuple(tuple) => self.elements(&tuple.elts, place),
            Expr::Set(set) => self.all(&set.elts, element(place)),
            Expr::Named(named) => self.expression(&named.value, place),
            Expr::Await(inner) => self.expression(&inner.value, place),
            Expr::Starred(inner) => self.expression(&inner.value, place),
            Expr::YieldFrom(inner) => self.expression(&inner.value, Place::Code),
            Expr::Yield(inner) => {
                if let Some(value) = &inner.value {
                    self.expression(value, Place::Code);
                }
            }
            Expr::Attribute(attribute) => {
                self.value(expr, place);
                self.expression(&attribute.value, inner(place));
            }
            Expr::Subscript(subscript) => {
                self.picked(subscript, place);
                self.value(expr, place);
                self.expression(&subscript.value, inner(place));
                self.expression(&subscript.slice, Place::Compared);
            }
            Expr::Lambda(lambda) => self.lambda(lambda),
            Expr::ListComp(list) => self.comprehension(&[&list.elt], &list.generators),
            Expr::SetComp(set) => self.comprehension(&[&set.elt], &set.generators),
            Expr::Generator(generator) => {
                self.comprehension(&[&generator.elt], &generator.generators);
            }
            Expr::IpyEscapeCommand(command) => self.escaped(span_of(command)),
            Expr::DictComp(dict) => self.comprehension(&[&dict.value], &dict.generators),
            _ => {}
        }
    }

    fn elements(&mut self, elements: &'a [Expr], place: Place) {
        if !self.provider(elements, place) {
            self.all(elements, element(place));
        }
    }

    fn all(&mut self, exprs: &'a [Expr], place: Place) {
        for expr in exprs {
            self.expression(expr, place);
        }
    }

    /// A value that may be a device as a whole.
    pub(super) fn value(&mut self, expr: &'a Expr, place: Place) {
        match place {
            Place::Message | Place::Compared => {}
            Place::Device(role) => {
                let values = constants(expr, &self.scopes);
                self.device(expr, role, &values);
            }
            // A name stands for a value that was judged where it was written.
            Place::Code
                if matches!(
                    expr,
                    Expr::Name(_)
                        | Expr::Attribute(_)
                        | Expr::Subscript(_)
                        | Expr::NumberLiteral(_)
                ) => {}
            Place::Code => {
                for value in constants(expr, &self.scopes) {
                    self.text_unknown(expr, &value);
                    if matches!(value, Constant::Prefix(_) | Constant::Unknown) {
                        self.address(expr);
                    }
                    if let Constant::Text(text) = &value
                        && let DeviceText::Indices(indices) = catalogue::card_text(text)
                        && !self.was_judged(expr, &value)
                    {
                        let expr = self.default_meant(expr).unwrap_or(expr);
                        for index in indices {
                            self.select(expr, ANYWHERE.label, index);
                        }
                    }
                }
            }
        }
    }

    /// A value in a device's place.
    pub(super) fn device(&mut self, expr: &Expr, role: Role, values: &[Constant]) {
        // Who calls may give another: it is the default that chooses.
        let expr = self.default_meant(expr).unwrap_or(expr);
        let span = span_of(expr);
        self.device_unknown(expr, role, values);
        for value in values {
            let said = match value {
                Constant::Text(text) => role.form.read(text),
                Constant::Number(number) if role.numbers => role.form.read_number(*number),
                Constant::Prefix(start) if start.starts_with("cuda") => DeviceText::Cuda,
                _ => DeviceText::Open,
            };
            match value {
                Constant::Prefix(_) if said == DeviceText::Cuda => {
                    self.counted_by_nvml(expr, span, role.label);
                }
                Constant::Unknown if role.numbers => self.counted_by_nvml(expr, span, role.label),
                _ => {}
            }
            match said {
                DeviceText::Indices(_) if self.was_judged(expr, value) => {
                    self.starts.names_cuda = true;
                    self.uses(span, role.label);
                }
                DeviceText::Indices(indices) => {
                    self.starts.names_cuda = true;
                    for index in indices {
                        if role.form == Form::OfMachine {
                            self.select_of_machine(expr, role.label, index);
                        } else if role.form.is_plain(text_of(value)) {
                            self.select(expr, role.label, index);
                        } else {
                            self.mark(inside(expr), role.label, index);
                        }
                    }
                }
                DeviceText::Cuda => {
                    self.starts.names_cuda = true;
                    self.uses(span, role.label);
                }
                DeviceText::All => {
                    self.starts.names_cuda = true;
                    self.uses(span, role.label);
                    if !is_named(expr, role.form) {
                        self.takes_all(span, role.label);
                    }
                }
                DeviceText::Count(count) => {
                    if role.form == Form::Gpus {
                        self.uses(span, role.label);
                    }
                    self.takes_count(span, role.label, count);
                }
                DeviceText::Open | DeviceText::Other => {}
            }
        }
    }

    /// A name, and the mapping that it stands for in a mapping's place.
    fn name(&mut self, expr: &'a Expr, name: &'a ExprName, place: Place) {
        const MOST: u32 = 4;
        self.value(expr, place);
        if let Place::Device(role) = place
            && role.form.is_map()
            && self.followed < MOST
            && let Some((_, value)) = self.scopes.bound_once(&name.id, self.scopes.depth())
            && (value.is_dict_expr() || value.is_call_expr())
            && self.affordable(value).is_some()
        {
            self.followed += 1;
            match value {
                Expr::Dict(dict) => self.dict(dict, place),
                Expr::Call(call) => self.dict_call(call, place),
                _ => {}
            }
            self.followed -= 1;
        }
    }

    /// The values of `dict(a=1)` in a mapping's place.
    pub(super) fn dict_call(&mut self, call: &'a ExprCall, place: Place) {
        if matches!(&*call.func, Expr::Name(name) if name.id == "dict") {
            for keyword in &call.arguments.keywords {
                self.expression(&keyword.value, place);
            }
        }
    }

    fn interpolations(&mut self, text: &'a ExprFString, place: Place) {
        let place = match place {
            Place::Message => Place::Message,
            _ => Place::Compared,
        };
        for element in text.value.elements() {
            if let Some(inner) = element.as_interpolation() {
                self.expression(&inner.expression, place);
            }
        }
    }

    /// The parts of an operation: a text in it is a part of a text, not a device.
    fn operands(&mut self, expr: &'a Expr, place: Place) {
        let Expr::BinOp(operation) = expr else {
            let place = match (expr, place) {
                (_, Place::Message) => Place::Message,
                (Expr::StringLiteral(_) | Expr::FString(_) | Expr::Name(_), _) => Place::Compared,
                _ => Place::Code,
            };
            self.expression(expr, place);
            return;
        };
        self.operands(&operation.left, place);
        self.operands(&operation.right, place);
    }

    fn dict(&mut self, dict: &'a ExprDict, place: Place) {
        if !matches!(place, Place::Compared) {
            self.environment_dict(dict);
        }
        for item in &dict.items {
            if let Some(key) = &item.key {
                self.expression(key, Place::Compared);
            }
            let place = match (place, &item.key) {
                (Place::Message, _) => Place::Message,
                // What a variable is set to is a mask, wherever the mapping stands.
                (_, Some(Expr::StringLiteral(key)))
                    if catalogue::variable(key.value.to_str()).is_some() =>
                {
                    Place::Compared
                }
                (Place::Device(role), Some(key)) if role.form.mapped().is_some() => {
                    Place::Device(mapped(role, key))
                }
                (_, Some(Expr::StringLiteral(key)))
                    if Self::is_provider_card(key.value.to_str(), dict) =>
                {
                    Place::Device(PROVIDER_CARD)
                }
                (_, Some(Expr::StringLiteral(key))) => {
                    let key = key.value.to_str();
                    match self.cards_by_list(key, &item.value) {
                        Some(role) => Place::Device(role),
                        None => self.place_of_key(key),
                    }
                }
                _ => Place::Code,
            };
            self.expression(&item.value, place);
        }
    }

    fn lambda(&mut self, lambda: &'a ExprLambda) {
        let parameters = lambda.parameters.as_deref();
        if let Some(parameters) = parameters {
            self.defaults(parameters, &[]);
        }
        self.scopes.enter(parameters, &[]);
        self.called_later(|walker| {
            walker.starts.elsewhere += 1;
            walker.expression(&lambda.body, Place::Code);
            walker.starts.elsewhere -= 1;
        });
        self.scopes.leave();
    }

    fn comprehension(&mut self, elements: &[&'a Expr], generators: &'a [Comprehension]) {
        for generator in generators {
            self.expression(&generator.iter, Place::Code);
        }
        self.scopes.enter_targets(
            generators
                .iter()
                .map(|generator| (&generator.target, &generator.iter)),
        );
        for generator in generators {
            self.all(&generator.ifs, Place::Code);
        }
        for element in elements {
            self.expression(element, Place::Code);
        }
        self.scopes.leave();
    }
}

/// The place of what a value is taken from.
fn inner(place: Place) -> Place {
    match place {
        Place::Message => Place::Message,
        Place::Compared => Place::Compared,
        Place::Code | Place::Device(_) => Place::Code,
    }
}

/// The place of a list's elements.
fn element(place: Place) -> Place {
    match place {
        Place::Device(role) => role
            .form
            .element()
            .map_or(Place::Code, |form| Place::Device(Role { form, ..role })),
        _ => place,
    }
}

/// The role of a mapping's value. The key `""` means a whole model: nothing else is keyed so, and
/// its number is a card.
fn mapped(role: Role, key: &Expr) -> Role {
    let is_model = matches!(key, Expr::StringLiteral(key) if key.value.is_empty());
    Role {
        numbers: role.numbers || (role.form.is_map() && is_model),
        ..role
    }
}

/// The inside of a literal's quotes.
fn inside(expr: &Expr) -> Span {
    let whole = span_of(expr);
    match expr {
        Expr::StringLiteral(_) => Span::new(whole.start + 1, whole.end - 1),
        _ => whole,
    }
}

fn text_of(value: &Constant) -> &str {
    match value {
        Constant::Text(text) => text,
        _ => "",
    }
}
