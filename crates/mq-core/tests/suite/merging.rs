//! The layers of a file, merged: built-in < defaults < queue < stage < overrides.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{
    DeadLetterTarget, DeduplicateBy, Names, Ordering, Origin, ResolvedQueue, Stated,
};
use mq_core::spec::{
    DeadLetterPatch, DeadLetterQueue, DeduplicationPatch, EncryptionPatch, QueuePatch, QueueSpec,
    Selection, Setting, Stage,
};
use mq_core::{Spec, Target};
use proptest::prelude::*;

use crate::world::{dead_lettered, file, plain, sharing, unmanaged};

fn seconds(seconds: u64) -> Setting<Duration> {
    Setting::Value(Duration::from_secs(seconds))
}

fn target(name: &str) -> Target {
    Target {
        name: name.to_owned(),
        backend: "toy".to_owned(),
        ..Target::default()
    }
}

fn on_stage(spec: &Spec, stage: Option<&str>, target: &Target) -> Vec<ResolvedQueue> {
    let selection = Selection {
        stage: stage.map(str::to_owned),
        now: 1_000,
    };
    spec.resolve(&selection, target)
}

/// The only queue of the file on the plain target, without a stage.
fn only(spec: &Spec) -> ResolvedQueue {
    on_stage(spec, None, &target("toy")).remove(0)
}

/// What the layers say, from `defaults` to the target's own override.
fn layered(says: [Setting<Duration>; 5]) -> Option<Stated<Duration>> {
    let [defaults, queue, stage, backend, own] = says;
    let patch = |retention| QueuePatch {
        retention,
        ..QueuePatch::default()
    };
    let mut spec = file([("orders", QueueSpec::default())]);
    spec.defaults = patch(defaults);
    let orders = spec.queues.get_mut("orders").expect("it is there");
    orders.patch = patch(queue);
    orders.overrides.insert("toy".to_owned(), patch(backend));
    orders.overrides.insert("toy-us".to_owned(), patch(own));
    // Another target's own words are none of this one's.
    let other = patch(seconds(999_999));
    orders.overrides.insert("toy-eu".to_owned(), other);
    let queues = BTreeMap::from([("orders".to_owned(), patch(stage))]);
    let stage = Stage {
        name: "{name}".to_owned(),
        queues,
        ..Stage::default()
    };
    spec.stages = Some(BTreeMap::from([("prod".to_owned(), stage)]));
    let resolved = on_stage(&spec, Some("prod"), &target("toy-us"));
    resolved[0].attributes.retention
}

proptest! {
    /// The uppermost layer that says anything has the last word, and what it says may be nothing.
    #[test]
    fn the_uppermost_layer_that_says_anything_decides(
        says in proptest::array::uniform5(prop_oneof![
            2 => Just(Setting::Inherit),
            1 => Just(Setting::Unstated),
            2 => (1..1_000_u64).prop_map(seconds),
        ])
    ) {
        let expected = match says.iter().rev().find(|said| **said != Setting::Inherit) {
            None => Some(Stated::create_default(Duration::from_secs(4 * 86_400))),
            Some(Setting::Value(value)) => Some(Stated::file(*value)),
            Some(_) => None,
        };
        prop_assert_eq!(layered(says), expected);
    }
}

#[test]
fn what_is_left_out_is_written_on_create_and_not_where_someone_else_manages() {
    let attributes = only(&file([("a", plain())])).attributes;
    let default = |seconds| Some(Stated::create_default(Duration::from_secs(seconds)));
    assert_eq!(attributes.visibility_timeout, default(30));
    assert_eq!(attributes.retention, default(4 * 86_400));
    assert_eq!(attributes.receive_wait, default(20));
    assert_eq!(attributes.delivery_delay, None);
    assert_eq!(attributes.max_message_size, None);
    assert_eq!(attributes.ordering, Stated::create_default(Ordering::None));
    assert_eq!(attributes.dead_letter, None);
    let theirs = only(&file([("a", unmanaged(plain()))]));
    assert!(!theirs.managed);
    assert_eq!(theirs.attributes.visibility_timeout, None);
    assert_eq!(theirs.attributes.retention, None);
    assert_eq!(theirs.attributes.receive_wait, None);
}

