//! What stands between this machine and the policy's card: driver, libraries, surroundings,
//! variables. One line for each thing looked at, with the cure where there is one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::child_environment::redirections;
use super::identity;
use super::inventory::{ComputeMode, Inventory, InventoryCard};
use super::loader::{self, LIBRARY_PATH};
use super::probe::{Deadline, ProbeError, ProbeReport, ProbeTask, probe};
use super::verdict::CardStatus;
use super::{advice, guard};
use crate::policy::selection::{CudaEnvironment, Slot, visible};
use crate::policy::{GpuCheckMode, Policy, SetIn, Usage};
use crate::sys::environment;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// How it is.
    pub weight: Weight,
    /// What was found, in one line without a final period.
    pub found: String,
    /// What to do about it.
    pub cure: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Against the policy, or broken.
    Wrong,
}

impl Diagnosis {
    /// Whether something is against the policy, or broken.
    pub fn is_wrong(&self) -> bool {
        self.weight == Weight::Wrong
    }

    /// As it should be.
    pub fn ok(found: impl Into<String>) -> Self {
        Self {
            weight: Weight::Ok,
            found: found.into(),
            cure: None,
        }
    }

    /// Worth knowing, with what to do about it, if anything.
    pub fn note(found: impl Into<String>, cure: Option<&str>) -> Self {
        Self {
            weight: Weight::Note,
            found: found.into(),
            cure: cure.map(str::to_owned),
        }
    }

    /// Against the policy, or broken.
    pub fn wrong(found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            weight: Weight::Wrong,
            found: found.into(),
            cure: Some(cure.into()),
        }
    }
}

/// Looks at the driver and at what surrounds it. Each of the two questions to the driver gets the
/// policy's deadline.
pub fn diagnose(policy: &Policy) -> Vec<Diagnosis> {
    let variables: Vec<(OsString, OsString)> = environment::all().collect();
    let ask = |task| {
        probe(
            task,
            None,
            Deadline::starting_now(policy.gpu_check.deadline),
        )
    };
    let nvml = ask(&ProbeTask::Inventory);
    let cuda = ask(&ProbeTask::Order);
    let mut found = vec![nvml_library(policy, &nvml), cuda_library(policy, &cuda)];
    found.extend(search_path(&variables));
    found.extend(wsl());
    found.extend(container(&variables));
    // A UUID in today's variables is told by the machine, where the policy does not say it.
    let inventory = nvml
        .as_ref()
        .ok()
        .and_then(|answer| answer.inventory.as_ref());
    let pinned =
        inventory.and_then(|all| guard::pinned(policy, all, guard::are_others_closed()).ok());
    let known = pinned.as_ref().unwrap_or(policy);
    found.extend(selection(known, &text_of(&variables)));
    found.extend(redirected(&variables));
    if let Some(inventory) = inventory {
        found.push(identity(known, inventory));
        for card in &inventory.cards {
            found.extend(compute_mode(policy, card));
            found.extend(persistence(policy, card));
        }
    }
    found
}

fn nvml_library(policy: &Policy, answer: &Result<ProbeReport, ProbeError>) -> Diagnosis {
    match answer {
        Ok(report) => {
            let version = report
                .inventory
                .as_ref()
                .map_or("unknown", |inventory| &inventory.driver_version);
            Diagnosis::ok(format!(
                "driver {version}; NVML is loaded{}",
                from(report.library.as_deref())
            ))
        }
        Err(error) => in_trouble(policy, "NVML", error),
    }
}

fn cuda_library(policy: &Policy, answer: &Result<ProbeReport, ProbeError>) -> Diagnosis {
    match answer {
        Ok(report) => {
            let version = report.cuda_version.map_or_else(
                || "of an unknown version".to_owned(),
                |version| format!("{}.{}", version / 1000, version % 1000 / 10),
            );
            Diagnosis::ok(format!(
                "CUDA {version} at most; libcuda is loaded{}",
                from(report.library.as_deref())
            ))
        }
        Err(error) => in_trouble(policy, "CUDA", error),
    }
}

fn from(path: Option<&str>) -> String {
    path.map_or_else(String::new, |path| format!(" from {path}"))
}

/// A machine without a driver is wrong only where the policy demands one.
fn in_trouble(policy: &Policy, what: &str, error: &ProbeError) -> Diagnosis {
    let (status, advice) = advice::for_trouble(&error.trouble);
    let required = policy.gpu_check.mode == GpuCheckMode::Required;
    Diagnosis {
        weight: if status == CardStatus::NoDriver && !required {
            Weight::Note
        } else {
            Weight::Wrong
        },
        found: format!("{what}: {}", advice.message),
        cure: advice.hint,
    }
}

