//! One retry policy: bounded in number and time, ended by the user and by the deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mq_core::plan::PlanOptions;
use mq_core::timing::Clock;
use mq_core::{Effect, Error, ErrorKind, Result, Retry};

use crate::toy::{Fault, Faults};
use crate::world::{World, done, file, plain, run};

const AGAIN: Retry = Retry::After(None);
const POLL: Retry = Retry::Poll {
    every: Duration::from_secs(5),
    within: Duration::from_secs(60),
};

/// A world with retries whose first calls fail so.
fn failing(with: &[Retry]) -> World {
    let mut world = World::new();
    world.layered = true;
    set_failing(&world, with);
    world
}

fn set_failing(world: &World, with: &[Retry]) {
    let fault = |retry| Fault::Fails(ErrorKind::Unavailable, retry, Effect::None);
    let at = with.iter().enumerate();
    world.toy.set_faults(Faults {
        at: at.map(|(number, retry)| (number, fault(*retry))).collect(),
        prompt: true,
        ..Faults::default()
    });
}

async fn call(world: &World) -> Result<()> {
    world.control().identify().await.map(drop)
}

async fn failed(world: &World) -> Error {
    call(world).await.expect_err("it fails too often")
}

#[test]
fn what_would_fail_again_is_not_tried_again() {
    run(async {
        let world = failing(&[Retry::Never]);
        let error = failed(&world).await;
        assert_eq!(error.retry(), Retry::Never);
        assert_eq!(world.toy.calls().len(), 1);
        assert_eq!(world.clock.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_call_is_made_as_often_as_the_policy_says_and_the_waits_are_bounded() {
    run(async {
        let world = failing(&[AGAIN; 5]);
        call(&world).await.expect("the sixth time");
        assert_eq!(world.toy.calls().len(), 6);
        let world = failing(&[AGAIN; 6]);
        let error = failed(&world).await;
        assert_eq!(error.retry(), Retry::Exhausted);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(world.toy.calls().len(), 6);
        // 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s at the most, with full jitter.
        assert!(world.clock.elapsed() <= Duration::from_millis(6_200));
        let told = error.to_string();
        assert!(told.ends_with("(on toy)"), "{told}");
    });
}

#[test]
fn no_wait_is_longer_than_the_longest() {
    run(async {
        let mut world = failing(&[AGAIN; 40]);
        world.retry.attempts_max = 41;
        call(&world).await.expect("the last time");
        let most = world.retry.backoff_max * 40;
        let took = world.clock.elapsed();
        assert!(took <= most && took > most / 8, "{took:?}");
    });
}

#[test]
fn the_service_is_waited_for_as_it_asks_up_to_a_minute() {
    run(async {
        let asked = |seconds| Retry::After(Some(Duration::from_secs(seconds)));
        let world = failing(&[asked(30)]);
        call(&world).await.expect("the second time");
        assert!(world.clock.elapsed() >= Duration::from_secs(30));
        let world = failing(&[asked(3_600)]);
        assert_eq!(failed(&world).await.retry(), Retry::Exhausted);
        assert_eq!(world.clock.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_service_that_is_down_is_given_up_until_a_call_succeeds() {
    run(async {
        let mut world = failing(&[AGAIN; 100]);
        world.retry.failures_max = 10;
        let control = world.control();
        let calls = async || {
            world.toy.forget_calls();
            let outcome = control.identify().await;
            (outcome.is_ok(), world.toy.calls().len())
        };
        assert_eq!(calls().await, (false, 6));
        assert_eq!(calls().await, (false, 4), "the budget is spent");
        assert_eq!(calls().await, (false, 1), "one failure is enough now");
        set_failing(&world, &[]);
        assert_eq!(calls().await, (true, 1));
        set_failing(&world, &[AGAIN; 3]);
        assert_eq!(calls().await, (true, 4), "it is up again");
    });
}

#[test]
fn a_wait_with_an_end_counts_down_and_does_not_use_up_the_attempts() {
    run(async {
        // 50 s of a name that is kept, then the service stumbles as often as it may.
        let mut faults = vec![POLL; 10];
        faults.extend([AGAIN; 5]);
        let world = failing(&faults);
        call(&world).await.expect("in the end");
        let heard = world
            .heard
            .0
            .lock()
            .expect("no panic under the lock")
            .clone();
        let left: Vec<u64> = heard.iter().map(|(_, left)| left.as_secs()).collect();
        assert_eq!(left, [60, 55, 50, 45, 40, 35, 30, 25, 20, 15]);
        assert!(heard.iter().all(|(what, _)| what == "credentials"));
    });
}

#[test]
fn a_wait_with_an_end_ends() {
    run(async {
        let world = failing(&[POLL; 100]);
        assert_eq!(failed(&world).await.retry(), Retry::Exhausted);
        assert_eq!(world.clock.elapsed(), Duration::from_secs(60));
        assert_eq!(world.toy.calls().len(), 13);
        let nothing = Retry::Poll {
            every: Duration::ZERO,
            within: Duration::from_secs(1),
        };
        let world = failing(&[nothing; 100]);
        failed(&world).await;
        assert_eq!(world.toy.calls().len(), 11, "not as fast as it can");
    });
}

#[test]
fn nothing_is_waited_for_past_the_deadline() {
    run(async {
        for retry in [AGAIN, POLL] {
            let mut world = failing(&[retry; 100]);
            world.retry.attempts_max = 100;
            world.deadline = Some(Duration::from_secs(7));
            let error = failed(&world).await;
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(error.message().contains("told to fail"), "{error}");
            assert!(world.clock.elapsed() < Duration::from_secs(7));
        }
    });
}

#[test]
fn after_the_deadline_no_call_is_made_at_all() {
    run(async {
        let mut world = failing(&[]);
        world.deadline = Some(Duration::from_secs(7));
        world.clock.sleep(Duration::from_secs(7)).await;
        let error = failed(&world).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(world.toy.calls().len(), 0);
    });
}

#[test]
fn a_call_that_hangs_is_left_at_the_deadline_with_its_effect_unknown() {
    run(async {
        let mut world = World::new();
        world.deadline = Some(Duration::from_secs(7));
        world.toy.seed(3);
        let control = world.control();
        // A call that has to wait for others is overtaken by a clock that skips.
        let mut timed_out = 0;
        for _ in 0..20 {
            if let Err(error) = control.identify().await {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                timed_out += u32::from(error.effect() == Effect::Unknown);
            }
        }
        assert_eq!(timed_out, 1, "after that the time is out before the call");
    });
}

#[test]
fn an_interrupt_ends_the_waiting() {
    run(async {
        for retry in [AGAIN, POLL] {
            let world = failing(&[retry; 100]);
            world.cancel.cancel();
            let error = failed(&world).await;
            assert_eq!(error.kind(), ErrorKind::Cancelled);
            assert_eq!(world.toy.calls().len(), 1);
            assert_eq!(world.clock.elapsed(), Duration::ZERO);
        }
    });
}

#[test]
fn a_change_whose_answer_was_lost_is_made_once() {
    run(async {
        let mut world = World::new();
        world.layered = true;
        let spec = file([("a", plain()), ("b", plain())]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        let lost = Fault::Fails(ErrorKind::Unavailable, AGAIN, Effect::Unknown);
        world.toy.forget_calls();
        world.toy.set_faults(Faults {
            at: BTreeMap::from([(0, lost.clone()), (1, lost)]),
            ..Faults::default()
        });
        done(&Ok(world.apply(&plan).await));
        let held = world.toy.held().into_values();
        let made: BTreeSet<usize> = held.map(|held| held.generation).collect();
        assert_eq!(made, [1, 2].into(), "each was made once");
    });
}

#[test]
fn a_read_of_many_that_fails_is_read_in_parts_and_in_order() {
    run(async {
        let keys: Vec<String> = (0..100).map(|n| format!("q{n:03}")).collect();
        let spec = file(keys.iter().map(|key| (&**key, plain())));
        let mut world = World::new();
        world.provisioned(&spec).await;
        world.layered = true;
        world.toy.forget_calls();
        set_failing(&world, &[AGAIN; 4]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert!(!plan.pending());
        assert!(
            plan.changes
                .iter()
                .map(|change| &change.observed.id.name)
                .eq(&keys)
        );
        let sizes: Vec<String> = world.toy.calls();
        let expected = [100, 50, 25, 12, 6, 6, 13, 25, 50].map(|n| format!("observe {n}"));
        assert_eq!(sizes, expected);
    });
}
