//! A stand-in for a driver library.