#[test]
fn maps_merge_deeply_and_null_takes_one_entry_back() {
    let mut spec = file([("a", dead_lettered())]);
    let label = |value: &str| Setting::Value(value.to_owned());
    spec.defaults.labels = BTreeMap::from([
        ("team".to_owned(), label("inference")),
        ("tier".to_owned(), label("gold")),
        ("cost".to_owned(), label("42")),
    ]);
    spec.defaults.dead_letter = Setting::Value(DeadLetterPatch {
        max_deliveries: Setting::Value(9),
        retention: seconds(3_600),
        queue: Setting::Inherit,
    });
    let patch = &mut spec.queues.get_mut("a").expect("it is there").patch;
    patch.labels = BTreeMap::from([
        ("tier".to_owned(), label("silver")),
        ("cost".to_owned(), Setting::Unstated),
    ]);
    patch.dead_letter = Setting::Value(DeadLetterPatch {
        max_deliveries: Setting::Value(3),
        ..DeadLetterPatch::default()
    });
    let attributes = only(&spec).attributes;
    let labels: Vec<(&str, &str)> = attributes
        .labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(labels, [("team", "inference"), ("tier", "silver")]);
    let dead_letter = attributes.dead_letter.expect("both layers have one").value;
    assert_eq!(dead_letter.max_deliveries, 3);
    assert_eq!(dead_letter.retention, Some(Duration::from_secs(3_600)));
}

#[test]
fn null_takes_a_whole_map_back_and_a_map_above_null_begins_anew() {
    let mut spec = file([("a", plain())]);
    spec.defaults.dead_letter = Setting::Value(DeadLetterPatch {
        max_deliveries: Setting::Value(9),
        retention: seconds(60),
        queue: Setting::Inherit,
    });
    let patch = &mut spec.queues.get_mut("a").expect("it is there").patch;
    patch.dead_letter = Setting::Unstated;
    assert_eq!(only(&spec).attributes.dead_letter, None);
    let above = QueuePatch {
        dead_letter: Setting::Value(DeadLetterPatch::default()),
        ..QueuePatch::default()
    };
    let orders = spec.queues.get_mut("a").expect("it is there");
    orders.overrides.insert("toy".to_owned(), above);
    let dead_letter = only(&spec).attributes.dead_letter.expect("stated above");
    assert_eq!(dead_letter.value.max_deliveries, 5, "not the defaults' 9");
    assert_eq!(dead_letter.value.retention, None);
}

#[test]
fn lists_replace() {
    let native =
        |items: serde_json::Value| BTreeMap::from([("Regions".to_owned(), Setting::Value(items))]);
    let mut spec = file([("a", plain())]);
    spec.defaults.native = native(serde_json::json!(["eu", "us"]));
    let patch = &mut spec.queues.get_mut("a").expect("it is there").patch;
    patch.native = native(serde_json::json!(["asia"]));
    let merged = &only(&spec).attributes.native["Regions"];
    assert_eq!(*merged, serde_json::json!(["asia"]));
}

#[test]
fn a_half_stated_deduplication_is_completed() {
    let mut spec = file([("a", plain())]);
    let patch = &mut spec.queues.get_mut("a").expect("it is there").patch;
    patch.deduplication = Setting::Value(DeduplicationPatch {
        window: Setting::Inherit,
        by: Setting::Value(DeduplicateBy::Content),
    });
    let deduplication = only(&spec).attributes.deduplication.expect("stated");
    assert_eq!(deduplication.origin, Origin::File);
    assert_eq!(deduplication.value.by, DeduplicateBy::Content);
    assert_eq!(deduplication.value.window, Duration::from_secs(300));
}

#[test]
fn a_key_or_a_queue_of_a_target_comes_before_that_of_its_backend() {
    let mut spec = file([("a", plain())]);
    let patch = &mut spec.queues.get_mut("a").expect("it is there").patch;
    let key = |text: &str| Setting::Value(text.to_owned());
    patch.encryption = Setting::Value(EncryptionPatch {
        key: BTreeMap::from([
            ("toy".to_owned(), key("for all")),
            ("toy-us".to_owned(), key("for one")),
        ]),
    });
    let outside = BTreeMap::from([("toy-us".to_owned(), "theirs".to_owned())]);
    patch.dead_letter = Setting::Value(DeadLetterPatch {
        queue: Setting::Value(DeadLetterQueue::External(outside)),
        ..DeadLetterPatch::default()
    });
    let on = |name: &str| on_stage(&spec, None, &target(name)).remove(0).attributes;
    let key_on = |name: &str| on(name).encryption.expect("stated").value;
    assert_eq!(key_on("toy").as_deref(), Some("for all"));
    assert_eq!(key_on("toy-us").as_deref(), Some("for one"));
    let goes_to = |name: &str| on(name).dead_letter.expect("stated").value.target;
    assert_eq!(
        goes_to("toy-us"),
        DeadLetterTarget::External("theirs".to_owned())
    );
    assert_eq!(
        goes_to("toy"),
        DeadLetterTarget::Own,
        "nothing is said there"
    );
}

