//! Which group of messages may be handed out, and to whom.
//!
//! A group knows the numbers of its messages that wait and of those that are out. Groups of which
//! anything can be handed out stand in a list ordered by their first message, so that the next
//! one is found without looking at the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::entity::Timestamp;
use crate::rules::Mode;

/// Who has messages of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// One receive: nobody comes back for more of the group.
    Call(u64),
    /// A consumer that goes on with the group.
    Consumer(u64),
}

/// A lock on a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) number: u64,
    pub(crate) until: Timestamp,
}

/// What only sessions have.
#[derive(Debug, Default)]
pub(crate) struct SessionPart {
    pub(crate) lock: Option<Lock>,
    pub(crate) state: Option<Bytes>,
}

/// Where a group is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Free(u64),
    Held(Holder, u64),
}

/// One group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Ready or delayed; the first one decides.
    pub(crate) waiting: BTreeSet<u64>,
    /// Leased, or acked before an earlier one.
    pub(crate) out: BTreeSet<u64>,
    /// Of a session: deferred or scheduled.
    pub(crate) aside: BTreeSet<u64>,
    /// Who took the last one.
    pub(crate) holder: Option<Holder>,
    pub(crate) session: Option<Box<SessionPart>>,
    listing: Option<Listing>,
}

impl Group {
    /// The lock, if someone holds the session.
    pub(crate) fn lock(&self) -> Option<Lock> {
        self.session.as_ref().and_then(|session| session.lock)
    }

    fn is_empty(&self) -> bool {
        let no_session = self
            .session
            .as_ref()
            .is_none_or(|session| session.lock.is_none() && session.state.is_none());
        self.waiting.is_empty() && self.out.is_empty() && self.aside.is_empty() && no_session
    }

    /// The numbers of its messages from this one on, up to so many, in order.
    pub(crate) fn from(&self, sequence: u64, max: usize) -> Vec<u64> {
        let mut all: Vec<u64> = [&self.waiting, &self.out, &self.aside]
            .into_iter()
            .flat_map(|set| set.range(sequence..).take(max))
            .copied()
            .collect();
        all.sort_unstable();
        all.truncate(max);
        all
    }

    fn listing(&self, mode: Mode, head: Option<u64>) -> Option<Listing> {
        let head = head?;
        let nothing_out = planted!(GroupHandedToTwo, true, self.out.is_empty());
        match mode {
            Mode::Plain => None,
            Mode::Sessions => {
                let free = planted!(SessionLockIgnored, true, self.lock().is_none());
                free.then_some(Listing::Free(head))
            }
            Mode::Fifo | Mode::Keys if nothing_out => Some(Listing::Free(head)),
            Mode::Fifo | Mode::Keys => self.holder.map(|holder| Listing::Held(holder, head)),
        }
    }
}

/// All groups of one place.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_key: BTreeMap<Arc<str>, Group>,
    free: BTreeSet<(u64, Arc<str>)>,
    held: BTreeSet<(Holder, u64, Arc<str>)>,
    /// When the locks of sessions end.
    pub(crate) locks: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Groups {
    /// The group, if there is anything to know of it.
    pub(crate) fn get(&self, key: &str) -> Option<&Group> {
        count_step!();
        self.by_key.get(key)
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Group> {
        self.by_key.get_mut(key)
    }

    /// The group, made where there is none.
    pub(crate) fn of(&mut self, key: &Arc<str>) -> &mut Group {
        self.by_key.entry(key.clone()).or_default()
    }

    /// The names of the groups after this one, in order.
    pub(crate) fn after<'a>(
        &'a self,
        key: &str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Group)> {
        use std::ops::Bound;
        let from = (Bound::Excluded(Arc::from(key)), Bound::Unbounded);
        self.by_key.range::<Arc<str>, _>(from)
    }

    /// All groups.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Group> {
        self.by_key.values()
    }

    /// The first free group.
    pub(crate) fn first_free(&self) -> Option<&(u64, Arc<str>)> {
        self.free.first()
    }

    /// The first group that this holder can go on with.
    pub(crate) fn first_held(&self, holder: Holder) -> Option<(u64, &Arc<str>)> {
        self.held
            .range((holder, 0, Arc::default())..)
            .next()
            .filter(|(by, ..)| *by == holder)
            .map(|(_, head, key)| (*head, key))
    }

    /// Lists the group by its first waiting message, which is `None` where that one is not
    /// ready. Forgets the group when nothing is left of it. Tells whether a receiver who waits
    /// could now get something of it.
    pub(crate) fn list(&mut self, key: &Arc<str>, mode: Mode, head: Option<u64>) -> bool {
        let Some(group) = self.by_key.get_mut(key) else {
            return false;
        };
        let listing = group.listing(mode, head);
        let before = std::mem::replace(&mut group.listing, listing);
        if group.is_empty() {
            self.by_key.remove(key);
        }
        if before == listing {
            return false;
        }
        match before {
            Some(Listing::Free(head)) => {
                self.free.remove(&(head, key.clone()));
            }
            Some(Listing::Held(holder, head)) => {
                self.held.remove(&(holder, head, key.clone()));
            }
            None => {}
        }
        match listing {
            Some(Listing::Free(head)) => self.free.insert((head, key.clone())),
            Some(Listing::Held(holder, head)) => {
                self.held.insert((holder, head, key.clone()));
                matches!(holder, Holder::Consumer(_))
            }
            None => false,
        }
    }
}