/// Folders of `LD_LIBRARY_PATH` in which the loader finds another library than the driver's.
fn search_path(variables: &[(OsString, OsString)]) -> Vec<Diagnosis> {
    let Some((_, value)) = variables.iter().find(|(name, _)| name == LIBRARY_PATH) else {
        return Vec::new();
    };
    let has_a_library = |folder: &PathBuf| {
        [
            "libcuda.so",
            "libcuda.so.1",
            "libnvidia-ml.so",
            "libnvidia-ml.so.1",
        ]
        .iter()
        .any(|name| folder.join(name).exists())
    };
    let named =
        |folder: &Path, name: &str| folder.components().any(|part| part.as_os_str() == name);
    loader::folders(value)
        .into_iter()
        .filter(has_a_library)
        .filter_map(|folder| {
            let shown = folder.display();
            if named(&folder, "stubs") {
                Some(Diagnosis::wrong(
                    format!("{shown} on LD_LIBRARY_PATH has a toolkit's stub of the driver, which the loader finds first"),
                    "take that folder off LD_LIBRARY_PATH; it is for building only",
                ))
            } else if named(&folder, "compat") {
                Some(Diagnosis::note(
                    format!("{shown} on LD_LIBRARY_PATH has another driver's library"),
                    Some("take that folder off LD_LIBRARY_PATH unless the card is one for data centres: others cannot use it"),
                ))
            } else {
                None
            }
        })
        .collect()
}

fn wsl() -> Option<Diagnosis> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    if !kernel.to_ascii_lowercase().contains("microsoft") {
        return None;
    }
    let library = Path::new("/usr/lib/wsl/lib/libcuda.so.1");
    Some(if library.exists() {
        Diagnosis::note(
            "this is WSL2: one device file stands for all cards, so that only CUDA_VISIBLE_DEVICES selects one",
            None,
        )
    } else {
        Diagnosis::note(
            format!("this is WSL2, and {} is not there", library.display()),
            Some("install NVIDIA's driver on Windows, and none inside of WSL"),
        )
    })
}

fn container(variables: &[(OsString, OsString)]) -> Option<Diagnosis> {
    let by_file = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")]
        .into_iter()
        .find(|(file, _)| Path::new(file).exists())
        .map(|(_, name)| name.to_owned());
    let given = variables
        .iter()
        .find(|(name, _)| name == "NVIDIA_VISIBLE_DEVICES")
        .map(|(_, value)| format!("NVIDIA_VISIBLE_DEVICES={}", value.to_string_lossy()));
    let why = by_file.or(given)?;
    Some(Diagnosis::note(
        format!(
            "this is a container ({why}): cards are counted from 0 among those that it was given"
        ),
        Some(
            "give it the allowed card alone, `--gpus '\"device=GPU-…\"'` with the UUID, and select index 0 inside",
        ),
    ))
}

/// The two variables as this process has them; no UTF-8 is no value that CUDA knows.
#[derive(Clone, Debug, Default)]
struct Today {
    order: Option<String>,
    mask: Option<String>,
}

fn text_of(variables: &[(OsString, OsString)]) -> Today {
    let value = |wanted: &str| {
        variables
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.to_string_lossy().into_owned())
    };
    Today {
        order: value("CUDA_DEVICE_ORDER"),
        mask: value("CUDA_VISIBLE_DEVICES"),
    }
}

const SET_BOTH: &str = "`eval \"$(gpuguard gpu env)\"` in this shell, and in its profile";

