//! The engine against a plain map: for any run of commands both must say the same.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_engine::{
    Command, Engine, Entity, EntityId, EntityKind, Refusal, Reply, Service, Settings, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

const START: Timestamp = Timestamp(1_000);

/// One step of a run. Names are drawn from few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Create {
        id: EntityId,
        topic: Option<EntityId>,
        document: u8,
    },
    /// `stale` is how many revisions behind the caller is; `None` does not care.
    Update {
        id: EntityId,
        topic: Option<EntityId>,
        document: u8,
        stale: Option<u64>,
    },
    Delete {
        id: EntityId,
    },
    List {
        service: Service,
        kind: EntityKind,
        scope: String,
        after: String,
    },
}

/// What is under test: the engine, or one with a fault in it.
trait Subject {
    fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal>;
    fn get(&self, id: &EntityId) -> Option<Entity>;
    fn list(&self, service: Service, kind: EntityKind, scope: &str, after: &str) -> Vec<EntityId>;
    fn deleted_at(&self, id: &EntityId) -> Option<Timestamp>;
}

impl Subject for Engine {
    fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
        Engine::apply(self, now, command)
    }

    fn get(&self, id: &EntityId) -> Option<Entity> {
        Engine::get(self, id).cloned()
    }

    fn list(&self, service: Service, kind: EntityKind, scope: &str, after: &str) -> Vec<EntityId> {
        Engine::list(self, service, kind, scope, after)
            .map(|entity| entity.id.clone())
            .collect()
    }

    fn deleted_at(&self, id: &EntityId) -> Option<Timestamp> {
        Engine::deleted_at(self, id)
    }
}

/// What the model knows of an entity.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    settings: Settings,
    document: Value,
    created: Timestamp,
    updated: Timestamp,
}

/// The reference: a map, a map of the dead, and no cleverness.
#[derive(Default)]
struct Model {
    alive: BTreeMap<EntityId, Known>,
    dead: BTreeMap<EntityId, Timestamp>,
}

fn settings(topic: Option<EntityId>) -> Settings {
    Settings {
        lease: Duration::from_secs(30),
        topic,
        ..Settings::default()
    }
}

fn check<T: PartialEq + std::fmt::Debug>(
    found: &T,
    expected: &T,
    what: &str,
) -> Result<(), TestCaseError> {
    if found == expected {
        return Ok(());
    }
    Err(TestCaseError::fail(format!(
        "{what}: found {found:?}, expected {expected:?}"
    )))
}

impl Model {
    fn dangles(&self, topic: Option<&EntityId>) -> bool {
        topic.is_some_and(|topic| !self.alive.contains_key(topic))
    }

    fn step(
        &mut self,
        subject: &mut impl Subject,
        now: Timestamp,
        step: Step,
    ) -> Result<(), TestCaseError> {
        match step {
            Step::Create {
                id,
                topic,
                document,
            } => self.create(subject, now, id, topic, document),
            Step::Update {
                id,
                topic,
                document,
                stale,
            } => self.update(subject, now, id, topic, document, stale),
            Step::Delete { id } => self.delete(subject, now, id),
            Step::List {
                service,
                kind,
                scope,
                after,
            } => {
                let expected: Vec<EntityId> = self
                    .alive
                    .keys()
                    .filter(|id| (id.service, id.kind) == (service, kind))
                    .filter(|id| id.scope == scope && id.name > after)
                    .cloned()
                    .collect();
                check(
                    &subject.list(service, kind, &scope, &after),
                    &expected,
                    "a list",
                )
            }
        }?;
        self.compare(subject)
    }

    fn create(
        &mut self,
        subject: &mut impl Subject,
        now: Timestamp,
        id: EntityId,
        topic: Option<EntityId>,
        document: u8,
    ) -> Result<(), TestCaseError> {
        let (settings, document) = (settings(topic.clone()), json!(document));
        let command = Command::Create {
            id: id.clone(),
            settings: settings.clone(),
            document: document.clone(),
        };
        let before = subject.get(&id);
        let reply = subject.apply(now, command);
        match (self.alive.contains_key(&id), topic) {
            (true, _) => {
                let existing =
                    Box::new(before.ok_or_else(|| TestCaseError::fail("an entity is lost"))?);
                check(
                    &reply,
                    &Err(Refusal::Exists(existing)),
                    "creating what exists",
                )
            }
            (false, Some(topic)) if self.dangles(Some(&topic)) => check(
                &reply,
                &Err(Refusal::Dangling(topic)),
                "creating on no topic",
            ),
            (false, _) => {
                self.dead.remove(&id);
                self.alive.insert(
                    id,
                    Known {
                        settings,
                        document,
                        created: now,
                        updated: now,
                    },
                );
                check(&reply.is_ok(), &true, "creating")
            }
        }
    }

