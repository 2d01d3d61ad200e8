//! A stand-in for `libcuda.so.1`: the functions that gpuguard's check calls, on the CPU.
//!
//! Two cards. Its default device order is the reverse of the PCI order, and it obeys
//! `CUDA_DEVICE_ORDER` and `CUDA_VISIBLE_DEVICES` as the driver does. It exports exactly what
//! the check needs, so that a call of anything else shows in the tests.
#![expect(
    clippy::disallowed_methods,
    reason = "a driver reads its environment itself"
)]
#![expect(
    clippy::missing_safety_doc,
    reason = "cuda.h says how to call a driver"
)]

#[path = "../../machine.rs"]
mod machine;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use machine::{Card, Knobs, MINOR_OF_RANK_0, put_text, uuid_text};

const KNOBS: Knobs = Knobs::of("CUDA");

const INVALID_VALUE: u32 = 1;
const NO_DEVICE: u32 = 100;
const INVALID_DEVICE: u32 = 101;
const INVALID_PTX: u32 = 218;
const NOT_FOUND: u32 = 500;
const NOT_READY: u32 = 600;

/// The cards that the environment shows, read once, by `cuInit`.
static VISIBLE: Mutex<Option<Vec<Card>>> = Mutex::new(None);
/// The memory of all cards.
static MEMORY: Mutex<Option<BTreeMap<u64, Box<[u8]>>>> = Mutex::new(None);
static CURRENT_CONTEXT: AtomicUsize = AtomicUsize::new(0);
/// Whether `turn` has run.
static TURNED: AtomicBool = AtomicBool::new(false);
/// How often an event was asked about: the first answer is "not ready".
static QUERIES: AtomicU64 = AtomicU64::new(0);

/// A driver function: the knobs first, then its body, which gives a `CUresult` other than 0 as
/// an error.
macro_rules! driver {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> c_uint {
            let run = || -> Result<(), u32> {
                KNOBS.enter(stringify!($name))?;
                // SAFETY: gpuguard calls this as cuda.h says.
                #[allow(unused_unsafe)]
                unsafe { $body }
            };
            run().err().unwrap_or(0)
        }
    )*};
}

