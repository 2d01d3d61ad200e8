//! How a value says which cards: the texts and numbers that an argument may hold.

use super::card_text::card_text;

/// How a value says which device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `"cuda:1"`, or 1.
    Device,
    /// `"cuda:1"`; a number means something else.
    Text,
    /// 1 or `[0, 1]`.
    Index,
    /// 1, `"1"`, `"0,1"`, `[0, 1]` or `"cuda:1"`.
    List,
    /// The same by the numbers of the machine's cards: the call writes the mask anew with them.
    OfMachine,
    /// `{"": 1}`, or a word such as `"auto"` that means all cards.
    Map,
    /// A map whose words mean only some cards, because the call says how much of each to take.
    LimitedMap,
    /// `"gpu:1"`, `"/GPU:1"`, `"/job:a/task:0/device:GPU:1"` or `"cuda:1"`.
    GpuText,
    /// `"gpu:1"`, or 1.
    GpuDevice,
    /// `"0:1"`, `"0-1"`, `"0,1"`, 1 or `[0, 1]`.
    Ranges,
    /// A count: 2.
    Count,
    /// A count (`2`, `"2"`), indices (`[0, 1]`, `"0,1"`, `"1,"`) or all (-1, `"auto"`); another
    /// argument says whether GPUs are meant.
    Devices,
    /// The same, and GPUs are meant.
    Gpus,
    /// What each card gets, in order: `[0, 1]` or `"0,24"`.
    Shares,
    /// A mapping by index: `{0: "10GiB", 1: "20GiB"}`.
    Keyed,
    /// The kind of hardware: `"gpu"`, `"cuda"`, `"cpu"`.
    Kind,
    /// ONNX Runtime's `"CUDAExecutionProvider"`, alone or with its options.
    Providers,
    /// ONNX Runtime's options of a provider: `{"device_id": 1}`.
    Options,
    /// `CUDA_VISIBLE_DEVICES` of processes that the call starts: `"0,1"` or `[0, 1]`.
    Mask,
    /// The same as a list, where the call's first argument is this text.
    After(&'static str),
}

/// What a text says about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceText {
    /// CUDA, without an index.
    Cuda,
    /// These CUDA indices.
    Indices(Vec<u32>),
    /// All cards.
    All,
    /// This many cards.
    Count(u32),
    /// CUDA, or something else: decided at run time.
    Open,
    /// Something that is not a CUDA device.
    Other,
}

/// Words of a map that spread a model over all cards.
const SPREAD: &[&str] = &["auto", "balanced", "balanced_low_0", "sequential"];

/// Numbers from this on are no card's, and no range is as long.
const MOST_CARDS: u32 = 128;

impl Form {
    /// Reads a whole text value.
    pub fn read(self, text: &str) -> DeviceText {
        match self {
            Self::GpuText | Self::GpuDevice => gpu_text(text),
            Self::Map if SPREAD.contains(&text) => DeviceText::All,
            Self::LimitedMap if SPREAD.contains(&text) => DeviceText::Cuda,
            Self::List | Self::OfMachine | Self::After(_) => {
                list(text).map_or_else(|| device_text(text), DeviceText::Indices)
            }
            Self::Ranges => ranges(text).map_or(DeviceText::Other, DeviceText::Indices),
            Self::Devices | Self::Gpus => devices(text),
            Self::Shares => shares(text).map_or(DeviceText::Other, DeviceText::Indices),
            Self::Kind => match text.to_ascii_lowercase().as_str() {
                "gpu" | "cuda" => DeviceText::Cuda,
                "auto" => DeviceText::Open,
                _ => DeviceText::Other,
            },
            Self::Providers => match text {
                "CUDAExecutionProvider"
                | "TensorrtExecutionProvider"
                | "NvTensorRTRTXExecutionProvider" => DeviceText::Cuda,
                _ => DeviceText::Open,
            },
            Self::Count | Self::Keyed | Self::Options | Self::Mask => DeviceText::Open,
            Self::Device | Self::Text | Self::Index | Self::Map | Self::LimitedMap => {
                device_text(text)
            }
        }
    }

    /// Reads a whole number.
    pub fn read_number(self, number: i64) -> DeviceText {
        // No machine has as many cards: `gpu_id=630` is a model's number.
        let index = u32::try_from(number)
            .ok()
            .filter(|index| *index < MOST_CARDS);
        match (self, index) {
            (Self::Count | Self::Devices | Self::Gpus, Some(0)) => DeviceText::Other,
            (Self::Count | Self::Devices | Self::Gpus, Some(count)) => DeviceText::Count(count),
            (Self::Devices | Self::Gpus, None) if number == -1 => DeviceText::All,
            (form, Some(index)) if form.takes_number() => DeviceText::Indices(vec![index]),
            _ => DeviceText::Other,
        }
    }

