//! `gpuguard __enforce`: closes device files to itself and becomes another program; started by
//! `gpuguard run --enforce` only. A process of its own, since what it does cannot be undone.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Failure, Screen};
use crate::sys::foreground::{Foreground, exit_code_not_started};
use crate::sys::{confine, environment};

/// The hidden command's name.
pub(super) const COMMAND: &str = "__enforce";

/// The option that names a file.
pub(super) const HIDE: &str = "--hide";

/// Become a program that cannot open some files; gpuguard starts this itself
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// A file that it cannot open
    #[arg(long, required = true, value_name = "FILE")]
    hide: Vec<PathBuf>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(arguments: Arguments, screen: &Screen) -> ExitCode {
    if let Err(error) = confine::never_open(&arguments.hide) {
        screen.failure(&Failure::of(&error).note("the program was not started"));
        return ExitCode::from(2);
    }
    let mut words = arguments.command.into_iter();
    let program = Foreground {
        file: words.next().unwrap_or_default().into(),
        arguments: words.collect(),
        environment: environment::all().collect(),
    };
    let error = program.become_it();
    screen.failure(&not_started(&program, &error));
    ExitCode::from(exit_code_not_started(&error))
}

/// A program that cannot be started.
pub(super) fn not_started(program: &Foreground, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be started", program.file.display())).because(error)
}
