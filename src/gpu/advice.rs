//! What a failure means, and what to do next: one row for each.

use super::cuda_code::code;
use super::health::{Health, more_than_before};
use super::identity::IdentityMismatch;
use super::inventory::InventoryCard;
use super::probe::Trouble;
use super::protocol::{NvmlTrouble, ProbeFailure};
use super::verdict::CardStatus;

/// Words for a person.
pub(super) struct Advice {
    /// What happened.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: Option<String>,
}

impl Advice {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

/// The policy's card is not the machine's.
pub(super) fn for_mismatch(mismatch: &IdentityMismatch) -> Advice {
    Advice::new(
        mismatch.to_string(),
        "`gpuguard gpu list` shows the cards of this machine; correct `[[card]]` in gpuguard.toml if they changed",
    )
}

/// An administrator lets nobody use the card.
pub(super) fn prohibited(card: &InventoryCard) -> Advice {
    Advice::new(
        format!(
            "{} lets no program compute (compute mode `prohibited`); it was not checked",
            card.facts.name
        ),
        format!(
            "`sudo nvidia-smi -i {} -c DEFAULT` opens it again",
            card.facts.uuid
        ),
    )
}

/// The policy's environment shows fewer cards.
pub(super) fn no_such_ordinal(ordinal: usize, cards: usize) -> Advice {
    Advice::new(
        format!("the policy's environment shows {cards} card(s): there is no `cuda:{ordinal}`"),
        "`--card` counts from 0, as code does behind the mask",
    )
}

/// Other programs have filled the card.
pub(super) fn full(card: &InventoryCard, free: u64) -> Advice {
    Advice::new(
        format!(
            "{} has {} MiB of memory free, too little for the check; it was not checked",
            card.facts.name,
            free >> 20
        ),
        "`nvidia-smi` shows which programs use its memory",
    )
}

/// The card's memory has errors.
pub(super) fn ecc_errors(health: &Health, errors: u64) -> Advice {
    Advice::new(
        format!(
            "the memory of {} had {errors} error(s) that could not be corrected",
            health.uuid
        ),
        "restart the machine, so that the driver retires the damaged rows; if more come, the card has to be replaced",
    )
}

/// What is worth knowing of a card after the check, and decides nothing.
pub(super) fn notes_on(name: &str, before: Option<u64>, health: &Health) -> Vec<String> {
    let mut notes = Vec::new();
    let reasons = health.bad_reasons().join(", ");
    if !reasons.is_empty() {
        let heat = health
            .temperature_celsius
            .map_or_else(String::new, |celsius| format!(" at {celsius} °C"));
        notes.push(format!(
            "{name} is slowed down{heat} ({reasons}): look at its cooling and its power supply"
        ));
    }
    if let Some(more) = more_than_before(before, health) {
        notes.push(format!(
            "{} MiB more are in use on {name} than before the check: another program came, or the driver did not give them back",
            more >> 20
        ));
    }
    notes
}

/// The status that follows from a child's trouble, and the words for it.
pub(super) fn for_trouble(trouble: &Trouble) -> (CardStatus, Advice) {
    let message = trouble.to_string();
    match trouble {
        Trouble::NotStarted(error) => (
            CardStatus::Unhealthy,
            Advice::new(
                format!("{message}: {error}"),
                "run it again; if it stays, install gpuguard again",
            ),
        ),
        Trouble::TimedOut { .. } => (
            CardStatus::Timeout,
            Advice::new(
                message,
                "`nvidia-smi` shows whether the driver answers at all; a card that wakes up slowly needs a longer `deadline-ms` under `[gpu-check]`",
            ),
        ),
        Trouble::Ended { .. } => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "look for `NVRM` and `Xid` in the kernel's log (`sudo dmesg`), then install the driver again",
            ),
        ),
        Trouble::Failed { failure, .. } => for_failure(failure),
    }
}

