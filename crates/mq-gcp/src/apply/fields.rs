//! Attributes, written into the fields of the SDK's types.

use std::time::Duration;

use google_cloud_pubsub::model::{
    DeadLetterPolicy, ExpirationPolicy, MessageStoragePolicy, RetryPolicy, Subscription, Topic,
};
use google_cloud_wkt::{Duration as WireDuration, FieldMask};
use mq_core::error::{Error, ErrorKind, Result};
use mq_core::plan::AttributeChange;
use mq_core::value::Value;

use crate::native::{Collection, attribute, full};

/// The path of the labels in an update mask.
pub(super) const LABELS_PATH: &str = "labels";

const DEAD_LETTER_PATH: &str = "dead_letter_policy";
const RETRY_PATH: &str = "retry_policy";
const STORAGE_PATH: &str = "message_storage_policy";
const RETENTION_PATH: &str = "message_retention_duration";

/// Sets one attribute of a topic; returns the path of the field that holds it.
pub(super) fn set_topic(topic: &mut Topic, changed: &AttributeChange) -> Result<&'static str> {
    match changed.name.as_str() {
        attribute::LABELS => {
            topic.labels.extend(labels(changed)?);
            Ok(LABELS_PATH)
        }
        attribute::KMS_KEY => {
            topic.kms_key_name = optional_text(changed)?.unwrap_or_default();
            Ok("kms_key_name")
        }
        attribute::RETENTION => {
            topic.message_retention_duration = optional_duration(changed)?;
            Ok(RETENTION_PATH)
        }
        attribute::REGIONS => {
            let regions = text(changed)?.split(',').map(str::to_owned).collect();
            storage(topic).allowed_persistence_regions = regions;
            Ok(STORAGE_PATH)
        }
        attribute::ENFORCE_IN_TRANSIT => {
            storage(topic).enforce_in_transit = flag(changed)?;
            Ok(STORAGE_PATH)
        }
        _ => Err(misfit(changed)),
    }
}

fn storage(topic: &mut Topic) -> &mut MessageStoragePolicy {
    topic
        .message_storage_policy
        .get_or_insert_with(MessageStoragePolicy::new)
}

/// Sets one attribute of a subscription; returns the path of the field that holds it.
pub(super) fn set_subscription(
    project: &str,
    subscription: &mut Subscription,
    changed: &AttributeChange,
) -> Result<&'static str> {
    match changed.name.as_str() {
        attribute::LABELS => {
            subscription.labels.extend(labels(changed)?);
            Ok(LABELS_PATH)
        }
        attribute::TOPIC => {
            subscription.topic = full(project, Collection::Topics, text(changed)?);
            Ok("topic")
        }
        attribute::ACK_DEADLINE => {
            let lease = duration(changed)?.as_secs();
            subscription.ack_deadline_seconds =
                i32::try_from(lease).map_err(|_| misfit(changed))?;
            Ok("ack_deadline_seconds")
        }
        attribute::RETENTION => {
            subscription.message_retention_duration = optional_duration(changed)?;
            Ok(RETENTION_PATH)
        }
        attribute::EXPIRATION => {
            // The service's default deletes an idle subscription (G3): "never" is a policy that
            // is there and has no time to live.
            let ttl = match changed.to {
                Value::Never => None,
                _ => optional_duration(changed)?,
            };
            let policy = ExpirationPolicy::new().set_or_clear_ttl(ttl);
            subscription.expiration_policy = Some(policy);
            Ok("expiration_policy")
        }
        attribute::DEAD_LETTER_TOPIC | attribute::MAX_ATTEMPTS => {
            set_dead_letter_policy(project, &mut subscription.dead_letter_policy, changed)
        }
        attribute::MIN_BACKOFF => {
            retry(subscription).minimum_backoff = optional_duration(changed)?;
            Ok(RETRY_PATH)
        }
        attribute::MAX_BACKOFF => {
            retry(subscription).maximum_backoff = optional_duration(changed)?;
            Ok(RETRY_PATH)
        }
        attribute::FILTER => {
            text(changed)?.clone_into(&mut subscription.filter);
            Ok("filter")
        }
        attribute::ORDERING => {
            subscription.enable_message_ordering = flag(changed)?;
            Ok("enable_message_ordering")
        }
        attribute::EXACTLY_ONCE => {
            subscription.enable_exactly_once_delivery = flag(changed)?;
            Ok("enable_exactly_once_delivery")
        }
        attribute::RETAIN_ACKED => {
            subscription.retain_acked_messages = flag(changed)?;
            Ok("retain_acked_messages")
        }
        _ => Err(misfit(changed)),
    }
}

