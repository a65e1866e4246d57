//! What a consumer can do with a message that was handed to it, and what happens when it does
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::entity::Timestamp;
use crate::memory::Memory;
use crate::message::{Reason, Receipt, State};
use crate::operation::{NotYours, Settle, Settled};
use crate::rules::{Mode, Rules, Stale};
use crate::store::{Casualty, Store};

impl Store {
    /// Settles one delivery.
    pub(crate) fn settle(
        &mut self,
        receipt: Receipt,
        how: &Settle,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> (Settled, Option<Casualty>) {
        let ack = matches!(how, Settle::Ack);
        match self.standing(receipt) {
            Ok(()) => {}
            Err(NotYours::Expired) if ack && rules.late_ack => {}
            Err(why) => {
                // Acking twice is no mistake that anyone is told of, where receipts may be late.
                let rule = if ack {
                    rules.stale_ack
                } else {
                    rules.stale_other
                };
                let settled = match rule {
                    Stale::Refuse => Settled::Refused(why),
                    Stale::Ignore => Settled::Ignored(why),
                };
                return (settled, None);
            }
        }
        self.settle_yours(receipt.sequence, how, now, rules, memory)
    }

    /// Whether the receipt is that of a running lease.
    pub(crate) fn standing(&self, receipt: Receipt) -> Result<(), NotYours> {
        let message = self.messages.get(receipt.sequence).ok_or(NotYours::Gone)?;
        if planted!(StaleReceiptAcks, false, message.lease != receipt.lease) {
            return Err(NotYours::Superseded);
        }
        match message.state {
            State::Leased { .. } => Ok(()),
            State::Settled | State::Retained => Err(NotYours::Gone),
            _ => Err(NotYours::Expired),
        }
    }

    fn settle_yours(
        &mut self,
        sequence: u64,
        how: &Settle,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> (Settled, Option<Casualty>) {
        let done = Settled::Done(now);
        match how {
            Settle::Ack => {
                self.ack(sequence, rules, memory);
                (done, None)
            }
            Settle::Extend { lease } => {
                let lease = lease.unwrap_or(rules.lease);
                if lease.is_zero() {
                    return (done, self.fail(sequence, None, now, rules, memory));
                }
                (Settled::Done(self.extend(sequence, now.after(lease))), None)
            }
            Settle::Nack { delay, properties } => {
                self.rewrite(sequence, properties.as_ref(), memory);
                (done, self.fail(sequence, *delay, now, rules, memory))
            }
            Settle::Defer { properties } => {
                self.rewrite(sequence, properties.as_ref(), memory);
                (done, self.defer(sequence, now, rules, memory))
            }
            Settle::DeadLetter {
                reason,
                description,
                properties,
            } => {
                self.rewrite(sequence, properties.as_ref(), memory);
                let reason = Reason::Asked {
                    reason: reason.clone(),
                    description: description.clone(),
                };
                (done, self.banish(sequence, reason, memory))
            }
        }
    }

    fn ack(&mut self, sequence: u64, rules: &Rules, memory: &mut Memory) {
        let Some(message) = self.messages.get(sequence) else {
            return;
        };
        let key = self.key(&message.content);
        let leased = matches!(message.state, State::Leased { .. });
        if self.mode == Mode::Keys && key.is_some() && leased {
            self.change(sequence, State::Settled);
        } else {
            self.finish(sequence, rules, memory);
        }
        self.finish_settled(key.as_ref(), rules, memory);
    }

    /// Finishes the acked messages of a key that have no unacked one before them any more.
    pub(crate) fn finish_settled(
        &mut self,
        key: Option<&Arc<str>>,
        rules: &Rules,
        memory: &mut Memory,
    ) {
        let Some(key) = key.filter(|_| self.mode == Mode::Keys) else {
            return;
        };
        while let Some(&first) = self.groups.get(key).and_then(|group| group.out.first())
            && self
                .messages
                .get(first)
                .is_some_and(|message| message.state == State::Settled)
        {
            self.finish(first, rules, memory);
        }
    }

    /// Ends a message that is acked: it goes, or stays for a seek.
    pub(crate) fn finish(&mut self, sequence: u64, rules: &Rules, memory: &mut Memory) {
        let Some(message) = self.messages.get(sequence) else {
            return;
        };
        self.holdings.acked += 1;
        if rules.retain_acked || self.replay.needs(message.content.id) {
            self.change(sequence, State::Retained);
        } else if let Some(message) = self.take(sequence, memory) {
            memory.release(message.content);
        }
    }

    fn extend(&mut self, sequence: u64, until: Timestamp) -> Timestamp {
        let Some(message) = self.messages.get(sequence) else {
            return until;
        };
        // A session's lock is what holds its messages.
        if let State::Leased {
            until: Timestamp::FOREVER,
        } = message.state
        {
            let key = self.key(&message.content).unwrap_or_default();
            let lock = self.groups.get(&key).and_then(|group| group.lock());
            return lock.map_or(until, |lock| lock.until);
        }
        self.change(sequence, State::Leased { until });
        until
    }

    fn defer(
        &mut self,
        sequence: u64,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Option<Casualty> {
        let message = self.messages.get_mut(sequence)?;
        message.deferred = true;
        if message.expires <= now {
            self.change(sequence, State::Deferred);
            return self.expire(sequence, rules, memory);
        }
        if planted!(DeferredLost, true, false) {
            let message = self.take(sequence, memory)?;
            memory.release(message.content);
            return None;
        }
        self.change(sequence, State::Deferred);
        None
    }

    /// A delivery failed: by a nack, or because its lease ran out.
    pub(crate) fn fail(
        &mut self,
        sequence: u64,
        delay: Option<Duration>,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Option<Casualty> {
        let message = self.messages.get_mut(sequence)?;
        if !rules.counts_receives {
            message.delivery_count += planted!(CountForgotten, 0, 1);
        }
        let count = message.delivery_count;
        let key = message.content.group.clone();
        let over = rules.max_deliveries.is_some_and(|max| count >= max);
        let casualty = if over && !rules.counts_receives {
            self.banish(sequence, Reason::MaxDeliveries, memory)
        } else {
            let wait = delay.or_else(|| rules.retry.map(|retry| retry.after(count)));
            self.put_back(sequence, wait.unwrap_or_default(), now, rules, memory)
        };
        self.rewind(key, sequence, now, rules, memory);
        casualty
    }

    /// Puts a message back where it waits for a receiver, unless its time is over.
    pub(crate) fn put_back(
        &mut self,
        sequence: u64,
        wait: Duration,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Option<Casualty> {
        let message = self.messages.get(sequence)?;
        let expired = message.expires <= now;
        let until = now.after(wait);
        let state = match message.deferred {
            true => State::Deferred,
            false if until > now => State::Delayed { until },
            false => State::Ready {
                rank: rules.rank(now),
            },
        };
        self.change(sequence, state);
        if expired {
            return self.expire(sequence, rules, memory);
        }
        None
    }

    /// Takes back the later messages of the same key, acked or not, so that they come again
    /// after the one that failed.
    fn rewind(
        &mut self,
        key: Option<Arc<str>>,
        failed: u64,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) {
        let Some(key) = key.filter(|key| self.mode == Mode::Keys && !key.is_empty()) else {
            return;
        };
        let later: Vec<u64> = self
            .groups
            .get(&key)
            .map(|group| group.out.range(failed..).copied().collect())
            .unwrap_or_default();
        for sequence in planted!(KeyNotRewound, Vec::new(), later) {
            if let Some(message) = self.messages.get_mut(sequence) {
                message.lease = 0;
            }
            self.change(
                sequence,
                State::Ready {
                    rank: rules.rank(now),
                },
            );
        }
        self.finish_settled(Some(&key), rules, memory);
    }

    /// Replaces the properties of a message.
    fn rewrite(&mut self, sequence: u64, properties: Option<&Bytes>, memory: &mut Memory) {
        let Some(properties) = properties else { return };
        let Some(message) = self.messages.get_mut(sequence) else {
            return;
        };
        let content = message
            .content
            .copy(message.content.id, Some(properties.clone()));
        let (before, after) = (message.content.size(), content.size());
        let old = std::mem::replace(&mut message.content, memory.hold(content));
        memory.release(old);
        self.holdings.bytes = (self.holdings.bytes + after).saturating_sub(before);
    }
}
