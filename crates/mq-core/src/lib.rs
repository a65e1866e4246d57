//! The portable queue and everything about it that no cloud decides.
//!
//! One way of the data, each arrow a function and each noun a type with one home:
//!
//! ```text
//! Spec ─resolve→ ResolvedQueue ─lower→ Lowered ─observe→ Observed ─diff→ Plan ─apply→ Outcome
//! spec            queue          resource        resource         plan        provisioner
//! ```
//!
//! `lower` and `observe` belong to a backend ([`backend::ControlPlane`]); the rest is here, pure
//! where it decides and given a clock where it waits. This crate knows no SDK, no command line
//! and no YAML.

pub mod backend;
pub mod capability;
pub mod diagnostic;
pub mod error;
pub mod judge;
pub mod layers;
pub mod plan;
pub mod provisioner;
pub mod queue;
pub mod resource;
pub mod spec;
pub mod timing;
pub mod units;
pub mod value;
pub mod verdict;

pub use backend::{Access, BackendFactory, BackendInfo, ControlPlane, QueueBackend, Scope};
pub use capability::Capability;
pub use diagnostic::{Diagnostic, Severity};
pub use error::{Effect, Error, ErrorKind, Result, Retry};
pub use plan::{Action, Change, Plan, PlanOptions};
pub use queue::{Marker, Owner, ResolvedQueue};
pub use resource::{Lowered, NativeAttribute, Observed, Resource, ResourceId};
pub use spec::{Spec, Target};
pub use value::Value;
pub use verdict::Verdict;
