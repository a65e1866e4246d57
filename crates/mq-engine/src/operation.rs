//! What a front-end asks for on behalf of senders and receivers, and what comes of it.
//!
//! Operations are plain data: the same ones in the same order at the same times give the same
//! answers, so a log of them is enough to build an engine again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::entity::{EntityId, Place, Timestamp};
use crate::message::{Delivery, NewMessage, Receipt, Sent};

/// What a front-end asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Sends to a queue, or publishes to a topic. [`Outcome::Sent`].
    Send {
        /// The queue or topic.
        to: EntityId,
        /// In their order.
        messages: Vec<NewMessage>,
        /// Whether one refused message refuses them all. Otherwise each has its own answer.
        whole: bool,
    },
    /// Takes scheduled messages back before their time. [`Outcome::Done`], or
    /// [`Denied::NoMessage`] for the first that is not there, and then none is taken back.
    Cancel {
        /// The queue or topic.
        to: EntityId,
        /// As [`Sent`] told them.
        sequences: Vec<u64>,
    },
    /// Hands out what is ready. [`Outcome::Received`], empty when nothing is: the front-end
    /// waits for [`crate::Engine::take_woken`] to name the place, and asks again.
    Receive {
        /// Where from.
        from: Place,
        /// How.
        how: Receive,
    },
    /// Hands out deferred messages. [`Outcome::Received`], or [`Denied::NoMessage`] for the
    /// first that is not deferred here, and then none is handed out.
    ReceiveDeferred {
        /// Where from.
        from: Place,
        /// Which.
        sequences: Vec<u64>,
        /// How; `max` does not count.
        how: Receive,
    },
    /// Settles deliveries, or extends their leases. [`Outcome::Settled`], one for each receipt.
    Settle {
        /// Where they were received.
        at: Place,
        /// Which.
        receipts: Vec<Receipt>,
        /// How.
        how: Settle,
    },
    /// Locks a session, or does something with one that is locked.
    Session {
        /// Where.
        from: Place,
        /// What.
        step: SessionStep,
    },
    /// Drops all messages, whatever they wait for. [`Outcome::Purged`].
    Purge {
        /// Where.
        at: Place,
    },
    /// Acks and takes back what a subscription has, as of a time or a snapshot.
    /// [`Outcome::Done`].
    Seek {
        /// Which subscription.
        subscription: EntityId,
        /// To where.
        to: SeekTo,
    },
    /// Takes, changes or drops a snapshot. [`Outcome::Done`].
    Snapshot {
        /// A name that no other snapshot of the engine has.
        name: String,
        /// What.
        step: SnapshotStep,
    },
    /// Starts to move what a place holds now and nobody has. [`Outcome::MoveStarted`].
    StartMove {
        /// Where from; only one task at a time.
        from: Place,
        /// Where to; `None` is where each message came from.
        to: Option<EntityId>,
        /// How many each second; at least 1.
        per_second: u32,
    },
    /// Stops a move task. [`Outcome::MoveCancelled`].
    CancelMove {
        /// Which.
        task: u64,
    },
}

/// What is done with a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionStep {
    /// Locks it for as long as the entity's lease. [`Outcome::Session`], with `None` when there
    /// is none to get.
    Accept {
        /// Which; `None` is the next that has messages and is free.
        session: Option<String>,
    },
    /// Extends the lock to the entity's lease from now. [`Outcome::Locked`].
    Renew {
        /// As it was accepted.
        lock: SessionLock,
    },
    /// Gives it back. What was not settled is ready again and does not count as failed.
    /// [`Outcome::Done`].
    Release {
        /// As it was accepted.
        lock: SessionLock,
    },
    /// Sets its state. [`Outcome::Done`].
    SetState {
        /// As it was accepted.
        lock: SessionLock,
        /// The front-end's own; `None` takes it away.
        state: Option<Bytes>,
    },
}

/// What is done with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotStep {
    /// Remembers which messages of a subscription are not acked. Until the snapshot goes, the
    /// subscription keeps those and all that come after them.
    Take {
        /// Which subscription.
        subscription: EntityId,
        /// When it goes by itself.
        expires: Timestamp,
        /// The front-end's own attributes.
        document: serde_json::Value,
    },
    /// Replaces what the front-end keeps with it, and when it goes.
    Update {
        /// When it goes by itself.
        expires: Timestamp,
        /// The front-end's own attributes.
        document: serde_json::Value,
    },
    /// Lets go of it.
    Drop,
}

/// How messages are received.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receive {
    /// How many at most.
    pub max: usize,
    /// With how many bytes of bodies and properties at most, as a sender pays for them; the last
    /// one may go beyond, so that a large one comes too. `None` is without limit.
    #[serde(default)]
    pub bytes_max: Option<u64>,
    /// How long they are hidden; `None` is as long as the entity says.
    pub lease: Option<Duration>,
    /// Whether they are taken out at once, without a lease.
    pub remove: bool,
    /// Who asks, where a consumer may go on with an ordering key of which it has messages
    /// already; `None` may not.
    pub holder: Option<u64>,
    /// The session whose lock the receiver holds; where the entity has sessions there is no
    /// receiving without.
    pub session: Option<SessionLock>,
    /// Names this receive: the same again soon gives the same deliveries again.
    pub attempt: Option<String>,
}

