//! NVML's process lists, read in the watching process: on each question, all cards once.

use std::collections::BTreeSet;

use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};
use serde::{Deserialize, Serialize};

use crate::gpu::inventory::{self, Inventory};
use crate::gpu::protocol::ProbeFailure;

/// The hidden command with which this program starts itself to watch.
pub const COMMAND: &str = "__watch";

/// A list can grow between the question for its length and the question for itself.
const TRIES: u32 = 4;

/// One line of the watching process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WatchLine {
    /// The machine's cards, said once, first.
    Cards {
        /// By PCI rank.
        inventory: Inventory,
        /// The number in `/dev/nvidiaN` of each, where there is one.
        minors: Vec<Option<u32>>,
    },
    /// What one look saw.
    Look(Look),
    /// NVML said no.
    Failed(ProbeFailure),
}

/// What one look saw, by PCI rank.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) cards: Vec<CardLook>,
}

/// What one look saw of one card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CardLook {
    /// Memory in use, by whomever, in bytes.
    pub(super) used_bytes: Option<u64>,
    /// Who uses it.
    pub(super) processes: Vec<Listed>,
    /// The lists that this driver does not keep for this card.
    pub(super) not_listed: Vec<Kind>,
    /// When the last of its samples was taken, in the driver's time.
    pub(super) sampled_until: u64,
}

/// A process in a card's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) process: u32,
    pub(super) kind: Kind,
    /// The card's memory that it uses, in bytes, where the driver tells.
    pub(super) bytes: Option<u64>,
}

/// How a process uses a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It has a CUDA context.
    Compute,
    /// It draws: OpenGL, Vulkan, Direct3D.
    Graphics,
    /// It computes through the multi-process service.
    Mps,
    /// It worked on the card since the last look, and may have left it again.
    Sampled,
}

/// Watches in this process, which is the watching one: says the cards, and on each question
/// what all lists say. Of each card's samples, those after the time in `since` are told, where
/// another process has seen those before.
pub fn serve(questions: impl Iterator<Item = ()>, since: &[u64], say: &mut dyn FnMut(&str)) {
    let mut say = |line: &WatchLine| {
        // These types always have a JSON form; who says nothing is taken for broken.
        if let Ok(text) = serde_json::to_string(line) {
            say(&format!("{text}\n"));
        }
    };
    if let Err(failure) = watch(questions, since, &mut say) {
        say(&WatchLine::Failed(failure));
    }
}

fn watch(
    questions: impl Iterator<Item = ()>,
    since: &[u64],
    say: &mut dyn FnMut(&WatchLine),
) -> Result<(), ProbeFailure> {
    #[cfg(windows)]
    crate::gpu::dll_search::restrict()?;
    let nvml = Nvml::init()?;
    let inventory = inventory::list(&nvml)?;
    let devices = inventory
        .cards
        .iter()
        .map(|card| nvml.device_by_index(card.nvml_index))
        .collect::<Result<Vec<Device<'_>>, NvmlError>>()?;
    say(&WatchLine::Cards {
        inventory,
        minors: devices.iter().map(minor).collect(),
    });
    // What was before the first look is nobody's concern.
    let mut last: Vec<u64> = if since.len() == devices.len() {
        since.to_owned()
    } else {
        let latest = |card| Ok(worked(card, 0)?.1);
        devices
            .iter()
            .map(latest)
            .collect::<Result<_, NvmlError>>()?
    };
    for () in questions {
        let cards = devices
            .iter()
            .zip(&mut last)
            .map(|(device, last)| {
                let mut look = look(device)?;
                let (worked, latest) = worked(device, *last)?;
                *last = latest;
                look.sampled_until = latest;
                match worked {
                    Some(worked) => look.processes.extend(worked),
                    None => look.not_listed.push(Kind::Sampled),
                }
                Ok(look)
            })
            .collect::<Result<Vec<CardLook>, NvmlError>>()?;
        say(&WatchLine::Look(Look { cards }));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn minor(device: &Device<'_>) -> Option<u32> {
    device.minor_number().ok()
}

#[cfg(not(target_os = "linux"))]
fn minor(_: &Device<'_>) -> Option<u32> {
    None
}

/// The list of CUDA's contexts must be had; the others are where the driver keeps them.
fn look(device: &Device<'_>) -> Result<CardLook, NvmlError> {
    let mut look = CardLook {
        used_bytes: device.memory_info().ok().map(|memory| memory.used),
        ..CardLook::default()
    };
    let compute = retried(|| device.running_compute_processes())?;
    look.processes.extend(listed(Kind::Compute, &compute));
    for (kind, list) in [
        (
            Kind::Graphics,
            retried(|| device.running_graphics_processes()),
        ),
        (
            Kind::Mps,
            retried(|| device.mps_running_compute_processes()),
        ),
    ] {
        match list {
            Ok(list) => look.processes.extend(listed(kind, &list)),
            Err(error) if is_not_kept(&error) => look.not_listed.push(kind),
            Err(error) => return Err(error),
        }
    }
    Ok(look)
}

/// Whether a driver does not keep a list at all.
fn is_not_kept(error: &NvmlError) -> bool {
    matches!(
        error,
        NvmlError::NotSupported | NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound
    )
}

/// The processes that worked on a card after `last`, in the driver's time, and the time of the
/// last of them. The driver keeps samples for some seconds; `None` where it keeps none of this
/// card.
fn worked(device: &Device<'_>, last: u64) -> Result<(Option<Vec<Listed>>, u64), NvmlError> {
    let samples = match device.process_utilization_stats(last) {
        Ok(samples) => samples,
        // Nobody worked.
        Err(NvmlError::NotFound) => Vec::new(),
        Err(error) if is_not_kept(&error) => return Ok((None, last)),
        Err(error) => return Err(error),
    };
    let latest = samples.iter().map(|sample| sample.timestamp).max();
    let ids: BTreeSet<u32> = samples
        .iter()
        .filter(|sample| sample.timestamp > last && is_id(sample.pid))
        .map(|sample| sample.pid)
        .collect();
    let listed = ids.into_iter().map(|process| Listed {
        process,
        kind: Kind::Sampled,
        bytes: None,
    });
    Ok((Some(listed.collect()), latest.unwrap_or(last).max(last)))
}

fn retried(
    mut list: impl FnMut() -> Result<Vec<ProcessInfo>, NvmlError>,
) -> Result<Vec<ProcessInfo>, NvmlError> {
    let mut result = list();
    for _ in 1..TRIES {
        if !matches!(result, Err(NvmlError::InsufficientSize(_))) {
            break;
        }
        result = list();
    }
    result
}

/// Some drivers fill in ids that no process has: nvitop's issues 79 and 88.
fn is_id(process: u32) -> bool {
    process != 0 && process != u32::MAX
}

fn listed(kind: Kind, list: &[ProcessInfo]) -> impl Iterator<Item = Listed> {
    list.iter()
        .filter(|process| is_id(process.pid))
        .map(move |process| Listed {
            process: process.pid,
            kind,
            bytes: match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            },
        })
}
