//! Numbers that NVML counted, used where CUDA counts.

use ruff_python_ast::{Expr, ExprCall};

use super::walk::Walker;
use super::words::last_part;
use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind};
use crate::text::Span;

/// Steps for one value: names can lead to expressions that grow at every step.
const STEPS: u32 = 48;

/// Calls that give numbers of cards as NVML, or `nvidia-smi`, counts them.
const SOURCES: &[&str] = &[
    "GPUtil.getAvailable",
    "GPUtil.getFirstAvailable",
    "GPUtil.getGPUs",
    "gpustat.new_query",
    "gpustat.core.new_query",
    "nvgpu.available_gpus",
    "nvidia_smi.nvmlDeviceGetIndex",
    "nvsmi.get_available_gpus",
    "nvsmi.get_gpus",
    "py3nvml.get_free_gpus",
    "py3nvml.utils.get_free_gpus",
    "pynvml.nvmlDeviceGetIndex",
    "pynvml.nvmlDeviceGetMinorNumber",
];

/// Calls that run a program and give what it says.
const OUTPUTS: &[&str] = &[
    "os.popen",
    "subprocess.Popen",
    "subprocess.check_output",
    "subprocess.getoutput",
    "subprocess.run",
];

/// What is known of a card beside its number.
const OTHER_FIELDS: &[&str] = &[
    "driver",
    "load",
    "memoryFree",
    "memoryTotal",
    "memoryUsed",
    "memoryUtil",
    "name",
    "returncode",
    "serial",
    "temperature",
    "uuid",
];

/// Functions and methods that give a number, or several, of those they are given.
const KEEPERS: &[&str] = &[
    "argmax", "argmin", "argsort", "array", "asarray", "choice", "filter", "format", "index",
    "int", "iter", "join", "list", "map", "max", "min", "next", "reversed", "sample", "set",
    "sorted", "str", "tuple",
];

/// Stands for a number of NVML's among what was seen at a place.
const COUNTED: Option<u32> = Some(u32::MAX - 2);

impl Walker<'_> {
    /// Notes where a value that is decided at run time was counted by NVML.
    pub(super) fn counted_by_nvml(&mut self, value: &Expr, span: Span, api: &'static str) {
        // A device inside a device is noted there.
        if let Expr::Call(call) = value
            && catalogue::api(Some(&self.scopes.path(&call.func)), None).is_some()
        {
            return;
        }
        let mut steps = STEPS;
        let depth = self.scopes.depth();
        if self.is_counted(value, depth, &mut steps) && self.seen.insert((span, COUNTED)) {
            let fact = Fact {
                span,
                value: None,
                api,
                when: self.when(),
                kind: FactKind::CountedByNvml,
            };
            self.fact(fact);
        }
    }

    /// Whether something in a value comes from NVML.
    fn is_counted(&self, expr: &Expr, depth: usize, steps: &mut u32) -> bool {
        let Some(left) = steps.checked_sub(1) else {
            return false;
        };
        *steps = left;
        let mut any = |exprs: &[Expr]| exprs.iter().any(|one| self.is_counted(one, depth, steps));
        match expr {
            Expr::Call(call) => self.is_counted_call(call, depth, steps),
            Expr::Name(name) => self.scopes.bound(&name.id, depth).is_some_and(|bound| {
                let mut given = bound.given.iter();
                given.any(|given| self.is_counted(given.expr, bound.depth, steps))
            }),
            Expr::Attribute(attribute) => {
                !OTHER_FIELDS.contains(&attribute.attr.as_str())
                    && self.is_counted(&attribute.value, depth, steps)
            }
            Expr::Subscript(subscript) => self.is_counted(&subscript.value, depth, steps),
            Expr::Starred(inner) => self.is_counted(&inner.value, depth, steps),
            Expr::List(list) => any(&list.elts),
            Expr::Tuple(tuple) => any(&tuple.elts),
            Expr::BoolOp(operation) => any(&operation.values),
            Expr::If(choice) => {
                self.is_counted(&choice.body, depth, steps)
                    || self.is_counted(&choice.orelse, depth, steps)
            }
            Expr::BinOp(operation) => {
                self.is_counted(&operation.left, depth, steps)
                    || self.is_counted(&operation.right, depth, steps)
            }
            Expr::FString(text) => text
                .value
                .elements()
                .filter_map(|element| element.as_interpolation())
                .any(|inner| self.is_counted(&inner.expression, depth, steps)),
            Expr::ListComp(list) => list
                .generators
                .iter()
                .any(|generator| self.is_counted(&generator.iter, depth, steps)),
            Expr::Generator(generator) => generator
                .generators
                .iter()
                .any(|generator| self.is_counted(&generator.iter, depth, steps)),
            _ => false,
        }
    }

    fn is_counted_call(&self, call: &ExprCall, depth: usize, steps: &mut u32) -> bool {
        let path = self.scopes.path(&call.func);
        if SOURCES.contains(&path.as_str()) {
            return true;
        }
        if OUTPUTS.contains(&path.as_str()) {
            return call.arguments.args.first().is_some_and(names_nvidia_smi);
        }
        if let Expr::Attribute(method) = &*call.func
            && self.is_counted(&method.value, depth, steps)
        {
            return true;
        }
        // What other functions make of it is not known: `len` makes a count.
        KEEPERS.contains(&last_part(&path))
            && call
                .arguments
                .args
                .iter()
                .any(|argument| self.is_counted(argument, depth, steps))
    }
}

/// Whether a command, as text or as a list, is `nvidia-smi`.
fn names_nvidia_smi(command: &Expr) -> bool {
    match command {
        Expr::StringLiteral(text) => text.value.to_str().contains("nvidia-smi"),
        Expr::List(list) => list.elts.first().is_some_and(names_nvidia_smi),
        // `"nvidia-smi …".split()`
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) => {
                method.value.is_string_literal_expr() && names_nvidia_smi(&method.value)
            }
            _ => false,
        },
        _ => false,
    }
}