    fn update(
        &mut self,
        subject: &mut impl Subject,
        now: Timestamp,
        id: EntityId,
        topic: Option<EntityId>,
        document: u8,
        stale: Option<u64>,
    ) -> Result<(), TestCaseError> {
        let (settings, document) = (settings(topic.clone()), json!(document));
        let revision = subject.get(&id).map_or(0, |entity| entity.revision);
        let reply = subject.apply(
            now,
            Command::Update {
                id: id.clone(),
                settings: settings.clone(),
                document: document.clone(),
                if_revision: stale.map(|behind| revision.wrapping_sub(behind)),
            },
        );
        let dangles = self.dangles(topic.as_ref());
        let Some(known) = self.alive.get_mut(&id) else {
            return check(
                &reply,
                &Err(Refusal::NotFound),
                "updating what is not there",
            );
        };
        if stale.is_some_and(|behind| behind > 0) {
            return check(
                &reply,
                &Err(Refusal::Changed(revision)),
                "updating what has changed",
            );
        }
        if let Some(topic) =
            topic.filter(|topic| dangles && known.settings.topic.as_ref() != Some(topic))
        {
            return check(&reply, &Err(Refusal::Dangling(topic)), "moving to no topic");
        }
        *known = Known {
            settings,
            document,
            created: known.created,
            updated: now,
        };
        let grown = matches!(&reply, Ok(Reply::Entity(entity)) if entity.revision > revision);
        check(&grown, &true, "an update's revision grows")
    }

    fn delete(
        &mut self,
        subject: &mut impl Subject,
        now: Timestamp,
        id: EntityId,
    ) -> Result<(), TestCaseError> {
        let before = subject.get(&id);
        let reply = subject.apply(now, Command::Delete { id: id.clone() });
        if self.alive.remove(&id).is_none() {
            return check(
                &reply,
                &Err(Refusal::NotFound),
                "deleting what is not there",
            );
        }
        if id.kind == EntityKind::Topic {
            for known in self.alive.values_mut() {
                known.settings.topic.take_if(|topic| *topic == id);
            }
        }
        self.dead.insert(id, now);
        check(&reply.ok(), &before.map(Reply::Deleted), "deleting")
    }

    /// Every name that there could be, in both.
    fn compare(&self, subject: &impl Subject) -> Result<(), TestCaseError> {
        for id in every_id() {
            let known = |entity: Entity| Known {
                settings: entity.settings,
                document: entity.document,
                created: entity.created,
                updated: entity.updated,
            };
            check(
                &subject.get(&id).map(known),
                &self.alive.get(&id).cloned(),
                &format!("{id:?}"),
            )?;
            check(
                &subject.deleted_at(&id),
                &self.dead.get(&id).copied(),
                &format!("the end of {id:?}"),
            )?;
        }
        Ok(())
    }
}