    /// Whether another index can be written into this text where the wrong one stands: not into
    /// `"0:1"`, `"1,"` or `"0,24"`.
    pub fn is_plain(self, text: &str) -> bool {
        let is_word = text.bytes().all(|byte| byte.is_ascii_digit());
        is_word
            || !matches!(
                self,
                Self::Ranges | Self::Devices | Self::Gpus | Self::Shares
            )
    }

    /// Whether a bare number is an index here.
    pub fn takes_number(self) -> bool {
        matches!(
            self,
            Self::Device
                | Self::Index
                | Self::List
                | Self::OfMachine
                | Self::Map
                | Self::LimitedMap
                | Self::GpuDevice
                | Self::Ranges
                | Self::After(_)
        )
    }

    /// What the elements of a list are here; `None` where a list is no device.
    pub fn element(self) -> Option<Self> {
        match self {
            Self::Index
            | Self::List
            | Self::OfMachine
            | Self::Map
            | Self::LimitedMap
            | Self::GpuText
            | Self::Providers
            | Self::Options => Some(self),
            Self::Devices | Self::Gpus | Self::Ranges | Self::After(_) => Some(Self::Index),
            _ => None,
        }
    }

    /// What the values of a mapping are here; `None` where a mapping is no device.
    pub fn mapped(self) -> Option<Self> {
        match self {
            Self::Index | Self::List | Self::OfMachine | Self::Map | Self::LimitedMap => Some(self),
            _ => None,
        }
    }

    /// Whether it is a map of a model's parts to devices.
    pub fn is_map(self) -> bool {
        matches!(self, Self::Map | Self::LimitedMap)
    }

    /// Whether a text here says what kind of device is meant, so that a number beside it may be
    /// none of CUDA's.
    pub fn names_kind(self) -> bool {
        matches!(
            self,
            Self::Device
                | Self::Text
                | Self::List
                | Self::OfMachine
                | Self::GpuText
                | Self::GpuDevice
                | Self::Kind
        )
    }

    /// The form where only texts count.
    #[must_use]
    pub fn words_only(self) -> Self {
        match self {
            Self::Map
            | Self::LimitedMap
            | Self::GpuText
            | Self::Text
            | Self::Kind
            | Self::Providers
            | Self::Options
            | Self::Mask
            | Self::Keyed => self,
            Self::GpuDevice => Self::GpuText,
            Self::Device
            | Self::Index
            | Self::List
            | Self::OfMachine
            | Self::Ranges
            | Self::Count
            | Self::Devices
            | Self::Gpus
            | Self::Shares
            | Self::After(_) => Self::Text,
        }
    }
}

/// Reads `"cuda"` and `"cuda:1"`.
pub fn cuda_text(text: &str) -> DeviceText {
    match text.strip_prefix("cuda") {
        Some("") => DeviceText::Cuda,
        Some(rest) => rest
            .strip_prefix(':')
            .and_then(index)
            .map_or(DeviceText::Other, |index| DeviceText::Indices(vec![index])),
        None => DeviceText::Other,
    }
}

/// Reads `"cuda:1"` and `"gpu:1"`; `"auto"` and `"gpu"` may be CUDA too, or something else.
fn device_text(text: &str) -> DeviceText {
    let is_open = || {
        text == "auto"
            || text
                .get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case("gpu"))
    };
    match card_text(text) {
        DeviceText::Other if is_open() => DeviceText::Open,
        known => known,
    }
}

/// Reads the forms of `TensorFlow`'s `tf.device`, which are also those of Paddle and Keras. The
/// address of the machine (`/job:worker/replica:0/task:1`) stands before the device.
fn gpu_text(text: &str) -> DeviceText {
    const ADDRESS: &[&str] = &["job:", "replica:", "task:"];
    let text = text.to_ascii_lowercase();
    let mut parts = text.trim_start_matches('/').split('/');
    let device = parts.next_back().unwrap_or_default();
    if !parts.all(|part| ADDRESS.iter().any(|start| part.starts_with(start))) {
        return DeviceText::Other;
    }
    let device = device
        .strip_prefix("device:")
        .or_else(|| device.strip_prefix("physical_device:"))
        .unwrap_or(device);
    let Some(rest) = device
        .strip_prefix("gpu")
        .or_else(|| device.strip_prefix("cuda"))
    else {
        return DeviceText::Other;
    };
    match rest.strip_prefix(':') {
        None if rest.is_empty() => DeviceText::Cuda,
        Some("*") => DeviceText::Cuda,
        Some(digits) => {
            index(digits).map_or(DeviceText::Other, |index| DeviceText::Indices(vec![index]))
        }
        None => DeviceText::Other,
    }
}

