//! The machine's cards as NVML lists them.
//!
//! NVML can hang or crash (WSL2), so it is only ever called in the child process.

use nvml_wrapper::enum_wrappers::device::ComputeMode as NvmlComputeMode;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use serde::{Deserialize, Serialize};

use super::health::uuid_of;
use super::protocol::{Line, NvmlTrouble, ProbeFailure, Reporter};
use super::verdict::CardFacts;
use crate::sys::environment;

/// File name of the NVML library.
const LIBRARY: &str = if cfg!(windows) {
    "nvml.dll"
} else {
    "libnvidia-ml.so.1"
};

/// The machine's cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Version of the driver, `575.64.03`.
    pub driver_version: String,
    /// The cards by PCI rank.
    pub cards: Vec<InventoryCard>,
}

/// One card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryCard {
    /// Place among all cards sorted by PCI domain, bus and device, from 0: what
    /// `CUDA_DEVICE_ORDER=PCI_BUS_ID` counts.
    pub pci_rank: u32,
    /// NVML's own index, which need not be the same after a reboot.
    pub nvml_index: u32,
    /// What identifies the card.
    #[serde(flatten)]
    pub facts: CardFacts,
    /// Memory in use, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// Who may run something on it.
    pub compute_mode: Option<ComputeMode>,
    /// Whether it drives a screen.
    pub display_active: Option<bool>,
    /// Whether the driver stays loaded while nobody uses the card; told on Linux only.
    pub persistence_mode: Option<bool>,
}

/// Who may run something on a card (`nvidia-smi -c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeMode {
    /// Everyone.
    Default,
    /// One process at a time.
    Exclusive,
    /// Nobody.
    Prohibited,
}

/// Asks NVML, in the child process.
pub(super) fn read(reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    let nvml = reporter.phase("nvml", || Ok(Nvml::init()?))?;
    if let Some(path) = environment::loaded_file("libnvidia-ml.so") {
        reporter.line(&Line::Library(path));
    }
    let inventory = reporter.phase("cards", || list(&nvml))?;
    reporter.line(&Line::Inventory(inventory));
    Ok(())
}

pub(super) fn list(nvml: &Nvml) -> Result<Inventory, ProbeFailure> {
    let mut found = Vec::new();
    let mut denied = None;
    for index in 0..nvml.device_count()? {
        match nvml.device_by_index(index) {
            // One that this process may not open (a container, `run --enforce`) CUDA does not
            // count either.
            Err(error @ NvmlError::NoPermission) => denied = Some(error),
            device => found.push(card(&device?, index)?),
        }
    }
    if let Some(error) = denied.filter(|_| found.is_empty()) {
        return Err(error.into());
    }
    found.sort_by_key(|(address, _)| *address);
    let mut cards: Vec<InventoryCard> = found.into_iter().map(|(_, card)| card).collect();
    for (rank, card) in (0..).zip(&mut cards) {
        card.pci_rank = rank;
    }
    Ok(Inventory {
        driver_version: nvml.sys_driver_version()?,
        cards,
    })
}

/// Domain, bus and device, in the order in which CUDA sorts by them.
type PciAddress = (u32, u32, u32);

/// A card and its PCI address. What identifies it must be known; the rest may be unsupported.
fn card(device: &Device<'_>, index: u32) -> Result<(PciAddress, InventoryCard), ProbeFailure> {
    let pci = device.pci_info()?;
    let memory = device.memory_info().ok();
    let capability = device.cuda_compute_capability().ok();
    let card = InventoryCard {
        pci_rank: 0,
        nvml_index: index,
        facts: CardFacts {
            name: device.name()?,
            uuid: uuid_of(device)?,
            pci_bus_id: pci.bus_id,
            memory_bytes: memory.as_ref().map(|memory| memory.total),
            compute_capability: capability.map(|c| format!("{}.{}", c.major, c.minor)),
        },
        memory_used_bytes: memory.map(|memory| memory.used),
        compute_mode: device.compute_mode().ok().map(|mode| match mode {
            NvmlComputeMode::Default => ComputeMode::Default,
            NvmlComputeMode::Prohibited => ComputeMode::Prohibited,
            NvmlComputeMode::ExclusiveThread | NvmlComputeMode::ExclusiveProcess => {
                ComputeMode::Exclusive
            }
        }),
        display_active: device.is_display_active().ok(),
        persistence_mode: persistence_mode(device),
    };
    Ok(((pci.domain, pci.bus, pci.device), card))
}

#[cfg(target_os = "linux")]
fn persistence_mode(device: &Device<'_>) -> Option<bool> {
    device.is_in_persistent_mode().ok()
}

/// There is no such mode elsewhere.
#[cfg(not(target_os = "linux"))]
fn persistence_mode(_device: &Device<'_>) -> Option<bool> {
    None
}

impl From<NvmlError> for ProbeFailure {
    fn from(error: NvmlError) -> Self {
        let kind = match &error {
            NvmlError::LibloadingError(_) => {
                return Self::NoLibrary {
                    library: LIBRARY.to_owned(),
                };
            }
            NvmlError::FailedToLoadSymbol(text) => {
                return Self::MissingSymbol {
                    symbol: symbol_in(text),
                };
            }
            NvmlError::DriverNotLoaded => NvmlTrouble::NotLoaded,
            NvmlError::LibRmVersionMismatch => NvmlTrouble::VersionMismatch,
            NvmlError::GpuLost | NvmlError::ResetRequired => NvmlTrouble::Lost,
            NvmlError::NoPermission | NvmlError::OperatingSystem => NvmlTrouble::NoPermission,
            _ => NvmlTrouble::Other,
        };
        Self::Nvml {
            kind,
            text: error.to_string(),
        }
    }
}

/// The function's name in what the loader says of it (`…: undefined symbol: nvmlInit_v2`).
fn symbol_in(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| word.starts_with("nvml"))
        .unwrap_or(text)
        .to_owned()
}
