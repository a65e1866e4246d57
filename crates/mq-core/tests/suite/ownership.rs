//! Whose a resource is decides what may be done to it.

use mq_core::plan::{Action, PlanOptions, RefusalKind};
use mq_core::{Effect, ErrorKind, Retry, Value};

use crate::lowering::{FIFO, LEASE, LINK, queue_id};
use crate::toy::{Fault, Faults, Held};
use crate::world::{
    World, anything, dead_lettered, dead_lettered_outside, done, drop_messages, file, marker,
    ordered, plain, protected, pruning, refusals, run, sharing, unmanaged,
};

fn seconds(seconds: u64) -> Value {
    Value::Duration(std::time::Duration::from_secs(seconds))
}

fn adopting() -> PlanOptions {
    PlanOptions {
        adopt: true,
        ..PlanOptions::default()
    }
}

#[test]
fn what_is_there_without_a_marker_is_taken_over_only_when_that_is_said() {
    run(async {
        let world = World::new();
        let spec = file([("orders", plain())]);
        let found = Held::new(None)
            .with(FIFO, Value::Bool(false))
            .with(LEASE, seconds(77));
        world.toy.put(queue_id("orders"), found.clone());

        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("orders", RefusalKind::NotAdopted)]);
        world.apply(&plan).await;
        assert_eq!(world.toy.held()[&queue_id("orders")], found);

        let plan = world.plan(&spec, &adopting()).await.expect("planned");
        assert_eq!(plan.changes[0].action, Action::Adopt);
        assert_eq!(plan.changes[0].unmanaged[LEASE], seconds(77));
        done(&Ok(world.apply(&plan).await));
        let adopted = &world.toy.held()[&queue_id("orders")];
        assert_eq!(adopted.marker, Some(marker("shop", "orders")));
        assert_eq!(
            adopted.attributes[LEASE],
            seconds(77),
            "what the file does not state stays"
        );
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert!(!plan.pending());
    });
}

#[test]
fn another_stack_stage_or_origin_is_refused_whatever_is_allowed() {
    run(async {
        let ours = file([("orders", dead_lettered())]);
        let mut with_origin = ours.clone();
        with_origin.origin = Some("github.com/acme/shop".to_owned());
        let owner = |origin: Option<&str>, stack: &str, stage: Option<&str>| {
            let mut marker = marker(stack, "orders");
            marker.owner.origin = origin.map(mq_core::queue::OriginHash::of);
            marker.owner.stage = stage.map(str::to_owned);
            marker
        };
        let elsewhere = Some("github.com/other/shop");
        for (found, kind) in [
            (owner(None, "market", None), RefusalKind::NotOurs),
            (owner(elsewhere, "shop", Some("dev")), RefusalKind::NotOurs),
            (owner(elsewhere, "shop", None), RefusalKind::OtherOrigin),
        ] {
            for spec in [&ours, &with_origin] {
                let world = World::new();
                let held = Held::new(Some(found.clone()));
                world.toy.put(queue_id("orders"), held.clone());
                let plan = world.plan(spec, &anything()).await.expect("planned");
                assert_eq!(refusals(&plan), [("orders", kind)]);
                world.apply(&plan).await;
                world
                    .destroy(spec, &drop_messages())
                    .await
                    .expect("planned");
                assert_eq!(world.toy.held()[&queue_id("orders")], held);
            }
        }
    });
}

#[test]
fn a_file_that_is_given_an_origin_takes_over_what_it_made_without_one() {
    run(async {
        let world = World::new();
        let mut spec = file([("orders", plain())]);
        world.provisioned(&spec).await;
        spec.origin = Some("github.com/acme/shop".to_owned());
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("orders", RefusalKind::OtherOrigin)]);
        done(&world.provision(&spec, &adopting()).await);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert!(!plan.pending());
    });
}

