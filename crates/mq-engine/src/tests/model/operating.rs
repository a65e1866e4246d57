//! Cancelled, purged, sought, moved.

use std::time::Duration;

use super::{Fate, Holder, Item, Locked, Model, Snap, Spot, Task};
use crate::{Denied, EntityId, MoveStatus, Origin, Part, Reason, Service, Timestamp};

impl Model {
    pub(in crate::tests) fn cancel(
        &mut self,
        entity: usize,
        sequences: &[u64],
    ) -> Result<(), Denied> {
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

    pub(in crate::tests) fn purge(&mut self, spot: Spot) -> u64 {
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
    pub(in crate::tests) fn delete(&mut self, entity: usize) {
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

    pub(in crate::tests) fn set_retention(&mut self, entity: usize, retention: Option<Duration>) {
        self.entities[entity].settings.retention = retention;
        let spot = (entity, Part::Main);
        for index in 0..self.items.len() {
            let item = &self.items[index];
            if item.spot == spot && !matches!(item.fate, Fate::Scheduled(_)) {
                let (ttl, origin) = (item.stuff.ttl, item.origin.as_ref());
                self.items[index].expires = self.ends(spot, item.sent, ttl, origin);
            }
        }
    }

    pub(in crate::tests) fn take_snapshot(&mut self, entity: usize, name: &str, expires: u64) {
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

    pub(in crate::tests) fn drop_snapshot(&mut self, name: &str) -> Result<(), Denied> {
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

    pub(in crate::tests) fn seek_time(&mut self, entity: usize, time: u64) {
        self.entities[entity].acked_before = Some(time).filter(|time| *time > self.now);
        self.seek(entity, |item| item.sent < time);
    }

    pub(in crate::tests) fn seek_snapshot(
        &mut self,
        entity: usize,
        name: &str,
    ) -> Result<(), Denied> {
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

    pub(super) fn seek(&mut self, entity: usize, acked: impl Fn(&Item) -> bool) {
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

    pub(in crate::tests) fn start_move(
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

    pub(in crate::tests) fn cancel_move(&mut self, number: u64) -> Result<u64, Denied> {
        let task = self.tasks.iter_mut().find(|task| task.task == number);
        let task = task.filter(|task| task.status == MoveStatus::Running);
        let task = task.ok_or(Denied::NoMove)?;
        task.status = MoveStatus::Cancelled;
        Ok(task.moved)
    }

    pub(super) fn step_task(&mut self, number: u64) {
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

    /// Whether who holds no session could get something here: a message, or a session with one.
    pub(in crate::tests) fn receivable(&self, spot: Spot) -> bool {
        if !self.groups_of(spot, Service::ServiceBus) {
            return self.next(spot, Holder::Call(0), None).is_some();
        }
        let held = self.held_sessions(spot);
        let held = |key: &String| held.iter().any(|(session, _)| session == key);
        let ready = |item: &&Item| item.spot == spot && matches!(item.fate, Fate::Ready(_));
        let mut ready = self.items.iter().filter(ready);
        ready.any(|item| self.key(item).is_some_and(|key| !held(&key)))
    }

    /// The sessions that someone holds, with the numbers of the locks.
    pub(in crate::tests) fn held_sessions(&self, spot: Spot) -> Vec<(String, u64)> {
        let held = |one: &Locked| Some((one.key.clone(), one.lock?.0));
        let here = self.locked.iter().filter(|one| one.spot == spot);
        here.filter_map(held).collect()
    }

    /// Whether the holder of a session could get something.
    pub(in crate::tests) fn receivable_in(&self, spot: Spot, session: &str) -> bool {
        self.items.iter().any(|item| {
            item.spot == spot
                && matches!(item.fate, Fate::Ready(_))
                && self.key(item).as_deref() == Some(session)
        })
    }
}