driver! {
    fn cuInit(_flags: c_uint) {
        let mut visible = VISIBLE.lock().unwrap();
        let cards = visible.get_or_insert_with(visible_cards);
        if cards.is_empty() { Err(NO_DEVICE) } else { Ok(()) }
    }

    fn cuDriverGetVersion(version: *mut c_int) {
        *version = KNOBS.get("VERSION").and_then(|text| text.parse().ok()).unwrap_or(12_090);
        Ok(())
    }

    fn cuDeviceGetCount(count: *mut c_int) {
        let cards = VISIBLE.lock().unwrap();
        *count = cards.as_ref().map_or(0, Vec::len) as c_int;
        Ok(())
    }

    fn cuDeviceGet(device: *mut c_int, ordinal: c_int) {
        with_card(ordinal, |_| ())?;
        *device = ordinal;
        Ok(())
    }

    fn cuDeviceGetName(name: *mut c_char, room: c_int, device: c_int) {
        with_card(device, |card| put_text(name, room as usize, card.name))
    }

    fn cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) {
        with_card(device, |card| *uuid = card.uuid)
    }

    fn cuDeviceGetPCIBusId(text: *mut c_char, room: c_int, device: c_int) {
        with_card(device, |card| {
            put_text(text, room as usize, &format!("0000:{:02x}:00.0", card.pci_bus));
        })
    }

    fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) {
        with_card(device, |card| *bytes = card.memory as usize)
    }

    fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_uint, device: c_int) {
        let (major, minor) = with_card(device, |card| card.capability)?;
        *value = match attribute {
            75 => major,
            76 => minor,
            // Memory pools: then cudarc allocates with cuMemAllocAsync.
            115 => c_int::from(KNOBS.get("POOLS").as_deref() != Some("0")),
            _ => return Err(INVALID_VALUE),
        };
        Ok(())
    }

    fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, device: c_int) {
        let uuid = with_card(device, |card| uuid_text(&card.uuid))?;
        KNOBS.write_down(&format!("context on {uuid}"));
        *context = std::ptr::without_provenance_mut(device as usize + 1);
        Ok(())
    }

    fn cuDevicePrimaryCtxRelease_v2(_device: c_int) { Ok(()) }

    fn cuCtxGetCurrent(context: *mut *mut c_void) {
        *context = std::ptr::without_provenance_mut(CURRENT_CONTEXT.load(Ordering::SeqCst));
        Ok(())
    }

    fn cuCtxSetCurrent(context: *mut c_void) {
        CURRENT_CONTEXT.store(context.addr(), Ordering::SeqCst);
        Ok(())
    }

    fn cuModuleLoadData(module: *mut *mut c_void, image: *const c_char) {
        let text = CStr::from_ptr(image).to_string_lossy();
        if !text.contains(".entry gpuguard_fill(") && !text.contains(".entry gpuguard_turn(") {
            return Err(INVALID_PTX);
        }
        *module = std::ptr::without_provenance_mut(0x10);
        Ok(())
    }

    fn cuModuleGetFunction(function: *mut *mut c_void, _module: *mut c_void, name: *const c_char) {
        let name = CStr::from_ptr(name).to_string_lossy();
        let place = KERNELS.iter().position(|(known, _)| *known == name).ok_or(NOT_FOUND)?;
        *function = std::ptr::without_provenance_mut(0x20 + place);
        Ok(())
    }

    fn cuModuleUnload(_module: *mut c_void) { Ok(()) }

    fn cuMemAlloc_v2(address: *mut u64, bytes: usize) {
        *address = allocate(bytes);
        Ok(())
    }

    fn cuMemAllocAsync(address: *mut u64, bytes: usize, _stream: *mut c_void) {
        *address = allocate(bytes);
        Ok(())
    }

    fn cuMemFree_v2(address: u64) { free(address) }

    fn cuMemFreeAsync(address: u64, _stream: *mut c_void) { free(address) }

    fn cuMemsetD8Async(address: u64, byte: u8, bytes: usize, _stream: *mut c_void) {
        with_memory(address, |memory| memory[..bytes].fill(byte))?;
        if byte == 0x55 && KNOBS.get("CORRUPT").as_deref() == Some("memory") {
            // One bit that cannot be cleared.
            with_memory(address, |memory| memory[bytes - 1] |= 0x80)?;
        }
        Ok(())
    }

    fn cuMemcpyDtoHAsync_v2(to: *mut u8, address: u64, bytes: usize, _stream: *mut c_void) {
        with_memory(address, |memory| {
            std::ptr::copy_nonoverlapping(memory.as_ptr(), to, bytes);
        })
    }

    fn cuLaunchKernel(
        function: *mut c_void,
        blocks: c_uint,
        _blocks_y: c_uint,
        _blocks_z: c_uint,
        threads: c_uint,
        _threads_y: c_uint,
        _threads_z: c_uint,
        _shared: c_uint,
        _stream: *mut c_void,
        parameters: *mut *mut c_void,
        _extra: *mut *mut c_void,
    ) {
        let (_, kernel) = KERNELS.get(function.addr().wrapping_sub(0x20)).ok_or(NOT_FOUND)?;
        kernel(parameters, blocks * threads)
    }

    fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) {
        // So little, since the memory of this card is the machine's.
        let mib = KNOBS.get("FREE_MIB").and_then(|text| text.parse::<usize>().ok());
        *free = mib.unwrap_or(64) << 20;
        *total = *free;
        Ok(())
    }

    fn cuEventCreate(event: *mut *mut c_void, _flags: c_uint) {
        *event = std::ptr::without_provenance_mut(0x30);
        Ok(())
    }

    fn cuEventRecord(_event: *mut c_void, _stream: *mut c_void) {
        QUERIES.store(0, Ordering::SeqCst);
        Ok(())
    }

    fn cuEventQuery(_event: *mut c_void) {
        if QUERIES.fetch_add(1, Ordering::SeqCst) == 0 { Err(NOT_READY) } else { Ok(()) }
    }

    fn cuEventDestroy_v2(_event: *mut c_void) { Ok(()) }

    fn cuStreamSynchronize(_stream: *mut c_void) { Ok(()) }
}

