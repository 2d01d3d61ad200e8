//! The only reader of the clock; everywhere else the time is a parameter.

pub use jiff::Timestamp;
pub use jiff::civil::Date;

/// The time now, to the second or finer.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The day of a time, in UTC, so that it is the same day everywhere.
pub fn day_of(time: Timestamp) -> Date {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}
