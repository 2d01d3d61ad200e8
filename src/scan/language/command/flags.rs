//! Options of programs that nobody knows: a card by the option's name, or by its value.

use super::launch::{Given, all_given};
use super::{Shell, Word, base_name, is_python};
use crate::scan::catalogue::flag::flags;
use crate::scan::catalogue::{self, DeviceText, Evidence, Form, card_text};
use crate::scan::fact::FactKind;
use crate::scan::language::given::counted_inside;
use crate::text::Span;

/// The label of an option's fact.
const LABEL: &str = "command line option";

/// Programs that look for words, move files, or speak of cards to people or schedulers.
const SILENT: &[&str] = &[
    "ack",
    "ag",
    "apt",
    "apt-get",
    "awk",
    "bazel",
    "brew",
    "bsub",
    "cat",
    "cmake",
    "cp",
    "curl",
    "dialog",
    "docker",
    "docker-compose",
    "emcc",
    "find",
    "gawk",
    "gcc",
    "gcloud",
    "gh",
    "git",
    "grep",
    "egrep",
    "gpuguard",
    "hashcat",
    "jq",
    "kubectl",
    "less",
    "logger",
    "ls",
    "make",
    "man",
    "mkdir",
    "mv",
    "ninja",
    "nvcc",
    "nvidia-smi",
    "nvtop",
    "oc",
    "pip",
    "pip3",
    "podman",
    "qsub",
    "rg",
    "rm",
    "rsync",
    "salloc",
    "sbatch",
    "scp",
    "sed",
    "singularity",
    "apptainer",
    "skopeo",
    "sort",
    "sshpass",
    "tee",
    "terraform",
    "wget",
    "write-host",
    "write-output",
    "xpu-smi",
    "rocm-smi",
    "npu-smi",
    "yq",
    "zip",
];

/// Words of a script that is about other accelerators: there, a bare number is one of theirs.
const OTHERS: &[&str] = &[
    "npu",
    "ascend",
    "xpu",
    "rocm",
    "hip_visible",
    "habana",
    "hpu",
    "mlu",
    "musa",
];

/// Whether a text speaks of TPUs.
pub(super) fn speaks_of_tpus(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word.eq_ignore_ascii_case("tpu") || word.eq_ignore_ascii_case("tpus"))
}

/// Words of programs that work on GPUs.
const OF_GPUS: &[&str] = &[
    "cuda",
    "deepspeed",
    "gpu",
    "nccl",
    "nvidia",
    "tensorflow",
    "tensorrt",
    "torch",
    "vllm",
];

/// Words that the name of a script has that learns, or uses what was learnt.
const OF_LEARNING: &[&str] = &[
    "detect",
    "diffusion",
    "eval",
    "evaluate",
    "finetune",
    "generate",
    "infer",
    "inference",
    "llm",
    "predict",
    "predictor",
    "pretrain",
    "segment",
    "train",
    "trainer",
    "training",
];

/// Options of the same scripts.
const OPTIONS_OF_LEARNING: &[&str] = &[
    "batch_size",
    "bf16",
    "checkpoint",
    "ckpt",
    "epoch",
    "epochs",
    "fp16",
    "learning_rate",
    "lr",
    "weights",
];

/// Whether a text speaks of GPUs.
pub(super) fn speaks_of_gpus(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    OF_GPUS.iter().any(|word| text.contains(word))
}

/// Whether words are those of a script that works on GPUs, as far as its name and its options tell.
fn works_on_gpus<'w>(words: impl Iterator<Item = &'w Word>) -> bool {
    let is_of_learning = |word: &Word| {
        if let Some(option) = word.text.strip_prefix("--") {
            let name = option.split('=').next().unwrap_or_default();
            let name = name.replace('-', "_");
            OPTIONS_OF_LEARNING.contains(&name.as_str())
        } else {
            let name = base_name(&word.text).to_ascii_lowercase();
            let mut parts = name.split(|c: char| !c.is_ascii_alphabetic());
            parts.any(|part| OF_LEARNING.contains(&part))
        }
    };
    words
        .into_iter()
        .any(|word| speaks_of_gpus(&word.text) || is_of_learning(word))
}

