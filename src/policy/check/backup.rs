//! The keys of `[backup]`.

use toml::Spanned;

use super::super::PolicyError;
use super::super::backup::{KEPT, parse_duration, parse_size, parse_store};
use super::super::file::BackupTable;
use super::Place;

impl Place<'_> {
    pub(super) fn check_backup(&self, table: &BackupTable) -> Result<(), PolicyError> {
        for number in [&table.keep_last, &table.keep_daily].into_iter().flatten() {
            if !KEPT.contains(number.get_ref()) {
                return Err(self.invalid(
                    number.span(),
                    format!("{} is no number of backups to keep", number.get_ref()),
                    Some("give 1 to 100000, or leave the key out".to_owned()),
                ));
            }
        }
        self.check_text(table.store.as_ref(), parse_store)?;
        self.check_text(table.keep_within.as_ref(), parse_duration)?;
        self.check_text(table.max_size.as_ref(), parse_size)
    }

    fn check_text<T>(
        &self,
        text: Option<&Spanned<String>>,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<(), PolicyError> {
        match text.map(|text| (text, parse(text.get_ref()))) {
            Some((text, Err(message))) => Err(self.invalid(text.span(), message, None)),
            Some((_, Ok(_))) | None => Ok(()),
        }
    }
}