#[test]
fn prune_removes_what_is_ours_and_no_longer_in_the_file_and_nothing_else() {
    run(async {
        let world = World::new();
        world
            .toy
            .put(queue_id("theirs"), Held::new(Some(marker("market", "a"))));
        world.toy.put(queue_id("nobodys"), Held::new(None));
        world
            .provisioned(&file([("a", plain()), ("b", dead_lettered())]))
            .await;
        let spec = file([("a", plain())]);
        done(&world.provision(&spec, &PlanOptions::default()).await);
        assert!(
            world.toy.held().contains_key(&queue_id("b")),
            "not without the flag"
        );
        done(&world.provision(&spec, &pruning()).await);
        let names: Vec<String> = world.toy.held().into_keys().map(|id| id.name).collect();
        assert_eq!(names, ["a", "nobodys", "theirs"]);
        world.toy.assert_well_treated();
    });
}

#[test]
fn prune_takes_back_the_link_before_it_removes_the_dead_letter_queue() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", dead_lettered())])).await;
        let spec = file([("a", plain())]);
        done(&world.provision(&spec, &PlanOptions::default()).await);
        let held = world.toy.held();
        assert!(!held[&queue_id("a")].attributes.contains_key(LINK));
        assert!(
            held.contains_key(&queue_id("a-dlq")),
            "unlinked, and still there"
        );
        done(&world.provision(&spec, &pruning()).await);
        assert!(!world.toy.held().contains_key(&queue_id("a-dlq")));
        world.toy.assert_well_treated();
    });
}

#[test]
fn a_link_that_someone_else_made_stays() {
    run(async {
        let world = World::new();
        let spec = file([("a", plain())]);
        world.provisioned(&spec).await;
        world
            .toy
            .change(&queue_id("a"), LINK, Value::text("theirs"));
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert!(!plan.pending());
        assert_eq!(plan.changes[0].unmanaged[LINK], Value::text("theirs"));
    });
}

#[test]
fn a_queue_that_another_still_links_to_is_not_pruned() {
    run(async {
        let world = World::new();
        let linked = file([("a", sharing("d")), ("d", plain())]);
        world.provisioned(&linked).await;
        // Only links to a queue's own dead letters are known to be ours to take back.
        let spec = file([("a", plain())]);
        let plan = world.plan(&spec, &pruning()).await.expect("planned");
        assert_eq!(refusals(&plan), [("d", RefusalKind::InUse)]);
        world.apply(&plan).await;
        assert!(world.toy.held().contains_key(&queue_id("d")));
        // Linked elsewhere, it is no longer needed.
        done(
            &world
                .provision(&file([("a", dead_lettered())]), &pruning())
                .await,
        );
        assert!(!world.toy.held().contains_key(&queue_id("d")));
        world.toy.assert_well_treated();
    });
}

#[test]
fn a_part_of_a_protected_queue_is_not_pruned() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", dead_lettered())])).await;
        let spec = file([("a", protected(plain()))]);
        let options = PlanOptions {
            drop_messages: true,
            ..pruning()
        };
        let plan = world.plan(&spec, &options).await.expect("planned");
        assert_eq!(refusals(&plan), [("a-dlq", RefusalKind::Protected)]);
        world.apply(&plan).await;
        assert!(world.toy.held().contains_key(&queue_id("a-dlq")));
    });
}

#[test]
fn a_queue_that_became_someone_elses_is_left_alone_though_it_carries_our_marker() {
    run(async {
        for options in [pruning(), anything()] {
            let world = World::new();
            world
                .provisioned(&file([("a", dead_lettered()), ("b", plain())]))
                .await;
            let held = world.toy.held();
            let spec = file([("a", unmanaged(plain()))]);
            done(&world.provision(&spec, &options).await);
            done(&world.destroy(&spec, &drop_messages()).await);
            let left = world.toy.held();
            for name in ["a", "a-dlq"] {
                assert_eq!(
                    left.get(&queue_id(name)),
                    held.get(&queue_id(name)),
                    "{name}"
                );
            }
            assert!(!left.contains_key(&queue_id("b")), "`b` is still ours");
        }
    });
}

#[test]
fn what_the_file_names_as_someone_elses_is_spared_though_it_carries_our_marker() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("old", plain())])).await;
        let held = world.toy.held();
        let spec = file([("a", dead_lettered_outside("old"))]);
        done(&world.provision(&spec, &pruning()).await);
        done(&world.destroy(&spec, &drop_messages()).await);
        assert_eq!(world.toy.held(), held);
    });
}

