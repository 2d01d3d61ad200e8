//! `gpuguard rollback --undo`: takes the last run back, after showing what that changes.

use std::fmt::Write as _;

use super::rollback::{Arguments, confirmed, listener, word};
use super::{Failure, Screen};
use crate::outcome::Answer;
use crate::rollback::{UndoPlan, Undone, Workplace};
use crate::sys::terminal;
use crate::text::printable;

pub(super) fn undo(
    arguments: &Arguments,
    workplace: &Workplace<'_>,
    screen: &Screen,
) -> Result<Answer, Failure> {
    let plan = workplace.plan_undo()?;
    screen.print(&plan_text(&plan))?;
    if arguments.dry_run {
        screen.say("nothing was changed: this was a dry run");
        return Ok(Answer::Fine);
    }
    if !arguments.yes && !agreed(&plan, screen)? {
        screen.say("nothing was changed");
        return Ok(Answer::No);
    }
    let undone = workplace.undo(&mut listener(screen))?;
    screen.say(&undone_text(&undone));
    for path in &undone.kept {
        screen.warn(&format!(
            "`{path}` was changed after the interruption and is left as it is; how it was before is in `{}`",
            undone.snapshot
        ));
    }
    Ok(Answer::Fine)
}

/// Whether it may be done. What a killed run left half done is mended without a question, since
/// nobody's edits go with it; and a script that undoes what it has just done is not refused.
fn agreed(plan: &UndoPlan, screen: &Screen) -> Result<bool, Failure> {
    if plan.interrupted || (!terminal::stdin_is_terminal() && !plan.takes_edits()) {
        return Ok(true);
    }
    confirmed(plan.changes.len(), screen)
}

/// What was done and is to be undone, as it is called in messages.
fn called(kind: &str, what: &str) -> String {
    format!("{kind} of `{}`", printable(what.as_bytes()))
}

fn plan_text(plan: &UndoPlan) -> String {
    let what = called(&plan.kind, &plan.what);
    let mut text = if plan.interrupted {
        format!("back to before the interrupted {what}\n")
    } else {
        format!("back to before the {what}\n")
    };
    for change in &plan.changes {
        let note = if change.edited { " (edited since)" } else { "" };
        let _ = writeln!(text, "  {:<17}  {}{note}", word(change.action), change.path);
    }
    for path in &plan.kept {
        let _ = writeln!(
            text,
            "  {:<17}  {path} (changed after the interruption)",
            "leave"
        );
    }
    text.push_str(if plan.changes.is_empty() {
        "no file has to be changed\n"
    } else {
        "what stands there now is saved as a backup first\n"
    });
    text
}

fn undone_text(undone: &Undone) -> String {
    let what = called(&undone.kind, &undone.what);
    match (&undone.done, undone.interrupted) {
        (None, _) => format!("the interrupted {what} had changed nothing; its traces are gone"),
        (Some(done), true) => format!(
            "the interrupted {what} is brought back: {} written, {} removed",
            done.written, done.removed
        ),
        (Some(done), false) => format!(
            "the {what} is undone: {} written, {} removed; to undo this: gpuguard rollback --undo",
            done.written, done.removed
        ),
    }
}
