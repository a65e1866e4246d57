//! The elements of a `QueueDescription`: their order, which the service insists on, and what each
//! one's text means.
//!
//! Order: the data contract of the administration API,
//! <https://learn.microsoft.com/rest/api/servicebus/create-queue>.

use mq_core::value::Value;

use crate::facts::Tier;
use crate::iso::{self, Span};

pub(crate) const LOCK_DURATION: &str = "LockDuration";
pub(crate) const MAX_SIZE: &str = "MaxSizeInMegabytes";
pub(crate) const REQUIRES_DUPLICATE_DETECTION: &str = "RequiresDuplicateDetection";
pub(crate) const REQUIRES_SESSION: &str = "RequiresSession";
pub(crate) const TIME_TO_LIVE: &str = "DefaultMessageTimeToLive";
pub(crate) const DUPLICATE_WINDOW: &str = "DuplicateDetectionHistoryTimeWindow";
pub(crate) const MAX_DELIVERY_COUNT: &str = "MaxDeliveryCount";
pub(crate) const FORWARD_TO: &str = "ForwardTo";
pub(crate) const USER_METADATA: &str = "UserMetadata";
pub(crate) const COUNT_DETAILS: &str = "CountDetails";
pub(crate) const AUTO_DELETE_ON_IDLE: &str = "AutoDeleteOnIdle";
pub(crate) const ENABLE_PARTITIONING: &str = "EnablePartitioning";
pub(crate) const FORWARD_DEAD_LETTERS_TO: &str = "ForwardDeadLetteredMessagesTo";
pub(crate) const MAX_MESSAGE_SIZE: &str = "MaxMessageSizeInKilobytes";

/// What an element's text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// An ISO 8601 duration, or the largest one for "never".
    Duration,
    /// A whole number of KiB.
    Kibibytes,
    /// A word.
    Text,
    /// The absolute URL of another queue of the namespace.
    Entity,
    /// The text that holds the marker and the labels.
    Metadata,
    /// Kept as it is, never looked at.
    Opaque,
    /// Told by the service; never sent.
    ReadOnly,
}

/// The elements in the order in which the service reads them; one out of place is ignored.
const ELEMENTS: &[(&str, Codec)] = &[
    (LOCK_DURATION, Codec::Duration),
    (MAX_SIZE, Codec::Integer),
    (REQUIRES_DUPLICATE_DETECTION, Codec::Bool),
    (REQUIRES_SESSION, Codec::Bool),
    (TIME_TO_LIVE, Codec::Duration),
    ("DeadLetteringOnMessageExpiration", Codec::Bool),
    (DUPLICATE_WINDOW, Codec::Duration),
    (MAX_DELIVERY_COUNT, Codec::Integer),
    ("EnableBatchedOperations", Codec::Bool),
    ("SizeInBytes", Codec::ReadOnly),
    ("MessageCount", Codec::ReadOnly),
    ("IsAnonymousAccessible", Codec::Opaque),
    ("AuthorizationRules", Codec::Opaque),
    ("Status", Codec::Text),
    (FORWARD_TO, Codec::Entity),
    (USER_METADATA, Codec::Metadata),
    ("CreatedAt", Codec::ReadOnly),
    ("UpdatedAt", Codec::ReadOnly),
    ("AccessedAt", Codec::ReadOnly),
    ("SupportOrdering", Codec::Opaque),
    (COUNT_DETAILS, Codec::ReadOnly),
    (AUTO_DELETE_ON_IDLE, Codec::Duration),
    (ENABLE_PARTITIONING, Codec::Bool),
    ("EntityAvailabilityStatus", Codec::ReadOnly),
    (FORWARD_DEAD_LETTERS_TO, Codec::Entity),
    ("EnableExpress", Codec::Bool),
    (MAX_MESSAGE_SIZE, Codec::Kibibytes),
];

/// Where an element stands in the order; `None` for one that the table does not know.
pub(crate) fn position(name: &str) -> Option<usize> {
    ELEMENTS.iter().position(|(known, _)| *known == name)
}

/// What an element's text means; `None` for one that the table does not know.
pub(crate) fn codec(name: &str) -> Option<Codec> {
    position(name).map(|index| ELEMENTS[index].1)
}

