//! Ten thousand queues take ten times what a thousand take.

use std::time::Instant;

use mq_core::Spec;
use mq_core::plan::PlanOptions;

use crate::world::{World, dead_lettered, done, drop_messages, file, plain, run, sharing};

/// Half with dead letters of their own, half with shared ones, which also share a serial key.
fn many(count: usize) -> Spec {
    let keys: Vec<String> = (0..count).map(|n| format!("q{n:05}")).collect();
    let queues = keys.iter().enumerate().map(|(n, key)| {
        let queue = if n % 2 == 0 {
            dead_lettered()
        } else {
            sharing("z")
        };
        (key.as_str(), queue)
    });
    file(queues.chain([("z", plain())]))
}

#[test]
fn planning_and_applying_are_linear() {
    let took = |count: usize| {
        let started = Instant::now();
        run(async {
            let world = World::new();
            let spec = many(count);
            world.provisioned(&spec).await;
            world.toy.forget_calls();
            let plan = world
                .plan(&spec, &PlanOptions::default())
                .await
                .expect("planned");
            assert!(!plan.pending());
            assert_eq!(world.toy.calls().len(), 1, "one read for all");
            let (plan, _) = world
                .plan_destroy(&spec, &drop_messages())
                .await
                .expect("planned");
            // A queue each, a dead-letter queue for every other one, and the shared one.
            assert_eq!(plan.tally().destroy, count + count.div_ceil(2) + 1);
        });
        started.elapsed()
    };
    took(100);
    let (small, large) = (took(1_000), took(10_000));
    // A quadratic step would make it a hundred times; other builds share the machine.
    assert!(large < small * 30, "{small:?}, then {large:?}");
}

#[test]
fn destroying_many_that_share_one_dead_letter_queue_is_linear() {
    run(async {
        let world = World::new();
        let spec = many(2_000);
        world.provisioned(&spec).await;
        // One that stays keeps the shared queue, and nothing else.
        let stays = crate::lowering::queue_id("q00001");
        world.toy.set_messages(&stays, Some(1));
        let (plan, _) = world
            .plan_destroy(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        let refused: Vec<&str> = plan.refusals().map(|(of, _)| of.id.name.as_str()).collect();
        assert_eq!(refused, ["q00001", "z"]);
        let outcome = world.apply(&plan).await;
        done(&Ok(outcome));
        world.toy.assert_well_treated();
    });
}
