//! How many messages there are, and what became of the others.

use serde::{Deserialize, Serialize};

use crate::message::State;

/// How many messages an entity holds, in the kinds that every service shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Ready to be handed out, and deferred.
    pub visible: u64,
    /// Handed out and not settled.
    pub leased: u64,
    /// Held back until later.
    pub delayed: u64,
    /// In the dead-letter part of the entity itself, where it has one.
    pub dead: u64,
}

/// What one part of an entity holds, and what has gone through it.
///
/// `arrived` is always the sum of what it holds and of the ways in which messages leave:
/// `visible + leased + delayed + scheduled + deferred + acked + expired + purged + left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holdings {
    /// Ready; of an ordered group perhaps behind others.
    pub visible: u64,
    /// Handed out and not settled.
    pub leased: u64,
    /// Held back by a delay or after a failure.
    pub delayed: u64,
    /// Waiting for the time that their sender gave.
    pub scheduled: u64,
    /// Set aside by a consumer, to be asked for by sequence number.
    pub deferred: u64,
    /// Acked and still there for a seek; these are among `acked` too.
    pub retained: u64,
    /// The bytes of all messages that it holds.
    pub bytes: u64,
    /// How many messages ever came.
    pub arrived: u64,
    /// Acked, less those that a seek brought back.
    pub acked: u64,
    /// Dropped at the end of their time.
    pub expired: u64,
    /// Dropped by a purge.
    pub purged: u64,
    /// Gone elsewhere: dead-lettered, moved, forwarded, activated under a new number, cancelled.
    pub left: u64,
}

impl Holdings {
    /// Counts a message that comes into this state.
    pub(crate) fn enter(&mut self, state: State) {
        *self.of(state) += 1;
    }

    /// Counts a message that goes out of this state.
    pub(crate) fn leave(&mut self, state: State) {
        let count = self.of(state);
        *count = count.saturating_sub(1);
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Ready { .. } => &mut self.visible,
            State::Delayed { .. } => &mut self.delayed,
            State::Scheduled { .. } => &mut self.scheduled,
            State::Leased { .. } | State::Settled => &mut self.leased,
            State::Deferred => &mut self.deferred,
            State::Retained => &mut self.retained,
        }
    }

    /// The same in the kinds that every service shows, with these dead letters.
    pub(crate) fn counts(&self, dead: u64) -> Counts {
        Counts {
            visible: self.visible + self.deferred,
            leased: self.leased,
            delayed: self.delayed + self.scheduled,
            dead,
        }
    }

    /// How many messages are there for someone to get, now or later.
    pub(crate) fn alive(&self) -> u64 {
        self.visible + self.leased + self.delayed + self.scheduled + self.deferred
    }
}
