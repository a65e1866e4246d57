//! Changes go in order of dependency, never two of a serial key at once, and what fails stops
//! only what depends on it.

use std::collections::BTreeMap;

use mq_core::plan::{PlanOptions, RefusalKind};
use mq_core::{Effect, ErrorKind, Retry};

use crate::lowering::queue_id;
use crate::toy::{Fault, Faults, Held};
use crate::world::{
    World, anything, dead_lettered, done, drop_messages, file, marker, ordered, plain, pruning,
    refusals, run, sharing, states,
};

/// Fails the first call with this text, as far as an undisturbed run tells its number.
async fn failing(world: &World, call: &str, spec: &mq_core::Spec) -> Faults {
    let before = world.toy.held();
    let plan = world.plan(spec, &pruning()).await.expect("planned");
    world.toy.forget_calls();
    world.apply(&plan).await;
    let calls = world.toy.calls();
    let number = calls.iter().position(|made| made == call);
    let number = number.unwrap_or_else(|| panic!("no call `{call}` among {calls:?}"));
    world.toy.restore(before);
    let fault = Fault::Fails(ErrorKind::Unexpected, Retry::Never, Effect::None);
    Faults {
        at: BTreeMap::from([(number, fault)]),
        ..Faults::default()
    }
}

#[test]
fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    run(async {
        let world = World::new();
        let spec = file([("a", dead_lettered()), ("b", plain())]);
        let faults = failing(&world, "create toy.queue \"a-dlq\"", &spec).await;
        let plan = world.plan(&spec, &pruning()).await.expect("planned");
        world.toy.forget_calls();
        world.toy.set_faults(faults);
        let outcome = world.apply(&plan).await;
        let waits = "not attempted: something it depends on was not made";
        let of = |name: &str, state: &str| (name.to_owned(), state.to_owned());
        let states = states(&outcome);
        assert!(states[0].1.starts_with("failed"), "{states:?}");
        assert_eq!(
            states[1..],
            [of("on a-dlq", waits), of("a", waits), of("b", "applied")]
        );
        assert!(outcome.endpoints.iter().map(|it| &*it.queue).eq(["b"]));
        assert!(!outcome.interrupted);
    });
}

#[test]
fn nothing_is_removed_after_a_failure_or_beside_a_refusal() {
    run(async {
        let world = World::new();
        world
            .provisioned(&file([("a", plain()), ("old", plain())]))
            .await;
        let spec = file([("a", plain()), ("b", plain())]);
        let faults = failing(&world, "create toy.queue \"b\"", &spec).await;
        let plan = world.plan(&spec, &pruning()).await.expect("planned");
        world.toy.forget_calls();
        world.toy.set_faults(faults);
        let outcome = world.apply(&plan).await;
        assert_eq!(outcome.applied(), 0, "{outcome:#?}");
        world.toy.set_faults(Faults::default());
        world.toy.put(queue_id("b"), Held::new(None));
        let plan = world.plan(&spec, &pruning()).await.expect("planned");
        assert_eq!(refusals(&plan), [("b", RefusalKind::NotAdopted)]);
        world.apply(&plan).await;
        assert!(world.toy.held().contains_key(&queue_id("old")));
        world.toy.remove(&queue_id("b"));
        done(&world.provision(&spec, &pruning()).await);
        assert!(!world.toy.held().contains_key(&queue_id("old")));
    });
}

#[test]
fn what_needs_something_that_is_refused_is_not_made() {
    run(async {
        let world = World::new();
        let spec = file([("a", dead_lettered()), ("b", sharing("a")), ("c", plain())]);
        let theirs = Held::new(Some(marker("market", "x")));
        world.toy.put(queue_id("a-dlq"), theirs);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("a-dlq", RefusalKind::NotOurs)]);
        world.apply(&plan).await;
        assert!(
            world
                .toy
                .held()
                .keys()
                .map(|id| &*id.name)
                .eq(["a-dlq", "c"])
        );
    });
}

#[test]
fn changes_of_one_serial_key_go_one_after_the_other_and_others_beside_them() {
    run(async {
        let world = World::new();
        let shared: Vec<String> = (0..40).map(|n| format!("s{n}")).collect();
        let mut queues: Vec<(&str, _)> = shared.iter().map(|key| (&**key, sharing("d"))).collect();
        queues.push(("d", plain()));
        world.provisioned(&file(queues.clone())).await;
        assert_eq!(world.toy.most_at_once(), 1, "all but `d` have the same key");
        queues.extend([
            ("x", dead_lettered()),
            ("y", dead_lettered()),
            ("z", plain()),
        ]);
        for (_, queue) in &mut queues {
            *queue = ordered(queue.clone());
        }
        let options = PlanOptions {
            replace: queues.iter().map(|(key, _)| (*key).to_owned()).collect(),
            drop_messages: true,
            ..PlanOptions::default()
        };
        done(&world.provision(&file(queues), &options).await);
        world.toy.assert_well_treated();
        assert!(world.toy.most_at_once() > 1);
    });
}

#[test]
fn a_replacement_waits_until_what_can_go_first_has_begun() {
    run(async {
        let mut world = World::new();
        world.parallelism = 1;
        world.provisioned(&file([("a", plain())])).await;
        world.toy.forget_calls();
        let spec = file([("a", ordered(plain())), ("b", plain()), ("c", plain())]);
        done(&world.provision(&spec, &anything()).await);
        let on = |verb: &str, name: &str| format!("{verb} toy.queue \"{name}\"");
        assert_eq!(
            world.toy.writes(),
            [
                on("create", "b"),
                on("create", "c"),
                on("delete", "a"),
                on("create", "a")
            ]
        );
    });
}

#[test]
fn an_interrupt_finishes_what_is_under_way_and_begins_nothing() {
    run(async {
        let mut world = World::new();
        world.parallelism = 2;
        let keys: Vec<String> = (0..10).map(|n| format!("q{n}")).collect();
        let spec = file(keys.iter().map(|key| (&**key, plain())));
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        world.toy.forget_calls();
        world.toy.set_faults(Faults {
            at: BTreeMap::from([(2, Fault::Interrupts(world.cancel.clone()))]),
            ..Faults::default()
        });
        let outcome = world.apply(&plan).await;
        assert!(outcome.interrupted);
        let made = outcome.applied();
        assert!((1..=4).contains(&made), "{made}");
        assert_eq!(world.toy.held().len(), made);
        let waiting = states(&outcome);
        let interrupted = waiting
            .iter()
            .filter(|(_, state)| state == "not attempted: interrupted");
        assert_eq!(interrupted.count(), 10 - made);
        assert_eq!(outcome.endpoints.len(), made, "what was made was read back");
    });
}

#[test]
fn an_interrupt_after_the_last_change_is_none() {
    run(async {
        let world = World::new();
        let spec = file([("a", plain())]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        world.toy.forget_calls();
        world.toy.set_faults(Faults {
            at: BTreeMap::from([(0, Fault::Interrupts(world.cancel.clone()))]),
            ..Faults::default()
        });
        let outcome = world.apply(&plan).await;
        assert!(!outcome.interrupted);
        done(&Ok(outcome));
    });
}

#[test]
fn queues_that_send_each_other_their_dead_letters_end_without_a_hang() {
    run(async {
        let world = World::new();
        let spec = file([("a", sharing("b")), ("b", sharing("a")), ("c", plain())]);
        let outcome = world
            .provision(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(outcome.applied(), 1, "only `c` can be made");
        world
            .destroy(&spec, &drop_messages())
            .await
            .expect("planned");
        assert!(world.toy.held().is_empty());
    });
}