/// Reads Lightning's `devices`: `"1"` is a count (since 1.5), `"1,"` a list.
fn devices(text: &str) -> DeviceText {
    match text.trim() {
        "auto" | "-1" => DeviceText::All,
        list if list.contains(',') => {
            let parts = list
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            parts
                .map(index)
                .collect::<Option<_>>()
                .map_or(DeviceText::Other, DeviceText::Indices)
        }
        count => match index(count) {
            Some(count) if count > 0 => DeviceText::Count(count),
            _ => DeviceText::Other,
        },
    }
}

/// Reads `CatBoost`'s `devices`: `"0"`, `"0:1:3"`, `"0-3"`.
fn ranges(text: &str) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for part in text.split([':', ',']) {
        match part.trim().split_once('-') {
            None => all.push(index(part.trim())?),
            Some((first, last)) => {
                let (first, last) = (index(first.trim())?, index(last.trim())?);
                if last < first || last - first > MOST_CARDS {
                    return None;
                }
                all.extend(first..=last);
            }
        }
    }
    Some(all)
}

/// The places in `"0,24"` at which the share is not zero.
fn shares(text: &str) -> Option<Vec<u32>> {
    let mut given = Vec::new();
    for (at, share) in (0..).zip(text.split(',')) {
        if share.trim().parse::<f64>().ok()? > 0.0 {
            given.push(at);
        }
    }
    Some(given)
}

fn list(text: &str) -> Option<Vec<u32>> {
    text.split(',').map(|part| index(part.trim())).collect()
}

/// Digits and nothing else.
fn index(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(all: &[u32]) -> DeviceText {
        DeviceText::Indices(all.to_vec())
    }

    #[test]
    fn texts_are_read_whole() {
        assert_eq!(cuda_text("cuda:1"), indices(&[1]));
        assert_eq!(cuda_text("cuda"), DeviceText::Cuda);
        for other in [
            "cuda:", "cuda:x", "cuda:1 ", "xcuda:1", "xpu:1", "CUDA:1", "cuda:+1",
        ] {
            assert_eq!(cuda_text(other), DeviceText::Other, "{other}");
        }
    }

    #[test]
    fn every_form_reads_its_texts() {
        for (form, text, expected) in [
            (Form::List, "0,1", indices(&[0, 1])),
            (Form::List, "cuda:1", indices(&[1])),
            (Form::List, "", DeviceText::Other),
            (Form::Device, "auto", DeviceText::Open),
            (Form::Device, "GPU.1", DeviceText::Open),
            (Form::Device, "cpu", DeviceText::Other),
            (Form::Map, "auto", DeviceText::All),
            (Form::LimitedMap, "auto", DeviceText::Cuda),
            (Form::GpuText, "/device:GPU:1", indices(&[1])),
            (Form::GpuText, "gpu", DeviceText::Cuda),
            (
                Form::GpuText,
                "/job:a/replica:0/task:2/device:GPU:1",
                indices(&[1]),
            ),
            (Form::GpuText, "/physical_device:GPU:1", indices(&[1])),
            (Form::GpuText, "/job:a/device:GPU:*", DeviceText::Cuda),
            (Form::GpuText, "/job:a/task:1", DeviceText::Other),
            (Form::GpuText, "a/gpu:1", DeviceText::Other),
            (Form::GpuText, "/device:CPU:1", DeviceText::Other),
            (Form::GpuText, "gpus:1", DeviceText::Other),
            (Form::Devices, "1", DeviceText::Count(1)),
            (Form::Devices, "1,", indices(&[1])),
            (Form::Devices, "0, 1", indices(&[0, 1])),
            (Form::Devices, "-1", DeviceText::All),
            (Form::Devices, "auto", DeviceText::All),
            (Form::Devices, "0", DeviceText::Other),
            (Form::Ranges, "0:1", indices(&[0, 1])),
            (Form::Ranges, "0-2", indices(&[0, 1, 2])),
            (Form::Ranges, "2-0", DeviceText::Other),
            (Form::Ranges, "0-4000000000", DeviceText::Other),
            (Form::Shares, "0,24", indices(&[1])),
            (Form::Shares, "auto", DeviceText::Other),
            (Form::Kind, "tpu", DeviceText::Other),
        ] {
            assert_eq!(form.read(text), expected, "{form:?} {text}");
        }
    }

    #[test]
    fn every_form_reads_its_numbers() {
        assert_eq!(Form::Device.read_number(1), indices(&[1]));
        assert_eq!(Form::Device.read_number(-1), DeviceText::Other);
        assert_eq!(Form::Text.read_number(1), DeviceText::Other);
        assert_eq!(Form::Gpus.read_number(2), DeviceText::Count(2));
        assert_eq!(Form::Gpus.read_number(0), DeviceText::Other);
        assert_eq!(Form::Gpus.read_number(-1), DeviceText::All);
        assert_eq!(Form::Count.read_number(-1), DeviceText::Other);
    }
}
