//! An entity with its messages. One without messages costs little: its stores are made when the
//! first message comes.

use std::sync::Arc;

use crate::dedup::Seen;
use crate::entity::{Entity, Part, Timestamp};
use crate::memory::Memory;
use crate::rules::Mode;
use crate::store::Store;
use crate::topic::Filter;

/// An entity with what the engine keeps for it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) entity: Entity,
    pub(crate) filter: Option<Arc<dyn Filter>>,
    main: Option<Box<Store>>,
    dead: Option<Box<Store>>,
    pub(crate) seen: Option<Box<Seen>>,
    /// The last number that a message of it got, in either part.
    pub(crate) sequence: u64,
    /// The time for which its timer is set.
    pub(crate) timer: Option<Timestamp>,
}

impl Slot {
    /// An entity that has got no message yet.
    pub(crate) fn new(entity: Entity, filter: Option<Arc<dyn Filter>>) -> Self {
        Slot {
            entity,
            filter,
            main: None,
            dead: None,
            seen: None,
            sequence: 0,
            timer: None,
        }
    }

    /// The number of the next message.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The messages of a part, which may not have come yet.
    pub(crate) fn peek(&self, part: Part) -> Option<&Store> {
        match part {
            Part::Main => self.main.as_deref(),
            Part::Dead => self.dead.as_deref(),
        }
    }

    /// The messages of a part, if any ever came.
    pub(crate) fn peek_mut(&mut self, part: Part) -> Option<&mut Store> {
        match part {
            Part::Main => self.main.as_deref_mut(),
            Part::Dead => self.dead.as_deref_mut(),
        }
    }

    /// The messages of a part.
    pub(crate) fn store(&mut self, part: Part) -> &mut Store {
        let mode = Mode::of(&self.entity, part);
        let store = match part {
            Part::Main => &mut self.main,
            Part::Dead => &mut self.dead,
        };
        store.get_or_insert_with(|| Box::new(Store::new(mode)))
    }

    /// When time next does something to it.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let store = |part| self.peek(part).and_then(Store::next_due);
        let window = self.entity.settings.duplicate_window.unwrap_or_default();
        let seen = self.seen.as_ref().and_then(|seen| seen.next_due(window));
        [store(Part::Main), store(Part::Dead), seen]
            .into_iter()
            .flatten()
            .min()
    }

    /// How many bytes its messages take.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |part| self.peek(part).map_or(0, |store| store.holdings.bytes);
        bytes(Part::Main) + bytes(Part::Dead)
    }

    /// Gives back all memory, at the end of the entity.
    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        for part in [Part::Main, Part::Dead] {
            if let Some(store) = self.peek_mut(part) {
                store.purge(memory);
                memory.give_back(store.state_bytes());
            }
        }
        if let Some(seen) = &mut self.seen {
            seen.forget(None, Timestamp::FOREVER, memory);
        }
    }
}
