//! Groups, keys and sessions.

use super::desk::{
    Desk, QUEUE, SUBSCRIPTION, TOPIC, bodies, done, grouped, id, message, seconds, settings,
};
use crate::{
    Denied, EntityId, NotYours, Outcome, Receive, Service, SessionStep, Settings, Settled,
    Timestamp,
};

fn fifo(desk: &mut Desk) -> EntityId {
    let queue = id(Service::Sqs, QUEUE, "q.fifo");
    desk.make(
        &queue,
        Settings {
            ordered: true,
            ..settings()
        },
    );
    queue
}

#[test]
fn while_some_of_a_group_is_out_there_is_no_more_of_it_and_other_groups_go_on() {
    let mut desk = Desk::new();
    let queue = fifo(&mut desk);
    for (body, group) in [
        ("a1", "a"),
        ("b1", "b"),
        ("a2", "a"),
        ("a3", "a"),
        ("b2", "b"),
    ] {
        desk.send(&queue, grouped(body, group));
    }
    let first = desk.receive(&queue, 2);
    assert_eq!(bodies(&first), ["a1", "a2"]);
    let second = desk.receive(&queue, 10);
    assert_eq!(bodies(&second), ["b1", "b2"]);
    assert_eq!(desk.receive(&queue, 10), []);
    desk.ack(&queue, first[0].receipt);
    assert_eq!(desk.receive(&queue, 10), []);
    desk.nack(&queue, first[1].receipt);
    assert_eq!(bodies(&desk.receive(&queue, 10)), ["a2", "a3"]);
}

#[test]
fn a_fifo_queue_needs_a_group() {
    let mut desk = Desk::new();
    let queue = fifo(&mut desk);
    assert_eq!(
        desk.try_send(&queue, message("a")),
        Err(Denied::GroupMissing)
    );
}

fn keyed(desk: &mut Desk, max_deliveries: Option<u32>) -> [EntityId; 2] {
    let topic = id(Service::PubSub, TOPIC, "t");
    let subscription = id(Service::PubSub, SUBSCRIPTION, "s");
    desk.make(&topic, Settings::default());
    desk.make(
        &subscription,
        Settings {
            topic: Some(topic.clone()),
            ordered: true,
            max_deliveries,
            dead_letter: max_deliveries.map(|_| topic.clone()),
            ..settings()
        },
    );
    [topic, subscription]
}

#[test]
fn when_one_of_a_key_fails_the_later_ones_come_again_after_it_even_if_acked() {
    let mut desk = Desk::new();
    let [topic, subscription] = keyed(&mut desk, None);
    for body in ["1", "2", "3"] {
        desk.send(&topic, grouped(body, "k"));
    }
    desk.send(&topic, grouped("other", "l"));
    let got = desk.receive(&subscription, 10);
    assert_eq!(bodies(&got), ["1", "2", "3", "other"]);
    assert!(done(desk.ack(&subscription, got[2].receipt)));
    assert!(done(desk.ack(&subscription, got[0].receipt)));
    // The third waits for the second.
    assert_eq!(desk.counts(&subscription).leased, 3);
    desk.nack(&subscription, got[1].receipt);
    let again = desk.receive(&subscription, 10);
    assert_eq!(bodies(&again), ["2", "3"]);
    let counts: Vec<u32> = again.iter().map(|one| one.delivery_count).collect();
    assert_eq!(counts, [2, 1]);
    let stale = desk.ack(&subscription, got[2].receipt);
    assert_eq!(stale, Settled::Ignored(NotYours::Superseded));
}

#[test]
fn only_the_same_consumer_goes_on_with_a_key_of_which_some_is_out() {
    let mut desk = Desk::new();
    let [topic, subscription] = keyed(&mut desk, None);
    for body in ["1", "2", "3", "4"] {
        desk.send(&topic, grouped(body, "k"));
    }
    let mut one = |holder| {
        let how = Receive {
            max: 1,
            holder,
            ..Receive::default()
        };
        desk.try_receive(&subscription.clone().into(), how).unwrap()
    };
    assert_eq!(bodies(&one(Some(1))), ["1"]);
    assert_eq!(one(Some(2)), []);
    assert_eq!(one(None), []);
    assert_eq!(bodies(&one(Some(1))), ["2"]);
    let got = desk.receive(&subscription, 10);
    assert_eq!(got, []);
}

