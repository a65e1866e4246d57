//! What the service tells of a resource, under the names and in the values that lowering uses.

use std::collections::BTreeMap;
use std::time::Duration;

use google_cloud_iam_v1::model::Policy;
use google_cloud_pubsub::model::{Subscription, Topic};
use google_cloud_wkt::Duration as WireDuration;
use mq_core::queue::Marker;
use mq_core::resource::Present;
use mq_core::value::Value;

use crate::native::{Collection, Grant, attribute, short};

/// The key of a resource's full name among its addresses.
pub(super) const NAME: &str = "name";

type Attributes = BTreeMap<String, Value>;

fn put(attributes: &mut Attributes, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        attributes.insert(name.to_owned(), value);
    }
}

fn duration(value: Option<WireDuration>) -> Option<Value> {
    Duration::try_from(value?).ok().map(Value::Duration)
}

fn text(value: &str) -> Option<Value> {
    (!value.is_empty()).then(|| Value::text(value))
}

fn present(
    name: &str,
    labels: &std::collections::HashMap<String, String>,
    mut attributes: Attributes,
) -> Present {
    let labels = labels
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let (marker, labels) = Marker::split(labels);
    if !labels.is_empty() {
        attributes.insert(attribute::LABELS.to_owned(), Value::Map(labels));
    }
    Present {
        attributes,
        marker,
        address: BTreeMap::from([(NAME.to_owned(), name.to_owned())]),
    }
}

/// A topic under its short name.
pub(crate) fn of_topic(project: &str, topic: &Topic) -> (String, Present) {
    let mut attributes = Attributes::new();
    put(
        &mut attributes,
        attribute::KMS_KEY,
        text(&topic.kms_key_name),
    );
    put(
        &mut attributes,
        attribute::RETENTION,
        duration(topic.message_retention_duration),
    );
    let policy = topic.message_storage_policy.as_ref();
    let regions = policy.map(|policy| {
        let mut regions = policy.allowed_persistence_regions.clone();
        regions.sort_unstable();
        regions.join(",")
    });
    put(
        &mut attributes,
        attribute::REGIONS,
        regions.as_deref().and_then(text),
    );
    let enforced = policy.is_some_and(|policy| policy.enforce_in_transit);
    put(
        &mut attributes,
        attribute::ENFORCE_IN_TRANSIT,
        Some(Value::Bool(enforced)),
    );
    let name = short(Some(project), Collection::Topics, &topic.name);
    (name, present(&topic.name, &topic.labels, attributes))
}

/// A subscription under its short name.
pub(crate) fn of_subscription(project: &str, subscription: &Subscription) -> (String, Present) {
    let mut attributes = Attributes::new();
    let mut topic = short(Some(project), Collection::Topics, &subscription.topic);
    if subscription.detached {
        // It keeps the topic's name and gets nothing from it ever again.
        topic.push_str(" (detached)");
    }
    put(&mut attributes, attribute::TOPIC, Some(Value::Text(topic)));
    let lease = u64::try_from(subscription.ack_deadline_seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|seconds| Value::Duration(Duration::from_secs(seconds)));
    put(&mut attributes, attribute::ACK_DEADLINE, lease);
    put(
        &mut attributes,
        attribute::RETENTION,
        duration(subscription.message_retention_duration),
    );
    // A policy without a time to live is how the service writes "never".
    let expiration = subscription
        .expiration_policy
        .as_ref()
        .map(|policy| duration(policy.ttl).unwrap_or(Value::Never));
    put(&mut attributes, attribute::EXPIRATION, expiration);
    put_policies(&mut attributes, project, subscription);
    put(
        &mut attributes,
        attribute::FILTER,
        text(&subscription.filter),
    );
    // The rest of a push configuration is noise that the service adds to pull subscriptions too.
    let push = subscription.push_config.as_ref();
    put(
        &mut attributes,
        attribute::PUSH_ENDPOINT,
        push.and_then(|push| text(&push.push_endpoint)),
    );
    for (name, value) in [
        (attribute::ORDERING, subscription.enable_message_ordering),
        (
            attribute::EXACTLY_ONCE,
            subscription.enable_exactly_once_delivery,
        ),
        (attribute::RETAIN_ACKED, subscription.retain_acked_messages),
    ] {
        put(&mut attributes, name, Some(Value::Bool(value)));
    }
    let name = short(Some(project), Collection::Subscriptions, &subscription.name);
    (
        name,
        present(&subscription.name, &subscription.labels, attributes),
    )
}

fn put_policies(attributes: &mut Attributes, project: &str, subscription: &Subscription) {
    if let Some(policy) = &subscription.dead_letter_policy {
        let topic = short(Some(project), Collection::Topics, &policy.dead_letter_topic);
        put(attributes, attribute::DEAD_LETTER_TOPIC, text(&topic));
        // The service reads an unset number as its least.
        let attempts = match policy.max_delivery_attempts {
            0 => i64::from(crate::capability::MAX_DELIVERIES.default),
            stated => i64::from(stated),
        };
        put(
            attributes,
            attribute::MAX_ATTEMPTS,
            Some(Value::Integer(attempts)),
        );
    }
    if let Some(policy) = &subscription.retry_policy {
        put(
            attributes,
            attribute::MIN_BACKOFF,
            duration(policy.minimum_backoff),
        );
        put(
            attributes,
            attribute::MAX_BACKOFF,
            duration(policy.maximum_backoff),
        );
    }
}

