//! A plan in a file: applied as it was seen, or refused.

use crate::fake::World;

fn planned(world: &World) -> String {
    let file = world
        .path("plan.json")
        .to_str()
        .expect("Unicode")
        .to_owned();
    world
        .run(&["plan", "--cloud", "all", "--save", &file])
        .ends_with(0);
    file
}

#[test]
fn a_plan_is_applied_as_it_was_saved() {
    let world = World::new(&["one", "two"], "  orders: {}");
    let file = planned(&world);
    // The plan holds all that it needs: the file may change meanwhile.
    world.write("  other: {}");
    let ran = world.run(&["provision", &file]);
    ran.ends_with(0);
    assert_eq!(
        ran.stdout,
        "one\torders\tqueue\tfake://one/orders\ntwo\torders\tqueue\tfake://two/orders\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file)
            .expect("the plan")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_plan_is_refused_when_reality_moved() {
    let world = World::new(&["one", "two"], "  orders: {}");
    let file = planned(&world);
    world.run(&["provision", "--cloud", "two"]).ends_with(0);
    let writes = world.cloud(1).writes.len();
    insta::assert_snapshot!(world.run(&["provision", &file]), @r#"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    error: two is no longer as the plan saw it
      1 resource changed since: fake.queue "orders"
    hint: plan again, and look at what is new
    error: 1 of 2 clouds failed, and nothing was written on any
    "#);
    assert!(world.cloud(0).writes.is_empty());
    assert_eq!(world.cloud(1).writes.len(), writes);
}

#[test]
fn messages_that_came_meanwhile_are_not_lost() {
    let world = World::new(&["fake"], "  orders: {}\n  old: {}");
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world.write("  orders: {}");
    let file = world
        .path("plan.json")
        .to_str()
        .expect("Unicode")
        .to_owned();
    world
        .run(&["plan", "--cloud", "fake", "--prune", "--save", &file])
        .ends_with(0);
    world.cloud(0).messages = 1;
    let ran = world.run(&["provision", &file, "--yes"]);
    ran.ends_with(5);
    assert!(ran.stderr.contains("it holds 1 message"), "{ran}");
    assert_eq!(world.cloud(0).resources.len(), 2);
}

#[test]
fn what_is_no_plan_is_wrong_use() {
    let world = World::new(&["fake"], "  orders: {}");
    let file = planned(&world);
    for (text, why) in [
        ("{", "no plan"),
        ("{\"schema_version\":1}", "no plan"),
        (
            "{\"schema_version\":9,\"emulated\":false,\"clouds\":[]}",
            "the form 9",
        ),
        (
            "{\"schema_version\":1,\"emulated\":true,\"clouds\":[]}",
            "--emulator",
        ),
    ] {
        std::fs::write(&file, text).expect("written");
        let ran = world.run(&["provision", &file]);
        ran.ends_with(64);
        assert!(ran.stderr.contains(why), "{text}\n{ran}");
    }
    world.run(&["provision", "no-such.json"]).ends_with(64);
    world
        .run(&["provision", &file, "--cloud", "fake"])
        .ends_with(64);
}
