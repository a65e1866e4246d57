//! What `mq init` writes.

/// A commented file to start from, which loads as it is.
#[must_use]
pub fn template() -> &'static str {
    include_str!("template.yaml")
}
