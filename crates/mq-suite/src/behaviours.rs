//! The list. Each group has a folder; a behaviour is a short function with its promise beside it.

mod control;

use crate::behaviour::Behaviour;

/// Every behaviour, in the order of the reports.
#[must_use]
pub fn all() -> Vec<Behaviour> {
    control::all()
}
