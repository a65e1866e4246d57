//! gc removes whole queues of the file's stack that have expired and that nothing needs.

use mq_core::Spec;
use mq_core::plan::{Plan, PlanOptions, RefusalKind};

use crate::lowering::queue_id;
use crate::toy::Held;
use crate::world::{
    World, dead_lettered, done, drop_messages, expiring, file, marker, plain, refusals, run,
    sharing,
};

const MADE_AT: u64 = 1_000;
const EXPIRES_AT: u64 = MADE_AT + 3_600;

async fn on_stage(spec: &Spec) -> World {
    let mut world = World::new();
    world.stage = Some("ci".to_owned());
    world.provisioned(spec).await;
    world
}

async fn collect(world: &World, spec: &Spec, now: u64, options: &PlanOptions) -> Plan {
    world
        .plan_collection(spec, now, options)
        .await
        .expect("planned")
}

fn removed(plan: &Plan) -> Vec<&str> {
    let writing = plan.changes.iter().filter(|change| change.writes());
    writing
        .map(|change| change.resource.id.name.as_str())
        .collect()
}

#[test]
fn it_believes_the_marker_to_the_second() {
    run(async {
        let spec = expiring(file([("a", dead_lettered())]));
        let world = on_stage(&spec).await;
        world.toy.put(
            queue_id("lasting"),
            Held::new(Some(marker("shop", "lasting"))),
        );
        let plan = collect(&world, &spec, EXPIRES_AT - 1, &drop_messages()).await;
        assert_eq!(removed(&plan), [""; 0]);
        let plan = collect(&world, &spec, EXPIRES_AT, &drop_messages()).await;
        assert_eq!(removed(&plan), ["ci-a", "ci-a-dlq"]);
        done(&Ok(world.apply(&plan).await));
        assert!(world.toy.held().keys().map(|id| &*id.name).eq(["lasting"]));
        world.toy.assert_well_treated();
    });
}

#[test]
fn it_keeps_to_the_stack_and_origin_of_the_file_and_without_one_takes_any() {
    run(async {
        let spec = expiring(file([("a", plain())]));
        let world = on_stage(&spec).await;
        let mut other = spec.clone();
        other.stack = "market".to_owned();
        let mut elsewhere = spec.clone();
        elsewhere.origin = Some("github.com/other/shop".to_owned());
        for foreign in [&other, &elsewhere] {
            let plan = collect(&world, foreign, EXPIRES_AT, &drop_messages()).await;
            assert_eq!(removed(&plan), [""; 0]);
        }
        let plan = collect(&world, &Spec::default(), EXPIRES_AT, &drop_messages()).await;
        assert_eq!(removed(&plan), ["ci-a"]);
    });
}

#[test]
fn a_queue_goes_when_its_last_part_has_expired() {
    run(async {
        let spec = expiring(file([("a", dead_lettered())]));
        let world = on_stage(&spec).await;
        let id = queue_id("ci-a-dlq");
        let mut dead = world.toy.held()[&id].clone();
        dead.marker.as_mut().expect("marked").expires_at = Some(EXPIRES_AT + 60);
        world.toy.put(id, dead);
        let plan = collect(&world, &spec, EXPIRES_AT, &drop_messages()).await;
        assert_eq!(removed(&plan), [""; 0]);
        let plan = collect(&world, &spec, EXPIRES_AT + 60, &drop_messages()).await;
        assert_eq!(removed(&plan), ["ci-a", "ci-a-dlq"]);
    });
}

#[test]
fn what_a_queue_that_lasts_sends_its_dead_letters_to_is_kept() {
    run(async {
        let spec = expiring(file([("a", sharing("d")), ("b", plain()), ("d", plain())]));
        let world = on_stage(&spec).await;
        let id = queue_id("ci-a");
        let mut lasting = world.toy.held()[&id].clone();
        lasting.marker.as_mut().expect("marked").expires_at = None;
        world.toy.put(id, lasting);
        let plan = collect(&world, &spec, EXPIRES_AT, &drop_messages()).await;
        assert_eq!(removed(&plan), ["ci-b"]);
    });
}

#[test]
fn a_stage_that_holds_messages_does_not_keep_the_queue_of_that_key_of_another() {
    run(async {
        let mut spec = expiring(file([("a", plain())]));
        let stages = spec.stages.as_mut().expect("a stage");
        let other = stages["ci"].clone();
        stages.insert("ci2".to_owned(), other);
        let mut world = on_stage(&spec).await;
        world.stage = Some("ci2".to_owned());
        world.provisioned(&spec).await;
        world.toy.set_messages(&queue_id("ci-a"), Some(1));
        let plan = collect(&world, &spec, EXPIRES_AT, &PlanOptions::default()).await;
        assert_eq!(refusals(&plan), [("ci-a", RefusalKind::HoldsMessages)]);
        assert_eq!(removed(&plan), ["ci2-a"]);
    });
}
