//! To whom a field belongs: whether its owner is a setting of CUDA's.

use super::reader::{Reader, Syntax};
use super::tokens::Kind;

/// Words of types and variables whose `device_id` is a card.
const CARDS: &[&str] = &["cuda", "cudnn", "nv", "nvidia", "tensorrt", "trt"];
/// Of a GPU's types, those with one of these words set something; the others may only tell.
const SETTINGS: &[&str] = &[
    "args",
    "cloner",
    "config",
    "index",
    "init",
    "opts",
    "options",
    "params",
    "resources",
    "settings",
];
/// And of those whose is none.
const OTHERS: &[&str] = &[
    "amd", "camera", "cann", "capture", "directml", "dml", "hip", "metal", "migraphx", "npu",
    "opencl", "openvino", "rocm", "sycl", "vk", "vulkan", "webgpu", "wgpu",
];
/// Types that tell of cards, and choose none.
const TOLD: &[&str] = &[
    "event", "info", "metric", "metrics", "report", "sample", "snapshot", "stat", "stats",
    "status", "usage", "alert", "process",
];

/// What an owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A setting of a GPU.
    Card,
    /// Another device's, or something that only tells.
    Other,
    /// Not known.
    Unknown,
}

/// What a name says about what it owns.
pub(super) fn owner(name: &str) -> Owner {
    let lower = name.to_ascii_lowercase();
    let words: Vec<String> = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(OTHERS) || has(TOLD) || lower.contains("rocm") {
        Owner::Other
    } else if has(CARDS)
        || (has(&["gpu"]) && has(SETTINGS))
        || lower.contains("cuda")
        || lower.contains("tensorrt")
    {
        Owner::Card
    } else {
        Owner::Unknown
    }
}

/// The words of a name, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = '_';
    for c in name.chars() {
        let begins = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (c == '_' || begins) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c != '_' {
            // `GPUIndex`: the last capital begins the next word.
            if c.is_ascii_lowercase() && word.len() > 1 && before.is_ascii_uppercase() {
                let last = word.pop();
                words.push(std::mem::take(&mut word));
                word.extend(last);
            }
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.push(word);
    words
}

impl Reader<'_> {
    /// What the owner of the field is whose name is at a token: `owner.name = 1`.
    pub(super) fn owner_before(&self, name: usize) -> Owner {
        let mut at = name;
        // `a.b[0]->name`
        for _ in 0..4 {
            let dot = if at
                .checked_sub(1)
                .is_some_and(|dot| self.tokens.is_sign(dot, b'.'))
            {
                at.checked_sub(2)
            } else if at
                .checked_sub(2)
                .is_some_and(|arrow| self.tokens.are_signs(arrow, [b'-', b'>']))
            {
                at.checked_sub(3)
            } else {
                None
            };
            let Some(mut owner_at) = dot else {
                break;
            };
            if let Some(open) = self.tokens.open_of(owner_at) {
                let Some(before) = open.checked_sub(1) else {
                    break;
                };
                owner_at = before;
            }
            let Some(word) = self.tokens.word(owner_at) else {
                break;
            };
            let known = self
                .constants
                .type_named(word)
                .map_or(Owner::Unknown, owner);
            let known = if known == Owner::Unknown {
                owner(word)
            } else {
                known
            };
            if known != Owner::Unknown {
                return known;
            }
            at = owner_at;
        }
        self.literal_owner(name)
    }

    /// The type of the literal around a field: `Options { device_id: 1 }`, `Options o = {.device_id = 1}`.
    pub(super) fn literal_owner(&self, at: usize) -> Owner {
        let Some(around) = self
            .tokens
            .around(at)
            .filter(|around| self.tokens.is_open(*around, b'{'))
        else {
            return Owner::Unknown;
        };
        let mut before = around.wrapping_sub(1);
        if self.syntax == Syntax::Cpp && self.tokens.is_sign(before, b'=') {
            before = before.wrapping_sub(1);
        }
        for _ in 0..2 {
            let Some(word) = self.tokens.word(before) else {
                return Owner::Unknown;
            };
            let known = owner(word);
            if known != Owner::Unknown {
                return known;
            }
            before = before.wrapping_sub(1);
        }
        Owner::Unknown
    }

    /// Whether the literal around a field is one of CUDA's devices: `CudaDevice { index: 1 }`.
    pub(super) fn is_in_cuda_device(&self, at: usize) -> bool {
        let around = self
            .tokens
            .around(at)
            .filter(|around| self.tokens.is_open(*around, b'{'));
        around.is_some_and(|around| self.tokens.written(around.wrapping_sub(1)) == "CudaDevice")
    }

    /// Whether a block is a piece of a macro's, of which nobody knows what it becomes.
    pub(super) fn is_in_macro(&self, at: usize) -> bool {
        let around = self.tokens.around(at);
        around.is_some_and(|around| self.tokens.kind(around) == Some(Kind::Open(b'#')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_by_their_words() {
        for (name, expected) in [
            ("OrtCUDAProviderOptions", Owner::Card),
            ("OrtROCMProviderOptions", Owner::Other),
            ("GpuIndexFlatConfig", Owner::Card),
            ("GPUOptions", Owner::Card),
            ("GpuProcessInfo", Owner::Other),
            ("GpuForAggregation", Owner::Unknown),
            ("cuda_options", Owner::Card),
            ("o", Owner::Unknown),
            ("VkDevice", Owner::Other),
        ] {
            assert_eq!(owner(name), expected, "{name}");
        }
    }
}
