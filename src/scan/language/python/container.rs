//! Calls of the Docker SDK: which of the host's cards a container gets, and what is set inside.

use ruff_python_ast::{Expr, ExprCall};

use super::span_of;
use super::value::{Constant, constants};
use super::walk::Walker;
use crate::scan::catalogue;
use crate::scan::fact::{Cards, Fact, FactKind, HowSet, Value, VariableWrite, Whose};
use crate::scan::language::command::Word;
use crate::text::Span;

impl<'a> Walker<'a> {
    /// `DeviceRequest(device_ids=["0"], count=1)` of the Docker SDK.
    pub(super) fn device_request(&self, call: &'a ExprCall) -> Vec<Fact> {
        let fact = |span, value, cards| Fact {
            span,
            value,
            api: "docker.types.DeviceRequest",
            when: self.when(),
            kind: FactKind::Container(cards),
        };
        let keyword = |name| call.arguments.find_keyword(name).map(|found| &found.value);
        if let Some(ids) = keyword("device_ids") {
            let (cards, literal) = match ids {
                Expr::List(list) => {
                    let words: Vec<Word> = list.elts.iter().map(|id| self.word(id)).collect();
                    let literal = match list.elts.as_slice() {
                        [id] if id.is_string_literal_expr() => Some(span_of(id)),
                        _ => None,
                    };
                    if words.iter().any(|word| word.dynamic) {
                        (Cards::Dynamic, None)
                    } else if words.iter().any(|word| word.text == "all") {
                        (Cards::All, literal)
                    } else {
                        let ids = words.into_iter().map(|word| word.text).collect();
                        (Cards::Listed(ids), literal)
                    }
                }
                _ => (Cards::Dynamic, None),
            };
            return vec![fact(span_of(ids), literal, cards)];
        }
        let Some(count) = keyword("count") else {
            return Vec::new();
        };
        let cards = match constants(count, &self.scopes).as_slice() {
            [Constant::Number(-1)] => Cards::All,
            [Constant::Number(count)] => match u32::try_from(*count) {
                Ok(count) => Cards::Count(count),
                Err(_) => return Vec::new(),
            },
            _ => Cards::Dynamic,
        };
        vec![fact(span_of(count), None, cards)]
    }

    /// `containers.run(image, environment={"CUDA_VISIBLE_DEVICES": "1"})` of the Docker SDK.
    pub(super) fn container_environment(&mut self, call: &'a ExprCall, path: &str) {
        let is_container =
            path.ends_with(".containers.run") || path.ends_with(".containers.create");
        let Some(keyword) = call.arguments.find_keyword("environment") else {
            return;
        };
        let Expr::Dict(dict) = &keyword.value else {
            return;
        };
        if !is_container {
            return;
        }
        for item in &dict.items {
            let Some(Expr::StringLiteral(key)) = &item.key else {
                continue;
            };
            let name = key.value.to_str();
            if !catalogue::is_of_interest(name) {
                continue;
            }
            let value = match constants(&item.value, &self.scopes).as_slice() {
                [Constant::Text(text)] => Value::Known(text.clone()),
                _ => Value::Dynamic,
            };
            let literal = item.value.is_string_literal_expr();
            self.fact(Fact {
                span: Span::new(span_of(key).start, span_of(&item.value).end),
                value: literal.then(|| span_of(&item.value)),
                api: "docker.containers.run",
                when: self.when(),
                kind: FactKind::SetVariable(VariableWrite {
                    name: name.to_owned(),
                    value,
                    how: HowSet::Assigned,
                    whose: Whose::Container,
                    one_of_several: false,
                }),
            });
        }
    }
}
