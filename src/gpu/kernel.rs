//! One small kernel on the allowed card, in the child process. Knows UUIDs, not policies.
//!
//! The driver reads the policy's environment from this process, so this is a test of the very
//! strings that code sets. The cards are told by UUID before a context is made on any of them.
#![expect(
    unsafe_code,
    reason = "the CUDA driver is C: its library is loaded, asked and given a kernel here"
)]

mod soak;

use std::ffi::c_void;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::sys::{self, CUdevice_attribute};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtrMut, DriverError, LaunchConfig,
    PushKernelArg, result,
};
use cudarc::nvrtc::Ptx;

use super::protocol::{Line, ProbeFailure, Reporter};
use super::verdict::CardFacts;
use crate::sys::environment;

pub(super) use soak::soak;

/// Every function of the driver that is called below, by way of cudarc. cudarc looks each up at
/// its first call and panics when it is missing; looked up here first, that is an error like
/// any other. The tests hold this list against the calls that a fake driver sees.
const FUNCTIONS: &[&str] = &[
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDeviceGetPCIBusId",
    "cuDeviceGetUuid",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDeviceTotalMem_v2",
    "cuDriverGetVersion",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventQuery",
    "cuEventRecord",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAllocAsync",
    "cuMemAlloc_v2",
    "cuMemFreeAsync",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamSynchronize",
];

/// The least that `cuDriverGetVersion` may say: CUDA 9.0, for the PTX version of `kernel.ptx`.
const OLDEST_DRIVER: i32 = 9000;

/// The least major compute capability, for the target of `kernel.ptx`.
const OLDEST_CAPABILITY: u32 = 5;

/// How many words the kernel writes: 1 Mi, 4 MiB.
const WORDS: u32 = 1 << 20;

/// How many words each memory pattern fills: 4 Mi, 16 MiB. A smoke test, not a memory test.
const PATTERN_WORDS: usize = 4 << 20;

/// How many words are compared at a time where all must be the same.
const BLOCK: usize = 4096;

/// The bytes written and read back: all bits off, on, and alternating.
const PATTERNS: [u8; 4] = [0x00, 0xff, 0xaa, 0x55];

/// The kernel's multiplier, see `kernel.ptx`.
const MULTIPLIER: u32 = 2_654_435_761;

/// Checks the cards that CUDA shows this process: exactly those of `uuids`, in that order.
pub(super) fn check(uuids: &[String], reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    for ordinal in 0..enter(uuids, reporter)? {
        compute(ordinal, reporter)?;
    }
    Ok(())
}

/// Tells which cards CUDA shows this process, without a context on any: exactly those of `uuids`.
pub(super) fn identity(uuids: &[String], reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    enter(uuids, reporter).map(drop)
}

/// Starts CUDA, and tells the cards it shows, which must be those of `uuids`; gives how many.
fn enter(uuids: &[String], reporter: &mut Reporter<'_>) -> Result<usize, ProbeFailure> {
    reporter.phase("library", look_up_functions)?;
    reporter.phase("init", || Ok(result::init()?))?;
    reporter.phase("driver", new_enough)?;
    let cards = reporter.phase("identity", || identify(uuids))?;
    if let Some(found) = cards.iter().find_map(too_old) {
        // Said as the failure of a phase, since that is where failures are said.
        return reporter.phase("capability", || Err(ProbeFailure::OldCard { found }));
    }
    for card in &cards {
        reporter.line(&Line::Card(card.clone()));
    }
    Ok(cards.len())
}

/// Lists the cards as CUDA counts them under this process's environment, by UUID. Makes no
/// context.
pub(super) fn order(reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    reporter.phase("library", look_up_functions)?;
    if let Some(path) = environment::loaded_file("libcuda.so") {
        reporter.line(&Line::Library(path));
    }
    reporter.phase("init", || Ok(result::init()?))?;
    let version = reporter.phase("driver", driver_version)?;
    reporter.line(&Line::CudaVersion(version));
    let uuids = reporter.phase("order", || {
        (0..result::device::get_count()?)
            .map(|ordinal| {
                let device = result::device::get(ordinal)?;
                Ok(uuid_text(result::device::get_uuid(device)?))
            })
            .collect::<Result<Vec<String>, ProbeFailure>>()
    })?;
    reporter.line(&Line::Order(uuids));
    Ok(())
}

