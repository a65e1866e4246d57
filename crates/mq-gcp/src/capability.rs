//! What Pub/Sub can do: every number once, with the page it was read from.

use std::time::Duration;

use mq_core::capability::{
    Capability, DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact,
};

/// Vendor pages that facts come from.
pub(crate) mod page {
    pub(crate) const BASICS: &str = "https://docs.cloud.google.com/pubsub/docs/pubsub-basics";
    pub(crate) const DEAD_LETTER: &str =
        "https://docs.cloud.google.com/pubsub/docs/dead-letter-topics";
    pub(crate) const ENCRYPTION: &str = "https://docs.cloud.google.com/pubsub/docs/encryption";
    pub(crate) const EXACTLY_ONCE: &str =
        "https://docs.cloud.google.com/pubsub/docs/exactly-once-delivery";
    pub(crate) const LABELS: &str = "https://docs.cloud.google.com/pubsub/docs/labels";
    pub(crate) const MONITORING: &str = "https://docs.cloud.google.com/pubsub/docs/monitoring";
    pub(crate) const ORDERING: &str = "https://docs.cloud.google.com/pubsub/docs/ordering";
    pub(crate) const PULL: &str = "https://docs.cloud.google.com/pubsub/docs/pull";
    pub(crate) const QUOTAS: &str = "https://docs.cloud.google.com/pubsub/quotas";
    pub(crate) const SUBSCRIPTION: &str =
        "https://docs.cloud.google.com/pubsub/docs/subscription-properties";
}

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// `ackDeadlineSeconds`.
pub(crate) const VISIBILITY_TIMEOUT: Limit<Duration> = Limit {
    min: Duration::from_secs(10),
    max: Duration::from_secs(600),
    default: Duration::from_secs(10),
    source: page::SUBSCRIPTION,
};

/// `messageRetentionDuration` of a subscription.
pub(crate) const RETENTION: Limit<Duration> = Limit {
    min: Duration::from_secs(10 * MINUTE),
    max: Duration::from_secs(31 * DAY),
    default: Duration::from_secs(7 * DAY),
    source: page::SUBSCRIPTION,
};

/// `deadLetterPolicy.maxDeliveryAttempts`.
pub(crate) const MAX_DELIVERIES: Limit<u32> = Limit {
    min: 5,
    max: 100,
    default: 5,
    source: page::DEAD_LETTER,
};

/// `retryPolicy.minimumBackoff` and `maximumBackoff`.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// The longest `filter`, in bytes.
pub(crate) const FILTER_BYTES_MAX: usize = 256;

/// The largest publish request, in bytes.
pub(crate) const MESSAGE_SIZE_MAX: u64 = 10_000_000;

/// The longest key or value of a label, in characters.
pub(crate) const LABEL_LENGTH_MAX: usize = 63;

/// How many labels one resource may carry.
pub(crate) const LABELS_MAX: usize = 64;

/// Which names a topic or subscription may have, beside the alphabet.
pub(crate) const NAME: NameRule = NameRule {
    min: 3,
    max: 255,
    alphabet: "letters, digits and `-_.~+%`, beginning with a letter and not with `goog`",
    case_sensitive: true,
    source: page::BASICS,
};

/// The same in every project.
pub(crate) fn capability() -> Capability {
    Capability {
        visibility_timeout: Some(VISIBILITY_TIMEOUT),
        retention: Some(RETENTION),
        receive_wait: None,
        delivery_delay: None,
        max_message_size: None,
        max_message_size_fixed: fact(MESSAGE_SIZE_MAX, page::QUOTAS),
        max_deliveries: Some(MAX_DELIVERIES),
        max_deliveries_exact: fact(false, page::DEAD_LETTER),
        ordering: fact(OrderingModel::OrderingKeys, page::ORDERING),
        deduplication_window: None,
        deduplication_by_content: fact(false, page::EXACTLY_ONCE),
        dead_letter: fact(DeadLetterModel::Topic, page::DEAD_LETTER),
        dead_letter_retention: Some(RETENTION),
        encryption_key: fact(true, page::ENCRYPTION),
        labels: fact(LabelModel::Labels, page::LABELS),
        counts: fact(false, page::MONITORING),
        name: NAME,
    }
}
