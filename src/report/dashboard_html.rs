//! A dashboard as one page that needs nothing else: its style, its script and its pictures are in
//! it. Everything that comes from a repository is escaped by the template, and a content security
//! policy lets no script run but the page's own.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::dashboard_chart::{by_rule, name, progress};
use crate::backup::Sum;
use crate::dashboard::{Dashboard, FileState, FindingFact, Since};
use crate::text::printable;

const STYLE: &str = include_str!("dashboard.css");
const SCRIPT: &str = include_str!("dashboard.js");

/// So many rows of a table that nobody filters are shown; JSON has all.
const MOST_ROWS: usize = 200;
/// So many findings are; a browser would be slow with more.
const MOST_FINDINGS: usize = 20_000;

/// The whole page.
pub fn dashboard_html(dashboard: &Dashboard) -> String {
    // Whoever wrote a line of code cannot know the sum of what it is part of.
    let facts = serde_json::to_vec(dashboard).unwrap_or_default();
    let nonce = Sum::of(&facts).to_string();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
         base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "gpuguard " (dashboard.gpuguard) };
                title { "GPU report: " (shown(&dashboard.repository.name)) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body {
                (head(dashboard))
                main {
                    (tiles(dashboard))
                    (charts(dashboard))
                    (not_verified(dashboard))
                    (findings(dashboard))
                    (files(dashboard))
                    (commits(dashboard))
                    (backups(dashboard))
                    (card(dashboard))
                }
                script nonce=(nonce) { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

/// Text without what would hide itself or run another way.
fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// A time to the minute; the whole of it is in the markup.
fn when(time: &str) -> Markup {
    let minute = time.get(..16).unwrap_or(time).replace('T', " ");
    html! { time datetime=(time) { (minute) } }
}

fn head(dashboard: &Dashboard) -> Markup {
    let repository = &dashboard.repository;
    html! {
        header {
            h1 { "GPU report: " (shown(&repository.name)) }
            p {
                "Made " (when(&dashboard.made))
                " by gpuguard " (dashboard.gpuguard)
                @if let Some(commit) = &repository.commit { ", at commit " code { (short(commit)) } }
                @if let Some(branch) = &repository.branch { " of " code { (shown(branch)) } }
                ", by the policy " code { (shown(&dashboard.policy)) } "."
                @if let Some(since) = &dashboard.since {
                    " Held against " code { (since.name) } ", commit " code { (short(&since.commit)) }
                    " of " (when(&since.date)) "."
                }
            }
            ul.cards {
                @for card in &dashboard.cards {
                    li class=(if card.allowed { "allowed" } else { "forbidden" }) {
                        (card.name) ": " (if card.allowed { "allowed" } else { "forbidden" })
                    }
                }
            }
        }
    }
}

fn tiles(dashboard: &Dashboard) -> Markup {
    let (now, then) = (dashboard.now, dashboard.then);
    let count = |state| {
        let of = dashboard.files.iter().filter(|file| file.state == state);
        of.count()
    };
    let backups = &dashboard.backups;
    let check = dashboard.card_checks.first();
    html! {
        section aria-labelledby="overview" {
            h2 id="overview" { "Overview" }
            dl.tiles {
                (tile("Files analysed", now.analysed, then.map(|then| then.analysed), ""))
                (tile("Clean", now.clean, then.map(|then| then.clean), "good"))
                (tile("With problems", now.with_problems, then.map(|then| then.with_problems), if now.with_problems > 0 { "bad" } else { "good" }))
                (tile("Problems", now.findings, then.map(|then| then.findings), if now.findings > 0 { "bad" } else { "good" }))
                @if then.is_some() {
                    (tile("Files corrected", count(FileState::Corrected), None, "good"))
                    @if let Some(commits) = &dashboard.commits {
                        (tile("Commits", commits.count, None, ""))
                    }
                }
                (tile("Use the GPU", now.use_gpu, then.map(|then| then.use_gpu), ""))
                (tile("Not read", now.skipped, then.map(|then| then.skipped), ""))
                (tile("Allowed by comments", now.allowed, then.map(|then| then.allowed), ""))
                div {
                    dt { "Backups" }
                    dd { (backups.list.len()) }
                    dd.then { (backups.whole) " verified whole" }
                }
                div {
                    dt { "Last check of the card" }
                    @match check {
                        Some(check) => {
                            dd class=(if check.status == "ok" { "good" } else { "bad" }) { (check.status) }
                            dd.then { (when(&check.at)) }
                        }
                        None => dd { "none" }
                    }
                }
            }
        }
    }
}

fn tile(name: &str, now: usize, then: Option<usize>, class: &str) -> Markup {
    html! {
        div {
            dt { (name) }
            dd class=(class) { (now) }
            @if let Some(then) = then { dd.then { "then " (then) } }
        }
    }
}

fn charts(dashboard: &Dashboard) -> Markup {
    html! {
        div.charts {
            @if dashboard.steps.len() > 1 {
                section aria-labelledby="progress" {
                    h2 id="progress" { "Progress" }
                    figure {
                        (progress(&dashboard.steps))
                        details {
                            summary { "As a table" }
                            table {
                                thead { tr { th scope="col" { "state" } th.number scope="col" { "problems" } th.number scope="col" { "files" } } }
                                tbody {
                                    @for step in &dashboard.steps {
                                        tr { td { (shown(&name(step))) } td.number { (step.findings) } td.number { (step.with_problems) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if !dashboard.rules.is_empty() {
                section aria-labelledby="rules" {
                    h2 id="rules" { "Problems by rule" }
                    figure {
                        (by_rule(&dashboard.rules))
                        details {
                            summary { "What the rules find" }
                            table {
                                thead { tr { th scope="col" { "rule" } th scope="col" { "what" } th.number scope="col" { "then" } th.number scope="col" { "now" } } }
                                tbody {
                                    @for rule in &dashboard.rules {
                                        tr { td { (rule.rule) } td { (rule.summary) } td.number { @if let Some(then) = rule.then { (then) } } td.number { (rule.now) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn not_verified(dashboard: &Dashboard) -> Markup {
    html! {
        section.doubts aria-labelledby="not-verified" {
            h2 id="not-verified" { "Not verified" }
            ul {
                @for sentence in &dashboard.not_verified { li { (words(sentence)) } }
            }
        }
    }
}

/// A sentence with commands between backticks.
fn words(sentence: &str) -> Markup {
    let sentence = shown(sentence);
    html! {
        @for (at, part) in sentence.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn findings(dashboard: &Dashboard) -> Markup {
    let all = &dashboard.findings;
    let mut rules: Vec<&str> = all.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    html! {
        section aria-labelledby="problems" {
            h2 id="problems" { "Problems" }
            @if all.is_empty() {
                p { "None." }
            } @else {
                (tools(&rules, dashboard.since.as_ref()))
                @if all.len() > MOST_FINDINGS {
                    p { "The first " (MOST_FINDINGS) " of " (all.len()) "; " code { "--format json" } " has all." }
                }
                table.first id="findings" {
                    thead {
                        tr {
                            @for (key, name) in [("path", "file"), ("place", "place"), ("rule", "rule"), ("message", "what, and the line")] {
                                th class=(key) scope="col" data-key=(key) { (name) }
                            }
                        }
                    }
                    tbody { @for finding in all.iter().take(MOST_FINDINGS) { (row(finding)) } }
                }
                p id="more" hidden {
                    button type="button" { "Show more" } " " button type="button" { "Show all" }
                }
            }
        }
    }
}

fn tools(rules: &[&str], since: Option<&Since>) -> Markup {
    html! {
        form id="tools" hidden role="search" aria-label="Filter the problems" {
            label { "Search " input id="search" type="search" autocomplete="off" spellcheck="false"; }
            label { "Rule "
                select id="rule" {
                    option value="" { "all" }
                    @for rule in rules { option { (rule) } }
                }
            }
            label { "Show "
                select id="kind" {
                    option value="" { "all" }
                    option value="error" { "blocking" }
                    option value="warning" { "warnings" }
                    @if let Some(since) = since {
                        option value="new" { "new since " (since.name) }
                        option value="old" { "there at " (since.name) }
                    }
                }
            }
            label { "Sort by "
                select id="sort" {
                    option value="path" { "file" }
                    option value="rule" { "rule" }
                    option value="message" { "what" }
                }
            }
            output id="shown" for="search rule kind" {}
        }
    }
}

/// As small as it can be: there may be thousands.
fn row(finding: &FindingFact) -> Markup {
    let class = match (finding.error, finding.new) {
        (true, Some(true)) => "e n",
        (true, Some(false)) => "e o",
        (true, None) => "e",
        (false, Some(true)) => "w n",
        (false, Some(false)) => "w o",
        (false, None) => "w",
    };
    html! {
        tr class=(class) {
            td { (shown(&finding.path)) }
            td { (finding.line) ":" (finding.column) }
            td {
                (finding.rule)
                @if !finding.error { " " i { "warning" } }
                @if finding.new == Some(true) { " " b { "new" } }
            }
            td { (finding.message) code { (finding.code) } }
        }
    }
}

fn files(dashboard: &Dashboard) -> Markup {
    html! {
        @if !dashboard.files.is_empty() {
            section aria-labelledby="files" {
                h2 id="files" { "Files" }
                (wide(&html! {
                    thead { tr { th scope="col" { "file" } th scope="col" { "state" } th.number scope="col" { "then" } th.number scope="col" { "now" } th scope="col" { "rules" } } }
                    tbody {
                        @for file in dashboard.files.iter().take(MOST_FINDINGS) {
                            tr {
                                td { (shown(&file.path)) @if let Some(was) = &file.was { " (was " (shown(was)) ")" } }
                                td class=(file.state.word()) { (file.state.word()) }
                                td.number { @if let Some(then) = file.then { (then) } }
                                td.number { (file.now) }
                                td { (file.rules.join(", ")) }
                            }
                        }
                    }
                }))
                (more(dashboard.files.len(), MOST_FINDINGS))
            }
        }
    }
}

fn commits(dashboard: &Dashboard) -> Markup {
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

fn backups(dashboard: &Dashboard) -> Markup {
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

fn card(dashboard: &Dashboard) -> Markup {
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
