//! Snapshots of subscriptions, and going back to them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::{Engine, Timer};
use crate::entity::{EntityId, EntityKind, Part, Timestamp};
use crate::operation::{Denied, Outcome, SeekTo, Snapshot};

/// All snapshots, by name.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(BTreeMap<String, Snapshot>);

impl Snapshots {
    /// The snapshot of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Snapshot> {
        self.0.get(name)
    }

    /// The snapshots whose names come after this one, in order.
    pub(crate) fn after(&self, name: &str) -> impl Iterator<Item = &Snapshot> {
        let from = (Bound::Excluded(name), Bound::Unbounded);
        self.0.range::<str, _>(from).map(|(_, snapshot)| snapshot)
    }
}

impl Engine {
    pub(crate) fn take_snapshot(
        &mut self,
        subscription: &EntityId,
        name: String,
        expires: Timestamp,
        document: serde_json::Value,
    ) -> Result<Outcome, Denied> {
        let number = self.subscription(subscription)?;
        if self.snapshots.0.contains_key(&name) {
            return Err(Denied::SnapshotExists);
        }
        let mark = self.ids + 1;
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let store = slot.store(Part::Main);
        let unacked = Arc::new(store.unacked());
        store.replay.keep(name.clone(), mark, unacked.clone());
        let snapshot = Snapshot {
            name: name.clone(),
            topic: slot.entity.settings.topic.clone(),
            created: self.clock,
            expires,
            document,
            mark,
            unacked,
            of: number,
        };
        self.snapshots.0.insert(name.clone(), snapshot);
        self.set_timer(expires, Timer::Snapshot(name));
        Ok(Outcome::Done)
    }

    pub(crate) fn update_snapshot(
        &mut self,
        name: String,
        expires: Timestamp,
        document: serde_json::Value,
    ) -> Result<Outcome, Denied> {
        let snapshot = self.snapshots.0.get_mut(&name).ok_or(Denied::NoSnapshot)?;
        snapshot.document = document;
        let before = std::mem::replace(&mut snapshot.expires, expires);
        self.unset_timer(before, Timer::Snapshot(name.clone()));
        self.set_timer(expires, Timer::Snapshot(name));
        Ok(Outcome::Done)
    }

    pub(crate) fn drop_snapshot(&mut self, name: &str) -> Result<Outcome, Denied> {
        let snapshot = self.snapshots.0.remove(name).ok_or(Denied::NoSnapshot)?;
        self.unset_timer(snapshot.expires, Timer::Snapshot(snapshot.name));
        let rules = self.rules(snapshot.of, Part::Main);
        if let Some(slot) = self.slots.get_mut(&snapshot.of)
            && let Some(store) = slot.peek_mut(Part::Main)
        {
            store.replay.let_go(name);
            store.sweep_retained(&rules, &mut self.memory);
            self.touch(snapshot.of);
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn seek(&mut self, subscription: &EntityId, to: &SeekTo) -> Result<Outcome, Denied> {
        let number = self.subscription(subscription)?;
        let rules = self.rules(number, Part::Main);
        let now = self.clock;
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let topic = slot.entity.settings.topic.clone();
        let store = slot.store(Part::Main);
        match to {
            SeekTo::Time(time) => {
                store.replay.acked_before = Some(*time).filter(|time| *time > now);
                store.seek(
                    |message| message.sent < *time,
                    now,
                    &rules,
                    &mut self.memory,
                );
            }
            SeekTo::Snapshot(name) => {
                let snapshot = self.snapshots.0.get(name).ok_or(Denied::NoSnapshot)?;
                if snapshot.topic != topic {
                    return Err(Denied::ForeignSnapshot);
                }
                let (mark, unacked) = (snapshot.mark, snapshot.unacked.clone());
                store.replay.acked_before = None;
                store.seek(
                    |message| {
                        let id = message.content.id;
                        id < mark && !unacked.contains(&id)
                    },
                    now,
                    &rules,
                    &mut self.memory,
                );
            }
        }
        self.touch(number);
        Ok(Outcome::Done)
    }

    fn subscription(&self, id: &EntityId) -> Result<u64, Denied> {
        if id.kind != EntityKind::Subscription {
            return Err(Denied::WrongKind);
        }
        self.by_id.get(id).copied().ok_or(Denied::NotFound)
    }
}
