//! The reference: plain vectors, searched from end to end for everything.
//!
//! It was written from what the services promise and shares no code with the engine beside the
//! public types, so that the two are unlikely to be wrong in the same way.

mod arriving;
mod leaving;
mod operating;
mod receiving;
mod rules;
mod sessions;
mod settling;
mod time;

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::world::Known;
use crate::{
    Delivery, EntityId, Holdings, MoveStatus, Origin, Part, Peeked, PeekedState, Place, Receipt,
    Sent, Service, Timestamp,
};

pub(super) const FOREVER: u64 = u64::MAX;

/// Where: the entity's place in the list, and the part.
pub(super) type Spot = (usize, Part);

pub(super) fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

#[derive(Debug)]
pub(super) struct Stuff {
    id: u64,
    body: Bytes,
    properties: Bytes,
    group: Option<String>,
    duplicate_id: Option<String>,
    ttl: Option<Duration>,
}

impl Stuff {
    fn size(&self) -> u64 {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        (self.body.len() + self.properties.len() + text(&self.group) + text(&self.duplicate_id))
            as u64
    }

    fn with(&self, id: u64, properties: &Bytes) -> Rc<Stuff> {
        Rc::new(Stuff {
            id,
            body: self.body.clone(),
            properties: properties.clone(),
            group: self.group.clone(),
            duplicate_id: self.duplicate_id.clone(),
            ttl: self.ttl,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Ready(u64),
    Delayed(u64),
    Scheduled(u64),
    Leased(u64),
    Deferred,
    Settled,
    Retained,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) spot: Spot,
    pub(super) sequence: u64,
    stuff: Rc<Stuff>,
    sent: u64,
    pub(super) expires: u64,
    pub(super) fate: Fate,
    pub(super) lease: u64,
    first: Option<u64>,
    pub(super) count: u32,
    deferred: bool,
    origin: Option<Origin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Call(u64),
    Consumer(u64),
}

#[derive(Debug)]
pub(super) struct Locked {
    pub(super) spot: Spot,
    pub(super) key: String,
    pub(super) lock: Option<(u64, u64)>,
    pub(super) state: Option<Bytes>,
}

#[derive(Debug)]
struct Duplicate {
    entity: usize,
    group: Option<String>,
    id: String,
    at: u64,
    sent: Sent,
}

#[derive(Debug)]
pub(super) struct Snap {
    pub(super) name: String,
    pub(super) of: usize,
    topic: Option<EntityId>,
    mark: u64,
    unacked: Vec<u64>,
    pub(super) expires: u64,
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) task: u64,
    pub(super) spot: Spot,
    to: Option<EntityId>,
    step: u64,
    at: u64,
    next: u64,
    end: u64,
    pub(super) moved: u64,
    pub(super) status: MoveStatus,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: u64,
    pub(super) entities: Vec<Known>,
    pub(super) items: Vec<Item>,
    duplicates: Vec<Duplicate>,
    pub(super) locked: Vec<Locked>,
    holders: Vec<(Spot, String, Holder)>,
    pub(super) snaps: Vec<Snap>,
    pub(super) tasks: Vec<Task>,
    attempts: Vec<(Spot, String, u64, Vec<Receipt>)>,
    totals: Vec<(Spot, Holdings)>,
    ids: u64,
    leases: u64,
}

/// A message on its way.
#[derive(Debug, Clone)]
struct Way {
    stuff: Rc<Stuff>,
    sent: u64,
    until: u64,
    origin: Option<Origin>,
    sequence: Option<u64>,
    count: u32,
    forwards: u32,
    through: Vec<usize>,
}

impl Model {
    pub(super) fn new(now: u64, entities: Vec<Known>) -> Self {
        Model {
            now,
            entities,
            ..Model::default()
        }
    }

    pub(super) fn at(&self, id: &EntityId) -> Option<usize> {
        self.entities
            .iter()
            .position(|known| known.number.is_some() && known.id == *id)
    }

    pub(super) fn place(&self, spot: Spot) -> Place {
        Place {
            id: self.entities[spot.0].id.clone(),
            part: spot.1,
        }
    }

