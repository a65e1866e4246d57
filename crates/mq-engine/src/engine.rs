//! The state machine: its parts, its clock, and what it is told to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arrival::Arrival;
use crate::catalog::Graveyard;
use crate::entity::{Entity, EntityId, EntityKind, Part, Settings, Timestamp};
use crate::memory::Memory;
use crate::move_task::Moves;
use crate::operation::{Denied, Operation, Outcome};
use crate::rules::Rules;
use crate::slot::Slot;
use crate::snapshot::Snapshots;
use crate::topic::{Filter, Filters};

/// What a front-end asks for on behalf of those who manage entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Makes an entity; [`Refusal::Exists`] when it is there.
    Create {
        /// Where.
        id: EntityId,
        /// What decides the fate of its messages.
        settings: Settings,
        /// The front-end's own attributes.
        document: serde_json::Value,
    },
    /// Replaces settings and document. With `if_revision` only when that is still the revision.
    Update {
        /// Which.
        id: EntityId,
        /// The new settings, whole.
        settings: Settings,
        /// The new document, whole.
        document: serde_json::Value,
        /// The revision that the front-end has read.
        if_revision: Option<u64>,
    },
    /// Removes an entity with its messages. Subscriptions of a deleted topic stay, detached.
    Delete {
        /// Which.
        id: EntityId,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The entity as it is now.
    Entity(Entity),
    /// The entity as it was before it was deleted.
    Deleted(Entity),
}

/// Why a command did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is there already.
    #[error("the entity exists")]
    Exists(Box<Entity>),
    /// It is not there.
    #[error("the entity does not exist")]
    NotFound,
    /// Another change came between.
    #[error("the entity changed meanwhile: it is at revision {0}")]
    Changed(u64),
    /// A subscription's topic or a dead-letter target is not there.
    #[error("the entity that this one refers to does not exist: {}", .0.name)]
    Dangling(EntityId),
}

/// What is done when a time comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Something happens to messages of this entity.
    Slot(u64),
    /// This move task takes a step.
    Move(u64),
    /// This snapshot goes.
    Snapshot(String),
}

/// All entities of one emulator, with their messages.
#[derive(Debug, Default)]
pub struct Engine {
    /// The number of each entity. Numbers are never used again.
    pub(crate) by_id: BTreeMap<EntityId, u64>,
    pub(crate) slots: BTreeMap<u64, Slot>,
    /// The last number that an entity got.
    pub(crate) entities: u64,
    /// The subscriptions of each topic.
    pub(crate) subscribers: BTreeMap<u64, BTreeSet<u64>>,
    pub(crate) filters: Option<Box<dyn Filters>>,
    pub(crate) deleted: Graveyard,
    pub(crate) revision: u64,
    /// The latest time that the engine was told.
    pub(crate) clock: Timestamp,
    timers: BTreeSet<(Timestamp, Timer)>,
    pub(crate) memory: Memory,
    /// The last id that a message got.
    pub(crate) ids: u64,
    /// The last number that a lease or a lock got.
    pub(crate) leases: u64,
    pub(crate) moves: Moves,
    pub(crate) snapshots: Snapshots,
    /// Where someone should be woken.
    pub(crate) woken: BTreeSet<(u64, Part)>,
}

impl Engine {
    /// An engine that holds nothing, and may hold as much as it likes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a bound for what messages take, in bytes.
    #[must_use]
    pub fn with_memory_max(mut self, bytes: u64) -> Self {
        self.memory.max = bytes;
        self
    }