/// What to do with a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settle {
    /// It is done.
    Ack,
    /// It failed, and is ready again: after this delay, or after what the entity's retry says.
    Nack {
        /// How long it is held back.
        delay: Option<Duration>,
        /// Replaces the properties.
        properties: Option<Bytes>,
    },
    /// It stays hidden this long from now; `None` is as long as the entity says, and zero is a
    /// nack.
    Extend {
        /// From now.
        lease: Option<Duration>,
    },
    /// It is set aside until someone asks for it by its sequence number.
    Defer {
        /// Replaces the properties.
        properties: Option<Bytes>,
    },
    /// It is a dead letter.
    DeadLetter {
        /// In the consumer's words.
        reason: Option<String>,
        /// In the consumer's words.
        description: Option<String>,
        /// Replaces the properties.
        properties: Option<Bytes>,
    },
}

/// Where a seek goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeekTo {
    /// What was sent before is acked, and what was sent then or later is not. A time that is
    /// still to come also acks what is sent until then.
    Time(Timestamp),
    /// What the snapshot saw as acked is acked, and the rest is not.
    Snapshot(String),
}

/// Proves that a session is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionLock {
    /// The session.
    pub session: String,
    /// Differs with every accept in one engine.
    pub lock: u64,
}

/// A session that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// For everything that is done with it.
    pub lock: SessionLock,
    /// Until when it is held.
    pub until: Timestamp,
    /// As it was last set.
    pub state: Option<Bytes>,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// For each message in turn.
    Sent(Vec<Result<Sent, Denied>>),
    /// What was handed out.
    Received(Vec<Delivery>),
    /// For each receipt in turn.
    Settled(Vec<Settled>),
    /// The session, if there was one to get.
    Session(Option<Session>),
    /// The session is held until then.
    Locked(Timestamp),
    /// How many messages were dropped.
    Purged(u64),
    /// The task.
    MoveStarted(u64),
    /// How many messages it had moved.
    MoveCancelled(u64),
    /// It is done.
    Done,
}

/// What came of settling one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is done. After an extend, the delivery is hidden until then.
    Done(Timestamp),
    /// Nothing happened, and the service says that all is well.
    Ignored(NotYours),
    /// Nothing happened.
    Refused(NotYours),
}

/// Why a receipt does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotYours {
    /// The message is gone.
    Gone,
    /// The lease ran out.
    Expired,
    /// The message has been handed out again since, or will be.
    Superseded,
}

/// Why an operation did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no such entity.
    #[error("the entity does not exist")]
    NotFound,
    /// Topics have nothing to receive, subscriptions are not sent to, and a dead letter cannot
    /// become one.
    #[error("the entity is not of the kind that can do this")]
    WrongKind,
    /// The engine holds as many bytes as it may.
    #[error("the memory for messages is full: {held} of {max} bytes")]
    MemoryFull {
        /// How many it holds.
        held: u64,
        /// How many it may.
        max: u64,
    },
    /// The entity holds as many bytes as it may.
    #[error("the entity is full: {held} of {max} bytes")]
    EntityFull {
        /// How many it holds.
        held: u64,
        /// How many it may.
        max: u64,
    },
    /// The entity keeps groups in order, and the message has none.
    #[error("a message for this entity needs a group")]
    GroupMissing,
    /// No such message, or it is not in the state for this.
    #[error("there is no such message: {0}")]
    NoMessage(u64),
    /// The entity has sessions, and the receiver holds none.
    #[error("the entity has sessions: one must be accepted first")]
    SessionRequired,
    /// The entity has no sessions.
    #[error("the entity has no sessions")]
    NoSessions,
    /// Another receiver holds the session.
    #[error("the session is held until {}", .0.0)]
    SessionHeld(Timestamp),
    /// The lock ran out or was given back.
    #[error("the session is no longer held")]
    SessionLost,
    /// There is a snapshot of that name.
    #[error("the snapshot exists")]
    SnapshotExists,
    /// There is no such snapshot.
    #[error("the snapshot does not exist")]
    NoSnapshot,
    /// The snapshot is of another topic.
    #[error("the snapshot is of another topic")]
    ForeignSnapshot,
    /// A task is moving from there.
    #[error("a task is already moving messages from there: {0}")]
    MoveRunning(u64),
    /// There is no such task, or it has ended.
    #[error("there is no such running task")]
    NoMove,
}

/// A snapshot of what a subscription had not acked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The topic of the subscription that it was taken of.
    pub topic: Option<EntityId>,
    /// When it was taken.
    pub created: Timestamp,
    /// When it goes by itself.
    pub expires: Timestamp,
    /// The front-end's own attributes.
    pub document: serde_json::Value,
    /// Messages of this id and later ones came after it.
    pub(crate) mark: u64,
    /// The earlier ones that were not acked.
    pub(crate) unacked: Arc<BTreeSet<u64>>,
    /// The number of the subscription.
    pub(crate) of: u64,
}

/// A move task as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveTask {
    /// Its number.
    pub task: u64,
    /// Where from.
    pub from: Place,
    /// Where to; `None` is where each message came from.
    pub to: Option<EntityId>,
    /// How many each second.
    pub per_second: u32,
    /// When it started.
    pub started: Timestamp,
    /// How many messages there were to move.
    pub to_move: u64,
    /// How many it has moved.
    pub moved: u64,
    /// How it stands.
    pub status: MoveStatus,
    /// What it has looked at is before this number.
    pub(crate) next: u64,
    /// What came after it started has this number or a later one.
    pub(crate) end: u64,
    /// The entity's number.
    pub(crate) of: u64,
}

/// How a move task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStatus {
    /// It is moving.
    Running,
    /// All that could be moved has been.
    Completed,
    /// It was stopped.
    Cancelled,
    /// The target is not there, or a message came from nowhere.
    Failed,
}
