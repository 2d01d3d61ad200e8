//! `gpuguard backup prune`, and the same beside a commit: removing what no rule keeps.

use super::backup::Format;
use super::paths::bytes_shown;
use super::progress::Unit;
use super::{Failure, Screen};
use crate::backup::retention::{self, Fate, Ruling};
use crate::backup::{BackupError, Effort, Pruning, Store};
use crate::git::Repository;
use crate::outcome::Answer;
use crate::policy::{PolicyError, Retention, Surroundings, parse_duration, parse_size};
use crate::rollback::snapshots_needed;
use crate::source::{self, Judged, RepositoryPolicyError};
use crate::sys::clock;

/// Remove the backups that no rule keeps
///
/// A backup that any of the rules keeps stays; without options, by the rules of `[backup]` in
/// gpuguard.toml. Always kept are the newest, what an undo needs, and what holds the only copy of
/// something that is not in Git.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gpuguard backup prune --dry-run\n  \
    gpuguard backup prune --keep-last 20 --keep-daily 14\n  \
    gpuguard backup prune --keep-within 4w --max-size 2GiB")]
pub(super) struct Arguments {
    /// Keep the newest so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_last: Option<u32>,
    /// Keep the newest of each of the last so many days (UTC) that have any
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_daily: Option<u32>,
    /// Keep all that are not older: hours, days, weeks, such as `36h`, `14d`, `1w12h`
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    keep_within: Option<std::time::Duration>,
    /// The most that all archives may take together, such as `2GiB`: the oldest go
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_size: Option<u64>,
    /// Say what would be removed and why, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(super) fn run(
    arguments: &Arguments,
    (repository, store): (&Repository, &Store),
    screen: &Screen,
) -> Result<Answer, Failure> {
    let asked = Retention {
        keep_last: arguments.keep_last,
        keep_daily: arguments.keep_daily,
        keep_within: arguments.keep_within,
        max_size: arguments.max_size,
    };
    let retention = if asked.is_empty() {
        policy_of(repository)?
    } else {
        asked
    };
    if retention.is_empty() {
        return Err(Failure::new(
            "no rule says which backups to keep; nothing was removed",
        )
        .hint("`gpuguard backup prune --keep-last 20 --dry-run` shows what would go")
        .hint("keys such as `keep-last = 20` below `[backup]` in gpuguard.toml count for every run"));
    }
    let pruning = pruning(repository, retention, Effort::Full)?;
    let mut work = screen.interruptible("examining", Unit::Backups, "nothing was removed")?;
    let mut plan =
        store.plan_prune_telling(&pruning, repository, &mut |done, all| work.at(done, all))?;
    // Once it begins to remove, it is done in a moment; a kill leaves nothing half removed.
    drop(work);
    if !arguments.dry_run {
        let waiting = screen.waiting("removing backups");
        plan.carry_out()?;
        drop(waiting);
    }
    match arguments.format {
        Format::Json => {
            let json = json(&plan.rulings, arguments.dry_run);
            screen.print(&format!("{json:#}\n"))?;
        }
        Format::Human => {
            for ruling in &plan.rulings {
                screen.print(&line(ruling))?;
            }
            screen.say(&summary(&plan.rulings, arguments.dry_run));
        }
    }
    Ok(Answer::Fine)
}

/// Beside a commit: what the policy says, as far as it costs nothing that anybody notices. What
/// goes wrong here concerns no commit.
pub(super) fn beside_commit(
    repository: &Repository,
    store: &Store,
    retention: Retention,
) -> Result<usize, BackupError> {
    if retention.is_empty() {
        return Ok(0);
    }
    let unusable = |source| BackupError::Store {
        path: store.folder().to_owned(),
        source,
    };
    let pruning = read_pruning(repository, retention, Effort::Slight).map_err(unusable)?;
    store.plan_prune(&pruning, repository)?.carry_out()
}

fn pruning(
    repository: &Repository,
    retention: Retention,
    effort: Effort,
) -> Result<Pruning, Failure> {
    read_pruning(repository, retention, effort).map_err(|error| {
        Failure::new("what an undo needs cannot be read; nothing was removed").because(&error)
    })
}

fn read_pruning(
    repository: &Repository,
    retention: Retention,
    effort: Effort,
) -> std::io::Result<Pruning> {
    let needed = snapshots_needed(repository)?;
    Ok(Pruning {
        retention,
        now: clock::now(),
        needed: needed.snapshots,
        unsettled: needed.unsettled,
        effort,
    })
}

/// The rules of the policy; those of the user's own file where there is no policy.
fn policy_of(repository: &Repository) -> Result<Retention, Failure> {
    match source::policy_of(repository, Judged::WorkingTree) {
        Ok((policy, _)) => Ok(policy.backup.retention),
        Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. })) => {
            Ok(Surroundings::of_this_process()?.backup().retention)
        }
        Err(error) => Err(error.into()),
    }
}

fn reasons(ruling: &Ruling) -> Vec<String> {
    match &ruling.fate {
        Fate::Kept(keeps) => keeps.iter().map(ToString::to_string).collect(),
        Fate::Removed(why) => vec![why.to_string()],
    }
}

fn line(ruling: &Ruling) -> String {
    let word = match ruling.fate {
        Fate::Kept(_) => "keep",
        Fate::Removed(_) => "remove",
    };
    let size = bytes_shown(own_bytes(ruling));
    let reasons = reasons(ruling).join(", ");
    format!("{word:<6}  {}  {size:>10}  {reasons}\n", ruling.held.id)
}

/// What the backup's own archive takes; nothing for one that refers to another's.
fn own_bytes(ruling: &Ruling) -> u64 {
    if ruling.held.archive == ruling.held.id {
        ruling.held.archive_bytes
    } else {
        0
    }
}

fn summary(rulings: &[Ruling], dry_run: bool) -> String {
    let removed = count_removed(rulings);
    let kept = rulings.len() - removed;
    let freed = bytes_shown(retention::freed(rulings));
    if dry_run {
        format!("{kept} would be kept, {removed} removed, {freed} freed; nothing was removed")
    } else {
        format!("{kept} kept, {removed} removed, {freed} freed")
    }
}

fn count_removed(rulings: &[Ruling]) -> usize {
    let removed = |ruling: &&Ruling| matches!(ruling.fate, Fate::Removed(_));
    rulings.iter().filter(removed).count()
}

fn json(rulings: &[Ruling], dry_run: bool) -> serde_json::Value {
    let all = |removed: bool| -> Vec<serde_json::Value> {
        rulings
            .iter()
            .filter(|ruling| matches!(ruling.fate, Fate::Removed(_)) == removed)
            .map(|ruling| {
                serde_json::json!({
                    "id": ruling.held.id.as_str(),
                    "archive_bytes": own_bytes(ruling),
                    "reasons": reasons(ruling),
                })
            })
            .collect()
    };
    serde_json::json!({
        "version": 1,
        "dry_run": dry_run,
        "kept": all(false),
        "removed": all(true),
        "freed_bytes": retention::freed(rulings),
    })
}