/// Whether a text speaks of other accelerators; what a comment says of them changes nothing.
pub(super) fn speaks_of_others(text: &str) -> bool {
    let lines = text.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with(['#', ':']));
    code.into_iter().any(names_others)
}

fn names_others(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty());
    words.any(|word| OTHERS.contains(&word)) || text.contains("hip_visible")
}

impl Shell {
    /// Options of the program itself and of the script that it runs.
    pub(super) fn options(&mut self, (name, own): (&str, &[Word]), of_script: &[Word]) {
        if SILENT.contains(&name.to_ascii_lowercase().as_str()) {
            return;
        }
        let runs_python = is_python(name) || !of_script.is_empty();
        let mut words = own
            .iter()
            .chain(of_script)
            .take(2)
            .map(|word| base_name(&word.text).trim_end_matches(".py"));
        let is_for_others = catalogue::sounds_like_audio(name)
            || catalogue::speaks_of_other_device(name)
            || words.any(|word| {
                catalogue::sounds_like_audio(word) || catalogue::speaks_of_other_device(word)
            });
        let knows = |given: &Given<'_>| {
            flags(name).any(|flag| flag.names.contains(&given.name))
                || ["deepspeed", "accelerate", "koboldcpp"].contains(&name)
        };
        let is_on_gpus = self.of_gpus || works_on_gpus(own.iter().chain(of_script));
        let numbers = match (self.of_others || is_for_others, runs_python) {
            (true, _) => Numbers::None,
            (false, true) if is_on_gpus => Numbers::Likely,
            (false, true) => Numbers::OfScript,
            (false, false) => Numbers::Named,
        };
        // `run.pl --gpu 1 a.log a.py` is a number of cards for the job.
        let of_starter = match numbers {
            Numbers::Likely | Numbers::OfScript if !is_python(name) => Numbers::Named,
            numbers => numbers,
        };
        for given in all_given(own).filter(|given| !knows(given)) {
            self.each_option(&given, of_starter);
        }
        for given in all_given(of_script) {
            self.each_option(&given, numbers);
            self.devices_of_trainer(&given, of_script);
        }
    }

    /// `trainer.devices=2 trainer.accelerator=gpu` of Hydra, and Lightning's own command line: how
    /// many cards.
    fn devices_of_trainer(&mut self, given: &Given<'_>, words: &[Word]) {
        let bare = |name: &str| name.trim_start_matches(['-', '+']).to_owned();
        let name = bare(given.name);
        let Some(trainer) = name.strip_suffix(".devices") else {
            return;
        };
        let accelerator = format!("{trainer}.accelerator");
        let is_on_cards = trainer.ends_with("trainer")
            && all_given(words).any(|other| {
                bare(other.name) == accelerator && ["gpu", "cuda"].contains(&other.value)
            });
        if is_on_cards {
            self.taken(LABEL, given);
        }
    }

    /// Options that a variable holds for a program that is started later.
    pub(super) fn kept_options(&mut self, program: &str, at: &Word, value: &Word) {
        let literal = value.literal();
        let mut words = Vec::new();
        let mut from = 0;
        for part in value.text.split(' ') {
            let place =
                literal.map(|all| Span::new(all.start + from, all.start + from + part.len()));
            from += part.len() + 1;
            if !part.is_empty() {
                words.push(Word {
                    text: part.to_owned(),
                    span: place.unwrap_or(at.span),
                    plain: place.is_some(),
                    ..Word::default()
                });
            }
        }
        self.launcher(program, &words);
    }

    /// An option with each of its values, up to one that is no other's.
    fn each_option(&mut self, given: &Given<'_>, numbers: Numbers) {
        let before = self.found.facts.len();
        self.option(given, numbers);
        let first = self.found.facts.len();
        for other in given.alternatives() {
            self.option(&other, numbers);
            if self.found.facts.len() > first {
                break;
            }
        }
        self.join(before);
    }

    /// One after the other is handed to the same program, so that they are judged together.
    fn join(&mut self, first: usize) {
        let mut joined: Option<usize> = None;
        let mut at = first;
        while let Some(fact) = self.found.facts.get(at) {
            let FactKind::SelectEither { numbers } = &fact.kind else {
                at += 1;
                continue;
            };
            let Some(one) = joined else {
                joined = Some(at);
                at += 1;
                continue;
            };
            let more = numbers.clone();
            self.found.facts.remove(at);
            if let Some(fact) = self.found.facts.get_mut(one)
                && let FactKind::SelectEither { numbers } = &mut fact.kind
            {
                numbers.extend(more);
                fact.value = None;
            }
        }
    }

    fn option(&mut self, given: &Given<'_>, numbers: Numbers) {
        let name = given.name.trim_start_matches(['-', '+', '/']);
        let name = name.rsplit('.').next().unwrap_or(name).replace('-', "_");
        // `--gres=gpu:1` is a count.
        if given.name.is_empty() || catalogue::is_of_scheduler(&name) {
            return;
        }
        let value = given.value;
        let bare = value
            .strip_prefix('[')
            .and_then(|value| value.strip_suffix(']'))
            .unwrap_or(value);
        if given.dynamic {
            // `--device cuda:$GPU`
            let is_card = value.starts_with("cuda:")
                || catalogue::option(&name).is_some_and(|row| row.needs == Evidence::Name);
            if is_card && numbers != Numbers::None {
                self.selected(LABEL, given, Form::List);
            }
            return;
        }
        match card_text(value) {
            // `gpu:1` is a count, or a kind of machine, of many tools.
            DeviceText::Indices(_) if value.starts_with("cuda:") || name.contains("device") => {
                self.selected(LABEL, given, Form::List);
                return;
            }
            DeviceText::Other => {}
            _ => return,
        }
        // `--gpu-ids 0 1`
        let more = if name.ends_with('s') { given.more } else { &[] };
        let is_list = bare.contains(',') || bare.len() < value.len() || !more.is_empty();
        let says_gpu = ["gpu", "cuda"].iter().any(|word| name.contains(word));
        let is_likely = numbers == Numbers::Likely || numbers == Numbers::OfScript && says_gpu;
        let counts = match catalogue::option(&name) {
            Some(row) => match row.needs {
                Evidence::Name => numbers != Numbers::None,
                Evidence::File => is_likely,
                Evidence::Use => {
                    is_likely
                        && (name == "gpu" || (is_list && matches!(&*name, "gpus" | "devices")))
                }
            },
            None => false,
        };
        let is_number = !bare.is_empty()
            && bare
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b", ".contains(&byte));
        if counts && is_number {
            let given = Given {
                value: bare,
                // Of several, one with another number may be there twice.
                literal: given
                    .literal
                    .filter(|_| bare.len() == value.len() && more.is_empty()),
                ..*given
            };
            // A trainer of Lightning's counts under the mask.
            if INDICES.contains(&&*name) || given.name.contains("trainer.") {
                self.selected(LABEL, &given, Form::List);
            } else {
                self.either(&given, more);
            }
        }
    }

    /// Numbers that a program may take as indices, or make the mask of.
    fn either(&mut self, given: &Given<'_>, more: &[Word]) {
        let texts = more.iter().map(|word| word.text.as_str());
        let mut numbers = Vec::new();
        for text in std::iter::once(given.value).chain(texts) {
            match Form::List.read(text) {
                DeviceText::Indices(own) => numbers.extend(own),
                _ => return,
            }
        }
        let end = more.last().map_or(given.span.end, |word| word.span.end);
        let span = Span::new(given.span.start, end.max(given.span.end));
        let literal = given.literal.filter(|_| Form::List.is_plain(given.value));
        let first = self.found.facts.len();
        self.fact(span, literal, LABEL, FactKind::SelectEither { numbers });
        if self.in_container {
            let facts = self.found.facts.split_off(first);
            self.found.facts.extend(counted_inside(facts));
        }
    }
}

/// Options that are indices in every program that has them.
const INDICES: &[&str] = &["base_gpu_id", "kokkos_device_id", "main_gpu"];

/// Which bare numbers are cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// None: the program is for other devices.
    None,
    /// Those of options that can mean nothing else.
    Named,
    /// Those of options of a script that say that they are about GPUs.
    OfScript,
    /// Those of options that mean cards in most programs for GPUs.
    Likely,
}
