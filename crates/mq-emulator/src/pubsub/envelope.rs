//! A message between the wire and the engine, which keeps its attributes as protobuf writes them.

use std::collections::HashMap;

use bytes::Bytes;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{PubsubMessage, ReceivedMessage};
use mq_engine::{Delivery, NewMessage, Origin, Timestamp};
use prost::Message as _;

use super::ack_id;
use crate::clock;

/// Begins the attributes that a dead letter has got.
const DEAD_LETTER: &str = "CloudPubSubDeadLetterSource";

/// The message as the engine takes it.
pub(super) fn close(message: PubsubMessage) -> NewMessage {
    let properties = PubsubMessage {
        attributes: message.attributes,
        ..PubsubMessage::default()
    };
    NewMessage {
        body: Bytes::from(message.data),
        properties: Bytes::from(properties.encode_to_vec()),
        group: Some(message.ordering_key).filter(|key| !key.is_empty()),
        ..NewMessage::default()
    }
}

/// The message as a subscriber gets it. `counted` says whether the subscription counts attempts,
/// which only those with a dead-letter policy do.
pub(super) fn open(delivery: Delivery, counted: bool) -> ReceivedMessage {
    let mut attributes = attributes(&delivery.properties);
    if let Some(origin) = &delivery.origin {
        note_origin(&mut attributes, origin);
    }
    let attempt = i32::try_from(delivery.delivery_count).unwrap_or(i32::MAX);
    ReceivedMessage {
        ack_id: ack_id::write(delivery.receipt),
        message: Some(PubsubMessage {
            data: delivery.body.into(),
            attributes,
            message_id: delivery.id.to_string(),
            publish_time: Some(time(delivery.sent)),
            ordering_key: delivery.group.as_deref().unwrap_or_default().to_owned(),
        }),
        delivery_attempt: if counted { attempt } else { 0 },
    }
}

/// The attributes that the engine keeps.
pub(super) fn attributes(properties: &Bytes) -> HashMap<String, String> {
    PubsubMessage::decode(properties.clone())
        .map(|message| message.attributes)
        .unwrap_or_default()
}

/// What flow control counts of a delivery.
pub(super) fn size(delivery: &Delivery) -> u64 {
    (delivery.body.len() + delivery.properties.len()) as u64
}

/// A time as protobuf carries it.
pub(super) fn time(time: Timestamp) -> prost_types::Timestamp {
    let time = clock::date(time);
    prost_types::Timestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}

/// <https://cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts>
fn note_origin(attributes: &mut HashMap<String, String>, origin: &Origin) {
    let source = &origin.source.id;
    for (name, value) in [
        ("DeliveryCount", origin.delivery_count.to_string()),
        ("Subscription", source.name.clone()),
        ("SubscriptionProject", source.scope.clone()),
        ("TopicPublishTime", clock::date(origin.sent).to_string()),
    ] {
        attributes.insert(format!("{DEAD_LETTER}{name}"), value);
    }
}
