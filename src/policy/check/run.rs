//! The keys of `[run]`.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::{EVERY_MS, GRACE_MS, Place};
use crate::policy::PolicyError;
use crate::policy::file::RunTable;

impl Place<'_> {
    pub(super) fn check_run(&self, table: &RunTable) -> Result<(), PolicyError> {
        self.check_milliseconds(table.every_ms.as_ref(), &EVERY_MS, 200)?;
        self.check_milliseconds(table.grace_ms.as_ref(), &GRACE_MS, 5000)
    }

    fn check_milliseconds(
        &self,
        number: Option<&Spanned<u32>>,
        range: &RangeInclusive<u32>,
        default: u32,
    ) -> Result<(), PolicyError> {
        let Some(number) = number.filter(|number| !range.contains(number.get_ref())) else {
            return Ok(());
        };
        let (ms, least, most) = (number.get_ref(), range.start(), range.end());
        Err(self.invalid(
            number.span(),
            format!("{ms} ms is out of range"),
            Some(format!(
                "give {least} to {most} milliseconds; {default} is the default"
            )),
        ))
    }
}
