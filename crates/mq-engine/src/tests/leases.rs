//! Handed out, held, given back, settled.

use super::desk::{Desk, QUEUE, SUBSCRIPTION, TOPIC, bodies, done, id, message, seconds, settings};
use crate::{
    Backoff, NotYours, Operation, Outcome, Part, PeekedState, Receive, Service, Settings, Settle,
    Settled, Timestamp,
};

#[test]
fn a_message_is_hidden_for_its_lease_and_back_to_the_millisecond() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let first = desk.receive(&queue, 10);
    assert_eq!(first[0].leased_until, Timestamp(10_000));
    desk.pass(9_999);
    assert_eq!(desk.receive(&queue, 10), []);
    desk.pass(1);
    let second = desk.receive(&queue, 10);
    assert_eq!(bodies(&second), ["a"]);
    assert_eq!((first[0].delivery_count, second[0].delivery_count), (1, 2));
    assert_eq!(second[0].first_received, Timestamp(0));
    assert_ne!(first[0].receipt, second[0].receipt);
}

#[test]
fn a_receive_can_ask_for_its_own_lease_and_an_extend_counts_from_now() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let how = Receive {
        max: 1,
        lease: Some(seconds(2)),
        ..Receive::default()
    };
    let got = desk.try_receive(&queue.clone().into(), how).unwrap();
    desk.pass(1_500);
    let extend = Settle::Extend {
        lease: Some(seconds(3)),
    };
    let settled = desk.settle(&queue, got[0].receipt, extend);
    assert_eq!(settled, Settled::Done(Timestamp(4_500)));
    desk.pass(2_999);
    assert_eq!(desk.receive(&queue, 1), []);
    desk.pass(1);
    assert_eq!(bodies(&desk.receive(&queue, 1)), ["a"]);
}

#[test]
fn a_receive_takes_no_more_bytes_than_it_wants_but_for_the_last_message() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    for body in ["aaaa", "bb", "cc", "d"] {
        desk.send(&queue, message(body));
    }
    for (bytes_max, wanted) in [
        (0, &[][..]),
        (1, &["aaaa"]),
        (3, &["bb", "cc"]),
        (100, &["d"]),
    ] {
        let how = Receive {
            max: 10,
            bytes_max: Some(bytes_max),
            ..Receive::default()
        };
        let got = desk.try_receive(&queue.clone().into(), how).unwrap();
        assert_eq!(bodies(&got), wanted, "{bytes_max}");
    }
}

/// An old receipt of a standard queue deletes as long as it is the newest one.
#[test]
fn a_standard_queue_takes_a_late_receipt_but_not_a_superseded_one() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let first = desk.receive(&queue, 1)[0].receipt;
    desk.pass(10_000);
    let second = desk.receive(&queue, 1)[0].receipt;
    let superseded = Settled::Ignored(NotYours::Superseded);
    assert_eq!(desk.ack(&queue, first), superseded);
    assert_eq!(desk.counts(&queue).leased, 1);
    desk.pass(10_000);
    let extend = Settle::Extend { lease: None };
    let expired = Settled::Refused(NotYours::Expired);
    assert_eq!(desk.settle(&queue, second, extend), expired);
    assert!(done(desk.ack(&queue, second)));
    assert_eq!(desk.ack(&queue, second), Settled::Ignored(NotYours::Gone));
    assert_eq!(desk.counts(&queue).visible, 0);
}

#[test]
fn a_fifo_queue_and_service_bus_refuse_a_late_receipt() {
    for service in [Service::Sqs, Service::ServiceBus] {
        let queue = id(service, QUEUE, "q");
        let mut desk = Desk::new();
        let ordered = service == Service::Sqs;
        desk.make(
            &queue,
            Settings {
                ordered,
                ..settings()
            },
        );
        desk.send(&queue, super::desk::grouped("a", "g"));
        let receipt = desk.receive(&queue, 1)[0].receipt;
        desk.pass(10_000);
        let expired = Settled::Refused(NotYours::Expired);
        assert_eq!(desk.ack(&queue, receipt), expired);
        assert_eq!(desk.counts(&queue).visible, 1);
    }
}

#[test]
fn exactly_once_refuses_what_is_otherwise_ignored() {
    for exactly_once in [false, true] {
        let topic = id(Service::PubSub, TOPIC, "t");
        let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
        let mut desk = Desk::new();
        desk.make(&topic, Settings::default());
        desk.make(
            &subscription,
            Settings {
                topic: Some(topic.clone()),
                exactly_once,
                ..settings()
            },
        );
        desk.send(&topic, message("a"));
        let first = desk.receive(&subscription, 1)[0].receipt;
        desk.pass(10_000);
        let second = desk.receive(&subscription, 1)[0].receipt;
        let stale = desk.ack(&subscription, first);
        assert!(done(desk.ack(&subscription, second)));
        let again = desk.ack(&subscription, second);
        if exactly_once {
            assert_eq!(stale, Settled::Refused(NotYours::Superseded));
            assert_eq!(again, Settled::Refused(NotYours::Gone));
        } else {
            assert_eq!(stale, Settled::Ignored(NotYours::Superseded));
            assert_eq!(again, Settled::Ignored(NotYours::Gone));
        }
    }
}

