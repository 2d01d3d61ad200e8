//! Any bytes as files whose statements are lines: the first byte chooses which, the others are the file.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::promise::Family;
use libfuzzer_sys::fuzz_target;

static FAMILY: LazyLock<Family> =
    LazyLock::new(|| Family::new(&[".env", "Dockerfile", "Makefile", "justfile"]));

fuzz_target!(|data: &[u8]| FAMILY.hold(data));
