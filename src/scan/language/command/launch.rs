//! Launchers: which of their flags choose cards, and how many.

use super::{HOLE, Shell, Word, base_name, is_python};
use crate::scan::catalogue::flag::{Flag, Takes, flags, module, program};
use crate::scan::catalogue::{self, DeviceText, Form};
use crate::scan::fact::{Cards, FactKind, Value};
use crate::scan::language::given::counted_inside;
use crate::text::Span;

/// A flag with its value.
pub(super) struct Given<'w> {
    pub(super) name: &'w str,
    pub(super) value: &'w str,
    /// The flag and its value.
    pub(super) span: Span,
    /// The value, where it stands in the text as it is.
    pub(super) literal: Option<Span>,
    pub(super) dynamic: bool,
    /// The words behind the value that are numbers too.
    pub(super) more: &'w [Word],
    /// What else the word may be that holds the value, and where the value starts in it.
    pub(super) others: (&'w [String], usize),
}

impl<'w> Given<'w> {
    /// The same with what else the value may be.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = Self> {
        let (others, start) = self.others;
        let values = others.iter().filter_map(move |other| other.get(start..));
        values.map(|value| Self {
            value,
            literal: None,
            others: (&[], 0),
            ..*self
        })
    }

    /// A part of the value, with its place where that is known.
    fn part(&self, at: usize, value: &'w str) -> Self {
        let place = |literal: Span| Span::new(literal.start + at, literal.start + at + value.len());
        Self {
            value,
            literal: self.literal.map(place),
            more: &[],
            ..*self
        }
    }
}

impl Shell {
    /// What a program's flags choose.
    pub(super) fn launcher(&mut self, name: &str, arguments: &[Word]) {
        let (name, arguments) = launched(name, arguments, self.folder);
        let script = arguments.iter().position(is_script);
        let (own, of_script) = arguments.split_at(script.unwrap_or(arguments.len()));
        match name {
            "deepspeed" => self.deepspeed(own),
            "accelerate" => {
                if let [launch, own @ ..] = own
                    && launch.text == "launch"
                {
                    self.accelerate(own);
                }
            }
            "accelerate launch" => self.accelerate(own),
            "koboldcpp" => self.kobold(own),
            _ => {
                for flag in flags(name) {
                    self.row(flag, own);
                }
            }
        }
        self.options((name, own), of_script);
    }

    fn row(&mut self, flag: &'static Flag, own: &[Word]) {
        let mentions = |words: &[&str]| {
            own.iter()
                .any(|word| words.iter().any(|part| word.text.contains(part)))
        };
        // Its other devices have numbers too.
        if flag.program == "ffmpeg" && !mentions(&["cuda", "nvenc", "cuvid", "nvdec", "npp"])
            || matches!(flag.takes, Takes::Count | Takes::Settings) && self.of_tpus
            || flag.takes == Takes::Processes && mentions(&["-H", "--host"])
        {
            return;
        }
        for given in given(own, flag.names) {
            match flag.takes {
                Takes::Count | Takes::Processes => self.taken(flag.program, &given),
                Takes::Index | Takes::Device => self.selected(flag.program, &given, Form::List),
                Takes::Named => self.named_cards(flag.program, &given),
                Takes::Opened => self.opened(flag.program, &given),
                Takes::Settings => self.settings(flag.program, &given),
                Takes::Cards => {
                    let cards = if given.dynamic {
                        Some(Cards::Dynamic)
                    } else {
                        of_machine(given.value)
                    };
                    if let Some(cards) = cards {
                        self.flag(flag.program, flag.names[0], cards, &given);
                    }
                }
            }
        }
    }

    /// The indices that a value names.
    pub(super) fn selected(&mut self, api: &'static str, given: &Given<'_>, form: Form) {
        if given.dynamic {
            let index = Value::Dynamic;
            self.fact(given.span, None, api, FactKind::SelectIndex { index });
            return;
        }
        if let DeviceText::Indices(indices) = form.read(given.value) {
            let literal = given.literal.filter(|_| form.is_plain(given.value));
            for index in indices.into_iter().filter(|index| *index < MOST_CARDS) {
                let index = Value::Known(index);
                self.fact(given.span, literal, api, FactKind::SelectIndex { index });
            }
        }
    }

    /// `CUDA1`, `CUDA0,CUDA1`
    fn named_cards(&mut self, api: &'static str, given: &Given<'_>) {
        for part in given.value.split(',') {
            if let Some(index) = part.strip_prefix("CUDA").and_then(|rest| rest.parse().ok()) {
                let index = Value::Known(index);
                let kind = FactKind::SelectIndex { index };
                self.fact(given.span, given.literal, api, kind);
            }
        }
    }

