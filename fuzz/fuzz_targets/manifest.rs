//! Any bytes as the manifest of a backup, in an archive that is otherwise right. The first byte
//! chooses whether they are the whole manifest, its entries, or what refers to another archive.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::backups::Store;
use libfuzzer_sys::fuzz_target;

static STORE: LazyLock<Store> = LazyLock::new(Store::new);

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => STORE.hold_manifest(rest),
        1 => STORE.hold_manifest(&STORE.manifest_with(rest)),
        _ => STORE.hold_reference(rest),
    }
});
