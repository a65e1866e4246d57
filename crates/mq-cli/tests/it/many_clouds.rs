//! Several clouds at once: all or none before the first write, and the worst counts after it.

use mq_core::ErrorKind;
use serde_json::json;

use crate::fake::World;

const ORDERS: &str = "  orders: {}";
const ALL: [&str; 3] = ["provision", "--cloud", "all"];

#[test]
fn one_cloud_that_cannot_be_reached_keeps_all_from_being_written() {
    let world = World::new(&["one", "two"], ORDERS);
    world.cloud(1).unreachable = Some(ErrorKind::Unauthenticated);
    insta::assert_snapshot!(world.run(&ALL), @r"
    exit code: 4
    ----- stdout -----

    ----- stderr -----
    error: failed to reach two
      the fake cloud says no
    hint: ask it nicely
    error: 1 of 2 clouds failed, and nothing was written on any
    ");
    assert!(world.cloud(0).writes.is_empty());
}

#[test]
fn after_the_first_write_one_failure_does_not_stop_the_others() {
    let world = World::new(&["one", "two"], ORDERS);
    world.cloud(0).failing = Some(("orders".into(), ErrorKind::PermissionDenied));
    let ran = world.run(&ALL);
    ran.ends_with(4);
    assert_eq!(ran.stdout, "two\torders\tqueue\tfake://two/orders\n");
}

#[test]
fn the_document_has_one_outcome_for_each_cloud_whatever_the_end() {
    let world = World::new(&["one", "two", "three"], ORDERS);
    world.cloud(0).failing = Some(("orders".into(), ErrorKind::PermissionDenied));
    world.run(&["provision", "--cloud", "three"]).ends_with(0);
    let ran = world.run(&["provision", "--cloud", "all", "--output", "json"]);
    ran.ends_with(4);
    let document = ran.json();
    let outcomes: Vec<_> = document["clouds"]
        .as_array()
        .expect("clouds")
        .iter()
        .map(|cloud| json!([cloud["cloud"], cloud["outcome"], cloud["exit_code"]]))
        .collect();
    assert_eq!(
        outcomes,
        [
            json!(["one", "failed", 4]),
            json!(["two", "applied", 0]),
            json!(["three", "unchanged", 0])
        ]
    );

    world.cloud(1).unreachable = Some(ErrorKind::Unavailable);
    let ran = world.run(&["provision", "--cloud", "all", "--output", "json"]);
    ran.ends_with(75);
    let document = ran.json();
    let outcomes: Vec<_> = document["clouds"]
        .as_array()
        .expect("clouds")
        .iter()
        .map(|cloud| cloud["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["not-started", "failed", "not-started"]);
    assert_eq!(document["exit_code"], 75);
}

#[test]
fn a_refused_change_keeps_its_cloud_as_it_is_and_no_other() {
    let world = World::new(&["one", "two"], "  a: {}\n  b: {}");
    world
        .run(&["provision", "--cloud", "one", "--queue", "a"])
        .ends_with(0);
    for (_, present) in world.cloud(0).resources.values_mut() {
        present.marker = None;
    }
    let ran = world.run(&ALL);
    ran.ends_with(5);
    assert_eq!(world.cloud(0).writes.len(), 1, "{ran}");
    assert_eq!(world.cloud(1).writes.len(), 2, "{ran}");
}

#[test]
fn fail_fast_begins_nothing_elsewhere() {
    let world = World::new(&["one", "two"], "  a: {}\n  b: {}");
    world
        .run(&["provision", "--cloud", "one", "--queue", "a"])
        .ends_with(0);
    for (_, present) in world.cloud(0).resources.values_mut() {
        present.marker = None;
    }
    let ran = world.run(&[
        "provision",
        "--cloud",
        "all",
        "--fail-fast",
        "--output",
        "json",
    ]);
    ran.ends_with(5);
    assert!(world.cloud(1).writes.is_empty(), "{ran}");
    let document = ran.json();
    assert_eq!(document["clouds"][0]["outcome"], "refused");
    assert_eq!(document["clouds"][1]["outcome"], "not-started");
}
