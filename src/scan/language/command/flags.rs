//! Options of programs that nobody knows: a card by the option's name, or by its value.

use super::launch::{Given, all_given};
use super::{Shell, Word, base_name, is_python};
use crate::scan::catalogue::flag::flags;
use crate::scan::catalogue::{self, DeviceText, Evidence, Form, card_text};
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

/// Whether a text speaks of other accelerators.
pub(super) fn speaks_of_others(text: &str) -> bool {
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
        let numbers = match (self.of_others || is_for_others, runs_python) {
            (true, _) => Numbers::None,
            (false, true) => Numbers::Likely,
            (false, false) => Numbers::Named,
        };
        // `run.pl --gpu 1 a.log a.py` is a number of cards for the job.
        let of_starter = match numbers {
            Numbers::Likely if !is_python(name) => Numbers::Named,
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
        self.option(given, numbers);
        let first = self.found.facts.len();
        for other in given.alternatives() {
            self.option(&other, numbers);
            if self.found.facts.len() > first {
                return;
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
        // Where the program is ComfyUI, it makes the mask of the number.
        let literal = given.literal.filter(|_| name != "cuda_device");
        let given = &Given { literal, ..*given };
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
        let counts = match catalogue::option(&name) {
            Some(row) => match row.needs {
                Evidence::Name => numbers != Numbers::None,
                Evidence::File => numbers == Numbers::Likely,
                Evidence::Use => {
                    numbers == Numbers::Likely
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
            self.selected(LABEL, &given, Form::List);
            for word in more {
                let given = Given {
                    value: &word.text,
                    span: word.span,
                    ..given
                };
                self.selected(LABEL, &given, Form::List);
            }
        }
    }
}

/// Which bare numbers are cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// None: the program is for other devices.
    None,
    /// Those of options that can mean nothing else.
    Named,
    /// Those of options that mean cards in most programs for GPUs.
    Likely,
}
