//! The messages of one place, and the indices by which the next one is found.
//!
//! Every message is in exactly one [`State`], and `enter` and `leave` are the only two places
//! that know which index that state stands in. So no index is ever behind the messages, and
//! nothing costs more than the logarithm of the backlog.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::attempts::Attempts;
use crate::counts::Holdings;
use crate::entity::Timestamp;
use crate::groups::Groups;
use crate::memory::{COPY_BYTES, Memory};
use crate::message::{Content, Message, Peeked, Reason, State, own_ttl};
use crate::replay::Replay;
use crate::rules::{Mode, Rules};
use crate::shelf::Shelf;
use crate::waking::Wake;

/// The messages of one place.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) mode: Mode,
    pub(crate) messages: Shelf,
    /// Ready and of no group, by rank and number.
    pub(crate) ready: BTreeSet<(u64, u64)>,
    /// Leased, delayed, scheduled: what happens to which, and when.
    due: BTreeSet<(Timestamp, u64)>,
    /// What expires when.
    expiry: BTreeSet<(Timestamp, u64)>,
    pub(crate) groups: Groups,
    pub(crate) attempts: Attempts,
    pub(crate) replay: Replay,
    pub(crate) holdings: Holdings,
    /// What became receivable since this was last looked at.
    pub(crate) wake: Wake,
}

/// A message that goes elsewhere.
#[derive(Debug)]
pub(crate) struct Casualty {
    pub(crate) sequence: u64,
    pub(crate) message: Message,
    pub(crate) reason: Reason,
}

/// What the passing of time brought about.
#[derive(Debug, Default)]
pub(crate) struct Fired {
    /// Dead letters.
    pub(crate) dead: Vec<Casualty>,
    /// Scheduled messages whose time has come.
    pub(crate) activated: Vec<Casualty>,
}

impl Store {
    /// A store that keeps its messages in this kind of order.
    pub(crate) fn new(mode: Mode) -> Self {
        Store {
            mode,
            ..Store::default()
        }
    }

