//! The one integration test binary: the real `gpuguard` on real Git repositories in temporary
//! folders. No network, no sleep, nothing of the machine's Git configuration.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs and write files themselves"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(unreachable_pub, reason = "the one binary has no outside")]

mod architecture;
mod cli;
mod docs;
mod formats_page;
mod git_readers;
#[cfg(unix)]
mod install_script;
mod languages;
mod mission;
mod readme;
mod support;
