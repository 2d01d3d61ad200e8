//! The keys of `[run]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;

use super::{EVERY_MS, GRACE_MS, Place};
use crate::policy::file::{OnViolationWord, RunTable};
use crate::policy::{OnViolation, PolicyError, RunPolicy};

impl Place<'_> {
    pub(in crate::policy) fn run(&self, table: &RunTable) -> Result<RunPolicy, PolicyError> {
        Ok(RunPolicy {
            on_violation: match table.on_violation {
                OnViolationWord::End => OnViolation::End,
                OnViolationWord::Report => OnViolation::Report,
            },
            every: self.milliseconds(&table.every_ms, &EVERY_MS, 200)?,
            grace: self.milliseconds(&table.grace_ms, &GRACE_MS, 5000)?,
        })
    }

    fn milliseconds(
        &self,
        number: &Spanned<u32>,
        range: &RangeInclusive<u32>,
        default: u32,
    ) -> Result<Duration, PolicyError> {
        let ms = *number.get_ref();
        if range.contains(&ms) {
            return Ok(Duration::from_millis(u64::from(ms)));
        }
        let (least, most) = (range.start(), range.end());
        Err(self.invalid(
            number.span(),
            format!("{ms} ms is out of range"),
            Some(format!(
                "give {least} to {most} milliseconds; {default} is the default"
            )),
        ))
    }
}