#[test]
fn nothing_is_pruned_where_only_some_queues_are_meant() {
    run(async {
        let mut world = World::new();
        let spec = file([("a", plain()), ("b", plain())]);
        world.provisioned(&spec).await;
        world.chosen = vec!["a".to_owned()];
        done(&world.provision(&spec, &pruning()).await);
        assert!(world.toy.held().contains_key(&queue_id("b")));
    });
}

#[test]
fn an_unmanaged_queue_is_compared_and_never_written() {
    run(async {
        let world = World::new();
        let spec = file([("a", ordered(unmanaged(plain())))]);
        let plan = world.plan(&spec, &anything()).await.expect("planned");
        assert_eq!(refusals(&plan), [("a", RefusalKind::Missing)]);
        world.toy.put(
            queue_id("a"),
            Held::new(None).with(FIFO, Value::Bool(false)),
        );
        let plan = world.plan(&spec, &anything()).await.expect("planned");
        assert!(plan.changes[0].drifts_unmanaged() && !plan.writes());

        let mut world = world;
        world.chosen = vec!["a".to_owned()];
        let (plan, _) = world
            .plan_destroy(&spec, &anything())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("a", RefusalKind::Unmanaged)]);
        assert!(!plan.writes());
    });
}

#[test]
fn a_chosen_queue_is_destroyed_though_its_dead_letters_go_to_someone_else() {
    run(async {
        let mut world = World::new();
        world.toy.put(queue_id("outside"), Held::new(None));
        let spec = file([("a", dead_lettered_outside("outside")), ("b", plain())]);
        world.provisioned(&spec).await;
        world.chosen = vec!["a".to_owned()];
        done(&world.destroy(&spec, &drop_messages()).await);
        let names: Vec<String> = world.toy.held().into_keys().map(|id| id.name).collect();
        assert_eq!(names, ["b", "outside"]);
    });
}

#[test]
fn destroy_without_the_right_to_list_removes_what_the_file_names_and_says_so() {
    run(async {
        let world = World::new();
        world
            .provisioned(&file([("a", plain()), ("b", plain())]))
            .await;
        world.toy.set_faults(Faults {
            listing_denied: true,
            ..Faults::default()
        });
        let spec = file([("a", plain())]);
        let (plan, unlisted) = world
            .plan_destroy(&spec, &drop_messages())
            .await
            .expect("planned");
        assert!(unlisted);
        done(&Ok(world.apply(&plan).await));
        assert!(world.toy.held().keys().map(|id| &*id.name).eq(["b"]));
        let error = world
            .plan(&spec, &pruning())
            .await
            .expect_err("prune must list");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        // Any other failure of the listing is one of the plan.
        let fault = Fault::Fails(ErrorKind::Unavailable, Retry::Never, Effect::None);
        world.toy.forget_calls();
        world.toy.set_faults(Faults {
            at: [(1, fault)].into(),
            ..Faults::default()
        });
        let planned = world.plan_destroy(&spec, &drop_messages()).await;
        let error = planned.expect_err("the listing failed");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn a_resource_moves_between_queues_of_a_file_only_when_that_is_said() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", plain())])).await;
        let mut renamed = plain();
        renamed.names.insert(
            "toy".to_owned(),
            mq_core::queue::Names {
                queue: Some("a".to_owned()),
                ..mq_core::queue::Names::default()
            },
        );
        let spec = file([("b", renamed)]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(refusals(&plan), [("a", RefusalKind::NotAdopted)]);
        done(&world.provision(&spec, &adopting()).await);
        assert_eq!(
            world.toy.held()[&queue_id("a")].marker,
            Some(marker("shop", "b"))
        );
    });
}

#[test]
fn two_queues_of_one_name_are_refused_before_anything_is_read() {
    run(async {
        let world = World::new();
        let mut twin = plain();
        twin.names.insert(
            "toy".to_owned(),
            mq_core::queue::Names {
                queue: Some("a".to_owned()),
                ..mq_core::queue::Names::default()
            },
        );
        let spec = file([("a", plain()), ("b", twin)]);
        let error = world
            .plan(&spec, &anything())
            .await
            .expect_err("a collision");
        assert_eq!(error.kind(), ErrorKind::SpecInvalid);
        assert_eq!(world.toy.calls(), [""; 0]);
    });
}