    /// When time next does something here.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let times = [
            self.due.first().map(|(time, _)| *time),
            self.expiry.first().map(|(time, _)| *time),
            self.groups.locks.first().map(|(time, _)| *time),
            self.attempts.next_due(),
        ];
        times.into_iter().flatten().min()
    }

    /// Adds a message. The memory counts the copy from here to [`Store::take`].
    pub(crate) fn insert(&mut self, sequence: u64, message: Message, memory: &mut Memory) {
        memory.take(COPY_BYTES);
        self.holdings.arrived += 1;
        self.holdings.bytes += message.content.size();
        if message.expires != Timestamp::FOREVER
            && !matches!(message.state, State::Scheduled { .. })
        {
            self.expiry.insert((message.expires, sequence));
        }
        let state = message.state;
        let key = self.key(&message.content);
        self.messages.insert(sequence, message);
        self.enter(sequence, state);
        self.relist(key.as_ref());
    }

    /// Takes a message out. Its bytes stay counted until its content is released.
    pub(crate) fn take(&mut self, sequence: u64, memory: &mut Memory) -> Option<Message> {
        self.leave(sequence);
        let message = self.messages.remove(sequence)?;
        self.expiry.remove(&(message.expires, sequence));
        memory.give_back(COPY_BYTES);
        self.holdings.bytes = self.holdings.bytes.saturating_sub(message.content.size());
        let key = self.key(&message.content);
        self.relist(key.as_ref());
        Some(message)
    }

    /// Takes a message out that goes elsewhere.
    pub(crate) fn banish(
        &mut self,
        sequence: u64,
        reason: Reason,
        memory: &mut Memory,
    ) -> Option<Casualty> {
        let message = self.take(sequence, memory)?;
        self.holdings.left += 1;
        Some(Casualty {
            sequence,
            message,
            reason,
        })
    }

    /// Brings a message into another state.
    pub(crate) fn change(&mut self, sequence: u64, state: State) {
        self.leave(sequence);
        self.enter(sequence, state);
        let key = self.key_of(sequence);
        self.relist(key.as_ref());
    }

    /// The group of a message, where this place looks at groups.
    pub(crate) fn key(&self, content: &Content) -> Option<Arc<str>> {
        match self.mode {
            Mode::Plain => None,
            Mode::Keys => content.group.clone().filter(|key| !key.is_empty()),
            Mode::Fifo | Mode::Sessions => Some(content.group.clone().unwrap_or_default()),
        }
    }

    /// The same of the message with this number.
    pub(crate) fn key_of(&self, sequence: u64) -> Option<Arc<str>> {
        self.key(&self.messages.get(sequence)?.content)
    }

    /// Lists a group anew after something in it has changed.
    pub(crate) fn relist(&mut self, key: Option<&Arc<str>>) {
        let Some(key) = key else { return };
        let head = self.groups.get(key).and_then(|group| {
            let first = *planted!(BrokenOrder, group.waiting.last(), group.waiting.first())?;
            let ready = |message: &Message| matches!(message.state, State::Ready { .. });
            self.messages.get(first).is_some_and(ready).then_some(first)
        });
        self.wake.anyone |= self.groups.list(key, self.mode, head);
    }

    fn enter(&mut self, sequence: u64, state: State) {
        let Some(message) = self.messages.get_mut(sequence) else {
            return;
        };
        message.state = state;
        self.holdings.enter(state);
        match (state, self.key_of(sequence)) {
            (State::Ready { .. }, Some(key)) => {
                let group = self.groups.of(&key);
                group.waiting.insert(sequence);
                // Who holds a session waits for its messages, and not for a free one.
                let held = group.lock().is_some();
                if planted!(HolderNotWoken, false, held) {
                    self.wake.sessions.insert(key);
                }
            }
            (State::Ready { rank }, None) => {
                self.ready.insert((rank, sequence));
                self.wake.anyone |= planted!(NobodyWoken, sequence.is_multiple_of(2), true);
            }
            (State::Delayed { until }, key) => {
                self.due.insert((until, sequence));
                if let Some(key) = key {
                    self.groups.of(&key).waiting.insert(sequence);
                }
            }
            (State::Scheduled { until }, key) => {
                self.due.insert((until, sequence));
                self.set_aside(sequence, key);
            }
            (State::Leased { until }, key) => {
                if until != Timestamp::FOREVER {
                    self.due.insert((until, sequence));
                }
                if let Some(key) = key {
                    self.groups.of(&key).out.insert(sequence);
                }
            }
            (State::Settled, Some(key)) => {
                self.groups.of(&key).out.insert(sequence);
            }
            (State::Deferred, key) => self.set_aside(sequence, key),
            (State::Settled | State::Retained, _) => {}
        }
    }

    /// Notes a message of a session that waits for something else than its turn.
    fn set_aside(&mut self, sequence: u64, key: Option<Arc<str>>) {
        if let Some(key) = key.filter(|_| self.mode == Mode::Sessions) {
            self.groups.of(&key).aside.insert(sequence);
        }
    }

    fn leave(&mut self, sequence: u64) {
        let Some(message) = self.messages.get(sequence) else {
            return;
        };
        self.holdings.leave(message.state);
        match message.state {
            State::Ready { rank } => {
                self.ready.remove(&(rank, sequence));
            }
            State::Delayed { until } | State::Scheduled { until } | State::Leased { until } => {
                self.due.remove(&(until, sequence));
            }
            State::Deferred | State::Settled | State::Retained => {}
        }
        if let Some(key) = self.key(&message.content)
            && let Some(group) = self.groups.get_mut(&key)
        {
            group.waiting.remove(&sequence);
            group.out.remove(&sequence);
            group.aside.remove(&sequence);
        }
    }

    /// Does what is due by now.
    pub(crate) fn fire(&mut self, now: Timestamp, rules: &Rules, memory: &mut Memory) -> Fired {
        let mut fired = Fired::default();
        while let Some(&(time, sequence)) = self.expiry.first()
            && time <= now
        {
            self.expiry.pop_first();
            if planted!(ExpiredServed, !sequence.is_multiple_of(3), true) {
                fired.dead.extend(self.expire(sequence, rules, memory));
            }
        }
        while let Some(&(time, sequence)) = self.due.first()
            && time <= now
        {
            match self.messages.get(sequence).map(|message| message.state) {
                Some(State::Leased { .. }) => {
                    fired
                        .dead
                        .extend(self.fail(sequence, None, now, rules, memory));
                }
                Some(State::Scheduled { .. }) => {
                    let gone = self.banish(sequence, Reason::Forwarded, memory);
                    fired.activated.extend(gone);
                }
                Some(State::Delayed { .. }) => {
                    let rank = rules.rank(now);
                    self.change(sequence, State::Ready { rank });
                }
                // Nothing else is ever due.
                _ => {
                    self.due.pop_first();
                }
            }
        }
        fired.dead.extend(self.end_locks(now, rules, memory));
        self.attempts.forget(now);
        fired
    }

    /// Ends the life of a message. It is a casualty where expired messages are dead letters.
    pub(crate) fn expire(
        &mut self,
        sequence: u64,
        rules: &Rules,
        memory: &mut Memory,
    ) -> Option<Casualty> {
        let message = self.messages.get(sequence)?;
        let (state, key) = (message.state, self.key(&message.content));
        if matches!(state, State::Leased { .. }) && !rules.leased_expire {
            return None;
        }
        let acked = matches!(state, State::Settled | State::Retained);
        if rules.dead_letter_expired && !acked {
            return self.banish(sequence, Reason::Expired, memory);
        }
        let message = self.take(sequence, memory)?;
        memory.release(message.content);
        match state {
            State::Settled => self.holdings.acked += 1,
            State::Retained => {}
            _ => self.holdings.expired += 1,
        }
        self.finish_settled(key.as_ref(), rules, memory);
        None
    }

    /// Gives every message the end that it has by these rules, after they have changed.
    pub(crate) fn reckon_expiry(&mut self, rules: &Rules) {
        self.expiry.clear();
        for (sequence, message) in self.messages.iter_mut() {
            if matches!(message.state, State::Scheduled { .. }) {
                continue;
            }
            let ttl = own_ttl(&message.content, message.origin.as_deref());
            message.expires = rules.expires(message.sent, ttl);
            if message.expires != Timestamp::FOREVER {
                self.expiry.insert((message.expires, sequence));
            }
        }
    }

    /// Drops everything, and tells how many messages someone could still have got.
    pub(crate) fn purge(&mut self, memory: &mut Memory) -> u64 {
        let all: Vec<u64> = self.messages.iter().map(|(sequence, _)| sequence).collect();
        let before = self.holdings.purged;
        for sequence in all {
            let Some(state) = self.messages.get(sequence).map(|message| message.state) else {
                continue;
            };
            if planted!(PurgeLeaves, matches!(state, State::Leased { .. }), false) {
                continue;
            }
            let Some(message) = self.take(sequence, memory) else {
                continue;
            };
            memory.release(message.content);
            match state {
                State::Settled => self.holdings.acked += 1,
                State::Retained => {}
                _ => self.holdings.purged += 1,
            }
        }
        self.attempts = Attempts::default();
        self.holdings.purged - before
    }

    /// What there is from this number on, whatever it waits for.
    pub(crate) fn peek(&self, from: u64, max: usize, group: Option<&str>) -> Vec<Peeked> {
        if let Some(key) = group.filter(|_| self.mode == Mode::Sessions) {
            let numbers = self.groups.get(key).map(|group| group.from(from, max));
            let peeked = |sequence| self.messages.get(sequence)?.peeked(sequence);
            let numbers = numbers.unwrap_or_default().into_iter();
            return numbers.filter_map(peeked).collect();
        }
        self.messages
            .from(from)
            .filter(|(_, message)| group.is_none() || message.content.group.as_deref() == group)
            .filter_map(|(sequence, message)| message.peeked(sequence))
            .take(max)
            .collect()
    }
}
