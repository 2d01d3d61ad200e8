//! In which order a file's code runs, as far as the text tells: what happened before a place.
//!
//! Knows no language: one gives the bodies of code and who calls them.

use super::fact::{Certainty, Fact, FactKind};
use crate::text::Span;

/// A piece of code that runs as a whole: the file itself, one arm of a branch, a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What it covers.
    pub span: Span,
    /// The body around, by its place in the list.
    pub outer: usize,
    /// When it runs.
    pub runs: Runs,
}

/// When a body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// The file itself: once.
    First,
    /// At this place of the body around, or not at all.
    Perhaps {
        /// Where; the same for arms of which only one runs.
        at: usize,
    },
    /// When it is called from this file.
    CalledFrom {
        /// The one body that calls it.
        body: usize,
        /// The first call there.
        at: usize,
    },
    /// When somebody else calls it, after the file was loaded.
    CalledFromOutside,
    /// When what it was handed to calls it, perhaps in another process.
    HandedOn,
    /// In an order that the text does not tell.
    Unknown,
}

/// What had started CUDA before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Started {
    /// Where in the body, a call counting for what it runs.
    at: usize,
    /// The fact.
    span: Span,
}

/// What first starts CUDA in a body: certainly, and perhaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct First {
    certain: Option<Started>,
    fragile: Option<Started>,
}

/// The bodies of a file, and what starts CUDA in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    bodies: Vec<Body>,
    first: Vec<First>,
}

/// A place in a body that something happens at, seen from there or from a body around.
#[derive(Clone, Copy, Debug)]
struct Step {
    body: usize,
    at: usize,
    /// Whether it happens whenever the body runs as far as there.
    certainty: Certainty,
}

/// Calls are followed this far; functions may call each other in circles.
const MOST_STEPS: usize = 32;

impl Flow {
    /// `bodies` in the order in which they begin, the file itself first; what starts CUDA is
    /// taken from `facts`.
    pub(super) fn new(bodies: Vec<Body>, facts: &[Fact]) -> Self {
        let mut flow = Self {
            first: vec![First::default(); bodies.len()],
            bodies,
        };
        for fact in facts {
            let FactKind::StartsCuda(certainty) = fact.kind else {
                continue;
            };
            let mut next = flow.innermost(fact.span.start).map(|body| Step {
                body,
                at: fact.span.start,
                certainty,
            });
            for _ in 0..MOST_STEPS {
                let Some(step) = next else { break };
                flow.first[step.body].note(step, fact.span);
                next = flow.outward(step);
            }
        }
        flow
    }

    /// What had started CUDA when `fact` happens, and how certainly.
    pub(super) fn started_before(&self, fact: &Fact) -> Option<(Span, Certainty)> {
        let mut perhaps = None;
        let mut next = self.innermost(fact.span.start).map(|body| Step {
            body,
            at: fact.span.start,
            certainty: Certainty::Certain,
        });
        for _ in 0..MOST_STEPS {
            let Some(step) = next else { break };
            let first = self.first.get(step.body)?;
            let before = |started: &Started| started.at < step.at;
            if let Some(started) = first.certain.filter(before) {
                if step.certainty == Certainty::Certain {
                    return Some((started.span, Certainty::Certain));
                }
                perhaps.get_or_insert(started.span);
            }
            if let Some(started) = first.fragile.filter(before) {
                perhaps.get_or_insert(started.span);
            }
            next = self.later(step);
        }
        perhaps.map(|span| (span, Certainty::Fragile))
    }

    /// The same happening, seen from the body around or from where it is called; `None` where
    /// that is not known to run.
    fn outward(&self, step: Step) -> Option<Step> {
        let body = self.bodies.get(step.body)?;
        match body.runs {
            Runs::Perhaps { at } => Some(Step {
                body: body.outer,
                at,
                certainty: Certainty::Fragile,
            }),
            Runs::CalledFrom { body, at } => Some(Step { body, at, ..step }),
            Runs::First | Runs::CalledFromOutside | Runs::HandedOn | Runs::Unknown => None,
        }
    }

    /// The same for a happening that is known to come: when it comes is what counts, and whoever
    /// calls a function from outside does so after the file was loaded.
    fn later(&self, step: Step) -> Option<Step> {
        let body = self.bodies.get(step.body)?;
        let loaded = |certainty| {
            Some(Step {
                body: 0,
                at: usize::MAX,
                certainty,
            })
        };
        match body.runs {
            Runs::Perhaps { at } => Some(Step {
                body: body.outer,
                at,
                ..step
            }),
            Runs::CalledFrom { body, at } => Some(Step { body, at, ..step }),
            Runs::CalledFromOutside => loaded(step.certainty),
            Runs::HandedOn => loaded(Certainty::Fragile),
            Runs::First | Runs::Unknown => None,
        }
    }

    /// The innermost body around an offset.
    fn innermost(&self, offset: usize) -> Option<usize> {
        let after = self
            .bodies
            .partition_point(|body| body.span.start <= offset);
        let mut at = after.checked_sub(1)?;
        while self.bodies[at].span.end <= offset && at > 0 {
            at = self.bodies[at].outer.min(at - 1);
        }
        Some(at)
    }
}

impl First {
    fn note(&mut self, step: Step, span: Span) {
        let place = match step.certainty {
            Certainty::Certain => &mut self.certain,
            Certainty::Fragile => &mut self.fragile,
        };
        if place.is_none_or(|first| step.at < first.at) {
            *place = Some(Started { at: step.at, span });
        }
    }
}
