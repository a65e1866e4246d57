//! Queues as a pure, deterministic state machine.
//!
//! The engine reads no clock, no random source and no socket: time is an argument, and the same
//! commands give the same replies. Front-ends translate a wire protocol to [`Command`]s and back
//! and hold no queue logic; the engine knows no protocol.
//!
//! It holds entities (queues, topics, subscriptions) with the settings that decide what happens
//! to a message, beside a document of the front-end's own in which the engine looks at nothing.

mod engine;
mod entity;

pub use engine::{Command, Engine, Refusal, Reply};
pub use entity::{Counts, Entity, EntityId, EntityKind, Service, Settings, Timestamp};
