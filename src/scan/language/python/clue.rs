//! What a file of Python must hold to be worth parsing: parsing is by far the dearest step, and
//! most files that say `device` or `torch` choose no card.
//!
//! Stems are searched for all at once; what stands around one decides. A number counts where it
//! stands right behind a name that holds a device. One that a name takes from elsewhere (`N = 1`,
//! then `load(device=N)`) is followed only in files that say more. That the catalogue's examples
//! and the rules' cases have a clue is tested.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What must stand around a stem.
#[derive(Clone, Copy)]
enum Around {
    /// Anything: the stem says enough.
    Anything,
    /// No letter, digit or underscore on either side.
    Word,
    /// One of these right behind it.
    Then(&'static [&'static str]),
    /// `cuda`: as a word, in a variable's name in any case, or in a function of CUDA's.
    Cuda,
    /// A name that holds a device: a number given to it, or one of these behind it.
    Device(&'static [&'static str]),
    /// A name of GPUs: the same, and the text `"gpu"`, `gpu(`, `--gpu`, `to_gpu`.
    Gpu,
    /// A number, or a constant: `.to(1)`, `.to(DEV)`.
    Number,
}

use Around::{Anything, Cuda, Device, Gpu, Number, Then, Word};

#[rustfmt::skip]
const STEMS: &[(&str, Around)] = &[
    ("cuda", Cuda),
    ("Cuda", Then(&["_V", "_v", "_D", "_d", "-V", "-v"])),
    ("CUDA", Then(&["_V", "_D", "_O", "-V", "-D", "V", "D", " V", "E", "P", "C"])),
    ("device", Device(&["_map=", "_map =", "_map\"", "_map'", "_map\\", "_map:", "_put", "s(", "_id["])),
    ("Device", Device(&[])),
    ("DEVICE", Device(&["_SELECTOR", "_FILTER", "_ORDINAL", "S_VISIBLE", "_VISIBLE"])),
    ("VISIBLE", Anything),
    ("AFFINITY_MASK", Anything),
    ("gpu", Gpu),
    ("GPU", Gpu),
    ("Gpu", Then(&["Index", "Dist"])),
    ("nvml", Anything),
    ("NVML", Anything),
    ("nvidia", Then(&["-smi", ".dali"])),
    (".to(", Number),
    ("ctx_id", Device(&[])),
    ("map_location", Device(&[])),
    ("ordinal", Device(&[])),
    ("max_memory", Then(&["={", " = {", ": {", "\": {", "\\\": {", "': {"])),
    ("multi_process_pool", Anything),
    // Functions of CUDA's, ONNX Runtime's providers.
    ("cuInit", Anything),
    ("cuDevice", Anything),
    ("cuCtx", Anything),
    ("ensorrt", Anything),
    ("ensorRT", Anything),
    // What uses the GPU by itself.
    ("cupy", Word),
    ("cudf", Word),
    ("cuml", Word),
    ("rmm", Word),
    ("tvm", Word),
    ("mmcv", Anything),
    ("PyNvCodec", Anything),
    ("faster_whisper", Anything),
    ("whisperx", Anything),
    ("ctranslate2", Anything),
    ("insightface", Anything),
    ("LLM(", Anything),
    ("import LLM", Anything),
    ("EngineArgs", Then(&["(", "\n", " as", ",", ")", "\\n"])),
    ("ServerArgs", Then(&["("])),
    ("sgl", Then(&[".Eng", ".Run", "ang.Eng", "ang.Run", "ang import"])),
    ("llama_cpp", Anything),
    ("exllamav2", Anything),
    ("simpletransformers", Anything),
    ("DataParallel", Anything),
    ("data_parallel(", Anything),
    ("nn.parallel", Anything),
    ("MirroredStrategy", Anything),
    ("CentralStorageStrategy", Anything),
    ("TrainingArguments", Then(&["(", " as"])),
    ("_offload", Then(&["("])),
    ("notebook_launcher", Anything),
    ("dispatch_model", Anything),
    ("load_checkpoint_", Anything),
    ("balanced_memory", Anything),
    ("tensor_to_device", Anything),
    ("deepspeed", Then(&[".init", ".On", " import", "\"", "'", " --"])),
    ("mp_size", Anything),
    ("safetensors", Then(&[".torch import", " import", ".torch.load"])),
    ("accelerate launch", Anything),
    ("accelerator.", Then(&["set_dev", "dev", "current_stream(", "sync", "get_dev", "mem", "reset", "max_", "get_mem"])),
    // Launchers that are started from Python.
    ("torchrun", Anything),
    ("per_node", Anything),
    ("per-node", Anything),
    ("--include", Anything),
    ("--exclude", Anything),
];

/// As far as a number is looked for.
const FAR: usize = 120;

/// Whether a text has a clue.
pub(in crate::scan::language) fn worth_reading(text: &str) -> bool {
    // Nothing is passed over if there is no search, which a test would tell.
    let Some(stems) = stems(text.len()) else {
        return true;
    };
    stems.find_iter(text).any(|found| {
        let (_, around) = STEMS[found.pattern().as_usize()];
        around.holds(text.as_bytes(), found.start(), found.end())
    })
}

/// The search for all stems at once. A DFA looks at each byte once, three times as fast as an
/// NFA, but making its table takes as long as an NFA needs for a few files: a hook has no more.
fn stems(bytes: usize) -> Option<&'static AhoCorasick> {
    const WORTH_A_TABLE: usize = 256 << 10;
    static SEARCHED: AtomicUsize = AtomicUsize::new(0);
    static FEW: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| automaton(AhoCorasickKind::NoncontiguousNFA));
    static MANY: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(AhoCorasickKind::DFA));
    let before = SEARCHED.fetch_add(bytes, Ordering::Relaxed);
    let search = if before.saturating_add(bytes) < WORTH_A_TABLE {
        &FEW
    } else {
        &MANY
    };
    search.as_ref()
}

