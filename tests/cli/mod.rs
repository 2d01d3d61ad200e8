//! One file for each command, as in `src/cli/`.

mod rule;
mod scan;
mod schema;
