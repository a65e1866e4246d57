//! The portability suite: what an application may rely on without knowing it, proved on every
//! cloud alike.
//!
//! ```text
//! Subjects + Selection ─cases→ Cases ─run→ Report ─report::{json, junit, markdown, html}→ text
//! ```
//!
//! A [`Behaviour`] states one promise in one sentence and proves it through the same traits that
//! every command uses. It makes queues of its own, on a stage of its own, and removes them; it
//! never writes to a queue that was there before.
//!
//! The author of a new backend needs three lines and no harness:
//!
//! ```no_run
//! # async fn prove(factory: &'static dyn mq_core::BackendFactory) -> mq_core::Result<()> {
//! use mq_core::{Access, Target};
//! use mq_suite::{Options, Selection, Silent, Subject, Surroundings, cases, run};
//!
//! let target = Target::implied(factory.info().id);
//! let subject = Subject::open(factory, &target, &Access::default(), Surroundings::default()).await?;
//! let subjects = [subject];
//! let cases = cases(&subjects, &Selection::default());
//! let report = run(&subjects, cases, &Options::default(), &Silent).await;
//! assert!(report.passed(), "{}", mq_suite::report::markdown(&report));
//! # Ok(())
//! # }
//! ```

mod behaviour;
pub mod behaviours;
mod case;
mod comparison;
mod copies;
mod probe;
pub mod report;
mod runner;
mod subject;
mod trial;

pub use behaviour::{Applies, Behaviour, Check, Group, Need, Stop};
pub use case::{Case, Selection, Shard, UnknownName, cases, listed};
pub use comparison::compare;
pub use probe::Probe;
pub use report::Report;
pub use runner::{Observer, Options, Silent, run};
pub use subject::{Subject, Surroundings};
pub use trial::Trial;
