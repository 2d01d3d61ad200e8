//! What the policy says of backups: which of them are kept.

use std::ops::RangeInclusive;
use std::time::Duration;

/// What a number of backups or days to keep may be.
pub(super) const KEPT: RangeInclusive<u32> = 1..=100_000;

/// A time as it is written: numbers with their units, `14d`, `1w12h`.
pub(super) const DURATION_PATTERN: &str = "^([1-9][0-9]{0,4}[hdw])+$";

/// A size as it is written: a number with its unit, `500MiB`.
pub(super) const SIZE_PATTERN: &str = "^[1-9][0-9]{0,5}(B|KiB|MiB|GiB|TiB)$";

/// A folder as it is written: absolute, relative, or below `~`; not the home of somebody else.
pub(super) const STORE_PATTERN: &str = "^(~|~/[^\\x00-\\x1f]+|[^~\\x00-\\x1f][^\\x00-\\x1f]*)$";

/// What is said of backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupPolicy {
    /// Where they lie, as it is written; `None` for the place in the common Git directory.
    pub store: Option<String>,
    /// Which are kept.
    pub retention: Retention,
}

/// Which backups are kept. One that any of the rules keeps is kept; `max_size` then goes beyond
/// all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The newest so many.
    pub keep_last: Option<u32>,
    /// The newest of each of the last so many days that have any.
    pub keep_daily: Option<u32>,
    /// All that are not older.
    pub keep_within: Option<Duration>,
    /// The most bytes all archives may have together.
    pub max_size: Option<u64>,
}

impl Retention {
    /// Whether nothing is said: then nothing is ever removed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a rule says what to keep, besides the size.
    pub fn keeps_by_rule(&self) -> bool {
        self.keep_last.is_some() || self.keep_daily.is_some() || self.keep_within.is_some()
    }
}

/// Reads the name of a folder.
pub(super) fn parse_store(text: &str) -> Result<String, String> {
    let right = match text.strip_prefix('~') {
        Some("") => true,
        Some(rest) => rest.len() > 1 && rest.starts_with('/'),
        None => !text.is_empty(),
    };
    if right && !text.contains(|character: char| character < ' ') {
        return Ok(text.to_owned());
    }
    Err(
        "this is no folder: give an absolute path, one below `~/`, or one relative to the \
         repository's common Git directory"
            .to_owned(),
    )
}

/// Reads a time such as `14d`, `36h` or `1w12h`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("`{text}` is no time: give hours, days or weeks, such as `36h`, `14d` or `1w12h`")
    };
    let mut hours: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() || number.len() > 5 || number.starts_with('0') {
            return Err(wrong());
        }
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = match tail.chars().next() {
            Some('h') => 1,
            Some('d') => 24,
            Some('w') => 7 * 24,
            _ => return Err(wrong()),
        };
        hours = hours.saturating_add(number * unit);
        rest = tail.get(1..).unwrap_or_default();
    }
    if hours == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(hours.saturating_mul(3600)))
}

/// Reads a size such as `500MiB`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!("`{text}` is no size: give a number and B, KiB, MiB, GiB or TiB, such as `500MiB`")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() || number.len() > 6 || number.starts_with('0') {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(wrong()),
    };
    Ok(number << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_days_and_weeks() {
        let hours = |text: &str| parse_duration(text).map(|time| time.as_secs() / 3600);
        assert_eq!(hours("36h"), Ok(36));
        assert_eq!(hours("1w1d2h"), Ok(8 * 24 + 2));
        assert_eq!(hours("99999w"), Ok(99_999 * 168));
        for wrong in [
            "", "3", "d", "0d", "3m", "3 d", "-1d", "100000d", "1d2", "1é",
        ] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_store_is_a_folder_of_ones_own() {
        for right in ["/a", "~", "~/a", "../x", "C:\\b", "a~b"] {
            assert_eq!(parse_store(right).as_deref(), Ok(right));
        }
        for wrong in ["", "~/", "~bob", "~bob/x", "a\nb"] {
            assert!(parse_store(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(parse_size("500MiB"), Ok(500 << 20));
        assert_eq!(parse_size("999999TiB"), Ok(999_999 << 40));
        for wrong in ["", "5", "MiB", "0B", "5MB", "5 MiB", "1000000B", "-1B"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
