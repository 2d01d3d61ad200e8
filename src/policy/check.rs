//! What is checked beyond TOML's own grammar; every complaint points into the file.

mod backup;
mod cards;
mod environment;
mod language;
mod run;
mod severity;
mod syntax;
mod user;

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;

pub(super) use environment::BY_PCI;

use super::PolicyError;
use super::file::PolicyFile;
use crate::text::LineIndex;

/// What a deadline may be, in milliseconds.
pub(super) const DEADLINE_MS: RangeInclusive<u32> = 100..=600_000;

/// How long a good result of the card check counts, in minutes, where nothing is said.
pub(super) const CACHE_MINUTES: u32 = 10;

/// How often cards may be looked at, in milliseconds. NVML itself takes a few.
pub(super) const EVERY_MS: RangeInclusive<u32> = 50..=60_000;

/// How long a program may have to end, in milliseconds.
pub(super) const GRACE_MS: RangeInclusive<u32> = 0..=600_000;

/// What the largest file that is scanned may be, in MiB. With 0 nothing would be scanned.
pub(super) const MAX_FILE_MIB: RangeInclusive<u32> = 1..=1024;

/// The file being checked, for messages that point into it.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Place<'_> {
    pub(super) fn invalid(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PolicyError {
        let index = LineIndex::new(self.text);
        PolicyError::Invalid {
            path: self.path.to_owned(),
            position: index.position(self.text, span.start),
            line_text: index.line_text(self.text, span.start).to_owned(),
            message: shortened(message.into()),
            hint,
        }
    }

    pub(super) fn check_version(&self, version: &Spanned<u32>) -> Result<(), PolicyError> {
        if *version.get_ref() == 1 {
            return Ok(());
        }
        Err(self.invalid(
            version.span(),
            format!(
                "version {} of the policy format is not known",
                version.get_ref()
            ),
            Some("this gpuguard reads `version = 1`".to_owned()),
        ))
    }

    /// The keys that have one value, but for those about cards.
    pub(super) fn check_scalars(&self, file: &PolicyFile) -> Result<(), PolicyError> {
        if let Some(deadline) = &file.gpu_check.deadline_ms {
            self.check_deadline(deadline)?;
        }
        if let Some(mib) = &file.scan.max_file_mib {
            self.check_max_file(mib)?;
        }
        if let Some(order) = &file.environment.device_order {
            self.check_device_order(order)?;
        }
        self.check_run(&file.run)?;
        self.check_backup(&file.backup)
    }

    fn check_deadline(&self, deadline: &Spanned<u32>) -> Result<(), PolicyError> {
        if DEADLINE_MS.contains(deadline.get_ref()) {
            return Ok(());
        }
        Err(self.invalid(
            deadline.span(),
            format!("a deadline of {} ms is out of range", deadline.get_ref()),
            Some("give 100 to 600000 milliseconds; 5000 is the default".to_owned()),
        ))
    }

    fn check_max_file(&self, mib: &Spanned<u32>) -> Result<(), PolicyError> {
        if MAX_FILE_MIB.contains(mib.get_ref()) {
            return Ok(());
        }
        Err(self.invalid(
            mib.span(),
            format!(
                "{} MiB cannot be the size of the largest file that is scanned",
                mib.get_ref()
            ),
            Some("give 1 to 1024 MiB; 16 is the default".to_owned()),
        ))
    }

    pub(super) fn check_glob(&self, glob: &Spanned<String>) -> Result<(), PolicyError> {
        let mut builder = ignore::gitignore::GitignoreBuilder::new("");
        match builder.add_line(None, glob.get_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.invalid(
                glob.span(),
                format!("`{}` is not a valid glob: {error}", glob.get_ref()),
                Some(
                    "globs are those of `.gitignore`: https://git-scm.com/docs/gitignore"
                        .to_owned(),
                ),
            )),
        }
    }
}

/// `message` without the middle of what it quotes where that is very long.
fn shortened(message: String) -> String {
    /// What is kept at either end, in characters.
    const KEPT: usize = 160;
    let characters: Vec<char> = message.chars().collect();
    if characters.len() <= 2 * KEPT {
        return message;
    }
    let (head, tail) = (&characters[..KEPT], &characters[characters.len() - KEPT..]);
    format!("{}…{}", String::from_iter(head), String::from_iter(tail))
}