type Kernel = unsafe fn(*mut *mut c_void, u32) -> Result<(), u32>;

/// The kernels of kernel.ptx and soak.ptx, with the number of threads behind the parameters.
const KERNELS: [(&str, Kernel); 4] = [
    ("gpuguard_fill", fill),
    ("gpuguard_write", write),
    ("gpuguard_verify", verify),
    ("gpuguard_turn", turn),
];

/// Whether the knob `CORRUPT` says so.
fn corrupts(what: &str) -> bool {
    KNOBS.get("CORRUPT").as_deref() == Some(what)
}

/// A parameter of a kernel.
///
/// # Safety
/// There are so many, and this one is a `T`.
unsafe fn parameter<T: Copy>(parameters: *mut *mut c_void, place: usize) -> T {
    // SAFETY: the caller's promise.
    unsafe { *(*parameters.add(place)).cast::<T>() }
}

fn each_word(address: u64, count: u32, work: impl Fn(u32, u32) -> u32) -> Result<(), u32> {
    with_memory(address, |memory| {
        for (index, word) in (0..count).zip(memory.chunks_exact_mut(4)) {
            let old = u32::from_ne_bytes(word.try_into().unwrap());
            word.copy_from_slice(&work(index, old).to_ne_bytes());
        }
    })
}

/// A pointer, a count, a seed.
unsafe fn fill(parameters: *mut *mut c_void, threads: u32) -> Result<(), u32> {
    // SAFETY: gpuguard launches it like this.
    let (address, count, seed): (u64, u32, u32) = unsafe {
        (
            parameter(parameters, 0),
            parameter(parameters, 1),
            parameter(parameters, 2),
        )
    };
    let corrupt = corrupts("kernel");
    each_word(address, count.min(threads), |index, _| {
        let word = index.wrapping_mul(2_654_435_761) ^ seed;
        if corrupt && index == 777_777 {
            word ^ 1 << 13
        } else {
            word
        }
    })
}

/// A pointer, a count, a multiplier, a value.
unsafe fn write(parameters: *mut *mut c_void, threads: u32) -> Result<(), u32> {
    // SAFETY: gpuguard launches it like this.
    let (address, count, multiplier, value): (u64, u32, u32, u32) = unsafe {
        (
            parameter(parameters, 0),
            parameter(parameters, 1),
            parameter(parameters, 2),
            parameter(parameters, 3),
        )
    };
    // A bit that cannot be set to 1.
    let corrupt = corrupts("cell");
    each_word(address, count.min(threads), |index, _| {
        let word = index.wrapping_mul(multiplier) ^ value;
        if corrupt && index == 4242 && word == 0xaaaa_aaaa {
            word & !0x80
        } else {
            word
        }
    })
}

/// A pointer, a count, a multiplier, a value, a pointer to two words for what is wrong.
unsafe fn verify(parameters: *mut *mut c_void, threads: u32) -> Result<(), u32> {
    // SAFETY: gpuguard launches it like this.
    let (address, count, multiplier, value, found): (u64, u32, u32, u32, u64) = unsafe {
        (
            parameter(parameters, 0),
            parameter(parameters, 1),
            parameter(parameters, 2),
            parameter(parameters, 3),
            parameter(parameters, 4),
        )
    };
    if corrupts("verify") {
        return Ok(());
    }
    let (mut wrong, mut last) = (0, 0);
    with_memory(address, |memory| {
        for (index, word) in (0..count.min(threads)).zip(memory.chunks_exact(4)) {
            if u32::from_ne_bytes(word.try_into().unwrap())
                != index.wrapping_mul(multiplier) ^ value
            {
                (wrong, last) = (wrong + 1, index + 1);
            }
        }
    })?;
    each_word(found, 2, |place, old| {
        if place == 0 {
            old + wrong
        } else {
            old.max(last)
        }
    })
}

