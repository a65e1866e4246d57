//! What was sent before, for as long as it counts as a duplicate.
//!
//! The window begins when the first one is accepted and does not begin again with a duplicate;
//! the id stays known when its message is gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::entity::Timestamp;
use crate::memory::{DUPLICATE_BYTES, Memory};
use crate::message::Sent;

/// The id, within a group where groups are told apart.
pub(crate) type Key = (Option<Arc<str>>, Arc<str>);

/// What was accepted lately by one entity.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    by_key: BTreeMap<Key, Sent>,
    /// In the order in which they were accepted.
    order: VecDeque<(Timestamp, Key)>,
}

impl Seen {
    /// The first message of this key, if its window is still open.
    pub(crate) fn get(&self, key: &Key) -> Option<Sent> {
        self.by_key.get(key).copied()
    }

    /// Remembers the first message of this key.
    pub(crate) fn note(&mut self, key: Key, sent: Sent, now: Timestamp, memory: &mut Memory) {
        memory.take(weight(&key));
        self.order.push_back((now, key.clone()));
        self.by_key.insert(key, sent);
    }

    /// When the oldest is forgotten.
    pub(crate) fn next_due(&self, window: Duration) -> Option<Timestamp> {
        self.order
            .front()
            .map(|(accepted, _)| ends(*accepted, window))
    }

    /// Forgets what lies behind the window; without a window, everything.
    pub(crate) fn forget(&mut self, window: Option<Duration>, now: Timestamp, memory: &mut Memory) {
        while let Some((accepted, _)) = self.order.front()
            && window.is_none_or(|window| ends(*accepted, window) <= now)
            && let Some((_, key)) = self.order.pop_front()
        {
            memory.give_back(weight(&key));
            self.by_key.remove(&key);
        }
    }
}

fn ends(accepted: Timestamp, window: Duration) -> Timestamp {
    let end = accepted.after(window);
    planted!(
        ShortDuplicateWindow,
        Timestamp(end.0.saturating_sub(1)),
        planted!(LongDuplicateWindow, Timestamp(end.0.saturating_add(1)), end)
    )
}

fn weight((group, id): &Key) -> u64 {
    let group = group.as_ref().map_or(0, |group| group.len());
    DUPLICATE_BYTES + (group + id.len()) as u64
}
