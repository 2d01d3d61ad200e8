//! The only reader of the clock; everywhere else the time is a parameter.

pub use jiff::Timestamp;

/// The time now, to the second or finer.
pub fn now() -> Timestamp {
    Timestamp::now()
}
