//! What Service Bus can do, tier by tier, and the vendor page of each fact.

use std::time::Duration;

use mq_core::capability::{
    Capability, DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact,
};

pub(crate) const QUOTAS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas";
pub(crate) const TIERS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-premium-messaging";
pub(crate) const LOCKS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement";
pub(crate) const EXPIRATION: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/message-expiration";
pub(crate) const RECEIVING: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide";
pub(crate) const SCHEDULING: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/message-sequencing";
pub(crate) const SESSIONS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/message-sessions";
pub(crate) const DUPLICATES: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/duplicate-detection";
pub(crate) const DEAD_LETTERS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues";
pub(crate) const FORWARDING: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-auto-forwarding";
pub(crate) const ENCRYPTION: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/configure-customer-managed-key";
pub(crate) const METADATA: &str = "https://learn.microsoft.com/dotnet/api/azure.messaging.servicebus.administration.queueproperties.usermetadata";
pub(crate) const PARTITIONS: &str =
    "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-partitioning";
pub(crate) const NAMES: &str = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftservicebus";
const COUNTS: &str = "https://learn.microsoft.com/azure/service-bus-messaging/message-counters";

/// The largest message of Basic and Standard, which nothing changes.
pub(crate) const FIXED_MESSAGE_SIZE: u64 = 256 * 1024;
/// How long the text in `UserMetadata` may be, in UTF-16 units as .NET counts.
pub(crate) const METADATA_LENGTH_MAX: usize = 1024;
/// Practically without end; the service takes every positive 32-bit number.
pub(crate) const MAX_DELIVERIES_ENDLESS: u32 = i32::MAX.unsigned_abs();

/// How long a lock may last.
pub(crate) const LOCK: Limit<Duration> = Limit {
    min: Duration::from_secs(5),
    max: Duration::from_secs(300),
    default: Duration::from_secs(60),
    source: LOCKS,
};

/// The longest `visibility_timeout` that renewing a five-minute lock is close to: that of the
/// services that do have more.
pub(crate) const LOCK_RENEWED_MAX: Duration = Duration::from_secs(600);

/// How long a message may wait: up to "never", which is what nothing stated means.
pub(crate) const TIME_TO_LIVE: Limit<Duration> = Limit {
    min: Duration::from_secs(1),
    max: Duration::from_secs(10_675_198 * 86_400),
    default: Duration::from_secs(10_675_198 * 86_400),
    source: EXPIRATION,
};

/// How many deliveries there may be.
pub(crate) const MAX_DELIVERIES: Limit<u32> = Limit {
    min: 1,
    max: MAX_DELIVERIES_ENDLESS,
    default: 10,
    source: DEAD_LETTERS,
};

/// How long duplicates may be remembered.
pub(crate) const DUPLICATE_WINDOW: Limit<Duration> = Limit {
    min: Duration::from_secs(20),
    max: Duration::from_secs(7 * 86_400),
    default: Duration::from_secs(600),
    source: DUPLICATES,
};

/// Which caps on the size of a message a Premium queue takes, in whole KiB.
pub(crate) const PREMIUM_MESSAGE_SIZE: Limit<u64> = Limit {
    min: 1 << 20,
    max: 100 << 20,
    default: 1 << 20,
    source: TIERS,
};

/// The shortest `AutoDeleteOnIdle`.
pub(crate) const IDLE_MIN: Duration = Duration::from_secs(300);

/// The pricing tier of a namespace, which decides what its queues can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Queues only, and few of their settings.
    Basic,
    /// Everything but large messages.
    Standard,
    /// Everything.
    Premium,
}

impl Tier {
    /// All of them.
    pub(crate) const ALL: [Tier; 3] = [Tier::Basic, Tier::Standard, Tier::Premium];
    /// Their names in the file.
    pub(crate) const NAMES: &'static [&'static str] = &["basic", "standard", "premium"];

    /// The tier's name in the file and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tier::Basic => "basic",
            Tier::Standard => "standard",
            Tier::Premium => "premium",
        }
    }

    /// The tier of this name, as the file or the service spells it.
    pub(crate) fn named(name: &str) -> Option<Tier> {
        Tier::ALL
            .into_iter()
            .find(|tier| tier.name().eq_ignore_ascii_case(name))
    }
}

/// What a namespace of this tier can do.
pub(crate) fn capability(tier: Tier) -> Capability {
    let premium = tier == Tier::Premium;
    let beyond_basic = tier != Tier::Basic;
    Capability {
        visibility_timeout: Some(LOCK),
        retention: beyond_basic.then_some(TIME_TO_LIVE),
        receive_wait: None,
        delivery_delay: None,
        max_message_size: premium.then_some(PREMIUM_MESSAGE_SIZE),
        max_message_size_fixed: if premium {
            fact(PREMIUM_MESSAGE_SIZE.max, TIERS)
        } else {
            fact(FIXED_MESSAGE_SIZE, QUOTAS)
        },
        max_deliveries: Some(MAX_DELIVERIES),
        max_deliveries_exact: fact(true, DEAD_LETTERS),
        ordering: fact(
            if beyond_basic {
                OrderingModel::Sessions
            } else {
                OrderingModel::None
            },
            SESSIONS,
        ),
        deduplication_window: beyond_basic.then_some(DUPLICATE_WINDOW),
        deduplication_by_content: fact(false, DUPLICATES),
        dead_letter: fact(DeadLetterModel::Subqueue, DEAD_LETTERS),
        dead_letter_retention: beyond_basic.then_some(TIME_TO_LIVE),
        encryption_key: fact(false, ENCRYPTION),
        labels: fact(LabelModel::Metadata, METADATA),
        counts: fact(true, COUNTS),
        name: NAME,
    }
}

/// Which names a queue may have.
pub(crate) const NAME: NameRule = NameRule {
    min: 1,
    max: 260,
    alphabet: "letters, digits, `.`, `-`, `_` and `/`, with a letter or digit first and last",
    case_sensitive: false,
    source: NAMES,
};
