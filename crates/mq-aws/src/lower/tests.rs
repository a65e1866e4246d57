use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{
    Attributes, DeadLetter, DeadLetterTarget, DeduplicateBy, Deduplication, Names, Ordering,
    ResolvedQueue, Stated,
};
use mq_core::resource::{Authority, Lifecycle, Part};
use mq_core::verdict::Hold;
use mq_core::{Lowered, Scope, Value};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::samples::{DAY, dead_letter, queue, reference, scope};

fn lowered(queue: &ResolvedQueue) -> Lowered {
    lower(queue, &scope())
}

/// Each resource and its attributes, each verdict and each problem on one line.
fn rendered(lowered: &Lowered) -> String {
    let mut lines = Vec::new();
    for resource in &lowered.resources {
        let after: Vec<&str> = resource
            .depends_on
            .iter()
            .map(|id| id.name.as_str())
            .collect();
        lines.push(format!(
            "{} {:?} {:?} after {after:?}",
            resource.id, resource.part, resource.lifecycle
        ));
        for attribute in &resource.attributes {
            let origin = match &attribute.authority {
                Authority::File => "file".to_owned(),
                Authority::CreateDefault => "create".to_owned(),
                Authority::Unlink(ours) => format!("unlink {ours}"),
            };
            lines.push(format!(
                "  {} = {} ({origin})",
                attribute.name, attribute.value
            ));
        }
    }
    for verdict in &lowered.verdicts {
        let reason = verdict.hold.reason();
        let colon = if reason.is_empty() { "" } else { ": " };
        lines.push(format!(
            "{} {} -> {}{colon}{reason}",
            verdict.attribute,
            verdict.value,
            verdict.hold.name()
        ));
    }
    lines.extend(lowered.problems.iter().map(|problem| {
        let detail = problem.detail.as_deref().unwrap_or_default();
        format!(
            "! {} {}: {detail}",
            problem.id,
            problem.path.as_deref().unwrap_or_default()
        )
    }));
    lines.join("\n")
}

fn hold_of<'a>(lowered: &'a Lowered, attribute: &str) -> &'a Hold {
    let found = lowered
        .verdicts
        .iter()
        .find(|verdict| verdict.attribute == attribute);
    &found.expect(attribute).hold
}

fn value_of<'a>(lowered: &'a Lowered, part: Part, attribute: &str) -> Option<&'a Value> {
    let resource = lowered
        .resources
        .iter()
        .find(|resource| resource.part == part)?;
    let found = resource
        .attributes
        .iter()
        .find(|wanted| wanted.name == attribute);
    found.map(|wanted| &wanted.value)
}

fn ids(lowered: &Lowered) -> Vec<&'static str> {
    lowered.problems.iter().map(|problem| problem.id).collect()
}

#[test]
fn a_queue_of_which_nothing_is_said() {
    insta::assert_snapshot!(rendered(&lowered(&queue("orders"))), @r#"
    sqs.queue "orders" Queue Managed after []
      MessageRetentionPeriod = 4d (create)
      VisibilityTimeout = 30s (create)
      ReceiveMessageWaitTimeSeconds = 20s (create)
      RedrivePolicy.deadLetterTargetArn = none (unlink "arn:aws:sqs:eu-west-1:111122223333:orders-dlq")
    ordering none -> exact
    retention 4d -> exact
    visibility_timeout 30s -> exact
    receive_wait 20s -> exact
    dead_letter none -> exact
    "#);
}

#[test]
fn the_quickstart_queue() {
    let mut queue = queue("inference-requests");
    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(30)));
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    queue.attributes.labels = BTreeMap::from([("team".to_owned(), "inference".to_owned())]);
    insta::assert_snapshot!(rendered(&lowered(&queue)), @r#"
    sqs.queue "inference-requests-dlq" DeadLetter Managed after []
      MessageRetentionPeriod = 14d (create)
      RedriveAllowPolicy = {arn:aws:sqs:eu-west-1:111122223333:inference-requests: "allowed"} (file)
      Tags = {team: "inference"} (file)
    sqs.queue "inference-requests" Queue Managed after ["inference-requests-dlq"]
      MessageRetentionPeriod = 4d (create)
      VisibilityTimeout = 30s (file)
      ReceiveMessageWaitTimeSeconds = 20s (create)
      RedrivePolicy.deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:inference-requests-dlq" (file)
      RedrivePolicy.maxReceiveCount = 5 (file)
      Tags = {team: "inference"} (file)
    ordering none -> exact
    retention 4d -> exact
    visibility_timeout 30s -> exact
    receive_wait 20s -> exact
    dead_letter.queue inference-requests-dlq -> exact
    dead_letter.max_deliveries 5 -> exact
    dead_letter.retention 14d -> exact
    labels {team: "inference"} -> exact
    "#);
}

