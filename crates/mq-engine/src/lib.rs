//! Queues as a pure, deterministic state machine.
//!
//! The engine reads no clock, no random source and no socket: time is an argument, and the same
//! commands give the same replies. Front-ends translate a wire protocol to [`Command`]s and
//! [`Operation`]s and back and hold no queue logic; the engine knows no protocol.
//!
//! It holds entities (queues, topics, subscriptions) with the settings that decide what happens
//! to a message, beside a document of the front-end's own in which the engine looks at nothing.
//! [`Engine::apply`] is for those who manage entities, [`Engine::perform`] for those who send and
//! receive. Both are plain data, so a log of them is enough to build an engine again.
//!
//! Nothing in here waits. A receive that finds nothing says so, and [`Engine::take_woken`] names
//! the places where it is worth asking again; [`Engine::next_wakeup`] says when time has
//! something to do, and [`Engine::advance`] does it.

#[macro_use]
mod planted;
#[macro_use]
mod steps;

mod arrival;
mod attempts;
mod catalog;
mod counts;
mod dead_letter;
mod dedup;
mod engine;
mod entity;
mod groups;
mod lease;
mod memory;
mod message;
mod move_task;
mod operate;
mod operation;
mod queries;
mod receive;
mod replay;
mod rules;
mod send;
mod sessions;
mod shelf;
mod slot;
mod snapshot;
mod store;
mod topic;

#[cfg(test)]
mod tests;

pub use counts::{Counts, Holdings};
pub use engine::{Command, Engine, Refusal, Reply};
pub use entity::{
    Backoff, Entity, EntityId, EntityKind, Part, Place, Service, Settings, Timestamp,
};
pub use message::{
    Delivery, NewMessage, Origin, Peeked, PeekedState, Reason, Receipt, Sent, Start,
};
pub use operation::{
    Denied, MoveStatus, MoveTask, NotYours, Operation, Outcome, Receive, SeekTo, Session,
    SessionLock, SessionStep, Settle, Settled, Snapshot, SnapshotStep,
};
pub use topic::{Filter, Filters, MessageView, Routing};
