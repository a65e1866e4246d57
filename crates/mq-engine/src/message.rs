//! What is sent, kept and handed out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::entity::{Place, Timestamp};

/// A message as a front-end gives it to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewMessage {
    /// The body.
    pub body: Bytes,
    /// The front-end's own encoding of everything else; the engine does not look into it.
    pub properties: Bytes,
    /// The ordering group, session or ordering key.
    pub group: Option<String>,
    /// By what a duplicate is recognised, where the entity looks for duplicates.
    pub duplicate_id: Option<String>,
    /// When it may be handed out.
    pub start: Start,
    /// How long it lives at most; the entity's retention caps it.
    pub ttl: Option<Duration>,
}

/// When a new message may be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Start {
    /// After the queue's own delay.
    #[default]
    Usual,
    /// After this delay instead.
    After(Duration),
    /// It is scheduled: until this time it can be cancelled, and then it arrives as a new one
    /// with a new sequence number.
    At(Timestamp),
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message, in all subscriptions that it goes to.
    pub id: u64,
    /// Its number in the entity that it was sent to.
    pub sequence: u64,
    /// Whether it was recognised as sent before; then these are the numbers of the first one,
    /// and nothing was added.
    pub duplicate: bool,
}

/// One handing out of a message; the next one of the same message has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Receipt {
    /// The message's number in its place.
    pub sequence: u64,
    /// Differs with every handing out in one engine.
    pub lease: u64,
}

/// A message as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// For settling; of no use when the receive took the message out.
    pub receipt: Receipt,
    /// What [`Sent`] told of it, or of the message that it was made from.
    pub id: u64,
    /// The body, shared with the engine.
    pub body: Bytes,
    /// The front-end's own encoding, shared with the engine.
    pub properties: Bytes,
    /// The ordering group, session or ordering key.
    pub group: Option<Arc<str>>,
    /// By what a duplicate is recognised.
    pub duplicate_id: Option<Arc<str>>,
    /// When it was sent, or came from elsewhere.
    pub sent: Timestamp,
    /// When it was first handed out, which may be now.
    pub first_received: Timestamp,
    /// 1 at the first time.
    pub delivery_count: u32,
    /// Until when it is this receiver's.
    pub leased_until: Timestamp,
    /// When it ends unless it is settled before.
    pub expires: Timestamp,
    /// How it came from elsewhere.
    pub origin: Option<Origin>,
}

/// A message as a peek shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// Its number in the place.
    pub sequence: u64,
    /// What [`Sent`] told of it.
    pub id: u64,
    /// The body, shared with the engine.
    pub body: Bytes,
    /// The front-end's own encoding, shared with the engine.
    pub properties: Bytes,
    /// The ordering group, session or ordering key.
    pub group: Option<Arc<str>>,
    /// When it was sent, or came from elsewhere.
    pub sent: Timestamp,
    /// How often it was handed out (SQS) or failed (the others) so far.
    pub delivery_count: u32,
    /// When it ends.
    pub expires: Timestamp,
    /// What it waits for.
    pub state: PeekedState,
    /// How it came from elsewhere.
    pub origin: Option<Origin>,
}

/// What a peeked message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeekedState {
    /// A receiver.
    Ready,
    /// A time, set by a delay or a failure.
    Delayed(Timestamp),
    /// The time that its sender gave.
    Scheduled(Timestamp),
    /// Its receiver.
    Leased(Timestamp),
    /// To be asked for by its number.
    Deferred,
}

/// Where a message was before, and why it is there no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Where it was.
    pub source: Place,
    /// Its number there.
    pub sequence: u64,
    /// Its id there.
    pub id: u64,
    /// When it was sent there.
    pub sent: Timestamp,
    /// How often it was handed out there.
    pub delivery_count: u32,
    /// Why it went.
    pub reason: Reason,
}

/// Why a message went from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// It was handed out too often.
    MaxDeliveries,
    /// Its time was over.
    Expired,
    /// A consumer wanted it so.
    Asked {
        /// In the consumer's words.
        reason: Option<String>,
        /// In the consumer's words.
        description: Option<String>,
    },
    /// The entity forwards what it gets.
    Forwarded,
    /// The entity forwards what it gets, and could not: the target is missing, or too many
    /// forwards lie behind.
    ForwardFailed,
    /// A move task took it.
    Moved,
}

