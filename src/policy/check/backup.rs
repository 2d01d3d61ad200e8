//! The keys of `[backup]`.

use toml::Spanned;

use super::super::PolicyError;
use super::super::backup::{
    BackupPolicy, KEPT, Retention, parse_duration, parse_size, parse_store,
};
use super::super::file::BackupTable;
use super::Place;

impl Place<'_> {
    pub(in super::super) fn backup(
        &self,
        table: &BackupTable,
    ) -> Result<BackupPolicy, PolicyError> {
        let count = |number: &Option<Spanned<u32>>| match number {
            Some(number) if !KEPT.contains(number.get_ref()) => Err(self.invalid(
                number.span(),
                format!("{} is no number of backups to keep", number.get_ref()),
                Some("give 1 to 100000, or leave the key out".to_owned()),
            )),
            Some(number) => Ok(Some(*number.get_ref())),
            None => Ok(None),
        };
        Ok(BackupPolicy {
            store: self.read(table.store.as_ref(), parse_store)?,
            retention: Retention {
                keep_last: count(&table.keep_last)?,
                keep_daily: count(&table.keep_daily)?,
                keep_within: self.read(table.keep_within.as_ref(), parse_duration)?,
                max_size: self.read(table.max_size.as_ref(), parse_size)?,
            },
        })
    }

    fn read<T>(
        &self,
        text: Option<&Spanned<String>>,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, PolicyError> {
        let Some(text) = text else {
            return Ok(None);
        };
        match parse(text.get_ref()) {
            Ok(value) => Ok(Some(value)),
            Err(message) => Err(self.invalid(text.span(), message, None)),
        }
    }
}
