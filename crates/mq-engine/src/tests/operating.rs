//! Purged, moved, brought back, looked at; who is woken, and what it costs.

use super::desk::{
    Desk, QUEUE, SUBSCRIPTION, TOPIC, bodies, done, grouped, id, message, seconds, settings,
};
use crate::steps::counted;
use crate::{
    Denied, EntityId, MoveStatus, Operation, Outcome, Place, Receive, SeekTo, Service, Settings,
    Settle, SnapshotStep, Timestamp, Woken,
};

#[test]
fn a_purge_takes_what_waits_what_is_held_back_and_what_is_out() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    for body in ["a", "b", "c"] {
        desk.send(&queue, message(body));
    }
    let out = desk.receive(&queue, 2);
    desk.settle(
        &queue,
        out[1].receipt,
        Settle::Nack {
            delay: Some(seconds(5)),
            properties: None,
        },
    );
    let at = Place::from(queue.clone());
    assert_eq!(
        desk.perform(Operation::Purge { at }),
        Ok(Outcome::Purged(3))
    );
    assert_eq!(desk.counts(&queue), crate::Counts::default());
    desk.pass(60_000);
    assert_eq!(desk.receive(&queue, 9), []);
    assert_eq!(desk.engine.memory_held(), 0);
    assert_eq!(desk.engine.next_wakeup(), None);
}

/// A queue with dead letters in another one, and the two.
fn redrive(desk: &mut Desk, count: u64) -> [EntityId; 2] {
    let (queue, dead) = (
        id(Service::Sqs, QUEUE, "q"),
        id(Service::Sqs, QUEUE, "dead"),
    );
    desk.make(&dead, settings());
    desk.make(
        &queue,
        Settings {
            max_deliveries: Some(1),
            dead_letter: Some(dead.clone()),
            ..settings()
        },
    );
    for number in 0..count {
        desk.send(&queue, message(&number.to_string()));
    }
    for delivery in desk.receive(&queue, usize::MAX) {
        desk.nack(&queue, delivery.receipt);
    }
    assert_eq!(desk.receive(&queue, 9), []);
    assert_eq!(desk.counts(&dead).visible, count);
    [queue, dead]
}

#[test]
fn a_move_brings_each_message_to_where_it_came_from_at_its_rate() {
    let mut desk = Desk::new();
    let [queue, dead] = redrive(&mut desk, 5);
    let from = Place::from(dead.clone());
    let start = Operation::StartMove {
        from: from.clone(),
        to: None,
        per_second: 2,
    };
    let started = desk.perform(start.clone());
    assert_eq!(started, Ok(Outcome::MoveStarted(1)));
    assert_eq!(desk.perform(start), Err(Denied::MoveRunning(1)));
    desk.pass(1_000);
    assert_eq!(
        (desk.counts(&queue).visible, desk.counts(&dead).visible),
        (2, 3)
    );
    // What comes later is not moved: else a message that fails at once would go round for ever.
    desk.send(&dead, message("later"));
    desk.pass(60_000);
    let got = desk.receive(&queue, 9);
    assert_eq!(bodies(&got), ["0", "1", "2", "3", "4"]);
    assert_eq!(got[0].sent, Timestamp(500));
    let task = desk.engine.moves(&from).next().unwrap();
    assert_eq!(
        (task.status, task.moved, task.to_move),
        (MoveStatus::Completed, 5, 5)
    );
    assert_eq!(desk.counts(&dead).visible, 1);
}

#[test]
fn a_move_can_be_stopped_and_fails_without_a_target() {
    let mut desk = Desk::new();
    let [queue, dead] = redrive(&mut desk, 5);
    let from = Place::from(dead.clone());
    let start = || Operation::StartMove {
        from: Place::from(dead.clone()),
        to: None,
        per_second: 1,
    };
    desk.perform(start()).unwrap();
    desk.pass(2_000);
    let cancelled = desk.perform(Operation::CancelMove { task: 1 });
    assert_eq!(cancelled, Ok(Outcome::MoveCancelled(2)));
    desk.pass(60_000);
    assert_eq!(desk.counts(&queue).visible, 2);
    desk.delete(&queue);
    desk.perform(start()).unwrap();
    desk.pass(1_000);
    let task = desk.engine.moves(&from).next().unwrap();
    assert_eq!((task.status, task.moved), (MoveStatus::Failed, 0));
    assert_eq!(desk.counts(&dead).visible, 3);
    assert_eq!(desk.engine.moves(&from).count(), 2);
}

