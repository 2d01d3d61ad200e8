//! Keys that hold a device: `device: cuda:1` anywhere, `gpu_id: 1` where the name says it,
//! `device: 1` where the file is about GPUs.

use super::default::resolved;
use super::name::normal;
use super::tree::{Entry, Kind, Node, Scalar};
use super::variable::is_decided_later;
use super::walk::{Around, Sense, Walk, whole};
use crate::scan::catalogue::{self, Choice, DeviceText, Evidence, Form};
use crate::scan::fact::{Detail, FactKind, Value};
use crate::text::Span;

/// The label of a text that names a card.
const TEXT: &str = "device";
/// From here on, `cuda:12` is a version.
const MOST_CARDS: u32 = 9;

/// Words of files about other devices, which are counted as well.
const OTHERS: &[&str] = &[
    "alsa",
    "ascend",
    "audio",
    "bluetooth",
    "camera",
    "capture",
    "hdmi",
    "homeassistant",
    "hpu",
    "joystick",
    "microphone",
    "midi",
    "mqtt",
    "npu",
    "opencl",
    "openvino",
    "pulseaudio",
    "rocm",
    "rtsp",
    "sensor",
    "serial",
    "smbus",
    "sound",
    "speaker",
    "tpu",
    "usb",
    "v4l2",
    "webcam",
    "xpu",
    "zigbee",
];

/// Whether a file is about GPUs and about no other devices.
pub(super) fn is_about_gpus(text: &str) -> bool {
    let mut about = false;
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words.filter(|word| word.len() >= 3) {
        let word = word.to_ascii_lowercase();
        if OTHERS.contains(&word.as_str()) || OTHERS.contains(&word.trim_end_matches('s')) {
            return false;
        }
        about |= matches!(word.trim_end_matches('s'), "gpu" | "cuda" | "nvidia");
    }
    about
}

/// What a key with its value selects.
pub(super) fn of_entry(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) {
    if around.sense != Sense::Settings {
        return;
    }
    let name = normal(around.key);
    let Some(choice) = catalogue::option(&name) else {
        if name == "device_map" {
            mapped(walk, entry);
        }
        return;
    };
    let is_list = matches!(entry.value.kind, Kind::List(_))
        || entry.value.text().is_some_and(|text| text.contains(','));
    if !counts(walk, choice, is_list) {
        return;
    }
    match &entry.value.kind {
        Kind::Scalar(scalar) => number(walk, choice, whole(entry), scalar),
        Kind::List(elements) => {
            for element in elements {
                if let Some(scalar) = element.scalar() {
                    number(walk, choice, element.span, scalar);
                }
            }
        }
        Kind::Map(_) | Kind::TakenOver(_) | Kind::Nothing => {}
    }
}

/// Whether a number under a name is a card's, in this file.
fn counts(walk: &Walk<'_>, choice: &Choice, is_list: bool) -> bool {
    match choice.needs {
        Evidence::Name => true,
        Evidence::File => walk.about_gpus,
        // One number is how many, or a switch; several are which.
        Evidence::Use => {
            is_list && (walk.about_gpus || choice.name.contains("gpu") || choice.name == "cuda")
        }
    }
}

fn number(walk: &mut Walk<'_>, choice: &'static Choice, span: Span, scalar: &Scalar) {
    let scalar = resolved(scalar);
    let text = scalar.text.trim();
    // A text that names a card counts under any key.
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    let trimmed = text.trim_end_matches(',');
    let read = match trimmed.parse::<i64>() {
        Ok(number) => Form::List.read_number(number),
        Err(_) => Form::List.read(trimmed),
    };
    if let DeviceText::Indices(indices) = read {
        selected(walk, &indices, (span, scalar.inside), choice.label);
    }
}

/// `device_map: {"": 1}`.
fn mapped(walk: &mut Walk<'_>, entry: &Entry) {
    for part in entry.value.entries() {
        let number = part.value.text().and_then(|text| text.parse::<i64>().ok());
        let inside = part.value.scalar().and_then(|scalar| scalar.inside);
        if let Some(DeviceText::Indices(indices)) =
            number.map(|number| Form::Map.read_number(number))
        {
            selected(walk, &indices, (whole(part), inside), "device_map");
        }
    }
}

/// A text by itself, which names a card under whatever key.
pub(super) fn of_element(walk: &mut Walk<'_>, node: &Node, scalar: &Scalar, around: Around<'_>) {
    let scalar = resolved(scalar);
    let text = scalar.text.as_str();
    // Settings on one line: `trainer.device=cuda:1`.
    let (before, device) = match text.rsplit_once('=') {
        Some((name, device)) if is_name(name) => (name.len() + 1, device),
        _ => (0, text),
    };
    let place = || {
        let inside = scalar.inside?;
        Some(Span::new(inside.start + before, inside.end))
    };
    if walk.detail == Detail::Dynamic && device.starts_with("cuda:") && is_decided_later(device) {
        let index = Value::Dynamic;
        walk.fact(node.span, None, TEXT, FactKind::SelectIndex { index });
        return;
    }
    let DeviceText::Indices(indices) = cards(device) else {
        return;
    };
    let is_count = around.sense == Sense::Resources && !device.starts_with("cuda");
    if is_count || indices.iter().any(|index| *index >= MOST_CARDS) {
        return;
    }
    selected(walk, &indices, (node.span, place()), TEXT);
}

/// `cuda:1`, and Paddle's `gpu:0,1`.
fn cards(device: &str) -> DeviceText {
    let numbers = ["gpu:", "cuda:"]
        .iter()
        .find_map(|kind| device.strip_prefix(kind));
    match numbers.filter(|numbers| numbers.contains(',')) {
        Some(numbers) => Form::List.read(numbers),
        None => catalogue::card_text(device),
    }
}

fn is_name(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '+', '~']);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-./@".contains(&byte))
}

/// Of several cards in one text, the first that is not the only one under a mask of one card says
/// enough.
pub(super) fn selected(
    walk: &mut Walk<'_>,
    indices: &[u32],
    (span, value): (Span, Option<Span>),
    label: &'static str,
) {
    match indices {
        [only] => walk.index(span, value, label, *only),
        _ => {
            if let Some(highest) = indices.iter().max() {
                walk.index(span, None, label, *highest);
            }
        }
    }
}