    /// `cuda=name:1`, `cuda:1,primary_ctx=1`: a device that ffmpeg opens.
    fn opened(&mut self, api: &'static str, given: &Given<'_>) {
        let Some((name, device)) = given.value.split_once(':') else {
            return;
        };
        if name == "cuda" || name.starts_with("cuda=") {
            let number = device.split(',').next().unwrap_or_default();
            self.selected(api, &given.part(name.len() + 1, number), Form::List);
        }
    }

    /// `pretrained=m,tensor_parallel_size=2,device=cuda:1`
    fn settings(&mut self, api: &'static str, given: &Given<'_>) {
        let mut at = 0;
        for setting in given.value.split(',') {
            if let Some((name, value)) = setting.split_once('=') {
                let part = given.part(at + name.len() + 1, value);
                let is_whole = !value.contains(HOLE);
                let part = Given {
                    dynamic: !is_whole,
                    ..part
                };
                if let Some(label) = catalogue::count(name) {
                    self.taken(label, &part);
                } else if name == "device" && value.starts_with("cuda:") {
                    self.selected(api, &part, Form::List);
                }
            }
            at += setting.len() + 1;
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

    fn accelerate(&mut self, arguments: &[Word]) {
        const LABEL: &str = "accelerate launch";
        if has(arguments, &["--cpu", "--use_cpu"]) {
            return;
        }
        for flag in given(arguments, &["--gpu_ids", "--gpu-ids"]) {
            if !flag.dynamic && flag.value == "all" {
                // Leaves the mask as it is.
                self.fact(flag.span, None, LABEL, FactKind::TakesAll);
                continue;
            }
            let cards = if flag.dynamic {
                Cards::Dynamic
            } else {
                listed(flag.value)
            };
            self.flag(LABEL, "--gpu_ids", cards, &flag);
        }
        if !has(arguments, &["--gpu_ids", "--gpu-ids"]) {
            for flag in given(arguments, &["--num_processes", "--num-processes", "-n"]) {
                self.taken(LABEL, &flag);
            }
        }
    }

    /// `--usecublas normal 1 mmq`: it makes the mask of the number.
    fn kobold(&mut self, arguments: &[Word]) {
        let is_flag = |word: &Word| ["--usecublas", "--usecuda"].contains(&word.text.as_str());
        let Some(at) = arguments.iter().position(is_flag) else {
            return;
        };
        let values = arguments[at + 1..]
            .iter()
            .take_while(|word| !word.text.starts_with('-'));
        for word in values.filter(|word| word.text.bytes().all(|byte| byte.is_ascii_digit())) {
            let given = Given {
                name: &arguments[at].text,
                value: &word.text,
                span: Span::new(arguments[at].span.start, word.span.end),
                literal: None,
                dynamic: word.dynamic,
                more: &[],
                others: (&[], 0),
            };
            self.flag("koboldcpp", "--usecublas", listed(&word.text), &given);
        }
    }

    fn flag(&mut self, api: &'static str, flag: &str, cards: Cards, given: &Given<'_>) {
        let first = self.found.facts.len();
        let kind = FactKind::LauncherFlag {
            flag: flag.to_owned(),
            cards,
        };
        self.fact(given.span, None, api, kind);
        if self.in_container {
            let flags = self.found.facts.split_off(first);
            self.found.facts.extend(counted_inside(flags));
        }
    }

    /// As many cards, or all, from the first that the launcher sees.
    pub(super) fn taken(&mut self, api: &'static str, given: &Given<'_>) {
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

/// Numbers from this on are no card's.
const MOST_CARDS: u32 = 128;

/// The cards of the machine that a value names: `1`, `0,1`, `[0, 1]`, `cuda:1`; -1 is one that is
/// idle. `None` for another device.
fn of_machine(value: &str) -> Option<Cards> {
    let bare = value.trim_matches(['[', ']', '(', ')', '"', '\'', ' ']);
    let card = |part: &str| {
        let part = part.trim();
        part.strip_prefix("cuda:").unwrap_or(part).to_owned()
    };
    let cards: Vec<String> = match bare {
        "cuda" => vec!["0".to_owned()],
        _ => bare.split(',').map(card).collect(),
    };
    let idle = cards.iter().filter(|card| *card == "-1").count();
    if idle > 0 {
        return u32::try_from(idle).ok().map(Cards::Any);
    }
    let is_card = |card: &String| {
        let is_number = !card.is_empty() && card.bytes().all(|byte| byte.is_ascii_digit());
        is_number || card.starts_with("GPU-") || card.starts_with("MIG-")
    };
    cards.iter().all(is_card).then_some(Cards::Listed(cards))
}

fn listed(value: &str) -> Cards {
    Cards::Listed(
        value
            .split(',')
            .map(|card| card.trim().to_owned())
            .collect(),
    )
}

/// The launcher that a program is: also `python -m torch.distributed.run`.
fn launched<'n, 'w>(
    name: &'n str,
    arguments: &'w [Word],
    folder: Option<&'static str>,
) -> (&'n str, &'w [Word]) {
    if !is_python(name) {
        return (program(name), arguments);
    }
    let options = arguments
        .iter()
        .take_while(|word| word.text.starts_with('-') && word.text != "-m");
    let behind = &arguments[options.count()..];
    match behind {
        [dash_m, name, rest @ ..] if dash_m.text == "-m" => match module(&name.text) {
            // Its own first word is `launch`, like the program's.
            Some("accelerate") => ("accelerate launch", rest),
            Some(known) => (known, rest),
            None => (name_of_module(&name.text), &behind[1..]),
        },
        // `python $(which torchrun)` and `python /usr/bin/deepspeed`.
        [script, rest @ ..] => match base_name(&script.text) {
            "deepspeed" => ("deepspeed", rest),
            "torchrun" => ("torchrun", rest),
            "accelerate" => ("accelerate", rest),
            "koboldcpp.py" => ("koboldcpp", rest),
            "main.py"
                if folder == Some("comfyui")
                    || program_of_path(&script.text) == Some("comfyui")
                    || has(rest, OF_COMFYUI) =>
            {
                ("comfyui", rest)
            }
            _ if is_script(script)
                && (folder == Some("yolov5")
                    || behind.iter().any(|word| names_yolo(&word.text))) =>
            {
                ("yolov5", rest)
            }
            _ => ("python", behind),
        },
        [] => ("python", behind),
    }
}

/// The program that a path is of, whose scripts have names that many have.
pub(super) fn program_of_path(path: &str) -> Option<&'static str> {
    if path.to_ascii_lowercase().contains("comfy") {
        Some("comfyui")
    } else {
        names_yolo(path).then_some("yolov5")
    }
}

/// Whether a path, or the weights or the settings that it leads to, is one of the `YOLOv5` family,
/// whose scripts all choose cards alike. Later ones are ultralytics' own, which scripts of anybody
/// use.
fn names_yolo(path: &str) -> bool {
    const FAMILY: &[&str] = &["yolov5", "yolov6", "yolov7", "yolov9"];
    path.split(['/', '\\', '=']).any(|part| {
        let part = part.to_ascii_lowercase();
        FAMILY.iter().any(|name| part.starts_with(name))
    })
}

/// Options that only `ComfyUI` has.
const OF_COMFYUI: &[&str] = &[
    "--auto-launch",
    "--disable-auto-launch",
    "--extra-model-paths-config",
    "--highvram",
    "--listen",
    "--normalvram",
    "--novram",
    "--preview-method",
    "--windows-standalone-build",
];

/// Any module is a script of Python's.
fn name_of_module(module: &str) -> &'static str {
    if catalogue::sounds_like_audio(module) || catalogue::speaks_of_other_device(module) {
        ""
    } else {
        "python"
    }
}

/// Whether one of these flags is given to the launcher itself.
fn has(arguments: &[Word], names: &[&str]) -> bool {
    let own = arguments.iter();
    own.map(|word| word.text.split('=').next().unwrap_or_default())
        .any(|word| names.contains(&word))
}

/// The values of these flags.
pub(super) fn given<'w>(arguments: &'w [Word], names: &[&str]) -> Vec<Given<'w>> {
    all_given(arguments)
        .filter(|given| names.contains(&given.name))
        .collect()
}

