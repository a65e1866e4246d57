//! Provisioning one cloud: what is printed, what is asked, what is refused.

use mq_core::ErrorKind;

use crate::capture::Audience;
use crate::fake::World;

const ORDERS: &str = "  orders: { dead_letter: { max_deliveries: 5 } }";

#[test]
fn a_fourth_backend_is_all_that_a_fourth_cloud_needs() {
    let world = World::new(&["fourth"], ORDERS);
    insta::assert_snapshot!(world.run(&["check"]), @r"
    exit code: 0
    ----- stdout -----
    orders
      attribute           value  fourth
      visibility_timeout  30s    exact

    ----- stderr -----
    ");
    insta::assert_snapshot!(world.run(&["provision", "--cloud", "fourth"]), @r#"
    exit code: 0
    ----- stdout -----
    fourth	orders	queue	fake://fourth/orders

    ----- stderr -----
    mq will perform the following actions in fourth (fourth-scope):
        + create

      + fake.queue "orders-dlq" will be created
      + fake.queue "orders" will be created
          visibility_timeout = 30s  # Lease

    Plan: 2 to add, 0 to change, 0 to destroy.

    fourth: created fake.queue "orders-dlq"
    fourth: created fake.queue "orders"
    fourth: 2 changes made and read back
    "#);
    insta::assert_snapshot!(world.run(&["endpoint", "--cloud", "all"]), @r"
    exit code: 0
    ----- stdout -----
    fourth	orders	queue	fake://fourth/orders

    ----- stderr -----
    ");
    let completions = world.run(&["provision", "--help"]);
    assert!(
        completions.stdout.contains("The cloud (fourth)"),
        "{completions}"
    );
}

#[test]
fn the_second_run_writes_nothing() {
    let world = World::new(&["fake"], ORDERS);
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    let writes = world.cloud(0).writes.len();
    assert_eq!(writes, 2);
    let again = world.run(&["provision", "--cloud", "fake"]);
    again.ends_with(0);
    assert_eq!(world.cloud(0).writes.len(), writes);
    assert_eq!(again.stdout, "fake\torders\tqueue\tfake://fake/orders\n");
}

#[test]
fn a_change_in_place_is_made_without_a_question() {
    let world = World::new(&["fake"], ORDERS);
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world.write("  orders: { visibility_timeout: 60s, dead_letter: { max_deliveries: 5 } }");
    insta::assert_snapshot!(world.run(&["plan", "--cloud", "fake", "--detailed-exitcode"]), @r#"
    exit code: 2
    ----- stdout -----
    mq will perform the following actions in fake (fake-scope):
        ~ update in place

      ~ fake.queue "orders" will be updated in place
          visibility_timeout = 30s -> 1m  # Lease

    Plan: 0 to add, 1 to change, 0 to destroy.

    ----- stderr -----
    "#);
    insta::assert_snapshot!(world.run(&["status", "--cloud", "fake", "--detailed-exitcode"]), @r#"
    exit code: 2
    ----- stdout -----
    fake (fake-scope)
      orders
        fake.queue "orders-dlq" is as the file says
        fake.queue "orders" differs
          visibility_timeout = 30s, and the file says 1m  # Lease

    ----- stderr -----
    "#);
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world
        .run(&["plan", "--cloud", "fake", "--detailed-exitcode"])
        .ends_with(0);
}

#[test]
fn what_is_there_and_not_ours_is_adopted_only_when_it_is_said_and_confirmed() {
    let world = World::new(&["fake"], "  orders: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    for (_, present) in world.cloud(0).resources.values_mut() {
        present.marker = None;
    }
    insta::assert_snapshot!(world.run(&["provision", "--cloud", "fake"]), @r#"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    mq will do nothing in fake (fake-scope) as long as one of these changes is refused:
        ^ adopt: it gets our marker, and what the file states

      ^ fake.queue "orders" will not be adopted
          # stays as it is: Lease = 30s
          # refused: it is there already and `mq` did not make it
          # run `mq provision --adopt` to take it over, or say `manage: false` in the file

    Plan: 0 to add, 0 to change, 0 to destroy, 1 refused.

    error: fake: nothing was written there, with 1 refused change
      fake.queue "orders": it is there already and `mq` did not make it
    hint: run `mq provision --adopt` to take it over, or say `manage: false` in the file
    "#);
    let adopt = ["provision", "--cloud", "fake", "--adopt"];
    insta::assert_snapshot!(world.run(&adopt), @r#"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    mq will perform the following actions in fake (fake-scope):
        ^ adopt: it gets our marker, and what the file states

      ^ fake.queue "orders" will be adopted
          # stays as it is: Lease = 30s

    Plan: 0 to add, 1 to change, 0 to destroy.

    error: nothing was written: queues on fake would be destroyed, replaced or adopted
      nobody can be asked here
    hint: look at the plan, then add `--yes`
    "#);
    let no = world.run_as(&adopt, &[], Audience::Person("no\n"));
    no.ends_with(5);
    assert!(no.stderr.contains("the answer was not `yes`"), "{no}");
    assert_eq!(world.cloud(0).writes.len(), 1);
    world
        .run_as(&adopt, &[], Audience::Person("yes\n"))
        .ends_with(0);
    assert_eq!(world.cloud(0).writes.len(), 2);
}

#[test]
fn nobody_is_asked_in_ci_or_with_no_input() {
    let world = World::new(&["fake"], "  orders: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    for (_, present) in world.cloud(0).resources.values_mut() {
        present.marker = None;
    }
    let adopt = ["provision", "--cloud", "fake", "--adopt"];
    world
        .run_as(&adopt, &[("CI", "true")], Audience::Person("yes\n"))
        .ends_with(5);
    let quiet = ["provision", "--cloud", "fake", "--adopt", "--no-input"];
    world
        .run_as(&quiet, &[], Audience::Person("yes\n"))
        .ends_with(5);
    assert_eq!(world.cloud(0).writes.len(), 1);
    world
        .run(&["provision", "--cloud", "fake", "--adopt", "--yes"])
        .ends_with(0);
}

#[test]
fn an_unsupported_value_stops_before_any_call() {
    let world = World::new(&["fake"], "  orders: { visibility_timeout: 11m }");
    world.cloud(0).unreachable = Some(ErrorKind::Unavailable);
    insta::assert_snapshot!(world.run(&["provision", "--cloud", "fake"]), @r"
    exit code: 64
    ----- stdout -----

    ----- stderr -----
    error[verdict/unsupported]: the service has nothing like it
     --> [DIR]/mq.yaml:4:33
      |
    4 |   orders: { visibility_timeout: 11m }
      |                                 ^^^
      |
      = queue `orders` on `fake`: visibility_timeout = 11m: the service takes 0s to 10m
      = hint: change the value, or add `visibility_timeout@fake` to the queue's `accept`

    error: [DIR]/mq.yaml has 1 error
    ");
    world.write("  orders: { visibility_timeout: 11m, accept: [visibility_timeout@fake] }");
    world.cloud(0).unreachable = None;
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
}

#[test]
fn strict_wants_every_verdict_accepted() {
    let world = World::new(&["fake"], "  orders: { delivery_delay: 5s }");
    let warned = world.run(&["check"]);
    warned.ends_with(0);
    assert!(
        warned.stderr.contains("warning[verdict/client-side]"),
        "{warned}"
    );
    world.run(&["check", "--strict"]).ends_with(64);
    world
        .run(&["provision", "--cloud", "fake", "--strict"])
        .ends_with(64);
    assert!(world.cloud(0).writes.is_empty());
    world.write("  orders: { delivery_delay: 5s, accept: [delivery_delay@fake] }");
    let accepted = world.run(&["check", "--strict"]);
    accepted.ends_with(0);
    assert!(
        accepted.stdout.contains("client-side, accepted"),
        "{accepted}"
    );
}

#[test]
fn a_failure_names_the_operation_the_resource_and_how_to_go_on() {
    let world = World::new(&["fake"], ORDERS);
    world.cloud(0).failing = Some(("orders".into(), ErrorKind::PermissionDenied));
    insta::assert_snapshot!(world.run(&["provision", "--cloud", "fake"]), @r#"
    exit code: 6
    ----- stdout -----

    ----- stderr -----
    mq will perform the following actions in fake (fake-scope):
        + create

      + fake.queue "orders-dlq" will be created
      + fake.queue "orders" will be created
          visibility_timeout = 30s  # Lease

    Plan: 2 to add, 0 to change, 0 to destroy.

    fake: created fake.queue "orders-dlq"
    error: failed to create fake.queue "orders" on fake
      MakeQueue: the fake cloud fails
    error: fake: only 1 of 2 changes made
    hint: run the same command again: it goes on from what is there
    "#);
    world.cloud(0).failing = None;
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world
        .run(&["plan", "--cloud", "fake", "--detailed-exitcode"])
        .ends_with(0);
}

#[test]
fn a_cloud_that_keeps_another_value_is_told() {
    let world = World::new(&["fake"], "  orders: { visibility_timeout: 60s }");
    world.cloud(0).ignores_writes = true;
    insta::assert_snapshot!(world.run(&["provision", "--cloud", "fake"]), @r#"
    exit code: 8
    ----- stdout -----
    fake	orders	queue	fake://fake/orders

    ----- stderr -----
    mq will perform the following actions in fake (fake-scope):
        + create

      + fake.queue "orders" will be created
          visibility_timeout = 1m  # Lease

    Plan: 1 to add, 0 to change, 0 to destroy.

    fake: created fake.queue "orders"
    error: fake: fake.queue "orders": Lease was written as 1m, and reads 1s
    error: fake: 1 of 1 change made, and the cloud did not do what was asked
    "#);
}

#[test]
fn unknown_words_send_nothing_anywhere() {
    let world = World::new(&["fake"], ORDERS);
    world.cloud(0).unreachable = Some(ErrorKind::Unexpected);
    for (arguments, hint) in [
        (
            &["provision", "--cloud", "fkae"][..],
            "did you mean `--cloud fake`?",
        ),
        (
            &["provision", "--cloud", "fake", "--queue", "order"],
            "did you mean `orders`?",
        ),
        (
            &["provision", "--cloud", "fake", "--replace", "order"],
            "names no queue",
        ),
        (
            &["provision", "--cloud", "fake", "--stage", "Not A Stage"],
            "--stage",
        ),
        (&["provision", "--clod", "fake"], "--cloud"),
        (&["provision"], "--cloud"),
    ] {
        let ran = world.run(arguments);
        ran.ends_with(64);
        assert!(ran.stderr.contains(hint), "{arguments:?}\n{ran}");
        assert_eq!(ran.stdout, "");
    }
}
