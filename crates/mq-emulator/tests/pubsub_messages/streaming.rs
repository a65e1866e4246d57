//! Streams: flow control, heartbeats, many at a time, and how they end.

use super::*;

#[tokio::test]
async fn messages_come_as_they_arrive_and_are_settled_in_the_stream() {
    let mut world = world(plain()).await;
    let mut pull = world.stream(first()).await.unwrap();
    world.publish_all(&["a"]).await;
    let received = pull.messages(1).await;
    assert_eq!(all_data(&received), ["a"]);
    pull.extend(ack_ids(&received), 0).await;
    let again = pull.messages(1).await;
    pull.ack(ack_ids(&again)).await;
    world.publish_all(&["b"]).await;
    assert_eq!(all_data(&pull.messages(1).await), ["b"]);
    world.advance(10);
    assert_eq!(all_data(&pull.messages(1).await), ["b"], "the lease ended");
    world.emulator.stop().await;
}

#[tokio::test]
async fn no_more_goes_out_than_the_client_wants() {
    let mut world = world(plain()).await;
    world.publish_all(&["a", "b", "c", "d"]).await;
    let mut pull = world
        .stream(wire::StreamingPullRequest {
            max_outstanding_messages: 2,
            protocol_version: 1,
            ..first()
        })
        .await
        .unwrap();
    let received = pull.messages(2).await;
    assert_eq!(all_data(&received), ["a", "b"]);
    pull.settled().await;
    // By request, in the stream, and by the end of the lease.
    world.ack(vec![received[0].ack_id.clone()]).await.unwrap();
    let third = pull.messages(1).await;
    assert_eq!(all_data(&third), ["c"]);
    pull.settled().await;
    pull.ack(vec![third[0].ack_id.clone()]).await;
    assert_eq!(all_data(&pull.messages(1).await), ["d"]);
    pull.settled().await;
    world.advance(10);
    assert_eq!(all_data(&pull.messages(2).await), ["b", "d"]);
    world.emulator.stop().await;
}

