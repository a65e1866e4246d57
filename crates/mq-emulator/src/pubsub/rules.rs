//! What a topic or subscription may be, and what it becomes where it leaves something open.
//!
//! Bounds and defaults are those told at the fields of
//! <https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1>.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription, Topic,
};
use mq_engine::{Backoff, Settings};
use tonic::Status;

use super::json::format_duration;
use super::status::{shown, unimplemented};
use super::{filter, names};

const DAY: Duration = Duration::from_hours(24);
const RETENTION: RangeInclusive<Duration> = Duration::from_mins(10)..=DAY.saturating_mul(31);
const RETENTION_DEFAULT: Duration = DAY.saturating_mul(7);
/// The longest is the longest that the type holds, ten thousand years.
const EXPIRATION: RangeInclusive<Duration> = DAY..=Duration::from_secs(315_576_000_000);
const EXPIRATION_DEFAULT: Duration = DAY.saturating_mul(31);
const BACKOFF: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(10);
const BACKOFF_MIN_DEFAULT: Duration = Duration::from_secs(10);
const BACKOFF_MAX_DEFAULT: Duration = Duration::from_mins(10);
const ACK_DEADLINE_SECONDS: RangeInclusive<i32> = 10..=600;
const ACK_DEADLINE_SECONDS_DEFAULT: i32 = 10;
const DELIVERY_ATTEMPTS: RangeInclusive<i32> = 5..=100;
const DELIVERY_ATTEMPTS_DEFAULT: i32 = 5;
const LABELS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 63;

/// A topic as the service keeps it, or why it cannot be.
pub(super) fn topic(topic: Topic) -> Result<(Topic, Settings), Status> {
    topic_features(&topic)?;
    check_labels(&topic.labels)?;
    check_key(&topic.kms_key_name)?;
    if topic
        .message_storage_policy
        .as_ref()
        .is_some_and(|policy| policy.allowed_persistence_regions.is_empty())
    {
        return Err(Status::invalid_argument(
            "message_storage_policy.allowed_persistence_regions must name at least one region",
        ));
    }
    let retention = topic
        .message_retention_duration
        .as_ref()
        .map(|given| duration("message_retention_duration", given, RETENTION))
        .transpose()?;
    // What the service alone sets is ignored in requests.
    let kept = Topic {
        state: 0,
        satisfies_pzs: false,
        message_retention_duration: retention.map(proto),
        ..topic
    };
    Ok((
        kept,
        Settings {
            retention,
            ..Settings::default()
        },
    ))
}

/// A subscription as the service keeps it, or why it cannot be. Whether the topics that it names
/// are there is for the caller to see.
pub(super) fn subscription(subscription: Subscription) -> Result<(Subscription, Settings), Status> {
    subscription_features(&subscription)?;
    check_labels(&subscription.labels)?;
    let topic = names::topic(&subscription.topic)?;
    let lease_seconds = ack_deadline(subscription.ack_deadline_seconds)?;
    let retention = match &subscription.message_retention_duration {
        Some(given) => duration("message_retention_duration", given, RETENTION)?,
        None => RETENTION_DEFAULT,
    };
    check_filter(&subscription.filter)?;
    let dead_letter = subscription
        .dead_letter_policy
        .as_ref()
        .map(dead_letter_policy)
        .transpose()?;
    let dead_letter_topic = match &dead_letter {
        Some(policy) => Some(names::topic(&policy.dead_letter_topic)?),
        None => None,
    };
    if dead_letter_topic.as_ref() == Some(&topic) {
        return Err(Status::invalid_argument(
            "dead_letter_policy.dead_letter_topic must not be the topic of the subscription itself",
        ));
    }
    let retry = subscription.retry_policy.as_ref();
    let retry = retry.map(retry_policy).transpose()?;
    let settings = Settings {
        lease: Duration::from_secs(lease_seconds.unsigned_abs().into()),
        retention: Some(retention),
        max_deliveries: dead_letter
            .as_ref()
            .map(|policy| policy.max_delivery_attempts.unsigned_abs()),
        dead_letter: dead_letter_topic,
        ordered: subscription.enable_message_ordering,
        topic: Some(topic),
        retry: retry.map(|(_, backoff)| backoff),
        exactly_once: subscription.enable_exactly_once_delivery,
        retain_acked: subscription.retain_acked_messages,
        ..Settings::default()
    };
    let kept = Subscription {
        push_config: Some(PushConfig::default()),
        ack_deadline_seconds: lease_seconds,
        message_retention_duration: Some(proto(retention)),
        expiration_policy: Some(expiration_policy(subscription.expiration_policy.as_ref())?),
        dead_letter_policy: dead_letter,
        retry_policy: retry.map(|(policy, _)| policy),
        state: 0,
        topic_message_retention_duration: None,
        analytics_hub_subscription_info: None,
        ..subscription
    };
    Ok((kept, settings))
}