fn look_up_functions() -> Result<(), ProbeFailure> {
    // SAFETY: loading a library runs its initialisers. It is the driver's, found where the
    // system's loader finds it, in a process that does nothing else.
    if !unsafe { sys::is_culib_present() } {
        return Err(ProbeFailure::NoLibrary {
            library: if cfg!(windows) {
                "nvcuda.dll"
            } else {
                "libcuda.so.1"
            }
            .to_owned(),
        });
    }
    // SAFETY: as above; that the library can be loaded was seen just now.
    let library = unsafe { sys::culib() };
    for name in FUNCTIONS {
        // SAFETY: the symbol's address is looked at, never called or read through.
        if unsafe { library.get::<*const c_void>(name.as_bytes()) }.is_err() {
            return Err(ProbeFailure::MissingSymbol {
                symbol: (*name).to_owned(),
            });
        }
    }
    Ok(())
}

/// The newest CUDA that the driver knows: 1000 times the major version and 10 times the minor.
fn driver_version() -> Result<i32, ProbeFailure> {
    let mut version = 0;
    // SAFETY: the driver writes one number to the place that it is given.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    Ok(version)
}

/// Whether the driver translates PTX 6.0, which came with CUDA 9.0.
fn new_enough() -> Result<(), ProbeFailure> {
    let version = driver_version()?;
    if version < OLDEST_DRIVER {
        return Err(ProbeFailure::OldDriver { version });
    }
    Ok(())
}

/// The compute capability of a card that the kernel is not for.
fn too_old(card: &CardFacts) -> Option<String> {
    let capability = card.compute_capability.clone()?;
    let major: u32 = capability.split('.').next()?.parse().ok()?;
    (major < OLDEST_CAPABILITY).then_some(capability)
}

/// Tells the visible cards by UUID. Makes no context: a wrong card is not touched.
fn identify(uuids: &[String]) -> Result<Vec<CardFacts>, ProbeFailure> {
    let found = result::device::get_count()?;
    if usize::try_from(found) != Ok(uuids.len()) {
        return Err(ProbeFailure::Count {
            expected: uuids.len(),
            found,
        });
    }
    let mut cards = Vec::new();
    for (ordinal, (index, expected)) in (0..).zip(uuids.iter().enumerate()) {
        let device = result::device::get(ordinal)?;
        let uuid = uuid_text(result::device::get_uuid(device)?);
        if !uuid.eq_ignore_ascii_case(expected) {
            return Err(ProbeFailure::WrongUuid {
                index,
                expected: expected.clone(),
                found: uuid,
            });
        }
        cards.push(facts(device, uuid)?);
    }
    Ok(cards)
}

fn facts(device: sys::CUdevice, uuid: String) -> Result<CardFacts, DriverError> {
    // SAFETY: the device comes from cuDeviceGet.
    let memory = unsafe { result::device::total_mem(device) }?;
    let attribute = |which| {
        // SAFETY: the device comes from cuDeviceGet.
        unsafe { result::device::get_attribute(device, which) }
    };
    let major = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    Ok(CardFacts {
        name: result::device::get_name(device)?,
        uuid,
        pci_bus_id: pci_bus_id(device)?,
        memory_bytes: u64::try_from(memory).ok(),
        compute_capability: Some(format!("{major}.{minor}")),
    })
}

fn pci_bus_id(device: sys::CUdevice) -> Result<String, DriverError> {
    let mut text = [0_u8; 32];
    // SAFETY: the driver writes at most the 32 bytes that are there, with a NUL at the end; the
    // device comes from cuDeviceGet.
    unsafe { sys::cuDeviceGetPCIBusId(text.as_mut_ptr().cast(), 32, device) }.result()?;
    let length = text.iter().position(|byte| *byte == 0).unwrap_or_default();
    Ok(String::from_utf8_lossy(&text[..length]).into_owned())
}

