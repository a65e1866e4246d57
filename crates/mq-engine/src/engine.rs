//! The state machine.

use std::collections::{BTreeMap, VecDeque};

use crate::entity::{Counts, Entity, EntityId, EntityKind, Service, Settings, Timestamp};

/// What a front-end asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// How many deleted entities are remembered: enough for any pause before a name may come again,
/// and a bound for a process that creates and deletes without end.
const DELETED_MAX: usize = 100_000;

/// All entities of one emulator.
#[derive(Debug, Default)]
pub struct Engine {
    entities: BTreeMap<EntityId, Entity>,
    deleted: BTreeMap<EntityId, Timestamp>,
    /// Every deletion that `deleted` may still hold, the oldest first.
    deletions: VecDeque<(Timestamp, EntityId)>,
    revision: u64,
}

impl Engine {
    /// An engine that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does what the command says, at this time.
    ///
    /// # Errors
    /// A [`Refusal`], and then nothing has changed.
    pub fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
        match command {
            Command::Create {
                id,
                settings,
                document,
            } => self.create(now, id, settings, document),
            Command::Update {
                id,
                settings,
                document,
                if_revision,
            } => self.update(now, &id, settings, document, if_revision),
            Command::Delete { id } => self.delete(now, &id),
        }
    }

    /// The entity, if it is there.
    #[must_use]
    pub fn get(&self, id: &EntityId) -> Option<&Entity> {
        self.entities.get(id)
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
        self.entities
            .range(from..)
            .map(|(_, entity)| entity)
            .take_while(move |entity| {
                entity.id.service == service && entity.id.kind == kind && entity.id.scope == scope
            })
            .filter(move |entity| entity.id.name != skipped)
    }

    /// When the entity of this name was last deleted, if it was and is not there again. Of very
    /// many deletions only the latest are remembered.
    #[must_use]
    pub fn deleted_at(&self, id: &EntityId) -> Option<Timestamp> {
        self.deleted.get(id).copied()
    }

    /// How many messages the entity holds.
    #[must_use]
    pub fn counts(&self, id: &EntityId) -> Option<Counts> {
        self.entities.get(id).map(|_| Counts::default())
    }

    fn create(
        &mut self,
        now: Timestamp,
        id: EntityId,
        settings: Settings,
        document: serde_json::Value,
    ) -> Result<Reply, Refusal> {
        if let Some(entity) = self.entities.get(&id) {
            return Err(Refusal::Exists(Box::new(entity.clone())));
        }
        self.check_topic(&settings)?;
        self.deleted.remove(&id);
        self.revision += 1;
        let entity = Entity {
            id: id.clone(),
            settings,
            document,
            created: now,
            updated: now,
            revision: self.revision,
        };
        self.entities.insert(id, entity.clone());
        Ok(Reply::Entity(entity))
    }

    fn update(
        &mut self,
        now: Timestamp,
        id: &EntityId,
        settings: Settings,
        document: serde_json::Value,
        if_revision: Option<u64>,
    ) -> Result<Reply, Refusal> {
        let entity = self.entities.get(id).ok_or(Refusal::NotFound)?;
        if if_revision.is_some_and(|wanted| wanted != entity.revision) {
            return Err(Refusal::Changed(entity.revision));
        }
        if settings.topic != entity.settings.topic {
            self.check_topic(&settings)?;
        }
        self.revision += 1;
        let revision = self.revision;
        let entity = self.entities.get_mut(id).ok_or(Refusal::NotFound)?;
        entity.settings = settings;
        entity.document = document;
        entity.updated = now;
        entity.revision = revision;
        Ok(Reply::Entity(entity.clone()))
    }

    fn delete(&mut self, now: Timestamp, id: &EntityId) -> Result<Reply, Refusal> {
        let entity = self.entities.remove(id).ok_or(Refusal::NotFound)?;
        self.remember_deletion(now, id);
        if id.kind == EntityKind::Topic {
            for subscription in self.entities.values_mut() {
                if subscription.settings.topic.as_ref() == Some(id) {
                    subscription.settings.topic = None;
                }
            }
        }
        Ok(Reply::Deleted(entity))
    }

    fn remember_deletion(&mut self, now: Timestamp, id: &EntityId) {
        self.deleted.insert(id.clone(), now);
        self.deletions.push_back((now, id.clone()));
        if self.deletions.len() > DELETED_MAX
            && let Some((time, oldest)) = self.deletions.pop_front()
            && self.deleted.get(&oldest) == Some(&time)
        {
            self.deleted.remove(&oldest);
        }
    }

    fn check_topic(&self, settings: &Settings) -> Result<(), Refusal> {
        match &settings.topic {
            Some(topic) if !self.entities.contains_key(topic) => {
                Err(Refusal::Dangling(topic.clone()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_deletions_are_remembered() {
        let id = |number: usize| EntityId {
            service: Service::Sqs,
            kind: EntityKind::Queue,
            scope: "s".to_owned(),
            name: number.to_string(),
        };
        let mut engine = Engine::new();
        for number in 0..DELETED_MAX + 10 {
            let (id, document) = (id(number), serde_json::Value::Null);
            let create = Command::Create {
                id: id.clone(),
                settings: Settings::default(),
                document,
            };
            engine.apply(Timestamp(0), create).unwrap();
            engine
                .apply(Timestamp(number as u64), Command::Delete { id })
                .unwrap();
        }
        assert_eq!(engine.deleted.len(), DELETED_MAX);
        assert_eq!(engine.deleted_at(&id(9)), None);
        assert_eq!(engine.deleted_at(&id(10)), Some(Timestamp(10)));
        assert_eq!(engine.deletions.len(), DELETED_MAX);
    }
}
