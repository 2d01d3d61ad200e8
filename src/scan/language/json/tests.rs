//! What is read out of JSON.
