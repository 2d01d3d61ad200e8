//! The bodies of a file's code, and who calls its functions: read only where it matters in which
//! order things happen.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef, StmtTry};

use super::span_of;
use crate::scan::flow::{Body, Runs};
use crate::text::Span;

/// The bodies of a file, in the order in which they begin.
pub(super) fn bodies(module: &[Stmt]) -> Vec<Body> {
    let mut reader = Reader {
        bodies: vec![Body {
            span: Span::new(0, usize::MAX),
            outer: 0,
            runs: Runs::First,
        }],
        ..Reader::default()
    };
    reader.visit_body(module);
    reader.settle();
    reader.bodies
}

#[derive(Default)]
struct Reader<'a> {
    bodies: Vec<Body>,
    /// The body that is being read.
    current: usize,
    /// The class whose body is being read, directly.
    class: Option<&'a str>,
    functions: Vec<Function<'a>>,
    uses: HashMap<&'a str, Uses>,
    /// Names of methods that are called on anything.
    methods_called: HashSet<&'a str>,
}

struct Function<'a> {
    body: usize,
    name: &'a str,
    /// The class it is a method of.
    class: Option<&'a str>,
    decorated: bool,
}

/// How a name is used.
#[derive(Default)]
struct Uses {
    /// The first call, and the body it stands in.
    call: Option<(usize, usize)>,
    /// Whether it is called from more than one body.
    from_several: bool,
    /// Whether it is used otherwise.
    handed_on: bool,
}