/// Refuses the features that the emulator does not have, whatever else is in the topic.
pub(super) fn topic_features(topic: &Topic) -> Result<(), Status> {
    refuse(&[
        (
            topic.schema_settings.is_some(),
            "topic schemas (schema_settings)",
        ),
        (
            topic.ingestion_data_source_settings.is_some(),
            "ingestion (ingestion_data_source_settings)",
        ),
        (
            !topic.message_transforms.is_empty(),
            "message transforms (message_transforms)",
        ),
        (!topic.tags.is_empty(), "Resource Manager tags (tags)"),
    ])
}

/// Refuses the features that the emulator does not have, whatever else is in the subscription.
pub(super) fn subscription_features(subscription: &Subscription) -> Result<(), Status> {
    let pushes = subscription
        .push_config
        .as_ref()
        .is_some_and(|config| *config != PushConfig::default());
    refuse(&[
        (pushes, "push subscriptions (push_config)"),
        (
            subscription.bigquery_config.is_some(),
            "BigQuery subscriptions (bigquery_config)",
        ),
        (
            subscription.cloud_storage_config.is_some(),
            "Cloud Storage subscriptions (cloud_storage_config)",
        ),
        (
            subscription.bigtable_config.is_some(),
            "Bigtable subscriptions (bigtable_config)",
        ),
        (
            !subscription.message_transforms.is_empty(),
            "message transforms (message_transforms)",
        ),
        (
            !subscription.tags.is_empty(),
            "Resource Manager tags (tags)",
        ),
    ])
}

