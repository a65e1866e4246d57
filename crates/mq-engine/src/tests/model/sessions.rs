//! Locks and states.

use std::time::Duration;

use bytes::Bytes;

use super::{Fate, Item, Locked, Model, Spot, millis};
use crate::{Denied, Service, SessionLock, Timestamp};

impl Model {
    pub(in crate::tests) fn accept(
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

    pub(super) fn held_mut(
        &mut self,
        spot: Spot,
        lock: &SessionLock,
    ) -> Result<&mut Locked, Denied> {
        self.locked
            .iter_mut()
            .find(|one| {
                one.spot == spot
                    && one.key == lock.session
                    && one.lock.is_some_and(|(number, _)| number == lock.lock)
            })
            .ok_or(Denied::SessionLost)
    }

    pub(in crate::tests) fn renew(
        &mut self,
        spot: Spot,
        lock: &SessionLock,
    ) -> Result<u64, Denied> {
        let until = self.now + millis(self.known(spot).settings.lease);
        self.held_mut(spot, lock)?.lock = Some((lock.lock, until));
        Ok(until)
    }

    pub(in crate::tests) fn release(
        &mut self,
        spot: Spot,
        lock: &SessionLock,
    ) -> Result<(), Denied> {
        self.held_mut(spot, lock)?;
        for sequence in self.unlock(spot, &lock.session) {
            if let Some((item, reason)) = self.put_back(spot, sequence, Duration::ZERO) {
                self.bury(item, reason);
            }
        }
        Ok(())
    }

    pub(in crate::tests) fn set_state(
        &mut self,
        spot: Spot,
        lock: &SessionLock,
        state: Option<Bytes>,
    ) -> Result<(), Denied> {
        self.held_mut(spot, lock)?.state = state;
        Ok(())
    }

    pub(super) fn unlock(&mut self, spot: Spot, key: &str) -> Vec<u64> {
        for one in &mut self.locked {
            if one.spot == spot && one.key == key {
                one.lock = None;
            }
        }
        self.out(spot, key)
    }
}
