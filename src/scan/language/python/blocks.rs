//! The statements inside compound statements.

use ruff_python_ast::{ExceptHandler, Stmt};

/// Each block of a compound statement in turn; of a function or class none, since these are
/// scopes of their own.
pub(super) fn for_each_block<'a>(statement: &'a Stmt, each: &mut impl FnMut(&'a [Stmt])) {
    match statement {
        Stmt::For(statement) => {
            each(&statement.body);
            each(&statement.orelse);
        }
        Stmt::While(statement) => {
            each(&statement.body);
            each(&statement.orelse);
        }
        Stmt::If(statement) => {
            each(&statement.body);
            for clause in &statement.elif_else_clauses {
                each(&clause.body);
            }
        }
        Stmt::With(with) => each(&with.body),
        Stmt::Try(statement) => {
            each(&statement.body);
            for ExceptHandler::ExceptHandler(handler) in &statement.handlers {
                each(&handler.body);
            }
            each(&statement.orelse);
            each(&statement.finalbody);
        }
        Stmt::Match(statement) => {
            for case in &statement.cases {
                each(&case.body);
            }
        }
        _ => {}
    }
}

/// The same, and the body of a function or class.
pub(super) fn for_each_body<'a>(statement: &'a Stmt, each: &mut impl FnMut(&'a [Stmt])) {
    match statement {
        Stmt::FunctionDef(function) => each(&function.body),
        Stmt::ClassDef(class) => each(&class.body),
        _ => for_each_block(statement, each),
    }
}
