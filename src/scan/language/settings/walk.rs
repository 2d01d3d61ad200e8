//! The way through a tree of settings: what stands around a value, and who reads it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::name::{are_of_record, is_environment, is_prose, is_record, normal};
use super::tree::{DICTIONARY, Entry, Kind, Node, Scalar};
use super::{Found, container, count, device, launcher, program, reader, script, variable};
use crate::scan::catalogue;
use crate::scan::fact::{Detail, Fact, FactKind, Value, When, Whose};
use crate::text::Span;

/// Deeper settings are no person's. Readers build no deeper trees either.
const DEEPEST: u16 = 96;

/// Longer texts name no device.
const LONGEST_DEVICE: usize = 64;

/// What values are in a part of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sense {
    /// Settings that a program reads.
    #[default]
    Settings,
    /// Variables of an environment.
    Environment,
    /// Words for people, or names of what is no device.
    Prose,
    /// Numbers of cards, as a scheduler counts them.
    Resources,
}

/// What stands around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'t> {
    /// The map or list element that has an environment of its own.
    pub(super) owner: Option<Span>,
    /// Whether a container reads it.
    pub(super) in_container: bool,
    /// What values are here.
    pub(super) sense: Sense,
    /// The key that it stands under.
    pub(super) key: &'t str,
    /// The key around that one.
    pub(super) outer_key: &'t str,
    /// The shell that runs scripts here, as the settings call it; empty where they do not say.
    pub(super) shell: &'t str,
    /// Whether it stands elsewhere in the file too.
    pub(super) is_taken_over: bool,
    /// How deep it lies.
    pub(super) depth: u16,
}

impl Sense {
    /// What stands under a key.
    fn under(self, key: &str, name: &str) -> Self {
        // `terminal.integrated.env.linux`
        if is_environment(name) || key.contains(".env.") {
            Self::Environment
        } else if is_prose(name) {
            Self::Prose
        } else if self == Self::Settings && catalogue::is_of_scheduler(name) {
            Self::Resources
        } else {
            self
        }
    }
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
    pub(super) fn over(roots: &'t [Node], text: &'t str, detail: Detail) -> Found {
        let mut walk = Self {
            detail,
            about_gpus: device::is_about_gpus(text),
            text,
            found: Found::default(),
        };
        for root in roots {
            let around = Around {
                owner: Some(root.span),
                sense: if is_of_interface(root) {
                    Sense::Prose
                } else {
                    Sense::Settings
                },
                in_container: container::is_of_containers(root),
                ..Around::default()
            };
            walk.node(root, around);
        }
        walk.found
    }

    pub(super) fn node(&mut self, node: &'t Node, around: Around<'t>) {
        if around.depth > DEEPEST {
            if matches!(node.kind, Kind::Map(_) | Kind::List(_)) {
                self.found.is_too_deep(node.span.start);
            }
            return;
        }
        let around = Around {
            depth: around.depth + 1,
            ..around
        };
        match &node.kind {
            Kind::Map(entries) => self.map(node, entries, around),
            Kind::List(elements) if script::of_list(self, elements, around) => {}
            Kind::List(elements) => {
                self.found.alike.extend(alike(elements));
                launcher::of_words(self, elements, around);
                for element in elements {
                    self.node(element, around);
                }
            }
            Kind::Scalar(scalar) => self.scalar(node, scalar, around),
            Kind::TakenOver(entries) => {
                let around = Around {
                    is_taken_over: true,
                    ..around
                };
                for entry in entries {
                    self.entry(entry, false, around);
                }
            }
            Kind::Nothing => {}
        }
    }

    fn map(&mut self, node: &'t Node, entries: &'t [Entry], around: Around<'t>) {
        if are_of_record(entries.iter().map(|entry| &*entry.key)) {
            return;
        }
        let owner = match around.sense {
            Sense::Environment => around.owner,
            _ => Some(node.span),
        };
        let shell = match reader::shell_of(node).unwrap_or(around.shell) {
            "" => reader::shell_of_machine(node),
            named => named,
        };
        let around = Around {
            owner,
            shell,
            in_container: around.in_container || container::is_in_container(node),
            ..around
        };
        variable::of_pair(self, node, around);
        container::of_map(self, node, around);
        launcher::of_map(self, node, around);
        program::of_map(self, node, around);
        let asks_for_cards = container::asks_for_cards(node, around);
        let own = OnceCell::new();
        for entry in entries {
            if entry.key == "<<" {
                let own = own.get_or_init(|| entries.iter().map(|own| own.key.as_str()).collect());
                self.merged(own, entry, around);
                continue;
            }
            if entry.value.is_of_dictionary(entries.len()) {
                continue;
            }
            let is_short = entries.len() <= DICTIONARY;
            let was_read = asks_for_cards || is_short && launcher::reads(node, &entry.key, around);
            self.entry(entry, was_read, around);
        }
    }

