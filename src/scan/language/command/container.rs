//! Containers: which of the host's cards they get, and what is set inside.

use super::launch::{Given, all_given};
use super::{Shell, Word};
use crate::scan::catalogue::flag::program_of_image;
use crate::scan::fact::{Cards, FactKind, Whose};
use crate::text::Span;

/// The label of what a container gets.
const LABEL: &str = "container";

/// Programs that start containers.
const RUNTIMES: &[&str] = &[
    "docker",
    "docker-compose",
    "nerdctl",
    "nvidia-docker",
    "podman",
    "podman-compose",
];

/// Options of `run` that stand alone; every other one takes a word.
const SWITCHES: &[&str] = &[
    "--detach",
    "--disable-content-trust",
    "--help",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--replace",
    "--rm",
    "--sig-proxy",
    "--tls-verify",
    "--tty",
];

impl Shell {
    /// `docker run …`, and what works alike: the cards, the variables, and the command inside.
    pub(super) fn container(&mut self, name: &str, arguments: &[Word], deep: u8) {
        if !RUNTIMES.contains(&name) {
            return;
        }
        let Some(run) = arguments
            .iter()
            .take(4)
            .position(|word| ["run", "create", "exec"].contains(&word.text.as_str()))
        else {
            return;
        };
        let (options, image) = options(&arguments[run + 1..]);
        let mut devices: Vec<&Given<'_>> = Vec::new();
        for option in &options {
            match option.name {
                "--gpus" => {
                    let cards = if option.dynamic {
                        Cards::Dynamic
                    } else {
                        gpus(option.value)
                    };
                    let kind = FactKind::Container(cards);
                    self.fact(option.span, listed_at(option), LABEL, kind);
                }
                "--device" if option.value.starts_with(CDI) => devices.push(option),
                "-e" | "--env" => {
                    let word = Word {
                        text: option.value.to_owned(),
                        span: option.literal.unwrap_or(option.span),
                        dynamic: option.dynamic,
                        plain: option.literal.is_some(),
                        ..Word::default()
                    };
                    self.device(&word);
                    self.write(&word, Whose::Container);
                }
                _ => {}
            }
        }
        self.devices(&devices);
        // Behind the image, or the container that it is started in.
        if let Some((image, command)) = image.split_first().filter(|(_, behind)| !behind.is_empty())
        {
            let around = std::mem::replace(&mut self.in_container, true);
            let is_given_options = command
                .first()
                .is_some_and(|word| word.text.starts_with('-'));
            match program_of_image(&image.text).filter(|_| is_given_options) {
                Some(program) => self.launcher(program, command),
                None => self.program(command, deep),
            }
            self.in_container = around;
        }
    }

    /// `--device nvidia.com/gpu=0`, as often as there are cards.
    fn devices(&mut self, devices: &[&Given<'_>]) {
        let Some(first) = devices.first() else { return };
        let known = devices.iter().filter(|device| !device.dynamic);
        let names: Vec<&str> = known
            .filter_map(|device| device.value.strip_prefix(CDI))
            .collect();
        let cards = match names.as_slice() {
            [] => Cards::Dynamic,
            names if names.contains(&"all") => Cards::All,
            names => Cards::Listed(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let literal = first.literal.filter(|_| devices.len() == 1);
        let place = literal.map(|span| Span::new(span.start + CDI.len(), span.end));
        self.fact(first.span, place, LABEL, FactKind::Container(cards));
    }
}

/// What the names of NVIDIA's cards begin with in the Container Device Interface.
const CDI: &str = "nvidia.com/gpu=";

/// Where the list of `device=0,1` stands in an option's value.
impl Shell {
    /// `FLAGS+=(--gpus all)`: what a variable grows by, or is made of with others, is given to a
    /// container later, and is not followed there.
    pub(super) fn kept_for_container(&mut self, word: &Word) {
        let Some((name, kept)) = word.text.split_once('=') else {
            return;
        };
        let is_followed = !name.ends_with('+') && !word.dynamic;
        let is_variable = name
            .trim_end_matches('+')
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if is_followed || name.is_empty() || !is_variable {
            return;
        }
        let mut words = kept.split([' ', '\t', '=']);
        while let Some(flag) = words.next() {
            if flag != "--gpus" {
                continue;
            }
            let value = words.next().unwrap_or_default();
            if value == "all" {
                self.fact(word.span, None, LABEL, FactKind::Container(gpus(value)));
            }
        }
    }
}

fn listed_at(option: &Given<'_>) -> Option<Span> {
    let literal = option.literal?;
    let (before, list) = option.value.split_once("device=")?;
    let list = list.trim_end_matches(['"', '\'']);
    let is_one = !list.contains(['"', '\'', '=']) && before.trim_matches(['"', '\'']).is_empty();
    if literal.end - literal.start == list.len() {
        // Only the default of a variable is written here.
        return is_one.then_some(literal);
    }
    let start = literal.start + before.len() + "device=".len();
    is_one.then(|| Span::new(start, start + list.len()))
}

/// The options that have a value, and what stands behind them: the image and its command.
fn options<'w>(words: &'w [Word]) -> (Vec<Given<'w>>, &'w [Word]) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.text.starts_with('-')) {
        let name = word.text.as_str();
        // `-it` is several switches; of single letters, these take no word.
        let alone = if name.starts_with("--") {
            SWITCHES.contains(&name)
        } else {
            name[1..].bytes().all(|byte| b"ditPq".contains(&byte))
        };
        let joined = name.starts_with("--") && name.contains('=');
        if !alone {
            // The flag says nothing: what it gives does.
            let place = |given: Given<'w>| match words.get(at + 1) {
                Some(next) if !joined => Given {
                    span: next.span,
                    literal: given.literal.or_else(|| {
                        let is_default = given.name == "--gpus" && next.by_default;
                        next.quoted.filter(|_| is_default)
                    }),
                    ..given
                },
                _ => given,
            };
            found.extend(all_given(&words[at..]).next().map(place));
        }
        at += if alone || joined { 1 } else { 2 };
    }
    (found, words.get(at..).unwrap_or_default())
}

/// `all`, `2`, `device=0`, `"device=0,1"`, `count=2,capabilities=gpu`.
fn gpus(value: &str) -> Cards {
    let value = value.replace(['"', '\''], "");
    if value == "all" || value == "-1" {
        return Cards::All;
    }
    if let Ok(count) = value.parse() {
        return Cards::Count(count);
    }
    let mut listed: Vec<String> = Vec::new();
    let mut key = "";
    for part in value.split(',') {
        let item = match part.split_once('=') {
            Some((name, item)) => {
                key = name;
                item
            }
            None => part,
        };
        match (key, item) {
            ("" | "device", "all") | ("count", "all" | "-1") => return Cards::All,
            // The address of a bus is no number of a card.
            ("device", item) if item.contains(':') => return Cards::Dynamic,
            ("device", item) => listed.push(item.to_owned()),
            ("count", item) => {
                return item.parse().map_or(Cards::Dynamic, Cards::Count);
            }
            _ => {}
        }
    }
    if listed.is_empty() {
        Cards::Dynamic
    } else {
        Cards::Listed(listed)
    }
}