    pub(super) fn item(&self, spot: Spot, sequence: u64) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| item.spot == spot && item.sequence == sequence)
    }

    fn item_mut(&mut self, spot: Spot, sequence: u64) -> Option<&mut Item> {
        self.items
            .iter_mut()
            .find(|item| item.spot == spot && item.sequence == sequence)
    }

    fn known(&self, spot: Spot) -> &Known {
        &self.entities[spot.0]
    }

    fn service(&self, spot: Spot) -> Service {
        self.known(spot).id.service
    }

    fn ordered(&self, spot: Spot) -> bool {
        self.known(spot).settings.ordered && spot.1 == Part::Main
    }

    /// Whether the messages of a spot are those of one service kept in groups.
    fn groups_of(&self, spot: Spot, service: Service) -> bool {
        self.ordered(spot) && self.service(spot) == service
    }

    fn key(&self, item: &Item) -> Option<String> {
        if !self.ordered(item.spot) {
            return None;
        }
        let group = item.stuff.group.clone();
        if self.service(item.spot) == Service::PubSub {
            return group.filter(|group| !group.is_empty());
        }
        Some(group.unwrap_or_default())
    }

    fn total(&mut self, spot: Spot) -> &mut Holdings {
        let found = self.totals.iter().position(|(at, _)| *at == spot);
        let index = found.unwrap_or_else(|| {
            self.totals.push((spot, Holdings::default()));
            self.totals.len() - 1
        });
        &mut self.totals[index].1
    }

    pub(super) fn holdings(&self, spot: Spot) -> Holdings {
        let total = self.totals.iter().find(|(at, _)| *at == spot);
        let mut holdings = total.map(|(_, total)| *total).unwrap_or_default();
        for item in self.items.iter().filter(|item| item.spot == spot) {
            holdings.bytes += item.stuff.size();
            match item.fate {
                Fate::Ready(_) => holdings.visible += 1,
                Fate::Delayed(_) => holdings.delayed += 1,
                Fate::Scheduled(_) => holdings.scheduled += 1,
                Fate::Leased(_) | Fate::Settled => holdings.leased += 1,
                Fate::Deferred => holdings.deferred += 1,
                Fate::Retained => holdings.retained += 1,
            }
        }
        holdings
    }

    /// What all of it weighs: 320 bytes for each copy, 160 for each remembered duplicate id.
    pub(super) fn memory(&self) -> u64 {
        let mut contents: Vec<&Rc<Stuff>> = self.items.iter().map(|item| &item.stuff).collect();
        contents.sort_unstable_by_key(|stuff| Rc::as_ptr(stuff));
        contents.dedup_by(|one, other| Rc::ptr_eq(one, other));
        let bodies: u64 = contents.iter().map(|stuff| stuff.size()).sum();
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let duplicates: usize = self
            .duplicates
            .iter()
            .map(|one| 160 + one.id.len() + len(&one.group))
            .sum();
        let states: usize = self
            .locked
            .iter()
            .map(|one| one.state.as_ref().map_or(0, Bytes::len))
            .sum();
        bodies + 320 * self.items.len() as u64 + (duplicates + states) as u64
    }

    pub(super) fn peek(&self, spot: Spot) -> Vec<Peeked> {
        let mut items: Vec<&Item> = self.items.iter().filter(|item| item.spot == spot).collect();
        items.sort_by_key(|item| item.sequence);
        let peeked = |item: &&Item| {
            let state = match item.fate {
                Fate::Ready(_) => PeekedState::Ready,
                Fate::Delayed(time) => PeekedState::Delayed(Timestamp(time)),
                Fate::Scheduled(time) => PeekedState::Scheduled(Timestamp(time)),
                Fate::Leased(time) => PeekedState::Leased(Timestamp(time)),
                Fate::Deferred => PeekedState::Deferred,
                Fate::Settled | Fate::Retained => return None,
            };
            Some(Peeked {
                sequence: item.sequence,
                id: item.stuff.id,
                body: item.stuff.body.clone(),
                properties: item.stuff.properties.clone(),
                group: item.stuff.group.as_deref().map(Into::into),
                sent: Timestamp(item.sent),
                delivery_count: item.count,
                expires: Timestamp(item.expires),
                state,
                origin: item.origin.clone(),
            })
        };
        items.iter().filter_map(peeked).collect()
    }
}

/// As it goes to a receiver.
fn delivery(item: &Item, count: u32, until: u64) -> Delivery {
    Delivery {
        receipt: Receipt {
            sequence: item.sequence,
            lease: item.lease,
        },
        id: item.stuff.id,
        body: item.stuff.body.clone(),
        properties: item.stuff.properties.clone(),
        group: item.stuff.group.as_deref().map(Into::into),
        duplicate_id: item.stuff.duplicate_id.as_deref().map(Into::into),
        sent: Timestamp(item.sent),
        first_received: Timestamp(item.first.unwrap_or(item.sent)),
        delivery_count: count,
        leased_until: Timestamp(until),
        expires: Timestamp(item.expires),
        origin: item.origin.clone(),
    }
}
