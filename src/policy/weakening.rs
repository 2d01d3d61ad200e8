//! What one policy forbids and another does not: named, so that nobody loosens a guard unseen.

use super::weakened_lists::{is_reordered, lowering, only_adds_files, raising, said_of};
use super::{
    Card, GpuCheckMode, NO_LANGUAGE, OnError, OnViolation, OnWeakening, Origin, Policy, Retention,
    SetIn, Severity, Usage,
};

/// One thing in which a policy is weaker than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// What, for people, without a final period.
    pub what: String,
    /// Who says so; `None` where what is weaker is that nothing is said any more.
    pub origin: Option<Origin>,
}

/// What counts where a policy says nothing.
pub struct WithoutWord<'d> {
    /// Each rule's code, with its severity.
    pub rules: &'d [(&'d str, Severity)],
    /// Whether files with an extension are read.
    pub is_read: &'d dyn Fn(&str) -> bool,
}

/// In what `new` is weaker than `old`, but for what counts for the whole repository.
pub fn weakenings(old: &Policy, new: &Policy, without: &WithoutWord<'_>) -> Vec<Weakening> {
    let rules = without.rules;
    let mut found = Found {
        new,
        weakenings: Vec::new(),
    };
    found.rules(old, rules);
    found.overrides(old, rules);
    found.cards(old);
    found.environment(old);
    found.scan(old);
    found.languages(old, without.is_read);
    found.switches(old);
    found.weakenings
}

/// The same for the policy at the root, whose `[hook]` counts for the whole repository.
pub fn root_weakenings(old: &Policy, new: &Policy, without: &WithoutWord<'_>) -> Vec<Weakening> {
    let mut found = Found {
        new,
        weakenings: weakenings(old, new, without),
    };
    found.hook(old);
    found.backups(old);
    found.weakenings
}

struct Found<'p> {
    new: &'p Policy,
    weakenings: Vec<Weakening>,
}