#[tokio::test]
async fn no_more_bytes_go_out_than_the_client_wants() {
    let mut world = world(plain()).await;
    let kilo = "x".repeat(1_000);
    world.publish_all(&[&kilo, &kilo, &kilo]).await;
    let mut pull = world
        .stream(wire::StreamingPullRequest {
            max_outstanding_bytes: 1_500,
            protocol_version: 1,
            ..first()
        })
        .await
        .unwrap();
    let received = pull.messages(2).await;
    assert_eq!(received.len(), 2, "the second goes beyond");
    pull.settled().await;
    pull.ack(ack_ids(&received)).await;
    assert_eq!(pull.messages(1).await.len(), 1);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_stream_that_dies_loses_nothing() {
    let mut world = world(plain()).await;
    let all: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let messages = all.iter().map(|data| text(data)).collect();
    world.publish(messages).await.unwrap();
    let mut dying = world.stream(first()).await.unwrap();
    dying.messages(1).await;
    drop(dying);
    // The server may not have seen yet that it is dead, and send it more: that comes back too.
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < all.len() {
        world.advance(10);
        let received = world.pull().await;
        seen.extend(all_data(&received));
        if !received.is_empty() {
            world.ack(ack_ids(&received)).await.unwrap();
        }
    }
    world.emulator.stop().await;
}

#[tokio::test]
async fn many_streams_share_what_there_is() {
    let mut world = world(plain()).await;
    let mut tasks = tokio::task::JoinSet::new();
    let (found, mut all) = mpsc::unbounded_channel();
    for _ in 0..50 {
        let mut pull = world.stream(first()).await.unwrap();
        let found = found.clone();
        tasks.spawn(async move {
            while let Ok(response) = pull.response().await {
                pull.ack(ack_ids(&response.received_messages)).await;
                for message in &response.received_messages {
                    found.send(data(message)).unwrap();
                }
            }
        });
    }
    for number in 0..200 {
        world.publish_all(&[&number.to_string()]).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let one = tokio::time::timeout(HANG, all.recv()).await.unwrap();
        assert!(seen.insert(one.unwrap()), "one came twice");
    }
    world.emulator.stop().await;
    while tasks.join_next().await.is_some() {}
}

#[tokio::test]
async fn a_stream_ends_unavailable_when_the_emulator_stops() {
    let mut world = world(plain()).await;
    let mut idle = world.stream(first()).await.unwrap();
    let mut full = world
        .stream(wire::StreamingPullRequest {
            max_outstanding_messages: 1,
            ..first()
        })
        .await
        .unwrap();
    world.publish_all(&["a", "b", "c"]).await;
    let request = wire::PullRequest {
        subscription: DEAD_SUBSCRIPTION.to_owned(),
        max_messages: 1,
        ..Default::default()
    };
    let mut subscriber = world.subscriber.clone();
    let waiting = tokio::spawn(async move { subscriber.pull(request).await });
    idle.response().await.unwrap();
    full.response().await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(4), world.emulator.stop());
    stopped.await.expect("streams do not hold it up");
    assert_eq!(idle.end().await.code(), Code::Unavailable);
    assert_eq!(full.end().await.code(), Code::Unavailable);
    // It may have come to its end before it was told.
    if let Err(status) = waiting.await.unwrap() {
        assert_eq!(status.code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn what_a_stream_may_not_begin_with_ends_it() {
    let mut world = world(plain()).await;
    let none = "projects/acme/subscriptions/none".to_owned();
    for (request, code) in [
        (wire::StreamingPullRequest::default(), Code::InvalidArgument),
        (
            wire::StreamingPullRequest {
                subscription: none,
                ..first()
            },
            Code::NotFound,
        ),
        (
            wire::StreamingPullRequest {
                stream_ack_deadline_seconds: 9,
                ..first()
            },
            Code::InvalidArgument,
        ),
        (
            wire::StreamingPullRequest {
                stream_ack_deadline_seconds: 601,
                ..first()
            },
            Code::InvalidArgument,
        ),
        (
            wire::StreamingPullRequest {
                ack_ids: vec!["malformed".to_owned()],
                ..first()
            },
            Code::InvalidArgument,
        ),
    ] {
        let refused = world.refused(request).await;
        assert_eq!(refused.code(), code, "{refused}");
    }
    world.emulator.stop().await;
}

#[tokio::test]
async fn what_a_stream_may_not_say_later_ends_it() {
    let mut world = world(plain()).await;
    let nothing = wire::StreamingPullRequest::default;
    for later in [
        wire::StreamingPullRequest {
            subscription: SUBSCRIPTION.to_owned(),
            ..nothing()
        },
        wire::StreamingPullRequest {
            max_outstanding_messages: 5,
            ..nothing()
        },
        wire::StreamingPullRequest {
            max_outstanding_bytes: 5,
            ..nothing()
        },
        wire::StreamingPullRequest {
            protocol_version: 1,
            ..nothing()
        },
        wire::StreamingPullRequest {
            modify_deadline_seconds: vec![1],
            ..nothing()
        },
        wire::StreamingPullRequest {
            modify_deadline_seconds: vec![-1],
            modify_deadline_ack_ids: vec!["x".to_owned()],
            ..nothing()
        },
        wire::StreamingPullRequest {
            stream_ack_deadline_seconds: 5,
            ..nothing()
        },
    ] {
        let mut pull = world.stream(first()).await.unwrap();
        pull.say(later.clone()).await;
        assert_eq!(pull.end().await.code(), Code::InvalidArgument, "{later:?}");
    }
    world.emulator.stop().await;
}

#[tokio::test]
async fn absurd_flow_control_is_as_none() {
    let mut world = world(plain()).await;
    for (messages, bytes) in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, -1)] {
        let mut pull = world
            .stream(wire::StreamingPullRequest {
                max_outstanding_messages: messages,
                max_outstanding_bytes: bytes,
                ..first()
            })
            .await
            .unwrap();
        world.publish_all(&["a", "b"]).await;
        let received = pull.messages(2).await;
        assert_eq!(received.len(), 2);
        world.ack(ack_ids(&received)).await.unwrap();
    }
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_later_deadline_counts_from_then_on() {
    let mut world = world(plain()).await;
    let mut pull = world
        .stream(wire::StreamingPullRequest {
            protocol_version: 1,
            ..first()
        })
        .await
        .unwrap();
    pull.response().await.unwrap();
    pull.say(wire::StreamingPullRequest {
        stream_ack_deadline_seconds: 60,
        ..Default::default()
    })
    .await;
    pull.settled().await;
    world.publish_all(&["a"]).await;
    pull.messages(1).await;
    world.advance(59);
    pull.settled().await;
    world.advance(1);
    assert_eq!(pull.messages(1).await.len(), 1);
    world.emulator.stop().await;
}
