//! Reads code into facts ("this span selects device 1"), judges them against the policy.
//!
//! Pure: bytes and a policy in, findings out. Knows nothing of Git, backups or GPUs.

mod finding;

pub use finding::{FileScan, Finding, Fingerprint, Reading, SkipReason};
