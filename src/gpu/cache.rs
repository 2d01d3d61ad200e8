//! The last good result of the kernel, in one small file.
//!
//! Only good results are kept. A file that cannot be read, is damaged or of another version is
//! no result, and one that cannot be written costs no more than the next check.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::inventory::{Inventory, InventoryCard};
use crate::policy::Policy;
use crate::sys::clock::Timestamp;
use crate::sys::{environment, file};

/// Name of the file in the folder that the caller gives.
const FILE_NAME: &str = "gpu-check.json";

/// What a result holds for: it counts only where all of this is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CacheKey {
    uuids: Vec<String>,
    driver_version: String,
    program_version: String,
    boot: Option<String>,
    device_order: String,
    visible_devices: String,
}

impl CacheKey {
    /// The key of a check of the `expected` cards, now.
    pub(super) fn new(policy: &Policy, inventory: &Inventory, expected: &[&InventoryCard]) -> Self {
        Self {
            uuids: expected.iter().map(|c| c.facts.uuid.clone()).collect(),
            driver_version: inventory.driver_version.clone(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            boot: environment::boot_id(),
            device_order: policy.environment.device_order.clone(),
            visible_devices: policy.environment.visible_devices.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: CacheKey,
    /// Seconds since 1970.
    checked_at: i64,
}

/// A result that still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cached {
    /// How old it is.
    pub(super) age_seconds: i64,
}

/// The result kept in `folder` for `key`, if it is younger than `limit` at `now`.
pub(super) fn find(
    folder: &Path,
    key: &CacheKey,
    limit: Duration,
    now: Timestamp,
) -> Option<Cached> {
    let content = std::fs::read(path_in(folder)).ok()?;
    let entry: Entry = serde_json::from_slice(&content).ok()?;
    let age_seconds = now.as_second() - entry.checked_at;
    // A result of the future means that the clock was set back: nothing is known of its age.
    let age = Duration::from_secs(u64::try_from(age_seconds).ok()?);
    (entry.key == *key && age < limit).then_some(Cached { age_seconds })
}

/// Keeps a good result.
pub(super) fn keep(folder: &Path, key: CacheKey, now: Timestamp) {
    let entry = Entry {
        key,
        checked_at: now.as_second(),
    };
    if let Ok(content) = serde_json::to_vec(&entry) {
        let _ = file::create_private_folder(folder)
            .and_then(|()| file::write_atomic(&path_in(folder), &content));
    }
}

/// Forgets the result kept in `folder`, so that the next check runs the kernel.
pub fn forget(folder: &Path) {
    let _ = file::remove(&path_in(folder));
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_counts_for_its_key_and_its_time_only() {
        let folder = tempfile::tempdir().unwrap();
        let key = CacheKey {
            uuids: vec!["GPU-1".to_owned()],
            driver_version: "575.64".to_owned(),
            program_version: "0.1.0".to_owned(),
            boot: None,
            device_order: "PCI_BUS_ID".to_owned(),
            visible_devices: "1".to_owned(),
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        let minute = Duration::from_mins(1);
        let found = |key: &CacheKey, second| find(folder.path(), key, minute, at(second));
        assert_eq!(found(&key, 1000), None);
        keep(folder.path(), key.clone(), at(1000));
        assert_eq!(found(&key, 1000), Some(Cached { age_seconds: 0 }));
        assert_eq!(found(&key, 1059), Some(Cached { age_seconds: 59 }));
        assert_eq!(found(&key, 1060), None, "too old");
        assert_eq!(found(&key, 999), None, "of the future");
        let other_driver = CacheKey {
            driver_version: "580.95".to_owned(),
            ..key.clone()
        };
        assert_eq!(found(&other_driver, 1000), None);
        assert_eq!(
            find(folder.path(), &key, Duration::ZERO, at(1000)),
            None,
            "0 minutes check every time"
        );
        forget(folder.path());
        assert_eq!(found(&key, 1000), None);
    }
}