fn for_failure(failure: &ProbeFailure) -> (CardStatus, Advice) {
    let message = failure.to_string();
    match failure {
        ProbeFailure::NoLibrary { .. } => (
            CardStatus::NoDriver,
            Advice::new(
                message,
                "install NVIDIA's driver; a container needs `--gpus` and the capabilities `compute,utility`",
            ),
        ),
        ProbeFailure::SearchNotRestricted => (
            CardStatus::NoDriver,
            Advice::new(message, "Windows 8 or newer is needed for the check"),
        ),
        ProbeFailure::MissingSymbol { .. } => (
            CardStatus::NoDriver,
            Advice::new(
                format!("{message}: it is too old or incomplete for the check"),
                "update NVIDIA's driver (at least R470); an old `libcuda` on LD_LIBRARY_PATH may hide it",
            ),
        ),
        ProbeFailure::OldDriver { .. } => (
            CardStatus::NoDriver,
            Advice::new(
                message,
                "update NVIDIA's driver: the check needs CUDA 9.0 (R384) at least",
            ),
        ),
        ProbeFailure::OldCard { .. } => (
            CardStatus::NoDriver,
            Advice::new(
                message,
                "the card is older than Maxwell: it was not checked",
            ),
        ),
        ProbeFailure::Nvml { kind, .. } => for_nvml(*kind, message),
        ProbeFailure::Cuda { code } => for_cuda(*code, message),
        ProbeFailure::Count { .. } | ProbeFailure::WrongUuid { .. } => (
            CardStatus::WrongCard,
            Advice::new(
                message,
                "no context was made on it; `gpuguard gpu list` shows the cards, and the right CUDA_VISIBLE_DEVICES goes under `[environment]` in gpuguard.toml",
            ),
        ),
        ProbeFailure::WrongResult { .. }
        | ProbeFailure::WrongMemory { .. }
        | ProbeFailure::Blind => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "trust no result of this card: undo overclocking, check power and cooling, and test its memory",
            ),
        ),
    }
}

fn for_nvml(kind: NvmlTrouble, message: String) -> (CardStatus, Advice) {
    match kind {
        NvmlTrouble::NotLoaded => (
            CardStatus::NoDriver,
            Advice::new(
                message,
                "load the driver's kernel module (`sudo modprobe nvidia`); after a kernel update it may have to be built again",
            ),
        ),
        NvmlTrouble::VersionMismatch => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "the driver was updated under the running system: restart the machine",
            ),
        ),
        NvmlTrouble::Lost => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "restart the machine; if it happens again, check the card's power and seat",
            ),
        ),
        NvmlTrouble::NoPermission => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "this user may not open /dev/nvidia*: join the group that owns it (often `video` or `render`)",
            ),
        ),
        NvmlTrouble::Other => (
            CardStatus::Unhealthy,
            Advice::new(
                message,
                "`nvidia-smi` shows whether the driver works at all",
            ),
        ),
    }
}

fn for_cuda(number: u32, message: String) -> (CardStatus, Advice) {
    let (status, hint) = match number {
        code::OUT_OF_MEMORY => (
            CardStatus::Busy,
            "the card's memory is in use, so it was not checked; `nvidia-smi` shows by whom",
        ),
        code::DEVICE_UNAVAILABLE => (
            CardStatus::Busy,
            "another process has the card for itself (compute mode `exclusive`), so it was not checked; `nvidia-smi` shows which",
        ),
        code::NO_DEVICE | code::INVALID_DEVICE => (
            CardStatus::WrongCard,
            "NVML lists the card, but the policy's environment shows CUDA none: is it hidden by a container, or CUDA_VISIBLE_DEVICES under `[environment]` wrong?",
        ),
        code::STUB_LIBRARY => (
            CardStatus::Unhealthy,
            "a toolkit's `stubs/libcuda.so` is found before the driver: take the `stubs` folder off LD_LIBRARY_PATH",
        ),
        code::NO_BINARY_FOR_GPU
        | code::INVALID_PTX
        | code::UNSUPPORTED_PTX_VERSION
        | code::JIT_COMPILATION_DISABLED => (
            CardStatus::NoDriver,
            "this driver cannot translate the check's kernel: update it (at least R384)",
        ),
        code::SYSTEM_NOT_READY => (
            CardStatus::Unhealthy,
            "the system's GPU services are not up yet (`nvidia-fabricmanager`): try again, then restart them",
        ),
        code::SYSTEM_DRIVER_MISMATCH | code::COMPAT_NOT_SUPPORTED => (
            CardStatus::Unhealthy,
            "library and kernel driver are of different versions: restart the machine after an update; take a `compat` folder off LD_LIBRARY_PATH",
        ),
        code::UNKNOWN => (
            CardStatus::Unhealthy,
            "after a suspend this needs `sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm`, or a restart",
        ),
        _ => (
            CardStatus::Unhealthy,
            "look for `NVRM` and `Xid` in the kernel's log (`sudo dmesg`)",
        ),
    };
    (status, Advice::new(message, hint))
}
