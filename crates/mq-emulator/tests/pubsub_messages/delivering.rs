//! Leases, failures and dead letters.

use super::*;

#[tokio::test]
async fn a_lease_ends_is_extended_and_is_given_back() {
    let mut world = world(plain()).await;
    world.publish_all(&["a"]).await;
    let ids = ack_ids(&world.pull().await);
    world.extend(ids.clone(), 60).await.unwrap();
    world.advance(59);
    assert!(world.pull().await.is_empty());
    world.advance(1);
    let again = world.pull().await;
    assert_eq!(all_data(&again), ["a"]);
    assert_ne!(ack_ids(&again), ids);
    // Both say that all is well: without exactly-once delivery nobody is told.
    world.extend(ids.clone(), 0).await.unwrap();
    world.ack(ids).await.unwrap();
    assert!(world.pull().await.is_empty());
    world.extend(ack_ids(&again), 0).await.unwrap();
    let third = world.pull().await;
    assert_eq!(third.len(), 1, "a nack gives back at once");
    world.ack(ack_ids(&third)).await.unwrap();
    world.advance(601);
    assert!(world.pull().await.is_empty());
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_pull_waits_for_what_arrives() {
    let mut world = world(plain()).await;
    let mut other = World {
        emulator: world.emulator,
        publisher: world.publisher.clone(),
        subscriber: world.subscriber.clone(),
        policies: world.policies.clone(),
    };
    let waiting = tokio::spawn(async move {
        let request = wire::PullRequest {
            subscription: SUBSCRIPTION.to_owned(),
            max_messages: 10,
            ..Default::default()
        };
        world.subscriber.pull(request).await
    });
    tokio::task::yield_now().await;
    other.publish_all(&["a"]).await;
    let pulled = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(all_data(&pulled.received_messages), ["a"]);
    other.emulator.stop().await;
}

#[tokio::test]
async fn arguments_that_cannot_be_are_refused() {
    let mut world = world(plain()).await;
    world.publish_all(&["a"]).await;
    let pulled = world.pull_from(SUBSCRIPTION, 0, true).await.unwrap_err();
    assert_eq!(pulled.code(), Code::InvalidArgument);
    let ids = ack_ids(&world.pull().await);
    for seconds in [-1, 601, i32::MIN] {
        let refused = world.extend(ids.clone(), seconds).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{seconds}");
    }
    let none = world.ack(Vec::new()).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    let malformed = vec![ids[0].clone(), "malformed".to_owned()];
    let refused = world.ack(malformed).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    world.advance(10);
    assert_eq!(world.pull().await.len(), 1, "nothing was acked");
    world.emulator.stop().await;
}

fn dead_lettering() -> wire::Subscription {
    let policy = wire::DeadLetterPolicy {
        dead_letter_topic: DEAD_TOPIC.to_owned(),
        max_delivery_attempts: 5,
    };
    wire::Subscription {
        dead_letter_policy: Some(policy),
        ..plain()
    }
}

/// The attempts that failing messages show until there are none, ten at most.
async fn attempts(world: &mut World) -> Vec<i32> {
    let mut attempts = Vec::new();
    while attempts.len() < 10 {
        let received = world.pull().await;
        let Some(one) = received.first() else { break };
        attempts.push(one.delivery_attempt);
        let given_back = world.extend(ack_ids(&received), 0).await;
        given_back.expect("a nack");
    }
    attempts
}

#[tokio::test]
async fn a_dead_letter_goes_with_its_history() {
    let mut world = world(dead_lettering()).await;
    world.publish(vec![tagged("a", "k", "v")]).await.unwrap();
    assert_eq!(attempts(&mut world).await, [1, 2, 3, 4, 5]);
    let dead = world.pull_from(DEAD_SUBSCRIPTION, 10, true).await.unwrap();
    assert_eq!(all_data(&dead), ["a"]);
    let attributes = &dead[0].message.as_ref().unwrap().attributes;
    assert_eq!(attributes["k"], "v");
    assert_eq!(attributes["CloudPubSubDeadLetterSourceDeliveryCount"], "5");
    let source = "CloudPubSubDeadLetterSourceSubscription";
    assert_eq!(attributes[source], "orders-sub");
    assert_eq!(attributes[&format!("{source}Project")], "acme");
    let published = &attributes["CloudPubSubDeadLetterSourceTopicPublishTime"];
    assert!(published.ends_with('Z'), "{published}");
    world.emulator.stop().await;
}

#[tokio::test]
async fn without_the_grants_no_attempt_counts_and_no_dead_letter_goes() {
    let quirks = Quirks {
        pubsub_iam_required: true,
        ..Quirks::default()
    };
    let mut world = world_with(dead_lettering(), quirks).await;
    world.publish_all(&["a"]).await;
    assert_eq!(attempts(&mut world).await, [0; 10]);
    let agent = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";
    for (resource, role) in [
        (SUBSCRIPTION, "roles/pubsub.subscriber"),
        (DEAD_TOPIC, "roles/pubsub.publisher"),
    ] {
        let binding = iam::Binding {
            role: role.to_owned(),
            members: vec![agent.to_owned()],
            condition: None,
        };
        let request = iam::SetIamPolicyRequest {
            resource: resource.to_owned(),
            policy: Some(iam::Policy {
                bindings: vec![binding],
                ..Default::default()
            }),
            update_mask: None,
        };
        let dead = world.pull_from(DEAD_SUBSCRIPTION, 10, true).await.unwrap();
        assert!(dead.is_empty(), "one grant is missing");
        world.policies.set_iam_policy(request).await.unwrap();
    }
    assert_eq!(attempts(&mut world).await.len(), 1, "it had failed enough");
    let dead = world.pull_from(DEAD_SUBSCRIPTION, 10, true).await.unwrap();
    assert_eq!(all_data(&dead), ["a"]);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_failed_message_waits_as_the_retry_policy_says() {
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let retry_policy = Some(wire::RetryPolicy {
        minimum_backoff: seconds(10),
        maximum_backoff: seconds(30),
    });
    let mut world = world(wire::Subscription {
        retry_policy,
        ..plain()
    })
    .await;
    world.publish_all(&["a"]).await;
    for wait in [10, 20, 30, 30] {
        let received = world.pull().await;
        world.extend(ack_ids(&received), 0).await.unwrap();
        world.advance(wait - 1);
        assert!(world.pull().await.is_empty(), "{wait}");
        world.advance(1);
    }
    assert_eq!(world.pull().await.len(), 1);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_detached_subscription_and_a_deleted_one_have_nothing() {
    let mut world = world(plain()).await;
    world.publish_all(&["a"]).await;
    let mut pull = world.stream(first()).await.unwrap();
    let detach = wire::DetachSubscriptionRequest {
        subscription: SUBSCRIPTION.to_owned(),
    };
    world.publisher.detach_subscription(detach).await.unwrap();
    assert_eq!(pull.end().await.code(), Code::FailedPrecondition);
    let pulled = world.pull_from(SUBSCRIPTION, 1, true).await.unwrap_err();
    assert_eq!(pulled.code(), Code::FailedPrecondition);
    let deletion = |name: &str| wire::DeleteSubscriptionRequest {
        subscription: name.to_owned(),
    };
    let mut pull = world
        .stream(wire::StreamingPullRequest {
            subscription: DEAD_SUBSCRIPTION.to_owned(),
            ..first()
        })
        .await
        .unwrap();
    let deleted = world
        .subscriber
        .delete_subscription(deletion(DEAD_SUBSCRIPTION));
    deleted.await.unwrap();
    assert_eq!(pull.end().await.code(), Code::NotFound);
    world.emulator.stop().await;
}
