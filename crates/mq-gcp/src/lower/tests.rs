//! Golden and property tests of lowering.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use mq_core::queue::{
    Attributes, DeadLetter, DeduplicateBy, Deduplication, Names, Ordering, OriginHash, Owner,
    QueueRef, Stated,
};
use mq_core::verdict::Hold;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::capability::{MAX_DELIVERIES, RETENTION, VISIBILITY_TIMEOUT};

const DAY: u64 = 86_400;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn owner() -> Owner {
    Owner {
        stack: "ai".to_owned(),
        stage: None,
        origin: Some(OriginHash::of("github.com/acme/pipeline")),
    }
}

/// What the file gives when it says nothing.
fn queue() -> ResolvedQueue {
    ResolvedQueue {
        logical: "orders".to_owned(),
        base_name: "orders".to_owned(),
        names: Names::default(),
        owner: owner(),
        expires_at: None,
        managed: true,
        protect: false,
        attributes: Attributes {
            visibility_timeout: Some(Stated::create_default(seconds(30))),
            retention: Some(Stated::create_default(seconds(4 * DAY))),
            receive_wait: Some(Stated::create_default(seconds(20))),
            delivery_delay: None,
            max_message_size: None,
            ordering: Stated::create_default(Ordering::None),
            deduplication: None,
            dead_letter: None,
            encryption: None,
            labels: BTreeMap::new(),
            native: BTreeMap::new(),
        },
        accept: Vec::new(),
        dead_letter_for: Vec::new(),
    }
}

fn dead_lettered(max_deliveries: u32, target: DeadLetterTarget) -> ResolvedQueue {
    let mut queue = queue();
    queue.attributes.dead_letter = Some(Stated::file(DeadLetter {
        max_deliveries,
        retention: None,
        target,
    }));
    queue
}

fn scope() -> Scope {
    Scope {
        label: "acme".to_owned(),
        facts: BTreeMap::from([
            (fact::PROJECT.to_owned(), "acme".to_owned()),
            (
                fact::SERVICE_AGENT.to_owned(),
                "service-4711@gcp-sa-pubsub.iam.gserviceaccount.com".to_owned(),
            ),
        ]),
    }
}

fn lowered(queue: &ResolvedQueue) -> Lowered {
    lower(queue, &scope(), Grants::Manage)
}

/// Resources, verdicts and problems as one text.
fn shown(lowered: &Lowered) -> String {
    let mut text = String::new();
    for resource in &lowered.resources {
        let needed: Vec<String> = resource
            .depends_on
            .iter()
            .map(ToString::to_string)
            .collect();
        let after = if needed.is_empty() {
            String::new()
        } else {
            format!(" after {}", needed.join(", "))
        };
        writeln!(
            text,
            "{} {:?} {:?}{after}",
            resource.id, resource.part, resource.lifecycle
        )
        .expect("text");
        for attribute in &resource.attributes {
            let authority = match &attribute.authority {
                mq_core::resource::Authority::File => String::new(),
                other => format!(" ({other:?})"),
            };
            writeln!(
                text,
                "  {} = {}{authority}",
                attribute.name, attribute.value
            )
            .expect("text");
        }
    }
    for verdict in &lowered.verdicts {
        let reason = verdict.hold.reason();
        writeln!(
            text,
            "{} = {}: {}{}",
            verdict.attribute,
            verdict.value,
            verdict.hold.name(),
            if reason.is_empty() {
                String::new()
            } else {
                format!(": {reason}")
            }
        )
        .expect("text");
    }
    for problem in &lowered.problems {
        let detail = problem.detail.as_deref().unwrap_or_default();
        writeln!(text, "{}: {detail}", problem.id).expect("text");
    }
    text
}

fn verdict<'a>(lowered: &'a Lowered, attribute: &str) -> &'a mq_core::verdict::Verdict {
    lowered
        .verdicts
        .iter()
        .find(|verdict| verdict.attribute == attribute)
        .unwrap_or_else(|| panic!("no verdict on {attribute}"))
}

fn resource<'a>(lowered: &'a Lowered, name: &str) -> &'a Resource {
    lowered
        .resources
        .iter()
        .find(|resource| resource.id.name == name)
        .unwrap_or_else(|| panic!("no resource {name}"))
}

fn attribute_of<'a>(resource: &'a Resource, name: &str) -> Option<&'a NativeAttribute> {
    resource.attributes.iter().find(|held| held.name == name)
}

