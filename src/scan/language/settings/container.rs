//! Containers in settings: compose's services, Kubernetes' containers, `devcontainer.json`, and
//! which of the host's cards they get.

use super::tree::{Kind, Node};
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::fact::{Cards, FactKind};
use crate::text::Span;

/// The label of what a container gets.
const LABEL: &str = "container";
/// Kubernetes' name of NVIDIA's cards.
const RESOURCE: &str = "nvidia.com/gpu";

/// Whether a tree is a compose file: services that are maps.
pub(super) fn is_compose(root: &Node) -> bool {
    root.get("services").is_some_and(|services| {
        let is_service = |node: &Node| {
            [
                "image",
                "build",
                "extends",
                "container_name",
                "deploy",
                "runtime",
            ]
            .iter()
            .any(|key| node.get(key).is_some())
        };
        services
            .entries()
            .iter()
            .any(|entry| is_service(&entry.value))
    })
}

/// Whether a tree is a `devcontainer.json`.
pub(super) fn is_dev_container(root: &Node) -> bool {
    [
        "runArgs",
        "containerEnv",
        "remoteEnv",
        "dockerComposeFile",
        "hostRequirements",
    ]
    .iter()
    .any(|key| root.get(key).is_some())
}

/// Whether what stands under a key is read inside a container.
pub(super) fn is_of_container(key: &str) -> bool {
    matches!(
        key,
        "containers"
            | "initContainers"
            | "containerDefinitions"
            | "ContainerDefinitions"
            | "container"
            | "containerEnv"
            | "remoteEnv"
    )
}

/// What the keys of one map give a container.
pub(super) fn of_map(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    if around.sense == Sense::Prose {
        return;
    }
    limits(walk, node, around);
    if !around.in_container {
        return;
    }
    if let Some(entry) = node.entries().iter().find(|entry| entry.key == "gpus") {
        if entry.value.text() == Some("all") {
            gives(walk, whole(entry), None, Cards::All, around);
        } else if !entry.value.elements().is_empty() {
            for device in entry.value.elements() {
                reserved(walk, device, around);
            }
        }
    }
    let devices = node.at(&["deploy", "resources", "reservations", "devices"]);
    for device in devices.map(Node::elements).unwrap_or_default() {
        if is_of_gpus(device) {
            reserved(walk, device, around);
        }
    }
    if let Some(devices) = node.get("devices") {
        by_interface(walk, devices, around);
    }
}

/// `limits: {nvidia.com/gpu: 1}`, or else what is requested.
fn limits(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    let wanted = ["limits", "requests"].iter().find_map(|key| {
        let resources = node.get(key)?;
        resources
            .entries()
            .iter()
            .find(|entry| entry.key == RESOURCE)
    });
    let count = wanted.and_then(|entry| Some((entry, entry.value.text()?.trim().parse().ok()?)));
    if let Some((entry, count)) = count {
        gives(walk, whole(entry), None, Cards::Any(count), around);
    }
}

fn is_of_gpus(device: &Node) -> bool {
    let names_gpu = |list: Option<&Node>| {
        let all = list.map(Node::elements).unwrap_or_default();
        all.iter()
            .filter_map(Node::text)
            .any(|word| word.contains("gpu") || word == "nvidia" || word == "compute")
    };
    let capabilities = device.get("capabilities");
    let nested = capabilities.map(Node::elements).unwrap_or_default();
    device.get("driver").and_then(Node::text) == Some("nvidia")
        || names_gpu(capabilities)
        || nested.iter().any(|list| names_gpu(Some(list)))
}

/// One of compose's reservations: by number, by name, or all.
fn reserved(walk: &mut Walk<'_>, device: &Node, around: Around<'_>) {
    let entry = |key: &str| device.entries().iter().find(|entry| entry.key == key);
    if let Some(entry) = entry("device_ids") {
        let ids = entry.value.elements();
        let listed: Option<Vec<String>> = ids
            .iter()
            .map(|id| {
                let text = id.text()?;
                (!super::variable::is_decided_later(text)).then(|| text.to_owned())
            })
            .collect();
        let value = match ids {
            [only] => only.scalar().and_then(|scalar| scalar.inside),
            _ => None,
        };
        let cards = listed.filter(|ids| !ids.is_empty());
        let cards = cards.map_or(Cards::Dynamic, Cards::Listed);
        gives(walk, whole(entry), value, cards, around);
        return;
    }
    let (span, cards) = if let Some(entry) = entry("count") {
        let cards = match entry.value.text().map(str::trim) {
            Some("all" | "-1") => Cards::All,
            Some(count) => count.parse().map_or(Cards::Dynamic, Cards::Count),
            None => Cards::Dynamic,
        };
        (whole(entry), cards)
    } else {
        // What is missing has no place: it is shown where GPUs are asked for.
        let asks = entry("capabilities").or_else(|| entry("driver"));
        (asks.map_or(device.span, whole), Cards::All)
    };
    gives(walk, span, None, cards, around);
}

/// `devices: [nvidia.com/gpu=1]`, of the container device interface.
fn by_interface(walk: &mut Walk<'_>, devices: &Node, around: Around<'_>) {
    let Kind::List(elements) = &devices.kind else {
        return;
    };
    let mut first: Option<(Span, Option<Span>)> = None;
    let mut cards: Vec<String> = Vec::new();
    for element in elements {
        let Some(card) = element
            .text()
            .and_then(|text| text.strip_prefix("nvidia.com/gpu="))
        else {
            continue;
        };
        let inside = element.scalar().and_then(|scalar| scalar.inside);
        let value = inside.map(|span| Span::new(span.end - card.len(), span.end));
        first.get_or_insert((element.span, value));
        cards.push(card.to_owned());
    }
    let Some((span, value)) = first else {
        return;
    };
    let value = value.filter(|_| cards.len() == 1);
    let cards = if cards.iter().any(|card| card == "all") {
        Cards::All
    } else if cards
        .iter()
        .any(|card| super::variable::is_decided_later(card))
    {
        Cards::Dynamic
    } else {
        Cards::Listed(cards)
    };
    gives(walk, span, value, cards, around);
}

fn gives(walk: &mut Walk<'_>, span: Span, value: Option<Span>, cards: Cards, around: Around<'_>) {
    walk.scope(around.owner);
    walk.fact(span, value, LABEL, FactKind::Container(cards));
}
