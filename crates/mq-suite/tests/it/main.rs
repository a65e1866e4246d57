//! The reports of a run, whatever the run holds.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

mod baseline;
mod document;
mod generated;
mod junit;
mod pages;
mod sample;
