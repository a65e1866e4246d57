//! What the file's author is told, mistake by mistake.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

mod keys;
mod references;
mod syntax;
mod values;
