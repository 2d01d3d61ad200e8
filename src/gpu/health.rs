//! How a card is, as NVML tells it: temperature, clocks, what slows it down, errors of its
//! memory. NVML is only ever called in the child process.

use std::time::Duration;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use serde::{Deserialize, Serialize};

use super::protocol::{Line, ProbeFailure, Reporter};

/// How much more memory may be in use after a check than before, in bytes: other programs come
/// and go, and the driver keeps a little.
const NOISE: u64 = 16 << 20;

/// How often the memory is looked at until it is given back, and how long between two looks.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A card at one moment. What the driver or the card does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The card.
    pub uuid: String,
    /// Of the chip, in °C.
    pub temperature_celsius: Option<u32>,
    /// Clock of the processors, in MHz.
    pub sm_clock_mhz: Option<u32>,
    /// Clock of the memory, in MHz.
    pub memory_clock_mhz: Option<u32>,
    /// Power drawn, in milliwatts.
    pub power_milliwatts: Option<u32>,
    /// Memory in use by all programs, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// What slows it down just now; being idle is none of it. The names are NVML's.
    pub slowed_by: Vec<String>,
    /// Errors of the memory since the driver was loaded that could not be corrected; `None` on
    /// cards without error correction.
    pub uncorrected_ecc_errors: Option<u64>,
}

/// A card to look at after a check: its UUID, and the memory that was in use before, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardBefore {
    /// The card.
    pub uuid: String,
    /// Memory in use before.
    pub memory_used_bytes: Option<u64>,
}

/// The reasons that a user can do something about, with NVML's names for them.
const REASONS: &[(ThrottleReasons, &str)] = &[
    (
        ThrottleReasons::APPLICATIONS_CLOCKS_SETTING,
        "applications-clocks-setting",
    ),
    (ThrottleReasons::SW_POWER_CAP, "sw-power-cap"),
    (ThrottleReasons::HW_SLOWDOWN, "hw-slowdown"),
    (ThrottleReasons::SYNC_BOOST, "sync-boost"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "sw-thermal-slowdown"),
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hw-thermal-slowdown"),
    (
        ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN,
        "hw-power-brake-slowdown",
    ),
    (
        ThrottleReasons::DISPLAY_CLOCK_SETTING,
        "display-clock-setting",
    ),
];

/// The reasons that speak of heat or of a power supply that is too weak.
const BAD_REASONS: [&str; 4] = [
    "hw-slowdown",
    "sw-thermal-slowdown",
    "hw-thermal-slowdown",
    "hw-power-brake-slowdown",
];

impl Health {
    /// Asks NVML.
    pub(super) fn of(device: &Device<'_>) -> Result<Self, NvmlError> {
        let reasons = device
            .current_throttle_reasons()
            .unwrap_or(ThrottleReasons::empty());
        Ok(Self {
            uuid: uuid_of(device)?,
            temperature_celsius: device.temperature(TemperatureSensor::Gpu).ok(),
            sm_clock_mhz: device.clock_info(Clock::SM).ok(),
            memory_clock_mhz: device.clock_info(Clock::Memory).ok(),
            power_milliwatts: device.power_usage().ok(),
            memory_used_bytes: device.memory_info().ok().map(|memory| memory.used),
            slowed_by: REASONS
                .iter()
                .filter(|(reason, _)| reasons.intersects(*reason))
                .map(|(_, name)| (*name).to_owned())
                .collect(),
            uncorrected_ecc_errors: device
                .total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)
                .ok(),
        })
    }

    /// Those of the reasons that speak of heat or power, if there are any.
    pub(super) fn bad_reasons(&self) -> Vec<&str> {
        self.slowed_by
            .iter()
            .map(String::as_str)
            .filter(|reason| BAD_REASONS.contains(reason))
            .collect()
    }
}

/// Looks at `cards` after a check, in the child process.
pub(super) fn read(cards: &[CardBefore], reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    let found = reporter.phase("health", || {
        let nvml = Nvml::init()?;
        cards.iter().map(|card| settled(&nvml, card)).collect()
    })?;
    reporter.line(&Line::Health(found));
    Ok(())
}

/// A card once its memory is given back, or when it was waited for long enough: a driver clears
/// up a little later than the process ends.
fn settled(nvml: &Nvml, card: &CardBefore) -> Result<Health, ProbeFailure> {
    let device = device_of(nvml, &card.uuid)?;
    let mut health = Health::of(&device)?;
    for _ in 1..LOOKS {
        if more_than_before(card.memory_used_bytes, &health).is_none() {
            break;
        }
        std::thread::sleep(BETWEEN_LOOKS);
        health = Health::of(&device)?;
    }
    Ok(health)
}

/// How much more memory is in use than before, in bytes, if it is worth telling.
pub(super) fn more_than_before(before: Option<u64>, health: &Health) -> Option<u64> {
    let more = health.memory_used_bytes?.checked_sub(before?)?;
    (more > NOISE).then_some(more)
}

/// The card with a UUID.
pub(super) fn device_of<'n>(nvml: &'n Nvml, uuid: &str) -> Result<Device<'n>, NvmlError> {
    for index in 0..nvml.device_count()? {
        let device = nvml.device_by_index(index)?;
        if uuid_of(&device)?.eq_ignore_ascii_case(uuid) {
            return Ok(device);
        }
    }
    Err(NvmlError::NotFound)
}

/// The UUID as `nvidia-smi -L` prints it.
pub(super) fn uuid_of(device: &Device<'_>) -> Result<String, NvmlError> {
    Ok(device.uuid()?.replacen("gpu-", "GPU-", 1))
}
