//! The service's own words: kinds of resources, names of attributes, and full against short names.

use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::resource::{Resource, ResourceId};
use mq_core::value::Value;

/// Kinds of resources.
pub(crate) const TOPIC: &str = "pubsub.topic";
pub(crate) const SUBSCRIPTION: &str = "pubsub.subscription";
pub(crate) const GRANT: &str = "pubsub.grant";

/// Attributes, named as the REST reference names the fields.
pub(crate) mod attribute {
    pub(crate) const ACK_DEADLINE: &str = "ackDeadlineSeconds";
    pub(crate) const DEAD_LETTER_TOPIC: &str = "deadLetterPolicy.deadLetterTopic";
    pub(crate) const ENFORCE_IN_TRANSIT: &str = "messageStoragePolicy.enforceInTransit";
    pub(crate) const EXACTLY_ONCE: &str = "enableExactlyOnceDelivery";
    pub(crate) const EXPIRATION: &str = "expirationPolicy.ttl";
    pub(crate) const FILTER: &str = "filter";
    pub(crate) const KMS_KEY: &str = "kmsKeyName";
    pub(crate) const LABELS: &str = "labels";
    pub(crate) const MAX_ATTEMPTS: &str = "deadLetterPolicy.maxDeliveryAttempts";
    pub(crate) const MAX_BACKOFF: &str = "retryPolicy.maximumBackoff";
    pub(crate) const MIN_BACKOFF: &str = "retryPolicy.minimumBackoff";
    pub(crate) const ORDERING: &str = "enableMessageOrdering";
    pub(crate) const PUSH_ENDPOINT: &str = "pushConfig.pushEndpoint";
    pub(crate) const REGIONS: &str = "messageStoragePolicy.allowedPersistenceRegions";
    pub(crate) const RETAIN_ACKED: &str = "retainAckedMessages";
    pub(crate) const RETENTION: &str = "messageRetentionDuration";
    pub(crate) const TOPIC: &str = "topic";
    /// Of a grant.
    pub(crate) const MEMBER: &str = "member";
    pub(crate) const ON: &str = "resource";
    pub(crate) const ROLE: &str = "role";
}

/// What stands before the native keys of `overrides` that go to the topic.
pub(crate) const TOPIC_PREFIX: &str = "topic.";

const fn setting(name: &'static str, kind: SettingKind, doc: &'static str) -> SettingInfo {
    SettingInfo { name, kind, doc }
}

/// Native keys that `overrides` may state: those of the subscription under their own names, those
/// of the topic after `topic.`.
pub(crate) const NATIVE: &[SettingInfo] = &[
    setting(
        attribute::EXACTLY_ONCE,
        SettingKind::Bool,
        "No redelivery of an acknowledged message and none before its lease ends, for pull subscribers in one region. Does not remove what a publisher sends twice. Default `false`.",
    ),
    setting(
        attribute::RETAIN_ACKED,
        SettingKind::Bool,
        "Keeps acknowledged messages until the retention ends, so that a seek can bring them back; they are billed. Default `false`.",
    ),
    setting(
        attribute::MIN_BACKOFF,
        SettingKind::Duration,
        "The least wait before a failed message is delivered again, 0s to 10m, best effort. Default 10s where a retry policy is set, else at once.",
    ),
    setting(
        attribute::MAX_BACKOFF,
        SettingKind::Duration,
        "The most that the wait grows to with each failure, 0s to 10m, best effort. Default 10m where a retry policy is set.",
    ),
    setting(
        attribute::FILTER,
        SettingKind::Text,
        "Only messages whose attributes match are delivered; the others count as acknowledged. At most 256 bytes, fixed at creation. Default none.",
    ),
    setting(
        "topic.messageRetentionDuration",
        SettingKind::Duration,
        "How long the topic itself keeps messages for subscriptions to seek back to, 10m to 31d. Default none.",
    ),
    setting(
        "topic.messageStoragePolicy.allowedPersistenceRegions",
        SettingKind::Text,
        "The regions in which messages may be stored, with commas between them: `europe-west1,europe-west4`. Also set on a dead-letter topic of the queue's own. Default the organisation's policy.",
    ),
    setting(
        "topic.messageStoragePolicy.enforceInTransit",
        SettingKind::Bool,
        "Whether a publish from outside the allowed regions is refused. Also set on a dead-letter topic of the queue's own. Default `false`.",
    ),
];

