//! What can be seen of the engine. Nothing here changes anything, so nothing here belongs in a
//! log; who wants to see it as of now lets time pass first.

use bytes::Bytes;

use crate::counts::{Counts, Holdings};
use crate::engine::Engine;
use crate::entity::{Entity, EntityId, EntityKind, Part, Place, Service, Timestamp};
use crate::message::Peeked;
use crate::operation::{Denied, MoveTask, SessionLock, Snapshot};

impl Engine {
    /// The latest time that the engine was told.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock
    }

    /// The entity, if it is there.
    #[must_use]
    pub fn get(&self, id: &EntityId) -> Option<&Entity> {
        self.slot(id).map(|slot| &slot.entity)
    }

    /// The entities of one kind in one scope whose names come after `after`, in order of name.
    pub fn list<'a>(
        &'a self,
        service: Service,
        kind: EntityKind,
        scope: &str,
        after: &str,
    ) -> impl Iterator<Item = &'a Entity> + use<'a> {
        let from = EntityId {
            service,
            kind,
            scope: scope.to_owned(),
            name: after.to_owned(),
        };
        let scope = from.scope.clone();
        let skipped = from.name.clone();
        self.by_id
            .range(from..)
            .take_while(move |(id, _)| {
                id.service == service && id.kind == kind && id.scope == scope
            })
            .filter(move |(id, _)| id.name != skipped)
            .filter_map(|(_, number)| self.slots.get(number))
            .map(|slot| &slot.entity)
    }

    /// Every entity, by service, kind, scope and name.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        let slots = self
            .by_id
            .values()
            .filter_map(|number| self.slots.get(number));
        slots.map(|slot| &slot.entity)
    }

    /// The subscriptions of a topic, the oldest first.
    pub fn subscriptions(&self, topic: &EntityId) -> impl Iterator<Item = &Entity> {
        let all = self
            .by_id
            .get(topic)
            .and_then(|number| self.subscribers.get(number));
        all.into_iter()
            .flatten()
            .filter_map(|number| self.slots.get(number))
            .map(|slot| &slot.entity)
    }

    /// When the entity of this name was last deleted, if it was and is not there again. Of very
    /// many deletions only the latest are remembered.
    #[must_use]
    pub fn deleted_at(&self, id: &EntityId) -> Option<Timestamp> {
        self.deleted.get(id)
    }

    /// How many messages the entity holds, in the kinds that every service shows.
    #[must_use]
    pub fn counts(&self, id: &EntityId) -> Option<Counts> {
        let slot = self.slot(id)?;
        let holdings = |part| {
            slot.peek(part)
                .map_or_else(Holdings::default, |store| store.holdings)
        };
        Some(holdings(Part::Main).counts(holdings(Part::Dead).alive()))
    }

    /// What a place holds, in full, and what has gone through it.
    #[must_use]
    pub fn holdings(&self, place: &Place) -> Option<Holdings> {
        let slot = self.slot(&place.id)?;
        Some(
            slot.peek(place.part)
                .map_or_else(Holdings::default, |store| store.holdings),
        )
    }

    /// The bytes that all messages take, bodies that are shared counted once.
    #[must_use]
    pub fn memory_held(&self) -> u64 {
        self.memory.held
    }

    /// The messages of a place from this number on, whatever they wait for, and without taking
    /// them. With a group, only of that.
    #[must_use]
    pub fn peek(&self, place: &Place, from: u64, max: usize, group: Option<&str>) -> Vec<Peeked> {
        let store = self.slot(&place.id).and_then(|slot| slot.peek(place.part));
        store.map_or_else(Vec::new, |store| store.peek(from, max, group))
    }

    /// The state of a session.
    ///
    /// # Errors
    /// When the lock does not hold it.
    pub fn session_state(
        &self,
        place: &Place,
        lock: &SessionLock,
    ) -> Result<Option<Bytes>, Denied> {
        let slot = self.slot(&place.id).ok_or(Denied::NotFound)?;
        let store = slot.peek(place.part).ok_or(Denied::SessionLost)?;
        let key = store.check_lock(lock, self.clock)?;
        let session = store
            .groups
            .get(&key)
            .and_then(|group| group.session.as_ref());
        Ok(session.and_then(|session| session.state.clone()))
    }

    /// The sessions that have messages, a state or a holder, and whose names come after this
    /// one, in order of name.
    pub fn sessions<'a>(&'a self, place: &Place, after: &str) -> impl Iterator<Item = &'a str> {
        let store = self.slot(&place.id).and_then(|slot| slot.peek(place.part));
        let groups = store.map(|store| store.groups.after(after));
        groups.into_iter().flatten().map(|(key, _)| &**key)
    }

    /// A snapshot.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Option<&Snapshot> {
        self.snapshots.get(name)
    }

    /// The snapshots whose names come after this one, in order of name.
    pub fn snapshots_after(&self, name: &str) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.after(name)
    }

    /// The move tasks that started from this place, the latest first.
    pub fn moves(&self, place: &Place) -> impl Iterator<Item = &MoveTask> {
        let number = self.by_id.get(&place.id).copied().unwrap_or_default();
        self.moves.of(number, place.part)
    }
}