#[test]
fn the_plain_queue() {
    insta::assert_snapshot!(shown(&lowered(&queue())), @r#"
    pubsub.topic "orders" Queue Managed
    pubsub.subscription "orders-sub" Queue Managed after pubsub.topic "orders"
      topic = "orders"
      ackDeadlineSeconds = 30s (CreateDefault)
      messageRetentionDuration = 4d (CreateDefault)
      expirationPolicy.ttl = never
      enableMessageOrdering = false (CreateDefault)
      deadLetterPolicy.deadLetterTopic = none (Unlink(Text("orders-dlq")))
    visibility_timeout = 30s: exact
    retention = 4d: exact
    ordering = none: exact
    dead_letter = none: exact
    "#);
}

#[test]
fn a_queue_with_dead_letters_of_its_own() {
    // G1 and G2: both grants, and a subscription that keeps what is moved aside.
    let mut queue = dead_lettered(5, DeadLetterTarget::Own);
    if let Some(dead_letter) = &mut queue.attributes.dead_letter {
        dead_letter.value.retention = Some(seconds(14 * DAY));
    }
    queue.attributes.visibility_timeout = Some(Stated::file(seconds(60)));
    queue.attributes.labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    insta::assert_snapshot!(shown(&lowered(&queue)), @r#"
    pubsub.topic "orders-dlq" DeadLetter Managed
      labels = {team: "a"}
    pubsub.subscription "orders-dlq-sub" DeadLetter Managed after pubsub.topic "orders-dlq"
      topic = "orders-dlq"
      ackDeadlineSeconds = 1m (CreateDefault)
      expirationPolicy.ttl = never
      messageRetentionDuration = 14d
      labels = {team: "a"}
    pubsub.grant "topics/orders-dlq:roles/pubsub.publisher" Grant Attached after pubsub.topic "orders-dlq"
      resource = "topics/orders-dlq"
      role = "roles/pubsub.publisher"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    pubsub.topic "orders" Queue Managed
      labels = {team: "a"}
    pubsub.subscription "orders-sub" Queue Managed after pubsub.topic "orders", pubsub.topic "orders-dlq", pubsub.subscription "orders-dlq-sub"
      topic = "orders"
      ackDeadlineSeconds = 1m
      messageRetentionDuration = 4d (CreateDefault)
      expirationPolicy.ttl = never
      enableMessageOrdering = false (CreateDefault)
      deadLetterPolicy.deadLetterTopic = "orders-dlq"
      deadLetterPolicy.maxDeliveryAttempts = 5
      labels = {team: "a"}
    pubsub.grant "subscriptions/orders-sub:roles/pubsub.subscriber" Grant Attached after pubsub.subscription "orders-sub"
      resource = "subscriptions/orders-sub"
      role = "roles/pubsub.subscriber"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    visibility_timeout = 1m: exact
    retention = 4d: exact
    ordering = none: exact
    dead_letter.max_deliveries = 5: approximate: the service counts deliveries as well as it can and may hand a message out more often
    dead_letter.retention = 14d: exact
    dead_letter.queue = orders-dlq: exact
    labels = {team: "a"}: exact
    "#);
}

#[test]
fn everything_that_pub_sub_has_no_like_of() {
    let mut queue = dead_lettered(3, DeadLetterTarget::Own);
    let attributes = &mut queue.attributes;
    attributes.visibility_timeout = Some(Stated::file(seconds(5)));
    attributes.retention = Some(Stated::file(seconds(60)));
    attributes.receive_wait = Some(Stated::file(seconds(20)));
    attributes.delivery_delay = Some(Stated::file(seconds(10)));
    attributes.max_message_size = Some(Stated::file(262_144));
    attributes.ordering = Stated::file(Ordering::PerKey);
    attributes.deduplication = Some(Stated::file(Deduplication {
        window: seconds(300),
        by: DeduplicateBy::Id,
    }));
    attributes.labels = BTreeMap::from([
        ("Team".to_owned(), "a".to_owned()),
        ("mq-stack".to_owned(), "x".to_owned()),
        ("tier".to_owned(), "gold".to_owned()),
    ]);
    insta::assert_snapshot!(shown(&lowered(&queue)), @r#"
    pubsub.topic "orders-dlq" DeadLetter Managed
      labels = {tier: "gold"}
    pubsub.subscription "orders-dlq-sub" DeadLetter Managed after pubsub.topic "orders-dlq"
      topic = "orders-dlq"
      expirationPolicy.ttl = never
      labels = {tier: "gold"}
    pubsub.grant "topics/orders-dlq:roles/pubsub.publisher" Grant Attached after pubsub.topic "orders-dlq"
      resource = "topics/orders-dlq"
      role = "roles/pubsub.publisher"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    pubsub.topic "orders" Queue Managed
      labels = {tier: "gold"}
    pubsub.subscription "orders-sub" Queue Managed after pubsub.topic "orders", pubsub.topic "orders-dlq", pubsub.subscription "orders-dlq-sub"
      topic = "orders"
      expirationPolicy.ttl = never
      enableMessageOrdering = true
      deadLetterPolicy.deadLetterTopic = "orders-dlq"
      deadLetterPolicy.maxDeliveryAttempts = 5
      labels = {tier: "gold"}
    pubsub.grant "subscriptions/orders-sub:roles/pubsub.subscriber" Grant Attached after pubsub.subscription "orders-sub"
      resource = "subscriptions/orders-sub"
      role = "roles/pubsub.subscriber"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    visibility_timeout = 5s: unsupported: the service takes 10s to 10m
    retention = 1m: unsupported: the service takes 10m to 31d
    receive_wait = 20s: client-side: a receiver says itself how long it waits: a subscription has no such setting
    delivery_delay = 10s: unsupported: Pub/Sub delivers at once: hold the message back in the sender, or send it through Cloud Tasks
    max_message_size = 256KiB: client-side: only the sender can refuse what is larger: the service takes up to 10000000B, whatever is set
    ordering = per-key: approximate: messages of one ordering key keep their order when they are published in one region; a message that is delivered again brings every later one of its key again, and a dead letter leaves the order
    deduplication = 5m: unsupported: what a publisher sends twice is delivered twice, with exactly-once delivery too: make the consumer idempotent
    dead_letter.max_deliveries = 3: approximate: the service takes 5 to 100, and counts as well as it can
    dead_letter.queue = orders-dlq: exact
    labels = {Team: "a", mq-stack: "x", tier: "gold"}: unsupported: the label `Team` does not begin with a small letter; the label `mq-stack` is `mq`'s own; accepted, the others are set
    "#);
}

#[test]
fn native_attributes_go_to_the_resource_that_has_them() {
    let mut queue = dead_lettered(10, DeadLetterTarget::Own);
    queue.attributes.native = BTreeMap::from([
        ("enableExactlyOnceDelivery".to_owned(), json!(true)),
        ("retryPolicy.minimumBackoff".to_owned(), json!("10s")),
        ("filter".to_owned(), json!("attributes:tier")),
        ("topic.messageRetentionDuration".to_owned(), json!("1d")),
        (
            "topic.messageStoragePolicy.allowedPersistenceRegions".to_owned(),
            json!("europe-west4, europe-west1"),
        ),
    ]);
    queue.attributes.encryption = Some(Stated::file(Some(
        "projects/p/locations/global/keyRings/r/cryptoKeys/k".to_owned(),
    )));
    insta::assert_snapshot!(shown(&lowered(&queue)), @r#"
    pubsub.topic "orders-dlq" DeadLetter Managed
      kmsKeyName = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
      messageStoragePolicy.allowedPersistenceRegions = "europe-west1,europe-west4"
    pubsub.subscription "orders-dlq-sub" DeadLetter Managed after pubsub.topic "orders-dlq"
      topic = "orders-dlq"
      ackDeadlineSeconds = 30s (CreateDefault)
      expirationPolicy.ttl = never
    pubsub.grant "topics/orders-dlq:roles/pubsub.publisher" Grant Attached after pubsub.topic "orders-dlq"
      resource = "topics/orders-dlq"
      role = "roles/pubsub.publisher"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    pubsub.topic "orders" Queue Managed
      kmsKeyName = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
      messageRetentionDuration = 1d
      messageStoragePolicy.allowedPersistenceRegions = "europe-west1,europe-west4"
    pubsub.subscription "orders-sub" Queue Managed after pubsub.topic "orders", pubsub.topic "orders-dlq", pubsub.subscription "orders-dlq-sub"
      topic = "orders"
      ackDeadlineSeconds = 30s (CreateDefault)
      messageRetentionDuration = 4d (CreateDefault)
      expirationPolicy.ttl = never
      enableMessageOrdering = false (CreateDefault)
      deadLetterPolicy.deadLetterTopic = "orders-dlq"
      deadLetterPolicy.maxDeliveryAttempts = 10
      enableExactlyOnceDelivery = true
      filter = "attributes:tier"
      retryPolicy.minimumBackoff = 10s
    pubsub.grant "subscriptions/orders-sub:roles/pubsub.subscriber" Grant Attached after pubsub.subscription "orders-sub"
      resource = "subscriptions/orders-sub"
      role = "roles/pubsub.subscriber"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    visibility_timeout = 30s: exact
    retention = 4d: exact
    ordering = none: exact
    dead_letter.max_deliveries = 10: approximate: the service counts deliveries as well as it can and may hand a message out more often
    dead_letter.queue = orders-dlq: exact
    encryption = projects/p/locations/global/keyRings/r/cryptoKeys/k: exact
    "#);
}

#[test]
fn a_queue_that_someone_else_manages_is_compared_with_what_the_file_says() {
    let mut queue = dead_lettered(5, DeadLetterTarget::Own);
    queue.managed = false;
    queue.names = Names {
        topic: Some("order-events".to_owned()),
        subscription: Some("order-worker".to_owned()),
        ..Names::default()
    };
    queue.attributes.visibility_timeout = None;
    queue.attributes.retention = None;
    let lowered = lowered(&queue);
    assert!(lowered.resources.iter().all(|resource| {
        resource.lifecycle == Lifecycle::External && resource.marker.is_none()
    }));
    insta::assert_snapshot!(shown(&lowered), @r#"
    pubsub.topic "orders-dlq" DeadLetter External
    pubsub.subscription "orders-dlq-sub" DeadLetter External after pubsub.topic "orders-dlq"
      topic = "orders-dlq"
      expirationPolicy.ttl = never (CreateDefault)
    pubsub.grant "topics/orders-dlq:roles/pubsub.publisher" Grant External after pubsub.topic "orders-dlq"
      resource = "topics/orders-dlq"
      role = "roles/pubsub.publisher"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    pubsub.topic "order-events" Queue External
    pubsub.subscription "order-worker" Queue External after pubsub.topic "order-events", pubsub.topic "orders-dlq", pubsub.subscription "orders-dlq-sub"
      topic = "order-events"
      expirationPolicy.ttl = never (CreateDefault)
      enableMessageOrdering = false (CreateDefault)
      deadLetterPolicy.deadLetterTopic = "orders-dlq"
      deadLetterPolicy.maxDeliveryAttempts = 5
    pubsub.grant "subscriptions/order-worker:roles/pubsub.subscriber" Grant External after pubsub.subscription "order-worker"
      resource = "subscriptions/order-worker"
      role = "roles/pubsub.subscriber"
      member = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"
    ordering = none: exact
    dead_letter.max_deliveries = 5: approximate: the service counts deliveries as well as it can and may hand a message out more often
    dead_letter.queue = orders-dlq: exact
    "#);
}

#[test]
fn grants_are_made_checked_or_left_alone() {
    let queue = dead_lettered(5, DeadLetterTarget::Own);
    let grants = |grants| -> Vec<(Lifecycle, Option<String>)> {
        lower(&queue, &scope(), grants)
            .resources
            .into_iter()
            .filter(|resource| resource.part == Part::Grant)
            .map(|resource| (resource.lifecycle, resource.remedy))
            .collect()
    };
    assert_eq!(
        grants(Grants::Manage),
        [(Lifecycle::Attached, None), (Lifecycle::Attached, None)]
    );
    assert_eq!(grants(Grants::Skip), []);
    let commands: Vec<String> = grants(Grants::Check)
        .into_iter()
        .map(|(lifecycle, remedy)| {
            assert_eq!(lifecycle, Lifecycle::External);
            remedy.expect("a command")
        })
        .collect();
    insta::assert_snapshot!(commands.join("\n"), @r#"
    gcloud pubsub topics add-iam-policy-binding orders-dlq --project=acme --member=serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/pubsub.publisher
    gcloud pubsub subscriptions add-iam-policy-binding orders-sub --project=acme --member=serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/pubsub.subscriber
    "#);
    let skipped = lower(&queue, &scope(), Grants::Skip);
    assert_eq!(
        verdict(&skipped, "dead_letter.queue").hold.name(),
        "approximate"
    );
}

#[test]
fn a_shared_dead_letter_queue_comes_with_its_own_queue() {
    let shared = QueueRef {
        logical: "failures".to_owned(),
        base_name: "dev-failures".to_owned(),
        names: Names::default(),
        ordering: Ordering::None,
    };
    let lowered = lowered(&dead_lettered(5, DeadLetterTarget::Shared(shared)));
    let made: Vec<&str> = lowered
        .resources
        .iter()
        .map(|resource| resource.id.name.as_str())
        .collect();
    assert_eq!(
        made,
        [
            "topics/dev-failures:roles/pubsub.publisher",
            "orders",
            "orders-sub",
            "subscriptions/orders-sub:roles/pubsub.subscriber",
        ]
    );
    let subscription = resource(&lowered, "orders-sub");
    assert!(
        subscription
            .depends_on
            .contains(&ResourceId::new(TOPIC, "dev-failures"))
    );
    let policy = attribute_of(subscription, attribute::DEAD_LETTER_TOPIC).expect("linked");
    assert_eq!(policy.value, Value::text("dev-failures"));
}

#[test]
fn a_dead_letter_topic_of_someone_else_is_only_looked_at() {
    let topic = "projects/other/topics/failures";
    let lowered = lower(
        &dead_lettered(5, DeadLetterTarget::External(topic.to_owned())),
        &scope(),
        Grants::Check,
    );
    let external = resource(&lowered, topic);
    assert_eq!(external.lifecycle, Lifecycle::External);
    assert_eq!(external.attributes, []);
    let grant = resource(
        &lowered,
        "projects/other/topics/failures:roles/pubsub.publisher",
    );
    let command = grant.remedy.as_deref().expect("a command");
    assert!(
        command.contains("binding failures --project=other "),
        "{command}"
    );
    assert!(lowered.problems.is_empty());
    for wrong in [
        "projects/other/failures",
        "arn:aws:sqs:x",
        "projects//topics/x-y",
        "goog-x",
    ] {
        let lowered = super::lower(
            &dead_lettered(5, DeadLetterTarget::External(wrong.to_owned())),
            &scope(),
            Grants::Skip,
        );
        assert_eq!(lowered.problems.len(), 1, "{wrong}");
    }
    let own = dead_lettered(
        5,
        DeadLetterTarget::External("projects/acme/topics/orders".to_owned()),
    );
    assert_eq!(
        super::tests::lowered(&own).problems.len(),
        1,
        "its own topic"
    );
}

#[test]
fn without_dead_letters_only_our_own_link_is_taken_away() {
    let lowered = lowered(&queue());
    let link = attribute_of(
        resource(&lowered, "orders-sub"),
        attribute::DEAD_LETTER_TOPIC,
    );
    let link = link.expect("an unlink");
    assert_eq!(link.value, Value::Absent);
    assert_eq!(
        link.authority,
        mq_core::resource::Authority::Unlink(Value::text("orders-dlq"))
    );
    let none = verdict(&lowered, "dead_letter");
    assert!(
        none.consumer.as_deref().expect("said").contains("4d"),
        "{none:?}"
    );
}

#[test]
fn what_is_fixed_at_creation_says_so() {
    // G4 and G6: ordering and topic; a filter too.
    let mut queue = queue();
    queue.attributes.native = BTreeMap::from([("filter".to_owned(), json!("attributes:a"))]);
    let lowered = lowered(&queue);
    let fixed: Vec<&str> = resource(&lowered, "orders-sub")
        .attributes
        .iter()
        .filter(|held| held.mutability == mq_core::resource::Mutability::Immutable)
        .map(|held| held.name.as_str())
        .collect();
    assert_eq!(
        fixed,
        [attribute::TOPIC, attribute::ORDERING, attribute::FILTER]
    );
}

#[test]
fn a_managed_subscription_never_expires() {
    // G3.
    let lowered = lowered(&dead_lettered(5, DeadLetterTarget::Own));
    for name in ["orders-sub", "orders-dlq-sub"] {
        let expiration = attribute_of(resource(&lowered, name), attribute::EXPIRATION);
        let expiration = expiration.expect("an expiration");
        assert_eq!(expiration.value, Value::Never);
        assert_eq!(expiration.authority, mq_core::resource::Authority::File);
    }
}

#[test]
fn max_deliveries_outside_the_range_is_raised_or_refused() {
    for (asked, hold, written) in [
        (0, "unsupported", None),
        (1, "approximate", Some(5)),
        (4, "approximate", Some(5)),
        (5, "approximate", Some(5)),
        (100, "approximate", Some(100)),
        (101, "unsupported", None),
    ] {
        let lowered = lowered(&dead_lettered(asked, DeadLetterTarget::Own));
        let verdict = verdict(&lowered, "dead_letter.max_deliveries");
        assert_eq!(verdict.hold.name(), hold, "{asked}");
        assert!(verdict.source.is_some());
        let attempts = attribute_of(resource(&lowered, "orders-sub"), attribute::MAX_ATTEMPTS);
        assert_eq!(
            attempts.map(|held| held.value.clone()),
            written.map(Value::Integer),
            "{asked}"
        );
    }
}

#[test]
fn the_size_of_a_message_is_fixed() {
    for (size, hold) in [
        (9_999_999, "client-side"),
        (10_000_000, "exact"),
        (10_000_001, "unsupported"),
    ] {
        let mut queue = queue();
        queue.attributes.max_message_size = Some(Stated::file(size));
        assert_eq!(
            verdict(&lowered(&queue), "max_message_size").hold.name(),
            hold,
            "{size}"
        );
    }
}

#[test]
fn names_that_the_service_refuses_are_problems() {
    for (base, problems) in [
        ("orders", 0),
        ("ab", 1),
        ("google-orders", 2),
        ("1orders", 2),
        ("orders/x", 2),
        ("orders%x", 2),
        (&"a".repeat(255), 1),
        (&"a".repeat(251), 0),
    ] {
        let mut queue = queue();
        queue.base_name = base.to_owned();
        let found = lowered(&queue).problems;
        assert_eq!(found.len(), problems, "{base}: {found:?}");
        assert!(found.iter().all(|problem| problem.id == "name/refused"));
    }
}

#[test]
fn native_values_that_are_none_are_problems() {
    for (key, value) in [
        ("enableExactlyOnceDelivery", json!("yes")),
        ("retryPolicy.minimumBackoff", json!("11m")),
        ("retryPolicy.minimumBackoff", json!(10)),
        ("topic.messageRetentionDuration", json!("1m")),
        ("filter", json!("x".repeat(257))),
        (
            "topic.messageStoragePolicy.allowedPersistenceRegions",
            json!("a,,b"),
        ),
        ("messageRetentionDuration", json!("1d")),
        ("VisibilityTimeout", json!(30)),
    ] {
        let mut queue = queue();
        queue.attributes.native = BTreeMap::from([(key.to_owned(), value.clone())]);
        let problems = lowered(&queue).problems;
        assert_eq!(problems.len(), 1, "{key}: {value}");
        assert_eq!(problems[0].id, "native/refused");
    }
}

#[test]
fn a_key_goes_to_both_topics_and_must_be_one() {
    let mut queue = dead_lettered(5, DeadLetterTarget::Own);
    queue.attributes.encryption = Some(Stated::file(None));
    let google = lowered(&queue);
    for name in ["orders", "orders-dlq"] {
        let key = attribute_of(resource(&google, name), attribute::KMS_KEY).expect("a key");
        assert_eq!(key.value, Value::Absent);
    }
    queue.attributes.encryption = Some(Stated::file(Some("alias/mine".to_owned())));
    assert_eq!(lowered(&queue).problems.len(), 1);
}

#[test]
fn a_lease_of_a_fraction_is_rounded_up_and_said() {
    let mut queue = queue();
    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_millis(10_500)));
    let lowered = lowered(&queue);
    let Hold::Approximate { from, to, .. } = &verdict(&lowered, "visibility_timeout").hold else {
        panic!("approximate");
    };
    assert_eq!((from.as_str(), to.as_str()), ("10500ms", "11s"));
    let lease = attribute_of(resource(&lowered, "orders-sub"), attribute::ACK_DEADLINE);
    assert_eq!(lease.expect("a lease").value, Value::Duration(seconds(11)));
}

#[test]
fn more_labels_than_there_is_room_for_are_said() {
    let mut queue = queue();
    queue.attributes.labels = (0..63)
        .map(|n| (format!("k{n:02}"), "v".to_owned()))
        .collect();
    let lowered = lowered(&queue);
    let verdict = verdict(&lowered, "labels");
    assert!(
        verdict.hold.reason().contains("61 have room"),
        "{verdict:?}"
    );
    let Some(Value::Map(set)) = attribute_of(resource(&lowered, "orders"), attribute::LABELS)
        .map(|held| held.value.clone())
    else {
        panic!("labels");
    };
    assert_eq!(set.len(), 61);
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..3_000_000).prop_map(Duration::from_secs),
        (0_u64..2_000_000).prop_map(Duration::from_millis),
        Just(Duration::MAX),
    ]
}

fn any_target() -> impl Strategy<Value = DeadLetterTarget> {
    prop_oneof![
        Just(DeadLetterTarget::Own),
        ".{0,40}".prop_map(DeadLetterTarget::External),
        "[a-z]{1,10}".prop_map(|name| DeadLetterTarget::Shared(QueueRef {
            logical: name.clone(),
            base_name: name,
            names: Names::default(),
            ordering: Ordering::None,
        })),
    ]
}

prop_compose! {
    fn any_queue()(
        base in ".{0,300}",
        managed: bool,
        lease in proptest::option::of(any_duration()),
        kept in proptest::option::of(any_duration()),
        delay in proptest::option::of(any_duration()),
        size in proptest::option::of(any::<u64>()),
        per_key: bool,
        dead in proptest::option::of((any::<u32>(), proptest::option::of(any_duration()), any_target())),
        key in proptest::option::of(proptest::option::of(".{0,40}")),
        labels in proptest::collection::btree_map(".{0,70}", ".{0,70}", 0..70),
        native in proptest::collection::btree_map(
            prop_oneof![".{0,20}", proptest::sample::select(crate::native::NATIVE.iter().map(|known| known.name.to_owned()).collect::<Vec<_>>())],
            prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!({"a": []})), ".{0,20}".prop_map(|text| json!(text))],
            0..5,
        ),
    ) -> ResolvedQueue {
        let mut queue = queue();
        queue.base_name = base;
        queue.managed = managed;
        queue.attributes.visibility_timeout = lease.map(Stated::file);
        queue.attributes.retention = kept.map(Stated::file);
        queue.attributes.delivery_delay = delay.map(Stated::file);
        queue.attributes.max_message_size = size.map(Stated::file);
        queue.attributes.ordering = Stated::file(if per_key { Ordering::PerKey } else { Ordering::None });
        queue.attributes.dead_letter = dead.map(|(max_deliveries, retention, target)| {
            Stated::file(DeadLetter { max_deliveries, retention, target })
        });
        queue.attributes.encryption = key.map(Stated::file);
        queue.attributes.labels = labels;
        queue.attributes.native = native;
        queue
    }
}

