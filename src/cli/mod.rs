//! Words in, exit code out: one file for each command, with its arguments and its `run`.

mod backup;
mod backup_create;
mod backup_diff;
mod backup_list;
mod backup_prune;
mod backup_verify;
mod completions;
mod doctor;
mod enforce;
mod failure;
mod fix;
mod gpu;
mod gpu_env;
mod gpu_list;
mod gpu_soak;
mod hook;
mod init;
mod install;
mod man;
mod paths;
mod policy;
mod policy_explain;
mod policy_show;
mod probe;
mod progress;
mod report;
mod rollback;
mod rule;
mod run;
mod run_report;
mod scan;
mod schema;
mod screen;
mod suggest;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub(crate) use failure::Failure;
pub(crate) use screen::Screen;

use crate::outcome::Answer;
use crate::sys::interrupt;
use crate::sys::terminal::ColorChoice;
use crate::text::printable;

/// What a newcomer types.
const FIRST_STEPS: &str = "First steps:\n  \
    gpuguard init         write the policy: which cards the code may use\n  \
    gpuguard install      have each commit checked\n  \
    gpuguard scan .       look at the code that is there\n  \
    gpuguard doctor       see whether all of it works\n\n\
    Examples of each command: gpuguard help COMMAND";

/// What everybody needs to know once.
const MORE: &str = "Exit codes:\n  \
    0 fine; 1 the answer is no (violations, a damaged backup, the wrong card);\n  \
    2 it could not be done. A hook refuses on anything but 0.\n\n\
    Files:\n  \
    gpuguard.toml                       the nearest one, up to the root of the repository\n  \
    ~/.config/gpuguard/gpuguard.toml    your own: cards of this machine\n  \
    `gpuguard policy show` says who says what.\n\n\
    Variables:\n  \
    GPUGUARD=0, SKIP=gpuguard           skip the hook\n  \
    GPUGUARD_BACKUP_STORE               where backups lie, before what the policy says\n  \
    GPUGUARD_GPU_CHECK_DEADLINE_MS      how long the driver has\n  \
    GPUGUARD_GPU_CHECK_MODE=required    a missing driver refuses a commit\n  \
    NO_COLOR, CLICOLOR_FORCE            as everywhere";

/// Keeps code off the GPU that must not be used: a Git hook, a scanner, backups and rollback.
#[derive(Debug, Parser)]
#[command(
    name = "gpuguard",
    version,
    max_term_width = 100,
    propagate_version = false,
    after_help = FIRST_STEPS,
    after_long_help = format!("{FIRST_STEPS}\n\n{MORE}")
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// Say less: only problems
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more: old and allowed findings and finished steps too, and how long it took
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorWord,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorWord {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Install(install::InstallArguments),
    Uninstall(install::UninstallArguments),
    Hook(hook::Arguments),
    Scan(scan::Arguments),
    Fix(fix::Arguments),
    Backup(backup::Arguments),
    Rollback(rollback::Arguments),
    Gpu(gpu::Arguments),
    Report(report::Arguments),
    Doctor(doctor::Arguments),
    Run(run::Arguments),
    Policy(policy_show::Arguments),
    Rule(rule::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    #[command(name = crate::gpu::COMMAND)]
    Probe(probe::Arguments),
    #[command(name = crate::gpu::guard::WATCH_COMMAND)]
    Watch(watch::Arguments),
    #[command(name = enforce::COMMAND)]
    Enforce(enforce::Arguments),
}

/// `error` with the arguments it quotes made printable: a terminal obeys nothing that stands in
/// them.
fn with_printable_arguments(mut error: clap::Error) -> clap::Error {
    let show = |text: &String| printable(text.as_bytes());
    let quoted: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) if show(text) != *text => {
                Some((kind, ContextValue::String(show(text))))
            }
            ContextValue::Strings(texts) if texts.iter().any(|text| show(text) != *text) => Some((
                kind,
                ContextValue::Strings(texts.iter().map(show).collect()),
            )),
            _ => None,
        })
        .collect();
    if !quoted.is_empty() {
        // Clap's tips quote the argument again, in the midst of their own colours.
        error.remove(ContextKind::Suggested);
    }
    for (kind, value) in quoted {
        error.insert(kind, value);
    }
    error
}

/// The words that were typed, or that this program stands for under another name: as
/// `hooks/pre-commit.exe` Git starts it itself, with nothing but what that event passes on.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let is_own_child = words.get(1).is_some_and(|word| {
        [
            crate::gpu::COMMAND,
            crate::gpu::guard::WATCH_COMMAND,
            enforce::COMMAND,
        ]
        .iter()
        .any(|command| word == command)
    });
    if let Some(event) = hook::named_by_program()
        && !is_own_child
    {
        words.splice(1..1, ["hook", "run", event.name].map(OsString::from));
    }
    words
}

/// Runs the command the arguments name.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse_from(words()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2.
            let error = with_printable_arguments(suggest::improved(error, &Arguments::command()));
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let choice = match arguments.global.color {
        ColorWord::Auto => ColorChoice::Auto,
        ColorWord::Always => ColorChoice::Always,
        ColorWord::Never => ColorChoice::Never,
    };
    let screen = Screen::new(choice, arguments.global.quiet, arguments.global.verbose);
    let result = match arguments.command {
        Command::Init(arguments) => init::run(&arguments, &screen),
        Command::Install(arguments) => install::install(&arguments, &screen),
        Command::Uninstall(arguments) => install::uninstall(&arguments, &screen),
        Command::Hook(arguments) => hook::run(&arguments, &screen),
        Command::Scan(arguments) => scan::run(&arguments, &screen),
        Command::Fix(arguments) => fix::run(&arguments, &screen),
        Command::Backup(arguments) => backup::run(&arguments, &screen),
        Command::Rollback(arguments) => rollback::run(&arguments, &screen),
        Command::Gpu(arguments) => gpu::run(&arguments, &screen),
        Command::Report(arguments) => report::run(&arguments, &screen),
        Command::Doctor(arguments) => doctor::run(&arguments, &screen),
        Command::Policy(arguments) => policy_show::run(&arguments, &screen),
        Command::Rule(arguments) => rule::run(&arguments, &screen),
        Command::Schema(arguments) => schema::run(&arguments, &screen),
        Command::Completions(arguments) => completions::run(&arguments, &screen),
        Command::Man(arguments) => man::run(&arguments, &screen),
        Command::Probe(arguments) => probe::run(arguments, &screen),
        Command::Watch(arguments) => watch::run(&arguments, &screen),
        // These end with the code of another program.
        Command::Run(arguments) => return run::run(&arguments, &screen),
        Command::Enforce(arguments) => return enforce::run(arguments, &screen),
    };
    match result {
        Ok(Answer::Fine) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) => {
            screen.failure(&failure);
            if let Some(signal) = failure.signal() {
                interrupt::end_by(signal);
            }
            ExitCode::from(2)
        }
    }
}
