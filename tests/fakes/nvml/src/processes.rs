//! Who uses which card: lines of the file that the knob `PROCESSES` names, as
//! `RANK PROCESS BYTES [compute|graphics|mps|sampled]`. A process that has ended uses nothing more; the
//! process 0 stands for memory that was not given back.

use std::ffi::c_uint;

use super::{KNOBS, card};

const NOT_FOUND: u32 = 6;
const INSUFFICIENT_SIZE: u32 = 7;

/// The kind of a process that worked on a card, and need not be there any more.
const SAMPLED: &str = "sampled";

/// `nvmlProcessInfo_v2_t`.
#[repr(C)]
pub struct ProcessInfo {
    process: c_uint,
    bytes: u64,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

/// A line.
struct Use {
    rank: usize,
    process: u32,
    bytes: u64,
    kind: String,
    /// The number of its line, from 1.
    at: u64,
}

fn uses(rank: usize) -> Vec<Use> {
    let Some(path) = KNOBS.get("PROCESSES") else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .zip(1..)
        .map(|(line, at)| {
            let words: Vec<&str> = line.split(' ').collect();
            Use {
                rank: words[0].parse().unwrap(),
                process: words[1].parse().unwrap(),
                bytes: words[2].parse().unwrap(),
                kind: (*words.get(3).unwrap_or(&"compute")).to_owned(),
                at,
            }
        })
        .filter(|one| {
            one.rank == rank && (one.process == 0 || one.kind == SAMPLED || lives(one.process))
        })
        .collect()
}

fn lives(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| !state.starts_with('Z'))
}

/// The memory that processes use on a card.
pub fn memory(rank: usize) -> u64 {
    uses(rank).iter().map(|one| one.bytes).sum()
}

/// Answers one of NVML's questions for a list.
///
/// # Safety
/// As nvml.h says of these functions.
pub unsafe fn list(
    kind: &str,
    device: *mut std::ffi::c_void,
    count: *mut c_uint,
    infos: *mut ProcessInfo,
) -> Result<(), u32> {
    card(device)?;
    let rank = device.addr() - 1;
    let listed: Vec<Use> = uses(rank)
        .into_iter()
        .filter(|one| one.kind == kind && one.process != 0)
        .collect();
    // SAFETY: the caller's promise.
    let room = unsafe { *count } as usize;
    // SAFETY: as above.
    unsafe { *count = listed.len() as c_uint };
    if listed.len() > room {
        return Err(INSUFFICIENT_SIZE);
    }
    for (at, one) in listed.iter().enumerate() {
        // NVML's own word for "not available" is all bits.
        let bytes = if KNOBS.get("NO_PROCESS_MEMORY").is_some() {
            u64::MAX
        } else {
            one.bytes
        };
        // SAFETY: there is room for this many.
        unsafe {
            infos.add(at).write(ProcessInfo {
                process: one.process,
                bytes,
                gpu_instance: u32::MAX,
                compute_instance: u32::MAX,
            });
        }
        KNOBS.write_down(&format!("listed {} on {rank}", one.process));
    }
    Ok(())
}

/// `nvmlProcessUtilizationSample_t`.
#[repr(C)]
pub struct Sample {
    process: c_uint,
    time: u64,
    utilization: [c_uint; 4],
}

/// Answers NVML's question for who worked on a card since `last`: the times are numbers of
/// lines.
///
/// # Safety
/// As nvml.h says of this function.
pub unsafe fn samples(
    device: *mut std::ffi::c_void,
    samples: *mut Sample,
    count: *mut c_uint,
    last: u64,
) -> Result<(), u32> {
    card(device)?;
    let found: Vec<Use> = uses(device.addr() - 1)
        .into_iter()
        .filter(|one| one.kind == SAMPLED && one.at > last)
        .collect();
    if found.is_empty() {
        return Err(NOT_FOUND);
    }
    // SAFETY: the caller's promise.
    let room = unsafe { *count } as usize;
    // SAFETY: as above.
    unsafe { *count = found.len() as c_uint };
    if found.len() > room {
        return Err(INSUFFICIENT_SIZE);
    }
    for (at, one) in found.iter().enumerate() {
        // SAFETY: there is room for this many.
        unsafe {
            samples.add(at).write(Sample {
                process: one.process,
                time: one.at,
                utilization: [1; 4],
            });
        }
    }
    Ok(())
}
