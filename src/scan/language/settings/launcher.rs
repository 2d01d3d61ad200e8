//! Settings of launchers: `accelerate`'s own file, Lightning's trainer, what vLLM is started with.

use super::device::selected;
use super::name::normal;
use super::tree::{Entry, Kind, Node, Scalar};
use super::walk::{Around, Walk, whole};
use crate::scan::catalogue::{DeviceText, Form};
use crate::scan::fact::{Cards, FactKind, Value};

/// The label of `accelerate`'s facts.
const ACCELERATE: &str = "accelerate launch";

/// What the keys of one map say together.
pub(super) fn of_map(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    if around.in_prose || around.in_environment {
        return;
    }
    if is_of_accelerate(node) {
        accelerate(walk, node);
    }
    trainer(walk, node, around);
    for entry in node.entries() {
        if normal(&entry.key) == "tensor_parallel_size" {
            taken(walk, entry, "vllm");
        }
    }
}

/// Whether a key of a map is one of a launcher's.
pub(super) fn reads(node: &Node, key: &str) -> bool {
    match key {
        "gpu_ids" => is_of_accelerate(node),
        "devices" => node.get("accelerator").is_some(),
        _ => false,
    }
}

fn is_of_accelerate(node: &Node) -> bool {
    node.get("distributed_type").is_some() || node.get("compute_environment").is_some()
}

fn is_on_gpus(node: &Node) -> bool {
    let kind = node.get("accelerator").and_then(Node::text);
    kind.is_some_and(|kind| matches!(kind, "gpu" | "cuda"))
}

/// The file that `accelerate config` writes.
fn accelerate(walk: &mut Walk<'_>, node: &Node) {
    let says = |key: &str, word: &str| {
        node.get(key)
            .and_then(Node::text)
            .is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    if says("use_cpu", "true") {
        return;
    }
    let entry = |key: &str| node.entries().iter().find(|entry| entry.key == key);
    let ids = entry("gpu_ids").and_then(|entry| Some((entry, entry.value.text()?.trim())));
    match ids {
        Some((entry, ids)) if ids.starts_with(|c: char| c.is_ascii_digit()) => {
            let cards = ids.split(',').map(|card| card.trim().to_owned()).collect();
            let kind = FactKind::LauncherFlag {
                flag: "gpu_ids".to_owned(),
                cards: Cards::Listed(cards),
            };
            walk.fact(whole(entry), None, ACCELERATE, kind);
        }
        _ => {
            let on_gpus = ![
                "MULTI_CPU",
                "NO",
                "TPU",
                "XLA",
                "MULTI_NPU",
                "MULTI_XPU",
                "MPS",
            ]
            .iter()
            .any(|other| says("distributed_type", other));
            if let Some(entry) = entry("num_processes").filter(|_| on_gpus) {
                taken(walk, entry, ACCELERATE);
            }
        }
    }
}

/// As many cards as a number says.
fn taken(walk: &mut Walk<'_>, entry: &Entry, label: &'static str) {
    let count = entry.value.text().and_then(|text| text.trim().parse().ok());
    if let Some(count) = count.filter(|count| *count > 0) {
        let count = Value::Known(count);
        walk.fact(whole(entry), None, label, FactKind::TakesCount { count });
    }
}

/// Lightning's `accelerator` with `devices`, or its `gpus` of old.
fn trainer(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    let on_gpus = is_on_gpus(node);
    let is_trainer = matches!(around.key, "trainer" | "Trainer" | "pl_trainer")
        || node.get("max_epochs").is_some() && node.get("precision").is_some();
    for entry in node.entries() {
        match entry.key.as_str() {
            "devices" if on_gpus => devices(walk, entry),
            "gpus" if is_trainer => devices(walk, entry),
            _ => {}
        }
    }
}

fn devices(walk: &mut Walk<'_>, entry: &Entry) {
    let label = if entry.key == "gpus" {
        "gpus="
    } else {
        "devices="
    };
    match &entry.value.kind {
        Kind::Scalar(scalar) => match read(scalar) {
            DeviceText::Indices(indices) => {
                let place = (whole(entry), None);
                selected(walk, &indices, place, label);
            }
            DeviceText::Count(count) => {
                let count = Value::Known(count);
                walk.fact(whole(entry), None, label, FactKind::TakesCount { count });
            }
            DeviceText::All => walk.fact(whole(entry), None, label, FactKind::TakesAll),
            DeviceText::Cuda | DeviceText::Open | DeviceText::Other => {}
        },
        Kind::List(elements) => {
            for element in elements {
                let index = element.text().and_then(|text| text.trim().parse().ok());
                let inside = element.scalar().and_then(|scalar| scalar.inside);
                if let Some(index) = index {
                    walk.index(element.span, inside, label, index);
                }
            }
        }
        Kind::Map(_) | Kind::Nothing => {}
    }
}

fn read(scalar: &Scalar) -> DeviceText {
    match scalar.text.trim().parse::<i64>() {
        Ok(number) => Form::Devices.read_number(number),
        Err(_) => Form::Devices.read(&scalar.text),
    }
}
