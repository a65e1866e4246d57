//! One queue of the file, on one target, with every layer of the file merged: what a backend
//! lowers to the resources of its service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Where a value comes from, which decides when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The file states it: written on create, compared and corrected ever after.
    File,
    /// The file says nothing; `mq` writes it when it creates the queue, so that three services
    /// with three defaults give one queue, and never touches it again.
    CreateDefault,
}

/// A value and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Stated<T> {
    /// A value that the file states.
    pub const fn file(value: T) -> Self {
        Stated {
            value,
            origin: Origin::File,
        }
    }

    /// A value that `mq` writes on create.
    pub const fn create_default(value: T) -> Self {
        Stated {
            value,
            origin: Origin::CreateDefault,
        }
    }
}

/// Whether messages of one key keep their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ordering {
    /// No promise.
    None,
    /// FIFO message groups, sessions, ordering keys.
    PerKey,
}

/// What makes two messages duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeduplicateBy {
    /// The sender gives an id.
    Id,
    /// The body's hash is the id.
    Content,
}

/// Duplicate detection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deduplication {
    /// How long a duplicate is recognised.
    pub window: Duration,
    /// What makes two messages duplicates.
    pub by: DeduplicateBy,
}

/// Where dead letters go and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// A consumer that always fails sees a message exactly this often.
    pub max_deliveries: u32,
    /// How long a dead letter waits; `None` leaves the service's own.
    pub retention: Option<Duration>,
    /// The dead-letter queue.
    pub target: DeadLetterTarget,
}

/// Which queue takes the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadLetterTarget {
    /// One of its own, created and destroyed with the queue.
    Own,
    /// Another queue of the file, which has its own life.
    Shared(QueueRef),
    /// A resource named in the service's own words (an ARN, a topic path, a queue name), never
    /// created or destroyed through this queue.
    External(String),
}

/// Another queue of the same file, as far as its native names depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRef {
    /// Its key in the file.
    pub logical: String,
    /// Its name after the stage's template.
    pub base_name: String,
    /// Names that the file gives it on this target.
    pub names: Names,
    /// Its ordering, which is part of an SQS name.
    pub ordering: Ordering,
}

/// Names that the file gives on this target instead of the derived ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// The queue (SQS, Service Bus).
    pub queue: Option<String>,
    /// Its dead-letter queue or topic.
    pub dead_letter: Option<String>,
    /// The topic (Pub/Sub).
    pub topic: Option<String>,
    /// The subscription (Pub/Sub).
    pub subscription: Option<String>,
}

/// A verdict that the author of the file knows about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// The attribute's path, such as `deduplication` or `dead_letter.max_deliveries`.
    pub attribute: String,
    /// The target or backend it is accepted on; `None` is all.
    pub on: Option<String>,
    /// Why it is acceptable.
    pub because: Option<String>,
    /// The last day on which it counts, as `2027-06-01`.
    pub until: Option<String>,
}

/// What the file says of a queue, merged for one target. `None` means that nothing is said and
/// nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// How long one delivery is hidden.
    pub visibility_timeout: Option<Stated<Duration>>,
    /// How long a message waits.
    pub retention: Option<Stated<Duration>>,
    /// How long an empty receive waits.
    pub receive_wait: Option<Stated<Duration>>,
    /// How long a new message is held back.
    pub delivery_delay: Option<Stated<Duration>>,
    /// The largest message, in bytes.
    pub max_message_size: Option<Stated<u64>>,
    /// Whether messages of one key keep their order. Always stated: it is fixed at creation.
    pub ordering: Stated<Ordering>,
    /// Duplicate detection; `None` is off.
    pub deduplication: Option<Stated<Deduplication>>,
    /// Dead-lettering; `None` when the file has none.
    pub dead_letter: Option<Stated<DeadLetter>>,
    /// The encryption key in the service's own words; `Some(None)` is the service's own key,
    /// stated.
    pub encryption: Option<Stated<Option<String>>>,
    /// Labels, already merged.
    pub labels: BTreeMap<String, String>,
    /// Native attributes from `overrides`, in the service's own words.
    pub native: BTreeMap<String, serde_json::Value>,
}

/// One queue on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedQueue {
    /// Its key in the file.
    pub logical: String,
    /// Its name after the stage's template, before any suffix.
    pub base_name: String,
    /// Names that the file gives on this target.
    pub names: Names,
    /// Who owns it.
    pub owner: Owner,
    /// When it may be collected, in seconds since 1970, where the stage says so.
    pub expires_at: Option<u64>,
    /// `false`: someone else owns it, nothing is written.
    pub managed: bool,
    /// Destroy and replace are refused.
    pub protect: bool,
    /// What it shall be.
    pub attributes: Attributes,
    /// What the file's author knows about.
    pub accept: Vec<Accept>,
    /// Queues of this file whose dead letters come here.
    pub dead_letter_for: Vec<QueueRef>,
}