fn subscribed(desk: &mut Desk, retain_acked: bool) -> [EntityId; 2] {
    let topic = id(Service::PubSub, TOPIC, "t");
    let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
    desk.make(&topic, Settings::default());
    desk.make(
        &subscription,
        Settings {
            topic: Some(topic.clone()),
            retain_acked,
            ..settings()
        },
    );
    [topic, subscription]
}

fn ack_all(desk: &mut Desk, subscription: &EntityId) {
    for delivery in desk.receive(subscription, 99) {
        assert!(done(desk.ack(subscription, delivery.receipt)));
    }
}

#[test]
fn a_seek_brings_back_what_is_kept_and_acks_what_is_before() {
    for retain_acked in [false, true] {
        let mut desk = Desk::new();
        let [topic, subscription] = subscribed(&mut desk, retain_acked);
        for body in ["0", "1", "2"] {
            desk.send(&topic, message(body));
            desk.pass(1_000);
        }
        ack_all(&mut desk, &subscription);
        desk.send(&topic, message("3"));
        let seek = |time| Operation::Seek {
            subscription: subscription.clone(),
            to: SeekTo::Time(Timestamp(time)),
        };
        desk.perform(seek(1_000)).unwrap();
        let got = desk.receive(&subscription, 9);
        let wanted = if retain_acked {
            vec!["1", "2", "3"]
        } else {
            vec!["3"]
        };
        let mut found = bodies(&got);
        found.sort();
        assert_eq!(found, wanted);
        // To a time that is still to come: what is sent until then is acked too.
        desk.perform(seek(5_000)).unwrap();
        assert_eq!(desk.counts(&subscription), crate::Counts::default());
        desk.send(&topic, message("4"));
        assert_eq!(desk.receive(&subscription, 9), []);
        desk.pass(2_000);
        desk.send(&topic, message("5"));
        assert_eq!(bodies(&desk.receive(&subscription, 9)), ["5"]);
    }
}

#[test]
fn a_snapshot_keeps_what_was_not_acked_and_all_that_comes_until_it_goes() {
    let mut desk = Desk::new();
    let [topic, subscription] = subscribed(&mut desk, false);
    desk.send(&topic, message("before"));
    ack_all(&mut desk, &subscription);
    desk.send(&topic, message("open"));
    let take = Operation::Snapshot {
        name: "snapshot".to_owned(),
        step: SnapshotStep::Take {
            subscription: subscription.clone(),
            expires: Timestamp(50_000),
            document: serde_json::Value::Null,
        },
    };
    desk.perform(take.clone()).unwrap();
    assert_eq!(desk.perform(take), Err(Denied::SnapshotExists));
    desk.send(&topic, message("after"));
    ack_all(&mut desk, &subscription);
    assert_eq!(desk.counts(&subscription), crate::Counts::default());
    let seek = Operation::Seek {
        subscription: subscription.clone(),
        to: SeekTo::Snapshot("snapshot".to_owned()),
    };
    desk.perform(seek.clone()).unwrap();
    assert_eq!(desk.counts(&subscription).visible, 2);
    ack_all(&mut desk, &subscription);
    let update = Operation::Snapshot {
        name: "snapshot".to_owned(),
        step: SnapshotStep::Update {
            expires: Timestamp(60_000),
            document: "labels".into(),
        },
    };
    desk.perform(update.clone()).unwrap();
    desk.pass(59_999);
    let all: Vec<_> = desk.engine.snapshots_after("").collect();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0].topic, all[0].document.as_str()),
        (&Some(topic), Some("labels"))
    );
    desk.pass(1);
    assert_eq!(desk.perform(update), Err(Denied::NoSnapshot));
    assert!(desk.engine.snapshot("snapshot").is_none());
    assert_eq!(desk.perform(seek), Err(Denied::NoSnapshot));
    assert_eq!(desk.engine.memory_held(), 0);
}

