//! The tables of a dashboard's page that nobody filters.

use maud::{Markup, html};

use crate::dashboard::Dashboard;
use crate::text::printable;

/// So many rows of a table that nobody filters are shown; JSON has all.
const MOST_ROWS: usize = 200;
/// So many files are.
const MOST_FILES: usize = 5000;

/// Text without what would hide itself or run another way.
pub(super) fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

pub(super) fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// A time to the minute; the whole of it is in the markup.
pub(super) fn when(time: &str) -> Markup {
    let minute = time.get(..16).unwrap_or(time).replace('T', " ");
    html! { time datetime=(time) { (minute) } }
}

pub(super) fn files(dashboard: &Dashboard) -> Markup {
    html! {
        @if !dashboard.files.is_empty() {
            section aria-labelledby="files" {
                h2 id="files" { "Files" }
                (wide(&html! {
                    thead { tr { th scope="col" { "file" } th scope="col" { "state" } @if dashboard.then.is_some() { th.number scope="col" { "then" } } th.number scope="col" { "now" } th scope="col" { "rules" } } }
                    tbody {
                        @for file in dashboard.files.iter().take(MOST_FILES) {
                            tr {
                                td { (shown(&file.path)) @if let Some(was) = &file.was { " (was " (shown(was)) ")" } }
                                td class=(file.state.word()) { (file.state.word()) }
                                @if dashboard.then.is_some() { td.number { @if let Some(then) = file.then { (then) } } }
                                td.number { (file.now) }
                                td { (file.rules.join(", ")) }
                            }
                        }
                    }
                }))
                (more(dashboard.files.len(), MOST_FILES))
            }
        }
    }
}

pub(super) fn allowed(dashboard: &Dashboard) -> Markup {
    html! {
        @if !dashboard.allowed.is_empty() {
            section aria-labelledby="allowed" {
                h2 id="allowed" { "Allowed by comments" }
                (wide(&html! {
                    thead { tr { th scope="col" { "place" } th scope="col" { "rule" } th scope="col" { "until" } th scope="col" { "why, and the line" } } }
                    tbody {
                        @for allowed in dashboard.allowed.iter().take(MOST_ROWS) {
                            tr {
                                td { (shown(&allowed.path)) ":" (allowed.line) }
                                td { (allowed.rule) }
                                td { @if let Some(until) = &allowed.until { (until) } }
                                td { (allowed.reason) br; code { (allowed.code) } }
                            }
                        }
                    }
                }))
                (more(dashboard.allowed.len(), MOST_ROWS))
            }
        }
    }
}

pub(super) fn skipped(dashboard: &Dashboard) -> Markup {
    html! {
        @if !dashboard.skipped.is_empty() {
            section aria-labelledby="skipped" {
                h2 id="skipped" { "Files not read" }
                (wide(&html! {
                    thead { tr { th scope="col" { "file" } th scope="col" { "why" } } }
                    tbody {
                        @for file in dashboard.skipped.iter().take(MOST_ROWS) {
                            tr { td { (shown(&file.path)) } td { (file.reason) } }
                        }
                    }
                }))
                (more(dashboard.skipped.len(), MOST_ROWS))
            }
        }
    }
}

pub(super) fn commits(dashboard: &Dashboard) -> Markup {
    html! {
        @if let Some(commits) = &dashboard.commits {
            section aria-labelledby="commits" {
                h2 id="commits" { "Commits since then" }
                p { (commits.count) " in all." }
                @if !commits.list.is_empty() {
                    (wide(&html! {
                        thead { tr { th scope="col" { "commit" } th scope="col" { "date" } th scope="col" { "subject" } } }
                        tbody {
                            @for commit in commits.list.iter().take(MOST_ROWS) {
                                tr { td { code { (short(&commit.id)) } } td { (when(&commit.date)) } td { (shown(&commit.subject)) } }
                            }
                        }
                    }))
                }
                (more(commits.list.len(), MOST_ROWS))
            }
        }
    }
}

pub(super) fn backups(dashboard: &Dashboard) -> Markup {
    let backups = &dashboard.backups;
    html! {
        section aria-labelledby="backups" {
            h2 id="backups" { "Backups" }
            p {
                (backups.list.len()) " in all: " (backups.whole) " verified whole, " (backups.damaged)
                " damaged, " (backups.never_verified) " never verified. The hook let " (backups.passed)
                " commits pass, refused " (backups.blocked) " and could not judge " (backups.not_judged)
                ", as far as it was noted."
            }
            @if !backups.list.is_empty() {
                (wide(&html! {
                    thead { tr { th scope="col" { "id" } th scope="col" { "made by" } th.number scope="col" { "files" } th scope="col" { "verdict" } th scope="col" { "verified" } th scope="col" { "sha256" } } }
                    tbody {
                        @for backup in backups.list.iter().take(MOST_ROWS) {
                            tr {
                                td { code { (backup.id) } }
                                td { (backup.trigger) }
                                td.number { (backup.files) }
                                td { @if let Some(verdict) = &backup.verdict { (verdict) } }
                                td {
                                    @match (&backup.verified, backup.whole) {
                                        (Some(at), Some(true)) => { "whole, " (when(at)) }
                                        (Some(at), _) => span.bad { "damaged, " (when(at)) }
                                        (None, _) => "never"
                                    }
                                }
                                td { @if let Some(sum) = &backup.sha256 { code.sum { (sum) } } }
                            }
                        }
                    }
                }))
            }
            (more(backups.list.len(), MOST_ROWS))
        }
    }
}

pub(super) fn card(dashboard: &Dashboard) -> Markup {
    html! {
        section aria-labelledby="card" {
            h2 id="card" { "The card" }
            @if dashboard.card_checks.is_empty() && dashboard.soaks.is_empty() {
                p { "No check and no long run is recorded here." }
            } @else {
                (wide(&html! {
                    thead { tr { th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "answer" } th scope="col" { "card" } th scope="col" { "message" } } }
                    tbody {
                        @for soak in dashboard.soaks.iter().take(MOST_ROWS) {
                            tr {
                                td { (when(&soak.at)) }
                                td { "soak, " (format!("{:.0}", soak.seconds)) " s" @if !soak.finished { ", ended early" } }
                                td { (soak.status) }
                                td { @if let Some(card) = &soak.card { (card) } }
                                td { (soak.message) @if let Some(celsius) = soak.hottest_celsius { "; at most " (celsius) " °C" } }
                            }
                        }
                        @for check in dashboard.card_checks.iter().take(MOST_ROWS) {
                            tr {
                                td { (when(&check.at)) }
                                td { "check" }
                                td { (check.status) }
                                td { @if let Some(card) = &check.card { (card) } @if let Some(uuid) = &check.uuid { " " code { (uuid) } } }
                                td { (check.message) }
                            }
                        }
                    }
                }))
            }
            (more(dashboard.card_checks.len().max(dashboard.soaks.len()), MOST_ROWS))
        }
    }
}

/// A table that may be wider than a phone: it scrolls by itself, with the keyboard too.
fn wide(rows: &Markup) -> Markup {
    html! { div.wide tabindex="0" { table { (rows) } } }
}

fn more(all: usize, shown: usize) -> Markup {
    html! {
        @if all > shown { p { (all - shown) " more; " code { "--format json" } " has all." } }
    }
}
