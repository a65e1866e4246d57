//! The entities of a run: every kind of every service, with times so short that they matter.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Backoff, Command, Engine, Entity, EntityId, EntityKind, Filter, Filters, MessageView, Routing,
    Service, Settings, Timestamp,
};

pub(super) const START: u64 = 1_000_000;

/// An entity as the model knows it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: EntityId,
    pub(super) settings: Settings,
    /// In the order of creation; `None` while it is deleted.
    pub(super) number: Option<u64>,
    pub(super) sequence: u64,
    pub(super) acked_before: Option<u64>,
    pub(super) filter: Sieve,
}

/// What a subscription takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sieve {
    Everything,
    /// Bodies whose first byte is even.
    Even,
    /// Everything, in two copies with other properties.
    Twice,
}

impl Sieve {
    /// The properties of each copy, where they are not the message's own.
    pub(super) fn copies(self, body: &Bytes) -> Vec<Option<Bytes>> {
        match self {
            Sieve::Everything => vec![None],
            Sieve::Even if body.first().is_some_and(|byte| byte % 2 == 0) => vec![None],
            Sieve::Even => vec![],
            Sieve::Twice => vec![
                Some(Bytes::from_static(b"one")),
                Some(Bytes::from_static(b"another")),
            ],
        }
    }
}

impl Filter for Sieve {
    fn route(&self, message: &MessageView<'_>) -> Routing {
        match self {
            Sieve::Everything => Routing::Take,
            Sieve::Even if message.body.first().is_some_and(|byte| byte & 1 == 0) => Routing::Take,
            Sieve::Even => Routing::Skip,
            Sieve::Twice => Routing::Copies(vec!["one".into(), "another".into()]),
        }
    }
}

/// Reads a filter from a document.
#[derive(Debug)]
struct Sieves;

impl Filters for Sieves {
    fn compile(&self, subscription: &Entity) -> Option<Arc<dyn Filter>> {
        match subscription.document.as_str() {
            Some("even") => Some(Arc::new(Sieve::Even)),
            Some("twice") => Some(Arc::new(Sieve::Twice)),
            _ => None,
        }
    }
}

