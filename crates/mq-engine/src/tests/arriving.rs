//! Sent, delayed, scheduled, known already, refused, forwarded, fanned out.

use super::desk::{
    Desk, QUEUE, SUBSCRIPTION, TOPIC, bodies, dead, grouped, id, message, seconds, settings,
};
use super::world;
use crate::{
    Denied, Engine, EntityId, NewMessage, Operation, Outcome, Place, Reason, Service, Settings,
    Start, Timestamp,
};

fn starting(body: &str, start: Start) -> NewMessage {
    NewMessage {
        start,
        ..message(body)
    }
}

fn named(body: &str, name: &str) -> NewMessage {
    NewMessage {
        duplicate_id: Some(name.to_owned()),
        ..grouped(body, "g")
    }
}

#[test]
fn a_messages_own_delay_goes_before_that_of_the_queue() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            delay: seconds(5),
            ..settings()
        },
    );
    desk.send(&queue, message("usual"));
    desk.send(&queue, starting("own", Start::After(seconds(2))));
    desk.send(&queue, starting("none", Start::After(seconds(0))));
    assert_eq!(desk.counts(&queue).delayed, 2);
    assert_eq!(bodies(&desk.receive(&queue, 9)), ["none"]);
    desk.pass(1_999);
    assert_eq!(desk.receive(&queue, 9), []);
    desk.pass(1);
    assert_eq!(bodies(&desk.receive(&queue, 9)), ["own"]);
    desk.pass(3_000);
    assert_eq!(bodies(&desk.receive(&queue, 9)), ["usual"]);
}

#[test]
fn a_scheduled_message_gets_a_new_number_and_its_life_begins_when_its_time_comes() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    let at = Start::At(Timestamp(5_000));
    let sent = desk.send(&queue, starting("later", at));
    let gone = desk.send(&queue, starting("never", at));
    desk.send(&queue, message("now"));
    let cancel = Operation::Cancel {
        to: queue.clone(),
        sequences: vec![gone.sequence],
    };
    assert_eq!(desk.perform(cancel.clone()), Ok(Outcome::Done));
    assert_eq!(desk.perform(cancel), Err(Denied::NoMessage(gone.sequence)));
    let now = desk.receive(&queue, 9);
    assert_eq!(bodies(&now), ["now"]);
    desk.pass(5_000);
    let later = desk.receive(&queue, 9);
    assert_eq!(bodies(&later), ["later"]);
    assert!(later[0].receipt.sequence > now[0].receipt.sequence);
    assert_ne!(later[0].receipt.sequence, sent.sequence);
    assert_eq!(later[0].id, sent.id);
    assert_eq!(later[0].expires, Timestamp(1_005_000));
}

#[test]
fn a_duplicate_is_one_until_the_window_ends_and_does_not_lengthen_it() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            ordered: true,
            duplicate_window: Some(seconds(300)),
            ..settings()
        },
    );
    let first = desk.send(&queue, named("a", "x"));
    let receipt = desk.receive(&queue, 1)[0].receipt;
    desk.ack(&queue, receipt);
    desk.pass(299_999);
    let second = desk.send(&queue, named("b", "x"));
    assert!(second.duplicate);
    assert_eq!((second.id, second.sequence), (first.id, first.sequence));
    assert_eq!(desk.counts(&queue).visible, 0);
    desk.pass(1);
    assert!(!desk.send(&queue, named("c", "x")).duplicate);
    assert_eq!(desk.counts(&queue).visible, 1);
}

#[test]
fn duplicates_are_told_apart_by_group_only_where_that_is_wanted() {
    for duplicates_per_group in [false, true] {
        let queue = id(Service::Sqs, QUEUE, "q");
        let mut desk = Desk::new();
        desk.make(
            &queue,
            Settings {
                ordered: true,
                duplicates_per_group,
                duplicate_window: Some(seconds(300)),
                ..settings()
            },
        );
        desk.send(&queue, named("a", "x"));
        let other = NewMessage {
            group: Some("h".to_owned()),
            ..named("a", "x")
        };
        assert_eq!(desk.send(&queue, other).duplicate, !duplicates_per_group);
        assert!(desk.send(&queue, named("a", "x")).duplicate);
    }
}

fn send(to: &EntityId, messages: Vec<NewMessage>, whole: bool) -> Operation {
    Operation::Send {
        to: to.clone(),
        messages,
        whole,
    }
}

