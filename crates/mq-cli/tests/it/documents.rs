//! Every document has the form that its schema says.

use mq_core::ErrorKind;
use serde_json::Value;

use crate::fake::World;
use crate::process::Place;

/// Asserts that a document has the form of this schema.
pub(crate) fn validate(schema: &str, document: &Value) {
    let path = format!(
        "{}/schemas/{schema}.schema.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect(&path);
    let schema: Value = serde_json::from_str(&text).expect("a JSON schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{}\n{document:#}", errors.join("\n"));
}

#[test]
fn runs_have_the_form_of_run() {
    let world = World::new(
        &["one", "two"],
        "  orders: { delivery_delay: 5s, dead_letter: {} }\n  old: {}",
    );
    let json = ["--cloud", "all", "--output", "json"];
    let run = |command: &str, more: &[&str], code: i32| {
        let arguments: Vec<&str> = [command].iter().chain(&json).chain(more).copied().collect();
        let document = world.run(&arguments).ends_with(code).json();
        validate("run", &document);
        assert_eq!(document["command"], command);
        assert_eq!(document["exit_code"], code);
        document
    };
    run("endpoint", &[], 1);
    run("plan", &["--detailed-exitcode"], 2);
    run("plan", &["--cloud", "three"], 64);
    world.cloud(1).failing = Some(("old".into(), ErrorKind::Unavailable));
    run("provision", &[], 6);
    world.cloud(1).failing = None;
    run("provision", &[], 0);
    run("endpoint", &[], 0);
    run("status", &[], 0);
    world.cloud(0).unreachable = Some(ErrorKind::TimedOut);
    run("status", &[], 7);
    world.cloud(0).unreachable = None;
    run("destroy", &[], 5);
    run("destroy", &["--dry-run"], 0);
    run("destroy", &["--yes"], 0);
    run("gc", &["--yes"], 0);
    world.write("  orders: { visibility_timeout: 11m }");
    run("provision", &[], 64);
}

#[test]
fn checks_have_the_form_of_check() {
    let world = World::new(
        &["one", "two"],
        "  orders: { delivery_delay: 5s, accept: [delivery_delay@one] }",
    );
    let check = ["check", "--output", "json"];
    validate("check", &world.run(&check).ends_with(0).json());
    world.write("  orders: { visibility_timeout: 11m }");
    let document = world.run(&check).ends_with(64).json();
    validate("check", &document);
    assert_eq!(
        document["queues"][0]["works_everywhere"][0]["attribute"],
        "visibility_timeout"
    );
    world.write("  orders: { no_such_key: 1 }");
    validate("run", &world.run(&check).ends_with(64).json());
}

#[test]
fn the_emulators_status_has_its_form() {
    let place = Place::new();
    let status = ["emulator", "status", "--output", "json"];
    let none = place.run(&status).ends_with(1).json();
    validate("emulator-status", &none);
    assert_eq!(none["running"], false);
    place.run(&["emulator", "start"]).ends_with(0);
    let one = place.run(&status).ends_with(0).json();
    validate("emulator-status", &one);
    assert_eq!(one["running"], true);
    assert_eq!(one["emulator"]["clock"], "system");
    assert!(!one.to_string().contains("token"), "{one}");
}
