//! The one integration test binary: the real `gpuguard` on real Git repositories in temporary
//! folders. No network, no sleep, nothing of the machine's Git configuration.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs and write files themselves"
)]
#![expect(missing_docs, reason = "tests document themselves")]

mod cli;
mod languages;
mod support;