/// A grant that this policy makes without a condition; `None` when it does not.
pub(crate) fn of_grant(grant: &Grant, policy: &Policy) -> Option<Present> {
    let made = policy.bindings.iter().any(|binding| {
        binding.role == grant.role
            && binding.condition.is_none()
            && binding.members.contains(&grant.member)
    });
    made.then(|| Present {
        attributes: Attributes::from([
            (attribute::ON.to_owned(), Value::Text(grant.path())),
            (attribute::ROLE.to_owned(), Value::text(&grant.role)),
            (attribute::MEMBER.to_owned(), Value::text(&grant.member)),
        ]),
        ..Present::default()
    })
}

#[cfg(test)]
mod tests {
    use google_cloud_iam_v1::model::Binding;
    use google_cloud_pubsub::model::{DeadLetterPolicy, ExpirationPolicy, PushConfig};

    use super::*;

    fn wire(seconds: i64, nanos: i32) -> WireDuration {
        WireDuration::clamp(seconds, nanos)
    }

    #[test]
    fn two_spellings_of_one_subscription_read_alike() {
        // G7: full and short names, noise in the push configuration, a policy's unset count.
        let plain = Subscription::new()
            .set_name("projects/p/subscriptions/orders-sub")
            .set_topic("projects/p/topics/orders")
            .set_ack_deadline_seconds(30)
            .set_message_retention_duration(wire(345_600, 0))
            .set_expiration_policy(ExpirationPolicy::new())
            .set_dead_letter_policy(
                DeadLetterPolicy::new()
                    .set_dead_letter_topic("projects/p/topics/orders-dlq")
                    .set_max_delivery_attempts(5),
            );
        let noisy = plain
            .clone()
            .set_push_config(PushConfig::new().set_attributes([("x-goog-version", "v1")]))
            .set_dead_letter_policy(
                DeadLetterPolicy::new().set_dead_letter_topic("projects/p/topics/orders-dlq"),
            );
        let (name, present) = of_subscription("p", &plain);
        assert_eq!(name, "orders-sub");
        assert_eq!(present, of_subscription("p", &noisy).1);
        assert_eq!(present.attributes[attribute::TOPIC], Value::text("orders"));
        assert_eq!(
            present.attributes[attribute::DEAD_LETTER_TOPIC],
            Value::text("orders-dlq")
        );
        assert_eq!(present.attributes[attribute::EXPIRATION], Value::Never);
    }

    #[test]
    fn a_subscription_whose_topic_is_gone_or_that_is_detached_is_on_another_topic() {
        let on = |subscription: &Subscription| {
            of_subscription("p", subscription).1.attributes[attribute::TOPIC].clone()
        };
        let subscription = Subscription::new().set_topic("_deleted-topic_");
        assert_eq!(on(&subscription), Value::text("_deleted-topic_"));
        let detached = Subscription::new()
            .set_topic("projects/p/topics/orders")
            .set_detached(true);
        assert_ne!(on(&detached), Value::text("orders"));
    }

    #[test]
    fn an_expiry_and_a_fraction_of_a_second_are_read_as_they_are() {
        let subscription = Subscription::new()
            .set_expiration_policy(ExpirationPolicy::new().set_ttl(wire(2_678_400, 0)))
            .set_message_retention_duration(wire(600, 500_000_000));
        let attributes = of_subscription("p", &subscription).1.attributes;
        let seconds = |seconds| Value::Duration(Duration::from_secs(seconds));
        assert_eq!(attributes[attribute::EXPIRATION], seconds(2_678_400));
        assert_eq!(
            attributes[attribute::RETENTION],
            Value::Duration(Duration::from_millis(600_500))
        );
    }

    #[test]
    fn only_an_unconditional_binding_of_the_role_is_the_grant() {
        let grant = Grant {
            collection: Collection::Topics,
            on: "orders-dlq".to_owned(),
            role: "roles/pubsub.publisher".to_owned(),
            member: "serviceAccount:a".to_owned(),
        };
        let binding =
            |role: &str, member: &str| Binding::new().set_role(role).set_members([member]);
        let holds = |bindings: Vec<Binding>| {
            of_grant(&grant, &Policy::new().set_bindings(bindings)).is_some()
        };
        assert!(holds(vec![binding(
            "roles/pubsub.publisher",
            "serviceAccount:a"
        )]));
        assert!(!holds(vec![binding(
            "roles/pubsub.publisher",
            "serviceAccount:b"
        )]));
        assert!(!holds(vec![binding(
            "roles/pubsub.viewer",
            "serviceAccount:a"
        )]));
        assert!(!holds(vec![]));
    }
}
