//! How a message comes into an entity: sent, fanned out, forwarded, activated, or as a dead
//! letter.

use std::sync::Arc;

use crate::engine::Engine;
use crate::entity::{EntityKind, Part, Timestamp};
use crate::message::{Content, Message, Origin, Reason, State, own_ttl};

/// How often a message is forwarded in a row:
/// <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-auto-forwarding>.
const FORWARDS_MAX: u8 = 4;

/// A message on its way into an entity.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) content: Arc<Content>,
    /// The time from which its retention counts, and that receivers see.
    pub(crate) sent: Timestamp,
    /// Until when it is held back.
    pub(crate) until: Timestamp,
    pub(crate) origin: Option<Box<Origin>>,
    /// Its number in the first entity, where it has one already.
    pub(crate) sequence: Option<u64>,
    pub(crate) delivery_count: u32,
    /// How many forwards lie behind it.
    pub(crate) forwards: u8,
    /// The entities that it has gone through on its way: it does not go through one twice, or a
    /// few subscriptions that forward to their own topic would make copies without end.
    pub(crate) through: Vec<u64>,
}

impl Arrival {
    /// A message that is new to the entity that it goes to.
    pub(crate) fn new(content: Arc<Content>, now: Timestamp) -> Self {
        Arrival {
            content,
            sent: now,
            until: now,
            origin: None,
            sequence: None,
            delivery_count: 0,
            forwards: 0,
            through: Vec::new(),
        }
    }

    /// The same with another content, for one subscription of several.
    pub(crate) fn copy(&self, content: Arc<Content>) -> Arrival {
        Arrival {
            content,
            sent: self.sent,
            until: self.until,
            origin: self.origin.clone(),
            sequence: None,
            delivery_count: 0,
            forwards: self.forwards,
            through: self.through.clone(),
        }
    }
}

impl Engine {
    /// Brings a message to where the entity puts it: to subscriptions, to the next entity, or
    /// among its own.
    pub(crate) fn arrive(&mut self, number: u64, mut arrival: Arrival) {
        let Some(slot) = self.slots.get(&number) else {
            self.memory.release(arrival.content);
            return;
        };
        if slot.entity.id.kind == EntityKind::Topic {
            arrival.through.push(number);
            self.fan_out(number, arrival);
            return;
        }
        let Some(target) = &slot.entity.settings.forward_to else {
            self.put(number, Part::Main, arrival);
            return;
        };
        let target = self.by_id.get(target).copied();
        let mut origin = Origin {
            source: slot.entity.id.clone().into(),
            sequence: arrival.sequence.unwrap_or_default(),
            id: arrival.content.id,
            sent: arrival.sent,
            delivery_count: 0,
            reason: Reason::Forwarded,
        };
        let goes = arrival.forwards < FORWARDS_MAX;
        arrival.through.push(number);
        match target.filter(|target| goes && !arrival.through.contains(target)) {
            Some(target) => {
                // The first one tells where the message was submitted.
                arrival.origin.get_or_insert_with(|| Box::new(origin));
                arrival.sequence = None;
                arrival.forwards += 1;
                self.arrive(target, arrival);
            }
            None => {
                origin.reason = Reason::ForwardFailed;
                arrival.origin = Some(Box::new(origin));
                self.put(number, Part::Dead, arrival);
            }
        }
    }

    /// Puts a message among those of one part of an entity.
    pub(crate) fn put(&mut self, number: u64, part: Part, arrival: Arrival) {
        let rules = self.rules(number, part);
        let now = self.clock;
        let Some(slot) = self.slots.get_mut(&number) else {
            self.memory.release(arrival.content);
            return;
        };
        let sequence = arrival.sequence.unwrap_or_else(|| slot.next_sequence());
        if planted!(LostMessage, arrival.content.id.is_multiple_of(7), false) {
            self.memory.release(arrival.content);
            return;
        }
        let state = if arrival.until > now {
            State::Delayed {
                until: arrival.until,
            }
        } else {
            State::Ready {
                rank: rules.rank(now),
            }
        };
        let ttl = own_ttl(&arrival.content, arrival.origin.as_deref());
        let message = Message {
            expires: rules.expires(arrival.sent, ttl.filter(|_| part == Part::Main)),
            content: arrival.content,
            sent: arrival.sent,
            state,
            lease: 0,
            first_received: Timestamp::FOREVER,
            delivery_count: arrival.delivery_count,
            deferred: false,
            origin: arrival.origin,
        };
        let store = slot.store(part);
        store.insert(sequence, message, &mut self.memory);
        if store
            .replay
            .acked_before
            .is_some_and(|time| arrival.sent < time)
        {
            store.finish(sequence, &rules, &mut self.memory);
        }
        self.touch(number);
    }
}