#[test]
fn a_key_that_loses_one_to_the_dead_letters_goes_on_behind_it() {
    let mut desk = Desk::new();
    let [topic, subscription] = keyed(&mut desk, Some(1));
    desk.send(&topic, grouped("1", "k"));
    desk.send(&topic, grouped("2", "k"));
    let got = desk.receive(&subscription, 10);
    desk.ack(&subscription, got[1].receipt);
    desk.nack(&subscription, got[0].receipt);
    // The dead letter comes back by its own topic, as the last.
    assert_eq!(bodies(&desk.receive(&subscription, 10)), ["2", "1"]);
}

fn sessions(desk: &mut Desk) -> EntityId {
    let queue = id(Service::ServiceBus, QUEUE, "q");
    desk.make(
        &queue,
        Settings {
            ordered: true,
            max_deliveries: Some(3),
            ..settings()
        },
    );
    queue
}

#[test]
fn a_session_is_its_holders_alone_until_the_lock_ends() {
    let mut desk = Desk::new();
    let queue = sessions(&mut desk);
    for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a")] {
        desk.send(&queue, grouped(body, group));
    }
    let how = Receive {
        max: 1,
        ..Receive::default()
    };
    let without = desk.try_receive(&queue.clone().into(), how);
    assert_eq!(without, Err(Denied::SessionRequired));
    let a = desk.accept(&queue, None).unwrap();
    assert_eq!(a.lock.session, "a");
    let b = desk.accept(&queue, None).unwrap();
    assert_eq!(b.lock.session, "b");
    assert_eq!(desk.accept(&queue, None), None);
    let wanted = Some("a".to_owned());
    let held = desk.session(&queue, SessionStep::Accept { session: wanted });
    assert_eq!(held, Err(Denied::SessionHeld(Timestamp(10_000))));
    let got = desk.receive_session(&queue, &a.lock);
    assert_eq!(bodies(&got), ["a1", "a2"]);
    desk.pass(9_000);
    let lock = a.lock.clone();
    let renewed = desk.session(&queue, SessionStep::Renew { lock });
    assert_eq!(renewed, Ok(Outcome::Locked(Timestamp(19_000))));
    desk.pass(9_999);
    assert!(done(desk.ack(&queue, got[0].receipt)));
    desk.pass(1);
    let lost = Settled::Refused(NotYours::Expired);
    assert_eq!(desk.ack(&queue, got[1].receipt), lost);
    let again = desk.accept(&queue, Some("a")).unwrap();
    let got = desk.receive_session(&queue, &again.lock);
    assert_eq!(
        (bodies(&got), got[0].delivery_count),
        (vec!["a2".to_owned()], 2)
    );
}

#[test]
fn a_session_given_back_does_not_count_as_failed_and_keeps_its_state() {
    let mut desk = Desk::new();
    let queue = sessions(&mut desk);
    desk.send(&queue, grouped("a1", "a"));
    let first = desk.accept(&queue, Some("a")).unwrap();
    assert_eq!(first.state, None);
    desk.receive_session(&queue, &first.lock);
    let set = SessionStep::SetState {
        lock: first.lock.clone(),
        state: Some("progress".into()),
    };
    desk.session(&queue, set).unwrap();
    let place = queue.clone().into();
    let state = desk.engine.session_state(&place, &first.lock);
    assert_eq!(state, Ok(Some("progress".into())));
    let lock = first.lock.clone();
    desk.session(&queue, SessionStep::Release { lock }).unwrap();
    let state = desk.engine.session_state(&place, &first.lock);
    assert_eq!(state, Err(Denied::SessionLost));
    let second = desk.accept(&queue, None).unwrap();
    assert_eq!(second.state, Some("progress".into()));
    let got = desk.receive_session(&queue, &second.lock);
    assert_eq!(got[0].delivery_count, 1);
    desk.ack(&queue, got[0].receipt);
    let names: Vec<&str> = desk.engine.sessions(&place, "").collect();
    assert_eq!(names, ["a"]);
    let clear = SessionStep::SetState {
        lock: second.lock.clone(),
        state: None,
    };
    desk.session(&queue, clear).unwrap();
    desk.pass(seconds(10).as_millis() as u64);
    assert_eq!(desk.engine.sessions(&place, "").count(), 0);
    assert_eq!(desk.engine.memory_held(), 0);
}
