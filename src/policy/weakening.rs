//! What one policy forbids and another does not: named, so that nobody loosens a guard unseen.

use std::collections::BTreeMap;

use super::{
    Card, GpuCheckMode, NO_LANGUAGE, OnError, OnViolation, OnWeakening, Origin, Override, Policy,
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

/// In what `new` is weaker than `old`, but for what counts for the whole repository. `rules` has
/// each rule's code with the severity that counts where a policy says nothing.
pub fn weakenings(old: &Policy, new: &Policy, rules: &[(&str, Severity)]) -> Vec<Weakening> {
    let mut found = Found {
        new,
        weakenings: Vec::new(),
    };
    found.rules(old, rules);
    found.overrides(old, rules);
    found.cards(old);
    found.environment(old);
    found.scan(old);
    found.switches(old);
    found.weakenings
}

/// The same for the policy at the root, whose `[hook]` counts for the whole repository.
pub fn root_weakenings(old: &Policy, new: &Policy, rules: &[(&str, Severity)]) -> Vec<Weakening> {
    let mut found = Found {
        new,
        weakenings: weakenings(old, new, rules),
    };
    found.hook(old);
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

    /// An entry that lowers a severity and was not there, and one that raised it and has gone.
    fn overrides(&mut self, old: &Policy, rules: &[(&str, Severity)]) {
        let default: BTreeMap<&str, Severity> = rules.iter().copied().collect();
        let general = |policy: &Policy, code: &str| {
            let said = policy.severity_of(code);
            said.or_else(|| default.get(code).copied())
        };
        for (at, entry) in self.new.overrides.iter().enumerate() {
            for (code, severity) in &entry.severities {
                let lowers = general(old, code).is_some_and(|general| *severity < general);
                if lowers && !has(&old.overrides, entry, code, *severity) {
                    let what = format!(
                        "{code} is `{}` in {}",
                        severity.word(),
                        listed(&entry.paths)
                    );
                    self.add(what, &format!("override[{at}].rules.{code}"));
                }
            }
        }
        for entry in &old.overrides {
            for (code, severity) in &entry.severities {
                let raised = general(self.new, code).is_some_and(|general| *severity > general);
                if raised && !has(&self.new.overrides, entry, code, *severity) {
                    let what = format!(
                        "{code} is no longer `{}` in {}",
                        severity.word(),
                        listed(&entry.paths)
                    );
                    self.add(what, "");
                }
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
        for (at, entry) in self.new.languages.iter().enumerate() {
            if entry.name == NO_LANGUAGE && !old.languages.contains(entry) {
                let what = format!("{} is not read", listed(&entry.paths));
                self.add(what, &format!("language[{at}].as"));
            }
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

/// Whether an entry for the same files says the same of a rule.
fn has(entries: &[Override], entry: &Override, code: &str, severity: Severity) -> bool {
    entries.iter().any(|other| {
        other.paths == entry.paths && other.severities.get(code).copied() == Some(severity)
    })
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
