//! The driver's error numbers (`CUresult` of cuda.h) by name.
//!
//! A table of our own: the driver's `cuGetErrorString` may be missing from an odd library, and
//! cudarc's `Display` of an error calls it, which then ends the process.

/// `CUresult` numbers that lead to an answer of their own.
pub(super) mod code {
    pub(in crate::gpu) const OUT_OF_MEMORY: u32 = 2;
    pub(in crate::gpu) const STUB_LIBRARY: u32 = 34;
    pub(in crate::gpu) const DEVICE_UNAVAILABLE: u32 = 46;
    pub(in crate::gpu) const NO_DEVICE: u32 = 100;
    pub(in crate::gpu) const INVALID_DEVICE: u32 = 101;
    pub(in crate::gpu) const NO_BINARY_FOR_GPU: u32 = 209;
    pub(in crate::gpu) const INVALID_PTX: u32 = 218;
    pub(in crate::gpu) const UNSUPPORTED_PTX_VERSION: u32 = 222;
    pub(in crate::gpu) const JIT_COMPILATION_DISABLED: u32 = 223;
    pub(in crate::gpu) const SYSTEM_NOT_READY: u32 = 802;
    pub(in crate::gpu) const SYSTEM_DRIVER_MISMATCH: u32 = 803;
    pub(in crate::gpu) const COMPAT_NOT_SUPPORTED: u32 = 804;
    pub(in crate::gpu) const UNKNOWN: u32 = 999;
}

/// Name and number, such as `CUDA_ERROR_OUT_OF_MEMORY (2)`.
pub(super) fn describe(number: u32) -> String {
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("CUDA_ERROR_{name} ({number})"),
        None => format!("error {number}"),
    }
}

const NAMES: &[(u32, &str)] = &[
    (1, "INVALID_VALUE"),
    (code::OUT_OF_MEMORY, "OUT_OF_MEMORY"),
    (3, "NOT_INITIALIZED"),
    (4, "DEINITIALIZED"),
    (code::STUB_LIBRARY, "STUB_LIBRARY"),
    (code::DEVICE_UNAVAILABLE, "DEVICE_UNAVAILABLE"),
    (code::NO_DEVICE, "NO_DEVICE"),
    (code::INVALID_DEVICE, "INVALID_DEVICE"),
    (200, "INVALID_IMAGE"),
    (201, "INVALID_CONTEXT"),
    (code::NO_BINARY_FOR_GPU, "NO_BINARY_FOR_GPU"),
    (214, "ECC_UNCORRECTABLE"),
    (code::INVALID_PTX, "INVALID_PTX"),
    (220, "NVLINK_UNCORRECTABLE"),
    (221, "JIT_COMPILER_NOT_FOUND"),
    (code::UNSUPPORTED_PTX_VERSION, "UNSUPPORTED_PTX_VERSION"),
    (code::JIT_COMPILATION_DISABLED, "JIT_COMPILATION_DISABLED"),
    (304, "OPERATING_SYSTEM"),
    (400, "INVALID_HANDLE"),
    (401, "ILLEGAL_STATE"),
    (500, "NOT_FOUND"),
    (600, "NOT_READY"),
    (700, "ILLEGAL_ADDRESS"),
    (701, "LAUNCH_OUT_OF_RESOURCES"),
    (702, "LAUNCH_TIMEOUT"),
    (709, "CONTEXT_IS_DESTROYED"),
    (714, "HARDWARE_STACK_ERROR"),
    (715, "ILLEGAL_INSTRUCTION"),
    (718, "INVALID_PC"),
    (719, "LAUNCH_FAILED"),
    (800, "NOT_PERMITTED"),
    (801, "NOT_SUPPORTED"),
    (code::SYSTEM_NOT_READY, "SYSTEM_NOT_READY"),
    (code::SYSTEM_DRIVER_MISMATCH, "SYSTEM_DRIVER_MISMATCH"),
    (code::COMPAT_NOT_SUPPORTED, "COMPAT_NOT_SUPPORTED_ON_DEVICE"),
    (code::UNKNOWN, "UNKNOWN"),
];
