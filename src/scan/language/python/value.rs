//! Constants: what an expression is sure to be, or may be where it is one of a few.

use ruff_python_ast::{
    BoolOp, Expr, ExprAttribute, ExprBinOp, ExprBoolOp, ExprCall, ExprName, ExprSubscript, Number,
    Operator, UnaryOp,
};

use super::bind::{Given, Taken};
pub(super) use super::constant::Constant;
use super::constant::{as_number, as_text, joined, merge, number, text_of, unknown};
use super::counted::{joined_in_turn, mapped_to_text};
use super::item::elements;
use super::rank::{is_rank, is_rank_or_else};
use super::scope::Scopes;
use super::words::KEYED;

/// Steps for one expression: names can lead to expressions that double at every step.
const STEPS: u32 = 200;

/// Methods of texts whose result is known where the text is.
const TEXT_METHODS: &[&str] = &["format", "join", "lower", "strip"];

/// The values an expression may have; never empty.
pub(super) fn constants(expr: &Expr, scopes: &Scopes<'_>) -> Vec<Constant> {
    Reader::new(scopes, false).read(expr, scopes.depth())
}

/// The values an environment variable may get: also the fallback of `get(key, "0")` and of
/// `value or "0"`, each value of a name that is bound more than once, joined lists, and bytes.
pub(super) fn possible_values(expr: &Expr, scopes: &Scopes<'_>) -> Vec<Constant> {
    Reader::new(scopes, true).read(expr, scopes.depth())
}

/// The values of `CARDS.get("big")`, where the mapping and what it holds are known.
pub(super) fn kept(call: &ExprCall, scopes: &Scopes<'_>) -> Option<Vec<Constant>> {
    let (Expr::Attribute(method), [key, ..]) = (&*call.func, &*call.arguments.args) else {
        return None;
    };
    if method.attr.as_str() != "get" {
        return None;
    }
    let mut reader = Reader::new(scopes, false);
    let (item, depth) = reader.at_key(&method.value, key, scopes.depth())?;
    Some(reader.read(item, depth))
}

/// The numbers of `range(2)` and `list(range(2))`, where all of them are known.
pub(super) fn counted_out(call: &ExprCall, scopes: &Scopes<'_>) -> Option<Vec<Constant>> {
    let is = |call: &ExprCall, name: &str| matches!(&*call.func, Expr::Name(of) if of.id == name);
    let range = match &*call.arguments.args {
        [Expr::Call(inner)] if is(call, "list") => inner,
        _ => call,
    };
    if !is(range, "range") {
        return None;
    }
    let values = Reader::new(scopes, false).each_of_range(range, scopes.depth());
    let known = |value: &Constant| matches!(value, Constant::Number(_));
    values.iter().all(known).then_some(values)
}

/// Whether a call computes a value of its arguments, and does nothing else.
pub(super) fn computes(call: &ExprCall) -> bool {
    match &*call.func {
        Expr::Name(name) => ["str", "int", "c_int"].contains(&name.id.as_str()),
        Expr::Attribute(method) => {
            let name = method.attr.as_str();
            TEXT_METHODS.contains(&name) || name == "c_int"
        }
        _ => false,
    }
}

/// Reads expressions, a bounded number of steps far.
pub(super) struct Reader<'s, 'a> {
    pub(super) scopes: &'s Scopes<'a>,
    steps: u32,
    /// Whether names bound more than once are followed.
    widely: bool,
}

impl<'s, 'a> Reader<'s, 'a> {
    fn new(scopes: &'s Scopes<'a>, widely: bool) -> Self {
        Self {
            scopes,
            steps: STEPS,
            widely,
        }
    }

    /// One step less; `None` where there are none left.
    pub(super) fn step(&mut self) -> Option<()> {
        self.scopes.step();
        self.steps = self.steps.checked_sub(1)?;
        Some(())
    }

    /// The one value of an expression, where there is only one.
    pub(super) fn single(&mut self, expr: &Expr, depth: usize) -> Option<Constant> {
        let mut values = self.read(expr, depth);
        match values.len() {
            1 => values.pop(),
            _ => None,
        }
    }

