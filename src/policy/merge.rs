//! Several policy files made into one policy: what the nearer one says counts, and each value
//! remembers who said it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use toml::Spanned;

use super::backup::{parse_duration, parse_size, parse_store};
use super::check::{BY_PCI, CACHE_MINUTES};
use super::file::{
    GpuCheckWord, OnErrorWord, OnViolationWord, OnWeakeningWord, PolicyFile, SetInWord,
};
use super::layer::Layer;
use super::load::PolicyError;
use super::origin::{Origin, PolicySource, Setting};
use super::preset::visible_devices_for;
use super::surroundings::Surroundings;
use super::{
    BackupPolicy, Card, GpuCheckMode, GpuCheckPolicy, HookPolicy, LanguageOfFiles, OnError,
    OnViolation, OnWeakening, Override, Policy, RequiredEnvironment, Retention, RunPolicy,
    ScanPolicy, SetIn, Severity, Usage,
};

/// The policy of `layers`, nearest first, and of what surrounds them.
pub(super) fn merge(layers: &[Layer], surroundings: &Surroundings) -> Result<Policy, PolicyError> {
    let mut merge = Merge {
        layers: layers.iter().chain(&surroundings.user).collect(),
        settings: Vec::new(),
    };
    let cards = merge.cards()?;
    let environment = merge.environment(&cards)?;
    let scan = merge.scan();
    let severities = merge.severities();
    let overrides = merge.overrides();
    let languages = merge.languages();
    let hook = merge.hook();
    let gpu_check = merge.gpu_check(surroundings);
    let run = merge.run();
    let backup = merge.backup(surroundings);
    let sources = merge.layers.iter().map(|layer| PolicySource {
        path: layer.name.clone(),
        role: layer.role,
    });
    Ok(Policy {
        sources: sources.collect(),
        settings: merge.settings,
        cards,
        environment,
        scan,
        severities,
        overrides,
        languages,
        hook,
        gpu_check,
        run,
        backup,
    })
}

/// What counts for backups where there is no policy.
pub(super) fn backup_without_policy(surroundings: &Surroundings) -> BackupPolicy {
    let mut merge = Merge {
        layers: surroundings.user.iter().collect(),
        settings: Vec::new(),
    };
    merge.backup(surroundings)
}

/// What counts at a root without a policy: no card, no check of one, and for the rest what counts
/// where a policy does not say it.
pub(super) fn nothing_judged(surroundings: &Surroundings) -> Policy {
    let mut merge = Merge {
        layers: surroundings.user.iter().collect(),
        settings: Vec::new(),
    };
    let scan = merge.scan();
    let hook = merge.hook();
    let gpu_check = GpuCheckPolicy {
        mode: GpuCheckMode::Off,
        ..merge.gpu_check(surroundings)
    };
    let run = merge.run();
    let backup = merge.backup(surroundings);
    Policy {
        sources: Vec::new(),
        settings: Vec::new(),
        cards: Vec::new(),
        environment: RequiredEnvironment {
            device_order: BY_PCI.to_owned(),
            visible_devices: String::new(),
            set_in: SetIn::default(),
        },
        scan,
        severities: BTreeMap::new(),
        overrides: Vec::new(),
        languages: Vec::new(),
        hook,
        gpu_check,
        run,
        backup,
    }
}

struct Merge<'l> {
    /// Nearest first, the user's own last.
    layers: Vec<&'l Layer>,
    settings: Vec<Setting>,
}

/// A key of a file.
type Key<T> = fn(&PolicyFile) -> Option<&Spanned<T>>;

impl<'l> Merge<'l> {
    fn note(&mut self, key: impl Into<String>, value: impl Serialize, origin: Origin) {
        self.settings.push(Setting {
            key: key.into(),
            // Words, numbers and texts only: this cannot fail.
            value: serde_json::to_value(value).unwrap_or_default(),
            origin,
        });
    }

    /// The nearest that is said.
    fn nearest<T>(&self, key: Key<T>) -> Option<(&'l Layer, &'l Spanned<T>)> {
        let layers = self.layers.iter();
        let mut said = layers.filter_map(|layer| Some((*layer, key(&layer.file)?)));
        said.next()
    }

    fn optional<T: Clone + Serialize>(&mut self, name: &str, key: Key<T>) -> Option<T> {
        let found = self.nearest(key);
        let value = found.map(|(_, value)| value.get_ref().clone());
        let origin = found.map_or(Origin::Default, |(layer, value)| layer.origin(value.span()));
        self.note(name, &value, origin);
        value
    }

    fn value<T: Clone + Serialize>(&mut self, name: &str, key: Key<T>, default: T) -> T {
        let found = self.optional(name, key);
        if found.is_none()
            && let Some(last) = self.settings.last_mut()
        {
            last.value = serde_json::to_value(&default).unwrap_or_default();
        }
        found.unwrap_or(default)
    }

