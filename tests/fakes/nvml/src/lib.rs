//! A stand-in for `libnvidia-ml.so.1`: the functions that gpuguard's inventory calls.
//!
//! NVML's index is no PCI rank: this one lists the cards in the reverse of the PCI order.
#![expect(
    clippy::disallowed_methods,
    reason = "a driver reads its environment itself"
)]
#![expect(clippy::missing_safety_doc, reason = "nvml.h says how to call NVML")]

#[path = "../../machine.rs"]
mod machine;
mod processes;

use std::ffi::{c_char, c_int, c_uint, c_void};

use machine::{Card, Knobs, MINOR_OF_RANK_0, put_text, uuid_text};
use processes::{ProcessInfo, Sample};

const KNOBS: Knobs = Knobs::of("NVML");

const INVALID_ARGUMENT: u32 = 2;
const NOT_SUPPORTED: u32 = 3;

/// `nvmlPciInfo_t`.
#[repr(C)]
pub struct PciInfo {
    bus_id_legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    device_id: c_uint,
    subsystem_id: c_uint,
    bus_id: [c_char; 32],
}

/// `nvmlMemory_v2_t`.
#[repr(C)]
pub struct Memory {
    version: c_uint,
    total: u64,
    reserved: u64,
    free: u64,
    used: u64,
}

/// An NVML function: the knobs first, then its body.
macro_rules! driver {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> c_uint {
            let run = || -> Result<(), u32> {
                KNOBS.enter(stringify!($name))?;
                // SAFETY: gpuguard calls this as nvml.h says.
                #[allow(unused_unsafe)]
                unsafe { $body }
            };
            run().err().unwrap_or(0)
        }
    )*};
}