impl Found<'_> {
    fn add(&mut self, what: String, key: &str) {
        let origin = self.new.origin_of(key);
        self.weakenings.push(Weakening {
            what,
            origin: origin.filter(|origin| **origin != Origin::Default).cloned(),
        });
    }

    fn rules(&mut self, old: &Policy, rules: &[(&str, Severity)]) {
        for (code, default) in rules {
            let was = old.severity_of(code).unwrap_or(*default);
            let is = self.new.severity_of(code).unwrap_or(*default);
            if is < was {
                let (is, was) = (is.word(), was.word());
                self.add(
                    format!("{code} is `{is}`, it was `{was}`"),
                    &format!("rules.{code}"),
                );
            }
        }
    }

    /// An entry that lowers a severity and was not there, one that raised it and has gone, and
    /// another order: the last one that speaks of a file counts.
    fn overrides(&mut self, old: &Policy, rules: &[(&str, Severity)]) {
        let new = self.new;
        for (code, default) in rules {
            let (before, after) = (said_of(&old.overrides, code), said_of(&new.overrides, code));
            let general = |policy: &Policy| policy.severity_of(code).or(Some(*default));
            for entry in lowering(&before, &after, general(old)) {
                let (word, paths) = (entry.severity.word(), listed(entry.paths));
                let key = format!("override[{}].rules.{code}", entry.at);
                self.add(format!("{code} is `{word}` in {paths}"), &key);
            }
            for entry in raising(&before, &after, general(new)) {
                let (word, paths) = (entry.severity.word(), listed(entry.paths));
                self.add(format!("{code} is no longer `{word}` in {paths}"), "");
            }
            if is_reordered(&before, &after) {
                let first = after.first().map_or(0, |entry| entry.at);
                let key = format!("override[{first}].rules.{code}");
                self.add(
                    format!("what `[[override]]` says of {code} is in another order"),
                    &key,
                );
            }
        }
    }

    fn cards(&mut self, old: &Policy) {
        for card in &old.cards {
            let now = self.new.cards.iter().find(|other| is_same(card, other));
            match (card.usage, now) {
                (Usage::Forbidden, None) => {
                    let what = format!("the forbidden card `{}` is no longer named", card.name);
                    self.add(what, "");
                }
                (Usage::Allowed, Some(now)) if now.min_memory_gib < card.min_memory_gib => {
                    let what = format!("`{}` may have less memory than before", card.name);
                    self.add_card(what, now);
                }
                _ => {}
            }
            if let Some(now) = now.filter(|now| is_shortened(card, now)) {
                let what = format!(
                    "`{}` is only `{}` now, which more cards are called",
                    card.name, now.name
                );
                self.add_card(what, now);
            }
        }
        for card in &self.new.cards {
            let was = old.cards.iter().find(|other| is_same(card, other));
            let was_allowed = was.is_some_and(|was| was.usage == Usage::Allowed);
            if card.usage == Usage::Allowed && !was_allowed {
                let before = if was.is_some() {
                    "it was forbidden"
                } else {
                    "it was not named"
                };
                self.add_card(
                    format!("the card `{}` is allowed, {before}", card.name),
                    card,
                );
            }
        }
    }

    fn add_card(&mut self, what: String, card: &Card) {
        let mut cards = self.new.cards.iter();
        let at = cards.position(|other| other == card).unwrap_or_default();
        self.add(what, &format!("card[{at}]"));
    }

    fn environment(&mut self, old: &Policy) {
        let strictness = |set_in| match set_in {
            SetIn::EachFile => 2,
            SetIn::EntryPoints => 1,
            SetIn::Outside => 0,
        };
        let (was, is) = (old.environment.set_in, self.new.environment.set_in);
        if strictness(is) < strictness(was) {
            let what = match is {
                SetIn::Outside => "no file has to set the variables any more",
                SetIn::EntryPoints | SetIn::EachFile => {
                    "only files that are started have to set the variables"
                }
            };
            self.add(what.to_owned(), "environment.set-in");
        }
    }

    fn scan(&mut self, old: &Policy) {
        for (at, glob) in self.new.scan.exclude.iter().enumerate() {
            if !old.scan.exclude.contains(glob) && !glob.starts_with('!') {
                let key = format!("scan.exclude[{at}]");
                self.add(format!("`{glob}` is not scanned"), &key);
            }
        }
        for glob in &old.scan.exclude {
            if glob.starts_with('!') && !self.new.scan.exclude.contains(glob) {
                let glob = glob.trim_start_matches('!');
                self.add(format!("`{glob}` is no longer kept in the scan"), "");
            }
        }
        let (was, is) = (old.scan.max_file_bytes, self.new.scan.max_file_bytes);
        if is < was {
            let what = format!("files above {} MiB are not scanned", is >> 20);
            self.add(what, "scan.max-file-mib");
        }
        let has_both = |globs: &[String]| {
            let taken_back = globs.iter().filter(|glob| glob.starts_with('!')).count();
            taken_back > 0 && taken_back < globs.len()
        };
        let new = &self.new.scan.exclude;
        if has_both(new) && is_reordered(&old.scan.exclude, new) {
            let what = "what `exclude` says is in another order";
            self.add(what.to_owned(), "scan.exclude[0]");
        }
    }

    /// Files that are read as something else, or no more.
    fn languages(&mut self, old: &Policy, is_read: &dyn Fn(&str) -> bool) {
        let (before, after) = (&old.languages, &self.new.languages);
        for (at, entry) in after.iter().enumerate() {
            if before.contains(entry) || only_adds_files(entry, before, is_read) {
                continue;
            }
            let paths = listed(&entry.paths);
            let what = if entry.name == NO_LANGUAGE {
                format!("{paths} is not read")
            } else {
                format!("{paths} is read as {}", entry.name)
            };
            self.add(what, &format!("language[{at}].as"));
        }
        for entry in before {
            if entry.name != NO_LANGUAGE && !after.contains(entry) {
                let (paths, name) = (listed(&entry.paths), &entry.name);
                self.add(format!("{paths} is no longer read as {name}"), "");
            }
        }
        if is_reordered(before, after) {
            let what = "what `[[language]]` says is in another order";
            self.add(what.to_owned(), "language[0].as");
        }
    }

    fn hook(&mut self, old: &Policy) {
        let new = self.new;
        if (old.hook.on_error, new.hook.on_error) == (OnError::Block, OnError::Pass) {
            let what = "a failure of gpuguard itself lets commits pass";
            self.add(what.to_owned(), "hook.on-error");
        }
        if old.hook.snapshot && !new.hook.snapshot {
            let what = "commits are no longer saved before they are judged";
            self.add(what.to_owned(), "hook.snapshot");
        }
        if (old.hook.weakening, new.hook.weakening) == (OnWeakening::Refuse, OnWeakening::Warn) {
            let what = "what loosens the policy is no longer refused";
            self.add(what.to_owned(), "hook.weakening");
        }
    }

    /// Backups that were kept and are not any more.
    fn backups(&mut self, old: &Policy) {
        let (was, is) = (old.backup.retention, self.new.backup.retention);
        let keys = [
            (
                "backup.keep-last",
                keeps_fewer(&was, &is, |kept| kept.keep_last.map(u64::from)),
            ),
            (
                "backup.keep-daily",
                keeps_fewer(&was, &is, |kept| kept.keep_daily.map(u64::from)),
            ),
            (
                "backup.keep-within",
                keeps_fewer(&was, &is, |kept| {
                    kept.keep_within.map(|within| within.as_secs())
                }),
            ),
        ];
        let less_room = match (was.max_size, is.max_size) {
            (None, Some(_)) => true,
            (Some(was), Some(is)) => is < was,
            (_, None) => false,
        };
        let size = ("backup.max-size", less_room);
        if let Some((key, _)) = keys.into_iter().chain([size]).find(|(_, fewer)| *fewer) {
            self.add("fewer backups are kept".to_owned(), key);
        }
    }

    fn switches(&mut self, old: &Policy) {
        let new = self.new;
        let strictness = |mode| match mode {
            GpuCheckMode::Required => 2,
            GpuCheckMode::Auto => 1,
            GpuCheckMode::Off => 0,
        };
        if strictness(new.gpu_check.mode) < strictness(old.gpu_check.mode) {
            let what = match new.gpu_check.mode {
                GpuCheckMode::Off => "the card is no longer checked",
                GpuCheckMode::Auto | GpuCheckMode::Required => {
                    "a missing driver no longer refuses a commit"
                }
            };
            self.add(what.to_owned(), "gpu-check.mode");
        }
        let (was, is) = (old.run.on_violation, new.run.on_violation);
        if (was, is) == (OnViolation::End, OnViolation::Report) {
            let what = "`gpuguard run` no longer ends a program on a card that is not allowed";
            self.add(what.to_owned(), "run.on-violation");
        }
    }
}