#[test]
fn a_queue_that_keeps_order() {
    let mut queue = queue("billing");
    queue.attributes.ordering = Stated::file(Ordering::PerKey);
    queue.attributes.deduplication = Some(Stated::file(Deduplication {
        window: Duration::from_secs(600),
        by: DeduplicateBy::Content,
    }));
    let mut stated = dead_letter(3, DeadLetterTarget::Own);
    stated.value.retention = Some(7 * DAY);
    queue.attributes.dead_letter = Some(stated);
    queue.attributes.encryption = Some(Stated::file(Some("alias/billing".to_owned())));
    insta::assert_snapshot!(rendered(&lowered(&queue)), @r#"
    sqs.queue "billing-dlq.fifo" DeadLetter Managed after []
      FifoQueue = true (file)
      MessageRetentionPeriod = 7d (file)
      RedriveAllowPolicy = {arn:aws:sqs:eu-west-1:111122223333:billing.fifo: "allowed"} (file)
      KmsMasterKeyId = "alias/billing" (file)
    sqs.queue "billing.fifo" Queue Managed after ["billing-dlq.fifo"]
      FifoQueue = true (file)
      MessageRetentionPeriod = 4d (create)
      VisibilityTimeout = 30s (create)
      ReceiveMessageWaitTimeSeconds = 20s (create)
      ContentBasedDeduplication = true (file)
      RedrivePolicy.deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:billing-dlq.fifo" (file)
      RedrivePolicy.maxReceiveCount = 3 (file)
      KmsMasterKeyId = "alias/billing" (file)
    ordering per-key -> exact
    retention 4d -> exact
    visibility_timeout 30s -> exact
    receive_wait 20s -> exact
    deduplication 10m by content -> approximate: a FIFO queue recognises duplicates for 5 minutes, no more and no less
    dead_letter.queue billing-dlq.fifo -> exact
    dead_letter.max_deliveries 3 -> exact
    dead_letter.retention 7d -> exact
    encryption alias/billing -> exact
    "#);
}

#[test]
fn what_sqs_does_not_take_is_said_with_the_range_and_not_written() {
    let mut queue = queue("orders");
    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(43_201)));
    queue.attributes.retention = Some(Stated::file(15 * DAY));
    queue.attributes.receive_wait = Some(Stated::file(Duration::from_millis(1_500)));
    queue.attributes.delivery_delay = Some(Stated::file(Duration::from_secs(901)));
    queue.attributes.max_message_size = Some(Stated::file(1_048_577));
    queue.attributes.deduplication = Some(Stated::file(Deduplication {
        window: Duration::from_secs(300),
        by: DeduplicateBy::Id,
    }));
    queue.attributes.dead_letter = Some(dead_letter(1_001, DeadLetterTarget::Own));
    queue.attributes.labels = BTreeMap::from([("cost/center".to_owned(), "a;b".to_owned())]);
    insta::assert_snapshot!(rendered(&lowered(&queue)), @r#"
    sqs.queue "orders-dlq" DeadLetter Managed after []
      MessageRetentionPeriod = 14d (create)
      RedriveAllowPolicy = {arn:aws:sqs:eu-west-1:111122223333:orders: "allowed"} (file)
    sqs.queue "orders" Queue Managed after ["orders-dlq"]
      ReceiveMessageWaitTimeSeconds = 2s (file)
    ordering none -> exact
    retention 15d -> unsupported: the service takes 1m to 14d
    visibility_timeout 43201s -> unsupported: the service takes 0s to 12h
    receive_wait 1500ms -> approximate: the service takes whole seconds
    delivery_delay 901s -> unsupported: the service takes 0s to 15m
    max_message_size 1048577B -> unsupported: the service takes 1KiB to 1MiB
    deduplication 5m by id -> unsupported: only a FIFO queue detects duplicates: add `ordering: per-key`
    dead_letter.queue orders-dlq -> exact
    dead_letter.max_deliveries 1001 -> unsupported: the service takes 1 to 1000
    dead_letter.retention 14d -> exact
    labels {cost/center: "a;b"} -> unsupported: tags take letters, digits, spaces and `_ . : / = + - @`, and `cost/center` has ';'
    "#);
}

