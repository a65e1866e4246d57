//! Failed, expired, acked, buried.

use std::time::Duration;

use super::{Fate, Item, Model, Spot, millis};
use crate::{EntityKind, Origin, Part, Reason, Service, Timestamp};

impl Model {
    pub(super) fn remove(&mut self, spot: Spot, sequence: u64) -> Item {
        let index = self
            .items
            .iter()
            .position(|item| item.spot == spot && item.sequence == sequence);
        self.items.remove(index.unwrap())
    }

    pub(super) fn expire(&mut self, spot: Spot, sequence: u64) -> Option<(Item, Reason)> {
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

    pub(super) fn fail(
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

    pub(super) fn put_back(
        &mut self,
        spot: Spot,
        sequence: u64,
        wait: Duration,
    ) -> Option<(Item, Reason)> {
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
    pub(super) fn out(&self, spot: Spot, key: &str) -> Vec<u64> {
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

    pub(super) fn finish_settled(&mut self, spot: Spot, key: Option<&String>) {
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

    pub(super) fn finish(&mut self, spot: Spot, sequence: u64) {
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

    pub(super) fn bury(&mut self, item: Item, reason: Reason) {
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
}
