//! Items of lists, tuples and mappings: by a constant index or key, or each of them in a loop.

use ruff_python_ast::{Expr, ExprCall, Number};

use super::constant::{Constant, MOST_VALUES, merge, number, unknown};
use super::value::Reader;

/// Longer mappings and calls are not searched: many look-ups must not cost the square of a file.
pub(super) const MOST_ITEMS: usize = 128;

impl<'a> Reader<'_, 'a> {
    /// The list, tuple, set or mapping that an expression stands for, and the depth of its scope.
    pub(super) fn items<'e>(&mut self, expr: &'e Expr, depth: usize) -> Option<(&'e Expr, usize)>
    where
        'a: 'e,
    {
        self.step()?;
        match expr {
            Expr::Dict(_) | Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) => Some((expr, depth)),
            Expr::Call(call) if called(call) == "dict" => Some((expr, depth)),
            Expr::Named(named) => self.items(&named.value, depth),
            Expr::Name(name) => {
                let (depth, value) = self.scopes.bound_to_items(&name.id, depth)?;
                self.items(value, depth)
            }
            Expr::Attribute(attribute) => {
                let found = self
                    .scopes
                    .attribute(&attribute.value, &attribute.attr, depth)?;
                self.items(found.value, found.depth)
            }
            Expr::Subscript(subscript) => {
                let (item, depth) = self.at_key(&subscript.value, &subscript.slice, depth)?;
                self.items(item, depth)
            }
            _ => None,
        }
    }

    /// What `container[key]` is.
    pub(super) fn at_key<'e>(
        &mut self,
        container: &'e Expr,
        key: &Expr,
        depth: usize,
    ) -> Option<(&'e Expr, usize)>
    where
        'a: 'e,
    {
        let (items, at) = self.items(container, depth)?;
        match self.single(key, depth)? {
            Constant::Number(index) => match items {
                Expr::Dict(_) => Some((by_key(items, &Constant::Number(index))?, at)),
                _ => Some((by_index(items, index)?, at)),
            },
            key @ Constant::Text(_) => Some((by_key(items, &key)?, at)),
            Constant::Prefix(_) | Constant::Unknown => None,
        }
    }

    /// What stands under a name.
    pub(super) fn named_item<'e>(
        &mut self,
        container: &'e Expr,
        name: &str,
        depth: usize,
    ) -> Option<(&'e Expr, usize)>
    where
        'a: 'e,
    {
        let (items, at) = self.items(container, depth)?;
        Some((by_key(items, &Constant::Text(name.to_owned()))?, at))
    }

    /// What stands at a place.
    pub(super) fn item<'e>(
        &mut self,
        container: &'e Expr,
        at: usize,
        depth: usize,
    ) -> Option<(&'e Expr, usize)>
    where
        'a: 'e,
    {
        let (items, depth) = self.items(container, depth)?;
        Some((by_index(items, i64::try_from(at).ok()?)?, depth))
    }

    /// The values that a loop over `iter` goes through, or what stands at `part` of each.
    pub(super) fn each(&mut self, iter: &Expr, part: Option<usize>, depth: usize) -> Vec<Constant> {
        if self.step().is_none() {
            return unknown();
        }
        if let Expr::Call(call) = iter
            && let Some(values) = self.each_of_call(call, part, depth)
        {
            return values;
        }
        let Some((items, depth)) = self.items(iter, depth) else {
            return unknown();
        };
        if let (Expr::Dict(dict), None) = (items, part) {
            let keys = dict.items.iter().map(|item| item.key.as_ref());
            return self.all(keys, dict.items.len(), depth);
        }
        let all = elements(items);
        match part {
            None => self.all(all.iter().map(Some), all.len(), depth),
            Some(part) => {
                let place = i64::try_from(part).unwrap_or(i64::MAX);
                let parts = all.iter().map(|pair| by_index(pair, place));
                self.all(parts, all.len(), depth)
            }
        }
    }

    /// Loops over `range(2)`, `enumerate(names)`, `zip(a, b)`, `mapping.items()`.
    fn each_of_call(
        &mut self,
        call: &ExprCall,
        part: Option<usize>,
        depth: usize,
    ) -> Option<Vec<Constant>> {
        let arguments = &*call.arguments.args;
        if let Expr::Attribute(method) = &*call.func {
            let (Expr::Dict(dict), depth) = self.items(&method.value, depth)? else {
                return None;
            };
            let keys = match (method.attr.as_str(), part) {
                ("items", Some(0)) | ("keys", None) => true,
                ("items", Some(1)) | ("values", None) => false,
                _ => return None,
            };
            let items = dict.items.iter().map(|item| match &item.key {
                Some(key) if keys => Some(key),
                // What another mapping brings in is not known.
                key => key.as_ref().map(|_| &item.value),
            });
            return Some(self.all(items, dict.items.len(), depth));
        }
        match (called(call), part, arguments) {
            ("range", None, [_, ..]) => Some(self.range(arguments, depth)),
            ("enumerate", Some(0), [list]) => {
                let (items, _) = self.items(list, depth)?;
                let count = i64::try_from(elements(items).len()).ok()?;
                Some(numbers(0, count, 1))
            }
            ("enumerate", Some(1), [list, ..])
            | ("list" | "tuple" | "sorted" | "reversed" | "set" | "tqdm", None, [list, ..]) => {
                Some(self.each(list, None, depth))
            }
            ("zip", Some(at), lists) => Some(self.each(lists.get(at)?, None, depth)),
            _ => None,
        }
    }

    pub(super) fn each_of_range(&mut self, call: &ExprCall, depth: usize) -> Vec<Constant> {
        self.range(&call.arguments.args, depth)
    }

    fn range(&mut self, arguments: &[Expr], depth: usize) -> Vec<Constant> {
        let mut ends = Vec::with_capacity(3);
        for argument in arguments.iter().take(3) {
            let Some(Constant::Number(end)) = self.single(argument, depth) else {
                return unknown();
            };
            ends.push(end);
        }
        match *ends.as_slice() {
            [end] => numbers(0, end, 1),
            [start, end] => numbers(start, end, 1),
            [start, end, step] if step > 0 => numbers(start, end, step),
            _ => unknown(),
        }
    }

    fn all<'e>(
        &mut self,
        exprs: impl Iterator<Item = Option<&'e Expr>>,
        count: usize,
        depth: usize,
    ) -> Vec<Constant> {
        if count > MOST_VALUES {
            return unknown();
        }
        let mut values = Vec::new();
        for expr in exprs {
            let next = match expr {
                Some(expr) if !expr.is_starred_expr() => self.read(expr, depth),
                _ => unknown(),
            };
            merge(&mut values, next);
        }
        if values.is_empty() { unknown() } else { values }
    }
}

