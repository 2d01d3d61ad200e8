//! When `backup verify` last found a backup whole, or not: `verified.json` in gpuguard's folder.
//! It decides nothing; whatever is restored is verified anew.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{BackupId, Store};
use crate::sys::clock::Timestamp;
use crate::sys::file;

/// So many bytes are read; a line for each backup has less than a hundred.
const LIMIT: u64 = 16 << 20;

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Whether every byte was what had been written.
    pub whole: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: u64,
    backups: BTreeMap<String, Verification>,
}

impl Store {
    fn verified_path(&self) -> PathBuf {
        self.home.join("verified.json")
    }

    /// Notes what was found. What cannot be noted is not known later; nothing else comes of it.
    pub fn note_verified(&self, found: &[(BackupId, bool)], now: Timestamp) {
        let Ok(known) = self.ids() else { return };
        let mut backups = self.verified();
        for (id, whole) in found {
            let at = now.as_second();
            let whole = *whole;
            backups.insert(id.to_string(), Verification { at, whole });
        }
        // Those that are gone need no line.
        let known: HashSet<&str> = known.iter().map(BackupId::as_str).collect();
        backups.retain(|id, _| known.contains(id.as_str()));
        let content = File {
            version: 1,
            backups,
        };
        if let Ok(mut json) = serde_json::to_vec(&content) {
            json.push(b'\n');
            let _ = file::write_atomic(&self.verified_path(), &json);
        }
    }

    /// What was found of which backup the last time that it was verified.
    pub fn verified(&self) -> BTreeMap<String, Verification> {
        let json = file::read_at_most(&self.verified_path(), LIMIT).unwrap_or_default();
        match serde_json::from_slice::<File>(&json) {
            Ok(file) if file.version == 1 => file.backups,
            _ => BTreeMap::new(),
        }
    }
}