impl ResolvedQueue {
    /// This queue as others refer to it.
    #[must_use]
    pub fn reference(&self) -> QueueRef {
        QueueRef {
            logical: self.logical.clone(),
            base_name: self.base_name.clone(),
            names: self.names.clone(),
            ordering: self.attributes.ordering.value,
        }
    }

    /// The marker that its managed resources carry.
    #[must_use]
    pub fn marker(&self) -> Marker {
        Marker {
            owner: self.owner.clone(),
            queue: self.logical.clone(),
            expires_at: self.expires_at,
        }
    }
}

/// Who owns a resource: the file's stack, the stage, and the repository it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The file's `stack`.
    pub stack: String,
    /// The stage, where there is one.
    pub stage: Option<String>,
    /// The hash of the file's `origin`, where it has one.
    pub origin: Option<OriginHash>,
}

/// 16 hex digits of the SHA-256 of `origin`: labels allow no dots or slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OriginHash(String);

impl OriginHash {
    /// The hash of an `origin`.
    #[must_use]
    pub fn of(origin: &str) -> Self {
        let digest = Sha256::digest(origin.as_bytes());
        OriginHash(
            digest
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// The hash as a marker carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of a marker's entry for the stack.
pub const MARKER_STACK: &str = "mq-stack";
/// The key of a marker's entry for the stage.
pub const MARKER_STAGE: &str = "mq-stage";
/// The key of a marker's entry for the queue's key in the file.
pub const MARKER_QUEUE: &str = "mq-queue";
/// The key of a marker's entry for the hash of the origin.
pub const MARKER_ORIGIN: &str = "mq-origin";
/// The key of a marker's entry for the time from which `mq gc` may remove it.
pub const MARKER_EXPIRES: &str = "mq-expires";

/// What a managed resource carries on itself: tags, labels, or a line of user metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Who owns it.
    pub owner: Owner,
    /// The queue's key in the file.
    pub queue: String,
    /// When it may be collected, in seconds since 1970.
    pub expires_at: Option<u64>,
}

impl Marker {
    /// The entries to write; every value fits the strictest service (lower case, digits, `-`, `_`,
    /// at most 63 characters).
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, String> {
        let mut entries = BTreeMap::from([
            (MARKER_STACK.to_owned(), self.owner.stack.clone()),
            (MARKER_QUEUE.to_owned(), self.queue.clone()),
        ]);
        if let Some(stage) = &self.owner.stage {
            entries.insert(MARKER_STAGE.to_owned(), stage.clone());
        }
        if let Some(origin) = &self.owner.origin {
            entries.insert(MARKER_ORIGIN.to_owned(), origin.as_str().to_owned());
        }
        if let Some(expires) = self.expires_at {
            entries.insert(MARKER_EXPIRES.to_owned(), expires.to_string());
        }
        entries
    }

    /// Splits what a resource carries into our marker, if it has one, and the rest.
    #[must_use]
    pub fn split(
        mut entries: BTreeMap<String, String>,
    ) -> (Option<Marker>, BTreeMap<String, String>) {
        let stack = entries.remove(MARKER_STACK);
        let stage = entries.remove(MARKER_STAGE);
        let queue = entries.remove(MARKER_QUEUE);
        let origin = entries.remove(MARKER_ORIGIN).map(OriginHash);
        let expires_at = entries
            .remove(MARKER_EXPIRES)
            .and_then(|text| text.parse().ok());
        let marker = stack.zip(queue).map(|(stack, queue)| Marker {
            owner: Owner {
                stack,
                stage,
                origin,
            },
            queue,
            expires_at,
        });
        (marker, entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_survives_among_foreign_labels() {
        let marker = Marker {
            owner: Owner {
                stack: "s".into(),
                stage: Some("dev".into()),
                origin: Some(OriginHash::of("github.com/acme/pipeline")),
            },
            queue: "orders".into(),
            expires_at: Some(1_800_000_000),
        };
        let mut entries = marker.entries();
        assert_eq!(entries[MARKER_ORIGIN].len(), 16);
        entries.insert("team".into(), "a".into());
        let (read, rest) = Marker::split(entries);
        assert_eq!(read, Some(marker));
        assert_eq!(rest, BTreeMap::from([("team".to_owned(), "a".to_owned())]));
    }

    #[test]
    fn half_a_marker_is_none() {
        let (marker, _) =
            Marker::split(BTreeMap::from([(MARKER_STACK.to_owned(), "s".to_owned())]));
        assert_eq!(marker, None);
    }
}