#[test]
fn a_changed_retention_is_felt_by_what_is_there() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.send(&queue, message("a"));
    desk.pass(100_000);
    let shorter = Settings {
        retention: Some(seconds(101)),
        ..settings()
    };
    desk.change(&queue, shorter);
    assert_eq!(desk.counts(&queue).visible, 1);
    desk.pass(1_000);
    assert_eq!(desk.counts(&queue).visible, 0);
}

#[test]
fn who_waits_is_woken_by_a_send_by_time_and_by_a_settle_that_frees_a_group() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            ordered: true,
            ..settings()
        },
    );
    let place = Woken {
        place: queue.clone().into(),
        anyone: true,
        sessions: vec![],
    };
    assert_eq!(desk.engine.take_woken(), []);
    desk.send(&queue, grouped("a", "g"));
    assert_eq!(desk.engine.take_woken(), std::slice::from_ref(&place));
    assert_eq!(desk.engine.take_woken(), []);
    let receipt = desk.receive(&queue, 1)[0].receipt;
    desk.send(&queue, grouped("b", "g"));
    assert_eq!(desk.engine.take_woken(), []);
    desk.ack(&queue, receipt);
    assert_eq!(desk.engine.take_woken(), std::slice::from_ref(&place));
    desk.receive(&queue, 1);
    assert_eq!(desk.engine.next_wakeup(), Some(Timestamp(10_000)));
    desk.pass(10_000);
    assert_eq!(desk.engine.take_woken(), [place]);
}

#[test]
fn who_holds_a_session_is_woken_for_that_session_only() {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            ordered: true,
            ..settings()
        },
    );
    desk.accept(&queue, Some("held")).unwrap();
    let mut woken = |group| {
        desk.send(&queue, grouped("x", group));
        let woken = desk.engine.take_woken().remove(0);
        let sessions: Vec<String> = woken.sessions.iter().map(ToString::to_string).collect();
        (woken.anyone, sessions)
    };
    assert_eq!(woken("held"), (false, vec!["held".to_owned()]));
    assert_eq!(woken("free"), (true, vec![]));
    desk.pass(10_000);
    assert!(desk.engine.take_woken()[0].anyone);
}

#[test]
fn time_does_not_run_backwards() {
    let queue = id(Service::Sqs, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(&queue, settings());
    desk.pass(5_000);
    desk.now = 1_000;
    desk.send(&queue, message("a"));
    assert_eq!(desk.receive(&queue, 1)[0].sent, Timestamp(5_000));
    assert_eq!(desk.engine.now(), Timestamp(5_000));
}

/// How many messages and groups are looked at for a send, a receive, an extend, a nack, the
/// lease of another message running out, and an ack, on a queue with this backlog.
fn steps(service: Service, ordered: bool, backlog: u64) -> u64 {
    let queue = id(service, QUEUE, "q");
    let mut desk = Desk::new();
    desk.make(
        &queue,
        Settings {
            ordered,
            ..settings()
        },
    );
    for number in 0..backlog {
        desk.send(&queue, grouped("x", &format!("g{}", number % 100)));
    }
    let lock = (service == Service::ServiceBus && ordered)
        .then(|| desk.accept(&queue, Some("g1")).unwrap().lock);
    let receive = |desk: &mut Desk| {
        let how = Receive {
            max: 2,
            session: lock.clone(),
            ..Receive::default()
        };
        desk.try_receive(&queue.clone().into(), how).unwrap()
    };
    let (steps, ()) = counted(|| {
        desk.send(&queue, grouped("y", "g1"));
        let got = receive(&mut desk);
        assert_eq!(got.len(), 2);
        desk.settle(&queue, got[0].receipt, Settle::Extend { lease: None });
        desk.nack(&queue, got[0].receipt);
        desk.ack(&queue, got[1].receipt);
        receive(&mut desk);
        desk.pass(10_000);
    });
    steps
}

/// What an operation costs does not grow with the backlog, beside the search in a tree. That is
/// counted; how long it takes is for a benchmark.
#[test]
fn no_operation_looks_at_the_whole_backlog() {
    for service in [Service::Sqs, Service::ServiceBus] {
        for ordered in [false, true] {
            let few = steps(service, ordered, 2_000);
            let many = steps(service, ordered, 20_000);
            println!("{service:?}, ordered: {ordered}: {few} steps at 2000, {many} at 20000");
            assert_eq!(few, many, "{service:?}, ordered: {ordered}");
            assert!(few > 10);
        }
    }
}
