//! What the service refuses in a queue's description.
//!
//! Ranges, what a tier does not have, what cannot change, and forwarding. The texts are those of
//! <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-resource-manager-exceptions>
//! where it gives one.

use std::net::IpAddr;

use mq_engine::{Engine, EntityId};
use url::Url;

use super::duration::TimeSpan;
use super::error::ServiceError;
use super::properties::Properties;
use super::queue::{Queue, id};
use super::tier::Tier;

const LOCK_MIN: TimeSpan = TimeSpan::from_secs(5);
const LOCK_MAX: TimeSpan = TimeSpan::from_secs(5 * 60);
const TIME_TO_LIVE_MIN: TimeSpan = TimeSpan::from_secs(1);
const BASIC_TIME_TO_LIVE_MAX: TimeSpan = TimeSpan::from_secs(14 * 24 * 60 * 60);
const DUPLICATE_WINDOW_MIN: TimeSpan = TimeSpan::from_secs(20);
const DUPLICATE_WINDOW_MAX: TimeSpan = TimeSpan::from_secs(7 * 24 * 60 * 60);
const AUTO_DELETE_MIN: TimeSpan = TimeSpan::from_secs(5 * 60);
const DELIVERIES_MAX: u64 = i32::MAX.unsigned_abs() as u64;
const METADATA_CHARS_MAX: usize = 1024;
const PREMIUM_MESSAGE_KB: std::ops::RangeInclusive<u64> = 1024..=102_400;
const STATUSES: &[&str] = &["Active", "Disabled", "SendDisabled", "ReceiveDisabled"];
const NAME_CHARS_MAX: usize = 260;

type Verdict = Result<(), ServiceError>;

fn refuse(text: &str) -> Verdict {
    Err(ServiceError::bad_request(text))
}

/// Whether a queue can be called that. `address` is the request's, for the error.
///
/// # Errors
/// 400/40000.
pub(super) fn name(name: &str, address: &str) -> Verdict {
    let outer = |character: Option<char>| {
        character.is_some_and(|character| character.is_ascii_alphanumeric())
    };
    if name.chars().count() > NAME_CHARS_MAX {
        return refuse(&format!(
            "The entity path/name '{name}' exceeds the {NAME_CHARS_MAX} character limit."
        ));
    }
    let segments_good = name.split('/').all(|segment| {
        !segment.is_empty()
            && segment
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    });
    if !segments_good || !outer(name.chars().next()) || !outer(name.chars().next_back()) {
        return refuse(&format!(
            "'{address}' contains character(s) that is not allowed by Service Bus. Entity segments can contain \
             only letters, numbers, periods (.), hyphens (-), and underscores (_)."
        ));
    }
    Ok(())
}

/// The values of a description, whatever the queue is now.
///
/// # Errors
/// 400/40000.
pub(super) fn values(
    queue: &Queue,
    asked: &Properties<'_>,
    tier: Tier,
    namespace: &str,
) -> Verdict {
    if tier == Tier::Basic {
        basic(queue, asked, namespace)?;
    }
    times(queue)?;
    sizes(queue, tier)?;
    if queue.max_delivery_count == 0 || queue.max_delivery_count > DELIVERIES_MAX {
        return refuse("The value for MaxDeliveryCount must be greater than or equal to 1.");
    }
    if queue
        .user_metadata
        .as_ref()
        .is_some_and(|text| text.chars().count() > METADATA_CHARS_MAX)
    {
        return refuse(
            "The length of the UserMetadata property must be no more than 1024 characters.",
        );
    }
    if !STATUSES.contains(&queue.status.as_str()) {
        return Err(ServiceError::plain_bad_request());
    }
    if queue.requires_session && queue.forward_to.is_some() {
        return refuse("Auto forwarding is not supported for an entity with RequiresSession set.");
    }
    if queue.enable_express && queue.requires_duplicate_detection {
        return refuse(
            "Both DelayedPersistence and RequiresDuplicateDetection property cannot be enabled together.",
        );
    }
    if tier == Tier::Premium && queue.enable_express {
        return refuse(
            "The property 'EnableExpress' cannot be set because the namespace is using the 'Premium' tier.",
        );
    }
    if tier == Tier::Premium && queue.enable_partitioning {
        return refuse(
            "Partitioning cannot be enabled for an entity of a namespace of the 'Premium' tier.",
        );
    }
    Ok(())
}

/// What the Basic tier does not have. Durations are refused when they are there at all, so what
/// a read has shown cannot be sent back.
fn basic(queue: &Queue, asked: &Properties<'_>, namespace: &str) -> Verdict {
    let lacking = [
        ("RequiresSession", queue.requires_session),
        (
            "RequiresDuplicateDetection",
            queue.requires_duplicate_detection,
        ),
        (
            "DuplicateDetectionHistoryTimeWindow",
            asked.says("DuplicateDetectionHistoryTimeWindow"),
        ),
        ("AutoDeleteOnIdle", asked.says("AutoDeleteOnIdle")),
        ("EnableExpress", queue.enable_express),
        ("ForwardTo", queue.forward_to.is_some()),
        (
            "ForwardDeadLetteredMessagesTo",
            queue.forward_dead_lettered_messages_to.is_some(),
        ),
    ];
    if let Some((property, _)) = lacking.iter().find(|(_, there)| *there) {
        return refuse(&format!(
            "The property '{property}' cannot be set when creating a Queue because the namespace '{namespace}' is \
             using 'Basic' tier. This operation is only supported in 'Standard' or 'Premium' tier."
        ));
    }
    let time_to_live = queue.default_message_time_to_live;
    let in_range = (TIME_TO_LIVE_MIN..=BASIC_TIME_TO_LIVE_MAX).contains(&time_to_live);
    if asked.says("DefaultMessageTimeToLive") && !in_range {
        return refuse(&format!(
            "The property value for 'DefaultMessageTimeToLive' must be between 00:00:01 and 14.00:00:00 when the \
             namespace '{namespace}' is using 'Basic' tier.\nParameter name: DefaultMessageTimeToLive."
        ));
    }
    Ok(())
}

