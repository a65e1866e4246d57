//! Removing: only what is ours, only when nothing is lost, only when it is confirmed.

use crate::capture::Audience;
use crate::fake::World;

#[test]
fn nothing_goes_without_a_yes() {
    let world = World::new(&["fake"], "  orders: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    insta::assert_snapshot!(world.run(&["destroy", "--cloud", "fake"]), @r#"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    mq will perform the following actions in fake (fake-scope):
        - destroy

      - fake.queue "orders" will be destroyed

    Plan: 0 to add, 0 to change, 1 to destroy.
    error: nothing was written: queues on fake would be destroyed, replaced or adopted
      nobody can be asked here
    hint: look at the plan, then add `--yes`
    "#);
    let dry = world.run(&["destroy", "--cloud", "fake", "--dry-run"]);
    dry.ends_with(0);
    assert!(
        dry.stdout
            .contains("- fake.queue \"orders\" will be destroyed"),
        "{dry}"
    );
    assert_eq!(world.cloud(0).resources.len(), 1);
    world
        .run_as(
            &["destroy", "--cloud", "fake"],
            &[],
            Audience::Person("yes\n"),
        )
        .ends_with(0);
    assert!(world.cloud(0).resources.is_empty());
    world.run(&["destroy", "--cloud", "fake"]).ends_with(0);
}

#[test]
fn messages_keep_a_queue() {
    let world = World::new(&["fake"], "  orders: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world.cloud(0).messages = 3;
    insta::assert_snapshot!(world.run(&["destroy", "--cloud", "fake", "--yes"]), @r#"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    mq will do nothing in fake (fake-scope) as long as one of these changes is refused:
        - destroy

      - fake.queue "orders" will not be destroyed
          # refused: it holds 3 messages
          # run again with `--drop-messages` to lose them

    Plan: 0 to add, 0 to change, 0 to destroy, 1 refused.
    error: fake: nothing was written there, with 1 refused change
      fake.queue "orders": it holds 3 messages
    hint: run again with `--drop-messages` to lose them
    "#);
    world
        .run(&["destroy", "--cloud", "fake", "--yes", "--drop-messages"])
        .ends_with(0);
    assert!(world.cloud(0).resources.is_empty());
}

#[test]
fn what_the_file_no_longer_has_goes_only_with_prune() {
    let world = World::new(&["fake"], "  orders: {}\n  old: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world.write("  orders: {}");
    world
        .run(&["plan", "--cloud", "fake", "--detailed-exitcode"])
        .ends_with(0);
    world
        .run(&["provision", "--cloud", "fake", "--prune"])
        .ends_with(5);
    world
        .run(&[
            "provision",
            "--cloud",
            "fake",
            "--prune",
            "--queue",
            "orders",
        ])
        .ends_with(64);
    world
        .run(&["provision", "--cloud", "fake", "--prune", "--yes"])
        .ends_with(0);
    assert_eq!(world.cloud(0).resources.len(), 1);
}

#[test]
fn a_file_that_a_cloud_would_refuse_today_can_still_be_removed() {
    let world = World::new(&["fake"], "  orders: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world.write("  orders: { visibility_timeout: 11m }");
    world.run(&["provision", "--cloud", "fake"]).ends_with(64);
    world.run(&["endpoint", "--cloud", "fake"]).ends_with(0);
    world
        .run(&["destroy", "--cloud", "fake", "--yes"])
        .ends_with(0);
    assert!(world.cloud(0).resources.is_empty());
}

#[test]
fn gc_believes_only_the_time_on_the_resource() {
    let world = World::new(&["fake"], "  a: {}\n  b: {}\n  c: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    for (id, (_, present)) in &mut world.cloud(0).resources {
        let marker = present.marker.as_mut().expect("ours");
        match id.name.as_str() {
            "a" => {
                marker.expires_at = Some(1);
                marker.owner.stage = Some("ci-7".into());
            }
            "b" => {
                marker.expires_at = Some(1);
                marker.owner.stack = "another".into();
            }
            _ => {}
        }
    }
    world.run(&["gc", "--cloud", "fake"]).ends_with(5);
    world.run(&["gc", "--cloud", "fake", "--yes"]).ends_with(0);
    let left = |world: &World| -> Vec<String> {
        world
            .cloud(0)
            .resources
            .keys()
            .map(|id| id.name.clone())
            .collect()
    };
    assert_eq!(left(&world), ["b", "c"]);
}
