//! What a file of Python must hold to be worth parsing: parsing is by far the dearest step, and
//! most files that say `device` or `torch` choose no card.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// Regular expressions over ASCII, in which `~` stands for a quote. A file without a match of one of them has nothing that any
/// rule speaks of; that the catalogue's examples and the rules' cases match is tested.
///
/// A number counts where it stands right behind a name that holds a device. One that a name takes
/// from elsewhere (`N = 1`, then `load(device=N)`) is only followed in files that say more.
#[rustfmt::skip]
const CLUES: &[&str] = &[
    r"\bcuda\b",
    // The variables, and what they are mistaken for.
    r"(?i:cuda[_ -]?(?:vi|dev|ord|id|ind|pl))",
    r"VISIBLE_|_VISIBLE|AFFINITY_MASK|DEVICE_SELECTOR|DEVICE_FILTER|DEVICE_ORDINAL",
    // The driver's functions, ONNX Runtime's providers, Paddle's places.
    r"cuda(?:Set|Init|Get|Malloc|Free|Device)|cu(?:Init|Device|Ctx)(?:[A-Z(]|~)|CUDA(?:Ex|Pl|Pi|Cl)|Tensorrt|TensorRT",
    // A number, behind annotation, quotes and brackets.
    r"(?:device|Device|DEVICE)\w*~?\]?(?::\s*[\w.\[\], |\x22']+?)?\s*(?:[=:(,]|\bor\b)\s*(?:~|[\[({])*-?\d",
    r"(?:gpu|GPU|Gpu)\w*~?\]?(?::\s*[\w.\[\], |\x22']+?)?\s*(?:[=:(,]|\bor\b)\s*(?:~|[\[({])*-?\d",
    r"(?:device|DEVICE|gpu|GPU)[^\n]{0,60}\b(?:else|or) \[?~?\d",
    r"(?:ctx_id|map_location|ordinal|\bdev)\s*=\s*\[?~?\d",
    r"\.to\(\s*(?:\d|[A-Z][A-Z_0-9]*\s*[,)])",
    r"devices\([^()\n]*\)\s*\[|device_put|multi_process_pool",
    r"device_map\w*~?\s*[=:]|max_memory\w*~?\s*[=:]\s*\{",
    // Names of GPUs as texts and options, functions that have them in their names.
    r"(?:~|[/:])(?:gpu|GPU)(?:~|:)|--device|--gpu|\bgpu\(|gpu_?i[dn]|gpus\b",
    r"(?:to|all|multi|require|prefer|active)_gpu|GPUOptions|GpuIndex|GpuDist|GPUtil|nvml|NVML|nvidia-smi|gpuguard",
    // What uses the GPU by itself.
    r"\bcupy\b|pycuda|cudf|\bcuml\b|\brmm\b|\btvm\b|mmcv|PyNvCodec|faster_whisper|whisperx|ctranslate2|insightface",
    r"\bLLM\(|import LLM|EngineArgs\b|sgl(?:ang)?\.(?:Eng|Run)|sglang import|ServerArgs\(|llama_cpp|exllamav2|simpletransformers",
    r"DataParallel|data_parallel\(|nn\.parallel|MirroredStrategy|CentralStorageStrategy|TrainingArguments\(|TrainingArguments as",
    r"accelerate\.\w+\(|notebook_launcher|cpu_offload|disk_offload|dispatch_model|balanced_memory|init_on_device|group_offload",
    r"deepspeed\.(?:init|On)|mp_size|nvidia\.dali|safetensors\.torch import|safetensors import|safe_open\(",
    r"accelerator\.\w+\(\s*\d",
    // Launchers that are started from Python.
    r"torchrun|per[-_]node|--include|--exclude|--num_gpus|accelerate launch",
];

/// Whether a text has a clue.
pub(in crate::scan::language) fn worth_reading(text: &str) -> bool {
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // A notebook's JSON has a backslash before each quote.
        let clues = CLUES.join("|").replace('~', r#"\\?["']"#);
        RegexBuilder::new(&clues)
            .unicode(false)
            .build()
            .ok()
    });
    // Nothing is passed over if the expressions do not compile, which a test would tell.
    ANY.as_ref().is_none_or(|any| any.is_match(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_chooses_no_card_is_not_worth_reading() {
        for code in [
            "",
            "import torch\nx = torch.zeros(3)\n",
            "def f(device):\n    return torch.zeros(3, device=device)\n",
            "is_cuda_graph = flags & 1\n",
            "# the gpu is fast\n",
            "self.device = other.device\n",
        ] {
            assert!(!worth_reading(code), "{code}");
        }
    }

    #[test]
    fn numbers_count_behind_annotations_quotes_and_brackets() {
        for code in [
            "def f(device: int = 0): pass",
            "def f(device: Optional[int] = 0): pass",
            "def f(gpu: 'int | None' = 0): pass",
            "{'device': 1}",
            r#"["{\"device\": 1}"]"#,
            "device_ids=[0]",
            "device_ids = ((0, 1))",
            "torch.device( 1 )",
            "device = args.device or 0",
            "device = 0 if one else other",
            "device = other if many else [0]",
            "getattr(args, 'gpu', 0)",
            "os.environ.get('GPU', '0')",
            "model.to(1)",
            "model.to(DEV)",
        ] {
            assert!(worth_reading(code), "{code}");
        }
    }
}