proptest! {
    /// Lowering never panics, orders its resources, and judges by the numbers of the capability.
    #[test]
    fn any_queue_is_lowered(queue in any_queue()) {
        let lowered = lower(&queue, &scope(), Grants::Manage);
        let mut earlier = std::collections::HashSet::new();
        for resource in &lowered.resources {
            let own: std::collections::HashSet<_> = lowered.resources.iter().map(|part| &part.id).collect();
            for needed in resource.depends_on.iter().filter(|id| own.contains(id)) {
                prop_assert!(
                    earlier.contains(needed) || *needed == resource.id,
                    "{} comes before {needed}", resource.id
                );
            }
            earlier.insert(resource.id.clone());
            if resource.lifecycle == Lifecycle::Managed {
                prop_assert!(resource.marker.is_some());
            }
        }
        if let Some(lease) = queue.attributes.visibility_timeout {
            let fits = VISIBILITY_TIMEOUT.contains(lease.value) || lease.value > seconds(9) && lease.value < seconds(600);
            prop_assert_eq!(verdict(&lowered, "visibility_timeout").hold.name() == "unsupported", !fits);
        }
        if let Some(kept) = queue.attributes.retention {
            prop_assert_eq!(verdict(&lowered, "retention").hold == Hold::Exact, RETENTION.contains(kept.value));
        }
        if let Some(dead) = &queue.attributes.dead_letter {
            let count = dead.value.max_deliveries;
            let supported = (1..=MAX_DELIVERIES.max).contains(&count);
            prop_assert_eq!(verdict(&lowered, "dead_letter.max_deliveries").hold.name() != "unsupported", supported);
        }
        prop_assert!(lowered.verdicts.iter().all(|verdict| verdict.source.is_some()));
    }
}
