//! One file for each command, as in `src/cli/`.

mod hook;
mod init;
#[cfg(unix)]
mod install;
mod policy_file;
mod gpu;
mod schema;