/// The collection in a full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Collection {
    Topics,
    Subscriptions,
}

impl Collection {
    pub(crate) const fn segment(self) -> &'static str {
        match self {
            Collection::Topics => "topics",
            Collection::Subscriptions => "subscriptions",
        }
    }

    /// One of the collection, as endpoints name it.
    pub(crate) const fn singular(self) -> &'static str {
        match self {
            Collection::Topics => "topic",
            Collection::Subscriptions => "subscription",
        }
    }

    /// The collection that resources of this kind are in.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        match kind {
            TOPIC => Some(Collection::Topics),
            SUBSCRIPTION => Some(Collection::Subscriptions),
            _ => None,
        }
    }
}

/// The full name, as the API takes it. A name that is full already stays as it is: a topic of
/// another project.
pub(crate) fn full(project: &str, collection: Collection, name: &str) -> String {
    if name.starts_with("projects/") {
        name.to_owned()
    } else {
        format!("projects/{project}/{}/{name}", collection.segment())
    }
}

/// The name by which a resource of this project is known; one of another project keeps its full
/// name. What is no full name (`_deleted-topic_`) stays as it is.
pub(crate) fn short(project: Option<&str>, collection: Collection, name: &str) -> String {
    project
        .and_then(|project| name.strip_prefix("projects/")?.strip_prefix(project))
        .and_then(|rest| rest.strip_prefix('/')?.strip_prefix(collection.segment()))
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(name)
        .to_owned()
}

/// A right on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Of which collection the resource is.
    pub(crate) collection: Collection,
    /// The resource's name, as in [`short`].
    pub(crate) on: String,
    /// The role, such as `roles/pubsub.publisher`.
    pub(crate) role: String,
    /// Who has it, such as `serviceAccount:…`.
    pub(crate) member: String,
}

impl Grant {
    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::new(GRANT, format!("{}:{}", self.path(), self.role))
    }

    pub(crate) fn path(&self) -> String {
        if self.on.starts_with("projects/") {
            self.on.clone()
        } else {
            format!("{}/{}", self.collection.segment(), self.on)
        }
    }

    /// Reads a grant back from the attributes that lowering gave it.
    pub(crate) fn of(resource: &Resource) -> Option<Self> {
        let text = |name: &str| {
            resource
                .attributes
                .iter()
                .find_map(|attribute| match &attribute.value {
                    Value::Text(text) if attribute.name == name => Some(text.as_str()),
                    _ => None,
                })
        };
        let on = text(attribute::ON)?;
        let collection = if on.contains("subscriptions/") {
            Collection::Subscriptions
        } else {
            Collection::Topics
        };
        let own = format!("{}/", collection.segment());
        Some(Grant {
            collection,
            on: on.strip_prefix(&own).unwrap_or(on).to_owned(),
            role: text(attribute::ROLE)?.to_owned(),
            member: text(attribute::MEMBER)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_short_names_are_one_name() {
        for (name, expected) in [
            ("projects/p/topics/orders", "orders"),
            (
                "projects/other/topics/orders",
                "projects/other/topics/orders",
            ),
            ("projects/p2/topics/orders", "projects/p2/topics/orders"),
            ("orders", "orders"),
            ("_deleted-topic_", "_deleted-topic_"),
        ] {
            let known_as = short(Some("p"), Collection::Topics, name);
            assert_eq!(known_as, expected, "{name}");
            if name.starts_with("projects/") {
                assert_eq!(full("p", Collection::Topics, &known_as), name);
            }
        }
        assert_eq!(
            short(None, Collection::Topics, "projects/p/topics/orders"),
            "projects/p/topics/orders"
        );
    }
}
