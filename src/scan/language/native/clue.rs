//! Whether a file can choose a card at all: one search for the names of the catalogue's calls, of
//! variables, and of fields that hold a card.
//!
//! Every CUDA file says `cuda`, and few choose a card.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::scan::catalogue::{Form, Native, NativeCall};

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
    "device_id",
    "deviceId",
    "DeviceId",
    ".device =",
    ".device=",
    "device_in",
    "deviceIn",
    "index:",
    // Commands.
    "docker",
    "podman",
    "torchrun",
    "torch.distributed",
    "deepspeed",
    "accelerate",
    "vllm",
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

fn search(native: Native) -> Option<AhoCorasick> {
    // A text that names a card is a clue by itself.
    let is_told = |row: &&NativeCall| row.arguments.iter().any(|(_, form)| *form != Form::Text);
    let calls = native.calls().iter().filter(is_told).map(stem);
    AhoCorasick::new(calls.chain(STEMS.iter().copied())).ok()
}

/// Whether a text in C or C++ is worth reading.
pub(in crate::scan::language) fn cpp(text: &str) -> bool {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| search(Native::Cpp));
    SEARCH.as_ref().is_none_or(|search| search.is_match(text))
}

/// Whether a text in Rust is.
pub(in crate::scan::language) fn rust(text: &str) -> bool {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| search(Native::Rust));
    SEARCH.as_ref().is_none_or(|search| search.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_alone_are_passed_over() {
        assert!(!cpp(
            "__global__ void k(float *x) { x[0] = 1; }\nk<<<1, 1>>>(x); cudaDeviceSynchronize();"
        ));
        assert!(cpp("c.device = 1;") && cpp("setenv(\"CUDA_VISIBLE_DEVICES\", \"1\", 1);"));
        assert!(!rust("use cudarc::driver::DriverError;") && rust("Device::Cuda(1)"));
    }
}
