//! How a run ends, and what it says then.

use std::time::Duration;

use mq_core::{ErrorKind, Value};

use super::{TWICE, steady, verify};
use crate::fake::World;

const ORDERS: &str = "  orders: {}";

#[test]
fn what_is_kept_is_passed_and_nothing_stays_behind() {
    let world = World::new(&["one", "two"], ORDERS);
    let ran = verify(&world, &[TWICE, "wrong-account-is-refused"], &[]);
    insta::assert_snapshot!(steady(&ran), @r#"
    exit code: 0
    ----- stdout -----
    one  Fake Queues: one-scope
    two  Fake Queues: two-scope

    orders
        attribute           value  one                two
        visibility_timeout  30s    exact (not there)  exact (not there)

    orders, with a copy of it: control
        behaviour      one     two
        destroy-twice  ✓ pass  ✓ pass

    control, with queues of the suite's own
        behaviour      one     two
        destroy-twice  ✓ pass  ✓ pass
        1 skipped everywhere [1]: wrong-account-is-refused

    [1] the cloud's entry has no setting that states the account

    one  2 passed, 0 failed, 1 skipped
           skipped by reason: 1×[1]
    two  2 passed, 0 failed, 1 skipped
           skipped by reason: 1×[1]
    all  4 passed, 0 failed, 2 skipped in [TIME]

    ----- stderr -----
    one (one-scope): 3 cases, at most [REQUESTS]
    two (two-scope): 3 cases, at most [REQUESTS]
    "#);
    assert!(!world.cloud(0).writes.is_empty());
    assert!(
        world.cloud(0).resources.is_empty(),
        "{:?}",
        world.cloud(0).resources
    );
}

#[test]
fn a_broken_promise_is_3_and_says_what_was_seen() {
    let world = World::new(&["one", "two"], ORDERS);
    world.cloud(1).ignores_writes = true;
    let ran = verify(&world, &["created-as-stated"], &["--parallelism", "1"]);
    insta::assert_snapshot!(steady(&ran), @r#"
    exit code: 3
    ----- stdout -----
    one  Fake Queues: one-scope
    two  Fake Queues: two-scope

    orders
        attribute           value  one                two
        visibility_timeout  30s    exact (not there)  exact (not there)

    orders, with a copy of it: control
        behaviour          one     two
     ≠  created-as-stated  ✓ pass  ✗ FAIL

    control, with queues of the suite's own
        behaviour          one     two
     ≠  created-as-stated  ✓ pass  ✗ FAIL

    ≠ the clouds are not alike there

    ✗ FAIL two: orders: control/created-as-stated
        promise: A queue that is provisioned is there with all its parts, and each reads as the file says.
        seen: fake.queue "verify-[RUN]-1-orders": Lease was written as 30s and reads as 1s
    ✗ FAIL two: control/created-as-stated
        promise: A queue that is provisioned is there with all its parts, and each reads as the file says.
        seen: fake.queue "verify-[RUN]-3-sample": Lease was written as 30s and reads as 1s

    one  2 passed, 0 failed, 0 skipped
    two  0 passed, 2 failed, 0 skipped
    all  2 passed, 2 failed, 0 skipped in [TIME]

    ----- stderr -----
    one (one-scope): 2 cases, at most [REQUESTS]
    two (two-scope): 2 cases, at most [REQUESTS]
    two: FAIL orders: control/created-as-stated: fake.queue "verify-[RUN]-1-orders": Lease was written as 30s and reads as 1s
    two: FAIL control/created-as-stated: fake.queue "verify-[RUN]-3-sample": Lease was written as 30s and reads as 1s
    error: of 4 cases, 2 failed
    "#);
    let quiet = verify(
        &world,
        &["created-as-stated"],
        &["--quiet", "--parallelism", "1"],
    );
    insta::assert_snapshot!(steady(&quiet), @r#"
    exit code: 3
    ----- stdout -----
    ✗ FAIL two: orders: control/created-as-stated
        promise: A queue that is provisioned is there with all its parts, and each reads as the file says.
        seen: fake.queue "verify-[RUN]-1-orders": Lease was written as 30s and reads as 1s
    ✗ FAIL two: control/created-as-stated
        promise: A queue that is provisioned is there with all its parts, and each reads as the file says.
        seen: fake.queue "verify-[RUN]-3-sample": Lease was written as 30s and reads as 1s

    one  2 passed, 0 failed, 0 skipped
    two  0 passed, 2 failed, 0 skipped
    all  2 passed, 2 failed, 0 skipped in [TIME]

    ----- stderr -----
    one (one-scope): 2 cases, at most [REQUESTS]
    two (two-scope): 2 cases, at most [REQUESTS]
    error: of 4 cases, 2 failed
    "#);
}

#[test]
fn a_call_that_fails_is_3_and_one_that_fails_once_is_flaky_only_with_reruns() {
    let world = World::new(&["one"], ORDERS);
    world.cloud(0).hiccups = 1;
    let ran = verify(&world, &[TWICE], &["--parallelism", "1"]);
    ran.ends_with(3);
    assert!(
        ran.stdout
            .contains("! error one: orders: control/destroy-twice"),
        "{ran}"
    );
    assert!(ran.stdout.contains("the fake cloud has a hiccup"), "{ran}");
    assert!(
        ran.stderr
            .contains("error: of 2 cases, 1 could not be carried through"),
        "{ran}"
    );

    world.cloud(0).hiccups = 1;
    let ran = verify(&world, &[TWICE], &["--parallelism", "1", "--reruns", "1"]);
    ran.ends_with(0);
    assert!(ran.stdout.contains("✓ pass, flaky"), "{ran}");
    assert!(
        ran.stdout
            .contains("flaky one: orders: control/destroy-twice: passed at attempt 2"),
        "{ran}"
    );
    assert!(
        ran.stdout
            .contains("2 passed, 0 failed, 0 skipped, 1 flaky"),
        "{ran}"
    );
}

#[test]
fn nothing_executed_is_3_whatever_the_reason() {
    let world = World::new(&["one"], ORDERS);
    for (more, why) in [
        (&[][..], "all 1 that were chosen are skipped"),
        (&["--shard", "9/9"], "no case was chosen"),
    ] {
        let ran = verify(&world, &["wrong-account-is-refused"], more);
        ran.ends_with(3);
        assert!(
            ran.stderr
                .contains("error: nothing was executed, so nothing is proved"),
            "{ran}"
        );
        assert!(ran.stderr.contains(why), "{ran}");
        let json = verify(
            &world,
            &["wrong-account-is-refused"],
            &[more, &["--output", "json"]].concat(),
        );
        assert_eq!(
            json.ends_with(3).json()["clouds"][0]["outcome"],
            "nothing-executed"
        );
    }
    assert!(world.cloud(0).writes.is_empty());
}

#[test]
fn a_live_queue_that_is_not_as_the_file_says_is_3_and_is_left_as_it_is() {
    let world = World::new(&["one", "two"], "  orders: { visibility_timeout: 30s }");
    let ran = verify(&world, &[TWICE], &[]);
    assert!(
        ran.ends_with(0).stdout.contains("exact (not there)"),
        "{ran}"
    );
    world.run(&["provision", "--cloud", "all"]).ends_with(0);
    let ran = verify(&world, &[TWICE], &[]);
    assert!(
        ran.ends_with(0)
            .stdout
            .contains("exact ✓ live  exact ✓ live"),
        "{ran}"
    );

    let drifted = Value::Duration(Duration::from_secs(99));
    for (_, present) in world.cloud(1).resources.values_mut() {
        present
            .attributes
            .insert("Lease".to_owned(), drifted.clone());
    }
    let before = world.cloud(1).resources.clone();
    let ran = verify(&world, &[TWICE], &[]);
    ran.ends_with(3);
    assert!(
        ran.stdout
            .contains("≠  visibility_timeout  30s    exact ✓ live  exact ✗ live [1]"),
        "{ran}"
    );
    assert!(
        ran.stdout
            .contains("[1] two: visibility_timeout: there is Lease = 99s"),
        "{ran}"
    );
    assert!(
        ran.stderr
            .contains("1 attribute of live queues is not as the file says"),
        "{ran}"
    );
    assert_eq!(world.cloud(1).resources, before);
}

#[test]
fn what_cannot_be_removed_is_1_and_gc_of_the_same_file_removes_it_once_it_has_expired() {
    let world = World::new(&["one"], ORDERS);
    world.cloud(0).keeps_everything = true;
    let ran = verify(&world, &["endpoints-stay"], &[]);
    ran.ends_with(1);
    assert!(
        ran.stdout.contains("left behind\n  one: fake.queue"),
        "{ran}"
    );
    assert!(
        ran.stderr
            .contains("`mq gc -f [DIR]/mq.yaml --cloud one` removes them then"),
        "{ran}"
    );
    world.cloud(0).keeps_everything = false;
    let left = world.cloud(0).resources.len();
    assert_eq!(
        left, 3,
        "the copy and the suite's own queue with its dead letters"
    );
    world.run(&["gc", "--cloud", "one", "--yes"]).ends_with(0);
    assert_eq!(
        world.cloud(0).resources.len(),
        left,
        "it has not expired yet"
    );
    for (_, present) in world.cloud(0).resources.values_mut() {
        present.marker.as_mut().expect("ours").expires_at = Some(1);
    }
    world.run(&["gc", "--cloud", "one", "--yes"]).ends_with(0);
    assert!(world.cloud(0).resources.is_empty());
}

#[test]
fn a_cloud_that_cannot_be_reached_ends_it_before_anything_is_made() {
    for (kind, code) in [
        (ErrorKind::Unauthenticated, 4),
        (ErrorKind::Unavailable, 75),
        (ErrorKind::TimedOut, 7),
    ] {
        let world = World::new(&["one", "two"], ORDERS);
        world.cloud(1).unreachable = Some(kind);
        let ran = verify(&world, &[TWICE], &[]);
        ran.ends_with(code);
        assert!(ran.stderr.contains("failed to reach two"), "{ran}");
        assert!(world.cloud(0).writes.is_empty());
    }
}

#[test]
fn a_file_is_judged_as_provision_judges_it() {
    let world = World::new(&["one"], "  orders: { visibility_timeout: 11m }");
    verify(&world, &[TWICE], &[]).ends_with(64);
    world.write("  orders: { delivery_delay: 5s }");
    verify(&world, &[TWICE], &["--strict"]).ends_with(64);
    assert!(world.cloud(0).writes.is_empty());
    verify(&world, &[TWICE], &[]).ends_with(0);
}

#[test]
fn a_cloud_that_must_not_be_verified_is_refused_only_where_it_is_the_cloud_itself() {
    let world = World::new(&["one", "two"], ORDERS);
    let path = world.path("mq.yaml");
    let text = std::fs::read_to_string(&path).expect("the file");
    let clouds = "clouds: { one: {}, two: { verify: forbidden } }\n";
    std::fs::write(&path, format!("{text}{clouds}")).expect("written");
    world.cloud(1).unreachable = Some(ErrorKind::Unauthenticated);
    let ran = verify(&world, &[TWICE], &[]);
    ran.ends_with(5);
    assert!(
        ran.stderr
            .contains("nothing was run: two must not be verified"),
        "{ran}"
    );
    assert!(world.cloud(0).writes.is_empty());
    verify(&world, &[TWICE], &["--cloud", "one"]).ends_with(0);
    world.cloud(1).unreachable = None;
    world.run(&["verify", "--only", TWICE]).ends_with(0);
}

#[test]
fn the_time_that_is_set_ends_a_run_which_reports_and_cleans_up() {
    let world = World::new(&["one"], ORDERS);
    world.cloud(0).write_takes = Duration::from_millis(20);
    let report = format!("json={}", world.path("report.json").display());
    let slow = [
        "--timeout",
        "150ms",
        "--parallelism",
        "1",
        "--report",
        &report,
    ];
    let ran = verify(&world, &[], &slow);
    ran.ends_with(7);
    assert!(
        ran.stderr
            .contains("the time set with `--timeout` (150ms) ran out"),
        "{ran}"
    );
    assert!(
        world.cloud(0).resources.is_empty(),
        "{:?}",
        world.cloud(0).resources
    );
    let text = std::fs::read_to_string(world.path("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["interrupted"], true);
}