/// What a program that is started here and sets nothing itself would see.
fn selection(policy: &Policy, today: &Today) -> Option<Diagnosis> {
    let shown = match (&today.order, &today.mask) {
        (None, None) => {
            return Some(match policy.environment.set_in {
                SetIn::Outside => Diagnosis::wrong(
                    "neither CUDA_DEVICE_ORDER nor CUDA_VISIBLE_DEVICES is set here, and the policy has them set outside of the code",
                    SET_BOTH,
                ),
                SetIn::EachFile | SetIn::EntryPoints => Diagnosis::ok(
                    "neither CUDA_DEVICE_ORDER nor CUDA_VISIBLE_DEVICES is set here: the code sets them",
                ),
            });
        }
        (order, mask) => [("CUDA_DEVICE_ORDER", order), ("CUDA_VISIBLE_DEVICES", mask)]
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={value}"),
                None => format!("no {name}"),
            })
            .collect::<Vec<_>>()
            .join(" and "),
    };
    let seen = visible(
        &policy.cards,
        CudaEnvironment {
            order: today.order.as_deref(),
            visible_devices: today.mask.as_deref(),
        },
    );
    let forbidden = seen.slots.iter().find_map(|slot| match slot {
        Slot::Card(card) if card.usage == Usage::Forbidden => Some(&card.name),
        _ => None,
    });
    let what = match forbidden {
        Some(name) => format!("show the forbidden {name}"),
        None if seen.slots.is_empty() => "show no card".to_owned(),
        None if seen.open_ended || seen.slots.contains(&Slot::Unknown) => {
            "may show a card that is not allowed".to_owned()
        }
        None => {
            return Some(Diagnosis::ok(format!(
                "{shown} here show what the policy allows"
            )));
        }
    };
    Some(Diagnosis::wrong(format!("{shown} here {what}"), SET_BOTH))
}

fn redirected(variables: &[(OsString, OsString)]) -> Vec<Diagnosis> {
    redirections(variables, loader::repository().as_deref())
        .into_iter()
        .map(|redirection| {
            Diagnosis::note(
                format!(
                    "{} {}; gpuguard does not pass it on to the driver",
                    redirection.name, redirection.what
                ),
                Some("unset it, unless you know why it is there"),
            )
        })
        .collect()
}

fn identity(policy: &Policy, inventory: &Inventory) -> Diagnosis {
    match identity::expected(policy, inventory) {
        Ok(cards) => {
            let names: Vec<&str> = cards.iter().map(|card| card.facts.name.as_str()).collect();
            Diagnosis::ok(format!(
                "CUDA_VISIBLE_DEVICES={} of the policy selects {} on this machine",
                policy.environment.visible_devices,
                names.join(", ")
            ))
        }
        Err(mismatch) => {
            let advice = advice::for_mismatch(&mismatch);
            Diagnosis {
                weight: Weight::Wrong,
                found: advice.message,
                cure: advice.hint,
            }
        }
    }
}

fn usage_of(policy: &Policy, card: &InventoryCard) -> Option<Usage> {
    identity::policy_card(policy, card).map(|card| card.usage)
}

fn compute_mode(policy: &Policy, card: &InventoryCard) -> Option<Diagnosis> {
    let (name, uuid) = (&card.facts.name, &card.facts.uuid);
    match (usage_of(policy, card)?, card.compute_mode?) {
        (Usage::Allowed, ComputeMode::Prohibited) => {
            let advice = advice::prohibited(card);
            Some(Diagnosis {
                weight: Weight::Wrong,
                found: format!(
                    "the allowed {name} lets no program compute (compute mode `prohibited`)"
                ),
                cure: advice.hint,
            })
        }
        (Usage::Allowed, ComputeMode::Exclusive) => Some(Diagnosis::note(
            format!("the allowed {name} takes one program at a time (compute mode `exclusive`)"),
            Some(&format!(
                "`sudo nvidia-smi -i {uuid} -c DEFAULT` opens it to all"
            )),
        )),
        (Usage::Allowed, ComputeMode::Default) => Some(Diagnosis::ok(format!(
            "the allowed {name} is open to all programs"
        ))),
        (Usage::Forbidden, ComputeMode::Prohibited) => Some(Diagnosis::ok(format!(
            "the forbidden {name} lets no program compute (compute mode `prohibited`)"
        ))),
        // On Windows, a card that can drive a screen knows no other mode.
        (Usage::Forbidden, _) if cfg!(windows) => None,
        (Usage::Forbidden, _) => Some(Diagnosis::note(
            format!("the forbidden {name} lets programs compute"),
            Some(&format!(
                "`sudo nvidia-smi -i {uuid} -c PROHIBITED` closes it until the next start; screens go on working"
            )),
        )),
    }
}

fn persistence(policy: &Policy, card: &InventoryCard) -> Option<Diagnosis> {
    let is_off = !card.persistence_mode?;
    (is_off && usage_of(policy, card)? == Usage::Allowed).then(|| {
        Diagnosis::note(
            format!(
                "persistence is off for {}: the first program after a pause waits a second or more",
                card.facts.name
            ),
            Some(&format!(
                "`sudo nvidia-smi -i {} -pm 1`, or have nvidia-persistenced started",
                card.facts.uuid
            )),
        )
    })
}
