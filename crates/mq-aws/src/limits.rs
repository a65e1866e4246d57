//! What SQS can do, with the vendor page of each number.

use std::time::Duration;

use mq_core::Capability;
use mq_core::capability::{DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact};

/// The vendor's pages.
pub(crate) mod page {
    macro_rules! guide {
        ($page:literal) => {
            concat!(
                "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/",
                $page,
                ".html"
            )
        };
    }
    macro_rules! reference {
        ($page:literal) => {
            concat!(
                "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/",
                $page,
                ".html"
            )
        };
    }
    pub(crate) const ATTRIBUTES: &str = reference!("API_SetQueueAttributes");
    pub(crate) const CREATE: &str = reference!("API_CreateQueue");
    pub(crate) const COUNTS: &str = reference!("API_GetQueueAttributes");
    pub(crate) const TAGS: &str = reference!("API_TagQueue");
    pub(crate) const DEAD_LETTERS: &str = guide!("sqs-dead-letter-queues");
    pub(crate) const DEAD_LETTER_RETENTION: &str = guide!("setting-up-dead-letter-queue-retention");
    pub(crate) const DEDUPLICATION: &str = guide!("using-messagededuplicationid-property");
    pub(crate) const FIFO: &str = guide!("FIFO-queues");
    pub(crate) const ENCRYPTION: &str = guide!("sqs-server-side-encryption");
    pub(crate) const QUEUE_QUOTAS: &str = guide!("quotas-queues");
    pub(crate) const MESSAGE_QUOTAS: &str = guide!("quotas-messages");
}

/// How long SQS may take to show a changed attribute.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(60);
/// How long it may take for `MessageRetentionPeriod`.
pub(crate) const PROPAGATION_RETENTION: Duration = Duration::from_secs(15 * 60);
/// How many sources a dead-letter queue can name; more are let in by letting in all.
pub(crate) const SOURCES_MAX: usize = 10;
/// How many tags a queue should have.
pub(crate) const TAGS_MAX: usize = 50;
/// The longest key of a tag.
pub(crate) const TAG_KEY_MAX: usize = 128;
/// The longest value of a tag.
pub(crate) const TAG_VALUE_MAX: usize = 256;
/// Which seconds `KmsDataKeyReusePeriodSeconds` takes.
pub(crate) const KEY_REUSE_SECONDS: std::ops::RangeInclusive<u64> = 60..=86_400;

const fn seconds(min: u64, max: u64, default: u64, source: &'static str) -> Limit<Duration> {
    Limit {
        min: Duration::from_secs(min),
        max: Duration::from_secs(max),
        default: Duration::from_secs(default),
        source,
    }
}

pub(crate) const VISIBILITY_TIMEOUT: Limit<Duration> = seconds(0, 43_200, 30, page::ATTRIBUTES);
pub(crate) const RETENTION: Limit<Duration> = seconds(60, 1_209_600, 345_600, page::ATTRIBUTES);
pub(crate) const RECEIVE_WAIT: Limit<Duration> = seconds(0, 20, 0, page::ATTRIBUTES);
pub(crate) const DELIVERY_DELAY: Limit<Duration> = seconds(0, 900, 0, page::ATTRIBUTES);
/// Duplicates are recognised for five minutes, no more and no less.
pub(crate) const DEDUPLICATION_WINDOW: Limit<Duration> =
    seconds(300, 300, 300, page::DEDUPLICATION);
pub(crate) const MESSAGE_SIZE: Limit<u64> = Limit {
    min: 1_024,
    max: 1_048_576,
    default: 1_048_576,
    source: page::ATTRIBUTES,
};
pub(crate) const MAX_DELIVERIES: Limit<u32> = Limit {
    min: 1,
    max: 1_000,
    default: 10,
    source: page::DEAD_LETTERS,
};
pub(crate) const NAME: NameRule = NameRule {
    min: 1,
    max: 80,
    alphabet: "ASCII letters, digits, `-` and `_`, and `.fifo` at the end of a FIFO queue's name",
    case_sensitive: true,
    source: page::QUEUE_QUOTAS,
};

/// All of it. The same in every account and region.
pub(crate) fn capability() -> Capability {
    Capability {
        visibility_timeout: Some(VISIBILITY_TIMEOUT),
        retention: Some(RETENTION),
        receive_wait: Some(RECEIVE_WAIT),
        delivery_delay: Some(DELIVERY_DELAY),
        max_message_size: Some(MESSAGE_SIZE),
        max_message_size_fixed: fact(MESSAGE_SIZE.max, page::MESSAGE_QUOTAS),
        max_deliveries: Some(MAX_DELIVERIES),
        max_deliveries_exact: fact(true, page::DEAD_LETTERS),
        ordering: fact(OrderingModel::Fifo, page::FIFO),
        deduplication_window: Some(DEDUPLICATION_WINDOW),
        deduplication_by_content: fact(true, page::DEDUPLICATION),
        dead_letter: fact(DeadLetterModel::Queue, page::DEAD_LETTERS),
        dead_letter_retention: Some(RETENTION),
        encryption_key: fact(true, page::ENCRYPTION),
        labels: fact(LabelModel::Tags, page::TAGS),
        counts: fact(true, page::COUNTS),
        name: NAME,
    }
}
