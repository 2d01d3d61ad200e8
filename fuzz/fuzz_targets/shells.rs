//! Any bytes as scripts of the shells: the first byte chooses which, the others are the file.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::promise::Family;
use libfuzzer_sys::fuzz_target;

static FAMILY: LazyLock<Family> =
    LazyLock::new(|| Family::new(&["a.sh", "a.fish", "a.ps1", "a.bat"]));

fuzz_target!(|data: &[u8]| FAMILY.hold(data));
