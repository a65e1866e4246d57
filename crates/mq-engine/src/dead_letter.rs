//! Where dead letters go.

use crate::arrival::Arrival;
use crate::engine::Engine;
use crate::entity::{EntityKind, Part, Place, Service};
use crate::message::{Message, Origin, Reason};
use crate::rules::dead_letter_keeps_age;
use crate::store::Casualty;

impl Engine {
    /// Whether the dead letters of this entity have somewhere to go: a target that is there, or
    /// a part of the entity itself.
    pub(crate) fn dead_letters_go(&self, number: u64) -> bool {
        let Some(slot) = self.slots.get(&number) else {
            return false;
        };
        let target = slot.entity.settings.dead_letter.as_ref();
        slot.entity.id.service == Service::ServiceBus
            || target.is_some_and(|target| self.by_id.contains_key(target))
    }

    /// Brings dead letters to where this entity's go.
    pub(crate) fn bury(&mut self, number: u64, part: Part, casualties: Vec<Casualty>) {
        for casualty in casualties {
            self.bury_one(number, part, casualty);
        }
    }

    fn bury_one(&mut self, number: u64, part: Part, casualty: Casualty) {
        let Some(slot) = self.slots.get(&number) else {
            self.memory.release(casualty.message.content);
            return;
        };
        let place = Place {
            id: slot.entity.id.clone(),
            part,
        };
        let target = slot.entity.settings.dead_letter.as_ref();
        let target = target.and_then(|target| self.by_id.get(target)).copied();
        let origin = origin(place, casualty.sequence, &casualty.message, casualty.reason);
        match target.filter(|_| part == Part::Main) {
            Some(target) => self.send_dead(target, casualty.message, origin),
            None => {
                let message = casualty.message;
                let arrival = Arrival {
                    sent: message.sent,
                    origin: Some(Box::new(origin)),
                    delivery_count: message.delivery_count,
                    ..Arrival::new(message.content, self.clock)
                };
                self.put(number, Part::Dead, arrival);
            }
        }
    }

    fn send_dead(&mut self, target: u64, message: Message, origin: Origin) {
        let Some(slot) = self.slots.get(&target) else {
            self.memory.release(message.content);
            return;
        };
        let id = &slot.entity.id;
        let keeps_age = dead_letter_keeps_age(id.service, &slot.entity.settings);
        let publishes = id.kind == EntityKind::Topic;
        let sent = if planted!(RetentionRestarts, false, keeps_age) {
            message.sent
        } else {
            self.clock
        };
        let mut content = message.content;
        if publishes {
            // To a topic it is a message like any other, with an id of its own.
            let copy = content.copy(self.next_id(), None);
            let copy = self.memory.hold(copy);
            self.memory.release(std::mem::replace(&mut content, copy));
        }
        let arrival = Arrival {
            sent,
            origin: Some(Box::new(origin)),
            ..Arrival::new(content, self.clock)
        };
        self.arrive(target, arrival);
    }
}

/// What a message tells of the place that it leaves.
pub(crate) fn origin(source: Place, sequence: u64, message: &Message, reason: Reason) -> Origin {
    Origin {
        source,
        sequence,
        id: message.content.id,
        sent: message.sent,
        delivery_count: message.delivery_count,
        reason,
    }
}
