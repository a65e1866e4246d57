//! From a plan to the cloud and back: what is written, in which order, and the proof by reading.

mod apply;
mod collection;
mod line;
mod planning;
mod read_back;
mod removal;
mod step;

pub use apply::{ApplyOptions, ChangeResult, ChangeState, Outcome, Progress, Silent, apply};
pub use planning::{Request, plan, plan_collection, plan_destroy};
pub use read_back::{Finding, FindingKind};
