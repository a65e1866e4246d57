//! What the engine keeps of a Pub/Sub resource beside its settings, and who sees it when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use googleapis_tonic_google_iam_v1::google::iam::v1::Policy;
use mq_engine::{
    Command, Engine, Entity, EntityId, EntityKind, Reply, Service, Settings, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::holders::Holders;
use super::json::{self, Enums, Message};
use super::names::full;
use super::page::Page;
use super::status::{not_found, refused};
use super::window::Windows;
use super::{PubSub, Scope};
use crate::shared::Shared;
use crate::waiting::EngineGuard;

/// The document of a topic or subscription, kept by the engine unread.
#[derive(Serialize, Deserialize)]
struct Document {
    /// The resource in the form that REST shows, whole.
    resource: Value,
    /// Its IAM policy in the form that REST shows, without the etag; null until one was set.
    policy: Value,
    /// How often the policy was set.
    policy_version: u32,
    /// How many resources were made before it: time may stand still between two of one name.
    number: u64,
}

/// A resource with all that is kept of it.
pub(super) struct Stored {
    pub(super) entity: Entity,
    document: Document,
}

impl Stored {
    pub(super) fn of(entity: &Entity) -> Result<Self, Status> {
        let document =
            Document::deserialize(&entity.document).map_err(|error| unreadable(&error))?;
        Ok(Stored {
            entity: entity.clone(),
            document,
        })
    }

    /// The topic or subscription, as the rules left it.
    pub(super) fn message<M: Message>(&self) -> Result<M, Status> {
        json::read(self.document.resource.clone(), "")
    }

    /// The IAM policy with its etag, which changes with each policy that is set and is another
    /// one for a resource made anew under the same name.
    pub(super) fn policy(&self) -> Result<Policy, Status> {
        let policy = match &self.document.policy {
            Value::Null => Policy::default(),
            policy => json::read(policy.clone(), "")?,
        };
        let created = self.entity.created.0.to_be_bytes();
        let number = self.document.number.to_be_bytes();
        let version = self.document.policy_version.to_be_bytes();
        let etag = [&created[2..], &number, &version].concat();
        Ok(Policy { etag, ..policy })
    }

    /// Puts this message and these settings in the place of what the engine has.
    pub(super) fn replace<M: Message>(
        mut self,
        engine: &mut Engine,
        now: Timestamp,
        message: &M,
        settings: Settings,
    ) -> Result<Entity, Status> {
        self.document.resource = json::write(message, Enums::Names);
        self.entity.settings = settings;
        self.save(engine, now)
    }

    /// Puts this policy in the place of the one before.
    pub(super) fn replace_policy(
        mut self,
        engine: &mut Engine,
        now: Timestamp,
        policy: Policy,
    ) -> Result<Entity, Status> {
        self.document.policy = json::write(
            &Policy {
                etag: Vec::new(),
                ..policy
            },
            Enums::Names,
        );
        self.document.policy_version += 1;
        self.save(engine, now)
    }

    fn save(self, engine: &mut Engine, now: Timestamp) -> Result<Entity, Status> {
        let Entity {
            id,
            settings,
            revision,
            ..
        } = self.entity;
        let name = full(&id);
        let document = self.document.keep()?;
        apply(
            engine,
            now,
            &name,
            Command::Update {
                id,
                settings,
                document,
                if_revision: Some(revision),
            },
        )
    }
}

impl Document {
    fn keep(&self) -> Result<Value, Status> {
        serde_json::to_value(self).map_err(|error| unreadable(&error))
    }
}

impl PubSub {
    pub(super) fn new(shared: Arc<Shared>, scope: Scope, shutdown: CancellationToken) -> Self {
        PubSub {
            shared,
            scope,
            made: AtomicU64::new(0),
            unseen: Mutex::default(),
            projects: Mutex::default(),
            changes: watch::Sender::default(),
            windows: Windows::default(),
            holders: Holders::default(),
            shutdown,
        }
    }

    /// Makes a resource.
    pub(super) fn insert<M: Message>(
        &self,
        engine: &mut Engine,
        id: EntityId,
        message: &M,
        settings: Settings,
    ) -> Result<Entity, Status> {
        let resource = json::write(message, Enums::Names);
        let document = Document {
            resource,
            policy: Value::Null,
            policy_version: 0,
            number: self.made.fetch_add(1, Ordering::Relaxed),
        }
        .keep()?;
        let command = Command::Create {
            id: id.clone(),
            settings,
            document,
        };
        let entity = apply(engine, self.shared.now(), &full(&id), command)?;
        self.hide(id);
        Ok(entity)
    }

    /// The resource as a reader finds it, who under the quirk `pubsub-not-found-after-create` is
    /// answered by a cache that does not know it yet.
    pub(super) fn observe<'e>(
        &self,
        engine: &'e Engine,
        id: &EntityId,
    ) -> Result<&'e Entity, Status> {
        let entity = find(engine, id)?;
        if self.still_hidden(id) {
            return Err(not_found(&full(id)));
        }
        Ok(entity)
    }

    /// Deletes a resource; who waits for its messages is told.
    pub(super) fn remove(&self, engine: &mut EngineGuard<'_>, id: &EntityId) -> Result<(), Status> {
        self.unseen().remove(id);
        let command = Command::Delete { id: id.clone() };
        engine
            .apply(self.shared.now(), command)
            .map_err(|refusal| refused(refusal, &full(id)))?;
        self.changes.send_replace(());
        Ok(())
    }

    fn hide(&self, id: EntityId) {
        let reads = self.shared.quirks.pubsub_not_found_after_create;
        if reads > 0 {
            self.unseen().insert(id, reads);
        }
    }

    fn still_hidden(&self, id: &EntityId) -> bool {
        let mut unseen = self.unseen();
        match unseen.get_mut(id) {
            Some(reads) if *reads > 1 => *reads -= 1,
            Some(_) => drop(unseen.remove(id)),
            None => return false,
        }
        true
    }

    pub(super) fn projects(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unseen(&self) -> MutexGuard<'_, BTreeMap<EntityId, u32>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The resource, whatever readers may know of it.
pub(super) fn find<'e>(engine: &'e Engine, id: &EntityId) -> Result<&'e Entity, Status> {
    engine.get(id).ok_or_else(|| not_found(&full(id)))
}

