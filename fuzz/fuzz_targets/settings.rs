//! Any bytes as files of settings: the first byte chooses which, the others are the file.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::promise::Family;
use libfuzzer_sys::fuzz_target;

static FAMILY: LazyLock<Family> = LazyLock::new(|| {
    Family::new(&[
        "a.yaml",
        "compose.yaml",
        "a.json",
        "a.toml",
        "a.ini",
        "a.service",
        "x.run.xml",
        "launch.json",
    ])
});

fuzz_target!(|data: &[u8]| FAMILY.hold(data));
