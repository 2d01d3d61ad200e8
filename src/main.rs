//! The `gpuguard` program: words in, exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    gpuguard::cli::main()
}