/// A duration as protobuf carries it.
pub(super) fn proto(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

fn refuse(features: &[(bool, &str)]) -> Result<(), Status> {
    match features.iter().find(|(asked, _)| *asked) {
        Some((_, feature)) => Err(unimplemented(feature)),
        None => Ok(()),
    }
}

fn ack_deadline(seconds: i32) -> Result<i32, Status> {
    in_range(
        "ack_deadline_seconds",
        seconds,
        ACK_DEADLINE_SECONDS,
        ACK_DEADLINE_SECONDS_DEFAULT,
    )
}

fn dead_letter_policy(policy: &DeadLetterPolicy) -> Result<DeadLetterPolicy, Status> {
    let max_delivery_attempts = in_range(
        "dead_letter_policy.max_delivery_attempts",
        policy.max_delivery_attempts,
        DELIVERY_ATTEMPTS,
        DELIVERY_ATTEMPTS_DEFAULT,
    )?;
    Ok(DeadLetterPolicy {
        max_delivery_attempts,
        ..policy.clone()
    })
}

/// Absent means the default; present without a `ttl` means never.
fn expiration_policy(policy: Option<&ExpirationPolicy>) -> Result<ExpirationPolicy, Status> {
    let ttl = match policy {
        None => Some(EXPIRATION_DEFAULT),
        Some(ExpirationPolicy { ttl: None }) => None,
        Some(ExpirationPolicy { ttl: Some(ttl) }) => {
            Some(duration("expiration_policy.ttl", ttl, EXPIRATION)?)
        }
    };
    Ok(ExpirationPolicy {
        ttl: ttl.map(proto),
    })
}

fn retry_policy(policy: &RetryPolicy) -> Result<(RetryPolicy, Backoff), Status> {
    let bound = |field, given: &Option<prost_types::Duration>, default| match given {
        Some(given) => duration(field, given, BACKOFF),
        None => Ok(default),
    };
    let minimum = bound(
        "retry_policy.minimum_backoff",
        &policy.minimum_backoff,
        BACKOFF_MIN_DEFAULT,
    )?;
    let maximum = bound(
        "retry_policy.maximum_backoff",
        &policy.maximum_backoff,
        BACKOFF_MAX_DEFAULT,
    )?;
    if minimum > maximum {
        return Err(Status::invalid_argument(format!(
            "retry_policy.minimum_backoff ({}) must not be longer than retry_policy.maximum_backoff ({})",
            format_duration(&proto(minimum)),
            format_duration(&proto(maximum)),
        )));
    }
    let policy = RetryPolicy {
        minimum_backoff: Some(proto(minimum)),
        maximum_backoff: Some(proto(maximum)),
    };
    let backoff = Backoff {
        min: minimum,
        max: maximum,
    };
    Ok((policy, backoff))
}

fn check_filter(filter: &str) -> Result<(), Status> {
    if filter.is_empty() {
        return Ok(());
    }
    filter::parse(filter)
        .map(|_| ())
        .map_err(|why| Status::invalid_argument(format!("Invalid filter: {why}.")))
}

/// A number where 0, protobuf's "not given", means the default.
fn in_range(
    field: &str,
    number: i32,
    range: RangeInclusive<i32>,
    default: i32,
) -> Result<i32, Status> {
    match number {
        0 => Ok(default),
        number if range.contains(&number) => Ok(number),
        number => Err(Status::invalid_argument(format!(
            "{field} must be from {} to {}, or 0 for {default}; it is {number}",
            range.start(),
            range.end()
        ))),
    }
}

fn duration(
    field: &str,
    given: &prost_types::Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Status> {
    let duration = u64::try_from(given.seconds)
        .ok()
        .zip(
            u32::try_from(given.nanos)
                .ok()
                .filter(|nanos| *nanos < 1_000_000_000),
        )
        .map(|(seconds, nanos)| Duration::new(seconds, nanos));
    duration
        .filter(|duration| range.contains(duration))
        .ok_or_else(|| {
            Status::invalid_argument(format!(
                "{field} must be from {}s to {}s; it is {}",
                range.start().as_secs(),
                range.end().as_secs(),
                format_duration(given)
            ))
        })
}

/// Rules: <https://cloud.google.com/pubsub/docs/labels>.
pub(super) fn check_labels(labels: &HashMap<String, String>) -> Result<(), Status> {
    if labels.len() > LABELS_MAX {
        return Err(Status::invalid_argument(format!(
            "labels must not be more than {LABELS_MAX}; they are {}",
            labels.len()
        )));
    }
    // In order, so that the same request is always refused for the same label.
    let mut labels: Vec<_> = labels.iter().collect();
    labels.sort();
    for (key, value) in labels {
        let fault = |why| Status::invalid_argument(format!("label \"{}\": {why}", shown(key)));
        if !key.starts_with(|first: char| first.is_ascii_lowercase() || international(first)) {
            return Err(fault("a key must start with a lower-case letter"));
        }
        if key.starts_with("goog") {
            return Err(fault("keys that start with \"goog\" are reserved"));
        }
        if !key.chars().chain(value.chars()).all(label_character) {
            return Err(fault(
                "keys and values may hold lower-case letters, digits, '_' and '-' only",
            ));
        }
        if key.chars().count() > LABEL_CHARS_MAX || value.chars().count() > LABEL_CHARS_MAX {
            return Err(fault(
                "keys and values must not be longer than 63 characters",
            ));
        }
    }
    Ok(())
}

fn label_character(letter: char) -> bool {
    letter.is_ascii_lowercase()
        || letter.is_ascii_digit()
        || letter == '_'
        || letter == '-'
        || international(letter)
}

/// Letters outside ASCII are allowed unless they are upper case.
fn international(letter: char) -> bool {
    !letter.is_ascii() && letter.is_alphabetic() && !letter.is_uppercase()
}

fn check_key(key: &str) -> Result<(), Status> {
    let parts: Vec<&str> = key.split('/').collect();
    let words = ["projects", "locations", "keyRings", "cryptoKeys"];
    let well_formed = parts.len() == 8
        && parts
            .chunks(2)
            .zip(words)
            .all(|(pair, word)| pair[0] == word && !pair[1].is_empty());
    if key.is_empty() || well_formed {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "kms_key_name must read projects/*/locations/*/keyRings/*/cryptoKeys/*; it is {}",
        shown(key)
    )))
}

#[cfg(test)]
mod tests;
