//! Launchers: which of their flags choose cards, and how many.

use super::{Shell, Word, base_name};
use crate::scan::fact::{Cards, FactKind, Value};
use crate::text::Span;

/// A flag with its value.
pub(super) struct Given<'w> {
    pub(super) value: &'w str,
    /// The flag and its value.
    pub(super) span: Span,
    pub(super) dynamic: bool,
}

impl Shell {
    /// A launcher's flags. Under a mask in front of it, what it counts is not judged.
    pub(super) fn launcher(&mut self, name: &str, arguments: &[Word], masked: bool) {
        let (name, arguments) = launched(name, arguments);
        match name {
            "deepspeed" => self.deepspeed(arguments),
            "accelerate" => self.accelerate(arguments, masked),
            "torchrun" if !masked => {
                let flags = given(arguments, &["--nproc-per-node", "--nproc_per_node"]);
                for flag in flags {
                    self.taken("torchrun", &flag);
                }
            }
            "vllm" if !masked => {
                for flag in given(arguments, &["--tensor-parallel-size", "-tp"]) {
                    self.taken("vllm", &flag);
                }
            }
            _ => {}
        }
    }

    fn deepspeed(&mut self, arguments: &[Word]) {
        const LABEL: &str = "deepspeed";
        for (flags, name) in [
            (&["--include", "-i"], "--include"),
            (&["--exclude", "-e"], "--exclude"),
        ] {
            for flag in given(arguments, flags) {
                let cards = match (own_slots(flag.value), name) {
                    _ if flag.dynamic => Cards::Dynamic,
                    (Slots::Elsewhere, _) => Cards::Dynamic,
                    (Slots::All, "--include") => Cards::All,
                    (Slots::All, _) => Cards::Count(0),
                    (Slots::These(slots), "--include") => Cards::Listed(slots),
                    (Slots::These(slots), _) => Cards::AllBut(slots),
                };
                self.flag(LABEL, name, cards, &flag);
            }
        }
        for flag in given(arguments, &["--num_gpus", "--num-gpus"]) {
            // -1 is "not given".
            if flag.value == "-1" {
                continue;
            }
            let cards = match flag.value.parse() {
                Ok(count) if !flag.dynamic => Cards::Count(count),
                _ => Cards::Dynamic,
            };
            self.flag(LABEL, "--num_gpus", cards, &flag);
        }
    }

    fn accelerate(&mut self, arguments: &[Word], masked: bool) {
        const LABEL: &str = "accelerate launch";
        let [launch, arguments @ ..] = arguments else {
            return;
        };
        if launch.text != "launch" || has(arguments, &["--cpu", "--use_cpu"]) {
            return;
        }
        for flag in given(arguments, &["--gpu_ids", "--gpu-ids"]) {
            let cards = if flag.dynamic {
                Cards::Dynamic
            } else if flag.value == "all" {
                // Leaves the mask as it is.
                if !masked {
                    self.fact(flag.span, None, LABEL, FactKind::TakesAll);
                }
                continue;
            } else {
                Cards::Listed(flag.value.split(',').map(str::to_owned).collect())
            };
            self.flag(LABEL, "--gpu_ids", cards, &flag);
        }
        if !masked && !has(arguments, &["--gpu_ids", "--gpu-ids"]) {
            for flag in given(arguments, &["--num_processes", "--num-processes"]) {
                self.taken(LABEL, &flag);
            }
        }
    }

    fn flag(&mut self, api: &'static str, flag: &str, cards: Cards, given: &Given<'_>) {
        let kind = FactKind::LauncherFlag {
            flag: flag.to_owned(),
            cards,
        };
        self.fact(given.span, None, api, kind);
    }

    /// As many cards, or all, from the first that the launcher sees.
    fn taken(&mut self, api: &'static str, given: &Given<'_>) {
        let kind = match given.value {
            _ if given.dynamic => FactKind::TakesCount {
                count: Value::Dynamic,
            },
            "gpu" | "auto" => FactKind::TakesAll,
            value => match value.parse() {
                Ok(count) => FactKind::TakesCount {
                    count: Value::Known(count),
                },
                Err(_) => return,
            },
        };
        self.fact(given.span, None, api, kind);
    }
}

/// The launcher that a program is: also `python -m torch.distributed.run`.
fn launched<'n, 'w>(name: &'n str, arguments: &'w [Word]) -> (&'n str, &'w [Word]) {
    if name.starts_with("python")
        && let [dash_m, module, rest @ ..] = arguments
        && dash_m.text == "-m"
    {
        return match module.text.as_str() {
            "torch.distributed.run" | "torch.distributed.launch" => ("torchrun", rest),
            "deepspeed.launcher.runner" | "deepspeed" => ("deepspeed", rest),
            "accelerate.commands.launch" => ("accelerate", &arguments[1..]),
            _ => ("", rest),
        };
    }
    // `python $(which torchrun)` and `python /usr/bin/deepspeed`.
    if name.starts_with("python")
        && let [script, rest @ ..] = arguments
        && let Some(known) = ["deepspeed", "torchrun"]
            .into_iter()
            .find(|known| base_name(&script.text) == *known)
    {
        return (known, rest);
    }
    (name, arguments)
}

/// Whether one of these flags is given to the launcher itself.
fn has(arguments: &[Word], names: &[&str]) -> bool {
    let own = arguments.iter().take_while(|word| !is_script(word));
    own.map(|word| word.text.split('=').next().unwrap_or_default())
        .any(|word| names.contains(&word))
}

/// The values of a launcher's own flags: those before the script that it starts.
pub(super) fn given<'w>(arguments: &'w [Word], names: &[&str]) -> Vec<Given<'w>> {
    let mut found = Vec::new();
    for (at, word) in arguments.iter().enumerate() {
        if is_script(word) {
            break;
        }
        let (name, joined) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.text.as_str(), None),
        };
        if !names.contains(&name) {
            continue;
        }
        let next = arguments.get(at + 1);
        match (joined, next) {
            (Some(value), _) => found.push(Given {
                value,
                span: word.span,
                dynamic: word.dynamic,
            }),
            (None, Some(next)) => found.push(Given {
                value: &next.text,
                span: Span::new(word.span.start, next.span.end),
                dynamic: next.dynamic,
            }),
            (None, None) => {}
        }
    }
    found
}

fn is_script(word: &Word) -> bool {
    let path = std::path::Path::new(&word.text);
    !word.text.starts_with('-')
        && path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("py"))
}

/// Which cards of this machine `DeepSpeed`'s `localhost:0,1` names.
enum Slots {
    All,
    These(Vec<String>),
    Elsewhere,
}

fn own_slots(text: &str) -> Slots {
    if text.contains('@') {
        return Slots::Elsewhere;
    }
    let (host, slots) = match text.split_once(':') {
        Some((host, slots)) => (host, Some(slots)),
        None => (text, None),
    };
    match slots {
        _ if host != "localhost" && host != "127.0.0.1" => Slots::Elsewhere,
        Some(slots) => Slots::These(slots.split(',').map(str::to_owned).collect()),
        None => Slots::All,
    }
}