#[test]
fn a_queue_that_someone_else_manages_is_only_compared() {
    let mut queue = queue("legacy-orders");
    queue.managed = false;
    queue.names.queue = Some("Prod-OrderEvents.fifo".to_owned());
    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(60)));
    queue.attributes.retention = None;
    queue.attributes.receive_wait = None;
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    insta::assert_snapshot!(rendered(&lowered(&queue)), @r#"
    sqs.queue "Prod-OrderEvents-dlq.fifo" DeadLetter External after []
    sqs.queue "Prod-OrderEvents.fifo" Queue External after ["Prod-OrderEvents-dlq.fifo"]
      VisibilityTimeout = 1m (file)
      RedrivePolicy.deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:Prod-OrderEvents-dlq.fifo" (file)
      RedrivePolicy.maxReceiveCount = 5 (file)
    visibility_timeout 1m -> exact
    dead_letter.queue Prod-OrderEvents-dlq.fifo -> exact
    dead_letter.max_deliveries 5 -> exact
    "#);
    assert!(
        lowered(&queue)
            .resources
            .iter()
            .all(|resource| resource.marker.is_none()
                && resource.lifecycle == Lifecycle::External
                && resource.remedy.is_some())
    );
}

#[test]
fn a_shared_dead_letter_queue_lets_its_sources_in() {
    let mut source = queue("orders");
    let shared = reference("failures", Ordering::None);
    source.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Shared(shared)));
    insta::assert_snapshot!(rendered(&lowered(&source)), @r#"
    sqs.queue "orders" Queue Managed after ["failures"]
      MessageRetentionPeriod = 4d (create)
      VisibilityTimeout = 30s (create)
      ReceiveMessageWaitTimeSeconds = 20s (create)
      RedrivePolicy.deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:failures" (file)
      RedrivePolicy.maxReceiveCount = 5 (file)
    ordering none -> exact
    retention 4d -> exact
    visibility_timeout 30s -> exact
    receive_wait 20s -> exact
    dead_letter.queue failures -> exact
    dead_letter.max_deliveries 5 -> exact
    "#);

    let mut failures = queue("failures");
    failures.dead_letter_for = vec![source.reference(), reference("refunds", Ordering::None)];
    let wish = |queue: &ResolvedQueue| {
        value_of(&lowered(queue), Part::Queue, key::REDRIVE_ALLOW)
            .expect("sources")
            .to_string()
    };
    insta::assert_snapshot!(wish(&failures), @r#"{arn:aws:sqs:eu-west-1:111122223333:orders: "allowed", arn:aws:sqs:eu-west-1:111122223333:refunds: "allowed"}"#);
    failures.dead_letter_for = (0..11)
        .map(|index| reference(&format!("source-{index}"), Ordering::None))
        .collect();
    assert_eq!(wish(&failures), r#"{*: "allowed"}"#);
}

#[test]
fn a_dead_letter_queue_of_someone_else_is_looked_at_and_checked() {
    let external = |arn: &str| {
        let mut queue = queue("orders");
        let target = DeadLetterTarget::External(arn.to_owned());
        queue.attributes.dead_letter = Some(dead_letter(5, target));
        lowered(&queue)
    };
    let good = external("arn:aws:sqs:eu-west-1:111122223333:failures");
    assert_eq!(ids(&good), [""; 0]);
    assert_eq!(good.resources[0].lifecycle, Lifecycle::External);
    assert_eq!(good.resources[0].attributes, []);
    assert_eq!(good.resources[1].depends_on, [good.resources[0].id.clone()]);
    for (arn, id) in [
        ("failures", "dead-letter/target"),
        (
            "arn:aws:sqs:eu-west-2:111122223333:failures",
            "dead-letter/target",
        ),
        (
            "arn:aws:sqs:eu-west-1:999999999999:failures",
            "dead-letter/target",
        ),
        (
            "arn:aws:sqs:eu-west-1:111122223333:failures.fifo",
            "dead-letter/kind",
        ),
    ] {
        assert_eq!(ids(&external(arn)), [id], "{arn}");
    }
}

#[test]
fn a_dead_letter_queue_is_of_the_same_kind_and_not_the_queue_itself() {
    let mut ordered = queue("orders");
    ordered.attributes.ordering = Stated::file(Ordering::PerKey);
    let standard = DeadLetterTarget::Shared(reference("failures", Ordering::None));
    ordered.attributes.dead_letter = Some(dead_letter(5, standard));
    assert_eq!(ids(&lowered(&ordered)), ["dead-letter/kind"]);

    let mut itself = queue("orders");
    let target = DeadLetterTarget::Shared(itself.reference());
    itself.attributes.dead_letter = Some(dead_letter(5, target));
    assert_eq!(ids(&lowered(&itself)), ["dead-letter/itself"]);
    itself.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    itself.names.dead_letter = Some("orders".to_owned());
    assert_eq!(ids(&lowered(&itself)), ["dead-letter/itself"]);
}

#[test]
fn names_of_the_file_are_taken_and_checked() {
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    queue.names = Names {
        queue: Some("Prod-Orders".to_owned()),
        ..Names::default()
    };
    let named = lowered(&queue);
    let names: Vec<&str> = named
        .resources
        .iter()
        .map(|part| part.id.name.as_str())
        .collect();
    assert_eq!(names, ["Prod-Orders-dlq", "Prod-Orders"]);

    queue.names.queue = Some("Prod.Orders".to_owned());
    queue.names.dead_letter = Some("failures.fifo".to_owned());
    let wrong = lowered(&queue);
    assert_eq!(ids(&wrong), ["name/alphabet", "name/fifo"]);
    assert!(
        wrong
            .problems
            .iter()
            .all(|problem| problem.path.as_deref() == Some("queues.orders.names.aws"))
    );

    queue.names = Names::default();
    queue.base_name = "o".repeat(78);
    let long = lowered(&queue);
    assert_eq!(ids(&long), ["name/length"]);
    assert_eq!(long.problems[0].path.as_deref(), Some("queues.orders"));
}

#[test]
fn a_dead_letter_queue_that_the_file_no_longer_has_is_unlinked() {
    let lowered = lowered(&queue("orders"));
    let unlink = lowered.resources[0]
        .attributes
        .iter()
        .find(|attribute| attribute.name == key::REDRIVE_TARGET)
        .expect("an unlink");
    let own = Value::text("arn:aws:sqs:eu-west-1:111122223333:orders-dlq");
    assert_eq!(unlink.authority, Authority::Unlink(own));
    assert_eq!(unlink.value, Value::Absent);
}

#[test]
fn a_dead_letter_retention_counts_from_the_first_send_on_a_standard_queue_only() {
    let with = |ordering, retention| {
        let mut queue = queue("orders");
        queue.attributes.ordering = Stated::file(ordering);
        let mut stated = dead_letter(5, DeadLetterTarget::Own);
        stated.value.retention = Some(retention);
        queue.attributes.dead_letter = Some(stated);
        lowered(&queue)
    };
    let fifo = with(Ordering::PerKey, DAY);
    assert_eq!(hold_of(&fifo, "dead_letter.retention"), &Hold::Exact);
    let longer = with(Ordering::None, 14 * DAY);
    let shorter = with(Ordering::None, DAY);
    for (lowered, says) in [(&longer, "first sent"), (&shorter, "deleted at once")] {
        let hold = hold_of(lowered, "dead_letter.retention");
        assert_eq!(hold.name(), "approximate");
        assert!(hold.reason().contains(says), "{hold:?}");
    }
    let beyond = with(Ordering::None, 15 * DAY);
    assert_eq!(
        hold_of(&beyond, "dead_letter.retention").name(),
        "unsupported"
    );
    assert_eq!(value_of(&beyond, Part::DeadLetter, key::RETENTION), None);

    let mut shared = queue("orders");
    let target = DeadLetterTarget::Shared(reference("failures", Ordering::None));
    let mut stated = dead_letter(5, target);
    stated.value.retention = Some(DAY);
    shared.attributes.dead_letter = Some(stated);
    assert_eq!(
        hold_of(&lowered(&shared), "dead_letter.retention").name(),
        "unsupported"
    );
}

#[test]
fn encryption_is_of_one_kind_at_a_time() {
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    queue.attributes.encryption = Some(Stated::file(None));
    for part in [Part::Queue, Part::DeadLetter] {
        let lowered = lowered(&queue);
        assert_eq!(
            value_of(&lowered, part, key::MANAGED_SSE),
            Some(&Value::Bool(true))
        );
        assert_eq!(value_of(&lowered, part, key::KMS_KEY), Some(&Value::Absent));
    }
    queue.attributes.encryption = Some(Stated::file(Some("alias/a".to_owned())));
    for part in [Part::Queue, Part::DeadLetter] {
        let lowered = lowered(&queue);
        assert_eq!(
            value_of(&lowered, part, key::KMS_KEY),
            Some(&Value::text("alias/a"))
        );
        assert_eq!(value_of(&lowered, part, key::MANAGED_SSE), None);
    }
}

#[test]
fn native_attributes_are_typed_and_win() {
    let with = |ordering, native: serde_json::Value| {
        let mut queue = queue("orders");
        queue.attributes.ordering = Stated::file(ordering);
        queue.attributes.native = native
            .as_object()
            .cloned()
            .expect("a map")
            .into_iter()
            .collect();
        queue
    };
    let high =
        json!({ "FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup" });
    assert_eq!(
        ids(&lowered(&with(Ordering::PerKey, high.clone()))),
        [""; 0]
    );
    for (ordering, native, id) in [
        (Ordering::None, high, vec!["native/fifo"; 2]),
        (
            Ordering::PerKey,
            json!({ "FifoThroughputLimit": "perMessageGroupId" }),
            vec!["native/scope"],
        ),
        (
            Ordering::None,
            json!({ "VisibilityTimeout": 30 }),
            vec!["native/portable"],
        ),
        (
            Ordering::None,
            json!({ "Colour": "blue" }),
            vec!["native/unknown"],
        ),
        (
            Ordering::None,
            json!({ "SqsManagedSseEnabled": "yes" }),
            vec!["native/type"],
        ),
        (
            Ordering::None,
            json!({ "KmsDataKeyReusePeriodSeconds": 300 }),
            vec!["native/no-effect"],
        ),
    ] {
        assert_eq!(
            ids(&lowered(&with(ordering, native.clone()))),
            id,
            "{native}"
        );
    }
    let mut queue = with(Ordering::None, json!({ "SqsManagedSseEnabled": false }));
    queue.attributes.encryption = Some(Stated::file(None));
    let lowered = lowered(&queue);
    assert_eq!(
        value_of(&lowered, Part::Queue, key::MANAGED_SSE),
        Some(&Value::Bool(false))
    );
    assert_eq!(
        hold_of(&lowered, "native.SqsManagedSseEnabled"),
        &Hold::Exact
    );
}

#[test]
fn the_key_that_shuts_services_out_is_warned_of_where_a_service_is_let_in() {
    let mut queue = queue("orders");
    queue.attributes.encryption = Some(Stated::file(Some("alias/aws/sqs".to_owned())));
    assert_eq!(ids(&lowered(&queue)), [""; 0]);
    let policy = json!({ "Statement": { "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage" } });
    queue.attributes.native = BTreeMap::from([("Policy".to_owned(), policy)]);
    assert_eq!(ids(&lowered(&queue)), ["encryption/service"]);
}

#[test]
fn labels_that_tags_do_not_take_are_unsupported_and_not_written() {
    let with = |key: &str, value: &str| {
        let mut queue = queue("orders");
        queue.attributes.labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        lowered(&queue)
    };
    for (key, value) in [
        ("Team", "Grün"),
        ("a b_.:/=+-@", "x"),
        (&"k".repeat(128), &"v".repeat(256)[..]),
    ] {
        assert_eq!(hold_of(&with(key, value), "labels"), &Hold::Exact, "{key}");
    }
    for (key, value) in [
        ("", "x"),
        (&"k".repeat(129)[..], "x"),
        ("k", &"v".repeat(257)[..]),
        ("AWS:x", "x"),
        ("mq-stack", "x"),
        ("a;b", "x"),
        ("a", "x\n"),
    ] {
        let lowered = with(key, value);
        assert_eq!(hold_of(&lowered, "labels").name(), "unsupported", "{key}");
        assert_eq!(
            value_of(&lowered, Part::Queue, crate::attribute::key::TAGS),
            None
        );
    }
    let mut many = queue("orders");
    many.attributes.labels = (0..49)
        .map(|index| (format!("k{index}"), String::new()))
        .collect();
    assert_eq!(hold_of(&lowered(&many), "labels").name(), "unsupported");
    many.attributes.labels.pop_first();
    assert_eq!(hold_of(&lowered(&many), "labels"), &Hold::Exact);
}

#[test]
fn offline_words_stand_for_what_is_not_known() {
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    let lowered = lower(&queue, &Scope::default());
    assert_eq!(
        value_of(&lowered, Part::Queue, key::REDRIVE_TARGET),
        Some(&Value::text("arn:aws:sqs:REGION:ACCOUNT:orders-dlq"))
    );
}

fn any_duration() -> impl Strategy<Value = Option<Stated<Duration>>> {
    let stated =
        (0_u64..=2_000_000_000).prop_map(|millis| Stated::file(Duration::from_millis(millis)));
    proptest::option::of(stated)
}

fn any_dead_letter() -> impl Strategy<Value = Option<Stated<DeadLetter>>> {
    let arn = |arn: &str| DeadLetterTarget::External(arn.to_owned());
    let target = prop_oneof![
        Just(DeadLetterTarget::Own),
        Just(DeadLetterTarget::Shared(reference(
            "failures",
            Ordering::None
        ))),
        Just(arn("arn:aws:sqs:eu-west-1:111122223333:failures")),
        Just(arn("nonsense")),
    ];
    let stated = (0_u32..1_100, any_duration(), target).prop_map(|(count, retention, target)| {
        let mut stated = dead_letter(count, target);
        stated.value.retention = retention.map(|retention| retention.value);
        stated
    });
    proptest::option::of(stated)
}

fn any_native() -> impl Strategy<Value = BTreeMap<String, serde_json::Value>> {
    let name = prop_oneof![
        "Policy|RedriveAllowPolicy|FifoQueue|DeduplicationScope",
        ".{0,8}"
    ];
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(7)),
        Just(json!([{}])),
        Just(json!({ "Statement": [1, { "Action": null, "Principal": [] }] })),
        ".{0,12}".prop_map(serde_json::Value::from),
    ];
    proptest::collection::btree_map(name, value, 0..3)
}