#[test]
fn memory_is_bounded_and_given_back_to_the_last_byte() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::with(Engine::new().with_memory_max(1_000));
    desk.make(&queue, settings());
    desk.send(&queue, message("0123456789"));
    desk.send(&queue, message("0123456789"));
    assert_eq!(desk.engine.memory_held(), 660);
    let full = Denied::MemoryFull {
        held: 660,
        max: 1_000,
    };
    let large = message(&"x".repeat(21));
    assert_eq!(desk.try_send(&queue, large), Err(full));
    desk.send(&queue, message(&"x".repeat(20)));
    assert_eq!(desk.engine.memory_held(), 1_000);
    for delivery in desk.receive(&queue, 9) {
        desk.ack(&queue, delivery.receipt);
    }
    assert_eq!(desk.engine.memory_held(), 0);
}

#[test]
fn a_full_entity_refuses_and_a_whole_batch_goes_in_whole_or_not_at_all() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            bytes_max: Some(10),
            ..settings()
        },
    );
    let batch = || vec![message("123456"), message("78901")];
    let full = Denied::EntityFull { held: 0, max: 10 };
    let whole = desk.perform(send(&queue, batch(), true));
    assert_eq!(whole, Err(full));
    assert_eq!(desk.counts(&queue).visible, 0);
    let Ok(Outcome::Sent(each)) = desk.perform(send(&queue, batch(), false)) else {
        panic!("refused");
    };
    assert!(each[0].is_ok());
    assert_eq!(each[1], Err(Denied::EntityFull { held: 6, max: 10 }));
    // Dead letters take their place too.
    let receipt = desk.receive(&queue, 1)[0].receipt;
    let bury = crate::Settle::DeadLetter {
        reason: None,
        description: None,
        properties: None,
    };
    desk.settle(&queue, receipt, bury);
    assert!(desk.try_send(&queue, message("78901")).is_err());
    desk.perform(Operation::Purge { at: dead(&queue) }).unwrap();
    assert!(desk.try_send(&queue, message("78901")).is_ok());
}

#[test]
fn subscriptions_share_the_body_and_have_their_own_fate() {
    let topic = id(Service::PubSub, TOPIC, "t");
    let names = ["a", "b", "c"].map(|name| id(Service::PubSub, SUBSCRIPTION, name));
    let mut desk = Desk::new();
    desk.make(&topic, Settings::default());
    desk.send(&topic, message("nobody hears this"));
    assert_eq!(desk.engine.memory_held(), 0);
    for name in &names {
        desk.make(
            name,
            Settings {
                topic: Some(topic.clone()),
                ..settings()
            },
        );
    }
    let body = "x".repeat(1_000);
    desk.send(&topic, message(&body));
    assert_eq!(desk.engine.memory_held(), 1_000 + 3 * 320);
    let got: Vec<_> = names
        .iter()
        .map(|name| desk.receive(name, 1).remove(0))
        .collect();
    assert!(
        got.windows(2)
            .all(|two| two[0].body.as_ptr() == two[1].body.as_ptr())
    );
    assert!(got.windows(2).all(|two| two[0].id == two[1].id));
    desk.ack(&names[0], got[0].receipt);
    assert_eq!(desk.engine.memory_held(), 1_000 + 2 * 320);
    let subscribers: Vec<_> = desk.engine.subscriptions(&topic).collect();
    assert_eq!(subscribers.len(), 3);
    desk.delete(&topic);
    assert_eq!(desk.counts(&names[1]).leased, 1);
    assert_eq!(desk.engine.subscriptions(&topic).count(), 0);
    for name in &names {
        desk.delete(name);
    }
    assert_eq!(desk.engine.memory_held(), 0);
}

#[test]
fn an_update_that_takes_the_topic_away_drops_the_backlog() {
    let topic = id(Service::PubSub, TOPIC, "t");
    let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
    let mut desk = Desk::new();
    desk.make(&topic, Settings::default());
    let attached = Settings {
        topic: Some(topic.clone()),
        ..settings()
    };
    desk.make(&subscription, attached.clone());
    desk.send(&topic, message("a"));
    desk.change(&subscription, settings());
    assert_eq!(desk.counts(&subscription).visible, 0);
    desk.send(&topic, message("b"));
    assert_eq!(desk.receive(&subscription, 1), []);
    desk.change(&subscription, attached);
    desk.send(&topic, message("c"));
    assert_eq!(bodies(&desk.receive(&subscription, 9)), ["c"]);
}

