//! How often is too often, and where a message goes then.

use super::desk::{
    Desk, QUEUE, SUBSCRIPTION, TOPIC, bodies, dead, done, grouped, id, message, seconds, settings,
};
use crate::{Denied, NewMessage, Operation, Reason, Service, Settings, Settle, Timestamp};

/// A queue or subscription whose messages are handed out three times at most, with where to send
/// to and where dead letters can be received.
fn failing(desk: &mut Desk, service: Service) -> [crate::EntityId; 3] {
    let limited = Settings {
        max_deliveries: Some(3),
        ..settings()
    };
    if service != Service::PubSub {
        let (queue, target) = (id(service, QUEUE, "q"), id(service, QUEUE, "dead"));
        desk.make(&target, settings());
        desk.make(
            &queue,
            Settings {
                dead_letter: Some(target.clone()),
                ..limited
            },
        );
        return [queue.clone(), queue, target];
    }
    let (topic, target) = (id(service, TOPIC, "t"), id(service, TOPIC, "dead"));
    let subscription = id(service, SUBSCRIPTION, "s");
    let graveyard = id(service, SUBSCRIPTION, "dead-s");
    desk.make(&topic, Settings::default());
    desk.make(&target, Settings::default());
    desk.make(
        &graveyard,
        Settings {
            topic: Some(target.clone()),
            ..settings()
        },
    );
    desk.make(
        &subscription,
        Settings {
            topic: Some(topic.clone()),
            dead_letter: Some(target),
            ..limited
        },
    );
    [topic, subscription, graveyard]
}

#[test]
fn who_always_fails_sees_a_message_exactly_as_often_as_stated() {
    for service in [Service::Sqs, Service::ServiceBus, Service::PubSub] {
        for by_nack in [true, false] {
            let mut desk = Desk::new();
            let [to, from, graveyard] = failing(&mut desk, service);
            desk.send(&to, message("poison"));
            let mut seen = Vec::new();
            for _ in 0..6 {
                for delivery in desk.receive(&from, 10) {
                    seen.push(delivery.delivery_count);
                    if by_nack {
                        desk.nack(&from, delivery.receipt);
                    }
                }
                desk.pass(10_000);
            }
            assert_eq!(seen, [1, 2, 3], "{service:?}, by nack: {by_nack}");
            let found = desk.receive(&graveyard, 10);
            assert_eq!(bodies(&found), ["poison"], "{service:?}");
            let origin = found[0].origin.clone().unwrap();
            assert_eq!(origin.reason, Reason::MaxDeliveries);
            assert_eq!((origin.delivery_count, origin.source.id), (3, from.clone()));
            assert_eq!(desk.counts(&from), crate::Counts::default());
        }
    }
}

#[test]
fn sqs_moves_at_the_next_receive_and_the_others_at_the_last_failure() {
    for service in [Service::Sqs, Service::ServiceBus, Service::PubSub] {
        let mut desk = Desk::new();
        let [to, from, graveyard] = failing(&mut desk, service);
        desk.send(&to, message("poison"));
        for _ in 0..3 {
            let receipt = desk.receive(&from, 1)[0].receipt;
            desk.nack(&from, receipt);
        }
        let at_once = u64::from(service != Service::Sqs);
        assert_eq!(desk.counts(&graveyard).visible, at_once, "{service:?}");
        assert_eq!(desk.receive(&from, 1), []);
        assert_eq!(desk.counts(&graveyard).visible, 1);
    }
}

#[test]
fn a_dead_letter_of_a_standard_queue_keeps_its_age_and_one_of_a_fifo_queue_does_not() {
    for ordered in [false, true] {
        let mut desk = Desk::new();
        let (queue, target) = (
            id(Service::Sqs, QUEUE, "q"),
            id(Service::Sqs, QUEUE, "dead"),
        );
        let ordered_settings = Settings {
            ordered,
            ..settings()
        };
        desk.make(&target, ordered_settings.clone());
        desk.make(
            &queue,
            Settings {
                max_deliveries: Some(1),
                dead_letter: Some(target.clone()),
                ..ordered_settings
            },
        );
        desk.send(&queue, grouped("a", "g"));
        desk.receive(&queue, 1);
        desk.pass(600_000);
        assert_eq!(desk.receive(&queue, 1), []);
        let sent = if ordered { 600_000 } else { 0 };
        desk.pass(sent + 1_000_000 - 600_000 - 1);
        assert_eq!(desk.counts(&target).visible, 1);
        desk.pass(1);
        assert_eq!(desk.counts(&target).visible, 0, "ordered: {ordered}");
    }
}

