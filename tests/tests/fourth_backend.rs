//! A fourth cloud is one crate, one registry line and one Cargo line: here a dummy backend in
//! this file, registered by one entry, and every command knows it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
