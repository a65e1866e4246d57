//! What becomes of the values that a file may hold.

use std::time::Duration;

use mq_config::{Position, explain};
use mq_core::Spec;
use mq_core::spec::Setting;
use serde_json::{Value, json};

use crate::common::{loaded, with_queues};

#[track_caller]
fn spec(text: &str) -> Spec {
    let loaded = loaded(text);
    assert_eq!(loaded.diagnostics, [], "{text}");
    loaded.spec.expect("no error")
}

fn targets(clouds: &str) -> Spec {
    spec(&format!(
        "version: 1\nstack: test\nclouds:\n{clouds}\nqueues: {{}}\n"
    ))
}

#[test]
fn digits_keep_their_zeros_quoted_or_not() {
    for written in ["011122223333", "\"011122223333\"", "'011122223333'"] {
        let spec = targets(&format!("  aws: {{ account: {written} }}"));
        assert_eq!(
            spec.targets["aws"].settings["account"],
            json!("011122223333")
        );
    }
}

#[test]
fn yaml_1_2_booleans_and_nothing_else_are_booleans() {
    for (written, value) in [("true", true), ("True", true), ("FALSE", false)] {
        let spec = spec(&with_queues(&format!(
            "  orders: {{ protect: {written} }}\n"
        )));
        assert_eq!(spec.queues["orders"].patch.protect, Setting::Value(value));
    }
    for written in ["yes", "on", "\"true\"", "1", "y"] {
        let text = with_queues(&format!("  orders: {{ protect: {written} }}\n"));
        assert!(loaded(&text).spec.is_none(), "{written}");
    }
    // `no` is a country here.
    let spec = spec(&with_queues("  orders: { labels: { country: no } }\n"));
    assert_eq!(
        spec.queues["orders"].patch.labels["country"],
        Setting::Value("no".to_owned())
    );
}

#[test]
fn null_takes_back_and_a_missing_key_inherits() {
    for written in ["null", "~", "", "Null"] {
        let spec = spec(&with_queues(&format!(
            "  orders:\n    retention: {written}\n"
        )));
        assert_eq!(spec.queues["orders"].patch.retention, Setting::Unstated);
        assert_eq!(
            spec.queues["orders"].patch.visibility_timeout,
            Setting::Inherit
        );
    }
}

#[test]
fn merge_keys_stand_below_what_the_map_says() {
    let spec = spec(&with_queues(
        "  a: &a { retention: 4d, visibility_timeout: 10s }
  b: &b { retention: 5d, receive_wait: 1s }
  c: { <<: [*a, *b], visibility_timeout: 20s }
",
    ));
    let merged = &spec.queues["c"].patch;
    let seconds = |seconds| Setting::Value(Duration::from_secs(seconds));
    assert_eq!(merged.visibility_timeout, seconds(20));
    assert_eq!(merged.retention, seconds(4 * 86_400));
    assert_eq!(merged.receive_wait, seconds(1));
}

