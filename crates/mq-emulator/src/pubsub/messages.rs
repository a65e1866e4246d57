//! The fields of each message, told once: reading and writing JSON both follow from this table.
//!
//! A message's fields in three groups: those that the emulator keeps, enumerations, and those
//! whose feature it does not have. The last are only marked as present, so that one check
//! refuses them for both wire forms.

use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_iam_v1::google::r#type::Expr;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use serde_json::{Map, Value};
use tonic::Status;

use super::json::{Enums, Field, Message, Object, camel_case};

/// A field that is there, whatever is in it.
trait Mark {
    fn mark() -> Self;
}

impl<T: Default> Mark for Option<T> {
    fn mark() -> Self {
        Some(T::default())
    }
}

impl<T: Default> Mark for Vec<T> {
    fn mark() -> Self {
        vec![T::default()]
    }
}

macro_rules! message {
    ($message:ty { $($field:ident),* } $(enums { $($coded:ident: $codes:ty),* })? $(absent { $($absent:ident),* })?) => {
        impl Message for $message {
            fn take_from(object: &mut Object<'_>) -> Result<Self, Status> {
                let mut message = Self::default();
                $( message.$field = object.take(stringify!($field))?; )*
                $($(
                    let by_name = |name: &str| <$codes>::from_str_name(name).map(|code| code as i32);
                    message.$coded = object.take_enum(stringify!($coded), by_name)?;
                )*)?
                $($( if object.present(stringify!($absent))? { message.$absent = Mark::mark(); } )*)?
                Ok(message)
            }

            fn write_to(&self, enums: Enums) -> Map<String, Value> {
                let mut fields = Map::new();
                $( put(&mut fields, stringify!($field), self.$field.write(enums)); )*
                $($(
                    let named = <$codes>::try_from(self.$coded).ok().filter(|_| enums == Enums::Names);
                    let coded = named.map_or(Value::from(self.$coded), |code| Value::from(code.as_str_name()));
                    put(&mut fields, stringify!($coded), (self.$coded != 0).then_some(coded));
                )*)?
                fields
            }
        }
    };
}

fn put(fields: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(camel_case(field), value);
    }
}

message!(pubsub::Topic {
    name, labels, message_storage_policy, kms_key_name, satisfies_pzs, message_retention_duration, tags
} enums { state: pubsub::topic::State } absent {
    schema_settings, ingestion_data_source_settings, message_transforms
});
message!(pubsub::MessageStoragePolicy {
    allowed_persistence_regions,
    enforce_in_transit
});
message!(pubsub::UpdateTopicRequest { topic, update_mask });
message!(pubsub::ListTopicsResponse {
    topics,
    next_page_token
});
message!(pubsub::ListTopicSubscriptionsResponse {
    subscriptions,
    next_page_token
});

message!(pubsub::Subscription {
    name, topic, push_config, ack_deadline_seconds, retain_acked_messages, message_retention_duration, labels,
    enable_message_ordering, expiration_policy, filter, dead_letter_policy, retry_policy, detached,
    enable_exactly_once_delivery, topic_message_retention_duration, tags
} enums { state: pubsub::subscription::State } absent {
    bigquery_config, cloud_storage_config, bigtable_config, message_transforms, analytics_hub_subscription_info
});
message!(pubsub::RetryPolicy {
    minimum_backoff,
    maximum_backoff
});
message!(pubsub::DeadLetterPolicy {
    dead_letter_topic,
    max_delivery_attempts
});
message!(pubsub::ExpirationPolicy { ttl });
message!(pubsub::UpdateSubscriptionRequest {
    subscription,
    update_mask
});
message!(pubsub::ListSubscriptionsResponse {
    subscriptions,
    next_page_token
});
message!(pubsub::DetachSubscriptionRequest { subscription });

message!(pubsub::PublishRequest { topic, messages });
message!(pubsub::PublishResponse { message_ids });
message!(pubsub::PubsubMessage {
    data,
    attributes,
    message_id,
    publish_time,
    ordering_key
});
message!(pubsub::PullResponse { received_messages });
message!(pubsub::ReceivedMessage {
    ack_id,
    message,
    delivery_attempt
});
message!(pubsub::AcknowledgeRequest {
    subscription,
    ack_ids
});
message!(pubsub::ModifyAckDeadlineRequest {
    subscription,
    ack_ids,
    ack_deadline_seconds
});
message!(pubsub::Snapshot {
    name,
    topic,
    expire_time,
    labels
});
message!(pubsub::CreateSnapshotRequest {
    name,
    subscription,
    labels,
    tags
});
message!(pubsub::UpdateSnapshotRequest {
    snapshot,
    update_mask
});
message!(pubsub::ListSnapshotsResponse {
    snapshots,
    next_page_token
});
message!(pubsub::ListTopicSnapshotsResponse {
    snapshots,
    next_page_token
});

