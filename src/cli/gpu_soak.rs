//! `gpuguard gpu soak`: the allowed card at work for a long time.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::gpu::{Format, cache_folder, repository, status_word};
use super::policy::load_policy;
use super::progress::Unit;
use super::{Failure, Screen};
use crate::gpu::{self, CardStatus, SoakReport, SoakTask};
use crate::outcome::Answer;
use crate::report::soak_plot;
use crate::sys::clock;
use crate::sys::file::Output;
use crate::sys::interrupt::Interrupts;
use crate::text::printable;

/// The longest time, a week, in minutes.
const MOST_MINUTES: f64 = 7.0 * 24.0 * 60.0;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard gpu soak\n  \
    gpuguard gpu soak --minutes 5 --memory 90%\n  \
    gpuguard gpu soak --format json --plot soak.svg > soak.json\n\n\
    Ctrl+C ends it early; what was seen up to then is reported.\n\n\
    Exit codes: 0 all results were right, 1 a result was wrong or it is not the allowed card, \
    2 it could not be done or was ended early.")]
pub(super) struct Arguments {
    /// For how long; fractions count
    #[arg(long, value_name = "N", default_value = "30", value_parser = minutes)]
    minutes: f64,
    /// How much of the free memory is tested: `80%` or `0.8`
    #[arg(long, value_name = "SHARE", default_value = "75%", value_parser = share)]
    memory: f64,
    /// Which of the cards that the policy's environment shows, counted as code counts them
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    card: usize,
    /// How to print the report; JSON has all samples
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Also draw memory and temperature over time into this SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// The policy to read instead of the nearest gpuguard.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "this is no number".to_owned())?;
    if minutes > 0.0 && minutes <= MOST_MINUTES {
        Ok(minutes)
    } else {
        Err(format!(
            "more than 0 and at most {MOST_MINUTES} are possible"
        ))
    }
}

fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let number: f64 = number
        .trim()
        .parse()
        .map_err(|_| "this is no share, such as `80%` or `0.8`".to_owned())?;
    let share = number / whole;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("more than 0 and at most `100%` (`1`) is possible".to_owned())
    }
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let policy = load_policy(arguments.policy.as_deref())?;
    let unwritable = |path: &Path| {
        let what = format!("`{}` cannot be written", path.display());
        move |error: io::Error| Failure::new(what).because(&error)
    };
    // Better now than after half an hour.
    let plot = match &arguments.plot {
        Some(path) => Some((
            path,
            Output::create(path)
                .map_err(|error| unwritable(path)(error).note("nothing was done"))?,
        )),
        None => None,
    };
    let task = SoakTask {
        duration: Duration::from_secs_f64(arguments.minutes * 60.0),
        share: arguments.memory,
        ordinal: arguments.card,
    };
    let interrupts = Interrupts::noticed().map_err(Failure::unwatched)?;
    let mut bar = screen.progress("soaking", Unit::Seconds, task.duration.as_secs().max(1));
    let report = gpu::soak(&policy, &task, &mut |progress| {
        bar.at(Duration::try_from_secs_f64(progress.seconds).map_or(0, |d| d.as_secs()));
        !interrupts.came()
    });
    drop(bar);
    if let Some(repository) = repository() {
        gpu::note_soak(&cache_folder(&repository), &report, clock::now());
    }
    let printed = screen.print(&match arguments.format {
        Format::Human => for_people(&report, screen),
        Format::Json => as_json(&report),
    });
    if let Some((path, output)) = plot {
        output
            .finish(soak_plot(&report).as_bytes())
            .map_err(unwritable(path))?;
    }
    printed?;
    answer(&report)
}

/// A card that was not soaked, or not for as long as was asked, is no "fine".
fn answer(report: &SoakReport) -> Result<Answer, Failure> {
    match report.status {
        CardStatus::Ok if report.finished => Ok(Answer::Fine),
        CardStatus::Ok => Err(Failure::new(format!(
            "the soak was ended after {:.0} s of {:.0} s",
            report.progress.seconds, report.asked_seconds
        ))
        .note("all results up to then were right")),
        CardStatus::WrongCard | CardStatus::Unhealthy | CardStatus::Timeout => Ok(Answer::No),
        CardStatus::Busy | CardStatus::NoDriver | CardStatus::Skipped => {
            // Why, the report has said.
            Err(Failure::new("the card was not soaked"))
        }
    }
}

fn for_people(report: &SoakReport, screen: &Screen) -> String {
    let mut text = format!(
        "{} {}\n",
        status_word(report.status, screen),
        printable(report.message.as_bytes())
    );
    if let Some(hint) = &report.hint {
        let _ = writeln!(text, "  hint: {}", printable(hint.as_bytes()));
    }
    for note in &report.notes {
        let _ = writeln!(text, "  note: {}", printable(note.as_bytes()));
    }
    for (what, unit, values) in [
        (
            "temperature",
            "°C",
            seen(report, |health| health.temperature_celsius),
        ),
        ("clock", "MHz", seen(report, |health| health.sm_clock_mhz)),
        (
            "memory clock",
            "MHz",
            seen(report, |health| health.memory_clock_mhz),
        ),
        (
            "power",
            "W",
            seen(report, |health| health.power_milliwatts.map(|mw| mw / 1000)),
        ),
        (
            "memory used",
            "MiB",
            seen(report, |health| {
                u32::try_from(health.memory_used_bytes? >> 20).ok()
            }),
        ),
    ] {
        if let Some((least, most)) = values {
            let _ = writeln!(text, "  {what}: {least} to {most} {unit}");
        }
    }
    if let Some(last) = report.samples.last() {
        let _ = match last.health.uncorrected_ecc_errors {
            Some(errors) => writeln!(text, "  memory errors: {errors}"),
            None => writeln!(text, "  memory errors: this card does not count them"),
        };
    }
    if screen.verbose {
        for phase in &report.phases {
            let _ = writeln!(text, "  {:>9.2} ms  {}", phase.ms, phase.name);
        }
    }
    text
}

/// The least and the most of a value over all samples.
fn seen(report: &SoakReport, value: impl Fn(&gpu::Health) -> Option<u32>) -> Option<(u32, u32)> {
    let values = || {
        report
            .samples
            .iter()
            .filter_map(|sample| value(&sample.health))
    };
    Some((values().min()?, values().max()?))
}

fn as_json(report: &SoakReport) -> String {
    let mut object = json!(report);
    object["version"] = json!(1);
    format!("{object:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_part_of_the_whole() {
        assert_eq!(share("80%"), Ok(0.8));
        assert_eq!(share("0.8"), Ok(0.8));
        assert_eq!(share("1"), Ok(1.0));
        for wrong in ["0", "0%", "80", "101%", "-1%", "NaN", "inf", "", "%", "all"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn minutes_are_not_endless() {
        assert_eq!(minutes("0.05"), Ok(0.05));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "x", ""] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }
}
