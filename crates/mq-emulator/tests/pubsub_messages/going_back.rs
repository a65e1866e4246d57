//! Retention, seeks and snapshots.

use super::*;

fn retaining() -> wire::Subscription {
    wire::Subscription {
        retain_acked_messages: true,
        ..plain()
    }
}

impl World {
    async fn seek(&mut self, target: wire::seek_request::Target) -> Result<(), Status> {
        let request = wire::SeekRequest {
            subscription: SUBSCRIPTION.to_owned(),
            target: Some(target),
        };
        self.subscriber.seek(request).await.map(|_| ())
    }

    async fn seek_to(&mut self, time: prost_types::Timestamp) {
        let target = wire::seek_request::Target::Time(time);
        self.seek(target).await.expect("a seek");
    }

    async fn snapshot(&mut self) -> Result<wire::Snapshot, Status> {
        let request = wire::CreateSnapshotRequest {
            name: SNAPSHOT.to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..Default::default()
        };
        let made = self.subscriber.create_snapshot(request).await?;
        Ok(made.into_inner())
    }

    /// Acks all that is there, and says when each was published.
    async fn drain(&mut self) -> Vec<prost_types::Timestamp> {
        let received = self.pull().await;
        self.ack(ack_ids(&received)).await.expect("acked");
        let time = |it: &wire::ReceivedMessage| it.message.as_ref()?.publish_time;
        received.iter().filter_map(time).collect()
    }
}

#[tokio::test]
async fn a_seek_back_brings_what_was_acked_and_one_forward_acks() {
    let mut world = world(retaining()).await;
    for data in ["a", "b", "c"] {
        world.publish_all(&[data]).await;
        world.advance(10);
    }
    let times = world.drain().await;
    assert!(world.pull().await.is_empty());
    world.seek_to(times[1]).await;
    let again = world.pull().await;
    assert_eq!(all_data(&again), ["b", "c"]);
    world.extend(ack_ids(&again), 0).await.unwrap();
    let future = prost_types::Timestamp {
        seconds: times[2].seconds + 1_000,
        nanos: 0,
    };
    world.seek_to(future).await;
    assert!(world.pull().await.is_empty());
    // What is published before that time counts as acked too.
    world.publish_all(&["d"]).await;
    assert!(world.pull().await.is_empty());
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_snapshot_brings_back_what_it_saw() {
    let mut world = world(plain()).await;
    world.publish_all(&["a"]).await;
    world.drain().await;
    world.publish_all(&["b"]).await;
    let snapshot = world.snapshot().await.unwrap();
    assert_eq!((snapshot.topic.as_str(), snapshot.labels.len()), (TOPIC, 1));
    let again = world.snapshot().await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    world.publish_all(&["c"]).await;
    world.drain().await;
    let target = || wire::seek_request::Target::Snapshot(SNAPSHOT.to_owned());
    world.seek(target()).await.unwrap();
    assert_eq!(all_data(&world.pull().await), ["b", "c"]);

    let listed = world
        .subscriber
        .list_snapshots(wire::ListSnapshotsRequest {
            project: "projects/acme".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(listed.into_inner().snapshots, [snapshot]);
    let of_topic = world
        .publisher
        .list_topic_snapshots(wire::ListTopicSnapshotsRequest {
            topic: TOPIC.to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(of_topic.into_inner().snapshots, [SNAPSHOT]);
    let deletion = wire::DeleteSnapshotRequest {
        snapshot: SNAPSHOT.to_owned(),
    };
    let deleted = world.subscriber.delete_snapshot(deletion.clone()).await;
    deleted.unwrap();
    let gone = world.subscriber.delete_snapshot(deletion).await;
    assert_eq!(gone.unwrap_err().code(), Code::NotFound);
    let sought = world.seek(target()).await.unwrap_err();
    assert_eq!(sought.code(), Code::NotFound);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_snapshot_s_life_is_shortened_by_the_oldest_message_and_ends() {
    const DAY: u64 = 24 * 3600;
    let month = Some(prost_types::Duration {
        seconds: 2_678_400,
        nanos: 0,
    });
    let mut world = world(wire::Subscription {
        message_retention_duration: month,
        ..plain()
    })
    .await;
    let empty = world.snapshot().await.unwrap().expire_time.unwrap();
    world.publish_all(&["a"]).await;
    world.advance(6 * DAY);
    let get = || wire::GetSnapshotRequest {
        snapshot: SNAPSHOT.to_owned(),
    };
    world.subscriber.get_snapshot(get()).await.unwrap();
    let update = |time| wire::UpdateSnapshotRequest {
        snapshot: Some(wire::Snapshot {
            name: SNAPSHOT.to_owned(),
            expire_time: Some(time),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["expire_time".to_owned()],
        }),
    };
    let earlier = prost_types::Timestamp {
        seconds: empty.seconds - 3600,
        ..empty
    };
    let updated = world.subscriber.update_snapshot(update(earlier)).await;
    let updated = updated.unwrap().into_inner();
    assert_eq!(updated.expire_time, Some(earlier));
    assert_eq!(updated.labels["k"], "v");
    let later = prost_types::Timestamp {
        seconds: empty.seconds + 1,
        ..empty
    };
    let refused = world.subscriber.update_snapshot(update(later)).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    world.advance(DAY);
    let gone = world.subscriber.get_snapshot(get()).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let too_old = world.snapshot().await.unwrap_err();
    assert_eq!(too_old.code(), Code::FailedPrecondition);
    world.emulator.stop().await;
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_gone() {
    let retention = Some(prost_types::Duration {
        seconds: 600,
        nanos: 0,
    });
    let mut world = world(wire::Subscription {
        message_retention_duration: retention,
        ..plain()
    })
    .await;
    world.publish_all(&["a"]).await;
    world.advance(599);
    let received = world.pull().await;
    assert_eq!(received.len(), 1);
    world.extend(ack_ids(&received), 0).await.unwrap();
    world.advance(1);
    assert!(world.pull().await.is_empty());
    world.emulator.stop().await;
}

#[tokio::test]
async fn what_a_topic_retains_can_be_sought_back_to() {
    let mut world = world(plain()).await;
    let update = wire::UpdateTopicRequest {
        topic: Some(wire::Topic {
            name: TOPIC.to_owned(),
            message_retention_duration: Some(prost_types::Duration {
                seconds: 3600,
                nanos: 0,
            }),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["message_retention_duration".to_owned()],
        }),
    };
    world.publisher.update_topic(update).await.unwrap();
    world.publish_all(&["a"]).await;
    let times = world.drain().await;
    world.advance(60);
    world.seek_to(times[0]).await;
    assert_eq!(all_data(&world.pull().await), ["a"]);
    world.emulator.stop().await;
}