message!(iam::Policy { version, bindings, etag } absent { audit_configs });
message!(iam::Binding {
    role,
    members,
    condition
});
message!(Expr {
    expression,
    title,
    description,
    location
});
message!(iam::GetPolicyOptions {
    requested_policy_version
});
message!(iam::GetIamPolicyRequest { resource, options });
message!(iam::SetIamPolicyRequest {
    resource,
    policy,
    update_mask
});
message!(iam::TestIamPermissionsRequest {
    resource,
    permissions
});
message!(iam::TestIamPermissionsResponse { permissions });

/// By hand for its deprecated field, which is read all the same.
impl Message for pubsub::PullRequest {
    fn take_from(object: &mut Object<'_>) -> Result<Self, Status> {
        #[expect(deprecated, reason = "clients still set return_immediately")]
        let message = Self {
            subscription: object.take("subscription")?,
            return_immediately: object.take("return_immediately")?,
            max_messages: object.take("max_messages")?,
        };
        Ok(message)
    }

    fn write_to(&self, enums: Enums) -> Map<String, Value> {
        let mut fields = Map::new();
        put(&mut fields, "subscription", self.subscription.write(enums));
        put(&mut fields, "max_messages", self.max_messages.write(enums));
        fields
    }
}

/// By hand for its union.
impl Message for pubsub::SeekRequest {
    fn take_from(object: &mut Object<'_>) -> Result<Self, Status> {
        use pubsub::seek_request::Target;
        let subscription = object.take("subscription")?;
        let time: Option<prost_types::Timestamp> = object.take("time")?;
        let snapshot: String = object.take("snapshot")?;
        let target = match (time, snapshot) {
            (Some(_), snapshot) if !snapshot.is_empty() => {
                return Err(Status::invalid_argument(
                    "Invalid JSON payload received. A seek has a time or a snapshot, not both.",
                ));
            }
            (Some(time), _) => Some(Target::Time(time)),
            (None, snapshot) => (!snapshot.is_empty()).then_some(Target::Snapshot(snapshot)),
        };
        Ok(Self {
            subscription,
            target,
        })
    }

    fn write_to(&self, enums: Enums) -> Map<String, Value> {
        use pubsub::seek_request::Target;
        let mut fields = Map::new();
        put(&mut fields, "subscription", self.subscription.write(enums));
        match &self.target {
            Some(Target::Time(time)) => put(&mut fields, "time", Some(*time).write(enums)),
            Some(Target::Snapshot(name)) => put(&mut fields, "snapshot", name.write(enums)),
            None => {}
        }
        fields
    }
}

/// By hand for its two unions, which are not fields of the Rust type.
impl Message for pubsub::PushConfig {
    fn take_from(object: &mut Object<'_>) -> Result<Self, Status> {
        use pubsub::push_config::{AuthenticationMethod, OidcToken, PubsubWrapper, Wrapper};
        let mut message = Self {
            push_endpoint: object.take("push_endpoint")?,
            attributes: object.take("attributes")?,
            ..Self::default()
        };
        if object.present("oidc_token")? {
            message.authentication_method =
                Some(AuthenticationMethod::OidcToken(OidcToken::default()));
        }
        if object.present("pubsub_wrapper")? | object.present("no_wrapper")? {
            message.wrapper = Some(Wrapper::PubsubWrapper(PubsubWrapper {}));
        }
        Ok(message)
    }