/// One page of a project's resources of one kind that are wanted, with the token of the next.
pub(super) fn list<'e>(
    engine: &'e Engine,
    kind: EntityKind,
    project: &str,
    page: &Page,
    wanted: impl Fn(&Entity) -> bool,
) -> (Vec<&'e Entity>, String) {
    let mut entities = engine
        .list(Service::PubSub, kind, project, &page.after)
        .filter(|entity| wanted(entity));
    let found: Vec<&Entity> = entities.by_ref().take(page.size).collect();
    let more = entities.next().is_some();
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| Page::token_after(&last.id.name))
        .unwrap_or_default();
    (found, next)
}

fn apply(
    engine: &mut Engine,
    now: Timestamp,
    name: &str,
    command: Command,
) -> Result<Entity, Status> {
    match engine.apply(now, command) {
        Ok(Reply::Entity(entity) | Reply::Deleted(entity)) => Ok(entity),
        Err(refusal) => Err(refused(refusal, name)),
    }
}

fn unreadable(error: &serde_json::Error) -> Status {
    Status::internal(format!("The stored document cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use googleapis_tonic_google_iam_v1::google::iam::v1::GetIamPolicyRequest;
    use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
        DeleteTopicRequest, GetTopicRequest, ListTopicsRequest, Topic,
    };
    use tonic::Code;

    use super::*;
    use crate::quirks::Quirks;

    const NAME: &str = "projects/p/topics/orders";

    fn get(pubsub: &PubSub) -> Result<Topic, Code> {
        pubsub
            .get_topic(GetTopicRequest {
                topic: NAME.to_owned(),
            })
            .map_err(|status| status.code())
    }

    #[test]
    fn a_new_resource_is_not_found_by_so_many_reads() {
        let quirks = Quirks {
            pubsub_not_found_after_create: 2,
            ..Quirks::default()
        };
        let pubsub = PubSub::new(
            Arc::new(Shared::new(quirks, 1)),
            Scope { project_number: 1 },
            CancellationToken::new(),
        );
        for round in 0..2 {
            pubsub
                .create_topic(Topic {
                    name: NAME.to_owned(),
                    ..Topic::default()
                })
                .unwrap();
            assert_eq!(get(&pubsub), Err(Code::NotFound), "round {round}");
            let policy = pubsub.get_iam_policy(GetIamPolicyRequest {
                resource: NAME.to_owned(),
                options: None,
            });
            assert_eq!(policy.unwrap_err().code(), Code::NotFound, "round {round}");
            assert_eq!(get(&pubsub).unwrap().name, NAME, "round {round}");
            // It is there all the same.
            let again = pubsub.create_topic(Topic {
                name: NAME.to_owned(),
                ..Topic::default()
            });
            assert_eq!(again.unwrap_err().code(), Code::AlreadyExists);
            let listed = pubsub.list_topics(ListTopicsRequest {
                project: "projects/p".to_owned(),
                ..Default::default()
            });
            assert_eq!(listed.unwrap().topics.len(), 1);
            pubsub
                .delete_topic(DeleteTopicRequest {
                    topic: NAME.to_owned(),
                })
                .unwrap();
        }
        assert!(pubsub.unseen().is_empty());
    }
}
