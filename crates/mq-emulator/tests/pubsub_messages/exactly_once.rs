//! Exactly-once delivery: who settled too late is told.

use prost::Message as _;

use super::*;

/// `google.rpc.Status`, as far as it matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`, as far as it matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: std::collections::BTreeMap<String, String>,
}

/// The ack IDs that the refusal names, with what it says of each.
fn named(status: &Status) -> Vec<(String, String)> {
    let details = RpcStatus::decode(status.details())
        .expect("a status")
        .details;
    assert_eq!(
        details[0].type_url,
        "type.googleapis.com/google.rpc.ErrorInfo"
    );
    let info = ErrorInfo::decode(details[0].value.as_slice()).expect("an ErrorInfo");
    info.metadata.into_iter().collect()
}

fn exactly_once() -> wire::Subscription {
    wire::Subscription {
        enable_exactly_once_delivery: true,
        ..plain()
    }
}

#[tokio::test]
async fn a_request_names_the_ack_ids_that_did_nothing() {
    let mut world = world(exactly_once()).await;
    world.publish_all(&["a", "b"]).await;
    let late = ack_ids(&world.pull().await);
    world.advance(10);
    let ids = ack_ids(&world.pull().await);
    let mixed = vec![late[0].clone(), ids[1].clone(), "malformed".to_owned()];
    let refused = world.ack(mixed).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let mut wanted = vec![
        (late[0].clone(), INVALID_ACK_ID.to_owned()),
        ("malformed".to_owned(), INVALID_ACK_ID.to_owned()),
    ];
    wanted.sort();
    assert_eq!(named(&refused), wanted);
    for refused in [
        world.extend(vec![late[0].clone()], 30).await.unwrap_err(),
        world.extend(vec![late[0].clone()], 0).await.unwrap_err(),
        world.ack(vec![ids[1].clone()]).await.unwrap_err(),
    ] {
        assert_eq!(named(&refused).len(), 1, "{refused}");
    }
    world.ack(vec![ids[0].clone()]).await.unwrap();
    world.advance(600);
    assert!(world.pull().await.is_empty());
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_stream_confirms_what_was_settled_and_tells_that_it_does() {
    let mut world = world(exactly_once()).await;
    world.publish_all(&["a", "b"]).await;
    let mut pull = world.stream(first()).await.unwrap();
    let properties = pull.response().await.unwrap().subscription_properties;
    assert!(properties.unwrap().exactly_once_delivery_enabled);
    let ids = ack_ids(&pull.messages(2).await);
    pull.extend(ids.clone(), 60).await;
    let confirmed = pull.response().await.unwrap();
    let confirmed = confirmed.modify_ack_deadline_confirmation.unwrap();
    assert_eq!(confirmed.ack_ids, ids);
    pull.ack(vec![ids[0].clone(), "malformed".to_owned()]).await;
    let confirmed = pull.response().await.unwrap();
    let confirmed = confirmed.acknowledge_confirmation.unwrap();
    assert_eq!(confirmed.ack_ids, [ids[0].clone()]);
    assert_eq!(confirmed.invalid_ack_ids, ["malformed"]);
    pull.ack(vec![ids[0].clone()]).await;
    let confirmed = pull.response().await.unwrap();
    let confirmed = confirmed.acknowledge_confirmation.unwrap();
    assert_eq!(confirmed.invalid_ack_ids, [ids[0].clone()]);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_stream_is_told_when_the_subscription_changes() {
    let mut world = world(plain()).await;
    let mut pull = world.stream(first()).await.unwrap();
    let properties = pull.response().await.unwrap().subscription_properties;
    assert!(!properties.unwrap().exactly_once_delivery_enabled);
    let update = wire::UpdateSubscriptionRequest {
        subscription: Some(exactly_once()),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["enable_exactly_once_delivery".to_owned()],
        }),
    };
    world.subscriber.update_subscription(update).await.unwrap();
    let properties = pull.response().await.unwrap().subscription_properties;
    assert!(properties.unwrap().exactly_once_delivery_enabled);
    world.emulator.stop().await;
}
