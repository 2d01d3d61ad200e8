//! Tests that ask whose cards there are: what they say on a machine with CUDA. `PyTorch` calls
//! AMD's cards `cuda` too, so what runs on those alone reads like a choice of an NVIDIA card.

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, ExprCompare, UnaryOp};

use super::scope::Scopes;

/// Parts of one test that are looked at, names that lead to others included.
const MOST_PARTS: u8 = 32;

/// Other vendors' platforms, as a word of a name. `mps` is also CUDA's own, and what asks for TPUs
/// often asks for XLA, which runs on CUDA.
const OTHERS: &[&str] = &["hip", "hpu", "mlu", "musa", "npu", "rocm", "sdaa", "xpu"];

/// Words that make a name of one of [`OTHERS`] a question. `hip_path` or `rocm_version` ask nothing.
const ASKING: &[&str] = &[
    "available",
    "backend",
    "build",
    "compiled",
    "device",
    "extension",
    "has",
    "is",
    "on",
    "platform",
    "pytorch",
    "running",
    "runtime",
    "test",
    "torch",
    "using",
    "with",
];

/// Words of which one is in the name of what holds a vendor's name: a hip may also be a joint.
const HOLDERS: &[&str] = &[
    "accelerator",
    "arch",
    "backend",
    "compiler",
    "device",
    "kind",
    "platform",
    "runtime",
    "target",
    "vendor",
];

/// What a test says wherever there is CUDA; `None` where that is not certain.
pub(super) fn on_cuda(test: &Expr, scopes: &Scopes<'_>) -> Option<bool> {
    let mut reader = Reader {
        scopes,
        parts: MOST_PARTS,
    };
    reader.read(test, scopes.depth())
}

struct Reader<'s, 'a> {
    scopes: &'s Scopes<'a>,
    parts: u8,
}

impl Reader<'_, '_> {
    fn read(&mut self, test: &Expr, depth: usize) -> Option<bool> {
        self.parts = self.parts.checked_sub(1)?;
        match test {
            Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
                self.read(&unary.operand, depth).map(|says| !says)
            }
            Expr::BoolOp(operation) => {
                // What decides the whole, whatever the others say.
                let decides = operation.op == BoolOp::Or;
                let mut all = true;
                for operand in &operation.values {
                    match self.read(operand, depth) {
                        Some(says) if says == decides => return Some(decides),
                        says => all &= says.is_some(),
                    }
                }
                all.then_some(!decides)
            }
            Expr::Compare(compare) => self.compared(compare),
            Expr::Call(call) => self.version(test).or_else(|| self.called(call, depth)),
            Expr::Attribute(attribute) => self
                .version(test)
                .or_else(|| asks_for_others(&attribute.attr).then_some(false)),
            Expr::Name(name) if asks_for_others(&name.id) => Some(false),
            Expr::Name(name) => {
                let (depth, value) = self.scopes.bound_once(&name.id, depth)?;
                self.read(value, depth)
            }
            Expr::Named(named) => self.read(&named.value, depth),
            _ => None,
        }
    }

    /// `torch.version.hip` and its like: a text where `PyTorch` is built so, else `None`.
    fn version(&self, expr: &Expr) -> Option<bool> {
        let last = match expr {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Call(call) => match (&*call.func, &*call.arguments.args) {
                (Expr::Name(name), [_, Expr::StringLiteral(text), ..]) if name.id == "getattr" => {
                    text.value.to_str()
                }
                _ => return None,
            },
            _ => return None,
        };
        // The path is asked for where it may be one of these only.
        if !["cuda", "hip", "rocm", "xpu"].contains(&last) {
            return None;
        }
        match self.scopes.path(expr).as_str() {
            "torch.version.cuda" => Some(true),
            "torch.version.hip" | "torch.version.rocm" | "torch.version.xpu" => Some(false),
            _ => None,
        }
    }

    fn called(&mut self, call: &ExprCall, depth: usize) -> Option<bool> {
        let (last, of) = match &*call.func {
            Expr::Name(name) => (name.id.as_str(), None),
            Expr::Attribute(method) => (method.attr.as_str(), last_name(&method.value)),
            _ => return None,
        };
        match (last, &*call.arguments.args) {
            ("bool", [argument]) => self.read(argument, depth),
            // With arguments, and of a tensor, it is another question.
            ("is_cuda", []) if of.is_none_or(|of| of.contains("platform")) => Some(true),
            ("is_available", []) if of.is_some_and(|of| OTHERS.contains(&of)) => Some(false),
            _ => asks_for_others(last).then_some(false),
        }
    }

    fn compared(&mut self, compare: &ExprCompare) -> Option<bool> {
        let ([op], [right]) = (&*compare.ops, &*compare.comparators) else {
            return None;
        };
        let left = &*compare.left;
        let (is, negated) = match op {
            CmpOp::Is | CmpOp::Eq | CmpOp::In => (op, false),
            CmpOp::IsNot | CmpOp::NotEq | CmpOp::NotIn => (op, true),
            _ => return None,
        };
        let says = if right.is_none_literal_expr() {
            !self.version(left)?
        } else if matches!(is, CmpOp::In | CmpOp::NotIn) {
            let names = match right {
                Expr::Tuple(tuple) => &tuple.elts,
                Expr::List(list) => &list.elts,
                Expr::Set(set) => &set.elts,
                _ => return None,
            };
            let all = !names.is_empty() && names.iter().all(|name| is_other(left, name));
            all.then_some(false)?
        } else {
            (is_other(left, right) || is_other(right, left)).then_some(false)?
        };
        Some(says != negated)
    }
}