fn automaton(kind: AhoCorasickKind) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .kind(Some(kind))
        .build(STEMS.iter().map(|(stem, _)| stem))
        .ok()
}

impl Around {
    fn holds(self, text: &[u8], start: usize, end: usize) -> bool {
        let behind = &text[end..];
        match self {
            Anything => true,
            Word => is_word(text, start, end),
            Then(any) => begins_with(behind, any),
            Cuda => {
                is_word(text, start, end)
                    || text[..start].ends_with(b"py")
                    || matches!(
                        behind.first(),
                        Some(b'S' | b'I' | b'G' | b'M' | b'F' | b'D')
                    )
                    || begins_with(behind.strip_prefix(b"_").unwrap_or(behind), VARIABLES)
            }
            Device(any) => {
                begins_with(behind, any) || text[..start].ends_with(b"--") || has_number(behind)
            }
            Gpu => is_gpu(text, start, behind) || has_number(behind),
            Number => match skip(behind, b" \n") {
                [b'0'..=b'9', ..] => true,
                [b'A'..=b'Z', rest @ ..] => {
                    let name =
                        |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
                    let end = rest.iter().position(|byte| !name(byte));
                    matches!(end.map(|end| rest[end]), Some(b')' | b',' | b' '))
                }
                _ => false,
            },
        }
    }
}

/// How names go on that mean CUDA's variables, or an index.
const VARIABLES: &[&str] = &["vi", "dev", "ord", "id", "ind", "pl"];

fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| is_name(*byte));
    !joins(start.checked_sub(1).and_then(|before| text.get(before))) && !joins(text.get(end))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn begins_with(behind: &[u8], any: &[&str]) -> bool {
    any.iter().any(|start| behind.starts_with(start.as_bytes()))
}

fn skip<'t>(text: &'t [u8], any: &[u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| !any.contains(byte));
    &text[end.unwrap_or(text.len())..]
}

/// Whether a stem that names GPUs is one of the forms that count without a number.
fn is_gpu(text: &[u8], start: usize, behind: &[u8]) -> bool {
    let before = &text[..start];
    let opens = matches!(before.last(), Some(b'"' | b'\'' | b'/' | b':'));
    let closes = matches!(behind.first(), Some(b'"' | b'\'' | b'\\' | b':'));
    (opens && closes)
        || before.ends_with(b"--")
        || before.ends_with(b"node=")
        || ["to_", "all_", "multi_", "require_", "prefer_", "active_"]
            .iter()
            .any(|name| before.ends_with(name.as_bytes()))
        || begins_with(
            behind,
            &[
                "(", "_id", "_ind", "id", "s=\"", "s='", "guard", "Options", "til",
            ],
        )
}

/// Whether a name, whose end is behind its stem, is given a number: `device=1`, `"device": [0]`,
/// `device: int = 0`, `device("1")`, `device or 0`, `device = 0 if x else y`.
fn has_number(behind: &[u8]) -> bool {
    let line = &behind[..behind.len().min(FAR)];
    let end = line.iter().position(|byte| !is_name(*byte));
    let rest = skip(&line[end.unwrap_or(line.len())..], b"\\\"'] ");
    let given = match rest {
        [b'=' | b'(' | b',', rest @ ..] => is_number(rest),
        [b':', rest @ ..] => is_number(rest) || has_default(rest),
        _ => false,
    };
    given || has_alternative(rest)
}

fn is_number(text: &[u8]) -> bool {
    skip(text, b" \n\t\\\"'([{-")
        .first()
        .is_some_and(u8::is_ascii_digit)
}

/// Whether an annotation is followed by a number: `Optional[int] = 0`.
fn has_default(annotation: &[u8]) -> bool {
    let annotates = |byte: u8| is_name(byte) || b" .[],|'\"".contains(&byte);
    let end = annotation.iter().position(|byte| !annotates(*byte));
    match end.map(|end| &annotation[end..]) {
        Some([b'=', rest @ ..]) => is_number(rest),
        _ => false,
    }
}

/// Whether the line goes on with a number that stands in for something else: `or 0`, `else 0`.
fn has_alternative(rest: &[u8]) -> bool {
    let end = rest.iter().position(|byte| *byte == b'\n');
    let line = &rest[..end.unwrap_or(rest.len())];
    [&b" or "[..], b" else "].iter().any(|word| {
        let mut places = line.windows(word.len()).enumerate();
        places.any(|(at, window)| window == *word && is_number(&line[at + word.len()..]))
    })
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
            "x.to(dtype)",
            "device == 0",
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
            "config['device'] = 1",
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

    #[test]
    fn a_stem_at_an_end_of_the_text_is_judged() {
        for (stem, _) in STEMS {
            for code in [(*stem).to_owned(), format!("{stem}é"), format!("é{stem}")] {
                worth_reading(&code);
            }
        }
        assert!(worth_reading("cuda"));
    }

    #[test]
    fn few_and_many_files_are_searched_alike() {
        for kind in [AhoCorasickKind::NoncontiguousNFA, AhoCorasickKind::DFA] {
            let search = automaton(kind).unwrap();
            let found = search
                .find_iter("x.cuda() # gpu")
                .map(|found| found.start());
            assert_eq!(found.collect::<Vec<_>>(), [2, 11], "{kind:?}");
        }
    }
}
