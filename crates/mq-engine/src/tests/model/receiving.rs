//! Who gets what.

use super::{FOREVER, Fate, Holder, Item, Model, Spot, delivery, millis};
use crate::{Delivery, Denied, Reason, Receipt, Receive, Service, SessionLock};

impl Model {
    pub(super) fn session(
        &self,
        spot: Spot,
        lock: Option<&SessionLock>,
    ) -> Result<Option<String>, Denied> {
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
    pub(super) fn next(&self, spot: Spot, holder: Holder, session: Option<&String>) -> Option<u64> {
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

    pub(in crate::tests) fn receive(
        &mut self,
        spot: Spot,
        how: &Receive,
    ) -> Result<Vec<Delivery>, Denied> {
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

    pub(super) fn again(&mut self, spot: Spot, how: &Receive) -> Option<Vec<Delivery>> {
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

    pub(in crate::tests) fn receive_deferred(
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

    pub(super) fn hand_out(
        &mut self,
        spot: Spot,
        sequence: u64,
        how: &Receive,
        holder: Holder,
    ) -> Delivery {
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
}
