//! What settings say about GPUs, whatever format they are written in.
//!
//! `tree` is what a format's reader makes of a file.

mod tree;