    /// Lets a variable of the environment say the value that was noted last.
    fn overridden<T: Serialize>(&mut self, value: T, by: Option<(&'static str, T)>) -> T {
        let Some((variable, said)) = by else {
            return value;
        };
        if let Some(last) = self.settings.last_mut() {
            last.value = serde_json::to_value(&said).unwrap_or_default();
            last.origin = Origin::Environment { variable };
        }
        said
    }

    /// The nearest file that names cards names all of them.
    fn cards(&mut self) -> Result<Vec<Card>, PolicyError> {
        let mut layers = self.layers.iter();
        let named = layers.find_map(|layer| Some((*layer, layer.cards.clone()?)));
        let Some((layer, cards)) = named else {
            let place = self.layers.first().map(|layer| layer.place());
            return Err(place.map_or_else(PolicyError::no_files, |place| place.no_card()));
        };
        let entries = layer.file.card.iter().flatten();
        for (at, (card, entry)) in cards.iter().zip(entries).enumerate() {
            let value = json!({
                "name": card.name,
                "use": match card.usage {
                    Usage::Allowed => "allowed",
                    Usage::Forbidden => "forbidden",
                },
                "uuid": card.uuid,
                "pci-rank": card.pci_rank,
                "min-memory-gib": card.min_memory_gib,
            });
            self.note(format!("card[{at}]"), value, layer.origin(entry.span()));
        }
        Ok(cards)
    }

    fn environment(&mut self, cards: &[Card]) -> Result<RequiredEnvironment, PolicyError> {
        let order: Key<String> = |file| file.environment.device_order.as_ref();
        let device_order = self.value("environment.CUDA_DEVICE_ORDER", order, BY_PCI.to_owned());
        let mask: Key<String> = |file| file.environment.visible_devices.as_ref();
        let own = self.layers.iter().position(|layer| layer.cards.is_some());
        let upto = own.map_or(0, |at| at + 1);
        let mut said = self.layers.iter().take(upto);
        let said = said.find_map(|layer| Some((*layer, mask(&layer.file)?)));
        let (visible_devices, origin) = match said {
            Some((layer, value)) => {
                layer.place().check_visible_devices(value, cards)?;
                (value.get_ref().clone(), layer.origin(value.span()))
            }
            None => match (visible_devices_for(cards), self.layers.first()) {
                (Some(value), _) => (value, Origin::Default),
                (None, Some(layer)) => return Err(layer.place().no_mask()),
                (None, None) => return Err(PolicyError::no_files()),
            },
        };
        self.note("environment.CUDA_VISIBLE_DEVICES", &visible_devices, origin);
        let set_in: Key<SetInWord> = |file| file.environment.set_in.as_ref();
        let set_in = match self.value("environment.set-in", set_in, SetInWord::EachFile) {
            SetInWord::EachFile => SetIn::EachFile,
            SetInWord::EntryPoints => SetIn::EntryPoints,
            SetInWord::Outside => SetIn::Outside,
        };
        Ok(RequiredEnvironment {
            device_order,
            visible_devices,
            set_in,
        })
    }

    /// Lists of several files: the farthest first, since the later entry counts.
    fn farthest_first(&self) -> Vec<&'l Layer> {
        self.layers.iter().rev().copied().collect()
    }

    fn scan(&mut self) -> ScanPolicy {
        let mut exclude = Vec::new();
        for layer in self.farthest_first() {
            for (rooted, glob) in layer.exclude.iter().zip(&layer.file.scan.exclude) {
                let key = format!("scan.exclude[{}]", exclude.len());
                self.note(key, glob.get_ref(), layer.origin(glob.span()));
                exclude.push(rooted.clone());
            }
        }
        if exclude.is_empty() {
            self.note("scan.exclude", &exclude, Origin::Default);
        }
        let most: Key<u32> = |file| file.scan.max_file_mib.as_ref();
        let most = self.value("scan.max-file-mib", most, 16);
        ScanPolicy {
            exclude,
            max_file_bytes: u64::from(most) << 20,
        }
    }

    fn severities(&mut self) -> BTreeMap<String, Severity> {
        let mut said: BTreeMap<&str, (Severity, Origin)> = BTreeMap::new();
        for layer in self.farthest_first() {
            said.extend(layer.rules());
        }
        let mut severities = BTreeMap::new();
        for (code, (severity, origin)) in said {
            self.note(format!("rules.{code}"), severity.word(), origin);
            severities.insert(code.to_owned(), severity);
        }
        severities
    }

    fn overrides(&mut self) -> Vec<Override> {
        let mut overrides = Vec::new();
        for layer in self.farthest_first() {
            for (entry, written) in layer.overrides.iter().zip(&layer.file.overrides) {
                let key = format!("override[{}]", overrides.len());
                let paths: Vec<&String> = texts(written.paths.get_ref());
                let origin = layer.origin(written.paths.span());
                self.note(format!("{key}.paths"), paths, origin);
                for (code, word) in &written.rules {
                    let origin = layer.origin(code.span());
                    self.note(format!("{key}.rules.{}", code.get_ref()), word, origin);
                }
                overrides.push(entry.clone());
            }
        }
        overrides
    }