/// The numbers from `start` to before `end`, where they are few.
fn numbers(start: i64, end: i64, step: i64) -> Vec<Constant> {
    let mut values = Vec::new();
    let mut next = start;
    while next < end {
        if values.len() == MOST_VALUES {
            return unknown();
        }
        values.extend(number(Some(next)));
        let Some(behind) = next.checked_add(step) else {
            break;
        };
        next = behind;
    }
    if values.is_empty() { unknown() } else { values }
}

/// The name of a function that is called by its name.
fn called(call: &ExprCall) -> &str {
    match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        _ => "",
    }
}

/// The elements of a list, tuple or set.
pub(super) fn elements(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::Set(set) => &set.elts,
        _ => &[],
    }
}

/// The element at an index, which counts from the end where it is negative.
fn by_index(items: &Expr, index: i64) -> Option<&Expr> {
    let (Expr::List(_) | Expr::Tuple(_)) = items else {
        return None;
    };
    let all = elements(items);
    let at = if index < 0 {
        all.len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(index).ok()?
    };
    // What a star brings in moves what is behind it.
    let counted = if index < 0 {
        all.get(at..)?
    } else {
        all.get(..=at)?
    };
    let few = &counted[..counted.len().min(MOST_ITEMS)];
    (few.len() == counted.len() && !few.iter().any(Expr::is_starred_expr)).then_some(&all[at])
}

/// The last value under a key.
fn by_key<'e>(items: &'e Expr, key: &Constant) -> Option<&'e Expr> {
    match (items, key) {
        (Expr::Dict(dict), _) => {
            for item in dict.items.iter().rev().take(MOST_ITEMS) {
                // Another mapping, or a computed key, may bring this one.
                let same = match (item.key.as_ref()?, key) {
                    (Expr::StringLiteral(text), Constant::Text(key)) => text.value.to_str() == key,
                    (Expr::NumberLiteral(literal), Constant::Number(key)) => {
                        matches!(&literal.value, Number::Int(int) if int.as_i64() == Some(*key))
                    }
                    (Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::NoneLiteral(_), _) => {
                        false
                    }
                    _ => return None,
                };
                if same {
                    return Some(&item.value);
                }
            }
            None
        }
        (Expr::Call(call), Constant::Text(key)) => {
            let arguments = &call.arguments;
            (arguments.args.is_empty() && arguments.len() <= MOST_ITEMS)
                .then(|| arguments.find_keyword(key))
                .flatten()
                .map(|keyword| &keyword.value)
        }
        _ => None,
    }
}