#[test]
fn without_a_target_that_is_there_a_message_is_handed_out_without_end() {
    let mut desk = Desk::new();
    let [queue, _, target] = failing(&mut desk, Service::Sqs);
    desk.delete(&target);
    desk.send(&queue, message("a"));
    for count in 1..10 {
        let delivery = desk.receive(&queue, 1).remove(0);
        assert_eq!(delivery.delivery_count, count);
        desk.nack(&queue, delivery.receipt);
    }
}

#[test]
fn a_consumer_can_say_that_a_message_is_dead_and_why() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    let sent = desk.send(&queue, message("a"));
    let receipt = desk.receive(&queue, 1)[0].receipt;
    let bury = || Settle::DeadLetter {
        reason: Some("why".to_owned()),
        description: Some("more".to_owned()),
        properties: None,
    };
    assert!(done(desk.settle(&queue, receipt, bury())));
    assert_eq!(desk.counts(&queue).dead, 1);
    let found = desk.receive_dead(&queue);
    let origin = found[0].origin.clone().unwrap();
    assert_eq!((origin.sequence, origin.id), (sent.sequence, sent.id));
    let Reason::Asked {
        reason,
        description,
    } = origin.reason
    else {
        panic!("{:?}", origin.reason);
    };
    assert_eq!(reason.as_deref(), Some("why"));
    assert_eq!(description.as_deref(), Some("more"));
    let again = desk.perform(Operation::Settle {
        at: dead(&queue),
        receipts: vec![found[0].receipt],
        how: bury(),
    });
    assert_eq!(again, Err(Denied::WrongKind));
}

/// Each buries what has expired in the other, and the message has no time to live at all.
#[test]
fn two_entities_that_bury_in_each_other_do_not_stop_time() {
    let names = ["a", "b"].map(|name| id(Service::ServiceBus, QUEUE, name));
    let mut desk = Desk::new();
    for (name, other) in names.iter().zip(names.iter().rev()) {
        desk.make(
            name,
            Settings {
                retention: Some(seconds(1)),
                dead_letter: Some(other.clone()),
                dead_letter_expired: true,
                ..settings()
            },
        );
    }
    let shortest = NewMessage {
        ttl: Some(seconds(0)),
        ..message("x")
    };
    desk.send(&names[0], shortest);
    assert_eq!(desk.counts(&names[0]).visible, 1);
    desk.pass(1);
    assert_eq!(desk.counts(&names[1]).visible, 1);
    desk.pass(1_000);
    assert_eq!(desk.counts(&names[0]).visible, 1);
    desk.pass(3_600_000);
    let visible = |name| desk.counts(name).visible;
    assert_eq!(visible(&names[0]) + visible(&names[1]), 1);
}

#[test]
fn an_expired_message_is_a_dead_letter_only_where_that_is_wanted_and_never_in_a_consumers_hands() {
    for dead_letter_expired in [false, true] {
        let queue = id(Service::ServiceBus, QUEUE, "q");
        let mut desk = Desk::new();
        desk.make(
            &queue,
            Settings {
                dead_letter_expired,
                ..settings()
            },
        );
        let short = |body| NewMessage {
            ttl: Some(seconds(2)),
            ..message(body)
        };
        desk.send(&queue, short("held"));
        desk.receive(&queue, 1);
        desk.send(&queue, short("waiting"));
        desk.pass(1_999);
        assert_eq!(desk.counts(&queue).visible, 1);
        desk.pass(1);
        let dead = u64::from(dead_letter_expired);
        assert_eq!(desk.counts(&queue).visible, 0);
        assert_eq!(
            (desk.counts(&queue).leased, desk.counts(&queue).dead),
            (1, dead)
        );
        desk.pass(8_000);
        assert_eq!(desk.counts(&queue).leased, 0);
        assert_eq!(desk.counts(&queue).dead, 2 * dead);
        if dead_letter_expired {
            let found = desk.receive_dead(&queue);
            assert_eq!(bodies(&found), ["waiting", "held"]);
            assert_eq!(found[0].origin.as_ref().unwrap().reason, Reason::Expired);
            // Dead letters stay.
            assert_eq!(found[0].expires, Timestamp::FOREVER);
        }
    }
}
