//! The pictures of a dashboard, as SVG inside the page: no network, the page's own colours. Each
//! stands beside the same figures as text.

use maud::{Markup, html};

use super::soak_plot::tick;
use crate::dashboard::{RuleFact, Step};

/// A picture's width; it is shown wider where there is room, and smaller on a phone.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 230.0;
/// Where the lines begin and end.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 464.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 186.0;

/// Figures as coordinates; no count of findings is too large for them.
#[expect(clippy::cast_precision_loss, reason = "a picture has fewer pixels")]
fn number(count: usize) -> f64 {
    count as f64
}

/// Problems, and files with problems, from step to step.
pub(super) fn progress(steps: &[Step]) -> Markup {
    let most = steps
        .iter()
        .map(|step| step.findings.max(step.with_problems));
    let most = number(most.max().unwrap_or(0)).max(1.0);
    let step = tick(most);
    let top = (most / step).ceil() * step;
    let last = number(steps.len().saturating_sub(1)).max(1.0);
    let x = |at: usize| LEFT + (RIGHT - LEFT) * number(at) / last;
    let y = |count: usize| BOTTOM - (BOTTOM - TOP) * number(count) / top;
    let points = |value: fn(&Step) -> usize| {
        let points = steps.iter().enumerate();
        let points = points.map(|(at, step)| format!("{:.1},{:.1}", x(at), y(value(step))));
        points.collect::<Vec<_>>().join(" ")
    };
    let findings = points(|step| step.findings);
    let files = points(|step| step.with_problems);
    let lines = (0..=5u32).map(|at| step * f64::from(at));
    let (first, end) = (steps.first(), steps.last());
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby="progress-title" {
            title id="progress-title" {
                "Problems from " (first.map_or(0, |step| step.findings)) " to "
                (end.map_or(0, |step| step.findings)) " in " (steps.len()) " steps"
            }
            @for value in lines.take_while(|value| *value <= top) {
                @let height = format!("{:.1}", BOTTOM - (BOTTOM - TOP) * value / top);
                line.grid x1=(LEFT) x2=(RIGHT) y1=(height) y2=(height) {}
                text.axis x=(LEFT - 6.0) y=(height) text-anchor="end" dy="4" { (value) }
            }
            polygon.area points=(format!("{LEFT},{BOTTOM} {findings} {:.1},{BOTTOM}", x(steps.len().saturating_sub(1)))) {}
            polyline.findings points=(findings) {}
            polyline.files points=(files) {}
            @for (at, step) in steps.iter().enumerate() {
                circle.dot cx=(format!("{:.1}", x(at))) cy=(format!("{:.1}", y(step.findings))) r="3" {
                    title { (name(step)) ": " (step.findings) " problems in " (step.with_problems) " files" }
                }
            }
            @if let Some(first) = first {
                text.axis x=(LEFT) y=(BOTTOM + 18.0) { (label(first)) }
            }
            @if let Some(end) = end {
                text.axis x=(RIGHT) y=(BOTTOM + 18.0) text-anchor="end" { (label(end)) }
            }
            line.findings x1=(LEFT) x2=(LEFT + 22.0) y1=(HEIGHT - 10.0) y2=(HEIGHT - 10.0) {}
            text.axis x=(LEFT + 28.0) y=(HEIGHT - 6.0) { "problems" }
            line.files x1=(LEFT + 110.0) x2=(LEFT + 132.0) y1=(HEIGHT - 10.0) y2=(HEIGHT - 10.0) {}
            text.axis x=(LEFT + 138.0) y=(HEIGHT - 6.0) { "files with problems" }
        }
    }
}

/// The day of a step, or what it is.
fn label(step: &Step) -> String {
    match &step.date {
        Some(date) => date.get(..10).unwrap_or(date).to_owned(),
        None => "now".to_owned(),
    }
}

/// A step in words.
pub(super) fn name(step: &Step) -> String {
    match (&step.commit, &step.subject) {
        (Some(commit), Some(subject)) => {
            format!("{} {subject}", commit.get(..10).unwrap_or(commit))
        }
        _ => "the working tree now".to_owned(),
    }
}

/// How high a rule's row is.
const ROW: f64 = 34.0;
/// Where bars begin and end.
const BAR_LEFT: f64 = 58.0;
const BAR_RIGHT: f64 = 420.0;

/// A bar for each rule, now and, where it is known, then.
pub(super) fn by_rule(rules: &[RuleFact]) -> Markup {
    let most = rules
        .iter()
        .map(|rule| rule.now.max(rule.then.unwrap_or(0)));
    let most = number(most.max().unwrap_or(0)).max(1.0);
    let width = |count: usize| format!("{:.1}", (BAR_RIGHT - BAR_LEFT) * number(count) / most);
    let end = |count: usize| BAR_LEFT + (BAR_RIGHT - BAR_LEFT) * number(count) / most + 6.0;
    let compared = rules.iter().any(|rule| rule.then.is_some());
    let height = ROW * number(rules.len()) + if compared { 24.0 } else { 4.0 };
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-labelledby="rules-title" {
            title id="rules-title" { "Problems by rule" }
            @for (at, rule) in rules.iter().enumerate() {
                @let top = ROW * number(at);
                text.code x="0" y=(top + 20.0) { (rule.rule) title { (rule.summary) } }
                @if let Some(then) = rule.then {
                    rect.then x=(BAR_LEFT) y=(top + 4.0) width=(width(then)) height="11" rx="2" {}
                    text.axis x=(format!("{:.1}", end(then))) y=(top + 13.5) { (then) }
                    rect.now x=(BAR_LEFT) y=(top + 17.0) width=(width(rule.now)) height="11" rx="2" {}
                    text.axis x=(format!("{:.1}", end(rule.now))) y=(top + 26.5) { (rule.now) }
                } @else {
                    rect.now x=(BAR_LEFT) y=(top + 7.0) width=(width(rule.now)) height="18" rx="2" {}
                    text.axis x=(format!("{:.1}", end(rule.now))) y=(top + 20.0) { (rule.now) }
                }
            }
            @if compared {
                rect.then x=(BAR_LEFT) y=(height - 14.0) width="22" height="11" rx="2" {}
                text.axis x=(BAR_LEFT + 28.0) y=(height - 5.0) { "then" }
                rect.now x=(BAR_LEFT + 80.0) y=(height - 14.0) width="22" height="11" rx="2" {}
                text.axis x=(BAR_LEFT + 108.0) y=(height - 5.0) { "now" }
            }
        }
    }
}