#[test]
fn settings_and_native_attributes_come_in_their_types() {
    let spec = spec(
        "version: 1
stack: test
clouds:
  aws: { region: \"${REGION}\", profile: ~ }
  gcp-eu: { cloud: gcp, project_number: 4711, verify: forbidden }
queues:
  orders:
    overrides:
      azure: { native: { EnableBatchedOperations: false, AutoDeleteOnIdle: 10m } }
      aws: { native: { KmsDataKeyReusePeriodSeconds: 300, FifoThroughputLimit: null } }
",
    );
    let aws = &spec.targets["aws"];
    assert_eq!(aws.text("region").as_deref(), Some("eu-west-1"));
    assert_eq!(aws.settings["profile"], Value::Null);
    let gcp = &spec.targets["gcp-eu"];
    assert_eq!(gcp.backend, "gcp");
    assert_eq!(gcp.text("project_number").as_deref(), Some("4711"));
    assert!(gcp.verify_forbidden);
    let overrides = &spec.queues["orders"].overrides;
    let native = |cloud: &str, name: &str| overrides[cloud].native[name].clone();
    assert_eq!(
        native("azure", "EnableBatchedOperations"),
        Setting::Value(json!(false))
    );
    assert_eq!(
        native("azure", "AutoDeleteOnIdle"),
        Setting::Value(json!("10m"))
    );
    assert_eq!(
        native("aws", "KmsDataKeyReusePeriodSeconds"),
        Setting::Value(json!(300))
    );
    assert_eq!(native("aws", "FifoThroughputLimit"), Setting::Unstated);
}

#[test]
fn a_stage_may_forbid_the_suite_what_the_entry_allows_and_the_other_way_round() {
    let spec = spec(
        "version: 1
stack: test
clouds:
  aws:
  gcp: { project: acme, verify: forbidden }
stages:
  dev: { clouds: { gcp: { project: acme-dev, verify: allowed } } }
  prod: { clouds: { aws: { verify: forbidden } } }
queues: { orders: {} }
",
    );
    let forbidden =
        |stage: &str| ["aws", "gcp"].map(|name| spec.target(name, Some(stage)).verify_forbidden);
    assert_eq!(forbidden("dev"), [false, false]);
    assert_eq!(forbidden("prod"), [true, true]);
    let dev = spec.target("gcp", Some("dev"));
    assert_eq!(dev.text("project").as_deref(), Some("acme-dev"));
    assert!(!dev.settings.contains_key("verify"));
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    let text = with_queues("  orders:\n    retention: 4d\n    labels: { a: b }\n");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(spec(&windows), spec(&text));
}

const PLACES: &str = "version: 1
stack: test
defaults: { labels: { team.a: x } }
stages:
  prod: { queues: { orders: { retention: 14d } } }
queues:
  orders:
    retention: 4d
    dead_letter: { max_deliveries: 5 }
    accept: [ordering@aws, { what: labels@azure }]
    overrides: { gcp: { retention: 7d } }
";

#[test]
fn a_path_leads_to_its_place_or_to_its_nearest_parent() {
    let source = loaded(PLACES).source;
    for (path, expected) in [
        ("queues.orders.retention", "4d"),
        ("queues.orders.dead_letter.max_deliveries", "5"),
        ("queues.orders.dead_letter", "dead_letter"),
        ("queues.orders.dead_letter.retention", "dead_letter"),
        ("queues.orders.visibility_timeout", "orders"),
        ("queues.orders.accept[0]", "ordering@aws"),
        ("queues.orders.accept[1].what", "labels@azure"),
        ("defaults.labels.team.a", "x"),
        ("queues.absent", "queues"),
        ("", ""),
        ("nowhere", ""),
    ] {
        assert_eq!(&PLACES[source.span(path)], expected, "{path}");
    }
    assert!(source.contains("defaults.labels.team.a"));
    assert!(!source.contains("queues.orders.dead_letter.retention"));
    let place = source.span("queues.orders.retention");
    assert_eq!(
        source.position(place.start),
        Position {
            line: 8,
            column: 16
        }
    );
    assert_eq!(source.position(usize::MAX).line, 12);
}

#[test]
fn the_layer_that_states_an_attribute_is_found() {
    let source = loaded(PLACES).source;
    for (attribute, stage, clouds, expected) in [
        ("retention", None, &["aws"][..], "queues.orders.retention"),
        (
            "retention",
            Some("prod"),
            &["aws"][..],
            "stages.prod.queues.orders.retention",
        ),
        (
            "retention",
            Some("prod"),
            &["gcp", "gcp-eu"][..],
            "queues.orders.overrides.gcp.retention",
        ),
        ("labels", None, &["aws"][..], "defaults.labels"),
        ("receive_wait", None, &["aws"][..], "queues.orders"),
    ] {
        assert_eq!(source.stated("orders", attribute, stage, clouds), expected);
    }
}

#[test]
fn explain_finds_a_key_by_path_by_name_and_by_a_services_word() {
    for (asked, path) in [
        ("retention", "retention"),
        ("dead_letter.max_deliveries", "dead_letter.max_deliveries"),
        ("max_deliveries", "dead_letter.max_deliveries"),
        ("LockDuration", "visibility_timeout"),
        ("stages.expires", "stages.expires"),
    ] {
        assert_eq!(explain(asked).unwrap().path, path, "{asked}");
    }
    assert_eq!(explain("retension"), Err(Some("retention")));
    assert_eq!(explain("colour"), Err(None));
}
