//! `gpuguard rollback`: back to a tag, after showing and saving what that changes.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::paths::repo_path;
use super::progress::Unit;
use super::rollback_undo::undo;
use super::{Failure, Screen};
use crate::backup::{BackupId, Store};
use crate::git::{GitError, NameKind, RepoPath, Repository};
use crate::outcome::Answer;
use crate::policy::FILE_NAME;
use crate::rollback::{
    Action, Done, Event, Goal, Plan, Resumed, RollbackError, SkipReason, Workplace,
};
use crate::sys::{clock, environment, terminal};

/// Put files back to a tag, a branch, a commit or a backup, or undo the last time.
///
/// Tracked files that differ from the tag get its content, in the working tree and in the index;
/// files added since are removed. Of a backup, the files it saved become what they were when it
/// was made. HEAD does not move, untracked and ignored files stay. All that changes is saved
/// before.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard rollback v-before-gpu-correction --dry-run\n  \
    gpuguard rollback v-before-gpu-correction src/\n  \
    gpuguard rollback --undo --dry-run     what the next line would take back\n  \
    gpuguard rollback --undo               takes the last one back")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command"
)]
pub(super) struct Arguments {
    /// A tag, a branch, any other name of a commit, or a backup: its id, the beginning of one, or
    /// `latest`, the newest that was not made by a restore, a rollback or an undo
    #[arg(value_name = "TARGET", required_unless_present_any = ["undo", "resume"], conflicts_with_all = ["undo", "resume"])]
    target: Option<String>,
    /// Put back only these files and folders
    #[arg(value_name = "PATH", conflicts_with_all = ["undo", "resume"])]
    paths: Vec<PathBuf>,
    /// Show the plan, change nothing
    #[arg(short = 'n', long, conflicts_with = "resume")]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Bring back what was there before the last rollback, restore, fix or undo; a second `--undo`
    /// undoes the first, it does not go further back. Files that were edited since are named, and
    /// without a terminal to ask on they need `--yes`
    #[arg(long, conflicts_with = "resume")]
    undo: bool,
    /// Finish the rollback, restore, fix or undo that was interrupted; `--undo` takes it back
    #[arg(long = "continue")]
    resume: bool,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let directory = environment::current_dir()
        .map_err(|error| Failure::new("the current folder cannot be found").because(&error))?;
    let repository = Repository::discover(&directory)?;
    let workplace = Workplace::new(&repository, clock::now())?;
    if arguments.resume {
        let resumed = workplace.resume(&mut listener(screen))?;
        screen.say(&resumed_text(&resumed));
        for path in &resumed.kept {
            screen.warn(&format!(
                "`{path}` was changed after the interruption and is left as it is"
            ));
        }
        return Ok(if resumed.done.is_some() {
            Answer::Fine
        } else {
            Answer::No
        });
    }
    let Some(target) = &arguments.target else {
        return undo(arguments, &workplace, screen);
    };
    let mut paths = Vec::new();
    for path in &arguments.paths {
        paths.push(repo_path(workplace.root(), &directory, path)?);
    }
    let plan = plan(&repository, &workplace, (target, &paths))?;
    if plan.is_empty() {
        if !plan.skipped.is_empty() {
            screen.warn(&skipped_text(&plan));
        }
        screen.say(&format!("nothing to do: {}", reached(&plan)));
        return Ok(Answer::Fine);
    }
    screen.print(&plan_text(&plan))?;
    if arguments.dry_run {
        screen.say("nothing was changed: this was a dry run");
        return Ok(Answer::Fine);
    }
    if !arguments.yes && !confirmed(plan.changes.len(), screen)? {
        screen.say("nothing was changed");
        return Ok(Answer::No);
    }
    let done = workplace.apply(&plan, &mut listener(screen))?;
    screen.say(&done_text(&done, &plan));
    Ok(Answer::Fine)
}

/// Plans the way to what was named: what Git knows by that name, else a backup.
fn plan(
    repository: &Repository,
    workplace: &Workplace<'_>,
    (target, paths): (&str, &[RepoPath]),
) -> Result<Plan, Failure> {
    match workplace.plan(target, paths) {
        Err(RollbackError::Git(GitError::UnknownName { .. })) if BackupId::may_begin(target) => {
            let store = Store::of_whatever_policy(repository);
            let id = store.find_to_restore(target)?;
            Ok(workplace.plan_to_backup(&id, paths)?)
        }
        Err(error @ RollbackError::Git(GitError::UnknownName { .. })) => {
            let failure = Failure::from(error);
            // Digits alone may be an id of Git: they are not taken for a backup, only pointed to.
            let is_number = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit());
            let store = Store::of_whatever_policy(repository);
            let ids = if is_number {
                store.ids().unwrap_or_default()
            } else {
                Vec::new()
            };
            let begun = ids.iter().filter(|id| id.as_str().starts_with(target));
            Err(match begun.count() {
                0 => failure,
                1 => failure.first_hint(format!(
                    "a backup begins so: write its id with the `T` and more, as `gpuguard backup list` has it (`{target}T…`)"
                )),
                many => failure.first_hint(format!(
                    "{many} backups begin so: `gpuguard backup list` has their ids (`{target}T…`)"
                )),
            })
        }
        planned => Ok(planned?),
    }
}

