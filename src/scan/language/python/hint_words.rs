//! Words by which a file says what its names are: calls, keywords and texts that take a device,
//! a mask, or something that is no card.

/// The variable that masks cards.
pub(super) const MASK: &str = "CUDA_VISIBLE_DEVICES";

/// Whether a text speaks of the mask at all: only then is a file looked through for what its
/// mask is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MaskName {
    /// It does.
    Mentioned,
    /// It does not.
    Absent,
}

impl MaskName {
    pub(super) fn of(text: &str) -> Self {
        if text.contains(MASK) {
            Self::Mentioned
        } else {
            Self::Absent
        }
    }
}

/// Functions and methods whose first argument is a device.
pub(super) const DEVICE_CALLS: &[&str] = &[
    "set_device",
    "device",
    "cuda",
    "to",
    "get_device",
    "get_device_from_id",
    "get_device_name",
    "get_device_properties",
    "select_device",
    "Device",
    "gpu",
    "CUDAPlace",
    "require_gpu",
    "prefer_gpu",
    "to_gpu",
];

/// Modules of other accelerators that have the same functions: `torch.npu.set_device`.
pub(super) const OTHERS: &[&str] = &["npu", "xpu", "mlu", "musa", "hpu", "mps", "sdaa", "gcu"];

/// Functions of sound libraries whose `device` is a loudspeaker or microphone.
pub(super) const SOUNDS: &[&str] = &["Stream", "play", "playrec", "query_devices", "rec"];

/// Keywords whose value is a device of CUDA's.
pub(super) const DEVICE_KEYWORDS: &[&str] = &[
    "device_ids",
    "device_index",
    "gpu",
    "gpu_id",
    "gpu_ids",
    "main_gpu",
    "map_location",
];

/// Keywords whose value is the number of a process, or how many there are.
pub(super) const RANK_KEYWORDS: &[&str] = &[
    "local_rank",
    "num_gpus",
    "num_processes",
    "rank",
    "world_size",
];

/// What names are collected as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Device,
    Mask,
    Other,
}

/// What a text is the start of, up to the hole for its number: `"cuda:%d"`.
pub(super) fn ends_as(text: &str, hole: &str) -> Option<As> {
    let start = match hole {
        "" => text,
        hole => text.split(hole).next().unwrap_or_default(),
    };
    if start
        .strip_suffix('=')
        .is_some_and(|name| name.ends_with(MASK))
    {
        return Some(As::Mask);
    }
    let kind = start.strip_suffix(':')?;
    if ["cuda", "gpu", "GPU"].iter().any(|end| kind.ends_with(end)) {
        return Some(As::Device);
    }
    let is_other = OTHERS.iter().any(|end| kind.ends_with(end));
    is_other.then_some(As::Other)
}

/// Whether a word or text speaks of a GPU.
pub(super) fn names_gpu(text: &str) -> bool {
    let bytes = text.as_bytes();
    let found = |word: &[u8]| {
        bytes
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    found(b"gpu") || found(b"cuda")
}
