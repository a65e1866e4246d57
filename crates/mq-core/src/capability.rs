//! What a service can do, as numbers and flags, each with the vendor page it comes from.

use std::time::Duration;

use serde::Serialize;

use crate::queue::{Origin, Stated};
use crate::units;
use crate::verdict::{Hold, Verdict};

/// A fact and the vendor page it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// The vendor page.
    pub source: &'static str,
}

/// A range that a service takes, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limit<T> {
    /// The least.
    pub min: T,
    /// The most.
    pub max: T,
    /// What the service uses when it is told nothing.
    pub default: T,
    /// The vendor page.
    pub source: &'static str,
}

/// A limit's values know how the file writes them.
pub trait Unit: Copy + PartialOrd {
    /// The value as the file writes it.
    fn written(self) -> String;
}

impl Unit for Duration {
    fn written(self) -> String {
        units::duration(self)
    }
}

impl Unit for u32 {
    fn written(self) -> String {
        self.to_string()
    }
}

impl Unit for u64 {
    fn written(self) -> String {
        units::size(self)
    }
}

impl<T: Unit> Limit<T> {
    /// Whether the service takes this value.
    pub fn contains(&self, value: T) -> bool {
        value >= self.min && value <= self.max
    }

    /// `exact` inside the range, `unsupported` with the range outside it.
    pub fn judge(&self, attribute: &str, stated: &Stated<T>) -> Verdict {
        let hold = if self.contains(stated.value) {
            Hold::Exact
        } else {
            Hold::Unsupported {
                why: format!(
                    "the service takes {} to {}",
                    self.min.written(),
                    self.max.written()
                ),
            }
        };
        Verdict::new(attribute, stated.value.written(), stated.origin, hold)
            .with_source(self.source)
    }
}

/// How a service keeps messages of one key in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderingModel {
    /// Not at all.
    None,
    /// A queue of its own kind with message groups.
    Fifo,
    /// Sessions that one receiver holds at a time.
    Sessions,
    /// Ordering keys on an ordinary subscription.
    OrderingKeys,
}

/// What a service's dead-letter queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadLetterModel {
    /// A queue like any other, named by the source.
    Queue,
    /// A part of the queue itself, always there.
    Subqueue,
    /// A topic with a subscription of its own, and two grants.
    Topic,
}

/// Where a service keeps labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelModel {
    /// Free-form tags.
    Tags,
    /// Labels in a restricted alphabet.
    Labels,
    /// One text of bounded length, shared by all labels.
    Metadata,
}

/// Which names a service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NameRule {
    /// The shortest, in characters.
    pub min: usize,
    /// The longest, in characters.
    pub max: usize,
    /// The alphabet, as a sentence for people.
    pub alphabet: &'static str,
    /// Whether `Orders` and `orders` are two names.
    pub case_sensitive: bool,
    /// The vendor page.
    pub source: &'static str,
}

/// What a service can do. `None` means that the service has no such setting.
///
/// Grammar of the names: an attribute's own name for the range of values that the service takes;
/// `attribute_aspect` for a fact about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// How long one delivery may be hidden.
    pub visibility_timeout: Option<Limit<Duration>>,
    /// How long a message may wait.
    pub retention: Option<Limit<Duration>>,
    /// How long an empty receive waits by the queue's own setting.
    pub receive_wait: Option<Limit<Duration>>,
    /// How long the queue itself holds back a new message.
    pub delivery_delay: Option<Limit<Duration>>,
    /// Which caps on the size of a message can be set, in bytes.
    pub max_message_size: Option<Limit<u64>>,
    /// The largest message, in bytes, whatever is set.
    pub max_message_size_fixed: Fact<u64>,
    /// How many deliveries may be set before a message is dead-lettered.
    pub max_deliveries: Option<Limit<u32>>,
    /// Whether the count of deliveries is kept exactly.
    pub max_deliveries_exact: Fact<bool>,
    /// How order is kept.
    pub ordering: Fact<OrderingModel>,
    /// Which windows of duplicate detection can be set.
    pub deduplication_window: Option<Limit<Duration>>,
    /// Whether the service itself can tell duplicates by their content.
    pub deduplication_by_content: Fact<bool>,
    /// What a dead-letter queue is.
    pub dead_letter: Fact<DeadLetterModel>,
    /// How long a dead letter may wait.
    pub dead_letter_retention: Option<Limit<Duration>>,
    /// Whether one queue can have an encryption key of its own.
    pub encryption_key: Fact<bool>,
    /// Where labels are kept.
    pub labels: Fact<LabelModel>,
    /// Whether the service tells how many messages are there.
    pub counts: Fact<bool>,
    /// Which names it takes.
    pub name: NameRule,
}

/// The range of a duration that every one of these services takes, for "works everywhere".
#[must_use]
pub fn common_range<T: Unit>(limits: impl IntoIterator<Item = Option<Limit<T>>>) -> Option<(T, T)> {
    let mut common: Option<(T, T)> = None;
    for limit in limits {
        let limit = limit?;
        common = Some(match common {
            None => (limit.min, limit.max),
            Some((min, max)) => (
                if limit.min > min { limit.min } else { min },
                if limit.max < max { limit.max } else { max },
            ),
        });
    }
    common.filter(|(min, max)| min <= max)
}

/// A short form for facts.
#[must_use]
pub const fn fact<T>(value: T, source: &'static str) -> Fact<T> {
    Fact { value, source }
}

/// A value that the file or a create-default gives, for [`Limit::judge`].
#[must_use]
pub const fn stated<T>(value: T, origin: Origin) -> Stated<T> {
    Stated { value, origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: Limit<Duration> = Limit {
        min: Duration::from_secs(5),
        max: Duration::from_secs(300),
        default: Duration::from_secs(60),
        source: "page",
    };

    #[test]
    fn a_value_outside_the_range_is_unsupported_and_the_range_is_named() {
        let verdict = LOCK.judge(
            "visibility_timeout",
            &stated(Duration::from_secs(301), Origin::File),
        );
        assert_eq!(verdict.hold.name(), "unsupported");
        assert!(verdict.hold.reason().contains("5s to 5m"), "{verdict:?}");
        assert_eq!(
            LOCK.judge("visibility_timeout", &stated(LOCK.max, Origin::File))
                .hold,
            Hold::Exact
        );
    }

    #[test]
    fn the_common_range_is_the_intersection_or_none() {
        let other = Limit {
            min: Duration::from_secs(10),
            max: Duration::from_secs(600),
            ..LOCK
        };
        assert_eq!(
            common_range([Some(LOCK), Some(other)]),
            Some((Duration::from_secs(10), Duration::from_secs(300)))
        );
        assert_eq!(common_range([Some(LOCK), None]), None);
    }
}
