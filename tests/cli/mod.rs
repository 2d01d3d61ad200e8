//! One file for each command, as in `src/cli/`.

mod backup;
mod backup_at_once;
mod backup_create;
mod backup_diff;
mod backup_prune;
mod backup_same;
mod backup_store;
mod backup_verdict;
mod backup_versions;
mod completions;
#[cfg(target_os = "linux")]
mod doctor;
mod doctor_gates;
mod doctor_hook_files;
mod faults;
mod fix;
mod fix_interrupted;
mod git_situations;
mod git_support;
mod gpu;
mod help;
mod hints;
mod hook;
#[cfg(target_os = "linux")]
mod hook_card;
mod hook_framework;
mod hook_gates;
mod hook_index;
mod init;
#[cfg(unix)]
mod install;
mod next_step;
mod notebook;
mod policy_below_on_disk;
mod policy_below_only;
mod policy_file;
mod policy_gone;
mod policy_origin;
mod policy_tree;
mod policy_weakened;
mod report;
mod rollback;
mod rollback_bytes;
mod rollback_continue;
mod rollback_random;
mod rollback_refused;
mod rollback_since;
mod rollback_special;
mod rollback_targets;
mod rollback_undo;
mod rule;
#[cfg(target_os = "linux")]
mod run;
mod scan;
mod scan_formats;
mod scan_merge;
mod scan_range;
mod scan_stdin;
mod scan_suppressed;
mod scan_unjudged;
mod schema;
#[cfg(target_os = "linux")]
pub(crate) mod screen;
#[cfg(windows)]
mod windows;
