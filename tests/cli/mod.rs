//! One file for each command, as in `src/cli/`.

mod backup;
mod backup_versions;
mod rollback;
mod rollback_bytes;
mod rollback_refused;
mod schema;
