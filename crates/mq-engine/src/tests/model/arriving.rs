//! Sent, fanned out, forwarded.

use std::rc::Rc;

use super::{Duplicate, FOREVER, Fate, Item, Model, Spot, Stuff, Way, millis};
use crate::{
    Denied, EntityKind, NewMessage, Origin, Part, Reason, Sent, Service, Start, Timestamp,
};

impl Model {
    pub(super) fn way(&self, stuff: Rc<Stuff>) -> Way {
        Way {
            stuff,
            sent: self.now,
            until: self.now,
            origin: None,
            sequence: None,
            count: 0,
            forwards: 0,
            through: Vec::new(),
        }
    }

    pub(in crate::tests) fn send(
        &mut self,
        entity: usize,
        message: &NewMessage,
    ) -> Result<Sent, Denied> {
        let settings = self.entities[entity].settings.clone();
        let group = message
            .group
            .clone()
            .filter(|_| settings.duplicates_per_group);
        let id = message.duplicate_id.clone();
        let looks = settings.duplicate_window.is_some();
        if let Some(first) = self.duplicates.iter().find(|one| {
            looks && one.entity == entity && one.group == group && Some(&one.id) == id.as_ref()
        }) {
            return Ok(Sent {
                duplicate: true,
                ..first.sent
            });
        }
        let service = self.entities[entity].id.service;
        let queue = self.entities[entity].id.kind == EntityKind::Queue;
        if queue && settings.ordered && service != Service::PubSub && message.group.is_none() {
            return Err(Denied::GroupMissing);
        }
        self.ids += 1;
        self.entities[entity].sequence += 1;
        let sent = Sent {
            id: self.ids,
            sequence: self.entities[entity].sequence,
            duplicate: false,
        };
        if let Some(id) = id.filter(|_| looks) {
            self.duplicates.push(Duplicate {
                entity,
                group,
                id,
                at: self.now,
                sent,
            });
        }
        let stuff = Rc::new(Stuff {
            id: sent.id,
            body: message.body.clone(),
            properties: message.properties.clone(),
            group: message.group.clone(),
            duplicate_id: message.duplicate_id.clone(),
            ttl: message.ttl,
        });
        let mut way = self.way(stuff);
        way.sequence = Some(sent.sequence);
        match message.start {
            Start::Usual => way.until += millis(settings.delay),
            Start::After(delay) => way.until += millis(delay),
            Start::At(time) if time.0 > self.now => {
                self.lay((entity, Part::Main), way, Some(Fate::Scheduled(time.0)));
                return Ok(sent);
            }
            Start::At(_) => {}
        }
        self.arrive(entity, way);
        Ok(sent)
    }

    pub(super) fn arrive(&mut self, entity: usize, mut way: Way) {
        let known = self.entities[entity].clone();
        way.through.push(entity);
        if known.id.kind == EntityKind::Topic {
            let mut takers: Vec<(u64, usize)> = Vec::new();
            for (index, other) in self.entities.iter().enumerate() {
                if other.settings.topic.as_ref() == Some(&known.id) {
                    takers.extend(other.number.map(|number| (number, index)));
                }
            }
            takers.sort_unstable();
            for (_, taker) in takers {
                for properties in self.entities[taker].filter.copies(&way.stuff.body) {
                    let mut copy = way.clone();
                    copy.sequence = None;
                    if let Some(properties) = properties {
                        copy.stuff = way.stuff.with(way.stuff.id, &properties);
                    }
                    self.arrive(taker, copy);
                }
            }
            return;
        }
        let Some(target) = &known.settings.forward_to else {
            self.lay((entity, Part::Main), way, None);
            return;
        };
        let mut origin = Origin {
            source: known.id.clone().into(),
            sequence: way.sequence.unwrap_or_default(),
            id: way.stuff.id,
            sent: Timestamp(way.sent),
            delivery_count: 0,
            reason: Reason::Forwarded,
        };
        let new = |target: &usize| way.forwards < 4 && !way.through.contains(target);
        match self.at(target).filter(new) {
            Some(target) => {
                way.origin = way.origin.or(Some(origin));
                way.sequence = None;
                way.forwards += 1;
                self.arrive(target, way);
            }
            None => {
                origin.reason = Reason::ForwardFailed;
                way.origin = Some(origin);
                self.lay((entity, Part::Dead), way, None);
            }
        }
    }

    pub(super) fn lay(&mut self, spot: Spot, way: Way, fate: Option<Fate>) {
        let sequence = way.sequence.unwrap_or_else(|| {
            self.entities[spot.0].sequence += 1;
            self.entities[spot.0].sequence
        });
        let held_back = Some(Fate::Delayed(way.until)).filter(|_| way.until > self.now);
        let scheduled = fate.is_some();
        let fate = fate.or(held_back).unwrap_or(Fate::Ready(self.rank(spot)));
        let ttl = way.stuff.ttl;
        let expires = self.ends(spot, way.sent, ttl, way.origin.as_ref());
        self.total(spot).arrived += 1;
        self.items.push(Item {
            spot,
            sequence,
            stuff: way.stuff,
            sent: way.sent,
            expires: if scheduled { FOREVER } else { expires },
            fate,
            lease: 0,
            first: None,
            count: way.count,
            deferred: false,
            origin: way.origin,
        });
        let acked_before = self.known(spot).acked_before;
        if spot.1 == Part::Main && acked_before.is_some_and(|time| way.sent < time) {
            self.finish(spot, sequence);
        }
    }
}