/// `GPU-` and the 16 bytes in five groups, as NVML and `nvidia-smi -L` write it.
fn uuid_text(uuid: sys::CUuuid) -> String {
    let mut text = String::from("GPU");
    for (at, byte) in uuid.bytes.iter().enumerate() {
        if [0, 4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        let _ = write!(text, "{:02x}", byte.cast_unsigned());
    }
    text
}

/// The work on one card.
fn compute(ordinal: usize, reporter: &mut Reporter<'_>) -> Result<(), ProbeFailure> {
    let context = reporter.phase("context", || Ok(CudaContext::new(ordinal)?))?;
    let stream = context.default_stream();
    let function = reporter.phase("module", || {
        let module = context.load_module(Ptx::from_src(include_str!("kernel.ptx")))?;
        Ok(module.load_function("gpuguard_fill")?)
    })?;
    let seed = fastrand::u32(..);
    let filled = reporter.phase("kernel", || fill(&stream, &function, seed))?;
    reporter.phase("compare", || {
        let words = read_back(&stream, &filled)?;
        compare(&words, |word| word.wrapping_mul(MULTIPLIER) ^ seed)
    })?;
    reporter.phase("memory", || patterns(&stream))?;
    reporter.phase("release", || {
        drop((filled, function, stream));
        // cudarc keeps errors of destructors here, since a destructor cannot return them.
        context.check_err()?;
        drop(context);
        Ok(())
    })
}

/// Runs the kernel and waits for it.
fn fill(
    stream: &Arc<CudaStream>,
    function: &CudaFunction,
    seed: u32,
) -> Result<CudaSlice<u32>, ProbeFailure> {
    let mut out = stream.alloc_zeros::<u32>(WORDS as usize)?;
    let mut launch = stream.launch_builder(function);
    launch.arg(&mut out).arg(&WORDS).arg(&seed);
    // SAFETY: `kernel.ptx` takes a pointer, a count and a seed, in this order, and writes only
    // words below the count, which is the length of `out`.
    unsafe { launch.launch(LaunchConfig::for_num_elems(WORDS)) }?;
    wait(stream)?;
    Ok(out)
}

/// Waits until all work given to `stream` is done. Asks instead of blocking in the driver; how
/// long it may take is the parent's affair.
fn wait(stream: &Arc<CudaStream>) -> Result<(), ProbeFailure> {
    let done = stream.record_event(None)?;
    while !done.try_is_complete()? {
        std::thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

/// Copies words from the card.
fn read_back(stream: &Arc<CudaStream>, words: &CudaSlice<u32>) -> Result<Vec<u32>, ProbeFailure> {
    let copy = stream.clone_dtoh(words)?;
    wait(stream)?;
    Ok(copy)
}

/// Holds each of `words` against what it should be.
fn compare(words: &[u32], expected: impl Fn(u32) -> u32) -> Result<(), ProbeFailure> {
    let wrong = (0..)
        .zip(words)
        .find(|(word, found)| **found != expected(*word));
    match wrong {
        None => Ok(()),
        Some((word, found)) => Err(ProbeFailure::WrongResult {
            word: word as usize,
            expected: expected(word),
            found: *found,
        }),
    }
}

/// Fills 16 MiB with each pattern and reads it back.
fn patterns(stream: &Arc<CudaStream>) -> Result<(), ProbeFailure> {
    let mut words = stream.alloc_zeros::<u32>(PATTERN_WORDS)?;
    for byte in PATTERNS {
        {
            let (pointer, _recorded) = words.device_ptr_mut(stream);
            let length = PATTERN_WORDS * size_of::<u32>();
            // SAFETY: the pointer is of an allocation of `length` bytes that lives on, and no
            // byte is an invalid u32.
            unsafe { result::memset_d8_async(pointer, byte, length, stream.cu_stream()) }?;
        }
        let copy = read_back(stream, &words)?;
        let right = [u32::from_ne_bytes([byte; 4]); BLOCK];
        // Whole blocks first: this is most of the check's own work.
        if copy
            .chunks(BLOCK)
            .any(|block| *block != right[..block.len()])
        {
            compare(&copy, |_| right[0])?;
        }
    }
    Ok(())
}

impl From<DriverError> for ProbeFailure {
    fn from(error: DriverError) -> Self {
        // The number only: `Display` and `Debug` of the error call into the driver.
        Self::Cuda {
            code: error.0 as u32,
        }
    }
}