fn id(service: Service, kind: EntityKind, name: &str) -> EntityId {
    EntityId {
        service,
        kind,
        scope: "s".to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A queue or subscription that leases for five seconds and keeps for a minute.
fn usual() -> Settings {
    Settings {
        lease: seconds(5),
        retention: Some(seconds(60)),
        ..Settings::default()
    }
}

// The entities by their places in the list.
pub(super) const DEAD_STANDARD: usize = 0;
pub(super) const DEAD_FIFO: usize = 2;
pub(super) const TARGET: usize = 12;

fn sqs() -> Vec<(EntityId, Settings, Sieve)> {
    let queue = |name| id(Service::Sqs, EntityKind::Queue, name);
    let dead = |name, max| Settings {
        dead_letter: Some(queue(name)),
        max_deliveries: Some(max),
        ..usual()
    };
    let keeps = |kept| Settings {
        retention: Some(seconds(kept)),
        ..usual()
    };
    let fifo = |settings| Settings {
        ordered: true,
        duplicate_window: Some(seconds(30)),
        ..settings
    };
    let delayed = Settings {
        delay: seconds(3),
        ..usual()
    };
    let per_group = Settings {
        duplicates_per_group: true,
        ..fifo(usual())
    };
    let all = [
        ("dead", keeps(100)),
        ("standard", dead("dead", 3)),
        ("dead.fifo", fifo(keeps(100))),
        ("ordered.fifo", fifo(dead("dead.fifo", 2))),
        ("delayed", delayed),
        ("groups.fifo", per_group),
    ];
    all.map(|(name, settings)| (queue(name), settings, Sieve::Everything))
        .into()
}

fn pubsub() -> Vec<(EntityId, Settings, Sieve)> {
    let topic = |name| id(Service::PubSub, EntityKind::Topic, name);
    let subscription = |name| id(Service::PubSub, EntityKind::Subscription, name);
    let of = |name| Settings {
        topic: Some(topic(name)),
        ..usual()
    };
    let retrying = Settings {
        retry: Some(Backoff {
            min: seconds(1),
            max: seconds(6),
        }),
        ..of("topic")
    };
    let keyed = Settings {
        ordered: true,
        ..of("topic")
    };
    let exact = Settings {
        exactly_once: true,
        dead_letter: Some(topic("dead")),
        max_deliveries: Some(3),
        ..of("topic")
    };
    let keeping = Settings {
        retain_acked: true,
        ordered: true,
        ..of("topic")
    };
    vec![
        (topic("topic"), Settings::default(), Sieve::Everything),
        (topic("dead"), Settings::default(), Sieve::Everything),
        (subscription("retrying"), retrying, Sieve::Everything),
        (subscription("keyed"), keyed, Sieve::Everything),
        (subscription("exact"), exact, Sieve::Everything),
        (subscription("keeping"), keeping, Sieve::Even),
        (
            // Takes the place of a Service Bus queue in the list, so that numbers are mixed.
            id(Service::ServiceBus, EntityKind::Queue, "target"),
            Settings {
                dead_letter: Some(id(Service::ServiceBus, EntityKind::Queue, "plain")),
                dead_letter_expired: true,
                max_deliveries: Some(2),
                ..usual()
            },
            Sieve::Everything,
        ),
        (subscription("buried"), of("dead"), Sieve::Everything),
    ]
}

fn service_bus() -> Vec<(EntityId, Settings, Sieve)> {
    let queue = |name| id(Service::ServiceBus, EntityKind::Queue, name);
    let topic = id(Service::ServiceBus, EntityKind::Topic, "topic");
    let subscription = |name| id(Service::ServiceBus, EntityKind::Subscription, name);
    let bus = || Settings {
        max_deliveries: Some(3),
        ..usual()
    };
    let plain = Settings {
        dead_letter_expired: true,
        duplicate_window: Some(seconds(20)),
        ..bus()
    };
    let sessions = Settings {
        ordered: true,
        ..bus()
    };
    let forwards = |to| Settings {
        forward_to: Some(queue(to)),
        ..bus()
    };
    let watched = Settings {
        duplicate_window: Some(seconds(20)),
        ..Settings::default()
    };
    let of_topic = |settings| Settings {
        topic: Some(topic.clone()),
        ..settings
    };
    vec![
        (queue("plain"), plain, Sieve::Everything),
        (queue("sessions"), sessions.clone(), Sieve::Everything),
        (topic.clone(), watched, Sieve::Everything),
        (
            subscription("forwards"),
            of_topic(forwards("target")),
            Sieve::Everything,
        ),
        (subscription("sessions"), of_topic(sessions), Sieve::Twice),
        (queue("circle"), forwards("circle"), Sieve::Everything),
    ]
}

/// All entities, in an engine and as the model knows them.
pub(super) fn build(memory_max: u64) -> (Engine, Vec<Known>) {
    let mut engine = Engine::new()
        .with_memory_max(memory_max)
        .with_filters(Box::new(Sieves));
    let mut known = Vec::new();
    let all = [sqs(), pubsub(), service_bus()].concat();
    for (index, (id, settings, filter)) in all.into_iter().enumerate() {
        let one = Known {
            id,
            settings,
            number: Some(index as u64 + 1),
            sequence: 0,
            acked_before: None,
            filter,
        };
        engine.apply(Timestamp(START), create(&one)).unwrap();
        known.push(one);
    }
    (engine, known)
}

/// The command that makes the entity.
pub(super) fn create(known: &Known) -> Command {
    Command::Create {
        id: known.id.clone(),
        settings: known.settings.clone(),
        document: document(known.filter),
    }
}

pub(super) fn document(filter: Sieve) -> Value {
    match filter {
        Sieve::Everything => Value::Null,
        Sieve::Even => "even".into(),
        Sieve::Twice => "twice".into(),
    }
}
