//! Locks on groups: a consumer holds a session, and with it every message that it takes from it.
//!
//! <https://learn.microsoft.com/azure/service-bus-messaging/message-sessions>

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::entity::Timestamp;
use crate::groups::Lock;
use crate::memory::Memory;
use crate::operation::{Denied, Session, SessionLock};
use crate::rules::{Mode, Rules};
use crate::store::{Casualty, Store};

impl Store {
    /// Locks the named session, or the free one whose first message came first.
    pub(crate) fn accept(
        &mut self,
        wanted: Option<&str>,
        number: u64,
        until: Timestamp,
    ) -> Result<Option<Session>, Denied> {
        if self.mode != Mode::Sessions {
            return Err(Denied::NoSessions);
        }
        let key: Arc<str> = match wanted {
            Some(name) => name.into(),
            None => match self.groups.first_free() {
                Some((_, key)) => key.clone(),
                None => return Ok(None),
            },
        };
        if let Some(lock) = self.groups.get(&key).and_then(|group| group.lock()) {
            return Err(Denied::SessionHeld(lock.until));
        }
        let part = self.groups.of(&key).session.get_or_insert_default();
        part.lock = Some(Lock { number, until });
        let state = planted!(SessionStateLost, None, part.state.clone());
        self.groups.locks.insert((until, key.clone()));
        self.relist(Some(&key));
        let lock = SessionLock {
            session: key.to_string(),
            lock: number,
        };
        Ok(Some(Session { lock, until, state }))
    }

    /// The session, if this lock still holds it.
    pub(crate) fn check_lock(
        &self,
        lock: &SessionLock,
        now: Timestamp,
    ) -> Result<Arc<str>, Denied> {
        let group = self.groups.get(&lock.session);
        group
            .and_then(|group| group.lock())
            .filter(|held| held.number == lock.lock && held.until > now)
            .ok_or(Denied::SessionLost)?;
        Ok(lock.session.as_str().into())
    }

    /// Holds the session until then.
    pub(crate) fn renew(
        &mut self,
        lock: &SessionLock,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Denied> {
        let key = self.check_lock(lock, now)?;
        let number = lock.lock;
        let part = self.groups.of(&key).session.get_or_insert_default();
        if let Some(before) = part.lock.replace(Lock { number, until }) {
            self.groups.locks.remove(&(before.until, key.clone()));
        }
        self.groups.locks.insert((until, key));
        Ok(())
    }

    /// Gives the session back. What was not settled has not failed.
    pub(crate) fn release(
        &mut self,
        lock: &SessionLock,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Result<Vec<Casualty>, Denied> {
        let key = self.check_lock(lock, now)?;
        let out = self.unlock(&key);
        let put_back = |sequence| self.put_back(sequence, Duration::ZERO, now, rules, memory);
        Ok(out.into_iter().filter_map(put_back).collect())
    }

    /// Sets the state of the session.
    pub(crate) fn set_state(
        &mut self,
        lock: &SessionLock,
        now: Timestamp,
        state: Option<Bytes>,
        memory: &mut Memory,
    ) -> Result<(), Denied> {
        let key = self.check_lock(lock, now)?;
        let len = |state: &Option<Bytes>| state.as_ref().map_or(0, |state| state.len() as u64);
        memory.check(len(&state))?;
        let part = self.groups.of(&key).session.get_or_insert_default();
        memory.take(len(&state));
        memory.give_back(len(&part.state));
        part.state = state;
        Ok(())
    }

    /// Ends the locks that have run out. What was not settled has failed.
    pub(crate) fn end_locks(
        &mut self,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Vec<Casualty> {
        let mut dead = Vec::new();
        while let Some((until, key)) = self.groups.locks.first().cloned()
            && until <= now
        {
            for sequence in self.unlock(&key) {
                dead.extend(self.fail(sequence, None, now, rules, memory));
            }
        }
        dead
    }

    /// How many bytes the states of all sessions take.
    pub(crate) fn state_bytes(&self) -> u64 {
        let state = |group: &crate::groups::Group| {
            let session = group.session.as_ref()?;
            session.state.as_ref().map(|state| state.len() as u64)
        };
        self.groups.all().filter_map(state).sum()
    }

    /// Takes the lock off, and tells what its holder had.
    fn unlock(&mut self, key: &Arc<str>) -> Vec<u64> {
        let group = self.groups.of(key);
        let out = group.out.iter().copied().collect();
        let lock = group.session.as_mut().and_then(|part| part.lock.take());
        if let Some(lock) = lock {
            self.groups.locks.remove(&(lock.until, key.clone()));
        }
        self.relist(Some(key));
        out
    }
}
