//! What the engine holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long after `earlier` this is; zero when it is before it.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The time that much later, in whole milliseconds; [`Timestamp::FOREVER`] at most.
    #[must_use]
    pub fn after(self, duration: Duration) -> Timestamp {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.0.saturating_add(millis))
    }

    /// Never comes.
    pub const FOREVER: Timestamp = Timestamp(u64::MAX);
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

/// The two parts of an entity that hold messages.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Where messages arrive.
    #[default]
    Main,
    /// The entity's own dead letters, which only Service Bus has.
    Dead,
}

/// Where messages are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The entity.
    pub id: EntityId,
    /// Which part of it.
    pub part: Part,
}

impl From<EntityId> for Place {
    fn from(id: EntityId) -> Self {
        Place {
            id,
            part: Part::Main,
        }
    }
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
    /// stays with its messages, and this becomes `None`. An update that takes the topic away
    /// detaches: then the messages go.
    pub topic: Option<EntityId>,
    /// Where each message goes at once instead of waiting here: Service Bus's `ForwardTo`.
    pub forward_to: Option<EntityId>,
    /// Whether a message that expires is a dead letter; otherwise it is dropped.
    pub dead_letter_expired: bool,
    /// Whether duplicates are told apart within a group only; otherwise in the whole queue.
    pub duplicates_per_group: bool,
    /// How long a failed message is held back; `None` is not at all.
    pub retry: Option<Backoff>,
    /// Whether only the newest receipt, while its lease lasts, can ack, and others are refused:
    /// Pub/Sub's exactly-once delivery.
    pub exactly_once: bool,
    /// Whether acked messages are kept until their retention ends, for a seek back to them.
    pub retain_acked: bool,
    /// How many bytes of messages it holds at most, dead letters of its own included; `None` is
    /// without limit.
    pub bytes_max: Option<u64>,
}

/// How long a message that failed is held back: `min` after the first time, twice as long after
/// each further one, `max` at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// After the first failure.
    pub min: Duration,
    /// At most.
    pub max: Duration,
}

impl Backoff {
    /// How long after the failure of this number, which counts from one.
    #[must_use]
    pub fn after(self, failures: u32) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1));
        doubled
            .map_or(self.max, |factor| self.min.saturating_mul(factor))
            .min(self.max)
    }
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