/// An element's text as a value that compares by meaning. A text that does not have the element's
/// form stays text, so that it is shown and differs. `None` where the service says nothing.
pub(crate) fn read(codec: Codec, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let value = match codec {
        Codec::Bool => match text {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Codec::Integer => text.parse().ok().map(Value::Integer),
        Codec::Duration => iso::parse(text).map(|span| match span {
            Span::Never => Value::Never,
            Span::Of(duration) => Value::Duration(duration),
        }),
        Codec::Kibibytes => text
            .parse::<u64>()
            .ok()
            .and_then(|kib| kib.checked_mul(1024))
            .map(Value::Bytes),
        Codec::Entity => Some(Value::Text(entity_path(text))),
        Codec::Text => None,
        Codec::Metadata | Codec::Opaque | Codec::ReadOnly => return None,
    };
    Some(value.unwrap_or_else(|| Value::text(text)))
}

/// A value as an element's text; `authority` is the namespace's host, with its port where it has
/// one. `None` takes the element out.
pub(crate) fn write(value: &Value, codec: Codec, authority: &str) -> Option<String> {
    Some(match (value, codec) {
        (Value::Absent, _) => return None,
        (Value::Text(path), Codec::Entity) => format!("sb://{authority}/{path}"),
        (Value::Never, _) => iso::NEVER.to_owned(),
        (Value::Bool(flag), _) => flag.to_string(),
        (Value::Integer(number), _) => number.to_string(),
        (Value::Duration(duration), _) => iso::format(*duration),
        (Value::Bytes(bytes), _) => (bytes / 1024).to_string(),
        (Value::Text(text), _) => text.clone(),
        (Value::Map(_) | Value::Json(_), _) => return None,
    })
}

/// The path of a queue in whatever form it was written: a bare name, or a URL of any scheme. Lower
/// case, since the service folds case.
pub(crate) fn entity_path(text: &str) -> String {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => text,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = percent_encoding::percent_decode_str(path.trim_matches('/')).decode_utf8_lossy();
    path.to_lowercase()
}

/// What a tier echoes but means nothing by: not an attribute of the queue there.
///
/// A Premium namespace decides itself whether its queues are partitioned; the others answer a
/// fixed 256 KiB for the largest message.
pub(crate) fn is_noise(name: &str, tier: Tier) -> bool {
    match name {
        MAX_MESSAGE_SIZE => tier != Tier::Premium,
        ENABLE_PARTITIONING => tier == Tier::Premium,
        _ => false,
    }
}

/// What a tier refuses to be sent, even unchanged from its own answer. Basic answers with values
/// for what it does not have, such as a time to live without end, and does not take them back.
pub(crate) fn is_forbidden(name: &str, value: Option<&Value>, tier: Tier) -> bool {
    match (name, tier) {
        (MAX_MESSAGE_SIZE, tier) => tier != Tier::Premium,
        (TIME_TO_LIVE, Tier::Basic) => value == Some(&Value::Never),
        (AUTO_DELETE_ON_IDLE | DUPLICATE_WINDOW, Tier::Basic) => true,
        _ => false,
    }
}

/// The size that was asked for: a partitioned queue outside Premium answers sixteen times that,
/// one share for each partition.
pub(crate) fn size_without_partitions(megabytes: i64, partitioned: bool, tier: Tier) -> i64 {
    const PARTITIONS: i64 = 16;
    const LARGEST_SHARE: i64 = 5120;
    if partitioned && tier != Tier::Premium && megabytes > LARGEST_SHARE {
        megabytes / PARTITIONS
    } else {
        megabytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_spelling_of_one_meaning_is_one_value() {
        let duration = Value::Duration(Duration::from_secs(60));
        assert_eq!(read(Codec::Duration, "PT1M"), Some(duration.clone()));
        assert_eq!(read(Codec::Duration, " PT60S "), Some(duration));
        assert_eq!(read(Codec::Duration, iso::NEVER), Some(Value::Never));
        assert_eq!(read(Codec::Bool, "true"), Some(Value::Bool(true)));
        assert_eq!(
            read(Codec::Kibibytes, "1024"),
            Some(Value::Bytes(1_048_576))
        );
        for spelling in [
            "sb://acme.servicebus.windows.net/Orders-DLQ",
            "https://acme.servicebus.windows.net:443/orders-dlq?api-version=2021-05",
            "orders-dlq",
        ] {
            let read = read(Codec::Entity, spelling);
            assert_eq!(read, Some(Value::text("orders-dlq")), "{spelling}");
        }
    }

    #[test]
    fn what_does_not_have_its_form_is_shown_and_not_dropped() {
        assert_eq!(read(Codec::Bool, "maybe"), Some(Value::text("maybe")));
        assert_eq!(read(Codec::Integer, "many"), Some(Value::text("many")));
        assert_eq!(read(Codec::Duration, ""), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (name, value) in [
            (LOCK_DURATION, Value::Duration(Duration::from_secs(30))),
            (TIME_TO_LIVE, Value::Never),
            (MAX_DELIVERY_COUNT, Value::Integer(5)),
            (REQUIRES_SESSION, Value::Bool(true)),
            (MAX_MESSAGE_SIZE, Value::Bytes(4 << 20)),
            (FORWARD_DEAD_LETTERS_TO, Value::text("a/b-dlq")),
            ("Status", Value::text("Active")),
        ] {
            let codec = codec(name).expect(name);
            let text = write(&value, codec, "acme.servicebus.windows.net").expect(name);
            assert_eq!(read(codec, &text), Some(value), "{name}: {text}");
        }
    }

    #[test]
    fn a_partitioned_queue_answers_sixteen_times_its_size() {
        assert_eq!(size_without_partitions(16_384, true, Tier::Standard), 1024);
        assert_eq!(size_without_partitions(81_920, true, Tier::Standard), 5120);
        assert_eq!(size_without_partitions(5120, true, Tier::Standard), 5120);
        assert_eq!(
            size_without_partitions(81_920, false, Tier::Standard),
            81_920
        );
        assert_eq!(size_without_partitions(81_920, true, Tier::Premium), 81_920);
    }
}