    /// What a map takes over from others, and does not say itself.
    fn merged(&mut self, own: &BTreeSet<&str>, entry: &'t Entry, around: Around<'t>) {
        let around = Around {
            is_taken_over: true,
            ..around
        };
        for taken in entry.value.taken_over() {
            if !own.contains(taken.key.as_str()) {
                self.entry(taken, false, around);
            }
        }
        if matches!(entry.value.kind, Kind::Map(_)) {
            self.entry(entry, false, around);
        }
    }

    fn entry(&mut self, entry: &'t Entry, was_read: bool, around: Around<'t>) {
        let name = normal(&entry.key);
        // Holding every key against the known names would cost more than reading the file.
        let is_variable =
            (13..=34).contains(&entry.key.len()) && catalogue::is_of_interest(&entry.key);
        // What a setting is without being told, stands under its own name.
        // Maps among variables are several environments, such as Hatch's `envs`.
        let is_environment_of_its_own = matches!(entry.value.kind, Kind::Map(_))
            && entry.key != "<<"
            && entry.value.get("value").is_none();
        let sense = match around.sense {
            Sense::Environment if is_environment_of_its_own => Sense::Settings,
            sense => sense,
        };
        let is_given = matches!(name.as_str(), "default" | "value") && !around.key.is_empty();
        // The terminal's on one system, and pytest's: what stands beside them is others'.
        let is_apart =
            is_environment_of_its_own && (entry.key.contains(".env.") || name == "pytest_env");
        let owner = if is_apart {
            Some(entry.value.span)
        } else {
            around.owner
        };
        let inner = Around {
            in_container: around.in_container || container::is_of_container(&entry.key),
            sense: if is_of_build(&name, around) {
                Sense::Prose
            } else {
                sense.under(&entry.key, &name)
            },
            owner,
            key: if is_given { around.key } else { &entry.key },
            outer_key: around.key,
            ..around
        };
        if is_variable && inner.sense != Sense::Prose && variable::of_entry(self, entry, inner) {
            return;
        }
        // The steps of an action are no runs that are over.
        let is_action = || entry.value.get("using").is_some();
        if is_record(&name) && !is_action() {
            return;
        }
        if script::of_entry(self, entry, inner) {
            return;
        }
        if !was_read {
            device::of_entry(self, entry, inner);
            count::of_entry(self, entry, inner);
        }
        self.node(&entry.value, inner);
    }

    fn scalar(&mut self, node: &'t Node, scalar: &'t Scalar, around: Around<'t>) {
        if around.sense == Sense::Prose {
            return;
        }
        if script::of_text(self, node, scalar, around) {
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

/// Elements that differ from another one by their number alone: with another number, the list could
/// name one card twice.
fn alike(elements: &[Node]) -> Vec<Span> {
    if elements.len() < 2 {
        return Vec::new();
    }
    let shape = |text: &str| -> Option<String> {
        let has_digit = text.contains(|c: char| c.is_ascii_digit());
        let letters = text.chars().filter(|c| !c.is_ascii_digit());
        (has_digit && text.len() <= LONGEST_DEVICE).then(|| letters.collect())
    };
    let mut seen: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for element in elements {
        if let Some(shape) = element.text().and_then(|text| shape(text.trim())) {
            seen.entry(shape).or_default().push(element.span);
        }
    }
    let several = seen.into_values().filter(|spans| spans.len() > 1);
    several.flatten().collect()
}

/// Whether a key holds what only the building of an image sees: `args` of compose's `build`,
/// `build-args` of an action.
fn is_of_build(name: &str, around: Around<'_>) -> bool {
    name == "build_args" || name == "args" && around.key == "build"
}

/// Whether a file describes an interface (`OpenAPI`): what it calls a default, a server's code says
/// anew.
fn is_of_interface(root: &Node) -> bool {
    let is_known = root.get("openapi").is_some() || root.get("swagger").is_some();
    is_known
        && ["paths", "components", "definitions"]
            .iter()
            .any(|key| root.get(key).is_some())
}

/// An entry from its key to the end of its value.
pub(super) fn whole(entry: &Entry) -> Span {
    Span::new(
        entry.key_span.start,
        entry.value.span.end.max(entry.key_span.end),
    )
}
