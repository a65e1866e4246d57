//! Whatever the file, whatever was there, and wherever a run breaks off: the same command again
//! comes to the same end, and once there writes nothing.

use std::collections::BTreeMap;

use mq_core::plan::PlanOptions;
use mq_core::resource::ResourceId;
use mq_core::{Effect, Spec};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::lowering::queue_id;
use crate::specs::{OUTSIDE, edits};
use crate::toy::{Fault, Faults, Held, Snapshot};
use crate::world::{World, anything, done, drop_messages, marker, run};

/// A world with what is someone else's: the queue that takes dead letters, a queue of another
/// stack, and one without a marker.
fn neighbourhood() -> World {
    let world = World::new();
    for (name, marker) in foreign() {
        world.toy.put(queue_id(name), Held::new(marker));
    }
    world
}

fn foreign() -> [(&'static str, Option<mq_core::Marker>); 3] {
    [
        (OUTSIDE, None),
        ("theirs", Some(marker("market", "orders"))),
        ("nobodys", None),
    ]
}

fn foreign_part(held: &BTreeMap<ResourceId, Held>) -> BTreeMap<ResourceId, Held> {
    let ids = foreign().map(|(name, _)| queue_id(name));
    let mut part = held.clone();
    part.retain(|id, _| ids.contains(id));
    part
}

async fn assert_settled(world: &World, spec: &Spec) {
    let plan = world.plan(spec, &anything()).await.expect("planned");
    assert!(!plan.pending(), "{:#?}", plan.changes);
    world.toy.forget_calls();
    let outcome = world.apply(&plan).await;
    assert!(outcome.results.is_empty());
    assert_eq!(
        outcome.endpoints.len(),
        spec.queues.len(),
        "every queue has its endpoint"
    );
    assert_eq!(world.toy.calls(), [""; 0], "nothing is even read");
}

/// Provisions one file and then another over it, undisturbed. What it comes to.
async fn undisturbed(world: &World, first: &Spec, second: &Spec) -> Snapshot {
    for spec in [first, second] {
        done(&world.provision(spec, &anything()).await);
        assert_settled(world, spec).await;
    }
    world.toy.assert_well_treated();
    world.toy.snapshot()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_after_an_apply_is_empty((first, second) in edits(), parallelism in 1..12_usize) {
        run(async {
            let mut world = neighbourhood();
            world.parallelism = parallelism;
            let before = foreign_part(&world.toy.held());
            undisturbed(&world, &first, &second).await;
            assert!(world.toy.most_at_once() <= parallelism);
            assert_eq!(foreign_part(&world.toy.held()), before);
        });
    }

    #[test]
    fn destroy_leaves_nothing_of_ours_and_succeeds_twice((first, second) in edits()) {
        run(async {
            let world = neighbourhood();
            let before = world.toy.held();
            done(&world.provision(&first, &anything()).await);
            // Without prune, so that leftovers of the first file are there too.
            let options = PlanOptions { prune: false, ..anything() };
            done(&world.provision(&second, &options).await);
            done(&world.destroy(&second, &drop_messages()).await);
            assert_eq!(world.toy.held(), before);
            world.toy.forget_calls();
            done(&world.destroy(&second, &drop_messages()).await);
            assert_eq!(world.toy.writes(), [""; 0]);
            world.toy.assert_well_treated();
        });
    }

    #[test]
    fn calls_that_fail_now_and_then_do_not_change_the_end(
        (first, second) in edits(),
        percent in 1..40_u64,
        seed in any::<u64>(),
    ) {
        run(async {
            let wanted = undisturbed(&neighbourhood(), &first, &second).await;
            let mut world = neighbourhood();
            world.layered = true;
            done(&world.provision(&first, &anything()).await);
            world.toy.seed(seed);
            world.toy.set_faults(Faults { flaky_percent: percent, ..Faults::default() });
            for _ in 0..20 {
                let _ = world.provision(&second, &anything()).await;
            }
            world.toy.set_faults(Faults::default());
            assert_settled(&world, &second).await;
            assert_eq!(world.toy.snapshot(), wanted);
            world.toy.assert_well_treated();
        });
    }
}

/// How a run is cut short at its call `k`.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// The process ends, and the call is or is not made all the same.
    Killed(Effect),
    /// The user interrupts once.
    Interrupted,
    /// This one call fails.
    Failed(Effect),
}

const CUTS: [Cut; 5] = [
    Cut::Killed(Effect::None),
    Cut::Killed(Effect::Unknown),
    Cut::Interrupted,
    Cut::Failed(Effect::None),
    Cut::Failed(Effect::Unknown),
];

impl Cut {
    fn faults(self, call: usize, cancel: &CancellationToken) -> Faults {
        let mut faults = Faults::default();
        match self {
            Cut::Killed(effect) => faults.killed_at = Some((call, effect)),
            Cut::Interrupted => {
                faults.at.insert(call, Fault::Interrupts(cancel.clone()));
            }
            Cut::Failed(effect) => {
                let never = mq_core::Retry::Never;
                let fault = Fault::Fails(mq_core::ErrorKind::Unexpected, never, effect);
                faults.at.insert(call, fault);
            }
        }
        faults
    }
}

/// A command, by what it does to the world.
#[derive(Debug, Clone, Copy)]
enum Command {
    Provision,
    Destroy,
}

async fn command(world: &World, command: Command, spec: &Spec) -> mq_core::Result<()> {
    let outcome = match command {
        Command::Provision => world.provision(spec, &anything()).await?,
        Command::Destroy => world.destroy(spec, &drop_messages()).await?,
    };
    assert!(
        outcome.endpoints.iter().all(|endpoint| {
            let name = endpoint.address.trim_start_matches("toy://");
            world.toy.held().contains_key(&queue_id(name))
        }),
        "an endpoint of what is not there: {outcome:#?}"
    );
    Ok(())
}

/// Cuts the command short at each of its calls, runs it again, and compares the end. How many
/// times it was cut short.
async fn cut_everywhere(world: &mut World, what: Command, spec: &Spec, cut: Cut) -> usize {
    let before = world.toy.held();
    command(world, what, spec).await.expect("undisturbed");
    let wanted = world.toy.snapshot();
    for call in 0.. {
        world.toy.restore(before.clone());
        world.cancel = CancellationToken::new();
        world.toy.set_faults(cut.faults(call, &world.cancel));
        let _ = command(world, what, spec).await;
        world.toy.assert_spared();
        let calls = world.toy.calls().len();
        world.toy.set_faults(Faults::default());
        world.cancel = CancellationToken::new();
        command(world, what, spec).await.expect("the second time");
        assert_eq!(world.toy.snapshot(), wanted, "{what:?}, {cut:?} at {call}");
        world.toy.assert_well_treated();
        world.toy.forget_calls();
        command(world, what, spec).await.expect("the third time");
        assert_eq!(world.toy.writes(), [""; 0], "{what:?}, {cut:?} at {call}");
        if call >= calls {
            return call;
        }
    }
    unreachable!("a run has an end")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn cut_short_at_any_call_the_same_command_again_converges((first, second) in edits()) {
        run(async {
            for cut in CUTS {
                let mut world = neighbourhood();
                done(&world.provision(&first, &anything()).await);
                let before = foreign_part(&world.toy.held());
                let cuts = cut_everywhere(&mut world, Command::Provision, &second, cut).await;
                assert!(cuts > 0, "at least the listing was cut");
                cut_everywhere(&mut world, Command::Destroy, &second, cut).await;
                assert_eq!(foreign_part(&world.toy.held()), before);
            }
        });
    }
}
