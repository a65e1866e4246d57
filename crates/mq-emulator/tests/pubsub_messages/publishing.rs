//! What may be published, and who gets it.

use super::*;

#[tokio::test]
async fn a_message_comes_as_it_was_published() {
    let mut world = world(plain()).await;
    let message = wire::PubsubMessage {
        data: vec![0, 0xff, 7],
        ordering_key: "k".to_owned(),
        ..tagged("", "tier", "gold ✓")
    };
    let ids = world.publish(vec![message, text("b")]).await;
    assert_eq!(
        ids.unwrap_err().code(),
        Code::InvalidArgument,
        "two ordering keys"
    );
    let message = wire::PubsubMessage {
        data: vec![0, 0xff, 7],
        message_id: "mine".to_owned(),
        ..tagged("", "tier", "gold ✓")
    };
    let ids = world.publish(vec![message, text("b")]).await.unwrap();
    let received = world.pull().await;
    assert_eq!(received.len(), 2);
    let message = received[0].message.as_ref().unwrap();
    assert_eq!(message.data, [0, 0xff, 7]);
    assert_eq!(message.attributes["tier"], "gold ✓");
    assert_eq!(message.message_id, ids[0]);
    assert_ne!(ids[0], ids[1]);
    assert!(message.publish_time.unwrap().seconds > 0);
    assert_eq!(received[0].delivery_attempt, 0, "no dead-letter policy");
    assert!(world.pull().await.is_empty(), "it is leased");
    world.emulator.stop().await;
}

#[tokio::test]
async fn what_breaks_a_bound_is_refused_and_nothing_of_its_request_is_published() {
    let mut world = world(plain()).await;
    let many = (0..101).map(|number| (number.to_string(), String::new()));
    let key = "k".repeat(257);
    let value = "v".repeat(1_025);
    for bad in [
        wire::PubsubMessage::default(),
        wire::PubsubMessage {
            attributes: many.collect(),
            ..text("x")
        },
        tagged("x", &key, "v"),
        tagged("x", "", "v"),
        tagged("x", "googclient", "v"),
        tagged("x", "k", &value),
        keyed("x", &"k".repeat(1_025)),
        text(&"x".repeat(10_000_000)),
    ] {
        let refused = world.publish(vec![text("good"), bad]).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    let none = world.publish(Vec::new()).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    let too_many = world.publish(vec![text("x"); 1_001]).await.unwrap_err();
    assert_eq!(too_many.code(), Code::InvalidArgument);
    assert!(world.pull().await.is_empty());

    let largest = text(&"x".repeat(9_999_900));
    world.publish(vec![largest]).await.unwrap();
    let edge = wire::PubsubMessage {
        attributes: (0..100)
            .map(|number| (format!("{number:0>256}"), "v".repeat(1_024)))
            .collect(),
        ordering_key: "k".repeat(1_024),
        ..text("")
    };
    world.publish(vec![edge]).await.unwrap();
    let sizes: Vec<usize> = world.pull().await.iter().map(|it| data(it).len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 9_999_900);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_not_found() {
    let mut world = world(plain()).await;
    let request = wire::PublishRequest {
        topic: "projects/acme/topics/none".to_owned(),
        messages: vec![text("x")],
    };
    let refused = world.publisher.publish(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let pulled = world.pull_from("projects/acme/subscriptions/none", 1, true);
    assert_eq!(pulled.await.unwrap_err().code(), Code::NotFound);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_filter_takes_its_own_and_a_bad_one_is_refused() {
    let filter = "attributes.kind = \"a\" OR hasPrefix(attributes.kind, \"ab\")";
    let subscription = wire::Subscription {
        filter: filter.to_owned(),
        ..plain()
    };
    let mut world = world(subscription).await;
    let messages = ["a", "b", "abc", "c"]
        .iter()
        .map(|kind| tagged(kind, "kind", kind));
    world.publish(messages.collect()).await.unwrap();
    world.publish_all(&["none"]).await;
    assert_eq!(all_data(&world.pull().await), ["a", "abc"]);
    let bad = wire::Subscription {
        name: "projects/acme/subscriptions/bad".to_owned(),
        filter: "kind = a".to_owned(),
        ..plain()
    };
    let refused = world.subscriber.create_subscription(bad).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("filter"), "{refused}");
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_subscription_gets_what_is_published_after_it_was_made() {
    let mut world = world(plain()).await;
    world.publish_all(&["early"]).await;
    let name = "projects/acme/subscriptions/late";
    let late = wire::Subscription {
        name: name.to_owned(),
        ..plain()
    };
    world.subscriber.create_subscription(late).await.unwrap();
    world.publish_all(&["both"]).await;
    let late = world.pull_from(name, 10, true).await.unwrap();
    assert_eq!(all_data(&late), ["both"]);
    assert_eq!(all_data(&world.pull().await), ["early", "both"]);
    world.emulator.stop().await;
}
