//! Sending: what is refused, what is a duplicate, what waits for its time.

use std::sync::Arc;

use crate::arrival::Arrival;
use crate::dedup::Key;
use crate::engine::Engine;
use crate::entity::{EntityId, EntityKind, Part, Timestamp};
use crate::memory::COPY_BYTES;
use crate::message::{Content, Message, NewMessage, Sent, Start, State};
use crate::operation::{Denied, Outcome};
use crate::rules::Mode;

impl Engine {
    pub(crate) fn send(
        &mut self,
        to: &EntityId,
        messages: Vec<NewMessage>,
        whole: bool,
    ) -> Result<Outcome, Denied> {
        if to.kind == EntityKind::Subscription {
            return Err(Denied::WrongKind);
        }
        let number = *self.by_id.get(to).ok_or(Denied::NotFound)?;
        if whole {
            let mut before = 0;
            for message in &messages {
                self.check(number, message, before)?;
                before += self.weight(number, message);
            }
        }
        let sent = messages
            .into_iter()
            .map(|message| self.send_one(number, message))
            .collect();
        Ok(Outcome::Sent(sent))
    }

    fn send_one(&mut self, number: u64, message: NewMessage) -> Result<Sent, Denied> {
        let now = self.clock;
        let group: Option<Arc<str>> = message.group.as_deref().map(Arc::from);
        let duplicate_id: Option<Arc<str>> = message.duplicate_id.as_deref().map(Arc::from);
        let key = self.duplicate_key(number, group.as_ref(), duplicate_id.as_ref());
        if let Some(first) = self.first_of(number, key.as_ref()) {
            return Ok(Sent {
                duplicate: true,
                ..first
            });
        }
        self.check(number, &message, 0)?;
        let id = self.next_id();
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let sent = Sent {
            id,
            sequence: slot.next_sequence(),
            duplicate: false,
        };
        if let Some(key) = key {
            let seen = slot.seen.get_or_insert_default();
            seen.note(key, sent, now, &mut self.memory);
        }
        let delay = slot.entity.settings.delay;
        let content = self.memory.hold(Content {
            id,
            body: message.body,
            properties: message.properties,
            group,
            duplicate_id,
            ttl_ms: message
                .ttl
                .map_or(u64::MAX, |ttl| Timestamp(0).after(ttl).0),
        });
        let until = match message.start {
            Start::Usual => now.after(delay),
            Start::After(delay) => now.after(delay),
            Start::At(time) if time > now => {
                self.schedule(number, sent.sequence, content, time);
                return Ok(sent);
            }
            Start::At(_) => now,
        };
        let arrival = Arrival {
            until,
            sequence: Some(sent.sequence),
            ..Arrival::new(content, now)
        };
        self.arrive(number, arrival);
        self.touch(number);
        Ok(sent)
    }

    /// Keeps a message until its time. Its life begins then.
    fn schedule(&mut self, number: u64, sequence: u64, content: Arc<Content>, until: Timestamp) {
        let message = Message {
            content,
            sent: self.clock,
            expires: Timestamp::FOREVER,
            state: State::Scheduled { until },
            lease: 0,
            first_received: Timestamp::FOREVER,
            delivery_count: 0,
            deferred: false,
            origin: None,
        };
        if let Some(slot) = self.slots.get_mut(&number) {
            let store = slot.store(Part::Main);
            store.insert(sequence, message, &mut self.memory);
        }
        self.touch(number);
    }

    /// Takes scheduled messages back.
    pub(crate) fn cancel(&mut self, to: &EntityId, sequences: &[u64]) -> Result<Outcome, Denied> {
        let number = *self.by_id.get(to).ok_or(Denied::NotFound)?;
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let store = slot.store(Part::Main);
        for sequence in sequences {
            store
                .messages
                .get(*sequence)
                .filter(|message| matches!(message.state, State::Scheduled { .. }))
                .ok_or(Denied::NoMessage(*sequence))?;
        }
        for sequence in planted!(CancelledDelivered, &[], sequences) {
            if let Some(message) = store.take(*sequence, &mut self.memory) {
                store.holdings.left += 1;
                self.memory.release(message.content);
            }
        }
        self.touch(number);
        Ok(Outcome::Done)
    }

    /// By what this entity would know the message again; `None` where it does not look.
    fn duplicate_key(
        &self,
        number: u64,
        group: Option<&Arc<str>>,
        id: Option<&Arc<str>>,
    ) -> Option<Key> {
        let settings = &self.slots.get(&number)?.entity.settings;
        settings.duplicate_window?;
        let group = group.filter(|_| settings.duplicates_per_group);
        Some((group.cloned(), id?.clone()))
    }

    fn first_of(&mut self, number: u64, key: Option<&Key>) -> Option<Sent> {
        let slot = self.slots.get_mut(&number)?;
        let window = slot.entity.settings.duplicate_window;
        let seen = slot.seen.as_mut()?;
        seen.forget(window, self.clock, &mut self.memory);
        seen.get(key?)
    }

    /// Whether the entity takes the message, when as many bytes come before it.
    fn check(&self, number: u64, message: &NewMessage, before: u64) -> Result<(), Denied> {
        let slot = self.slots.get(&number).ok_or(Denied::NotFound)?;
        let mode = Mode::of(&slot.entity, Part::Main);
        if matches!(mode, Mode::Fifo | Mode::Sessions) && message.group.is_none() {
            return Err(Denied::GroupMissing);
        }
        let (held, size) = (slot.bytes(), size(message));
        if let Some(max) = slot.entity.settings.bytes_max
            && held.saturating_add(before).saturating_add(size) > max
        {
            return Err(Denied::EntityFull { held, max });
        }
        self.memory.check(before + self.weight(number, message))
    }

    /// What the message will take, in all the places that it may go to.
    fn weight(&self, number: u64, message: &NewMessage) -> u64 {
        let copies = match self.slots.get(&number).map(|slot| slot.entity.id.kind) {
            Some(EntityKind::Topic) => self.subscriber_count(number).max(1),
            _ => 1,
        };
        size(message) + copies * COPY_BYTES
    }
}

/// The bytes that a sender pays for.
fn size(message: &NewMessage) -> u64 {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let size = message.body.len()
        + message.properties.len()
        + text(&message.group)
        + text(&message.duplicate_id);
    size as u64
}