/// What all copies of a message share. It never leaves the engine, so that its count of owners
/// says when the last copy is gone.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) id: u64,
    pub(crate) body: Bytes,
    pub(crate) properties: Bytes,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) duplicate_id: Option<Arc<str>>,
    /// How long it lives at most, in milliseconds; `u64::MAX` is without end.
    pub(crate) ttl_ms: u64,
}

impl Content {
    /// How long it lives at most.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        (self.ttl_ms != u64::MAX).then(|| Duration::from_millis(self.ttl_ms))
    }

    /// The bytes that a sender pays for.
    pub(crate) fn size(&self) -> u64 {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let size =
            self.body.len() + self.properties.len() + text(&self.group) + text(&self.duplicate_id);
        size as u64
    }

    /// The same under another id, with other properties where they are given.
    pub(crate) fn copy(&self, id: u64, properties: Option<Bytes>) -> Content {
        Content {
            id,
            body: self.body.clone(),
            properties: properties.unwrap_or_else(|| self.properties.clone()),
            group: self.group.clone(),
            duplicate_id: self.duplicate_id.clone(),
            ttl_ms: self.ttl_ms,
        }
    }
}

/// What one copy of a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// A receiver. Those of lower rank go first, and of one rank those of lower sequence number.
    Ready { rank: u64 },
    /// The end of a delay.
    Delayed { until: Timestamp },
    /// The time that its sender gave.
    Scheduled { until: Timestamp },
    /// Its receiver. Until [`Timestamp::FOREVER`] where the lock of its session says how long.
    Leased { until: Timestamp },
    /// To be asked for by its number.
    Deferred,
    /// Acked, but an earlier one of its ordering key is not: if that one fails, both come again.
    Settled,
    /// Acked, and kept for a seek.
    Retained,
}

/// One copy of a message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) content: Arc<Content>,
    pub(crate) sent: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) state: State,
    /// The newest lease; 0 is none, or one that no longer counts.
    pub(crate) lease: u64,
    /// [`Timestamp::FOREVER`] until it is.
    pub(crate) first_received: Timestamp,
    pub(crate) delivery_count: u32,
    /// Whether it goes back to the deferred ones rather than to the queue.
    pub(crate) deferred: bool,
    pub(crate) origin: Option<Box<Origin>>,
}

/// A message's own bound on its life, unless that was over already when it came from elsewhere:
/// then only the entity's counts.
pub(crate) fn own_ttl(content: &Content, origin: Option<&Origin>) -> Option<Duration> {
    let over = origin.is_some_and(|origin| origin.reason == Reason::Expired);
    content.ttl().filter(|_| !over)
}

impl Message {
    /// As it goes to a receiver.
    pub(crate) fn delivery(&self, sequence: u64, count: u32, until: Timestamp) -> Delivery {
        let content = &self.content;
        Delivery {
            receipt: Receipt {
                sequence,
                lease: self.lease,
            },
            id: content.id,
            body: content.body.clone(),
            properties: content.properties.clone(),
            group: content.group.clone(),
            duplicate_id: content.duplicate_id.clone(),
            sent: self.sent,
            first_received: self.first_received,
            delivery_count: count,
            leased_until: until,
            expires: self.expires,
            origin: self.origin.as_deref().cloned(),
        }
    }

    /// As a peek shows it; what is acked is not shown.
    pub(crate) fn peeked(&self, sequence: u64) -> Option<Peeked> {
        let state = match self.state {
            State::Ready { .. } => PeekedState::Ready,
            State::Delayed { until } => PeekedState::Delayed(until),
            State::Scheduled { until } => PeekedState::Scheduled(until),
            State::Leased { until } => PeekedState::Leased(until),
            State::Deferred => PeekedState::Deferred,
            State::Settled | State::Retained => return None,
        };
        Some(Peeked {
            sequence,
            id: self.content.id,
            body: self.content.body.clone(),
            properties: self.content.properties.clone(),
            group: self.content.group.clone(),
            sent: self.sent,
            delivery_count: self.delivery_count,
            expires: self.expires,
            state,
            origin: self.origin.as_deref().cloned(),
        })
    }
}