    fn languages(&mut self) -> Vec<LanguageOfFiles> {
        let mut languages = Vec::new();
        for layer in self.farthest_first() {
            for (entry, written) in layer.languages.iter().zip(&layer.file.language) {
                let key = format!("language[{}]", languages.len());
                let paths: Vec<&String> = texts(written.paths.get_ref());
                let origin = layer.origin(written.paths.span());
                self.note(format!("{key}.paths"), paths, origin);
                let origin = layer.origin(written.name.span());
                self.note(format!("{key}.as"), written.name.get_ref(), origin);
                languages.push(entry.clone());
            }
        }
        languages
    }

    fn hook(&mut self) -> HookPolicy {
        let on_error: Key<OnErrorWord> = |file| file.hook.on_error.as_ref();
        let on_error = match self.value("hook.on-error", on_error, OnErrorWord::Block) {
            OnErrorWord::Block => OnError::Block,
            OnErrorWord::Pass => OnError::Pass,
        };
        let snapshot: Key<bool> = |file| file.hook.snapshot.as_ref();
        let snapshot = self.value("hook.snapshot", snapshot, true);
        let weakening: Key<OnWeakeningWord> = |file| file.hook.weakening.as_ref();
        let weakening = match self.value("hook.weakening", weakening, OnWeakeningWord::Warn) {
            OnWeakeningWord::Warn => OnWeakening::Warn,
            OnWeakeningWord::Refuse => OnWeakening::Refuse,
        };
        HookPolicy {
            on_error,
            snapshot,
            weakening,
        }
    }

    fn gpu_check(&mut self, surroundings: &Surroundings) -> GpuCheckPolicy {
        let mode: Key<GpuCheckWord> = |file| file.gpu_check.mode.as_ref();
        let mode = self.value("gpu-check.mode", mode, GpuCheckWord::Auto);
        let mode = match self.overridden(mode, surroundings.check_mode()) {
            GpuCheckWord::Auto => GpuCheckMode::Auto,
            GpuCheckWord::Required => GpuCheckMode::Required,
            GpuCheckWord::Off => GpuCheckMode::Off,
        };
        let deadline: Key<u32> = |file| file.gpu_check.deadline_ms.as_ref();
        let deadline = self.value("gpu-check.deadline-ms", deadline, 5000);
        let deadline = self.overridden(deadline, surroundings.deadline_ms());
        let cache: Key<u32> = |file| file.gpu_check.cache_minutes.as_ref();
        let cache = self.value("gpu-check.cache-minutes", cache, CACHE_MINUTES);
        GpuCheckPolicy {
            mode,
            deadline: Duration::from_millis(u64::from(deadline)),
            cache: Duration::from_secs(u64::from(cache) * 60),
        }
    }

    fn run(&mut self) -> RunPolicy {
        let violation: Key<OnViolationWord> = |file| file.run.on_violation.as_ref();
        let on_violation = match self.value("run.on-violation", violation, OnViolationWord::End) {
            OnViolationWord::End => OnViolation::End,
            OnViolationWord::Report => OnViolation::Report,
        };
        let milliseconds = |ms: u32| Duration::from_millis(u64::from(ms));
        let (every, grace): (Key<u32>, Key<u32>) = (
            |file| file.run.every_ms.as_ref(),
            |file| file.run.grace_ms.as_ref(),
        );
        RunPolicy {
            on_violation,
            every: milliseconds(self.value("run.every-ms", every, 200)),
            grace: milliseconds(self.value("run.grace-ms", grace, 5000)),
        }
    }

    fn backup(&mut self, surroundings: &Surroundings) -> BackupPolicy {
        let store: Key<String> = |file| file.backup.store.as_ref();
        let store = self.optional("backup.store", store);
        let said = surroundings.store();
        let store = self.overridden(store, said.map(|(name, value)| (name, Some(value))));
        let last: Key<u32> = |file| file.backup.keep_last.as_ref();
        let daily: Key<u32> = |file| file.backup.keep_daily.as_ref();
        let within: Key<String> = |file| file.backup.keep_within.as_ref();
        let size: Key<String> = |file| file.backup.max_size.as_ref();
        // All of them were checked where they stand.
        BackupPolicy {
            store: store.and_then(|store| parse_store(&store).ok()),
            retention: Retention {
                keep_last: self.optional("backup.keep-last", last),
                keep_daily: self.optional("backup.keep-daily", daily),
                keep_within: self
                    .optional("backup.keep-within", within)
                    .and_then(|text| parse_duration(&text).ok()),
                max_size: self
                    .optional("backup.max-size", size)
                    .and_then(|text| parse_size(&text).ok()),
            },
        }
    }
}

fn texts(globs: &[Spanned<String>]) -> Vec<&String> {
    globs.iter().map(Spanned::get_ref).collect()
}