prop_compose! {
    fn any_queue()(
        (managed, ordered) in any::<(bool, bool)>(),
        name in proptest::option::of(".{0,90}"),
        (visibility_timeout, retention) in (any_duration(), any_duration()),
        (receive_wait, delivery_delay) in (any_duration(), any_duration()),
        dead_letter in any_dead_letter(),
        window in any_duration(),
        size in proptest::option::of(0_u64..2_000_000),
        key in proptest::option::of(proptest::option::of(".{0,12}")),
        labels in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..4),
        native in any_native(),
    ) -> ResolvedQueue {
        let mut sample = queue("orders");
        sample.managed = managed;
        sample.names.queue = name;
        let ordering = if ordered { Ordering::PerKey } else { Ordering::None };
        sample.attributes = Attributes {
            visibility_timeout,
            retention,
            receive_wait,
            delivery_delay,
            max_message_size: size.map(Stated::file),
            ordering: Stated::file(ordering),
            deduplication: window.map(|window| Stated::file(Deduplication {
                window: window.value,
                by: DeduplicateBy::Id,
            })),
            dead_letter,
            encryption: key.map(Stated::file),
            labels,
            native,
        };
        sample
    }
}

fn seconds_agree(
    lowered: &Lowered,
    stated: Option<Stated<Duration>>,
    limit: Option<Limit<Duration>>,
    attribute: &str,
) {
    let Some(Stated { value, .. }) = stated else {
        return;
    };
    let expected = match (
        limit.expect("a limit").contains(value),
        value.subsec_nanos(),
    ) {
        (false, _) => "unsupported",
        (true, 0) => "exact",
        (true, _) => "approximate",
    };
    assert_eq!(
        hold_of(lowered, attribute).name(),
        expected,
        "{attribute} {value:?}"
    );
}