    fn write_to(&self, enums: Enums) -> Map<String, Value> {
        let mut fields = Map::new();
        put(
            &mut fields,
            "push_endpoint",
            self.push_endpoint.write(enums),
        );
        put(&mut fields, "attributes", self.attributes.write(enums));
        fields
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use prost_types::Duration;
    use serde_json::json;

    use super::super::json::{read, write};
    use super::*;

    fn refusal<M: Message>(value: Value) -> String {
        let status = read::<M>(value, "topic").map(|_| ()).unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        status.message().to_owned()
    }

    #[test]
    fn a_subscription_reads_as_google_writes_it() {
        let value = json!({
            "name": "projects/p/subscriptions/orders-sub",
            "topic": "projects/p/topics/orders",
            "pushConfig": {},
            "ackDeadlineSeconds": 30,
            "messageRetentionDuration": "345600s",
            "labels": { "mq-stack": "pipeline" },
            "enableMessageOrdering": true,
            "expirationPolicy": {},
            "deadLetterPolicy": { "deadLetterTopic": "projects/p/topics/orders-dlq", "maxDeliveryAttempts": 5 },
            "retryPolicy": { "minimumBackoff": "10s", "maximumBackoff": "600s" },
            "state": "ACTIVE"
        });
        let message: pubsub::Subscription = read(value.clone(), "subscription").unwrap();
        assert_eq!(message.ack_deadline_seconds, 30);
        assert_eq!(
            message.expiration_policy,
            Some(pubsub::ExpirationPolicy { ttl: None })
        );
        assert_eq!(
            message.state,
            i32::from(pubsub::subscription::State::Active)
        );
        assert_eq!(write(&message, Enums::Names), value);
        assert_eq!(write(&message, Enums::Numbers)["state"], json!(1));
    }

    #[test]
    fn defaults_are_left_out() {
        assert_eq!(
            write(&pubsub::Subscription::default(), Enums::Names),
            json!({})
        );
        assert_eq!(
            read::<pubsub::Topic>(json!({ "labels": null, "kmsKeyName": null }), "").unwrap(),
            pubsub::Topic::default()
        );
    }

    #[test]
    fn both_spellings_of_a_field_are_known_and_both_at_once_refused() {
        let by_proto: pubsub::Topic = read(json!({ "kms_key_name": "k" }), "topic").unwrap();
        let by_camel: pubsub::Topic = read(json!({ "kmsKeyName": "k" }), "topic").unwrap();
        assert_eq!(by_proto, by_camel);
        assert!(
            refusal::<pubsub::Topic>(json!({ "kmsKeyName": "k", "kms_key_name": "k" }))
                .contains("twice")
        );
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_refused_with_their_place() {
        for (value, message) in [
            (
                json!({ "lables": {} }),
                "Invalid JSON payload received. Unknown name \"lables\" at 'topic': Cannot find field.",
            ),
            (
                json!({ "messageStoragePolicy": { "regions": [] } }),
                "Invalid JSON payload received. Unknown name \"regions\" at 'topic.message_storage_policy': Cannot find field.",
            ),
            (
                json!({ "name": 1 }),
                "Invalid value at 'topic.name' (TYPE_STRING), 1",
            ),
            (
                json!({ "labels": { "a": 1 } }),
                "Invalid value at 'topic.labels[a]' (TYPE_STRING), 1",
            ),
            (
                json!({ "labels": [] }),
                "Invalid value at 'topic.labels' (a map), []",
            ),
            (
                json!({ "state": "GONE" }),
                "Invalid value at 'topic.state' (TYPE_ENUM), \"GONE\"",
            ),
            (
                json!({ "messageStoragePolicy": { "allowedPersistenceRegions": ["a", 1] } }),
                "Invalid value at 'topic.message_storage_policy.allowed_persistence_regions[1]' (TYPE_STRING), 1",
            ),
            (json!([]), "Invalid value at 'topic' (an object), []"),
            (json!("x"), "Invalid value at 'topic' (an object), \"x\""),
        ] {
            assert_eq!(refusal::<pubsub::Topic>(value), message);
        }
    }

    #[test]
    fn what_the_emulator_does_not_have_is_marked_whatever_is_in_it() {
        let topic: pubsub::Topic = read(
            json!({ "schemaSettings": { "x": 1 }, "messageTransforms": [] }),
            "topic",
        )
        .unwrap();
        assert!(topic.schema_settings.is_some());
        assert_eq!(topic.message_transforms.len(), 1);
        for config in [
            json!({ "oidcToken": {} }),
            json!({ "noWrapper": {} }),
            json!({ "pushEndpoint": "https://x" }),
        ] {
            let config: pubsub::PushConfig = read(config, "").unwrap();
            assert_ne!(config, pubsub::PushConfig::default());
        }
    }

    fn text() -> impl Strategy<Value = String> {
        "\\PC{0,12}"
    }

    fn labels() -> impl Strategy<Value = HashMap<String, String>> {
        prop::collection::hash_map(text(), text(), 0..4)
    }

    fn duration() -> impl Strategy<Value = Option<Duration>> {
        prop::option::of(
            (0..315_576_000_000_i64, 0..1_000_000_000_i32)
                .prop_map(|(seconds, nanos)| Duration { seconds, nanos }),
        )
    }

    fn topics() -> impl Strategy<Value = pubsub::Topic> {
        let policy = (prop::collection::vec(text(), 0..3), any::<bool>()).prop_map(
            |(allowed_persistence_regions, enforce_in_transit)| pubsub::MessageStoragePolicy {
                allowed_persistence_regions,
                enforce_in_transit,
            },
        );
        (
            text(),
            labels(),
            prop::option::of(policy),
            text(),
            any::<bool>(),
            duration(),
            0..4_i32,
        )
            .prop_map(
                |(
                    name,
                    labels,
                    message_storage_policy,
                    kms_key_name,
                    satisfies_pzs,
                    message_retention_duration,
                    state,
                )| {
                    pubsub::Topic {
                        name,
                        labels,
                        message_storage_policy,
                        kms_key_name,
                        satisfies_pzs,
                        message_retention_duration,
                        state,
                        ..pubsub::Topic::default()
                    }
                },
            )
    }

    fn subscriptions() -> impl Strategy<Value = pubsub::Subscription> {
        let expiration = duration().prop_map(|ttl| pubsub::ExpirationPolicy { ttl });
        let dead_letter =
            (text(), any::<i32>()).prop_map(|(dead_letter_topic, max_delivery_attempts)| {
                pubsub::DeadLetterPolicy {
                    dead_letter_topic,
                    max_delivery_attempts,
                }
            });
        let retry = (duration(), duration()).prop_map(|(minimum_backoff, maximum_backoff)| {
            pubsub::RetryPolicy {
                minimum_backoff,
                maximum_backoff,
            }
        });
        let policies = (
            prop::option::of(expiration),
            prop::option::of(dead_letter),
            prop::option::of(retry),
        );
        let flags = prop::array::uniform4(any::<bool>());
        (
            text(),
            text(),
            any::<i32>(),
            duration(),
            labels(),
            text(),
            policies,
            flags,
        )
            .prop_map(
                |(
                    name,
                    topic,
                    ack_deadline_seconds,
                    message_retention_duration,
                    labels,
                    filter,
                    policies,
                    flags,
                )| {
                    pubsub::Subscription {
                        name,
                        topic,
                        ack_deadline_seconds,
                        message_retention_duration,
                        labels,
                        filter,
                        expiration_policy: policies.0,
                        dead_letter_policy: policies.1,
                        retry_policy: policies.2,
                        retain_acked_messages: flags[0],
                        enable_message_ordering: flags[1],
                        detached: flags[2],
                        enable_exactly_once_delivery: flags[3],
                        push_config: flags[0].then(pubsub::PushConfig::default),
                        ..pubsub::Subscription::default()
                    }
                },
            )
    }

    fn policies() -> impl Strategy<Value = iam::Policy> {
        let condition = (text(), text()).prop_map(|(expression, title)| Expr {
            expression,
            title,
            ..Expr::default()
        });
        let binding = (
            text(),
            prop::collection::vec(text(), 0..3),
            prop::option::of(condition),
        )
            .prop_map(|(role, members, condition)| iam::Binding {
                role,
                members,
                condition,
            });
        (
            any::<i32>(),
            prop::collection::vec(binding, 0..3),
            prop::collection::vec(any::<u8>(), 0..12),
        )
            .prop_map(|(version, bindings, etag)| iam::Policy {
                version,
                bindings,
                etag,
                audit_configs: Vec::new(),
            })
    }

    /// Any JSON, with names that the messages know among its keys.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
            Just(Value::from("600s")),
        ];
        let key = prop_oneof![
            Just("labels".to_owned()),
            Just("topic".to_owned()),
            Just("pushConfig".to_owned()),
            Just("expiration_policy".to_owned()),
            Just("ttl".to_owned()),
            Just("deadLetterPolicy".to_owned()),
            Just("updateMask".to_owned()),
            Just("policy".to_owned()),
            Just("bindings".to_owned()),
            Just("etag".to_owned()),
            text(),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Writes and reads the message, as names and as numbers, through the bytes of a body.
    fn round_trips<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
        for enums in [Enums::Names, Enums::Numbers] {
            let bytes = write(message, enums).to_string();
            let again: M = read(serde_json::from_str(&bytes).unwrap(), "").unwrap();
            assert_eq!(&again, message, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn a_topic_survives_its_json_form(topic in topics()) {
            round_trips(&topic);
        }

        #[test]
        fn a_subscription_survives_its_json_form(subscription in subscriptions()) {
            round_trips(&subscription);
        }

        #[test]
        fn a_policy_survives_its_json_form(policy in policies()) {
            round_trips(&policy);
        }

        #[test]
        fn any_json_is_read_or_refused(value in anything()) {
            let refused = [
                read::<pubsub::UpdateTopicRequest>(value.clone(), "").is_err(),
                read::<pubsub::UpdateSubscriptionRequest>(value.clone(), "").is_err(),
                read::<pubsub::Subscription>(value.clone(), "subscription").is_err(),
                read::<iam::SetIamPolicyRequest>(value.clone(), "").is_err(),
            ];
            // No message is anything but an object.
            prop_assert!(value.is_object() || refused == [true; 4]);
        }
    }
}
