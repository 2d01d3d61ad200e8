//! One file for each command, as in `src/cli/`.

mod gpu;
mod hook;
mod init;
#[cfg(unix)]
mod install;
mod policy_file;
mod rule;
mod scan;
mod schema;
