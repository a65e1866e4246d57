//! Nothing that is protected or holds messages goes without the flag, and nothing goes that what
//! stays still needs.

use std::collections::BTreeMap;

use mq_core::plan::{Action, PlanOptions, RefusalKind};
use mq_core::resource::ResourceId;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::lowering::{FIFO, is_of, queue_id};
use crate::specs::{OUTSIDE, specs};
use crate::toy::Held;
use crate::world::{
    World, anything, dead_lettered, done, drop_messages, file, ordered, plain, protected, refusals,
    run, sharing,
};

#[test]
fn what_holds_messages_stays_with_all_its_parts() {
    run(async {
        for (messages, why) in [
            (Some(1), "it holds 1 message"),
            (Some(3), "it holds 3 messages"),
            (None, "it may hold messages: the toy does not tell"),
        ] {
            let world = World::new();
            let spec = file([("a", dead_lettered()), ("b", plain())]);
            world.provisioned(&spec).await;
            world.toy.set_messages(&queue_id("a-dlq"), messages);
            let (plan, _) = world
                .plan_destroy(&spec, &PlanOptions::default())
                .await
                .expect("planned");
            let holds = RefusalKind::HoldsMessages;
            assert_eq!(refusals(&plan), [("a-dlq", holds), ("a", holds)]);
            let (_, refusal) = plan.refusals().next().expect("refused");
            assert_eq!(refusal.why, why);
            world.apply(&plan).await;
            assert!(world.toy.held().contains_key(&queue_id("a")));
            assert!(!world.toy.held().contains_key(&queue_id("b")));
            done(&world.destroy(&spec, &drop_messages()).await);
            assert!(world.toy.held().is_empty());
        }
    });
}

#[test]
fn a_shared_dead_letter_queue_stays_as_long_as_a_queue_that_sends_there() {
    run(async {
        let world = World::new();
        let spec = file([
            ("a", sharing("d")),
            ("b", sharing("d")),
            ("c", plain()),
            ("d", plain()),
        ]);
        world.provisioned(&spec).await;
        world.toy.set_messages(&queue_id("b"), Some(2));
        let (plan, _) = world
            .plan_destroy(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        let holds = RefusalKind::HoldsMessages;
        assert_eq!(refusals(&plan), [("b", holds), ("d", holds)]);
        let (_, refusal) = plan.refusals().last().expect("refused");
        assert_eq!(
            refusal.why,
            "the queue `b` stays and sends its dead letters there: it holds 2 messages"
        );
        world.apply(&plan).await;
        assert!(world.toy.held().keys().map(|id| &*id.name).eq(["b", "d"]));
        world.toy.assert_well_treated();
    });
}

#[test]
fn a_protected_queue_and_what_it_needs_survive_destroy_and_replace() {
    run(async {
        let world = World::new();
        let spec = file([("a", protected(sharing("d"))), ("d", plain())]);
        world.provisioned(&spec).await;
        let before = world.toy.held();
        let (plan, _) = world
            .plan_destroy(&spec, &anything())
            .await
            .expect("planned");
        let kind = RefusalKind::Protected;
        assert_eq!(refusals(&plan), [("a", kind), ("d", kind)]);
        world.apply(&plan).await;
        let changed = file([("a", protected(ordered(sharing("d")))), ("d", plain())]);
        let plan = world.plan(&changed, &anything()).await.expect("planned");
        assert_eq!(refusals(&plan), [("a", kind)]);
        world.apply(&plan).await;
        assert_eq!(world.toy.held(), before);
    });
}

#[test]
fn a_replacement_needs_its_flag_and_an_empty_queue() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", plain())])).await;
        let spec = file([("a", ordered(plain()))]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("a", RefusalKind::Immutable)]);
        let mut options = PlanOptions {
            replace: ["a".to_owned()].into(),
            ..PlanOptions::default()
        };
        world.toy.set_messages(&queue_id("a"), Some(1));
        let plan = world.plan(&spec, &options).await.expect("planned");
        assert_eq!(refusals(&plan), [("a", RefusalKind::HoldsMessages)]);
        world.apply(&plan).await;
        let kept = &world.toy.held()[&queue_id("a")];
        assert_eq!(kept.attributes[FIFO], mq_core::Value::Bool(false));
        options.drop_messages = true;
        done(&world.provision(&spec, &options).await);
        let made = &world.toy.held()[&queue_id("a")];
        assert_eq!(made.attributes[FIFO], mq_core::Value::Bool(true));
        assert_eq!(made.messages, Some(0), "it is another queue");
    });
}

