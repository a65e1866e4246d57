//! Going back: acked messages that are kept, snapshots of what was not acked, and seeks.
//!
//! <https://cloud.google.com/pubsub/docs/replay-overview>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::entity::Timestamp;
use crate::memory::Memory;
use crate::message::{Message, State};
use crate::rules::Rules;
use crate::store::Store;

/// What a subscription must keep for those who come back.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The snapshots of this subscription: what has this id or a later one, and what is named.
    marks: BTreeMap<String, (u64, Arc<BTreeSet<u64>>)>,
    /// What is sent before this time counts as acked.
    pub(crate) acked_before: Option<Timestamp>,
}

impl Replay {
    /// Whether a snapshot would bring this message back.
    pub(crate) fn needs(&self, id: u64) -> bool {
        let needs = |(mark, named): &(u64, Arc<BTreeSet<u64>>)| id >= *mark || named.contains(&id);
        planted!(SnapshotForgets, false, self.marks.values().any(needs))
    }

    /// Keeps what this snapshot needs from now on.
    pub(crate) fn keep(&mut self, name: String, mark: u64, named: Arc<BTreeSet<u64>>) {
        self.marks.insert(name, (mark, named));
    }

    /// Keeps nothing for this snapshot any more.
    pub(crate) fn let_go(&mut self, name: &str) {
        self.marks.remove(name);
    }
}

impl Store {
    /// The ids of what is not acked.
    pub(crate) fn unacked(&self) -> BTreeSet<u64> {
        self.messages
            .iter()
            .filter(|(_, message)| !matches!(message.state, State::Settled | State::Retained))
            .map(|(_, message)| message.content.id)
            .collect()
    }

    /// Acks what the predicate says is acked, and takes back the rest.
    pub(crate) fn seek(
        &mut self,
        acked: impl Fn(&Message) -> bool,
        now: Timestamp,
        rules: &Rules,
        memory: &mut Memory,
    ) {
        let wanted: Vec<(u64, bool)> = self
            .messages
            .iter()
            .map(|(sequence, message)| (sequence, acked(message)))
            .collect();
        for (sequence, acked) in wanted {
            let Some(message) = self.messages.get_mut(sequence) else {
                continue;
            };
            let was_acked = matches!(message.state, State::Settled | State::Retained);
            if acked && message.state != State::Retained {
                self.finish(sequence, rules, memory);
            } else if !acked && was_acked {
                if message.state == State::Retained {
                    self.holdings.acked -= 1;
                }
                message.lease = 0;
                message.delivery_count = 0;
                let rank = rules.rank(now);
                if planted!(SeekSkips, !sequence.is_multiple_of(3), true) {
                    self.change(sequence, State::Ready { rank });
                }
            }
        }
        let keys: Vec<Arc<str>> = self.groups.after("").map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.finish_settled(Some(&key), rules, memory);
        }
    }

    /// Drops the acked messages that nobody can come back for.
    pub(crate) fn sweep_retained(&mut self, rules: &Rules, memory: &mut Memory) {
        if rules.retain_acked || self.holdings.retained == 0 {
            return;
        }
        let unneeded: Vec<u64> = self
            .messages
            .iter()
            .filter(|(_, message)| message.state == State::Retained)
            .filter(|(_, message)| !self.replay.needs(message.content.id))
            .map(|(sequence, _)| sequence)
            .collect();
        for sequence in unneeded {
            if let Some(message) = self.take(sequence, memory) {
                memory.release(message.content);
            }
        }
    }
}