impl<'a> Reader<'a> {
    fn inside(&mut self, body: &'a [Stmt], runs: Runs) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else {
            return;
        };
        let outer = self.current;
        self.current = self.bodies.len();
        self.bodies.push(Body {
            span: Span::new(span_of(first).start, span_of(last).end),
            outer,
            runs,
        });
        self.visit_body(body);
        self.current = outer;
    }

    /// An arm of which perhaps another one runs.
    fn arm(&mut self, body: &'a [Stmt], at: usize) {
        self.inside(body, Runs::Perhaps { at });
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        for parameter in function.parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
        }
        self.functions.push(Function {
            body: self.bodies.len(),
            name: function.name.as_str(),
            class: self.class,
            decorated: !function.decorator_list.is_empty(),
        });
        let class = self.class.take();
        self.inside(&function.body, Runs::Unknown);
        self.class = class;
    }

    fn tried(&mut self, statement: &'a StmtTry) {
        let at = span_of(statement).start;
        self.visit_body(&statement.body);
        for handler in &statement.handlers {
            if let Some(handler) = handler.as_except_handler() {
                // Before the rest of what was tried, or after it: not ordered.
                self.arm(&handler.body, at);
            }
        }
        self.visit_body(&statement.orelse);
        self.visit_body(&statement.finalbody);
    }

    fn called(&mut self, name: &'a str, at: usize) {
        let current = self.current;
        let uses = self.uses.entry(name).or_default();
        match uses.call {
            None => uses.call = Some((current, at)),
            Some((body, _)) => uses.from_several |= body != current,
        }
    }

    /// Says of each function when it runs.
    fn settle(&mut self) {
        let mut defined: HashMap<&str, u32> = HashMap::new();
        for function in self
            .functions
            .iter()
            .filter(|function| function.class.is_none())
        {
            *defined.entry(function.name).or_default() += 1;
        }
        for function in &self.functions {
            let runs = match function.class {
                None if defined.get(function.name) != Some(&1) => Runs::Unknown,
                None => self.runs_by_name(function, function.name),
                Some(class) if function.name == "__init__" => self.runs_by_name(function, class),
                Some(_) => {
                    let unknown = function.decorated
                        || function.name.starts_with("__")
                        || self.methods_called.contains(function.name);
                    if unknown {
                        Runs::Unknown
                    } else {
                        Runs::CalledFromOutside
                    }
                }
            };
            if let Some(body) = self.bodies.get_mut(function.body) {
                body.runs = runs;
            }
        }
    }

    fn runs_by_name(&self, function: &Function<'_>, name: &str) -> Runs {
        let outside = if function.decorated {
            Runs::HandedOn
        } else {
            Runs::CalledFromOutside
        };
        match self.uses.get(name) {
            None => outside,
            Some(uses) => match uses.call {
                Some((body, _)) if uses.from_several || uses.handed_on || body == function.body => {
                    Runs::Unknown
                }
                Some((body, at)) => Runs::CalledFrom { body, at },
                None => Runs::HandedOn,
            },
        }
    }
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => {
                let around = self.class.replace(class.name.as_str());
                walk_stmt(self, statement);
                self.class = around;
            }
            Stmt::If(statement) => {
                self.visit_expr(&statement.test);
                // All arms at the same place: what one starts is not before another.
                let at = span_of(&*statement.test).end;
                self.arm(&statement.body, at);
                for clause in &statement.elif_else_clauses {
                    if let Some(test) = &clause.test {
                        self.visit_expr(test);
                    }
                    self.arm(&clause.body, at);
                }
            }
            Stmt::For(statement) => {
                self.visit_expr(&statement.iter);
                self.arm(&statement.body, span_of(&*statement.iter).end);
                self.visit_body(&statement.orelse);
            }
            Stmt::While(statement) => {
                self.visit_expr(&statement.test);
                self.arm(&statement.body, span_of(&*statement.test).end);
                self.visit_body(&statement.orelse);
            }
            Stmt::Match(statement) => {
                self.visit_expr(&statement.subject);
                let at = span_of(&*statement.subject).end;
                for case in &statement.cases {
                    self.arm(&case.body, at);
                }
            }
            Stmt::Try(statement) => self.tried(statement),
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => {
                match &*call.func {
                    Expr::Name(name) => self.called(name.id.as_str(), span_of(expr).start),
                    Expr::Attribute(method) => {
                        self.methods_called.insert(method.attr.as_str());
                        self.visit_expr(&method.value);
                    }
                    other => self.visit_expr(other),
                }
                self.visit_arguments(&call.arguments);
            }
            Expr::Name(name) if name.ctx.is_load() => {
                self.uses.entry(name.id.as_str()).or_default().handed_on = true;
            }
            _ => walk_expr(self, expr),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::fact::Certainty::{self, Certain, Fragile};
    use crate::scan::fact::{Detail, FactKind, Whose};

    const HEAD: &str = "import os\nV = 'CUDA_VISIBLE_DEVICES'\n";
    const SET: &str = "os.environ[V] = '1'";

    /// How certainly CUDA had started before each write of the mask.
    fn late(text: &str) -> Vec<Option<Certainty>> {
        let text = text
            .replace("SET", SET)
            .replace("ASK", "torch.cuda.is_available()");
        let facts = super::super::read(&format!("{HEAD}{text}"), Detail::Known).unwrap();
        let own = |kind: &FactKind| matches!(kind, FactKind::SetVariable(write) if write.whose == Whose::Own);
        let writes = facts.facts.iter().filter(|fact| own(&fact.kind));
        writes
            .map(|fact| facts.started_before(fact).map(|(_, certainty)| certainty))
            .collect()
    }

    #[test]
    fn what_stands_above_comes_before() {
        for (text, expected) in [
            ("SET\nimport torch\nASK", None),
            ("import torch\nSET", Some(Fragile)),
            ("import torch\nASK\nSET", Some(Certain)),
            (
                "import torch\nx = torch.zeros(1).cuda()\nSET",
                Some(Certain),
            ),
            ("import torch\nm.to('cuda')\nSET", Some(Certain)),
            ("import torch\nm.to('cpu')\nSET", Some(Fragile)),
            (
                "import torch\nx = torch.zeros(1, device='cuda')\nSET",
                Some(Certain),
            ),
            ("import pycuda.autoinit\nSET", Some(Certain)),
            ("from pycuda import autoinit\nSET", Some(Certain)),
            ("import pynvml\npynvml.nvmlInit()\nSET", None),
            ("from __future__ import annotations\nimport sys\nSET", None),
            ("d = 'cuda'\nSET", None),
            ("import warp as wp\nwp.init()\nSET", Some(Certain)),
            ("lib.cuInit(0)\nSET", Some(Certain)),
            ("import jax\njax.devices()\nSET", Some(Certain)),
            (
                "import tensorflow as tf\ntf.config.list_physical_devices('GPU')\nSET",
                Some(Certain),
            ),
            ("from transformers import pipeline\nSET", Some(Fragile)),
            ("from .torch import x\nSET", None),
        ] {
            assert_eq!(late(text), [expected], "{text}");
        }
    }

    #[test]
    fn some_calls_of_torch_start_nothing() {
        // Fragile for the import only.
        for call in [
            "torch.device('cuda:0')",
            "torch.cuda.manual_seed(1)",
            "torch.cuda.is_initialized()",
            "torch.set_default_device('cuda')",
            "f = lambda: torch.cuda.init()",
            "torch.cuda.device_count()",
            "x = torch.zeros(1, device='cpu')",
            "x = ready and torch.cuda.is_available()",
            "x = torch.cuda.current_device() if ready else 0",
            "print('torch.cuda.init()')",
        ] {
            assert_eq!(
                late(&format!("import torch\n{call}\nSET")),
                [Some(Fragile)],
                "{call}"
            );
        }
        assert_eq!(late("torch.device('cuda:0')\nSET"), [None]);
        assert_eq!(
            late("x = torch.cuda.is_available() and ready\nSET"),
            [Some(Certain)]
        );
    }

    #[test]
    fn branches_may_not_be_taken() {
        for (text, expected) in [
            ("if x:\n  ASK\nSET", vec![Some(Fragile)]),
            ("if ASK:\n  SET", vec![Some(Certain)]),
            ("if x:\n  ASK\nelse:\n  SET", vec![None]),
            (
                "if x:\n  ASK\n  SET\nelse:\n  SET",
                vec![Some(Certain), None],
            ),
            ("try:\n  ASK\nexcept E:\n  SET", vec![None]),
            ("try:\n  ASK\nexcept E:\n  x = 1\nSET", vec![Some(Certain)]),
            ("try:\n  x = 1\nexcept E:\n  ASK\nSET", vec![Some(Fragile)]),
            ("with x:\n  ASK\nSET", vec![Some(Certain)]),
            ("for y in x:\n  ASK\n  SET", vec![Some(Certain)]),
            ("for y in x:\n  ASK\nSET", vec![Some(Fragile)]),
            ("match x:\n  case 1: ASK\n  case 2: SET", vec![None]),
            ("if TYPE_CHECKING:\n  import torch\nSET", vec![None]),
            ("SET\nASK\nSET", vec![None, Some(Certain)]),
            (
                "ASK\nif __name__ == '__main__':\n  SET",
                vec![Some(Certain)],
            ),
        ] {
            assert_eq!(late(text), expected, "{text}");
        }
    }

    #[test]
    fn functions_run_where_they_are_called() {
        for (text, expected) in [
            ("def f():\n  ASK\nSET", None),
            ("def f():\n  ASK\nf()\nSET", Some(Certain)),
            ("def f():\n  ASK\nSET\nf()", None),
            ("def f():\n  SET\nf()\nASK", None),
            ("def f():\n  SET\nASK\nf()", Some(Certain)),
            ("def f():\n  SET\nASK", Some(Certain)),
            ("def f():\n  SET\ndef g():\n  f()\n  ASK\ng()", None),
            (
                "def f():\n  SET\ndef g():\n  ASK\n  f()\ng()",
                Some(Certain),
            ),
            ("def f():\n  ASK\n  SET", Some(Certain)),
            ("def f():\n  if x:\n    ASK\n  SET", Some(Fragile)),
            ("def f():\n  ASK\ndef g():\n  SET", None),
            ("def f():\n  if x:\n    ASK\nf()\nSET", Some(Fragile)),
            (
                "def f():\n  SET\nif __name__ == '__main__':\n  f()\n  ASK",
                None,
            ),
            (
                "def f():\n  SET\nif __name__ == '__main__':\n  ASK\n  f()",
                Some(Certain),
            ),
            // In whose process, and when, is not known.
            ("def f():\n  SET\nASK\nProcess(target=f)", Some(Fragile)),
            ("@ray.remote\ndef f():\n  SET\nASK", Some(Fragile)),
            (
                "def f():\n  SET\ndef g():\n  f()\ndef h():\n  f()\nASK",
                None,
            ),
            (
                "class A:\n  def __init__(self):\n    SET\na = A()\nASK",
                None,
            ),
            (
                "class A:\n  def __init__(self):\n    SET\nASK\na = A()",
                Some(Certain),
            ),
            (
                "class A:\n  def mask(self):\n    SET\nA().mask()\nASK",
                None,
            ),
            ("class A:\n  def mask(self):\n    SET\nASK", Some(Certain)),
            ("def f():\n  f()\n  SET\nASK", None),
            (
                "def f():\n  g()\n  SET\ndef g():\n  f()\n  ASK",
                Some(Certain),
            ),
        ] {
            assert_eq!(late(text), [expected], "{text}");
        }
    }

    #[test]
    fn many_bodies_and_writes_are_no_matter() {
        let mut text = String::from("import torch\nASK\n");
        for at in 0..5_000 {
            let next = at + 1;
            text.extend([
                format!("def f{at}():\n  f{next}()\n"),
                "  ASK\n  SET\n".to_owned(),
            ]);
        }
        assert_eq!(late(&text), vec![Some(Certain); 5_000]);
    }
}