#[test]
fn names_come_from_the_file_entry_by_entry_and_from_the_stage_s_template() {
    let names = |queue: Option<&str>, dead_letter: Option<&str>| Names {
        queue: queue.map(str::to_owned),
        dead_letter: dead_letter.map(str::to_owned),
        ..Names::default()
    };
    let mut queue = plain();
    queue.names = BTreeMap::from([
        ("toy".to_owned(), names(Some("Orders"), Some("Dead"))),
        ("toy-us".to_owned(), names(Some("UsOrders"), None)),
    ]);
    let mut spec = file([("orders", queue)]);
    let on = |spec: &Spec, stage, name: &str| on_stage(spec, stage, &target(name)).remove(0);
    let us = on(&spec, None, "toy-us").names;
    assert_eq!(us, names(Some("UsOrders"), Some("Dead")));
    let base = |spec: &Spec, stage| on(spec, stage, "toy").base_name;
    assert_eq!(base(&spec, None), "orders");
    assert_eq!(
        base(&spec, Some("pr-7")),
        "pr-7-orders",
        "any stage is taken"
    );
    let stage = |name: &str| Stage {
        name: name.to_owned(),
        ..Stage::default()
    };
    spec.stages = Some(BTreeMap::from([
        ("prod".to_owned(), stage("{name}")),
        ("dev".to_owned(), stage("x-{stage}-{name}-{stage}")),
    ]));
    assert_eq!(base(&spec, Some("prod")), "orders");
    assert_eq!(base(&spec, Some("dev")), "x-dev-orders-dev");
}

#[test]
fn a_stage_protects_expires_and_has_settings_of_its_own() {
    let mut spec = file([("a", plain())]);
    let settings = |pairs: serde_json::Value| match pairs {
        serde_json::Value::Object(settings) => settings,
        other => panic!("{other} is no map"),
    };
    let mut toy = target("toy");
    toy.settings = settings(serde_json::json!({"region": "eu", "account": "1"}));
    spec.targets = BTreeMap::from([("toy".to_owned(), toy)]);
    let over = settings(serde_json::json!({"account": "2", "region": null}));
    let stage = Stage {
        name: "{name}".to_owned(),
        protect: true,
        expires: Some(Duration::from_secs(60)),
        clouds: BTreeMap::from([("toy".to_owned(), over)]),
        ..Stage::default()
    };
    spec.stages = Some(BTreeMap::from([("prod".to_owned(), stage)]));
    let queue = &on_stage(&spec, Some("prod"), &target("toy"))[0];
    assert!(queue.protect);
    assert_eq!(queue.expires_at, Some(1_060));
    assert_eq!(queue.owner.stage.as_deref(), Some("prod"));
    let target = spec.target("toy", Some("prod"));
    assert_eq!(target.text("account").as_deref(), Some("2"));
    assert_eq!(target.text("region"), None, "null unstates");
    let target = spec.target("toy", None);
    assert_eq!(target.text("region").as_deref(), Some("eu"));
    assert_eq!(spec.target("other", None), Target::implied("other"));
}

#[test]
fn a_shared_dead_letter_queue_knows_who_sends_there_and_they_know_its_names() {
    let mut shared = plain();
    let ours = Names {
        queue: Some("Failures".to_owned()),
        ..Names::default()
    };
    shared.names.insert("toy".to_owned(), ours.clone());
    shared.patch.ordering = Setting::Value(Ordering::PerKey);
    let spec = file([
        ("a", sharing("failures")),
        ("failures", shared),
        ("z", sharing("failures")),
        ("lost", sharing("nowhere")),
    ]);
    let queues = on_stage(&spec, Some("ci"), &target("toy"));
    let by_key = |key: &str| queues.iter().find(|queue| queue.logical == key).expect(key);
    let senders: Vec<&str> = by_key("failures")
        .dead_letter_for
        .iter()
        .map(|queue| queue.logical.as_str())
        .collect();
    assert_eq!(senders, ["a", "z"]);
    let dead_letter = by_key("z").attributes.dead_letter.as_ref().expect("stated");
    let DeadLetterTarget::Shared(reference) = &dead_letter.value.target else {
        panic!("{dead_letter:?}");
    };
    assert_eq!(*reference, by_key("failures").reference());
    assert_eq!(reference.base_name, "ci-failures");
    assert_eq!(reference.names, ours);
    assert_eq!(reference.ordering, Ordering::PerKey);
    assert!(by_key("a").dead_letter_for.is_empty());
}
