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
//! # What the services differ in
//!
//! An entity's [`Service`] decides these; everything else is [`Settings`].
//!
//! | | SQS | Service Bus | Pub/Sub |
//! |---|---|---|---|
//! | [`Settings::ordered`] | FIFO: no more of a group while some of it is out | sessions: no message without [`SessionStep::Accept`] | ordering keys: more of a key to the same [`Receive::holder`] only; when one fails, the later ones come again |
//! | the delivery count grows | with each receive | with each failure | with each failure |
//! | over [`Settings::max_deliveries`] | it goes at the next receive | it goes at once | it goes at once |
//! | to | [`Settings::dead_letter`]; nowhere without | the same, or [`Part::Dead`] | [`Settings::dead_letter`], a topic; nowhere without |
//! | the age of a dead letter | goes on, or begins again in FIFO | goes on in [`Part::Dead`], begins again elsewhere | begins again |
//! | a late receipt that is still the newest | acks, but not in FIFO | is refused | acks, but not with [`Settings::exactly_once`] |
//! | any other stale receipt | ack: ignored, refused in FIFO; else refused | refused | ignored, refused with [`Settings::exactly_once`] |
//! | a failed message | queues again by time | goes back to its place | queues again by time |
//! | its time ends while it is out | it goes | its consumer may finish | it goes |
//!
//! # Waiting
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
mod waking;

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
pub use waking::Woken;
