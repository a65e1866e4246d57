//! What the engine holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long after `earlier` this is; zero when it is before it.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Which service an entity belongs to; names of different services never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Amazon SQS.
    Sqs,
    /// Azure Service Bus.
    ServiceBus,
    /// Google Pub/Sub.
    PubSub,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// Holds messages and hands each to one consumer.
    Queue,
    /// Copies each message to its subscriptions.
    Topic,
    /// Holds the messages of one topic.
    Subscription,
}

/// Where an entity is. Ordered so that a listing of one kind in one scope is one range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityId {
    /// Which service.
    pub service: Service,
    /// What it is.
    pub kind: EntityKind,
    /// The service's own scope: `ACCOUNT/REGION`, namespace, project.
    pub scope: String,
    /// The name, folded by the front-end where its service folds names.
    pub name: String,
}

/// What decides the fate of a message. The front-end fills it from its own attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// How long one delivery is hidden.
    pub lease: Duration,
    /// How long a message waits; `None` is for ever.
    pub retention: Option<Duration>,
    /// How long a new message is held back.
    pub delay: Duration,
    /// How often a message is handed out before it goes to `dead_letter`; `None` is without end.
    pub max_deliveries: Option<u32>,
    /// Where dead letters go.
    pub dead_letter: Option<EntityId>,
    /// Whether messages of one key are kept in order.
    pub ordered: bool,
    /// How long a duplicate is recognised; `None` is not at all.
    pub duplicate_window: Option<Duration>,
    /// The topic that a subscription reads from. When that topic is deleted the subscription
    /// stays, and this becomes `None`.
    pub topic: Option<EntityId>,
}

/// A queue, topic or subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Where it is.
    pub id: EntityId,
    /// What decides the fate of its messages.
    pub settings: Settings,
    /// The front-end's own attributes, returned as they were given.
    pub document: serde_json::Value,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Grows with each change of any entity: an etag.
    pub revision: u64,
}

/// How many messages an entity holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Ready to be handed out.
    pub visible: u64,
    /// Handed out and not settled.
    pub leased: u64,
    /// Held back until later.
    pub delayed: u64,
    /// In the dead-letter part of the entity itself, where it has one.
    pub dead: u64,
}
