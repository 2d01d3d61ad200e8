//! `gpuguard backup list` and `show`: what is saved, and what was decided about it.

use std::fmt::Write as _;

use super::backup::Format;
use super::paths::{bytes_shown, shown};
use super::{Failure, Screen};
use crate::backup::{Listed, Store, Verdict};
use crate::outcome::Answer;
use crate::text::printable;

/// How many digits of a commit's id are shown.
const SHORT: usize = 8;

pub(super) fn list(store: &Store, format: Format, screen: &Screen) -> Result<Answer, Failure> {
    let listing = store.list()?;
    match format {
        Format::Json => {
            let backups: Vec<_> = listing.backups.iter().map(json).collect();
            let json = serde_json::json!({"version": 1, "backups": backups});
            screen.print(&format!("{json:#}\n"))?;
        }
        Format::Human => {
            for backup in &listing.backups {
                screen.print(&line(backup))?;
            }
            if listing.backups.is_empty() {
                screen.say(&format!("no backups in `{}`", shown(store.folder())));
            }
        }
    }
    for error in &listing.unreadable {
        screen.warn(&format!("warning: {error}"));
    }
    Ok(Answer::Fine)
}

fn json(backup: &Listed) -> serde_json::Value {
    let manifest = &backup.manifest;
    let verdict = backup.verdict.as_ref();
    serde_json::json!({
        "id": backup.id.as_str(),
        "created": manifest.created.to_string(),
        "trigger": manifest.trigger,
        "commit": manifest.commit,
        "branch": manifest.branch,
        "files": manifest.files(),
        "bytes": manifest.bytes(),
        "archive_bytes": backup.archive_bytes,
        "sha256": backup.sha256.map(|sum| sum.to_string()),
        "path": shown(&backup.path),
        "same_as": same_as(backup),
        "verdict": verdict.map(Verdict::word),
        "errors": verdict.map(|verdict| verdict.errors),
        "warnings": verdict.map(|verdict| verdict.warnings),
        "card_refused": verdict.map(|verdict| verdict.card_refused),
    })
}

/// The backup whose archive has its content, where that is another one.
fn same_as(backup: &Listed) -> Option<&str> {
    (backup.archive != backup.id).then(|| backup.archive.as_str())
}

fn line(backup: &Listed) -> String {
    let manifest = &backup.manifest;
    let files = manifest.files();
    let commit = manifest.commit.as_deref().unwrap_or("-");
    let mut line = format!(
        "{}  {:<10}  {:>5} {:<5}  {:>10}  {:<SHORT$}  {}",
        backup.id,
        printable(manifest.trigger.as_bytes()),
        files,
        if files == 1 { "file" } else { "files" },
        bytes_shown(manifest.bytes()),
        printable(commit.chars().take(SHORT).collect::<String>().as_bytes()),
        printable(manifest.branch.as_deref().unwrap_or("-").as_bytes()),
    );
    if let Some(verdict) = &backup.verdict {
        let _ = write!(line, "  {verdict}");
    }
    if let Some(other) = same_as(backup) {
        let _ = write!(line, "  (same content as {other})");
    }
    line.push('\n');
    line
}

pub(super) fn show(backup: &Listed, format: Format, screen: &Screen) -> Result<Answer, Failure> {
    if format == Format::Json {
        let manifest = serde_json::to_value(&backup.manifest)
            .map_err(|error| Failure::new("the manifest cannot be shown").because(&error))?;
        screen.print(&format!("{manifest:#}\n"))?;
        return Ok(Answer::Fine);
    }
    let manifest = &backup.manifest;
    let mut text = line(backup);
    let mut line = |label: &str, value: &str| {
        let value = printable(value.as_bytes());
        let _ = writeln!(text, "{label:<9} {value}");
    };
    line("created", &manifest.created.to_string());
    line("commit", manifest.commit.as_deref().unwrap_or("-"));
    line("archive", &shown(&backup.path));
    for entry in &manifest.entries {
        let file = format!("{} ({})", entry.path.to_path(), bytes_shown(entry.size));
        line(entry.version.word(), &file);
    }
    for absent in &manifest.absent {
        let file = format!("{} (no such file)", absent.path.to_path());
        line(absent.version.word(), &file);
    }
    for missing in &manifest.missing {
        line("not found", &missing.to_path().to_string());
    }
    screen.print(&text)?;
    Ok(Answer::Fine)
}