/// Whether one rule of retention keeps fewer backups: by a smaller number, or where all were kept
/// as long as no rule said which.
fn keeps_fewer(was: &Retention, is: &Retention, number: fn(&Retention) -> Option<u64>) -> bool {
    match (number(was), number(is)) {
        (Some(was), Some(is)) => is < was,
        (None, Some(_)) => !was.keeps_by_rule(),
        (Some(_), None) => is.keeps_by_rule(),
        (None, None) => false,
    }
}

/// Whether a card that no UUID tells from others has a shorter name, which is a part of more names.
fn is_shortened(old: &Card, new: &Card) -> bool {
    let (name, now) = (old.name.to_lowercase(), new.name.to_lowercase());
    new.uuid.is_none() && now.len() < name.len() && name.contains(&now)
}

/// Whether two entries name the same card: by UUID where both have one, else by rank.
fn is_same(one: &Card, other: &Card) -> bool {
    if let (Some(one), Some(other)) = (&one.uuid, &other.uuid) {
        return one.eq_ignore_ascii_case(other);
    }
    // The name may be a part of NVIDIA's.
    let (name, other_name) = (one.name.to_lowercase(), other.name.to_lowercase());
    let is_named_so = name.contains(&other_name) || other_name.contains(&name);
    one.pci_rank.is_some() && one.pci_rank == other.pci_rank && is_named_so
}

fn listed(globs: &[String]) -> String {
    let quoted: Vec<String> = globs.iter().map(|glob| format!("`{glob}`")).collect();
    quoted.join(", ")
}
