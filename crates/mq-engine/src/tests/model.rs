//! The reference: plain vectors, searched from end to end for everything.
//!
//! It was written from what the services promise and shares no code with the engine beside the
//! public types, so that the two are unlikely to be wrong in the same way.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::world::Known;
use crate::{
    Delivery, Denied, EntityId, EntityKind, Holdings, MoveStatus, NewMessage, NotYours, Origin,
    Part, Peeked, PeekedState, Place, Reason, Receipt, Receive, Sent, Service, SessionLock, Settle,
    Settled, Start, Timestamp,
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
}

impl Model {
    pub(super) fn new(now: u64, entities: Vec<Known>) -> Self {
        Model {
            now,
            entities,
            ..Model::default()
        }
    }

    // Looking.

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

    // The rules of the services.

    fn dead_letters_go(&self, entity: usize) -> bool {
        let known = &self.entities[entity];
        let target = known.settings.dead_letter.as_ref();
        known.id.service == Service::ServiceBus || target.is_some_and(|id| self.at(id).is_some())
    }

    fn max_deliveries(&self, spot: Spot) -> Option<u32> {
        let max = self.known(spot).settings.max_deliveries;
        max.filter(|_| spot.1 == Part::Main && self.dead_letters_go(spot.0))
    }

    fn ends(&self, spot: Spot, sent: u64, ttl: Option<Duration>) -> u64 {
        if spot.1 == Part::Dead {
            return FOREVER;
        }
        let retention = self.known(spot).settings.retention;
        let life = retention.into_iter().chain(ttl).min();
        life.map_or(FOREVER, |life| sent + millis(life))
    }

    fn rank(&self, spot: Spot) -> u64 {
        if self.service(spot) == Service::ServiceBus {
            return 0;
        }
        self.now
    }

    // Time.

    /// The next time at which something happens, and to what: an entity by its number, then a
    /// task by its number, then a snapshot by its name.
    pub(super) fn next_event(&self) -> Option<(u64, u8, u64, &str)> {
        let mut events = Vec::new();
        for item in &self.items {
            let number = self.known(item.spot).number.unwrap_or_default();
            let finishes = matches!(item.fate, Fate::Leased(_))
                && self.service(item.spot) == Service::ServiceBus;
            if !matches!(item.fate, Fate::Scheduled(_)) && item.expires != FOREVER && !finishes {
                events.push((item.expires, 0, number, ""));
            }
            if let Fate::Delayed(time) | Fate::Scheduled(time) | Fate::Leased(time) = item.fate
                && time != FOREVER
            {
                events.push((time, 0, number, ""));
            }
        }
        for one in &self.locked {
            if let Some((_, until)) = one.lock {
                let number = self.known(one.spot).number.unwrap_or_default();
                events.push((until, 0, number, ""));
            }
        }
        for task in &self.tasks {
            if task.status == MoveStatus::Running {
                events.push((task.at, 1, task.task, ""));
            }
        }
        for snap in &self.snaps {
            events.push((snap.expires, 2, 0, &*snap.name));
        }
        events.into_iter().min()
    }

    pub(super) fn advance(&mut self, now: u64) {
        while let Some((time, kind, number, name)) = self.next_event()
            && time <= now
        {
            let name = name.to_owned();
            self.now = self.now.max(time);
            match kind {
                0 => self.fire(number),
                1 => self.step_task(number),
                _ => self.drop_snapshot(&name).unwrap(),
            }
        }
        self.now = self.now.max(now);
        let (now, entities) = (self.now, &self.entities);
        let window = |entity: usize| {
            entities[entity]
                .settings
                .duplicate_window
                .unwrap_or_default()
        };
        self.duplicates
            .retain(|one| one.at + millis(window(one.entity)) > now);
        self.attempts.retain(|(_, _, at, _)| at + 300_000 > now);
    }

    /// When the window of some message's id ends.
    pub(super) fn next_window_end(&self) -> Option<u64> {
        let window = |entity: usize| self.entities[entity].settings.duplicate_window;
        let ends = |one: &Duplicate| Some(one.at + millis(window(one.entity)?));
        self.duplicates.iter().filter_map(ends).min()
    }

