//! Who is worth waking.
//!
//! The engine cannot know who waits. It notes where something became receivable, and the
//! front-end, which knows, asks again on behalf of those who wait there. A name too many costs
//! one receive that brings nothing; one too few would leave someone waiting.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::Engine;
use crate::entity::Place;

/// A place where something became receivable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// Where.
    pub place: Place,
    /// Whether it is for those who receive without a session, or who wait for any session.
    pub anyone: bool,
    /// The sessions whose holders got something, in order of name.
    pub sessions: Vec<Arc<str>>,
}

/// What became receivable in one place since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    pub(crate) anyone: bool,
    pub(crate) sessions: BTreeSet<Arc<str>>,
}

impl Wake {
    /// Whether there is nobody to wake.
    pub(crate) fn is_empty(&self) -> bool {
        !self.anyone && self.sessions.is_empty()
    }
}

impl Engine {
    /// The places where something became receivable since this was last called: whoever waits
    /// there should ask again. Each is named once, however much it got. A place that was deleted
    /// is not named; who deletes it knows it.
    #[must_use]
    pub fn take_woken(&mut self) -> Vec<Woken> {
        let woken = std::mem::take(&mut self.woken).into_iter();
        let take = |(number, part)| {
            let slot = self.slots.get_mut(&number)?;
            let id = slot.entity.id.clone();
            let wake = std::mem::take(&mut slot.peek_mut(part)?.wake);
            Some(Woken {
                place: Place { id, part },
                anyone: wake.anyone,
                sessions: wake.sessions.into_iter().collect(),
            })
        };
        woken.filter_map(take).collect()
    }
}
