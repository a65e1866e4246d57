//! What happens by itself.

use super::{Duplicate, FOREVER, Fate, Item, Model, Spot, millis};
use crate::{MoveStatus, Part, Service};

impl Model {
    /// The next time at which something happens, and to what: an entity by its number, then a
    /// task by its number, then a snapshot by its name.
    pub(in crate::tests) fn next_event(&self) -> Option<(u64, u8, u64, &str)> {
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

    pub(in crate::tests) fn advance(&mut self, now: u64) {
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
    pub(in crate::tests) fn next_window_end(&self) -> Option<u64> {
        let window = |entity: usize| self.entities[entity].settings.duplicate_window;
        let ends = |one: &Duplicate| Some(one.at + millis(window(one.entity)?));
        self.duplicates.iter().filter_map(ends).min()
    }

    pub(super) fn fire(&mut self, number: u64) {
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

    pub(super) fn first_expired(&self, spot: Spot) -> Option<u64> {
        let finishes = self.service(spot) == Service::ServiceBus;
        self.items
            .iter()
            .filter(|item| item.spot == spot && item.expires <= self.now)
            .filter(|item| !matches!(item.fate, Fate::Scheduled(_)))
            .filter(|item| !(finishes && matches!(item.fate, Fate::Leased(_))))
            .min_by_key(|item| (item.expires, item.sequence))
            .map(|item| item.sequence)
    }

    pub(super) fn first_due(&self, spot: Spot) -> Option<(u64, Fate)> {
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

    pub(super) fn first_lost_lock(&self, spot: Spot) -> Option<String> {
        self.locked
            .iter()
            .filter(|one| one.spot == spot)
            .filter_map(|one| one.lock.map(|(_, until)| (until, &one.key)))
            .filter(|(until, _)| *until <= self.now)
            .min()
            .map(|(_, key)| key.clone())
    }
}
