//! What `gpuguard run` says of a program: at once, at its end, and as JSON.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::Screen;
use crate::gpu::guard::{CardUse, Kind, News, Outcome, RunReport, Violation};
use crate::text::printable;

/// Says what cannot wait.
pub(super) fn say_news(news: News<'_>, ends: bool, screen: &Screen) {
    match news {
        News::Violation(violation) => screen.warn(&format!(
            "gpuguard: {}{}",
            violation_in_words(violation),
            if ends { "; it is ended" } else { "" }
        )),
        News::Blind(error) => screen.warn(&format!(
            "gpuguard: the cards cannot be seen: {}",
            printable(error.trouble.to_string().as_bytes())
        )),
    }
}

fn violation_in_words(violation: &Violation) -> String {
    let how = match violation.kind {
        Kind::Compute => "computes",
        Kind::Graphics => "draws",
        Kind::Mps => "computes (multi-process service)",
        Kind::Sampled => "worked",
    };
    format!(
        "process {} ({}) {how} on {}, which is not allowed",
        violation.process,
        printable(violation.name.as_bytes()),
        printable(violation.card.as_bytes())
    )
}

/// Says on stderr what was seen. With `--quiet`, only what is no good news.
pub(super) fn say_report(report: &RunReport, nodes: &[PathBuf], screen: &Screen) {
    let answer = answer(report);
    match report.outcome {
        Outcome::Clean if report.untold.is_empty() && report.is_without_gaps() => {
            screen.say(&answer);
        }
        _ => screen.warn(&answer),
    }
    if report.failed_looks > 0 {
        screen.warn(&format!(
            "gpuguard: NVML gave no answer {} of {} times",
            report.failed_looks,
            report.looks + report.failed_looks
        ));
    }
    for limit in &report.limits {
        screen.say(&format!("gpuguard: note: {}", limit.words()));
    }
    for card in &report.cards {
        screen.say(&format!("gpuguard: {}", card_in_words(card)));
    }
    if !report.left_running.is_empty() {
        screen.warn(&format!(
            "gpuguard: still running, and watched no more: {}",
            ids(&report.left_running)
        ));
    }
    if !nodes.is_empty() {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|node| node.display().to_string())
            .collect();
        screen.say(&format!("gpuguard: closed to it: {}", nodes.join(", ")));
    }
}

fn answer(report: &RunReport) -> String {
    let forbidden = if report.forbidden.is_empty() {
        "a forbidden card (there is none)".to_owned()
    } else {
        printable(report.forbidden.join(", ").as_bytes())
    };
    let looks = format!(
        "looked {} time{}, every {} ms",
        report.looks,
        if report.looks == 1 { "" } else { "s" },
        report.every_ms
    );
    match report.outcome {
        Outcome::Violation => {
            let count = report.violations.len();
            format!(
                "gpuguard: used a card that is not allowed: {count} process{} ({looks}){}",
                if count == 1 { "" } else { "es" },
                if report.ended_by_guard {
                    "; the program was ended"
                } else {
                    ""
                }
            )
        }
        Outcome::NotWatched => {
            format!("gpuguard: it cannot be said whether it touched {forbidden} ({looks})")
        }
        Outcome::Clean if !report.untold.is_empty() => format!(
            "gpuguard: not seen on {forbidden} ({looks}), but it cannot be told whose these processes there are: {}",
            ids(&report.untold)
        ),
        Outcome::Clean if !report.is_without_gaps() => format!(
            "gpuguard: not seen on {forbidden} ({looks}), but for up to {:.1} s nobody looked",
            Duration::from_millis(report.longest_gap_ms).as_secs_f64()
        ),
        Outcome::Clean if !report.left_running.is_empty() => format!(
            "gpuguard: not seen on {forbidden} while it ran ({looks}); what it left running is watched no more"
        ),
        Outcome::Clean if !report.limits.is_empty() => {
            format!("gpuguard: not seen on {forbidden} ({looks}), as far as can be seen here")
        }
        Outcome::Clean => format!("gpuguard: never touched {forbidden} ({looks})"),
    }
}

fn ids(processes: &[u32]) -> String {
    let words: Vec<String> = processes.iter().map(u32::to_string).collect();
    words.join(", ")
}

fn card_in_words(card: &CardUse) -> String {
    let mut text = printable(card.name.as_bytes());
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let Some(peak) = card.peak_bytes else {
        text.push_str(": not seen on it");
        return text;
    };
    let about = if card.peak_is_estimate { "about " } else { "" };
    let _ = write!(
        text,
        ": at most {about}{}, {:.1} s on the card, ",
        mib(peak),
        card.seconds
    );
    let _ = match card.not_given_back_bytes {
        Some(0) => write!(text, "all memory given back"),
        Some(bytes) => write!(text, "{} NOT given back", mib(bytes)),
        None => write!(
            text,
            "memory given back cannot be told, since others use it"
        ),
    };
    text
}

/// The report for programs.
pub(super) fn as_json(
    report: &RunReport,
    command: &[OsString],
    nodes: &[PathBuf],
    exit_code: u8,
) -> String {
    let mut object = json!(report);
    object["version"] = json!(1);
    object["exit_code"] = json!(exit_code);
    let command = command.iter().map(|word| word.to_string_lossy());
    object["command"] = command.collect();
    let nodes = nodes.iter().map(|node| node.to_string_lossy());
    object["closed"] = nodes.collect();
    format!("{object:#}\n")
}
