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