/// All flags and keys with a value: `--flag value`, `--flag=value`, `key=value`.
pub(super) fn all_given(arguments: &[Word]) -> impl Iterator<Item = Given<'_>> {
    arguments.iter().enumerate().filter_map(|(at, word)| {
        let text = word.text.as_str();
        if let Some((name, value)) = text.split_once('=') {
            let start = word.span.start + name.len() + 1;
            let whole = Span::new(start, word.span.end);
            let quotes = Span::new(start + 1, word.span.end.saturating_sub(1));
            let literal = if word.plain {
                Some(whole)
            } else {
                word.quoted
                    .filter(|quoted| *quoted == quotes || word.by_default)
            };
            return Some(Given {
                name,
                value,
                span: word.span,
                literal,
                dynamic: word.dynamic,
                more: &[],
                others: (&word.others, name.len() + 1),
            });
        }
        let next = arguments.get(at + 1)?;
        text.starts_with('-').then(|| Given {
            name: text,
            value: &next.text,
            span: Span::new(word.span.start, next.span.end.max(word.span.end)),
            literal: next.literal(),
            dynamic: next.dynamic,
            more: numbers(arguments.get(at + 2..).unwrap_or_default()),
            others: (&next.others, 0),
        })
    })
}

/// The numbers that words begin with.
fn numbers(words: &[Word]) -> &[Word] {
    let is_number = |word: &&Word| {
        let text = word.text.as_bytes();
        word.plain && !text.is_empty() && text.iter().all(u8::is_ascii_digit)
    };
    let count = words.iter().take_while(is_number).count();
    words.get(..count).unwrap_or_default()
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