#[test]
fn retries_wait_twice_as_long_each_time_up_to_a_bound() {
    let topic = id(Service::PubSub, TOPIC, "t");
    let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
    let mut desk = Desk::new();
    desk.make(&topic, Settings::default());
    let retry = Backoff {
        min: seconds(1),
        max: seconds(5),
    };
    desk.make(
        &subscription,
        Settings {
            topic: Some(topic.clone()),
            retry: Some(retry),
            ..settings()
        },
    );
    desk.send(&topic, message("a"));
    for wait in [1_000, 2_000, 4_000, 5_000, 5_000] {
        let receipt = desk.receive(&subscription, 1)[0].receipt;
        desk.nack(&subscription, receipt);
        desk.pass(wait - 1);
        assert_eq!(desk.receive(&subscription, 1), []);
        desk.pass(1);
    }
    assert_eq!(desk.receive(&subscription, 1)[0].delivery_count, 6);
    assert_eq!(retry.after(u32::MAX), seconds(5));
}

#[test]
fn a_nack_with_a_delay_waits_just_that_long() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let receipt = desk.receive(&queue, 1)[0].receipt;
    let nack = Settle::Nack {
        delay: Some(seconds(3)),
        properties: None,
    };
    assert!(done(desk.settle(&queue, receipt, nack)));
    assert_eq!(desk.counts(&queue).delayed, 1);
    desk.pass(2_999);
    assert_eq!(desk.receive(&queue, 1), []);
    desk.pass(1);
    assert_eq!(bodies(&desk.receive(&queue, 1)), ["a"]);
}

#[test]
fn a_deferred_message_is_only_had_by_its_number_and_stays_deferred_when_it_fails() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let got = desk.receive(&queue, 1);
    let how = Settle::Defer { properties: None };
    assert!(done(desk.settle(&queue, got[0].receipt, how)));
    assert_eq!(desk.receive(&queue, 1), []);
    let peeked = desk.engine.peek(&queue.clone().into(), 0, 10, None);
    assert_eq!(peeked[0].state, PeekedState::Deferred);
    let ask = |desk: &mut Desk| {
        desk.perform(Operation::ReceiveDeferred {
            from: queue.clone().into(),
            sequences: vec![got[0].receipt.sequence],
            how: Receive::default(),
        })
    };
    let Ok(Outcome::Received(deliveries)) = ask(&mut desk) else {
        panic!("nothing deferred");
    };
    assert_eq!(deliveries[0].delivery_count, 1);
    assert!(ask(&mut desk).is_err());
    desk.pass(10_000);
    assert_eq!(desk.receive(&queue, 1), []);
    let Ok(Outcome::Received(deliveries)) = ask(&mut desk) else {
        panic!("no longer deferred");
    };
    assert_eq!(deliveries[0].delivery_count, 2);
    assert!(done(desk.ack(&queue, deliveries[0].receipt)));
    assert_eq!(desk.counts(&queue).visible, 0);
}

#[test]
fn a_receive_that_removes_needs_no_settling() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let how = Receive {
        max: 1,
        remove: true,
        ..Receive::default()
    };
    let got = desk.try_receive(&queue.clone().into(), how).unwrap();
    assert_eq!(bodies(&got), ["a"]);
    assert_eq!(desk.engine.memory_held(), 0);
    let refused = Settled::Refused(NotYours::Gone);
    assert_eq!(desk.ack(&queue, got[0].receipt), refused);
}

#[test]
fn an_attempt_made_again_gets_the_same_with_a_new_lease() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    for body in ["a", "b", "c"] {
        desk.send(&queue, message(body));
    }
    let how = || Receive {
        max: 2,
        attempt: Some("attempt".to_owned()),
        ..Receive::default()
    };
    let place = queue.clone().into();
    let first = desk.try_receive(&place, how()).unwrap();
    desk.pass(4_000);
    let again = desk.try_receive(&place, how()).unwrap();
    let receipts = |all: &[crate::Delivery]| all.iter().map(|one| one.receipt).collect::<Vec<_>>();
    assert_eq!(receipts(&first), receipts(&again));
    assert_eq!(again[0].delivery_count, 1);
    assert_eq!(again[0].leased_until, Timestamp(14_000));
    desk.ack(&queue, first[0].receipt);
    let other = desk.try_receive(&place, how()).unwrap();
    assert_eq!(bodies(&other), ["c"]);
}

#[test]
fn properties_can_be_replaced_when_a_message_is_given_back() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    let before = desk.engine.memory_held();
    let receipt = desk.receive(&queue, 1)[0].receipt;
    let nack = Settle::Nack {
        delay: None,
        properties: Some("changed".into()),
    };
    desk.settle(&queue, receipt, nack);
    assert_eq!(desk.engine.memory_held(), before + 7);
    assert_eq!(desk.receive(&queue, 1)[0].properties, "changed");
    let held = desk.engine.holdings(&crate::Place {
        id: queue,
        part: Part::Main,
    });
    assert_eq!(held.unwrap().bytes, 8);
}
