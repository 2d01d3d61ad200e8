//! Settings of launchers: `accelerate`'s own file, Lightning's trainer, what vLLM is started with.

use super::count;
use super::device::selected;
use super::name::normal;
use super::tree::{Entry, Kind, Node, Scalar};
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::catalogue::{DeviceText, Form};
use crate::scan::fact::{Cards, FactKind, Value};
use crate::text::Span;

/// The label of `accelerate`'s facts.
const ACCELERATE: &str = "accelerate launch";

/// What the keys of one map say together.
pub(super) fn of_map(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    if matches!(around.sense, Sense::Prose | Sense::Environment) {
        return;
    }
    if is_of_accelerate(node) {
        accelerate(walk, node);
    }
    trainer(walk, node, around);
}

/// The words of a command whose program stands elsewhere: `args: [--tensor-parallel-size, "2"]`.
pub(super) fn of_words(walk: &mut Walk<'_>, elements: &[Node], around: Around<'_>) {
    if matches!(around.sense, Sense::Prose | Sense::Environment) {
        return;
    }
    for (at, element) in elements.iter().enumerate() {
        let Some(flag) = element.text().and_then(|text| text.strip_prefix("--")) else {
            continue;
        };
        let (name, value, last) = match (flag.split_once('='), elements.get(at + 1)) {
            (Some((name, value)), _) => (name, value, element),
            (None, Some(next)) => (flag, next.text().unwrap_or_default(), next),
            (None, None) => continue,
        };
        let Some(label) = count::label(walk, &normal(name)) else {
            continue;
        };
        let bare = |node: &Node| node.scalar().and_then(|s| s.inside).unwrap_or(node.span);
        let span = Span::new(bare(element).start, bare(last).end);
        if let Ok(count) = value.trim().parse::<u32>() {
            let count = Value::Known(count);
            walk.fact(span, None, label, FactKind::TakesCount { count });
        }
    }
}

/// Whether a key of a map is one of a launcher's.
pub(super) fn reads(node: &Node, key: &str, around: Around<'_>) -> bool {
    match key {
        "gpu_ids" => is_of_accelerate(node),
        "devices" => node.get("accelerator").is_some() || is_made_trainer(node),
        "gpus" => is_trainer(node, around),
        _ => false,
    }
}

fn is_of_accelerate(node: &Node) -> bool {
    node.get("distributed_type").is_some() || node.get("compute_environment").is_some()
}

/// Whose devices are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accelerator {
    Gpu,
    /// GPUs, where there are any.
    Auto,
    Other,
}

fn accelerator(node: &Node) -> Accelerator {
    match node.get("accelerator").and_then(Node::text) {
        Some("gpu" | "cuda") => Accelerator::Gpu,
        Some("auto") => Accelerator::Auto,
        // Which is Lightning's own default.
        None if is_made_trainer(node) => Accelerator::Auto,
        _ => Accelerator::Other,
    }
}

/// Whether Hydra makes a trainer of the map.
fn is_made_trainer(node: &Node) -> bool {
    let target = node.get("_target_").and_then(Node::text);
    target.is_some_and(|target| target.ends_with(".Trainer"))
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
            let text = walk.text;
            let counts = |entry: &&Entry| on_gpus && !speaks_of_others(text, entry);
            if let Some(entry) = entry("num_processes").filter(counts) {
                taken(walk, entry, ACCELERATE);
            }
        }
    }
}

/// Whether the comment behind a setting speaks of another vendor's devices.
fn speaks_of_others(text: &str, entry: &Entry) -> bool {
    let behind = text.get(entry.value.span.end..).unwrap_or_default();
    let line = behind.lines().next().unwrap_or_default();
    ["NPU", "XPU", "HPU", "TPU"]
        .iter()
        .any(|other| line.contains(other))
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
    let of_devices = accelerator(node);
    let is_trainer = is_trainer(node, around);
    for entry in node.entries() {
        match entry.key.as_str() {
            "devices" if of_devices != Accelerator::Other => devices(walk, entry, of_devices),
            "gpus" if is_trainer => devices(walk, entry, Accelerator::Gpu),
            _ => {}
        }
    }
}

fn is_trainer(node: &Node, around: Around<'_>) -> bool {
    matches!(around.key, "trainer" | "Trainer" | "pl_trainer")
        || node.get("max_epochs").is_some() && node.get("precision").is_some()
}

fn devices(walk: &mut Walk<'_>, entry: &Entry, of_devices: Accelerator) {
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
            DeviceText::Count(_) | DeviceText::All if of_devices == Accelerator::Auto => {}
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
        Kind::Map(_) | Kind::TakenOver(_) | Kind::Nothing => {}
    }
}

fn read(scalar: &Scalar) -> DeviceText {
    match scalar.text.trim().parse::<i64>() {
        Ok(number) => Form::Devices.read_number(number),
        Err(_) => Form::Devices.read(&scalar.text),
    }
}