    pub(super) fn read(&mut self, expr: &Expr, depth: usize) -> Vec<Constant> {
        if self.step().is_none() {
            return unknown();
        }
        match expr {
            Expr::StringLiteral(text) => vec![text_of(text.value.to_str())],
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(int) => number(int.as_i64()),
                _ => unknown(),
            },
            Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => {
                match self.single(&unary.operand, depth) {
                    Some(Constant::Number(value)) => number(value.checked_neg()),
                    _ => unknown(),
                }
            }
            Expr::FString(text) => self.f_string(text, depth),
            Expr::BinOp(operation) => self.operation(operation, depth),
            Expr::BoolOp(operation) => self.choice(operation, depth),
            Expr::If(choice) => {
                let mut values = self.read(&choice.body, depth);
                merge(&mut values, self.read(&choice.orelse, depth));
                values
            }
            Expr::Named(named) => self.read(&named.value, depth),
            Expr::Call(call) => self.call(call, depth),
            Expr::Name(name) => self.name(name, depth),
            Expr::Attribute(attribute) => self.attribute(attribute, depth),
            Expr::Subscript(subscript) => self.subscript(subscript, depth),
            Expr::BytesLiteral(bytes) if self.widely => {
                let bytes: Vec<u8> = bytes.value.bytes().collect();
                String::from_utf8(bytes).map_or_else(|_| unknown(), |text| vec![text_of(&text)])
            }
            _ => unknown(),
        }
    }

    fn name(&mut self, name: &ExprName, depth: usize) -> Vec<Constant> {
        let Some(bound) = self.scopes.bound(&name.id, depth) else {
            return unknown();
        };
        let is_certain = !bound.open && bound.given.len() == 1;
        // A parameter is its default, or what it is given.
        let is_default = bound.is_default && !is_rank(&name.id);
        if self.widely && bound.is_default {
            // It is judged where the default stands.
            return unknown();
        }
        let mut given = bound.given.iter();
        if bound.given.len() > 1 && given.any(|given| passes_on(given.expr, &name.id)) {
            // `name = change(name)`: what it was before is not what it is.
            return unknown();
        }
        if !(self.widely || is_default || is_certain) {
            return unknown();
        }
        let mut values = Vec::new();
        for given in bound.given {
            merge(&mut values, self.given(*given, bound.depth));
        }
        if bound.open {
            merge(&mut values, unknown());
        }
        values
    }

    fn given(&mut self, given: Given<'a>, depth: usize) -> Vec<Constant> {
        match given.taken {
            Taken::Whole => self.read(given.expr, depth),
            Taken::Item(at) => match self.item(given.expr, at, depth) {
                Some((item, depth)) => self.read(item, depth),
                None => unknown(),
            },
            Taken::Each => self.each(given.expr, None, depth),
            Taken::EachItem(at) => self.each(given.expr, Some(at), depth),
        }
    }

    fn attribute(&mut self, attribute: &ExprAttribute, depth: usize) -> Vec<Constant> {
        // A member of an enumeration: `Card.BIG.value`.
        if attribute.attr.as_str() == "value"
            && let Expr::Attribute(member) = &*attribute.value
        {
            return self.attribute(member, depth);
        }
        let found = self
            .scopes
            .attribute(&attribute.value, &attribute.attr, depth);
        let Some(found) = found else {
            return unknown();
        };
        let mut values = self.read(found.value, found.depth);
        if found.open {
            merge(&mut values, unknown());
        }
        values
    }

    fn subscript(&mut self, subscript: &ExprSubscript, depth: usize) -> Vec<Constant> {
        match self.at_key(&subscript.value, &subscript.slice, depth) {
            Some((item, depth)) => self.read(item, depth),
            None => unknown(),
        }
    }

    /// `value or "cuda:1"` and `ready and "cuda:1"`.
    fn choice(&mut self, operation: &ExprBoolOp, depth: usize) -> Vec<Constant> {
        if is_rank_or_else(operation) {
            return unknown();
        }
        let mut values = Vec::new();
        for (at, operand) in operation.values.iter().enumerate() {
            let last = at + 1 == operation.values.len();
            if operation.op == BoolOp::And && !last {
                // What is false is no device.
                merge(&mut values, unknown());
                continue;
            }
            let next = self.read(operand, depth);
            let decided = !next.is_empty() && next.iter().all(is_true);
            let next = if values.is_empty() {
                next
            } else {
                self.fallback(next)
            };
            merge(&mut values, next);
            if decided {
                break;
            }
        }
        values
    }

    fn operation(&mut self, operation: &ExprBinOp, depth: usize) -> Vec<Constant> {
        let left = self.read(&operation.left, depth);
        if operation.op == Operator::Mod
            && let [Constant::Text(pattern)] = left.as_slice()
        {
            return self.percent(pattern, &operation.right, depth);
        }
        let right = self.read(&operation.right, depth);
        match (left.as_slice(), right.as_slice()) {
            ([Constant::Number(one)], [Constant::Number(other)]) => number(match operation.op {
                Operator::Add => one.checked_add(*other),
                Operator::Sub => one.checked_sub(*other),
                Operator::Mult => one.checked_mul(*other),
                Operator::FloorDiv => one.checked_div_euclid(*other).filter(|_| *other > 0),
                Operator::Mod => one.checked_rem_euclid(*other).filter(|_| *other > 0),
                _ => None,
            }),
            _ if operation.op == Operator::Add => joined(&left, &right),
            _ => unknown(),
        }
    }

    fn call(&mut self, call: &ExprCall, depth: usize) -> Vec<Constant> {
        let arguments = &call.arguments;
        let (name, object) = match &*call.func {
            Expr::Name(name) => (name.id.as_str(), None),
            Expr::Attribute(method) => (method.attr.as_str(), Some(&*method.value)),
            _ => return unknown(),
        };
        match (name, object, &*arguments.args) {
            ("str", None, [argument]) => as_text(self.read(argument, depth)),
            ("c_int", _, [argument]) => self.read(argument, depth),
            ("int", None, [argument]) => {
                let values = self.read(argument, depth);
                values.iter().map(as_number).collect()
            }
            ("format", Some(object), _) => match self.single(object, depth) {
                Some(Constant::Text(pattern)) => self.format(&pattern, call, depth),
                _ => unknown(),
            },
            ("lower" | "strip", Some(object), []) => {
                let change = |value| match value {
                    Constant::Text(text) if name == "lower" => {
                        Constant::Text(text.to_ascii_lowercase())
                    }
                    Constant::Text(text) => Constant::Text(text.trim().to_owned()),
                    _ => Constant::Unknown,
                };
                let values = self.read(object, depth);
                values.into_iter().map(change).collect()
            }
            ("join", Some(separator), [list]) => self.join(separator, list, depth),
            (name, object, [key, rest @ ..]) if KEYED.contains(&name) => {
                self.keyed((object, key), rest.first(), depth)
            }
            _ => unknown(),
        }
    }

    /// `mapping.get(key, fallback)`, where `mapping` may be the environment.
    fn keyed(
        &mut self,
        (mapping, key): (Option<&Expr>, &Expr),
        fallback: Option<&Expr>,
        depth: usize,
    ) -> Vec<Constant> {
        if let Some(mapping) = mapping
            && let Some((item, depth)) = self.at_key(mapping, key, depth)
        {
            return self.read(item, depth);
        }
        let mut values = unknown();
        // A launcher sets the rank: its fallback is for a run without one.
        if let Some(fallback) = fallback
            && !matches!(self.single(key, depth), Some(Constant::Text(key)) if is_rank(&key))
        {
            let fallback = self.read(fallback, depth);
            merge(&mut values, self.fallback(fallback));
        }
        values
    }

    /// What stands in for a value that is not there. A number that is only a stand-in does not
    /// say which card a line further down selects; a mask's value does, and a whole device.
    fn fallback(&self, values: Vec<Constant>) -> Vec<Constant> {
        let known = |value| match value {
            Constant::Number(_) => Constant::Unknown,
            Constant::Text(text) if text.parse::<i64>().is_ok() => Constant::Unknown,
            other => other,
        };
        if self.widely {
            return values;
        }
        values.into_iter().map(known).collect()
    }

    /// `",".join(["0", "1"])`, `",".join(map(str, range(2)))`.
    fn join(&mut self, separator: &Expr, list: &Expr, depth: usize) -> Vec<Constant> {
        if let Some(each) = mapped_to_text(list) {
            let separator = self.read(separator, depth);
            let parts = as_text(self.each(each, None, depth));
            return joined_in_turn(&parts, &separator);
        }
        let Some((list, depth_of_list)) = self.items(list, depth) else {
            return unknown();
        };
        let (Expr::List(_) | Expr::Tuple(_)) = list else {
            return unknown();
        };
        let separator = self.read(separator, depth);
        let mut values = vec![text_of("")];
        for (at, element) in elements(list).iter().enumerate() {
            if at > 0 {
                values = joined(&values, &separator);
            }
            let element = self.read(element, depth_of_list);
            values = joined(&values, &element);
        }
        values
    }
}

/// Whether an expression is what calls make of a name: `str(name).lower()`.
fn passes_on(expr: &Expr, name: &str) -> bool {
    const MOST_CALLS: u8 = 12;
    let mut inner = expr;
    for _ in 0..MOST_CALLS {
        inner = match inner {
            Expr::Call(call) => match (&*call.func, call.arguments.args.first()) {
                (Expr::Attribute(method), _) if !method.value.is_literal_expr() => &method.value,
                (_, Some(first)) => first,
                _ => return false,
            },
            Expr::Name(found) => return found.id == name,
            _ => return false,
        };
    }
    false
}

/// Whether a value is certainly taken for true.
fn is_true(value: &Constant) -> bool {
    match value {
        Constant::Text(text) | Constant::Prefix(text) => !text.is_empty(),
        Constant::Number(number) => *number != 0,
        Constant::Unknown => false,
    }
}