#[test]
fn a_grant_comes_back_with_what_it_hangs_on_and_not_where_that_is_refused() {
    run(async {
        let world = World::new();
        // The dead-letter queue of `a` is ordered in the file, as its own queue `a-dlq` would be.
        world.provisioned(&file([("a", dead_lettered())])).await;
        let grant = |plan: &mq_core::Plan| {
            let mut changes = plan.changes.iter();
            let found = changes.find(|change| change.resource.id.name == "on a-dlq");
            found.map(|change| change.action)
        };
        let spec = file([("a", dead_lettered())]);
        let plan = world.plan(&spec, &anything()).await.expect("planned");
        assert_eq!(grant(&plan), Some(Action::NoOp));
        for (refused, action) in [(false, Action::Create), (true, Action::NoOp)] {
            let mut changes = plan.changes.clone();
            for change in changes.iter_mut().filter(|change| is_of(change, "a-dlq")) {
                change.action = Action::Replace;
                let counts = mq_core::resource::Counts {
                    visible: Some(u64::from(refused)),
                    ..mq_core::resource::Counts::default()
                };
                mq_core::plan::guard_messages(change, counts, &PlanOptions::default());
            }
            mq_core::plan::cascade_replacements(&mut changes);
            let plan = mq_core::Plan {
                changes,
                ..plan.clone()
            };
            assert_eq!(grant(&plan), Some(action));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Even applied with its refusals, and with whatever else is allowed.
    #[test]
    fn nothing_protected_or_holding_messages_goes_without_the_flag(
        first in specs(),
        second in specs(),
        messages in vec(prop_oneof![Just(Some(0)), Just(Some(1)), Just(None)], 12),
        protect in vec(any::<bool>(), 4),
        drop_messages in any::<bool>(),
        destroying in any::<bool>(),
    ) {
        run(async {
            let world = World::new();
            world.toy.put(queue_id(OUTSIDE), Held::new(None));
            done(&world.provision(&first, &anything()).await);
            let ids: Vec<ResourceId> = world.toy.held().into_keys().collect();
            for (id, messages) in ids.iter().zip(messages) {
                world.toy.set_messages(id, messages);
            }
            let mut second = second;
            for (queue, protect) in second.queues.values_mut().zip(protect) {
                if protect {
                    *queue = protected(queue.clone());
                }
            }
            let before = world.toy.held();
            let options = PlanOptions { drop_messages, ..anything() };
            if destroying {
                world.destroy(&second, &options).await.expect("planned");
            } else {
                world.provision(&second, &options).await.expect("planned");
            }
            world.toy.assert_well_treated();
            let after = world.toy.held();
            for (id, held) in must_stay(&before, &second, drop_messages) {
                let left = after.get(id).map(|left| left.generation);
                assert_eq!(left, Some(held.generation), "{id}: {held:?}");
            }
        });
    }
}

/// What no run may remove: what is not ours, what the file protects, and what holds messages.
fn must_stay<'a>(
    before: &'a BTreeMap<ResourceId, Held>,
    spec: &mq_core::Spec,
    drop_messages: bool,
) -> Vec<(&'a ResourceId, &'a Held)> {
    let protects = |queue: &str| {
        let queue = spec.queues.get(queue);
        queue.is_some_and(|queue| queue.patch.protect == mq_core::spec::Setting::Value(true))
    };
    let queues = before
        .iter()
        .filter(|(id, _)| id.kind == crate::lowering::QUEUE);
    let staying = queues.filter(|(_, held)| match &held.marker {
        None => true,
        Some(marker) => protects(&marker.queue) || (!drop_messages && held.messages != Some(0)),
    });
    staying.collect()
}