/// A pointer, a count, a number of steps.
unsafe fn turn(parameters: *mut *mut c_void, threads: u32) -> Result<(), u32> {
    // SAFETY: gpuguard launches it like this.
    let (address, count, steps): (u64, u32, u32) = unsafe {
        (
            parameter(parameters, 0),
            parameter(parameters, 1),
            parameter(parameters, 2),
        )
    };
    // All steps at once: x * a + b stays of that form.
    let (mut a, mut b) = (1_u32, 0_u32);
    for _ in 0..steps {
        a = a.wrapping_mul(1_664_525);
        b = b.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    }
    // Once: a fault that came each time could undo itself.
    let corrupt = corrupts("turn") && !TURNED.swap(true, Ordering::SeqCst);
    each_word(address, count.min(threads), |index, old| {
        let word = old.wrapping_mul(a).wrapping_add(b);
        if corrupt && index == 777_777 {
            word ^ 1 << 13
        } else {
            word
        }
    })
}

fn with_card<T>(device: c_int, look: impl FnOnce(&Card) -> T) -> Result<T, u32> {
    let cards = VISIBLE.lock().unwrap();
    let card = usize::try_from(device)
        .ok()
        .and_then(|device| cards.as_ref()?.get(device));
    card.map(look).ok_or(INVALID_DEVICE)
}

fn with_memory(address: u64, work: impl FnOnce(&mut [u8])) -> Result<(), u32> {
    let mut memory = MEMORY.lock().unwrap();
    // The address may be inside of a block.
    let block = memory
        .as_mut()
        .and_then(|all| all.range_mut(..=address).next_back())
        .and_then(|(start, block)| block.get_mut((address - start) as usize..))
        .filter(|block| !block.is_empty());
    block.map(work).ok_or(INVALID_VALUE)
}

fn allocate(bytes: usize) -> u64 {
    // Not zero, so that a kernel that did not run is noticed.
    let block = vec![0xcd; bytes].into_boxed_slice();
    let address = block.as_ptr().addr() as u64;
    let mut memory = MEMORY.lock().unwrap();
    memory.get_or_insert_default().insert(address, block);
    address
}

fn free(address: u64) -> Result<(), u32> {
    let mut memory = MEMORY.lock().unwrap();
    let block = memory.as_mut().and_then(|all| all.remove(&address));
    block.map(drop).ok_or(INVALID_VALUE)
}

/// What `CUDA_DEVICE_ORDER` and `CUDA_VISIBLE_DEVICES` leave of the machine's cards.
fn visible_cards() -> Vec<Card> {
    let mut cards = KNOBS.cards();
    let all = cards.len();
    // The driver leaves out the cards whose device file this process may not open.
    let mut rank = 0;
    cards.retain(|_| {
        rank += 1;
        let opened = std::fs::File::open(format!("/dev/nvidia{}", MINOR_OF_RANK_0 + rank - 1));
        !opened.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    });
    if cards.len() < all && KNOBS.get("ALL_OR_NONE").is_some() {
        return Vec::new();
    }
    if std::env::var("CUDA_DEVICE_ORDER").as_deref() != Ok("PCI_BUS_ID") {
        cards.reverse();
    }
    let Ok(mask) = std::env::var("CUDA_VISIBLE_DEVICES") else {
        return cards;
    };
    let mut chosen = Vec::new();
    for entry in mask.split(',') {
        let place = if entry.starts_with("GPU-") {
            cards
                .iter()
                .position(|card| uuid_text(&card.uuid).starts_with(entry))
        } else {
            entry
                .trim()
                .parse()
                .ok()
                .filter(|index| *index < cards.len())
        };
        let Some(place) = place else { break };
        if chosen.contains(&place) {
            return Vec::new();
        }
        chosen.push(place);
    }
    let mut cards: Vec<Option<Card>> = cards.into_iter().map(Some).collect();
    chosen
        .into_iter()
        .filter_map(|place| cards[place].take())
        .collect()
}
