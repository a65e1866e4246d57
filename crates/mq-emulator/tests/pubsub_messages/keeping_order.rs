//! Ordering keys.

use super::*;

fn ordered() -> wire::Subscription {
    wire::Subscription {
        enable_message_ordering: true,
        ..plain()
    }
}

#[tokio::test]
async fn when_one_fails_the_rest_of_its_key_comes_again() {
    let mut world = world(ordered()).await;
    for (data, key) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a")] {
        world.publish(vec![keyed(data, key)]).await.unwrap();
    }
    let received = world.pull().await;
    assert_eq!(all_data(&received), ["a1", "b1", "a2", "a3"]);
    let ids = ack_ids(&received);
    // The last one is acked, and comes again all the same: one before it failed.
    world
        .ack(vec![ids[0].clone(), ids[1].clone(), ids[3].clone()])
        .await
        .unwrap();
    world.extend(vec![ids[2].clone()], 0).await.unwrap();
    let again = world.pull().await;
    assert_eq!(all_data(&again), ["a2", "a3"]);
    world.ack(ack_ids(&again)).await.unwrap();
    world.advance(600);
    assert!(world.pull().await.is_empty());
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_key_goes_on_to_the_stream_that_has_it() {
    let mut world = world(ordered()).await;
    world.publish(vec![keyed("a1", "a")]).await.unwrap();
    let mut one = world.stream(first()).await.unwrap();
    let held = one.messages(1).await;
    let mut two = world.stream(first()).await.unwrap();
    world.publish(vec![keyed("a2", "a")]).await.unwrap();
    world.publish(vec![keyed("b1", "b")]).await.unwrap();
    let mut seen = one.messages(1).await;
    assert_eq!(all_data(&seen), ["a2"]);
    // The other key goes to whoever comes first.
    let other = tokio::select! {
        other = one.messages(1) => other,
        other = two.messages(1) => other,
    };
    assert_eq!(all_data(&other), ["b1"]);
    seen.extend(held);
    one.ack(ack_ids(&seen)).await;
    drop(one);
    world.publish(vec![keyed("c1", "c")]).await.unwrap();
    assert_eq!(all_data(&two.messages(1).await), ["c1"]);
    world.emulator.stop().await;
}

#[tokio::test]
async fn a_thousand_messages_of_ten_keys_come_in_order_to_two_streams() {
    let mut world = world(ordered()).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(world.stream(first()).await.unwrap());
    }
    for number in 0..100 {
        for key in 0..10 {
            let message = keyed(&format!("{number}"), &format!("{key}"));
            world.publish(vec![message]).await.unwrap();
        }
    }
    let mut seen: Vec<Vec<u32>> = vec![Vec::new(); 10];
    let [one, two] = &mut streams[..] else {
        panic!("two streams");
    };
    while seen.iter().map(Vec::len).sum::<usize>() < 1_000 {
        let (messages, stream) = tokio::select! {
            messages = one.messages(1) => (messages, &*one),
            messages = two.messages(1) => (messages, &*two),
        };
        for message in &messages {
            let key = &message.message.as_ref().unwrap().ordering_key;
            let key: usize = key.parse().unwrap();
            seen[key].push(data(message).parse().unwrap());
        }
        stream.ack(ack_ids(&messages)).await;
    }
    let wanted: Vec<u32> = (0..100).collect();
    for (key, numbers) in seen.iter().enumerate() {
        assert_eq!(*numbers, wanted, "key {key}");
    }
    world.emulator.stop().await;
}