fn every_id() -> Vec<EntityId> {
    let mut ids = Vec::new();
    for service in [Service::Sqs, Service::PubSub] {
        for kind in [
            EntityKind::Queue,
            EntityKind::Topic,
            EntityKind::Subscription,
        ] {
            for scope in ["s", "t"] {
                for name in ["a", "b", "ba"] {
                    ids.push(EntityId {
                        service,
                        kind,
                        scope: scope.to_owned(),
                        name: name.to_owned(),
                    });
                }
            }
        }
    }
    ids
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = proptest::sample::select(every_id());
    let topics: Vec<EntityId> = every_id()
        .into_iter()
        .filter(|id| id.kind == EntityKind::Topic)
        .collect();
    let topic = proptest::option::weighted(0.4, proptest::sample::select(topics));
    let after = proptest::sample::select(vec!["", "a", "b", "c"]);
    let step = prop_oneof![
        4 => (id.clone(), topic.clone(), any::<u8>())
            .prop_map(|(id, topic, document)| Step::Create { id, topic, document }),
        3 => (id.clone(), topic, any::<u8>(), proptest::option::of(0..2_u64))
            .prop_map(|(id, topic, document, stale)| Step::Update { id, topic, document, stale }),
        3 => id.clone().prop_map(|id| Step::Delete { id }),
        1 => (id, after).prop_map(|(id, after)| Step::List {
            service: id.service,
            kind: id.kind,
            scope: id.scope,
            after: after.to_owned(),
        }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// Runs the steps, a second apart, on a subject and on the model.
fn run(subject: &mut impl Subject, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let mut now = START;
    for step in steps {
        now.0 += 1_000;
        model.step(subject, now, step)?;
    }
    Ok(())
}

#[test]
fn the_engine_does_what_the_model_does() {
    let mut runner = TestRunner::new(Config {
        cases: 1_000,
        ..Config::default()
    });
    runner
        .run(&steps(), |steps| run(&mut Engine::new(), steps))
        .unwrap();
    println!("1000 runs of up to 80 commands");
}

/// Runs of one seed, for the faults that must be found every time.
fn finds_fault<S: Subject>(faulty: impl Fn() -> S) -> bool {
    let mut runner = TestRunner::deterministic();
    runner
        .run(&steps(), |steps| run(&mut faulty(), steps))
        .is_err()
}

/// The faults that someone could make, each planted before the engine's answers.
#[derive(Debug, Clone, Copy)]
enum Fault {
    CreateOverwrites,
    RevisionIgnored,
    SubscriptionStaysOnItsTopic,
    DeathForgotten,
    DeathRemembered,
    ListIncludesItsStart,
    UpdateKeepsItsTime,
    TopicUnchecked,
}

struct Faulty {
    engine: Engine,
    fault: Fault,
    last_topic: BTreeMap<EntityId, EntityId>,
    ever_deleted: BTreeMap<EntityId, Timestamp>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Faulty {
            engine: Engine::new(),
            fault,
            last_topic: BTreeMap::new(),
            ever_deleted: BTreeMap::new(),
        }
    }

    fn distorted(&mut self, command: Command) -> Command {
        match (self.fault, command) {
            (
                Fault::CreateOverwrites,
                Command::Create {
                    id,
                    settings,
                    document,
                },
            ) if self.engine.get(&id).is_some() => Command::Update {
                id,
                settings,
                document,
                if_revision: None,
            },
            (
                Fault::RevisionIgnored,
                Command::Update {
                    id,
                    settings,
                    document,
                    ..
                },
            ) => Command::Update {
                id,
                settings,
                document,
                if_revision: None,
            },
            (
                Fault::TopicUnchecked,
                Command::Create {
                    id,
                    mut settings,
                    document,
                },
            ) => {
                settings
                    .topic
                    .take_if(|topic| self.engine.get(topic).is_none());
                Command::Create {
                    id,
                    settings,
                    document,
                }
            }
            (_, command) => command,
        }
    }
}

impl Subject for Faulty {
    fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
        let command = self.distorted(command);
        if let Command::Delete { id } = &command {
            self.ever_deleted.insert(id.clone(), now);
        }
        let reply = self.engine.apply(now, command);
        if let Ok(Reply::Entity(entity)) = &reply {
            match &entity.settings.topic {
                Some(topic) => self.last_topic.insert(entity.id.clone(), topic.clone()),
                None => self.last_topic.remove(&entity.id),
            };
        }
        reply
    }

    fn get(&self, id: &EntityId) -> Option<Entity> {
        let mut entity = self.engine.get(id)?.clone();
        match self.fault {
            Fault::SubscriptionStaysOnItsTopic => {
                entity.settings.topic = self.last_topic.get(id).cloned()
            }
            Fault::UpdateKeepsItsTime => entity.updated = entity.created,
            _ => {}
        }
        Some(entity)
    }

    fn list(&self, service: Service, kind: EntityKind, scope: &str, after: &str) -> Vec<EntityId> {
        let mut ids = Subject::list(&self.engine, service, kind, scope, after);
        if matches!(self.fault, Fault::ListIncludesItsStart) {
            let start = EntityId {
                service,
                kind,
                scope: scope.to_owned(),
                name: after.to_owned(),
            };
            if self.engine.get(&start).is_some() {
                ids.insert(0, start);
            }
        }
        ids
    }

    fn deleted_at(&self, id: &EntityId) -> Option<Timestamp> {
        match self.fault {
            Fault::DeathForgotten => None,
            Fault::DeathRemembered => self.ever_deleted.get(id).copied(),
            _ => self.engine.deleted_at(id),
        }
    }
}

/// The model is worth something only if it finds what is wrong.
#[test]
fn every_planted_fault_is_found() {
    for fault in [
        Fault::CreateOverwrites,
        Fault::RevisionIgnored,
        Fault::SubscriptionStaysOnItsTopic,
        Fault::DeathForgotten,
        Fault::DeathRemembered,
        Fault::ListIncludesItsStart,
        Fault::UpdateKeepsItsTime,
        Fault::TopicUnchecked,
    ] {
        assert!(
            finds_fault(|| Faulty::new(fault)),
            "{fault:?} was not found"
        );
    }
    assert!(!finds_fault(Engine::new), "the engine itself fails");
}

/// The same commands give the same bytes: no clock, no randomness.
#[test]
fn the_same_commands_give_the_same_replies() {
    let transcript = || {
        let mut engine = Engine::new();
        let mut replies = Vec::new();
        for (index, id) in every_id().into_iter().chain(every_id()).enumerate() {
            let now = Timestamp(index as u64);
            let create = Command::Create {
                id: id.clone(),
                settings: settings(None),
                document: json!(index),
            };
            replies.push(format!("{:?}", engine.apply(now, create)));
            if index % 3 == 0 {
                replies.push(format!("{:?}", engine.apply(now, Command::Delete { id })));
            }
        }
        replies
    };
    assert_eq!(transcript(), transcript());
}