    fn fire(&mut self, number: u64) {
        let entity = self
            .entities
            .iter()
            .position(|known| known.number == Some(number))
            .unwrap();
        for part in [Part::Main, Part::Dead] {
            let spot = (entity, part);
            let mut dead = Vec::new();
            let mut activated = Vec::new();
            while let Some(sequence) = self.first_expired(spot) {
                dead.extend(self.expire(spot, sequence));
            }
            while let Some((sequence, fate)) = self.first_due(spot) {
                match fate {
                    Fate::Leased(_) => dead.extend(self.fail(spot, sequence, None)),
                    Fate::Scheduled(_) => {
                        activated.push(self.remove(spot, sequence));
                        self.total(spot).left += 1;
                    }
                    _ => {
                        let rank = self.rank(spot);
                        self.item_mut(spot, sequence).unwrap().fate = Fate::Ready(rank);
                    }
                }
            }
            while let Some(key) = self.first_lost_lock(spot) {
                for sequence in self.unlock(spot, &key) {
                    dead.extend(self.fail(spot, sequence, None));
                }
            }
            for (item, reason) in dead {
                self.bury(item, reason);
            }
            for item in activated {
                let way = self.way(item.stuff);
                self.arrive(entity, way);
            }
        }
    }

    fn first_expired(&self, spot: Spot) -> Option<u64> {
        let finishes = self.service(spot) == Service::ServiceBus;
        self.items
            .iter()
            .filter(|item| item.spot == spot && item.expires <= self.now)
            .filter(|item| !matches!(item.fate, Fate::Scheduled(_)))
            .filter(|item| !(finishes && matches!(item.fate, Fate::Leased(_))))
            .min_by_key(|item| (item.expires, item.sequence))
            .map(|item| item.sequence)
    }

    fn first_due(&self, spot: Spot) -> Option<(u64, Fate)> {
        let due = |item: &&Item| match item.fate {
            Fate::Delayed(time) | Fate::Scheduled(time) | Fate::Leased(time) => {
                Some((time, item.sequence))
            }
            _ => None,
        };
        self.items
            .iter()
            .filter(|item| item.spot == spot && due(item).is_some_and(|(time, _)| time <= self.now))
            .min_by_key(due)
            .map(|item| (item.sequence, item.fate))
    }

    fn first_lost_lock(&self, spot: Spot) -> Option<String> {
        self.locked
            .iter()
            .filter(|one| one.spot == spot)
            .filter_map(|one| one.lock.map(|(_, until)| (until, &one.key)))
            .filter(|(until, _)| *until <= self.now)
            .min()
            .map(|(_, key)| key.clone())
    }

    // Coming in.

    fn way(&self, stuff: Rc<Stuff>) -> Way {
        Way {
            stuff,
            sent: self.now,
            until: self.now,
            origin: None,
            sequence: None,
            count: 0,
            forwards: 0,
        }
    }

