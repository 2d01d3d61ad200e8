//! One file for each command, as in `src/cli/`.

mod gpu;
mod schema;
