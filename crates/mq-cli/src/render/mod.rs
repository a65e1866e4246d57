//! Values to text. Nothing here asks a cloud, reads a file or writes to a stream.

pub(crate) mod document;
pub(crate) mod endpoints;
pub(crate) mod markdown;
pub(crate) mod matrix;
pub(crate) mod plan;
pub(crate) mod ranges;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod sarif;
pub(crate) mod status;
pub(crate) mod text;
pub(crate) mod verify;