    pub(super) fn send(&mut self, entity: usize, message: &NewMessage) -> Result<Sent, Denied> {
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

    fn arrive(&mut self, entity: usize, mut way: Way) {
        let known = self.entities[entity].clone();
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
        match self.at(target).filter(|_| way.forwards < 4) {
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

    fn lay(&mut self, spot: Spot, way: Way, fate: Option<Fate>) {
        let sequence = way.sequence.unwrap_or_else(|| {
            self.entities[spot.0].sequence += 1;
            self.entities[spot.0].sequence
        });
        let held_back = Some(Fate::Delayed(way.until)).filter(|_| way.until > self.now);
        let scheduled = fate.is_some();
        let fate = fate.or(held_back).unwrap_or(Fate::Ready(self.rank(spot)));
        let ttl = way.stuff.ttl;
        let expires = self.ends(spot, way.sent, ttl);
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

    // Going out.

    fn remove(&mut self, spot: Spot, sequence: u64) -> Item {
        let index = self
            .items
            .iter()
            .position(|item| item.spot == spot && item.sequence == sequence);
        self.items.remove(index.unwrap())
    }

    fn expire(&mut self, spot: Spot, sequence: u64) -> Option<(Item, Reason)> {
        let item = self.remove(spot, sequence);
        let acked = matches!(item.fate, Fate::Settled | Fate::Retained);
        let dead = self.known(spot).settings.dead_letter_expired && spot.1 == Part::Main;
        if dead && self.dead_letters_go(spot.0) && !acked {
            self.total(spot).left += 1;
            return Some((item, Reason::Expired));
        }
        match item.fate {
            Fate::Settled => self.total(spot).acked += 1,
            Fate::Retained => {}
            _ => self.total(spot).expired += 1,
        }
        let key = self.key(&item);
        self.finish_settled(spot, key.as_ref());
        None
    }

    fn fail(
        &mut self,
        spot: Spot,
        sequence: u64,
        delay: Option<Duration>,
    ) -> Option<(Item, Reason)> {
        let counts = self.service(spot) != Service::Sqs;
        let retry = self.known(spot).settings.retry;
        let max = self.max_deliveries(spot);
        let item = self.item_mut(spot, sequence)?;
        item.count += u32::from(counts);
        let count = item.count;
        let copy = item.clone();
        let casualty = if counts && max.is_some_and(|max| count >= max) {
            self.total(spot).left += 1;
            Some((self.remove(spot, sequence), Reason::MaxDeliveries))
        } else {
            let backoff = retry.map(|retry| {
                let grown = u128::from(millis(retry.min)) << (count - 1).min(40);
                Duration::from_millis(grown.min(u128::from(millis(retry.max))) as u64)
            });
            self.put_back(spot, sequence, delay.or(backoff).unwrap_or_default())
        };
        if self.groups_of(spot, Service::PubSub)
            && let Some(key) = self.key(&copy)
        {
            let rank = self.rank(spot);
            for other in self.out(spot, &key) {
                if other >= sequence {
                    let item = self.item_mut(spot, other).unwrap();
                    item.fate = Fate::Ready(rank);
                    item.lease = 0;
                }
            }
            self.finish_settled(spot, Some(&key));
        }
        casualty
    }

    fn put_back(&mut self, spot: Spot, sequence: u64, wait: Duration) -> Option<(Item, Reason)> {
        let (now, rank) = (self.now, self.rank(spot));
        let item = self.item_mut(spot, sequence)?;
        item.fate = if item.deferred {
            Fate::Deferred
        } else if wait.is_zero() {
            Fate::Ready(rank)
        } else {
            Fate::Delayed(now + millis(wait))
        };
        if item.expires <= now {
            return self.expire(spot, sequence);
        }
        None
    }

    /// The messages of a group that are out, in order.
    fn out(&self, spot: Spot, key: &str) -> Vec<u64> {
        let out = |item: &&Item| matches!(item.fate, Fate::Leased(_) | Fate::Settled);
        let mut all: Vec<u64> = self
            .items
            .iter()
            .filter(|item| item.spot == spot && self.key(item).as_deref() == Some(key))
            .filter(out)
            .map(|item| item.sequence)
            .collect();
        all.sort_unstable();
        all
    }

    fn finish_settled(&mut self, spot: Spot, key: Option<&String>) {
        let Some(key) = key.filter(|_| self.groups_of(spot, Service::PubSub)) else {
            return;
        };
        for sequence in self.out(spot, key) {
            if self.item(spot, sequence).unwrap().fate != Fate::Settled {
                return;
            }
            self.finish(spot, sequence);
        }
    }

    fn finish(&mut self, spot: Spot, sequence: u64) {
        let id = self.item(spot, sequence).unwrap().stuff.id;
        let needed = self
            .snaps
            .iter()
            .any(|snap| snap.of == spot.0 && (id >= snap.mark || snap.unacked.contains(&id)));
        self.total(spot).acked += 1;
        if needed || self.known(spot).settings.retain_acked {
            self.item_mut(spot, sequence).unwrap().fate = Fate::Retained;
        } else {
            self.remove(spot, sequence);
        }
    }

    fn bury(&mut self, item: Item, reason: Reason) {
        let spot = item.spot;
        let target = self.known(spot).settings.dead_letter.clone();
        let target = target.and_then(|target| self.at(&target));
        let mut way = self.way(item.stuff.clone());
        way.origin = Some(Origin {
            source: self.place(spot),
            sequence: item.sequence,
            id: item.stuff.id,
            sent: Timestamp(item.sent),
            delivery_count: item.count,
            reason,
        });
        let Some(target) = target.filter(|_| spot.1 == Part::Main) else {
            way.sent = item.sent;
            way.count = item.count;
            self.lay((spot.0, Part::Dead), way, None);
            return;
        };
        let known = &self.entities[target];
        if known.id.service == Service::Sqs && !known.settings.ordered {
            way.sent = item.sent;
        }
        if known.id.kind == EntityKind::Topic {
            self.ids += 1;
            way.stuff = item.stuff.with(self.ids, &item.stuff.properties);
        }
        self.arrive(target, way);
    }

    // Receiving.

    fn session(&self, spot: Spot, lock: Option<&SessionLock>) -> Result<Option<String>, Denied> {
        match (self.groups_of(spot, Service::ServiceBus), lock) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(Denied::NoSessions),
            (true, None) => Err(Denied::SessionRequired),
            (true, Some(lock)) => {
                let held = self.locked.iter().find(|one| {
                    one.spot == spot
                        && one.key == lock.session
                        && one.lock.is_some_and(|(number, _)| number == lock.lock)
                });
                held.ok_or(Denied::SessionLost)?;
                Ok(Some(lock.session.clone()))
            }
        }
    }

    /// The next message for this holder, by looking at every message.
    fn next(&self, spot: Spot, holder: Holder, session: Option<&String>) -> Option<u64> {
        let here = || self.items.iter().filter(move |item| item.spot == spot);
        let waits = |item: &&Item| matches!(item.fate, Fate::Ready(_) | Fate::Delayed(_));
        let single = here()
            .filter(|item| self.key(item).is_none())
            .filter_map(|item| match item.fate {
                Fate::Ready(rank) => Some((rank, item.sequence)),
                _ => None,
            })
            .min()
            .map(|(_, sequence)| sequence);
        let mut held = None;
        let mut free = None;
        let mut keys: Vec<String> = here().filter_map(|item| self.key(item)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let of_key = |item: &&Item| self.key(item).as_ref() == Some(&key);
            let head = here().filter(of_key).filter(waits);
            let Some(head) = head.min_by_key(|item| item.sequence) else {
                continue;
            };
            if !matches!(head.fate, Fate::Ready(_)) {
                continue;
            }
            if session.is_some() {
                if session == Some(&key) {
                    return Some(head.sequence);
                }
                continue;
            }
            let mine = self
                .holders
                .iter()
                .any(|(at, of, by)| *at == spot && *of == key && *by == holder);
            let best = if self.out(spot, &key).is_empty() {
                &mut free
            } else if mine {
                &mut held
            } else {
                continue;
            };
            *best = Some(best.map_or(head.sequence, |best: u64| best.min(head.sequence)));
        }
        if session.is_some() {
            return None;
        }
        if self.groups_of(spot, Service::Sqs) {
            return held.or(free);
        }
        [held, free, single].into_iter().flatten().min()
    }

    pub(super) fn receive(&mut self, spot: Spot, how: &Receive) -> Result<Vec<Delivery>, Denied> {
        let session = self.session(spot, how.session.as_ref())?;
        if let Some(again) = self.again(spot, how) {
            return Ok(again);
        }
        let holder = how
            .holder
            .map_or(Holder::Call(self.leases + 1), Holder::Consumer);
        let mut deliveries = Vec::new();
        let mut dead = Vec::new();
        while deliveries.len() < how.max {
            let Some(sequence) = self.next(spot, holder, session.as_ref()) else {
                break;
            };
            let count = self.item(spot, sequence).unwrap().count;
            let max = self.max_deliveries(spot);
            if self.service(spot) == Service::Sqs && max.is_some_and(|max| count >= max) {
                self.total(spot).left += 1;
                dead.push(self.remove(spot, sequence));
                continue;
            }
            deliveries.push(self.hand_out(spot, sequence, how, holder));
        }
        if let Some(name) = &how.attempt {
            self.attempts
                .retain(|(at, known, ..)| *at != spot || known != name);
            let receipts = deliveries.iter().map(|delivery| delivery.receipt).collect();
            self.attempts.push((spot, name.clone(), self.now, receipts));
        }
        for item in dead {
            self.bury(item, Reason::MaxDeliveries);
        }
        Ok(deliveries)
    }

    fn again(&mut self, spot: Spot, how: &Receive) -> Option<Vec<Delivery>> {
        let name = how.attempt.as_ref()?;
        let known = self
            .attempts
            .iter()
            .find(|(at, known, ..)| *at == spot && known == name)?;
        let receipts = known.3.clone();
        let out = |receipt: &Receipt| self.standing(spot, *receipt).is_ok();
        if receipts.is_empty() || !receipts.iter().all(out) {
            return None;
        }
        let until = self.now + millis(how.lease.unwrap_or(self.known(spot).settings.lease));
        let again = receipts.iter().map(|receipt| {
            let item = self.item_mut(spot, receipt.sequence).unwrap();
            item.fate = Fate::Leased(until);
            delivery(item, item.count, until)
        });
        Some(again.collect())
    }

    pub(super) fn receive_deferred(
        &mut self,
        spot: Spot,
        sequences: &[u64],
        how: &Receive,
    ) -> Result<Vec<Delivery>, Denied> {
        let session = self.session(spot, how.session.as_ref())?;
        for sequence in sequences {
            let item = self.item(spot, *sequence);
            item.filter(|item| item.fate == Fate::Deferred)
                .filter(|item| session.is_none() || self.key(item) == session)
                .ok_or(Denied::NoMessage(*sequence))?;
        }
        let holder = Holder::Call(self.leases + 1);
        let hand_out = |sequence: &u64| self.hand_out(spot, *sequence, how, holder);
        Ok(sequences.iter().map(hand_out).collect())
    }

    fn hand_out(&mut self, spot: Spot, sequence: u64, how: &Receive, holder: Holder) -> Delivery {
        let sqs = self.service(spot) == Service::Sqs;
        let lease = how.lease.unwrap_or(self.known(spot).settings.lease);
        let now = self.now;
        self.leases += 1;
        let number = self.leases;
        let item = self.item_mut(spot, sequence).unwrap();
        item.lease = number;
        item.first = item.first.or(Some(now));
        item.count += u32::from(sqs);
        let count = item.count + u32::from(!sqs);
        if how.remove {
            let item = self.remove(spot, sequence);
            self.total(spot).acked += 1;
            return delivery(&item, count, now);
        }
        let key = self.key(self.item(spot, sequence).unwrap());
        let lock = self
            .locked
            .iter()
            .find(|one| one.spot == spot && Some(&one.key) == key.as_ref());
        let lock = lock.and_then(|one| one.lock);
        let until = lock.map_or(now + millis(lease), |(_, until)| until);
        if let Some(key) = key {
            self.holders.retain(|(at, of, _)| *at != spot || *of != key);
            self.holders.push((spot, key, holder));
        }
        let item = self.item_mut(spot, sequence).unwrap();
        item.fate = Fate::Leased(if lock.is_some() { FOREVER } else { until });
        delivery(item, count, until)
    }

    // Settling.

    pub(super) fn standing(&self, spot: Spot, receipt: Receipt) -> Result<(), NotYours> {
        let item = self.item(spot, receipt.sequence).ok_or(NotYours::Gone)?;
        match item.fate {
            _ if item.lease != receipt.lease => Err(NotYours::Superseded),
            Fate::Leased(_) => Ok(()),
            Fate::Settled | Fate::Retained => Err(NotYours::Gone),
            _ => Err(NotYours::Expired),
        }
    }

    pub(super) fn settle(&mut self, spot: Spot, receipt: Receipt, how: &Settle) -> Settled {
        let settings = self.known(spot).settings.clone();
        let (ack, other) = match self.service(spot) {
            Service::Sqs => (settings.ordered, true),
            Service::PubSub => (settings.exactly_once, settings.exactly_once),
            Service::ServiceBus => (true, true),
        };
        let is_ack = *how == Settle::Ack;
        match self.standing(spot, receipt) {
            Ok(()) => {}
            Err(NotYours::Expired) if is_ack && !ack => {}
            Err(why) if if is_ack { ack } else { other } => return Settled::Refused(why),
            Err(why) => return Settled::Ignored(why),
        }
        let sequence = receipt.sequence;
        let mut done = Settled::Done(Timestamp(self.now));
        let dead = match how {
            Settle::Ack => {
                self.ack(spot, sequence);
                None
            }
            Settle::Nack { delay, properties } => {
                self.rewrite(spot, sequence, properties.as_ref());
                self.fail(spot, sequence, *delay)
            }
            Settle::Extend { lease } => {
                let lease = lease.unwrap_or(settings.lease);
                if lease.is_zero() {
                    self.fail(spot, sequence, None)
                } else {
                    done = Settled::Done(Timestamp(self.extend(spot, sequence, lease)));
                    None
                }
            }
            Settle::Defer { properties } => {
                self.rewrite(spot, sequence, properties.as_ref());
                let now = self.now;
                let item = self.item_mut(spot, sequence).unwrap();
                item.deferred = true;
                item.fate = Fate::Deferred;
                if item.expires <= now {
                    self.expire(spot, sequence)
                } else {
                    None
                }
            }
            Settle::DeadLetter {
                reason,
                description,
                properties,
            } => {
                self.rewrite(spot, sequence, properties.as_ref());
                self.total(spot).left += 1;
                let (reason, description) = (reason.clone(), description.clone());
                let why = Reason::Asked {
                    reason,
                    description,
                };
                Some((self.remove(spot, sequence), why))
            }
        };
        if let Some((item, reason)) = dead {
            self.bury(item, reason);
        }
        done
    }

    fn ack(&mut self, spot: Spot, sequence: u64) {
        let item = self.item(spot, sequence).unwrap();
        let key = self.key(item);
        let leased = matches!(item.fate, Fate::Leased(_));
        if self.groups_of(spot, Service::PubSub) && key.is_some() && leased {
            self.item_mut(spot, sequence).unwrap().fate = Fate::Settled;
            self.finish_settled(spot, key.as_ref());
        } else {
            self.finish(spot, sequence);
        }
    }

    fn extend(&mut self, spot: Spot, sequence: u64, lease: Duration) -> u64 {
        let until = self.now + millis(lease);
        let key = self.key(self.item(spot, sequence).unwrap());
        let item = self.item_mut(spot, sequence).unwrap();
        if item.fate != Fate::Leased(FOREVER) {
            item.fate = Fate::Leased(until);
            return until;
        }
        let lock = self
            .locked
            .iter()
            .find(|one| one.spot == spot && Some(&one.key) == key.as_ref());
        lock.and_then(|one| one.lock).unwrap().1
    }

    fn rewrite(&mut self, spot: Spot, sequence: u64, properties: Option<&Bytes>) {
        if let Some(properties) = properties {
            let item = self.item_mut(spot, sequence).unwrap();
            item.stuff = item.stuff.with(item.stuff.id, properties);
        }
    }

    // Sessions.

    pub(super) fn accept(
        &mut self,
        spot: Spot,
        wanted: Option<&str>,
    ) -> Result<Option<(SessionLock, u64, Option<Bytes>)>, Denied> {
        if !self.groups_of(spot, Service::ServiceBus) {
            return Err(Denied::NoSessions);
        }
        let held = |key: &str| {
            let one = self
                .locked
                .iter()
                .find(|one| one.spot == spot && one.key == key);
            one.and_then(|one| one.lock)
        };
        let key = match wanted {
            Some(key) => key.to_owned(),
            None => {
                let ready = |item: &&Item| {
                    item.spot == spot && matches!(item.fate, Fate::Ready(_) | Fate::Delayed(_))
                };
                let mut waiting: Vec<&Item> = self.items.iter().filter(ready).collect();
                waiting.sort_by_key(|item| item.sequence);
                let free = waiting.into_iter().find_map(|item| {
                    let key = self.key(item)?;
                    held(&key).is_none().then_some(key)
                });
                match free {
                    Some(key) => key,
                    None => return Ok(None),
                }
            }
        };
        if let Some((_, until)) = held(&key) {
            return Err(Denied::SessionHeld(Timestamp(until)));
        }
        self.leases += 1;
        let lock = (
            self.leases,
            self.now + millis(self.known(spot).settings.lease),
        );
        let found = self
            .locked
            .iter_mut()
            .find(|one| one.spot == spot && one.key == key);
        let mut state = None;
        if let Some(one) = found {
            one.lock = Some(lock);
            state = one.state.clone();
        } else {
            self.locked.push(Locked {
                spot,
                key: key.clone(),
                lock: Some(lock),
                state: None,
            });
        }
        let session = SessionLock {
            session: key,
            lock: lock.0,
        };
        Ok(Some((session, lock.1, state)))
    }

    fn held_mut(&mut self, spot: Spot, lock: &SessionLock) -> Result<&mut Locked, Denied> {
        self.locked
            .iter_mut()
            .find(|one| {
                one.spot == spot
                    && one.key == lock.session
                    && one.lock.is_some_and(|(number, _)| number == lock.lock)
            })
            .ok_or(Denied::SessionLost)
    }

    pub(super) fn renew(&mut self, spot: Spot, lock: &SessionLock) -> Result<u64, Denied> {
        let until = self.now + millis(self.known(spot).settings.lease);
        self.held_mut(spot, lock)?.lock = Some((lock.lock, until));
        Ok(until)
    }

    pub(super) fn release(&mut self, spot: Spot, lock: &SessionLock) -> Result<(), Denied> {
        self.held_mut(spot, lock)?;
        for sequence in self.unlock(spot, &lock.session) {
            if let Some((item, reason)) = self.put_back(spot, sequence, Duration::ZERO) {
                self.bury(item, reason);
            }
        }
        Ok(())
    }

    pub(super) fn set_state(
        &mut self,
        spot: Spot,
        lock: &SessionLock,
        state: Option<Bytes>,
    ) -> Result<(), Denied> {
        self.held_mut(spot, lock)?.state = state;
        Ok(())
    }

    fn unlock(&mut self, spot: Spot, key: &str) -> Vec<u64> {
        for one in &mut self.locked {
            if one.spot == spot && one.key == key {
                one.lock = None;
            }
        }
        self.out(spot, key)
    }

    // The rest.

    pub(super) fn cancel(&mut self, entity: usize, sequences: &[u64]) -> Result<(), Denied> {
        let spot = (entity, Part::Main);
        for sequence in sequences {
            self.item(spot, *sequence)
                .filter(|item| matches!(item.fate, Fate::Scheduled(_)))
                .ok_or(Denied::NoMessage(*sequence))?;
        }
        for sequence in sequences {
            self.remove(spot, *sequence);
            self.total(spot).left += 1;
        }
        Ok(())
    }

    pub(super) fn purge(&mut self, spot: Spot) -> u64 {
        let mut purged = 0;
        let all = std::mem::take(&mut self.items);
        for item in all {
            if item.spot != spot {
                self.items.push(item);
                continue;
            }
            match item.fate {
                Fate::Settled => self.total(spot).acked += 1,
                Fate::Retained => {}
                _ => purged += 1,
            }
        }
        self.total(spot).purged += purged;
        self.attempts.retain(|(at, ..)| *at != spot);
        purged
    }

    /// The entity is gone, with all that is known of it.
    pub(super) fn delete(&mut self, entity: usize) {
        for part in [Part::Main, Part::Dead] {
            let spot = (entity, part);
            self.purge(spot);
            self.totals.retain(|(at, _)| *at != spot);
            self.holders.retain(|(at, ..)| *at != spot);
            self.tasks.retain(|task| task.spot != spot);
        }
        self.locked.retain(|one| one.spot.0 != entity);
        self.duplicates.retain(|one| one.entity != entity);
        self.entities[entity].number = None;
        self.entities[entity].sequence = 0;
    }

    pub(super) fn set_retention(&mut self, entity: usize, retention: Option<Duration>) {
        self.entities[entity].settings.retention = retention;
        let spot = (entity, Part::Main);
        for index in 0..self.items.len() {
            let item = &self.items[index];
            if item.spot == spot && !matches!(item.fate, Fate::Scheduled(_)) {
                self.items[index].expires = self.ends(spot, item.sent, item.stuff.ttl);
            }
        }
    }

    pub(super) fn take_snapshot(&mut self, entity: usize, name: &str, expires: u64) {
        let unacked = self
            .items
            .iter()
            .filter(|item| item.spot.0 == entity)
            .filter(|item| !matches!(item.fate, Fate::Settled | Fate::Retained))
            .map(|item| item.stuff.id)
            .collect();
        self.snaps.push(Snap {
            name: name.to_owned(),
            of: entity,
            topic: self.entities[entity].settings.topic.clone(),
            mark: self.ids + 1,
            unacked,
            expires,
        });
    }

    pub(super) fn drop_snapshot(&mut self, name: &str) -> Result<(), Denied> {
        let index = self.snaps.iter().position(|snap| snap.name == name);
        let of = self.snaps.remove(index.ok_or(Denied::NoSnapshot)?).of;
        if self.entities[of].settings.retain_acked {
            return Ok(());
        }
        let snaps = &self.snaps;
        self.items.retain(|item| {
            let id = item.stuff.id;
            let needs =
                |snap: &Snap| snap.of == of && (id >= snap.mark || snap.unacked.contains(&id));
            item.spot.0 != of || item.fate != Fate::Retained || snaps.iter().any(needs)
        });
        Ok(())
    }

    pub(super) fn seek_time(&mut self, entity: usize, time: u64) {
        self.entities[entity].acked_before = Some(time).filter(|time| *time > self.now);
        self.seek(entity, |item| item.sent < time);
    }

    pub(super) fn seek_snapshot(&mut self, entity: usize, name: &str) -> Result<(), Denied> {
        let snap = self.snaps.iter().find(|snap| snap.name == name);
        let snap = snap.ok_or(Denied::NoSnapshot)?;
        if snap.topic != self.entities[entity].settings.topic {
            return Err(Denied::ForeignSnapshot);
        }
        let (mark, unacked) = (snap.mark, snap.unacked.clone());
        self.entities[entity].acked_before = None;
        self.seek(entity, |item| {
            item.stuff.id < mark && !unacked.contains(&item.stuff.id)
        });
        Ok(())
    }

    fn seek(&mut self, entity: usize, acked: impl Fn(&Item) -> bool) {
        let spot = (entity, Part::Main);
        let rank = self.rank(spot);
        let mut all: Vec<(u64, bool)> = self
            .items
            .iter()
            .filter(|item| item.spot == spot)
            .map(|item| (item.sequence, acked(item)))
            .collect();
        all.sort_unstable();
        for (sequence, acked) in &all {
            let item = self.item_mut(spot, *sequence).unwrap();
            let before = item.fate;
            if !acked && matches!(before, Fate::Settled | Fate::Retained) {
                item.fate = Fate::Ready(rank);
                item.lease = 0;
                item.count = 0;
                if before == Fate::Retained {
                    self.total(spot).acked -= 1;
                }
            } else if *acked && before != Fate::Retained {
                self.finish(spot, *sequence);
            }
        }
        let keys: Vec<String> = self
            .items
            .iter()
            .filter(|item| item.spot == spot)
            .filter_map(|item| self.key(item))
            .collect();
        for key in keys {
            self.finish_settled(spot, Some(&key));
        }
    }

    pub(super) fn start_move(
        &mut self,
        number: u64,
        spot: Spot,
        to: Option<EntityId>,
        per_second: u64,
    ) -> Result<(), Denied> {
        if to.as_ref().is_some_and(|to| self.at(to).is_none()) {
            return Err(Denied::NotFound);
        }
        let running = |task: &&Task| task.spot == spot && task.status == MoveStatus::Running;
        if let Some(task) = self.tasks.iter().find(running) {
            return Err(Denied::MoveRunning(task.task));
        }
        let visible = self.holdings(spot).visible;
        let step = 1_000_u64.div_ceil(per_second);
        self.tasks.push(Task {
            task: number,
            spot,
            to,
            step,
            at: self.now + step,
            next: 0,
            end: self.entities[spot.0].sequence + 1,
            moved: 0,
            status: if visible == 0 {
                MoveStatus::Completed
            } else {
                MoveStatus::Running
            },
        });
        Ok(())
    }

    pub(super) fn cancel_move(&mut self, number: u64) -> Result<u64, Denied> {
        let task = self.tasks.iter_mut().find(|task| task.task == number);
        let task = task.filter(|task| task.status == MoveStatus::Running);
        let task = task.ok_or(Denied::NoMove)?;
        task.status = MoveStatus::Cancelled;
        Ok(task.moved)
    }

    fn step_task(&mut self, number: u64) {
        let index = self
            .tasks
            .iter()
            .position(|task| task.task == number)
            .unwrap();
        let task = &self.tasks[index];
        let (spot, to) = (task.spot, task.to.clone());
        let range = task.next..task.end;
        let ready = |item: &&Item| {
            item.spot == spot
                && range.contains(&item.sequence)
                && matches!(item.fate, Fate::Ready(_))
        };
        let next = self
            .items
            .iter()
            .filter(ready)
            .min_by_key(|item| item.sequence);
        let Some(item) = next.cloned() else {
            self.tasks[index].status = MoveStatus::Completed;
            return;
        };
        let came_from = item.origin.as_ref().map(|origin| origin.source.id.clone());
        let Some(target) = to.or(came_from).and_then(|to| self.at(&to)) else {
            self.tasks[index].status = MoveStatus::Failed;
            return;
        };
        let task = &mut self.tasks[index];
        task.next = item.sequence + 1;
        task.moved += 1;
        task.at = self.now + task.step;
        let rest = task.next..task.end;
        if !self
            .items
            .iter()
            .any(|item| item.spot == spot && rest.contains(&item.sequence))
        {
            task.status = MoveStatus::Completed;
        }
        self.ids += 1;
        let item = self.remove(spot, item.sequence);
        self.total(spot).left += 1;
        let mut way = self.way(item.stuff.with(self.ids, &item.stuff.properties));
        way.origin = Some(Origin {
            source: self.place(spot),
            sequence: item.sequence,
            id: item.stuff.id,
            sent: Timestamp(item.sent),
            delivery_count: item.count,
            reason: Reason::Moved,
        });
        self.arrive(target, way);
    }

    /// Whether a receive could get something here, with a session locked or not.
    pub(super) fn receivable(&self, spot: Spot) -> bool {
        if !self.groups_of(spot, Service::ServiceBus) {
            return self.next(spot, Holder::Call(0), None).is_some();
        }
        self.items
            .iter()
            .any(|item| item.spot == spot && matches!(item.fate, Fate::Ready(_)))
    }
}

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
