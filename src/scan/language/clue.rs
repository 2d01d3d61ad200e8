//! Whether a text can say anything about GPUs: one search for a few words before it is parsed,
//! for every language but Python, whose clues are finer.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What every fact has in it or near it, as it is written: a search without regard to case would be
/// slower than these few spellings.
const STEMS: &[&str] = &[
    "cuda",
    "CUDA",
    "Cuda",
    "gpu",
    "GPU",
    "Gpu",
    "nvidia",
    "NVIDIA",
    "Nvidia",
    // Counts of launchers.
    "nproc",
    "tensor-parallel",
    "tensor_parallel",
    "num_processes",
    "num-processes",
    "deepspeed",
    // Masks of other vendors, which do nothing here.
    "VISIBLE_DEVICES",
    // A trainer with `devices: 2`.
    "lightning.",
    // Options of programs that work on nothing but cards, or say where they work.
    "--device",
    "device_index",
    "trtexec",
    "horovodrun",
    "lmdeploy",
    "sglang",
    "text-generation-",
    "vllm",
    "whisper",
    "llama",
    // `yolo train device=1`
    "yolo",
    "kokkos",
    // koboldcpp's option.
    "usecublas",
];

/// Whether the text has one of the words.
pub(super) fn speaks_of_gpus(text: &str) -> bool {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        // Only this kind of match is searched for with vectors.
        let mut builder = AhoCorasick::builder();
        builder
            .match_kind(MatchKind::LeftmostFirst)
            .build(STEMS)
            .ok()
    });
    SEARCH.as_ref().is_none_or(|search| search.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_word_of_gpus_is_passed_over() {
        assert!(!speaks_of_gpus("device: 1\nexport PATH=/usr/bin\n"));
        for stem in STEMS {
            assert!(speaks_of_gpus(&format!("a {stem} b")), "{stem}");
        }
    }
}