/// Whether `name` names another platform, and `holder` is what holds such names.
fn is_other(holder: &Expr, name: &Expr) -> bool {
    let Expr::StringLiteral(name) = name else {
        return false;
    };
    let name = name.value.to_str();
    if !OTHERS.contains(&name) && !["amdgpu", "mps"].contains(&name) {
        return false;
    }
    let Some(holder) = last_name(holder) else {
        return false;
    };
    let holder = holder.to_ascii_lowercase();
    HOLDERS.iter().any(|word| holder.contains(word))
}

/// Whether a name asks for the platform of another vendor: `IS_ROCM`, `is_npu_available`,
/// `on_gfx942`.
fn asks_for_others(name: &str) -> bool {
    const LONGEST: usize = 32;
    if name.len() > LONGEST {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let words = || name.split('_').filter(|word| !word.is_empty());
    let is_architecture = |word: &str| {
        word.strip_prefix("gfx")
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let has = |word: &str| words().any(|part| part == word);
    let (mut other, mut asking) = (false, false);
    for word in words() {
        if OTHERS.contains(&word) || is_architecture(word) {
            other = true;
        } else if ASKING.contains(&word) {
            asking = true;
        } else {
            // AMD makes CPUs too, and `is_gpu_xpu` may ask for either.
            match word {
                "amd" if has("gpu") => other = true,
                "gpu" if has("amd") || has("rocm") || has("hip") => {}
                _ => return false,
            }
        }
    }
    other && asking
}

/// Whether a function says by its name that it is for AMD's cards alone: `rocm_gemm`,
/// `make_flags_amd`. A hip may also be a joint.
pub(super) fn is_named_for_amd(function: &str) -> bool {
    const LONGEST: usize = 64;
    if function.len() > LONGEST {
        return false;
    }
    let name = function.to_ascii_lowercase();
    let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    has(&["aiter", "amd", "rocm"])
        && !has(&["cuda", "gpu", "no", "non", "not", "nvidia", "or", "without"])
}

fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        Expr::Call(call) => last_name(&call.func),
        Expr::Subscript(subscript) => match &*subscript.slice {
            Expr::StringLiteral(key) => Some(key.value.to_str()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::fact::{Detail, FactKind};

    /// Whether a card is found in `if TEST: …` and in the `else`.
    fn found(test: &str) -> (bool, bool) {
        let code = format!(
            "import torch\nif {test}:\n    torch.cuda.set_device(1)\nelse:\n    torch.cuda.set_device(2)\n"
        );
        let facts = super::super::read(&code, Detail::Known).unwrap();
        let card = |index: u32| {
            facts.facts.iter().any(|fact| {
                matches!(&fact.kind, FactKind::SelectIndex { index: found }
                    if found.known() == Some(&index))
            })
        };
        (card(1), card(2))
    }

    #[test]
    fn tests_for_another_vendor_are_false_on_cuda() {
        for test in [
            "torch.version.hip",
            "torch.version.hip is not None",
            "torch.version.hip != None",
            "getattr(torch.version, 'hip', None)",
            "getattr(torch.version, 'hip', None) is not None",
            "torch.version.cuda is None",
            "not torch.version.cuda",
            "current_platform.is_rocm()",
            "is_hip()",
            "IS_ROCM",
            "self._is_hip",
            "HAS_HIP and ready",
            "ready and torch.version.hip",
            "is_hip() or is_npu_available()",
            "not (torch.version.hip is None)",
            "backend == 'hip'",
            "driver.get_current_target().backend == 'hip'",
            "'hip' == target['backend']",
            "platform in ('hip', 'rocm')",
            "torch.xpu.is_available()",
            "is_torch_xpu_available()",
            "on_gfx942()",
            "is_amd_gpu()",
            "not is_cuda()",
            "not current_platform.is_cuda()",
            "TEST_WITH_ROCM",
            "paddle.is_compiled_with_rocm()",
        ] {
            assert_eq!(found(test), (false, true), "{test}");
        }
    }

    #[test]
    fn tests_for_cuda_are_true_there() {
        for test in [
            "torch.version.cuda",
            "torch.version.cuda is not None",
            "torch.version.hip is None",
            "current_platform.is_cuda()",
            "not is_hip()",
            "backend != 'hip'",
            "backend not in ['hip']",
            "ready or not IS_ROCM",
        ] {
            assert_eq!(found(test), (true, false), "{test}");
        }
    }

    #[test]
    fn other_tests_say_nothing() {
        for test in [
            "ready",
            "ready or is_hip()",
            "ready and not is_hip()",
            "current_platform.is_cuda_alike()",
            "torch.cuda.is_available()",
            "tensor.is_cuda",
            "tensor.is_cuda()",
            "is_cuda(device)",
            "joint == 'hip'",
            "hip",
            "hip_path",
            "rocm_version is None",
            "is_amd",
            "is_gpu_xpu()",
            "hasattr(torch.version, 'hip')",
            "backend == 'cuda'",
            "backend in ('cuda', 'hip')",
            "torch.backends.mps.is_available()",
            "not is_cuda_device",
        ] {
            assert_eq!(found(test), (true, true), "{test}");
        }
    }

    #[test]
    fn a_name_is_what_it_was_given() {
        for (head, expected) in [
            ("V = torch.version.hip is not None\n", false),
            ("V = is_hip()\n", false),
            ("W = is_hip()\nV = W\n", false),
            ("V = torch.cuda.is_available()\n", true),
            ("V = is_hip()\nV = ready\n", true),
            ("V = V\n", true),
        ] {
            let text = format!("import torch\n{head}if V:\n    torch.cuda.set_device(1)\n");
            let facts = super::super::read(&text, Detail::Known).unwrap();
            let found = facts
                .facts
                .iter()
                .any(|fact| matches!(fact.kind, FactKind::SelectIndex { .. }));
            assert_eq!(found, expected, "{head}");
        }
    }
}