/// Asks the person at the terminal.
pub(super) fn confirmed(files: usize, screen: &Screen) -> Result<bool, Failure> {
    if !terminal::stdin_is_terminal() {
        return Err(
            Failure::new("there is no terminal to ask on; nothing was changed")
                .hint("add `--yes` to do it without being asked"),
        );
    }
    let plural = if files == 1 { "" } else { "s" };
    screen.warn(&format!("change {files} file{plural}? [y/N]"));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::new("the answer cannot be read").because(&error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Tells where everything is saved, before anything is changed, and shows how far it has come.
pub(super) fn listener(screen: &Screen) -> impl FnMut(&Event) {
    let mut progress = None;
    move |event| match event {
        // What `--undo` would bring back is another run's work until this one is finished.
        Event::Saved { snapshot } => screen.say(&format!("saved as `{snapshot}`")),
        Event::Changed { done, all } => progress
            .get_or_insert_with(|| screen.progress("changing files", Unit::Files, *all as u64))
            .at(*done as u64),
        Event::IndexNext => progress = None,
        Event::Prepared | Event::IndexReady | Event::Finished => {}
    }
}

fn plan_text(plan: &Plan) -> String {
    let mut text = match &plan.goal {
        Goal::Commit { name, kind, commit } => {
            let kind = match kind {
                NameKind::Tag => "the tag ",
                NameKind::Branch => "the branch ",
                NameKind::Commit => "",
            };
            let name = crate::text::printable(name.as_bytes());
            format!("back to {kind}`{name}` (commit {commit})\n")
        }
        Goal::Backup { id } => format!("back to what the backup `{id}` holds\n"),
    };
    for change in &plan.changes {
        let word = word(change.action);
        let note = if change.edited && change.action != Action::RemoveUntracked {
            " (with edits that are not staged)"
        } else {
            ""
        };
        let _ = writeln!(text, "  {word:<17}  {}{note}", change.path);
    }
    let skipped = skipped_text(plan);
    if !skipped.is_empty() {
        text.push_str(&skipped);
        text.push('\n');
    }
    let goes = |action: Action| matches!(action, Action::Remove | Action::Forget);
    let is_policy = |path: &RepoPath| path.as_bytes() == FILE_NAME.as_bytes();
    if plan
        .changes
        .iter()
        .any(|change| is_policy(&change.path) && goes(change.action))
    {
        text.push_str(
            "this takes the policy out: with the hook installed, commits after the next one are \
             refused until there is one again (`git checkout HEAD -- gpuguard.toml` keeps it)\n",
        );
    }
    text.push_str("what stands there now is saved as a backup first; `--undo` brings it back\n");
    text
}

pub(super) fn word(action: Action) -> &'static str {
    match action {
        Action::Restore => "restore",
        Action::Recreate => "recreate",
        Action::ReplaceUntracked => "replace untracked",
        Action::Remove => "remove",
        Action::RemoveUntracked => "remove untracked",
        Action::Forget => "forget",
        Action::Stage => "stage",
        Action::Unstage => "unstage",
    }
}

fn skipped_text(plan: &Plan) -> String {
    let lines: Vec<String> = plan
        .skipped
        .iter()
        .map(|skipped| {
            let why = match skipped.reason {
                SkipReason::Sparse => "outside the sparse checkout",
                SkipReason::SkipWorktree => "marked `skip-worktree`",
                SkipReason::Hidden => "edited, but marked `assume-unchanged` or `skip-worktree`",
                SkipReason::Submodule => "a submodule: see `git submodule update`",
            };
            format!("  {:<17}  {} ({why})", "leave", skipped.path)
        })
        .collect();
    lines.join("\n")
}

fn done_text(done: &Done, plan: &Plan) -> String {
    format!(
        "{} written, {} removed: {}; undo: gpuguard rollback --undo",
        done.written,
        done.removed,
        reached(plan)
    )
}

/// What is as in the goal now, and no more than that.
fn reached(plan: &Plan) -> String {
    let what = if plan.limited {
        "all that was asked for"
    } else {
        "all"
    };
    let but = match plan.skipped.len() {
        0 => String::new(),
        1 => " but the one path left".to_owned(),
        left => format!(" but the {left} paths left"),
    };
    let name = crate::text::printable(plan.goal.name().as_bytes());
    format!("{what}{but} is as in `{name}`")
}

fn resumed_text(resumed: &Resumed) -> String {
    let what = format!(
        "{} of `{}`",
        resumed.kind,
        crate::text::printable(resumed.what.as_bytes())
    );
    match &resumed.done {
        None => format!(
            "the interrupted {what} had changed nothing and is given up; to do it, start it again"
        ),
        Some(done) => format!(
            "the interrupted {what} is finished: {} written, {} removed in all; undo: gpuguard rollback --undo",
            done.written, done.removed
        ),
    }
}
