//! The way through a tree of settings: what stands around a value, and who reads it.

use super::name::{are_of_record, is_environment, is_prose, is_record, normal};
use super::tree::{Entry, Kind, Node, Scalar};
use super::{Found, container, device, launcher, script, variable};
use crate::scan::catalogue;
use crate::scan::fact::{Detail, Fact, FactKind, Value, When, Whose};
use crate::text::Span;

/// Deeper settings are no person's. Readers build no deeper trees either.
const DEEPEST: u16 = 96;

/// What stands around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'t> {
    /// The map or list element that has an environment of its own.
    pub(super) owner: Option<Span>,
    /// Whether a container reads it.
    pub(super) in_container: bool,
    /// Whether it is variables of an environment.
    pub(super) in_environment: bool,
    /// Whether somebody wrote down here what happened.
    pub(super) in_record: bool,
    /// Whether it speaks to people, or of something that is no device.
    pub(super) in_prose: bool,
    /// Whether a scheduler counts cards here.
    pub(super) in_resources: bool,
    /// The key that it stands under.
    pub(super) key: &'t str,
    /// The key around that one.
    pub(super) outer_key: &'t str,
    /// How deep it lies.
    pub(super) depth: u16,
}

impl Around<'_> {
    /// Whose a variable is that is set here.
    pub(super) fn whose(&self) -> Whose {
        if self.in_container {
            Whose::Container
        } else {
            Whose::Child
        }
    }
}

/// A reading of settings.
pub(super) struct Walk<'t> {
    pub(super) detail: Detail,
    /// Whether the file is about GPUs, and about no other devices that are counted.
    pub(super) about_gpus: bool,
    pub(super) text: &'t str,
    found: Found,
}

impl<'t> Walk<'t> {
    pub(super) fn over(root: &'t Node, text: &'t str, detail: Detail) -> Found {
        let mut walk = Self {
            detail,
            about_gpus: device::is_about_gpus(text),
            text,
            found: Found::default(),
        };
        let around = Around {
            owner: Some(root.span),
            in_container: container::is_compose(root) || container::is_dev_container(root),
            ..Around::default()
        };
        walk.node(root, around);
        walk.found
    }

    pub(super) fn node(&mut self, node: &'t Node, around: Around<'t>) {
        if around.depth > DEEPEST {
            return;
        }
        let around = Around {
            depth: around.depth + 1,
            ..around
        };
        match &node.kind {
            Kind::Map(entries) => self.map(node, entries, around),
            Kind::List(elements) => {
                for element in elements {
                    self.element(element, around);
                }
            }
            Kind::Scalar(scalar) => self.scalar(node, scalar, around),
            Kind::Nothing => {}
        }
    }

    fn map(&mut self, node: &'t Node, entries: &'t [Entry], around: Around<'t>) {
        let in_record = around.in_record || are_of_record(entries.iter().map(|entry| &*entry.key));
        let around = Around {
            in_record,
            owner: (!around.in_environment)
                .then_some(node.span)
                .or(around.owner),
            ..around
        };
        if in_record {
            return;
        }
        variable::of_pair(self, node, around);
        container::of_map(self, node, around);
        launcher::of_map(self, node, around);
        script::of_map(self, node, around);
        for entry in entries {
            self.entry(entry, launcher::reads(node, &entry.key), around);
        }
    }

    fn entry(&mut self, entry: &'t Entry, was_read: bool, around: Around<'t>) {
        let name = normal(&entry.key);
        let in_environment = is_environment(&name) || is_environment(&normal_whole(&entry.key));
        let is_variable = catalogue::is_of_interest(&entry.key);
        // What a setting is without being told, stands under its own name.
        let is_given = matches!(name.as_str(), "default" | "value") && !around.key.is_empty();
        let inner = Around {
            in_container: around.in_container || container::is_of_container(&entry.key),
            in_environment: around.in_environment || in_environment,
            in_record: is_record(&name),
            in_prose: around.in_prose || (is_prose(&name) && !is_variable),
            in_resources: around.in_resources || catalogue::is_of_scheduler(&name),
            key: if is_given { around.key } else { &entry.key },
            outer_key: around.key,
            ..around
        };
        if is_variable && variable::of_entry(self, entry, inner) {
            return;
        }
        if inner.in_record {
            return;
        }
        if script::of_entry(self, entry, inner) {
            return;
        }
        if !was_read {
            device::of_entry(self, entry, inner);
        }
        self.node(&entry.value, inner);
    }

    fn element(&mut self, element: &'t Node, around: Around<'t>) {
        self.node(element, around);
    }

    fn scalar(&mut self, node: &'t Node, scalar: &'t Scalar, around: Around<'t>) {
        if around.in_prose && !around.in_environment {
            return;
        }
        variable::of_element(self, node, scalar, around);
        device::of_element(self, node, scalar, around);
    }

    /// Notes a piece that has an environment of its own.
    pub(super) fn scope(&mut self, span: Option<Span>) {
        self.found.scopes.extend(span);
    }

    pub(super) fn fact(
        &mut self,
        span: Span,
        value: Option<Span>,
        api: &'static str,
        kind: FactKind,
    ) {
        self.found.facts.push(Fact {
            span,
            value,
            api,
            when: When::Loading,
            kind,
        });
    }

    pub(super) fn facts(&mut self, facts: Vec<Fact>) {
        self.found.facts.extend(facts);
    }

    pub(super) fn index(&mut self, span: Span, value: Option<Span>, api: &'static str, index: u32) {
        let index = Value::Known(index);
        self.fact(span, value, api, FactKind::SelectIndex { index });
    }
}

/// A key with all its dots: `terminal.integrated.env.linux`.
fn normal_whole(key: &str) -> String {
    if key.contains(".env.") {
        "env".to_owned()
    } else {
        String::new()
    }
}

/// An entry from its key to the end of its value.
pub(super) fn whole(entry: &Entry) -> Span {
    Span::new(
        entry.key_span.start,
        entry.value.span.end.max(entry.key_span.end),
    )
}
