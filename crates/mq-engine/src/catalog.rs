//! Entities: made, changed, removed.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::{Command, Engine, Refusal, Reply, Timer};
use crate::entity::{Entity, EntityId, EntityKind, Part, Settings, Timestamp};
use crate::slot::Slot;

/// How many deleted entities are remembered: enough for any pause before a name may come again,
/// and a bound for a process that creates and deletes without end.
pub(crate) const DELETED_MAX: usize = 100_000;

/// What was deleted lately.
#[derive(Debug, Default)]
pub(crate) struct Graveyard {
    by_id: BTreeMap<EntityId, Timestamp>,
    /// Every deletion that `by_id` may still hold, the oldest first.
    order: VecDeque<(Timestamp, EntityId)>,
}

impl Graveyard {
    /// When the entity of this name was deleted.
    pub(crate) fn get(&self, id: &EntityId) -> Option<Timestamp> {
        self.by_id.get(id).copied()
    }

    fn note(&mut self, now: Timestamp, id: &EntityId) {
        self.by_id.insert(id.clone(), now);
        self.order.push_back((now, id.clone()));
        if self.order.len() > DELETED_MAX
            && let Some((time, oldest)) = self.order.pop_front()
            && self.by_id.get(&oldest) == Some(&time)
        {
            self.by_id.remove(&oldest);
        }
    }
}

impl Engine {
    pub(crate) fn run(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
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

    fn create(
        &mut self,
        now: Timestamp,
        id: EntityId,
        settings: Settings,
        document: serde_json::Value,
    ) -> Result<Reply, Refusal> {
        if let Some(entity) = self.get(&id) {
            return Err(Refusal::Exists(Box::new(entity.clone())));
        }
        let topic = self.topic_of(&settings)?;
        self.deleted.by_id.remove(&id);
        self.revision += 1;
        self.entities += 1;
        let number = self.entities;
        let entity = Entity {
            id: id.clone(),
            settings,
            document,
            created: now,
            updated: now,
            revision: self.revision,
        };
        let filter = self.filters.as_ref().and_then(|all| all.compile(&entity));
        self.by_id.insert(id, number);
        self.slots.insert(number, Slot::new(entity.clone(), filter));
        self.attach(number, None, topic);
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
        let number = *self.by_id.get(id).ok_or(Refusal::NotFound)?;
        let slot = self.slots.get(&number).ok_or(Refusal::NotFound)?;
        let revision = slot.entity.revision;
        if if_revision.is_some_and(|wanted| wanted != revision) {
            return Err(Refusal::Changed(revision));
        }
        if settings.topic != slot.entity.settings.topic {
            let before = slot.entity.settings.topic.as_ref();
            let before = before.and_then(|topic| self.by_id.get(topic)).copied();
            let after = self.topic_of(&settings)?;
            self.attach(number, before, after);
        }
        self.revision += 1;
        let revision = self.revision;
        let slot = self.slots.get_mut(&number).ok_or(Refusal::NotFound)?;
        let before = std::mem::replace(&mut slot.entity.settings, settings);
        slot.entity.document = document;
        slot.entity.updated = now;
        slot.entity.revision = revision;
        let filters = self.filters.as_ref();
        slot.filter = filters.and_then(|filters| filters.compile(&slot.entity));
        let entity = slot.entity.clone();
        self.settings_changed(number, &before, &entity.settings);
        Ok(Reply::Entity(entity))
    }

    /// Lets the messages feel what has changed for them.
    fn settings_changed(&mut self, number: u64, before: &Settings, after: &Settings) {
        let rules = self.rules(number, Part::Main);
        let Some(store) = self
            .slots
            .get_mut(&number)
            .and_then(|slot| slot.peek_mut(Part::Main))
        else {
            return;
        };
        if before.retention != after.retention {
            store.reckon_expiry(&rules);
        }
        if before.retain_acked != after.retain_acked {
            store.sweep_retained(&rules, &mut self.memory);
        }
        if before.topic.is_some() && after.topic.is_none() {
            store.purge(&mut self.memory);
        }
        self.touch(number);
    }

    fn delete(&mut self, now: Timestamp, id: &EntityId) -> Result<Reply, Refusal> {
        let number = self.by_id.remove(id).ok_or(Refusal::NotFound)?;
        let mut slot = self.slots.remove(&number).ok_or(Refusal::NotFound)?;
        self.deleted.note(now, id);
        slot.clear(&mut self.memory);
        if let Some(time) = slot.timer {
            self.unset_timer(time, Timer::Slot(number));
        }
        self.moves.forget(number);
        if id.kind == EntityKind::Topic {
            for subscription in self.subscribers.remove(&number).unwrap_or_default() {
                if let Some(slot) = self.slots.get_mut(&subscription) {
                    slot.entity.settings.topic = None;
                }
            }
        } else if let Some(topic) = &slot.entity.settings.topic
            && let Some(topic) = self.by_id.get(topic).copied()
        {
            self.attach(number, Some(topic), None);
        }
        Ok(Reply::Deleted(slot.entity))
    }

    /// Lists a subscription with its topic, and no longer with the one before.
    fn attach(&mut self, number: u64, before: Option<u64>, after: Option<u64>) {
        if let Some(before) = before
            && let Some(all) = self.subscribers.get_mut(&before)
        {
            all.remove(&number);
        }
        if let Some(after) = after {
            self.subscribers.entry(after).or_default().insert(number);
        }
    }

    fn topic_of(&self, settings: &Settings) -> Result<Option<u64>, Refusal> {
        let find = |topic: &EntityId| {
            let number = self.by_id.get(topic).copied();
            number.ok_or_else(|| Refusal::Dangling(topic.clone()))
        };
        settings.topic.as_ref().map(find).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Service;

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
        assert_eq!(engine.deleted.by_id.len(), DELETED_MAX);
        assert_eq!(engine.deleted_at(&id(9)), None);
        assert_eq!(engine.deleted_at(&id(10)), Some(Timestamp(10)));
        assert_eq!(engine.deleted.order.len(), DELETED_MAX);
    }
}