    /// The same with filters for subscriptions; without, each takes everything.
    #[must_use]
    pub fn with_filters(mut self, filters: Box<dyn Filters>) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Does what the command says, at this time.
    ///
    /// # Errors
    /// A [`Refusal`], and then only time has passed.
    pub fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
        self.advance(now);
        let reply = self.run(now, command);
        self.advance(now);
        reply
    }

    /// Does what the operation says, at this time. A time before the latest one counts as that.
    ///
    /// # Errors
    /// A [`Denied`], and then only time has passed.
    pub fn perform(&mut self, now: Timestamp, operation: Operation) -> Result<Outcome, Denied> {
        self.advance(now);
        let outcome = self.operate(operation);
        // What came with no time left goes before anyone can see it.
        self.advance(now);
        outcome
    }

    /// Lets time pass: what is due by now happens, in order, each at its own time.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((time, _)) = self.timers.first()
            && *time <= now
            && let Some((time, timer)) = self.timers.pop_first()
        {
            self.clock = self.clock.max(time);
            match timer {
                Timer::Slot(number) => self.fire(number),
                Timer::Move(task) => self.step_move(task),
                Timer::Snapshot(name) => {
                    // It can only be there: its timer goes with it.
                    let _ = self.drop_snapshot(&name);
                }
            }
        }
        self.clock = self.clock.max(now);
    }

    /// When time next does something by itself; then someone should call [`Engine::advance`].
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.timers.first().map(|(time, _)| *time)
    }

    pub(crate) fn slot(&self, id: &EntityId) -> Option<&Slot> {
        self.slots.get(self.by_id.get(id)?)
    }

    /// The number of an entity that can be received from.
    pub(crate) fn holder_of(&self, id: &EntityId) -> Result<u64, Denied> {
        if id.kind == EntityKind::Topic {
            return Err(Denied::WrongKind);
        }
        self.by_id.get(id).copied().ok_or(Denied::NotFound)
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn subscribers_of(&self, topic: u64) -> Vec<u64> {
        let all = self.subscribers.get(&topic);
        all.into_iter().flatten().copied().collect()
    }

    pub(crate) fn subscriber_count(&self, topic: u64) -> u64 {
        self.subscribers
            .get(&topic)
            .map_or(0, |all| all.len() as u64)
    }

    pub(crate) fn filter_of(&self, subscription: u64) -> Option<Arc<dyn Filter>> {
        self.slots.get(&subscription)?.filter.clone()
    }

    /// The rules of one part of an entity.
    pub(crate) fn rules(&self, number: u64, part: Part) -> Rules {
        let go = self.dead_letters_go(number);
        self.slots
            .get(&number)
            .map(|slot| Rules::of(&slot.entity, part, go))
            .unwrap_or_default()
    }

    pub(crate) fn set_timer(&mut self, time: Timestamp, timer: Timer) {
        self.timers.insert((time, timer));
    }

    pub(crate) fn unset_timer(&mut self, time: Timestamp, timer: Timer) {
        self.timers.remove(&(time, timer));
    }

    /// Sets the timer of an entity that has changed, and notes whom to wake.
    pub(crate) fn touch(&mut self, number: u64) {
        let Some(slot) = self.slots.get_mut(&number) else {
            return;
        };
        for part in [Part::Main, Part::Dead] {
            if slot.peek(part).is_some_and(|store| !store.wake.is_empty()) {
                self.woken.insert((number, part));
            }
        }
        let due = slot.next_due();
        if due != slot.timer {
            let before = std::mem::replace(&mut slot.timer, due);
            if let Some(before) = before {
                self.timers.remove(&(before, Timer::Slot(number)));
            }
            if let Some(due) = due {
                self.timers.insert((due, Timer::Slot(number)));
            }
        }
    }

    /// Does what is due for one entity.
    fn fire(&mut self, number: u64) {
        let now = self.clock;
        if let Some(slot) = self.slots.get_mut(&number) {
            slot.timer = None;
            let window = slot.entity.settings.duplicate_window;
            if let Some(seen) = &mut slot.seen {
                seen.forget(window, now, &mut self.memory);
            }
        }
        for part in [Part::Main, Part::Dead] {
            let rules = self.rules(number, part);
            let store = self
                .slots
                .get_mut(&number)
                .and_then(|slot| slot.peek_mut(part));
            let Some(store) = store else { continue };
            let fired = store.fire(now, &rules, &mut self.memory);
            self.bury(number, part, fired.dead);
            for casualty in fired.activated {
                let arrival = Arrival::new(casualty.message.content, now);
                self.arrive(number, arrival);
            }
        }
        self.touch(number);
    }
}
