//! Any bytes as the archive of a backup, with the right sum beside them.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::backups::Store;
use libfuzzer_sys::fuzz_target;

static STORE: LazyLock<Store> = LazyLock::new(Store::new);

fuzz_target!(|data: &[u8]| STORE.hold(data));
