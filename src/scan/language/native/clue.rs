//! Whether a file can choose a card at all: a search for the names of the catalogue's calls, of
//! variables, and of fields that hold a card. Every CUDA file says `cuda`, and few choose a card.
//!
//! These names are too many to be looked for with vectors. So a file is first searched for the few
//! words of which each of the names has one: most files of most repositories have none.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::scan::catalogue::{Form, Native, NativeCall};

/// Of these every name has one in it, or what must stand with it has; the tests see to that. Up to
/// 32 are looked for at once with the narrower and faster instructions.
const WORDS: &[&str] = &[
    "cuda",
    "CUDA",
    "Cuda",
    "gpu",
    "GPU",
    "Gpu",
    "nvidia",
    "cuDev",
    "cuCtx",
    "cuMem",
    "VISIBLE_DEV",
    "DEVICE_ORDER",
    "etDevice",
    "et_device",
    "set_default_device",
    "set_visible_device",
    "device_i",
    "deviceI",
    "DeviceI",
    ".device =",
    ".device=",
    "device::get",
    "_Tensorrt",
    "torch",
    "deepspeed",
    "accelerate",
    "vllm",
];

/// What the facts that are no calls of the catalogue have in them.
const STEMS: &[&str] = &[
    // Variables, also misspelt.
    "CUDA_VIS",
    "CUDA_DEV",
    "CUDA_ORD",
    "DEVICE_ORDER",
    "VISIBLE_DEV",
    "VISIBLE_GPU",
    "cuda_vis",
    // Texts that name a card, and kinds before an index.
    "cuda:",
    "gpu:",
    "GPU:",
    "kCUDA",
    "::CUDA",
    "::Cuda",
    // Names that hold a card.
    "gpu_i",
    "gpuI",
    "GpuI",
    "gpu_dev",
    "gpuDev",
    "GpuDev",
    "main_gpu",
    "mainGpu",
    "cuda_dev",
    "cudaDeviceI",
    "CudaDevice",
    "cuda_i",
    "cudaId",
    "cudaInd",
    // Commands.
    "--gpus",
    "/dev/nvidia",
    "nvidia.com/gpu",
    "torchrun",
    "torch.distributed",
    "deepspeed",
    // Not what is merely accelerated.
    "accelerate\"",
    "accelerate launch",
    "accelerate.commands",
    "vllm",
];

/// Fields that hold a card where their owner says that it is about CUDA.
const FIELDS: &[&str] = &[
    "device_id",
    "deviceId",
    "DeviceId",
    ".device =",
    ".device=",
    "device_in",
    "deviceIn",
];

/// What the names of such owners have in them ([`owner`](super::owner::owner)).
const OWNERS: &[&str] = &[
    "cuda", "CUDA", "Cuda", "cudnn", "CUDNN", "Cudnn", "gpu", "GPU", "Gpu", "nv_", "NV_", "_nv",
    "nvidia", "NVIDIA", "Nvidia", "nvinfer", "NvInfer", "tensorrt", "Tensorrt", "TensorRT",
    "TENSORRT", "trt", "TRT", "Trt",
];

/// What a row's call has in it, however much of its path is written.
fn stem(row: &NativeCall) -> &'static str {
    /// Shorter names stand in too many files.
    const SHORT: usize = 5;
    let path = row.path.trim_start_matches('.');
    let last = path.rfind("::").map_or(0, |at| at + 2);
    if path.len() - last >= SHORT {
        return &path[last..];
    }
    let before = path[..last.saturating_sub(2)]
        .rfind("::")
        .map_or(0, |at| at + 2);
    &path[before..]
}

/// The calls for which a language is searched: a text that names a card is a clue by itself.
fn told_by_name(native: Native) -> impl Iterator<Item = &'static NativeCall> {
    let is_told = |row: &&NativeCall| row.arguments.iter().any(|(_, form)| *form != Form::Text);
    native.calls().iter().filter(is_told)
}

fn names(native: Native) -> Option<AhoCorasick> {
    let calls = told_by_name(native).map(stem);
    AhoCorasick::new(calls.chain(STEMS.iter().copied())).ok()
}

fn is_worth(search: Option<&AhoCorasick>, text: &str) -> bool {
    static WORD: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| vectorised(WORDS));
    static FIELD: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| vectorised(FIELDS));
    static OWNER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| vectorised(OWNERS));
    let found = |search: Option<&AhoCorasick>| search.is_none_or(|search| search.is_match(text));
    let holds_a_card = || found(FIELD.as_ref()) && found(OWNER.as_ref());
    found(WORD.as_ref()) && (found(search) || holds_a_card())
}

fn vectorised(words: &[&str]) -> Option<AhoCorasick> {
    // Only this kind of match is searched for with vectors.
    let mut builder = AhoCorasick::builder();
    builder
        .match_kind(MatchKind::LeftmostFirst)
        .build(words)
        .ok()
}

/// Whether a text in C or C++ is worth reading.
pub(in crate::scan::language) fn cpp(text: &str) -> bool {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| names(Native::Cpp));
    is_worth(SEARCH.as_ref(), text)
}

/// Whether a text in Rust is.
pub(in crate::scan::language) fn rust(text: &str) -> bool {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| names(Native::Rust));
    is_worth(SEARCH.as_ref(), text)
}

#[cfg(test)]
mod tests {
    use super::super::owner::{Owner, owner};
    use super::*;

    #[test]
    fn every_name_has_one_of_the_words() {
        assert!(WORDS.len() <= 32);
        let has_one = |name: &str| WORDS.iter().any(|word| name.contains(word));
        for row in told_by_name(Native::Cpp).chain(told_by_name(Native::Rust)) {
            let parts: Vec<&str> = row.path.split("::").collect();
            let written = parts[parts.len() - row.enough..].join("::");
            let beside = !row.beside.is_empty() && row.beside.iter().all(|word| has_one(word));
            assert!(has_one(&written) || beside, "{written}");
        }
        for stem in STEMS.iter().chain(FIELDS) {
            assert!(has_one(stem), "{stem}");
        }
    }

    #[test]
    fn owners_of_cards_are_seen() {
        for name in [
            "OrtCUDAProviderOptions",
            "CudnnConfig",
            "GpuIndexFlatConfig",
            "cuda_options",
            "nv_options",
            "nvidia_settings",
            "TensorrtOptions",
            "trt_config",
        ] {
            assert_eq!(owner(name), Owner::Card, "{name}");
            assert!(cpp(&format!("{name} o; o.device_id = 1;")), "{name}");
        }
    }

    #[test]
    fn kernels_alone_are_passed_over() {
        assert!(!cpp(
            "__global__ void k(float *x) { x[0] = 1; }\nk<<<1, 1>>>(x); cudaDeviceSynchronize();"
        ));
        assert!(cpp("CudaOptions c; c.device = 1;") && !cpp("c.device = 1;"));
        assert!(cpp("setenv(\"CUDA_VISIBLE_DEVICES\", \"1\", 1);"));
        assert!(!rust("use cudarc::driver::DriverError;") && rust("Device::Cuda(1)"));
        assert!(!rust("// is accelerated by it") && rust("Command::new(\"accelerate\")"));
    }
}
