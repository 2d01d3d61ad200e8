//! One file for each command, as in `src/cli/`.

#[cfg(unix)]
mod install;
mod schema;