proptest! {
    #[test]
    fn any_queue_is_lowered_as_the_capability_says(queue in any_queue()) {
        let lowered = lowered(&queue);
        let capability = limits::capability();
        let stated = &queue.attributes;
        seconds_agree(&lowered, stated.visibility_timeout, capability.visibility_timeout, "visibility_timeout");
        seconds_agree(&lowered, stated.retention, capability.retention, "retention");
        seconds_agree(&lowered, stated.receive_wait, capability.receive_wait, "receive_wait");
        seconds_agree(&lowered, stated.delivery_delay, capability.delivery_delay, "delivery_delay");
        if let Some(size) = stated.max_message_size {
            let taken = capability.max_message_size.expect("a limit").contains(size.value);
            prop_assert_eq!(hold_of(&lowered, "max_message_size") == &Hold::Exact, taken);
        }
        for verdict in &lowered.verdicts {
            prop_assert!(verdict.source.as_deref().is_some_and(|page| page.starts_with("https://docs.aws.amazon.com/")), "{verdict:?}");
            prop_assert!(verdict.hold == Hold::Exact || !verdict.hold.reason().is_empty(), "{verdict:?}");
        }
        let target = value_of(&lowered, Part::Queue, key::REDRIVE_TARGET).is_some_and(|value| *value != Value::Absent);
        let count = value_of(&lowered, Part::Queue, key::REDRIVE_COUNT).is_some();
        prop_assert_eq!(target, count, "a redrive policy is both parts or none");
        for resource in &lowered.resources {
            let mut names: Vec<&str> = resource.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            prop_assert_eq!(names.len(), all, "each attribute once");
        }
    }
}