driver! {
    fn nvmlInit_v2() { Ok(()) }

    fn nvmlShutdown() { Ok(()) }

    fn nvmlSystemGetDriverVersion(version: *mut c_char, room: c_uint) {
        let text = KNOBS.get("VERSION").unwrap_or_else(|| "575.64.FAKE".to_owned());
        put_text(version, room as usize, &text);
        Ok(())
    }

    fn nvmlDeviceGetCount_v2(count: *mut c_uint) {
        *count = KNOBS.cards().len() as c_uint;
        Ok(())
    }

    fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut *mut c_void) {
        let cards = KNOBS.cards().len();
        if index as usize >= cards {
            return Err(INVALID_ARGUMENT);
        }
        // A handle is one more than the PCI rank.
        *device = std::ptr::without_provenance_mut(cards - index as usize);
        Ok(())
    }

    fn nvmlDeviceGetName(device: *mut c_void, name: *mut c_char, room: c_uint) {
        put_text(name, room as usize, card(device)?.name);
        Ok(())
    }

    fn nvmlDeviceGetUUID(device: *mut c_void, uuid: *mut c_char, room: c_uint) {
        put_text(uuid, room as usize, &uuid_text(&card(device)?.uuid));
        Ok(())
    }

    fn nvmlDeviceGetPciInfo_v3(device: *mut c_void, info: *mut PciInfo) {
        let bus = card(device)?.pci_bus;
        let info = &mut *info;
        (info.domain, info.bus, info.device) = (0, bus, 0);
        put_text(info.bus_id.as_mut_ptr(), 32, &format!("00000000:{bus:02X}:00.0"));
        Ok(())
    }

    fn nvmlDeviceGetMemoryInfo_v2(device: *mut c_void, memory: *mut Memory) {
        let card = card(device)?;
        let total = card.memory;
        let memory = &mut *memory;
        let mib = |knob| KNOBS.get(knob).and_then(|text| text.parse::<u64>().ok());
        let mut used = mib("USED_MIB").unwrap_or(512);
        if let Some(more) = mib("LEAK_MIB")
            && KNOBS.wrote_down(&format!("context on {}", uuid_text(&card.uuid)))
        {
            used += more;
        }
        (memory.total, memory.used) = (total, used << 20);
        memory.used += processes::memory(device.addr() - 1);
        memory.free = total.saturating_sub(memory.used);
        Ok(())
    }

    fn nvmlDeviceGetComputeMode(_device: *mut c_void, mode: *mut c_uint) {
        *mode = KNOBS.get("COMPUTE_MODE").and_then(|mode| mode.parse().ok()).unwrap_or(0);
        Ok(())
    }

    fn nvmlDeviceGetCudaComputeCapability(device: *mut c_void, major: *mut c_int, minor: *mut c_int) {
        (*major, *minor) = card(device)?.capability;
        Ok(())
    }

    fn nvmlDeviceGetTemperature(device: *mut c_void, _sensor: c_uint, celsius: *mut c_uint) {
        card(device)?;
        *celsius = KNOBS.get("CELSIUS").and_then(|text| text.parse().ok()).unwrap_or(41);
        Ok(())
    }

    fn nvmlDeviceGetClockInfo(device: *mut c_void, clock: c_uint, mhz: *mut c_uint) {
        card(device)?;
        // Processors are 1, the memory is 2.
        *mhz = if clock == 2 { 9501 } else { 1695 };
        Ok(())
    }

    fn nvmlDeviceGetPowerUsage(device: *mut c_void, milliwatts: *mut c_uint) {
        card(device)?;
        *milliwatts = 120_500;
        Ok(())
    }

    fn nvmlDeviceGetCurrentClocksThrottleReasons(device: *mut c_void, reasons: *mut u64) {
        card(device)?;
        *reasons = KNOBS.get("SLOWED_BY").and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(())
    }

    fn nvmlDeviceGetTotalEccErrors(
        device: *mut c_void,
        _kind: c_uint,
        _since: c_uint,
        errors: *mut u64,
    ) {
        card(device)?;
        // These cards have no error correction unless the knob says so.
        let count = KNOBS.get("ECC_ERRORS").and_then(|text| text.parse().ok());
        *errors = count.ok_or(NOT_SUPPORTED)?;
        Ok(())
    }

    fn nvmlDeviceGetPersistenceMode(device: *mut c_void, mode: *mut c_uint) {
        card(device)?;
        *mode = KNOBS.get("PERSISTENCE").and_then(|text| text.parse().ok()).unwrap_or(1);
        Ok(())
    }

    fn nvmlDeviceGetDisplayActive(device: *mut c_void, active: *mut c_uint) {
        *active = c_uint::from(card(device)?.drives_a_screen);
        Ok(())
    }

    fn nvmlDeviceGetMinorNumber(device: *mut c_void, minor: *mut c_uint) {
        card(device)?;
        *minor = MINOR_OF_RANK_0 + (device.addr() - 1) as c_uint;
        Ok(())
    }

    fn nvmlDeviceGetComputeRunningProcesses_v3(device: *mut c_void, count: *mut c_uint, infos: *mut ProcessInfo) {
        processes::list("compute", device, count, infos)
    }

    fn nvmlDeviceGetGraphicsRunningProcesses_v3(device: *mut c_void, count: *mut c_uint, infos: *mut ProcessInfo) {
        processes::list("graphics", device, count, infos)
    }

    fn nvmlDeviceGetMPSComputeRunningProcesses_v3(device: *mut c_void, count: *mut c_uint, infos: *mut ProcessInfo) {
        processes::list("mps", device, count, infos)
    }

    fn nvmlDeviceGetProcessUtilization(device: *mut c_void, samples: *mut Sample, count: *mut c_uint, last: u64) {
        processes::samples(device, samples, count, last)
    }
}

/// The card behind a handle.
fn card(device: *mut c_void) -> Result<Card, u32> {
    let rank = device.addr().checked_sub(1).ok_or(INVALID_ARGUMENT)?;
    KNOBS.cards().into_iter().nth(rank).ok_or(INVALID_ARGUMENT)
}