fn times(queue: &Queue) -> Verdict {
    if queue.lock_duration > LOCK_MAX {
        return refuse("The supplied lock time exceeds the allowed maximum of '5' minutes.");
    }
    if queue.lock_duration < LOCK_MIN {
        return refuse("The supplied lock time is less than the allowed minimum of '5' seconds.");
    }
    if queue.default_message_time_to_live < TIME_TO_LIVE_MIN {
        return refuse("The value for DefaultMessageTimeToLive must be at least 00:00:01.");
    }
    if queue.auto_delete_on_idle < AUTO_DELETE_MIN {
        return refuse("The value for AutoDeleteOnIdle must be at least 00:05:00.");
    }
    let window = queue.duplicate_detection_history_time_window;
    if !(DUPLICATE_WINDOW_MIN..=DUPLICATE_WINDOW_MAX).contains(&window) {
        return refuse(
            "The value for DuplicateDetectionHistoryTimeWindow must be between 00:00:20 and 7.00:00:00.",
        );
    }
    Ok(())
}

fn sizes(queue: &Queue, tier: Tier) -> Verdict {
    let allowed = tier.sizes_mb();
    if !allowed.contains(&queue.max_size_mb) {
        let allowed: Vec<String> = allowed.iter().map(u64::to_string).collect();
        return refuse(&format!(
            "The specified value {} is invalid. The property 'MaxSizeInMegabytes', must be one of the following \
             values: {}.",
            queue.max_size_mb,
            allowed.join(";")
        ));
    }
    let message_size_good = match tier {
        Tier::Premium => PREMIUM_MESSAGE_KB.contains(&queue.max_message_size_kb),
        Tier::Basic | Tier::Standard => queue.max_message_size_kb == tier.message_size_kb(),
    };
    if message_size_good {
        Ok(())
    } else {
        Err(ServiceError::plain_bad_request())
    }
}

/// What an update would change and cannot.
///
/// # Errors
/// 400/40000.
pub(super) fn immutables(now: &Queue, wanted: &Queue) -> Verdict {
    if now.requires_duplicate_detection != wanted.requires_duplicate_detection {
        return refuse(
            "The value for the 'requiresDuplicateDetection' property of an existing Queue(or Topic) can't be changed.",
        );
    }
    if now.requires_session != wanted.requires_session {
        return refuse(
            "The value for RequiresSession property of an existing Queue can't be changed.",
        );
    }
    if now.enable_partitioning != wanted.enable_partitioning {
        return refuse("Partitioning can't be changed for Queue/Topic.");
    }
    Ok(())
}

/// The names by which a forwarding target may call this namespace.
pub(super) struct Namespace<'a> {
    pub(super) name: &'a str,
    /// The host, and port if any, that the request went to.
    pub(super) authority: &'a str,
}

/// The queue that a forwarding property names: an absolute address in this namespace, of another
/// queue that exists. `None` when the property is not set.
///
/// # Errors
/// 400/40000 for an address that cannot be, 400/40400 for a queue that is not there.
pub(super) fn forward_target(
    address: Option<&str>,
    source: &EntityId,
    namespace: &Namespace<'_>,
    engine: &Engine,
) -> Result<Option<EntityId>, ServiceError> {
    let Some(address) = address else {
        return Ok(None);
    };
    let url = Url::parse(address).map_err(|_| {
        ServiceError::bad_request(&format!(
            "The forwarding address '{address}' is not absolute."
        ))
    })?;
    if !namespace.is_meant_by(&url) {
        let text = format!("The forwarding address '{address}' is not in this namespace.");
        return Err(ServiceError::bad_request(&text));
    }
    let target = id(namespace.name, url.path().trim_matches('/'));
    if target == *source {
        return Err(ServiceError::bad_request(
            "An entity cannot forward to itself.",
        ));
    }
    if engine.get(&target).is_none() {
        return Err(ServiceError::forward_target_missing());
    }
    Ok(Some(target))
}

impl Namespace<'_> {
    /// The host that was asked, any name of loopback, or the namespace's own name. Ports do not
    /// count: AMQP and this API have different ones.
    fn is_meant_by(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let own = Url::parse(&format!("sb://{}", self.authority)).ok();
        let own = own.as_ref().and_then(Url::host_str);
        let label = host.split('.').next().unwrap_or(host);
        let loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback());
        matches!(url.scheme(), "sb" | "https" | "http" | "amqps" | "amqp")
            && (loopback
                || own.is_some_and(|own| own.eq_ignore_ascii_case(host))
                || label.eq_ignore_ascii_case(self.name))
    }
}
