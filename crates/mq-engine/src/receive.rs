//! Who gets which message next.

use std::sync::Arc;

use crate::entity::Timestamp;
use crate::groups::Holder;
use crate::memory::Memory;
use crate::message::{Delivery, Reason, State};
use crate::operation::{Denied, Receive, SessionLock};
use crate::rules::{Mode, Rules};
use crate::store::{Casualty, Store};

/// What a receive brings.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    pub(crate) deliveries: Vec<Delivery>,
    /// Messages that had been handed out too often.
    pub(crate) dead: Vec<Casualty>,
}

/// What a receive works with, beside the store.
pub(crate) struct Counter<'a> {
    pub(crate) now: Timestamp,
    pub(crate) rules: Rules,
    pub(crate) memory: &'a mut Memory,
    /// The last number that was given to a lease.
    pub(crate) leases: &'a mut u64,
}

impl Store {
    /// Hands out what is ready, up to the most that is wanted.
    pub(crate) fn receive(
        &mut self,
        how: &Receive,
        counter: &mut Counter<'_>,
    ) -> Result<Handed, Denied> {
        let session = self.session_of(how.session.as_ref(), counter.now)?;
        let mut handed = Handed::default();
        if let Some(again) = self.again(how, counter) {
            handed.deliveries = again;
            return Ok(handed);
        }
        let holder = how
            .holder
            .map_or(Holder::Call(*counter.leases + 1), Holder::Consumer);
        let mut room = how.bytes_max.unwrap_or(u64::MAX);
        while handed.deliveries.len() < how.max && room > 0 {
            let Some(sequence) = self.next(holder, session.as_ref()) else {
                break;
            };
            if self.is_over(sequence, &counter.rules) {
                let dead = self.banish(sequence, Reason::MaxDeliveries, counter.memory);
                handed.dead.extend(dead);
                continue;
            }
            let size = self.messages.get(sequence).map(|it| it.content.size());
            room = room.saturating_sub(size.unwrap_or_default());
            let delivery = self.hand_out(sequence, how, holder, counter);
            handed.deliveries.extend(delivery);
        }
        if let Some(attempt) = &how.attempt {
            let receipts = handed.deliveries.iter().map(|delivery| delivery.receipt);
            self.attempts
                .note(attempt.clone(), receipts.collect(), counter.now);
        }
        Ok(handed)
    }

    /// Hands out deferred messages, all of them or none.
    pub(crate) fn receive_deferred(
        &mut self,
        sequences: &[u64],
        how: &Receive,
        counter: &mut Counter<'_>,
    ) -> Result<Vec<Delivery>, Denied> {
        let session = self.session_of(how.session.as_ref(), counter.now)?;
        for sequence in sequences {
            self.messages
                .get(*sequence)
                .filter(|message| message.state == State::Deferred)
                .filter(|message| session.is_none() || self.key(&message.content) == session)
                .ok_or(Denied::NoMessage(*sequence))?;
        }
        let holder = Holder::Call(*counter.leases + 1);
        let hand_out = |sequence: &u64| self.hand_out(*sequence, how, holder, counter);
        Ok(sequences.iter().filter_map(hand_out).collect())
    }

    /// The session that the lock proves to be held, where this place has sessions.
    pub(crate) fn session_of(
        &self,
        lock: Option<&SessionLock>,
        now: Timestamp,
    ) -> Result<Option<Arc<str>>, Denied> {
        match (self.mode, lock) {
            (Mode::Sessions, Some(lock)) => self.check_lock(lock, now).map(Some),
            (Mode::Sessions, None) => Err(Denied::SessionRequired),
            (_, Some(_)) => Err(Denied::NoSessions),
            (_, None) => Ok(None),
        }
    }

    /// The next message for this receiver.
    fn next(&self, holder: Holder, session: Option<&Arc<str>>) -> Option<u64> {
        if let Some(session) = session {
            let first = *self.groups.get(session)?.waiting.first()?;
            let ready = matches!(self.messages.get(first)?.state, State::Ready { .. });
            return ready.then_some(first);
        }
        let free = self.groups.first_free().map(|(head, _)| *head);
        let held = self.groups.first_held(holder).map(|(head, _)| head);
        let single = self.ready.first().map(|(_, sequence)| *sequence);
        match self.mode {
            Mode::Plain => single,
            // As many of one group as there are, before another group is begun.
            Mode::Fifo => held.or(free),
            Mode::Keys => [held, free, single].into_iter().flatten().min(),
            Mode::Sessions => None,
        }
    }

    /// Whether a message has been handed out as often as it may, where that is seen only when it
    /// is handed out once more.
    fn is_over(&self, sequence: u64, rules: &Rules) -> bool {
        let count = self
            .messages
            .get(sequence)
            .map_or(0, |message| message.delivery_count);
        rules.counts_receives && rules.max_deliveries.is_some_and(|max| count >= max)
    }

    fn hand_out(
        &mut self,
        sequence: u64,
        how: &Receive,
        holder: Holder,
        counter: &mut Counter<'_>,
    ) -> Option<Delivery> {
        let message = self.messages.get_mut(sequence)?;
        *counter.leases += 1;
        message.lease = *counter.leases;
        message.first_received = message.first_received.min(counter.now);
        if counter.rules.counts_receives {
            message.delivery_count += planted!(CountForgotten, 0, 1);
        }
        let count = message.delivery_count + u32::from(!counter.rules.counts_receives);
        let key = self.key_of(sequence);
        if how.remove {
            let message = self.take(sequence, counter.memory)?;
            self.holdings.acked += 1;
            let delivery = message.delivery(sequence, count, counter.now);
            counter.memory.release(message.content);
            return Some(delivery);
        }
        let lock = key.as_ref().and_then(|key| self.groups.get(key)?.lock());
        let until = lock.map_or_else(
            || counter.now.after(how.lease.unwrap_or(counter.rules.lease)),
            |lock| lock.until,
        );
        if let Some(key) = &key {
            self.groups.of(key).holder = Some(holder);
        }
        self.lease_until(sequence, until, lock.is_some());
        let message = self.messages.get(sequence)?;
        Some(message.delivery(sequence, count, until))
    }

    fn lease_until(&mut self, sequence: u64, until: Timestamp, by_session: bool) {
        let hidden = planted!(EarlyVisibility, Timestamp(until.0.saturating_sub(1)), until);
        let until = if by_session {
            Timestamp::FOREVER
        } else {
            hidden
        };
        let leased = State::Leased { until };
        let twice = planted!(DoubleDelivery, sequence.is_multiple_of(5), false);
        self.change(
            sequence,
            if twice {
                State::Ready { rank: 0 }
            } else {
                leased
            },
        );
    }

    /// What this attempt got before, with leases from now, if all of it is still out.
    fn again(&mut self, how: &Receive, counter: &mut Counter<'_>) -> Option<Vec<Delivery>> {
        let receipts = self.attempts.get(how.attempt.as_deref()?, counter.now)?;
        if receipts.is_empty() || receipts.iter().any(|one| self.standing(*one).is_err()) {
            return None;
        }
        let until = counter.now.after(how.lease.unwrap_or(counter.rules.lease));
        let mut deliveries = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            self.lease_until(receipt.sequence, until, false);
            let message = self.messages.get(receipt.sequence)?;
            deliveries.push(message.delivery(receipt.sequence, message.delivery_count, until));
        }
        Some(deliveries)
    }
}