fn retry(subscription: &mut Subscription) -> &mut RetryPolicy {
    subscription
        .retry_policy
        .get_or_insert_with(RetryPolicy::new)
}

/// A policy is taken away by naming it in the mask and leaving it unset.
fn set_dead_letter_policy(
    project: &str,
    policy: &mut Option<DeadLetterPolicy>,
    changed: &AttributeChange,
) -> Result<&'static str> {
    match (&changed.to, changed.name.as_str()) {
        (Value::Absent, attribute::DEAD_LETTER_TOPIC) => *policy = None,
        (Value::Text(topic), attribute::DEAD_LETTER_TOPIC) => {
            policy
                .get_or_insert_with(DeadLetterPolicy::new)
                .dead_letter_topic = full(project, Collection::Topics, topic);
        }
        (Value::Integer(attempts), attribute::MAX_ATTEMPTS) => {
            policy
                .get_or_insert_with(DeadLetterPolicy::new)
                .max_delivery_attempts = i32::try_from(*attempts).map_err(|_| misfit(changed))?;
        }
        _ => return Err(misfit(changed)),
    }
    Ok(DEAD_LETTER_PATH)
}

/// Of a topic as it shall be, the fields that are sent: those in the mask.
pub(super) fn masked_topic(topic: Topic, mask: &FieldMask) -> Topic {
    let sent = |path: &str| mask.paths.iter().any(|sent| sent == path);
    let mut masked = Topic::new().set_name(topic.name);
    if sent(LABELS_PATH) {
        masked.labels = topic.labels;
    }
    if sent("kms_key_name") {
        masked.kms_key_name = topic.kms_key_name;
    }
    if sent(RETENTION_PATH) {
        masked.message_retention_duration = topic.message_retention_duration;
    }
    if sent(STORAGE_PATH) {
        masked.message_storage_policy = topic.message_storage_policy;
    }
    masked
}

/// Of a subscription as it shall be, the fields that are sent: those in the mask.
pub(super) fn masked_subscription(subscription: Subscription, mask: &FieldMask) -> Subscription {
    let sent = |path: &str| mask.paths.iter().any(|sent| sent == path);
    let mut masked = Subscription::new().set_name(subscription.name);
    if sent(LABELS_PATH) {
        masked.labels = subscription.labels;
    }
    if sent("ack_deadline_seconds") {
        masked.ack_deadline_seconds = subscription.ack_deadline_seconds;
    }
    if sent(RETENTION_PATH) {
        masked.message_retention_duration = subscription.message_retention_duration;
    }
    if sent("expiration_policy") {
        masked.expiration_policy = subscription.expiration_policy;
    }
    if sent(DEAD_LETTER_PATH) {
        masked.dead_letter_policy = subscription.dead_letter_policy;
    }
    if sent(RETRY_PATH) {
        masked.retry_policy = subscription.retry_policy;
    }
    if sent("enable_exactly_once_delivery") {
        masked.enable_exactly_once_delivery = subscription.enable_exactly_once_delivery;
    }
    if sent("retain_acked_messages") {
        masked.retain_acked_messages = subscription.retain_acked_messages;
    }
    masked
}

fn misfit(changed: &AttributeChange) -> Error {
    Error::new(
        ErrorKind::SpecInvalid,
        format!("`{}` cannot be set to {}", changed.name, changed.to),
    )
}

fn text(changed: &AttributeChange) -> Result<&str> {
    match &changed.to {
        Value::Text(text) => Ok(text),
        _ => Err(misfit(changed)),
    }
}

fn optional_text(changed: &AttributeChange) -> Result<Option<String>> {
    match &changed.to {
        Value::Text(text) => Ok(Some(text.clone())),
        Value::Absent => Ok(None),
        _ => Err(misfit(changed)),
    }
}

fn flag(changed: &AttributeChange) -> Result<bool> {
    match changed.to {
        Value::Bool(flag) => Ok(flag),
        _ => Err(misfit(changed)),
    }
}

fn duration(changed: &AttributeChange) -> Result<Duration> {
    match changed.to {
        Value::Duration(duration) => Ok(duration),
        _ => Err(misfit(changed)),
    }
}

fn optional_duration(changed: &AttributeChange) -> Result<Option<WireDuration>> {
    match changed.to {
        Value::Absent => Ok(None),
        Value::Duration(duration) => WireDuration::try_from(duration)
            .map(Some)
            .map_err(|_| misfit(changed)),
        _ => Err(misfit(changed)),
    }
}

fn labels(changed: &AttributeChange) -> Result<std::collections::BTreeMap<String, String>> {
    match &changed.to {
        Value::Map(labels) => Ok(labels.clone()),
        _ => Err(misfit(changed)),
    }
}
