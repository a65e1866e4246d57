//! The attributes of the file, each with two values to tell apart.

use std::time::Duration;

use mq_core::Value;
use mq_core::queue::{DeduplicateBy, Ordering};
use mq_core::spec::{DeadLetterPatch, DeduplicationPatch, EncryptionPatch, QueuePatch, Setting};

/// Where an attribute is fixed at creation, as far as the known services go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    /// Every service changes it on the queue that is there.
    Nowhere,
    /// Some do.
    Somewhere,
    /// None does.
    Everywhere,
}

/// An attribute of the file and how to state it.
pub struct Probe {
    /// Its path: `dead_letter.max_deliveries`.
    pub attribute: &'static str,
    /// What the attribute needs beside it, on both queues.
    pub(crate) base: fn(&mut QueuePatch),
    /// States the first value.
    pub(crate) one: fn(&mut QueuePatch),
    /// State others: the first that the cloud holds is taken.
    pub(crate) others: &'static [fn(&mut QueuePatch)],
    /// Whether a queue that is there can take another value.
    pub(crate) fixed: Fixed,
    /// Whether a resource shows the first value, where its meaning is the same on every service.
    pub(crate) shows: Option<fn(&Value) -> bool>,
    /// Whether what is there stays as it is once the file no longer states it.
    pub(crate) stays_unstated: bool,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Probe").field(&self.attribute).finish()
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

fn nothing(_: &mut QueuePatch) {}

/// Values that all the known services take, so that one list serves every cloud.
pub(crate) static PROBES: [Probe; 11] = [
    Probe {
        attribute: "visibility_timeout",
        base: nothing,
        one: |patch| patch.visibility_timeout = Setting::Value(Duration::from_secs(45)),
        others: &[|patch| patch.visibility_timeout = Setting::Value(Duration::from_secs(55))],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Duration(Duration::from_secs(45))),
        stays_unstated: true,
    },
    Probe {
        attribute: "retention",
        base: nothing,
        one: |patch| patch.retention = Setting::Value(days(2)),
        others: &[|patch| patch.retention = Setting::Value(days(6))],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Duration(days(2))),
        stays_unstated: true,
    },
    Probe {
        attribute: "receive_wait",
        base: nothing,
        one: |patch| patch.receive_wait = Setting::Value(Duration::from_secs(7)),
        others: &[|patch| patch.receive_wait = Setting::Value(Duration::from_secs(15))],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Duration(Duration::from_secs(7))),
        stays_unstated: true,
    },
    Probe {
        attribute: "delivery_delay",
        base: nothing,
        one: |patch| patch.delivery_delay = Setting::Value(minutes(1)),
        others: &[|patch| patch.delivery_delay = Setting::Value(minutes(3))],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Duration(minutes(1))),
        stays_unstated: true,
    },
    Probe {
        attribute: "max_message_size",
        base: nothing,
        one: |patch| patch.max_message_size = Setting::Value(64 * 1024),
        others: &[|patch| patch.max_message_size = Setting::Value(128 * 1024)],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Bytes(64 * 1024)),
        stays_unstated: true,
    },
    Probe {
        attribute: "ordering",
        base: nothing,
        one: |patch| patch.ordering = Setting::Value(Ordering::PerKey),
        others: &[|patch| patch.ordering = Setting::Value(Ordering::None)],
        fixed: Fixed::Everywhere,
        shows: None,
        stays_unstated: false,
    },
    Probe {
        attribute: "deduplication",
        base: |patch| patch.ordering = Setting::Value(Ordering::PerKey),
        one: |patch| deduplicate(patch, minutes(5), DeduplicateBy::Id),
        others: &[
            |patch| deduplicate(patch, minutes(5), DeduplicateBy::Content),
            |patch| deduplicate(patch, minutes(10), DeduplicateBy::Id),
        ],
        fixed: Fixed::Somewhere,
        shows: None,
        stays_unstated: false,
    },
    Probe {
        attribute: "dead_letter.max_deliveries",
        base: nothing,
        one: |patch| dead_letter(patch, 6, Setting::Inherit),
        others: &[|patch| dead_letter(patch, 9, Setting::Inherit)],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| counts(seen, 6)),
        stays_unstated: false,
    },
    Probe {
        attribute: "dead_letter.retention",
        base: nothing,
        one: |patch| dead_letter(patch, 6, Setting::Value(days(3))),
        others: &[|patch| dead_letter(patch, 6, Setting::Value(days(5)))],
        fixed: Fixed::Nowhere,
        shows: Some(|seen| *seen == Value::Duration(days(3))),
        stays_unstated: false,
    },
    Probe {
        attribute: "encryption",
        base: nothing,
        one: |patch| patch.encryption = Setting::Value(EncryptionPatch::default()),
        // Another is a key of the user's own, which no file can name for every reader of it.
        others: &[],
        fixed: Fixed::Nowhere,
        // Where it is a switch, it is on.
        shows: Some(|seen| *seen == Value::Bool(true)),
        stays_unstated: true,
    },
    Probe {
        attribute: "labels",
        base: nothing,
        one: |patch| label(patch, "one"),
        others: &[|patch| label(patch, "other")],
        fixed: Fixed::Nowhere,
        shows: Some(
            |seen| matches!(seen, Value::Map(labels) if labels.get("suite-probe").is_some_and(|it| it == "one")),
        ),
        stays_unstated: true,
    },
];

fn dead_letter(patch: &mut QueuePatch, max_deliveries: u32, retention: Setting<Duration>) {
    patch.dead_letter = Setting::Value(DeadLetterPatch {
        max_deliveries: Setting::Value(max_deliveries),
        retention,
        queue: Setting::Inherit,
    });
}

fn deduplicate(patch: &mut QueuePatch, window: Duration, by: DeduplicateBy) {
    patch.deduplication = Setting::Value(DeduplicationPatch {
        window: Setting::Value(window),
        by: Setting::Value(by),
    });
}

fn label(patch: &mut QueuePatch, value: &str) {
    let value = Setting::Value(value.to_owned());
    patch.labels.insert("suite-probe".to_owned(), value);
}

/// Whether this number is the value, or stands in a document that is.
fn counts(seen: &Value, number: u64) -> bool {
    match seen {
        Value::Integer(seen) => u64::try_from(*seen) == Ok(number),
        Value::Json(document) => has(document, number),
        _ => false,
    }
}

fn has(document: &serde_json::Value, number: u64) -> bool {
    match document {
        serde_json::Value::Number(seen) => seen.as_u64() == Some(number),
        serde_json::Value::String(text) => text.parse() == Ok(number),
        serde_json::Value::Array(items) => items.iter().any(|item| has(item, number)),
        serde_json::Value::Object(entries) => entries.values().any(|item| has(item, number)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => false,
    }
}