#[test]
fn forwarding_goes_on_until_it_may_not() {
    let mut desk = Desk::new();
    let queue = |name: &str| id(Service::ServiceBus, QUEUE, name);
    for number in 0..6 {
        let target = (number < 5).then(|| queue(&format!("q{}", number + 1)));
        desk.make(
            &queue(&format!("q{number}")),
            Settings {
                forward_to: target,
                ..settings()
            },
        );
    }
    let sent = desk.send(&queue("q1"), message("four"));
    let got = desk.receive(&queue("q5"), 1);
    assert_eq!(bodies(&got), ["four"]);
    let origin = got[0].origin.clone().unwrap();
    assert_eq!(
        (origin.source.id, origin.sequence),
        (queue("q1"), sent.sequence)
    );
    desk.send(&queue("q0"), message("five"));
    assert_eq!(desk.receive(&queue("q5"), 1), []);
    let stuck = desk.receive_dead(&queue("q4"));
    assert_eq!(bodies(&stuck), ["five"]);
    assert_eq!(
        stuck[0].origin.as_ref().unwrap().reason,
        Reason::ForwardFailed
    );
}

#[test]
fn subscriptions_that_forward_to_their_own_topic_do_not_multiply_without_end() {
    let topic = id(Service::ServiceBus, TOPIC, "t");
    let mut desk = Desk::new();
    desk.make(&topic, Settings::default());
    for number in 0..200 {
        desk.make(
            &id(Service::ServiceBus, SUBSCRIPTION, &number.to_string()),
            Settings {
                topic: Some(topic.clone()),
                forward_to: Some(topic.clone()),
                ..settings()
            },
        );
    }
    desk.send(&topic, message("x"));
    let one = id(Service::ServiceBus, SUBSCRIPTION, "7");
    assert_eq!(desk.counts(&one).dead, 1);
    assert_eq!(desk.engine.memory_held(), 1 + 200 * 320);
}

#[test]
fn a_filter_sees_what_comes_at_any_time_and_may_rewrite_it() {
    let (engine, known) = world::build(u64::MAX);
    let mut desk = Desk::with(engine);
    desk.now = world::START;
    let find = |name: &str, service: Service| {
        let one = known
            .iter()
            .find(|one| one.id.name == name && one.id.service == service);
        one.unwrap().id.clone()
    };
    let topic = find("topic", Service::ServiceBus);
    // Only when its time comes does it go to the subscriptions.
    let at = Start::At(Timestamp(desk.now + 1_000));
    let scheduled = NewMessage {
        group: Some("g".to_owned()),
        ..starting("a", at)
    };
    desk.send(&topic, scheduled);
    assert_eq!(desk.engine.counts(&topic).unwrap().delayed, 1);
    desk.pass(1_000);
    let subscription = Place::from(id_of(&known, "sessions", SUBSCRIPTION));
    let peeked = desk.engine.peek(&subscription, 0, 10, None);
    let properties: Vec<_> = peeked.iter().map(|one| one.properties.clone()).collect();
    assert_eq!(properties, ["one", "another"]);
    assert_eq!(
        desk.engine
            .counts(&find("target", Service::ServiceBus))
            .unwrap()
            .visible,
        1
    );
    // Odd bodies do not pass; 'b' is even and does.
    let keeping = find("keeping", Service::PubSub);
    for body in ["a", "b"] {
        desk.send(&find("topic", Service::PubSub), message(body));
    }
    assert_eq!(bodies(&desk.receive(&keeping, 9)), ["b"]);
}

fn id_of(known: &[world::Known], name: &str, kind: crate::EntityKind) -> EntityId {
    let one = known
        .iter()
        .find(|one| one.id.name == name && one.id.kind == kind);
    one.unwrap().id.clone()
}

#[test]
fn the_wrong_kind_of_entity_is_told_apart_from_none() {
    let topic = id(Service::PubSub, TOPIC, "t");
    let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
    let mut desk = Desk::new();
    desk.make(&topic, Settings::default());
    let none = desk.try_send(&id(Service::PubSub, TOPIC, "none"), message("a"));
    assert_eq!(none, Err(Denied::NotFound));
    let wrong = desk.try_send(&subscription, message("a"));
    assert_eq!(wrong, Err(Denied::WrongKind));
    let from = Place::from(topic);
    let wrong = desk.try_receive(&from, crate::Receive::default());
    assert_eq!(wrong, Err(Denied::WrongKind));
}
