//! Whether a file is one of several processes, each with its own card: then what else would take
//! every card takes one.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};

use super::walk::Walker;

impl Walker<'_> {
    /// Whether the file is run as one of several processes; looked up when it is asked first.
    pub(super) fn is_one_of_several(&mut self) -> bool {
        let module = self.module;
        *self
            .one_of_several
            .get_or_insert_with(|| is_one_of_several(module))
    }
}

/// Whether a file joins a group of processes, or reads which of them it is.
fn is_one_of_several(module: &[Stmt]) -> bool {
    let mut reader = Reader { found: false };
    reader.visit_body(module);
    reader.found
}

struct Reader {
    found: bool,
}

impl<'a> Visitor<'a> for Reader {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if !self.found {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.found |= match expr {
            Expr::StringLiteral(text) => text.value.to_str() == "LOCAL_RANK",
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) => name.id == "init_process_group",
                Expr::Attribute(method) => {
                    ["init_process_group", "init_distributed"].contains(&method.attr.as_str())
                }
                _ => false,
            },
            _ => false,
        };
        if !self.found {
            walk_expr(self, expr);
        }
    }
}
