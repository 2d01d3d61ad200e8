//! A dashboard as one page that needs nothing else: its style, its script and its pictures are in
//! it. Everything that comes from a repository is escaped by the template, and a content security
//! policy lets no script run but the page's own.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::dashboard_chart::{by_rule, name, progress};
use super::dashboard_tables::{
    allowed, backups, card, commits, files, short, shown, skipped, when,
};
use crate::backup::Sum;
use crate::dashboard::{Dashboard, FileState, FindingFact, Since};

const STYLE: &str = include_str!("dashboard.css");
const SCRIPT: &str = include_str!("dashboard.js");

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
                    (allowed(dashboard))
                    (skipped(dashboard))
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
                                thead { tr { th scope="col" { "rule" } th scope="col" { "what" } @if dashboard.then.is_some() { th.number scope="col" { "then" } } th.number scope="col" { "now" } } }
                                tbody {
                                    @for rule in &dashboard.rules {
                                        tr { td { (rule.rule) } td { (rule.summary) } @if dashboard.then.is_some() { td.number { @if let Some(then) = rule.then { (then) } } } td.number { (rule.now) } }
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
