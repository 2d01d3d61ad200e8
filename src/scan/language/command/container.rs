//! Containers: which of the host's cards they get, and what is set inside.

use super::launch::Given;
use super::{Shell, Word};
use crate::scan::fact::{Cards, FactKind, Whose};
use crate::text::Span;

/// The label of what a container gets.
const LABEL: &str = "container";

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
    /// `docker run …`, and what works alike.
    pub(super) fn container(&mut self, name: &str, arguments: &[Word]) {
        if !["docker", "podman", "nerdctl", "nvidia-docker"].contains(&name) {
            return;
        }
        let Some(run) = arguments
            .iter()
            .take(4)
            .position(|word| ["run", "create", "exec"].contains(&word.text.as_str()))
        else {
            return;
        };
        let mut devices: Option<(Span, Vec<String>)> = None;
        for option in options(&arguments[run + 1..]) {
            match option.name {
                "--gpus" => {
                    let cards = gpus(&option.given);
                    let span = option.given.span;
                    self.fact(span, None, LABEL, FactKind::Container(cards));
                }
                "--device" => {
                    if let Some(card) = option.given.value.strip_prefix("nvidia.com/gpu=") {
                        let span = option.given.span;
                        let cards = &mut devices.get_or_insert((span, Vec::new())).1;
                        if !option.given.dynamic {
                            cards.push(card.to_owned());
                        }
                    }
                }
                "-e" | "--env" => {
                    let word = Word {
                        text: option.given.value.to_owned(),
                        span: option.given.span,
                        dynamic: option.given.dynamic,
                        ..Word::default()
                    };
                    self.write(&word, Whose::Container);
                }
                _ => {}
            }
        }
        if let Some((span, cards)) = devices {
            let cards = match cards.as_slice() {
                [] => Cards::Dynamic,
                cards if cards.iter().any(|card| card == "all") => Cards::All,
                cards => Cards::Listed(cards.to_vec()),
            };
            self.fact(span, None, LABEL, FactKind::Container(cards));
        }
    }
}

/// An option of `run`.
struct ContainerOption<'w> {
    name: &'w str,
    given: Given<'w>,
}

/// The options that have a value, up to the image.
fn options(words: &[Word]) -> Vec<ContainerOption<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.text.starts_with('-')) {
        at += 1;
        let joined = word.text.split_once('=');
        if let Some((name, value)) = joined.filter(|_| word.text.starts_with("--")) {
            found.push(ContainerOption {
                name,
                given: Given {
                    value,
                    span: word.span,
                    dynamic: word.dynamic,
                },
            });
            continue;
        }
        let name = word.text.as_str();
        // `-it` is several switches; of single letters, these take no word.
        let alone = if name.starts_with("--") {
            SWITCHES.contains(&name)
        } else {
            name[1..].bytes().all(|byte| b"ditPq".contains(&byte))
        };
        if alone {
            continue;
        }
        if let Some(value) = words.get(at) {
            found.push(ContainerOption {
                name,
                given: Given {
                    value: &value.text,
                    span: value.span,
                    dynamic: value.dynamic,
                },
            });
        }
        at += 1;
    }
    found
}

/// `all`, `2`, `device=0`, `"device=0,1"`, `count=2,capabilities=gpu`.
fn gpus(given: &Given<'_>) -> Cards {
    if given.dynamic {
        return Cards::Dynamic;
    }
    let value = given.value.replace(['"', '\''], "");
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
            ("device", item) => listed.push(item.to_owned()),
            ("count", "all" | "-1") => return Cards::All,
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
