//! Cards that no single value names: shares by place, mappings by index, options of a provider,
//! masks of child processes, elements of a list of devices.

use std::collections::HashSet;

use ruff_python_ast::{Expr, ExprCall, ExprDict, ExprSlice, ExprSubscript, Number};

use super::named::MASK_LABEL;
use super::place::{Place, Role};
use super::span_of;
use super::value::{Constant, constants, possible_values};
use super::walk::Walker;
use crate::scan::catalogue::{self, All, Api, DeviceText, Form, ListedKind};
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, Whose};
use crate::text::Span;

/// More cards than these in one slice are not written down one by one.
const MOST_SLICED: i64 = 8;

/// What was judged where it is written, and not again where its name stands.
#[derive(Default)]
pub(super) struct Judged<'a> {
    /// Fields of classes, variables and attributes that are given a card.
    pub(super) names: HashSet<&'a str>,
    /// Mappings that names led to: a long one under a name used often is read once.
    mappings: HashSet<Span>,
}

impl<'a> Walker<'a> {
    /// A value in the place of a form that is no single device; whether it was one.
    pub(super) fn special(&mut self, expr: &'a Expr, role: Role) -> bool {
        match (role.form, expr) {
            (Form::Mask, _) => self.mask_of_child(expr, role),
            (Form::Shares, Expr::List(list)) => self.shares(expr, &list.elts, role),
            (Form::Shares, Expr::Tuple(tuple)) => self.shares(expr, &tuple.elts, role),
            (Form::Keyed, Expr::Dict(_) | Expr::Name(_)) => match self.dict_of(expr) {
                Some(dict) => self.keyed(dict, role),
                None => return false,
            },
            (Form::Options, Expr::Dict(_) | Expr::Name(_)) => match self.dict_of(expr) {
                Some(dict) => self.options(dict, role.label, role.numbers),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// A card that no literal names by itself: the place is no expression's, so that nothing in
    /// it is taken for the index and written anew.
    pub(super) fn mark(&mut self, span: Span, api: &'static str, index: u32) {
        let index = Value::Known(index);
        self.takes(span, api, FactKind::SelectIndex { index });
    }

    /// `[0, 1]`: what each card gets, in order.
    fn shares(&mut self, list: &Expr, shares: &'a [Expr], role: Role) {
        for (at, share) in (0..).zip(shares) {
            let given = match share {
                Expr::NumberLiteral(number) => match &number.value {
                    Number::Int(int) => int.as_u64() != Some(0),
                    Number::Float(float) => *float > 0.0,
                    Number::Complex { .. } => false,
                },
                _ => false,
            };
            if role.numbers && given {
                let span = Span::new(span_of(list).start, span_of(share).end);
                self.mark(span, role.label, at);
            }
        }
    }

    /// `{0: "10GiB"}`: what each card gets, by its index.
    fn keyed(&mut self, dict: &'a ExprDict, role: Role) {
        for item in &dict.items {
            let amounts = constants(&item.value, &self.scopes);
            let nothing = amounts.iter().all(|amount| match amount {
                Constant::Number(number) => *number == 0,
                Constant::Text(text) => {
                    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
                    digits.parse::<f64>().is_ok_and(|amount| amount == 0.0)
                }
                Constant::Prefix(_) | Constant::Unknown => false,
            });
            if let Some(key) = &item.key
                && role.numbers
                && !nothing
                && let [Constant::Number(number)] = constants(key, &self.scopes).as_slice()
                && let Ok(index) = u32::try_from(*number)
            {
                let span = Span::new(span_of(key).start, span_of(&item.value).end);
                self.mark(span, role.label, index);
            }
            self.expression(&item.value, Place::Code);
        }
    }

    /// `{"device_id": 1}` of ONNX Runtime's CUDA providers.
    fn options(&mut self, dict: &'a ExprDict, label: &'static str, numbers: bool) {
        for item in &dict.items {
            let is_device = matches!(&item.key, Some(Expr::StringLiteral(key))
                if key.value.to_str() == "device_id");
            let place = if is_device && numbers {
                Place::Device(Role {
                    label,
                    form: Form::List,
                    numbers,
                })
            } else {
                Place::Code
            };
            self.expression(&item.value, place);
        }
    }

    /// Whether a key of a mapping is the card of ONNX Runtime's CUDA provider, as the other keys
    /// tell.
    pub(super) fn is_provider_card(key: &str, dict: &ExprDict) -> bool {
        const MOST: usize = 64;
        const OF_CUDA: &[&str] = &[
            "cudnn_conv_algo_search",
            "gpu_mem_limit",
            "trt_engine_cache_enable",
        ];
        key == "device_id"
            && dict.items.iter().take(MOST).any(|item| {
                matches!(&item.key, Some(Expr::StringLiteral(key))
                    if OF_CUDA.contains(&key.value.to_str()))
            })
    }

    /// `("CUDAExecutionProvider", {"device_id": 1})`, wherever it stands.
    pub(super) fn provider(&mut self, pair: &'a [Expr], place: Place) -> bool {
        let [Expr::StringLiteral(name), options] = pair else {
            return false;
        };
        let Some(options) = self.dict_of(options) else {
            return false;
        };
        if matches!(place, Place::Message | Place::Compared)
            || Form::Providers.read(name.value.to_str()) != DeviceText::Cuda
        {
            return false;
        }
        let label = match place {
            Place::Device(role) => role.label,
            _ => "onnxruntime",
        };
        self.uses(span_of(&pair[0]), label);
        self.options(options, label, true);
        true
    }

    /// A mapping, written here or where its name is bound.
    fn dict_of(&mut self, expr: &'a Expr) -> Option<&'a ExprDict> {
        let bound = match expr {
            Expr::Name(name) => self.scopes.bound_once(&name.id, self.scopes.depth())?.1,
            _ => expr,
        };
        match bound {
            Expr::Dict(dict) if !expr.is_name_expr() => Some(dict),
            Expr::Dict(dict) => self.judged.mappings.insert(span_of(dict)).then_some(dict),
            _ => None,
        }
    }

    /// The `CUDA_VISIBLE_DEVICES` that a call gives to the processes it starts.
    fn mask_of_child(&mut self, expr: &'a Expr, role: Role) {
        let elements = match expr {
            Expr::NoneLiteral(_) => return,
            Expr::List(list) => Some(&list.elts),
            Expr::Tuple(tuple) => Some(&tuple.elts),
            _ => None,
        };
        let value = match elements {
            Some(elements) => elements
                .iter()
                .map(|element| self.known_word(element))
                .collect::<Option<Vec<_>>>()
                .map(|parts| parts.join(",")),
            None => self.known_word(expr),
        };
        // A default of what a mask is made of may be changed before it is one: `"cpu"`, -1.
        let is_list = |value: &String| value.bytes().all(|byte| b"0123456789, ".contains(&byte));
        if role.label == MASK_LABEL
            && !value
                .as_ref()
                .is_some_and(|value| !value.is_empty() && is_list(value))
        {
            return;
        }
        let span = span_of(expr);
        self.fact(Fact {
            span,
            value: elements.is_none().then_some(span),
            api: role.label,
            when: self.when(),
            kind: FactKind::SetVariable(VariableWrite {
                name: "CUDA_VISIBLE_DEVICES".to_owned(),
                value: value.map_or(Value::Dynamic, Value::Known),
                how: HowSet::Assigned,
                whose: Whose::Child,
                one_of_several: false,
            }),
        });
    }

    fn known_word(&self, expr: &Expr) -> Option<String> {
        match possible_values(expr, &self.scopes).as_slice() {
            [Constant::Text(text)] => Some(text.clone()),
            [Constant::Number(number)] => Some(number.to_string()),
            _ => None,
        }
    }

    /// A call that works on every card it can see.
    pub(super) fn calls_all(&mut self, call: &'a ExprCall, api: &'static Api, all: &All) {
        let arguments = &call.arguments;
        let is_plain = arguments
            .keywords
            .iter()
            .all(|keyword| keyword.arg.is_some())
            && !arguments.args.iter().any(Expr::is_starred_expr);
        let given = |name: &str| {
            let by_keyword = arguments.find_keyword(name).map(|keyword| &keyword.value);
            by_keyword.or_else(|| {
                let row = api.arguments.iter().find(|row| row.keyword == name)?;
                arguments.find_positional(row.position?)
            })
        };
        let is_given = |name: &str| given(name).is_some_and(|value| !says_no(value));
        let is_meant = |name: &str| {
            given(name).is_some_and(|value| {
                let values = constants(value, &self.scopes);
                values.iter().all(|value| match value {
                    Constant::Number(number) => *number != 0,
                    Constant::Text(text) => Form::Kind.read(text) == DeviceText::Cuda,
                    Constant::Prefix(_) | Constant::Unknown => false,
                })
            })
        };
        let known = all.with.iter().all(|name| is_meant(name))
            && !all.without.iter().any(|name| is_given(name));
        if is_plain && known && !(all.in_one_process && self.is_one_of_several()) {
            self.takes_all(span_of(&*call.func), api.label);
        }
    }

    pub(super) fn takes_all(&mut self, span: Span, api: &'static str) {
        self.takes(span, api, FactKind::TakesAll);
    }

    pub(super) fn takes_count(&mut self, span: Span, api: &'static str, count: u32) {
        let count = Value::Known(count);
        self.takes(span, api, FactKind::TakesCount { count });
    }

    fn takes(&mut self, span: Span, api: &'static str, kind: FactKind) {
        let when = self.when();
        let value = None;
        self.fact(Fact {
            span,
            value,
            api,
            when,
            kind,
        });
    }

    /// `jax.devices()[1]`: one of a list of cards.
    pub(super) fn picked(&mut self, subscript: &'a ExprSubscript, place: Place) {
        if matches!(place, Place::Message | Place::Compared) {
            return;
        }
        let Some((label, is_certain)) = self.listed(&subscript.value) else {
            return;
        };
        let slice = self
            .default_meant(&subscript.slice)
            .unwrap_or(&subscript.slice);
        let picked = match slice {
            Expr::Slice(slice) => self.sliced(slice),
            index => constants(index, &self.scopes)
                .iter()
                .filter_map(|value| match value {
                    Constant::Number(number) => u32::try_from(*number).ok(),
                    _ => None,
                })
                .collect(),
        };
        for index in picked {
            // The first of what there is may be the CPU.
            if index == 0 && !is_certain {
                continue;
            }
            if subscript.slice.is_slice_expr() {
                let span = Span::new(span_of(&*subscript.value).end, span_of(subscript).end);
                self.mark(span, label, index);
            } else {
                self.select(slice, label, index);
            }
        }
    }

    fn sliced(&self, slice: &ExprSlice) -> Vec<u32> {
        let bound = |expr: Option<&Expr>| match constants(expr?, &self.scopes).as_slice() {
            [Constant::Number(number)] => Some(*number),
            _ => None,
        };
        if slice.step.is_some() {
            return Vec::new();
        }
        let first = match &slice.lower {
            None => Some(0),
            Some(lower) => bound(Some(lower)),
        };
        let last = bound(slice.upper.as_deref());
        let (Some(first), Some(last)) = (first.filter(|first| *first >= 0), last) else {
            // `gpus[1:]` takes card 1 in any case.
            let from = first.filter(|first| *first > 0 && slice.upper.is_none());
            return from
                .and_then(|from| u32::try_from(from).ok())
                .into_iter()
                .collect();
        };
        (first..last.min(first + MOST_SLICED))
            .filter_map(|index| u32::try_from(index).ok())
            .collect()
    }

    /// The label of a list of cards, and whether it is sure to hold cards.
    fn listed(&mut self, cards: &'a Expr) -> Option<(&'static str, bool)> {
        let made = match cards {
            Expr::Name(name) => self.scopes.bound_once(&name.id, self.scopes.depth())?.1,
            _ => cards,
        };
        let last = match made {
            Expr::Call(call) => last_name(&call.func)?,
            _ => last_name(made)?,
        };
        if !catalogue::may_be_listing(last) {
            return None;
        }
        let listing = catalogue::listing(&self.scopes.path(cards))?;
        let kind = |position: Option<usize>, keyword: &str| match made {
            Expr::Call(call) => {
                let arguments = &call.arguments;
                let by_keyword = arguments
                    .find_keyword(keyword)
                    .map(|keyword| &keyword.value);
                by_keyword.or_else(|| arguments.find_positional(position?))
            }
            _ => None,
        };
        let is_gpu = |kind: &Expr| {
            let values = constants(kind, &self.scopes);
            values.iter().all(|value| {
                matches!(value, Constant::Text(text) if Form::Kind.read(text) == DeviceText::Cuda)
            })
        };
        let is_certain = match listing.kind {
            ListedKind::Cuda => true,
            ListedKind::Named { position, keyword } => {
                is_gpu(kind(position, keyword)?).then_some(true)?
            }
            ListedKind::Best { position, keyword } => match kind(position, keyword) {
                Some(kind) => is_gpu(kind).then_some(true)?,
                None if self.hints().pretends_devices => return None,
                None => false,
            },
        };
        Some((listing.path, is_certain))
    }
}

/// `None`, `False` and `""`: what stands for an argument that is not given.
fn says_no(value: &Expr) -> bool {
    match value {
        Expr::NoneLiteral(_) => true,
        Expr::BooleanLiteral(literal) => !literal.value,
        Expr::StringLiteral(text) => text.value.is_empty(),
        _ => false,
    }
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}
