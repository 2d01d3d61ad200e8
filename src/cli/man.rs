//! `gpuguard man`: the manual pages, made from the same texts as `--help`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap::builder::Resettable;
use clap_mangen::Man;

use super::{Arguments as Whole, Failure, Screen};
use crate::outcome::Answer;
use crate::sys::file;

/// Print the manual page, or write the pages of all commands
///
/// One page for each command, as `man gpuguard-backup-list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard man | man -l -\n  \
    gpuguard man --dir ~/.local/share/man/man1")]
pub(super) struct Arguments {
    /// Write the pages of all commands into this folder, one file for each
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Answer, Failure> {
    let mut whole = Whole::command();
    whole.build();
    let Some(folder) = &arguments.dir else {
        screen.print_bytes(&page(whole)?)?;
        return Ok(Answer::Fine);
    };
    file::create_folder(folder).map_err(|error| unwritable(folder, &error))?;
    let mut pages = vec![whole];
    let mut written = 0;
    while let Some(command) = pages.pop() {
        pages.extend(
            command
                .get_subcommands()
                .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
                .cloned(),
        );
        // As `git` does it: the page of `gpuguard backup list` is `gpuguard-backup-list`.
        let name = command.get_display_name().unwrap_or(command.get_name());
        let target = folder.join(format!("{name}.1"));
        let page = page(command.clone())?;
        file::write_atomic(&target, &page)
            .and_then(|()| file::set_mode(&target, 0o644))
            .map_err(|error| unwritable(&target, &error))?;
        written += 1;
    }
    screen.say(&format!("{written} pages written"));
    Ok(Answer::Fine)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let behind = command.get_after_long_help().or(command.get_after_help());
    let behind = behind.map(ToString::to_string).unwrap_or_default();
    let command = command
        .after_help(Resettable::Reset)
        .after_long_help(Resettable::Reset);
    let mut page = Vec::new();
    let rendered = Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new("the page cannot be made").because(&error))?;
    page.extend(as_it_stands(&behind).into_bytes());
    Ok(page)
}

/// What a help has behind its options, in the language of man(7): each heading a section, and the
/// lines as they stand, so that commands can be copied.
fn as_it_stands(text: &str) -> String {
    let mut page = String::new();
    let mut is_open = false;
    for line in text.lines() {
        let heading = line.strip_suffix(':').filter(|line| !line.starts_with(' '));
        if let Some(heading) = heading {
            page.push_str(if is_open { ".fi\n" } else { "" });
            let _ = writeln!(page, ".SH {}\n.nf", heading.to_uppercase());
            is_open = true;
            continue;
        }
        if !is_open && !line.is_empty() {
            page.push_str(".SH EXAMPLES\n.nf\n");
            is_open = true;
        }
        // A hyphen is one that can be typed; a dot or quote in front would be a request.
        let line = line.trim_start_matches("  ");
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        let guard = if line.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        let _ = writeln!(page, "{guard}{line}");
    }
    page.push_str(if is_open { ".fi\n" } else { "" });
    page
}

fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be written", super::paths::shown(path))).because(error)
}
