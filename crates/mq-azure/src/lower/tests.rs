//! What a queue becomes on each tier, and that nothing is clamped in silence.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{
    Attributes, DeadLetter, DeduplicateBy, Deduplication, Names, Ordering, Owner, QueueRef, Stated,
};
use mq_core::resource::Authority;
use mq_core::value::Value;
use mq_core::verdict::Hold;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A queue with what is written on create when the file says nothing.
fn plain() -> ResolvedQueue {
    ResolvedQueue {
        logical: "orders".to_owned(),
        base_name: "orders".to_owned(),
        names: Names::default(),
        owner: Owner {
            stack: "shop".to_owned(),
            stage: None,
            origin: None,
        },
        expires_at: None,
        managed: true,
        protect: false,
        attributes: Attributes {
            visibility_timeout: Some(Stated::create_default(seconds(30))),
            retention: Some(Stated::create_default(seconds(4 * 86_400))),
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

fn with_dead_letter(retention: Option<Duration>, target: DeadLetterTarget) -> ResolvedQueue {
    let mut queue = plain();
    queue.attributes.dead_letter = Some(Stated::file(DeadLetter {
        max_deliveries: 5,
        retention,
        target,
    }));
    queue
}

fn shared(ordering: Ordering) -> DeadLetterTarget {
    DeadLetterTarget::Shared(QueueRef {
        logical: "failures".to_owned(),
        base_name: "failures".to_owned(),
        names: Names::default(),
        ordering,
    })
}

/// Everything that lowering says, a line each.
fn text(queue: &ResolvedQueue, tier: Tier) -> String {
    let lowered = lower(queue, tier, "acme-prod");
    let mut lines = Vec::new();
    for resource in &lowered.resources {
        let needs: Vec<_> = resource
            .depends_on
            .iter()
            .map(|id| id.name.as_str())
            .collect();
        lines.push(format!(
            "{} {:?} {:?} needs {needs:?}",
            resource.id, resource.part, resource.lifecycle
        ));
        for attribute in &resource.attributes {
            let why = match &attribute.authority {
                Authority::File => String::new(),
                Authority::CreateDefault => " on create".to_owned(),
                Authority::Unlink(ours) => format!(" where it is {ours}"),
            };
            lines.push(format!("  {} = {}{why}", attribute.name, attribute.value));
        }
    }
    for verdict in &lowered.verdicts {
        let reason = match &verdict.hold {
            Hold::Approximate { from, to, .. } => format!(" {from} -> {to}"),
            Hold::Exact | Hold::ClientSide { .. } | Hold::Unsupported { .. } => String::new(),
        };
        lines.push(format!(
            "{} {}: {}{reason}",
            verdict.hold.name(),
            verdict.attribute,
            verdict.value
        ));
    }
    for problem in &lowered.problems {
        lines.push(format!(
            "{}: {}",
            problem.id,
            problem.detail.as_deref().unwrap_or_default()
        ));
    }
    lines.join("\n")
}

fn hold(queue: &ResolvedQueue, tier: Tier, attribute: &str) -> Hold {
    let lowered = lower(queue, tier, "acme-prod");
    let found = lowered
        .verdicts
        .iter()
        .find(|verdict| verdict.attribute == attribute);
    found
        .unwrap_or_else(|| panic!("no verdict on {attribute}"))
        .hold
        .clone()
}

fn written(queue: &ResolvedQueue, tier: Tier, name: &str) -> Option<Value> {
    let lowered = lower(queue, tier, "acme-prod");
    let resource = lowered.resources.last().expect("a queue");
    let found = resource
        .attributes
        .iter()
        .find(|attribute| attribute.name == name);
    found.map(|attribute| attribute.value.clone())
}

#[test]
fn a_queue_of_which_the_file_says_nothing() {
    insta::assert_snapshot!(text(&plain(), Tier::Standard), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s on create
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 2147483647 on create
      ForwardDeadLetteredMessagesTo = none where it is "orders-dlq"
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    approximate dead_letter: none none -> after 2147483647 deliveries
    "#);
    insta::assert_snapshot!(text(&plain(), Tier::Basic), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s on create
      MaxDeliveryCount = 2147483647 on create
    exact visibility_timeout: 30s
    approximate retention: 4d 4d -> what the Basic tier gives
    exact ordering: none
    approximate dead_letter: none none -> after 2147483647 deliveries
    "#);
}

#[test]
fn the_quickstarts_queue_on_each_tier() {
    let mut queue = with_dead_letter(None, DeadLetterTarget::Own);
    queue.attributes.visibility_timeout = Some(Stated::file(seconds(30)));
    insta::assert_snapshot!(text(&queue, Tier::Standard), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = none
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: orders/$DeadLetterQueue
    "#);
    insta::assert_snapshot!(text(&queue, Tier::Basic), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s
      MaxDeliveryCount = 5
    exact visibility_timeout: 30s
    approximate retention: 4d 4d -> what the Basic tier gives
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: orders/$DeadLetterQueue
    "#);
    insta::assert_snapshot!(text(&queue, Tier::Premium), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = none
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: orders/$DeadLetterQueue
    "#);
}

#[test]
fn a_dead_letter_retention_takes_a_real_queue() {
    let mut queue = with_dead_letter(Some(seconds(14 * 86_400)), DeadLetterTarget::Own);
    queue.attributes.labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    insta::assert_snapshot!(text(&queue, Tier::Standard), @r#"
    servicebus.queue "orders-dlq" DeadLetter Managed needs []
      DefaultMessageTimeToLive = 14d
      LockDuration = 30s on create
      MaxDeliveryCount = 2147483647 on create
      UserMetadata = {team: "a"}
    servicebus.queue "orders" Queue Managed needs ["orders-dlq"]
      LockDuration = 30s on create
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = "orders-dlq"
      UserMetadata = {team: "a"}
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    approximate dead_letter.retention: 14d 14d -> 14d in `orders-dlq`
    approximate labels: {team: "a"} labels -> JSON in UserMetadata
    "#);
    insta::assert_snapshot!(text(&queue, Tier::Basic), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s on create
      MaxDeliveryCount = 5
      UserMetadata = {team: "a"}
    exact visibility_timeout: 30s
    approximate retention: 4d 4d -> what the Basic tier gives
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    unsupported dead_letter.retention: 14d
    exact dead_letter.queue: orders/$DeadLetterQueue
    approximate labels: {team: "a"} labels -> JSON in UserMetadata
    "#);
    queue.attributes.ordering = Stated::file(Ordering::PerKey);
    insta::assert_snapshot!(text(&queue, Tier::Standard), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 30s on create
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = true
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = none
      UserMetadata = {team: "a"}
    exact visibility_timeout: 30s
    exact retention: 4d
    approximate ordering: per-key per-key -> sessions
    exact dead_letter.max_deliveries: 5
    unsupported dead_letter.retention: 14d
    exact dead_letter.queue: orders/$DeadLetterQueue
    approximate labels: {team: "a"} labels -> JSON in UserMetadata
    "#);
}

#[test]
fn dead_letters_of_another_queue_and_of_someone_elses() {
    let queue = with_dead_letter(None, shared(Ordering::None));
    insta::assert_snapshot!(text(&queue, Tier::Standard), @r#"
    servicebus.queue "orders" Queue Managed needs ["failures"]
      LockDuration = 30s on create
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = "failures"
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: failures
    "#);
    let serial = lower(&queue, Tier::Standard, "acme").resources[0]
        .serial
        .clone();
    assert_eq!(serial.as_deref(), Some("forwards to failures"));
    let queue = with_dead_letter(None, DeadLetterTarget::External("Ops/Failures".to_owned()));
    insta::assert_snapshot!(text(&queue, Tier::Standard), @r#"
    servicebus.queue "ops/failures" DeadLetter External needs []
    servicebus.queue "orders" Queue Managed needs ["ops/failures"]
      LockDuration = 30s on create
      DefaultMessageTimeToLive = 4d on create
      RequiresSession = false on create
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = "ops/failures"
    exact visibility_timeout: 30s
    exact retention: 4d
    exact ordering: none
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: ops/failures
    "#);
    let sessions = with_dead_letter(None, shared(Ordering::PerKey));
    let hold = hold(&sessions, Tier::Standard, "dead_letter.queue");
    assert_eq!(hold.name(), "unsupported");
}

#[test]
fn everything_at_once_on_premium() {
    let mut queue = with_dead_letter(None, DeadLetterTarget::Own);
    let attributes = &mut queue.attributes;
    attributes.visibility_timeout = Some(Stated::file(seconds(600)));
    attributes.retention = Some(Stated::file(seconds(14 * 86_400)));
    attributes.receive_wait = Some(Stated::file(seconds(20)));
    attributes.delivery_delay = Some(Stated::file(seconds(60)));
    attributes.max_message_size = Some(Stated::file((1 << 20) + 1));
    attributes.ordering = Stated::file(Ordering::PerKey);
    attributes.deduplication = Some(Stated::file(Deduplication {
        window: seconds(300),
        by: DeduplicateBy::Content,
    }));
    attributes.encryption = Some(Stated::file(Some("https://vault/key".to_owned())));
    attributes.native = BTreeMap::from([
        ("EnableBatchedOperations".to_owned(), json!(false)),
        ("AutoDeleteOnIdle".to_owned(), json!("1h")),
        ("EnablePartitioning".to_owned(), json!(true)),
        ("LockDuration".to_owned(), json!("1m")),
        ("Status".to_owned(), json!("Sleeping")),
    ]);
    insta::assert_snapshot!(text(&queue, Tier::Premium), @r#"
    servicebus.queue "orders" Queue Managed needs []
      LockDuration = 5m
      DefaultMessageTimeToLive = 14d
      MaxMessageSizeInKilobytes = 1025KiB
      RequiresSession = true
      RequiresDuplicateDetection = true
      DuplicateDetectionHistoryTimeWindow = 5m
      MaxDeliveryCount = 5
      ForwardDeadLetteredMessagesTo = none
      AutoDeleteOnIdle = 1h
      EnableBatchedOperations = false
    approximate visibility_timeout: 10m 10m -> 5m
    exact retention: 14d
    client-side receive_wait: 20s
    client-side delivery_delay: 1m
    approximate max_message_size: 1048577B 1048577B -> 1025KiB
    approximate ordering: per-key per-key -> sessions
    client-side deduplication: 5m by content
    exact dead_letter.max_deliveries: 5
    exact dead_letter.queue: orders/$DeadLetterQueue
    unsupported encryption: https://vault/key
    exact native.AutoDeleteOnIdle: 1h
    exact native.EnableBatchedOperations: false
    unsupported native.EnablePartitioning: true
    native/refused: queue `orders`: `LockDuration`: say it with `visibility_timeout`, which works on every cloud
    native/refused: queue `orders`: `Status`: write one of Active, Disabled, SendDisabled, ReceiveDisabled
    "#);
}

type Set = fn(&mut Attributes, u64);

/// The verdicts on these values of one attribute.
fn check_edges(attribute: &str, set: Set, cases: &[(Tier, u64, &str)]) {
    for (tier, value, expected) in cases {
        let mut queue = plain();
        set(&mut queue.attributes, *value);
        let held = hold(&queue, *tier, attribute);
        assert_eq!(
            held.name(),
            *expected,
            "{attribute} {value} on {tier:?}: {held:?}"
        );
    }
}

#[test]
fn the_edges_of_durations() {
    use Tier::{Basic, Premium, Standard};
    check_edges(
        "visibility_timeout",
        |attributes, value| attributes.visibility_timeout = Some(Stated::file(seconds(value))),
        &[
            (Standard, 0, "unsupported"),
            (Standard, 4, "unsupported"),
            (Basic, 5, "exact"),
            (Standard, 300, "exact"),
            (Standard, 301, "approximate"),
            (Premium, 600, "approximate"),
            (Standard, 601, "unsupported"),
        ],
    );
    check_edges(
        "retention",
        |attributes, value| attributes.retention = Some(Stated::file(seconds(value))),
        &[
            (Standard, 0, "unsupported"),
            (Standard, 1, "exact"),
            (Premium, 31 * 86_400, "exact"),
            (Basic, 86_400, "unsupported"),
        ],
    );
    check_edges(
        "delivery_delay",
        |attributes, value| attributes.delivery_delay = Some(Stated::file(seconds(value))),
        &[(Standard, 0, "exact"), (Standard, 1, "client-side")],
    );
    check_edges(
        "deduplication",
        |attributes, value| {
            attributes.deduplication = Some(Stated::file(Deduplication {
                window: seconds(value),
                by: DeduplicateBy::Id,
            }));
        },
        &[
            (Standard, 19, "unsupported"),
            (Standard, 20, "exact"),
            (Standard, 7 * 86_400, "exact"),
            (Premium, 7 * 86_400 + 1, "unsupported"),
            (Basic, 300, "unsupported"),
        ],
    );
}

#[test]
fn the_edges_of_sizes_and_counts() {
    use Tier::{Basic, Premium, Standard};
    check_edges(
        "max_message_size",
        |attributes, value| attributes.max_message_size = Some(Stated::file(value)),
        &[
            (Standard, 1024, "approximate"),
            (Basic, 262_144, "exact"),
            (Standard, 262_145, "unsupported"),
            (Premium, 262_144, "approximate"),
            (Premium, 1 << 20, "exact"),
            (Premium, 100 << 20, "exact"),
            (Premium, (100 << 20) + 1, "unsupported"),
        ],
    );
    check_edges(
        "dead_letter.max_deliveries",
        |attributes, value| {
            attributes.dead_letter = Some(Stated::file(DeadLetter {
                max_deliveries: u32::try_from(value).unwrap_or(u32::MAX),
                retention: None,
                target: DeadLetterTarget::Own,
            }));
        },
        &[
            (Standard, 0, "unsupported"),
            (Basic, 1, "exact"),
            (Premium, 2_147_483_647, "exact"),
            (Standard, 2_147_483_648, "unsupported"),
        ],
    );
}

#[test]
fn names_that_the_service_refuses() {
    for (name, refused) in [
        ("orders", false),
        ("a", false),
        ("team/orders.v2_x", false),
        ("-orders", true),
        ("orders-", true),
        ("orders@home", true),
        ("or ders", true),
        ("a//b", true),
        ("a/../b", true),
        ("größe", true),
        ("", true),
    ] {
        let mut queue = plain();
        queue.names.queue = Some(name.to_owned());
        let problems = lower(&queue, Tier::Standard, "acme").problems;
        assert_eq!(!problems.is_empty(), refused, "{name}: {problems:?}");
    }
    let mut queue = with_dead_letter(Some(seconds(3600)), DeadLetterTarget::Own);
    queue.names.queue = Some("x".repeat(258));
    let problems = lower(&queue, Tier::Standard, "acme").problems;
    let detail = problems[0].detail.as_deref().unwrap_or_default();
    assert!(
        detail.contains("262 characters"),
        "the suffix counts: {detail}"
    );
    queue.names.queue = Some("orders".to_owned());
    queue.names.dead_letter = Some("ORDERS".to_owned());
    assert_eq!(lower(&queue, Tier::Standard, "acme").problems.len(), 1);
}

#[test]
fn two_spellings_are_one_queue() {
    let mut queue = plain();
    queue.names.queue = Some("Prod-OrderEvents".to_owned());
    let lowered = lower(&queue, Tier::Standard, "acme");
    assert_eq!(lowered.resources[0].id, id("prod-orderevents"));
}

#[test]
fn labels_that_do_not_fit_are_counted() {
    let mut queue = plain();
    queue.attributes.labels = BTreeMap::from([("note".to_owned(), "x".repeat(1000))]);
    let problems = lower(&queue, Tier::Standard, "acme").problems;
    assert_eq!(problems.len(), 1);
    let detail = problems[0].detail.as_deref().unwrap_or_default();
    assert!(detail.contains("room for 1024"), "{detail}");
    queue.attributes.labels = BTreeMap::from([("mq-stack".to_owned(), "other".to_owned())]);
    let problems = lower(&queue, Tier::Standard, "acme").problems;
    assert_eq!(problems[0].id, "labels/reserved");
}

#[test]
fn a_queue_of_someone_else_is_compared_only_where_the_file_speaks() {
    let mut queue = plain();
    queue.managed = false;
    queue.attributes.visibility_timeout = Some(Stated::file(seconds(60)));
    queue.attributes.retention = None;
    queue.attributes.receive_wait = None;
    let lowered = lower(&queue, Tier::Standard, "acme");
    let [resource] = &lowered.resources[..] else {
        panic!("one queue: {lowered:?}");
    };
    assert_eq!(resource.lifecycle, Lifecycle::External);
    assert_eq!(resource.marker, None);
    let stated: Vec<_> = resource
        .attributes
        .iter()
        .filter(|attribute| attribute.authority == Authority::File)
        .map(|attribute| attribute.name.as_str())
        .collect();
    assert_eq!(stated, ["LockDuration"]);
}

fn attributes() -> impl Strategy<Value = ResolvedQueue> {
    let origin_free = (0u64..2000, 0u64..4_000_000, 0u64..1000, 1u64..200_000_000);
    let shape = (any::<bool>(), 0u64..700_000, any::<bool>(), any::<bool>());
    (
        origin_free,
        shape,
        prop::option::of((0u32..200, prop::option::of(0u64..4_000_000))),
    )
        .prop_map(
            |((lock, retention, delay, size), (ordered, window, by_id, dedup), dead)| {
                let mut queue = plain();
                let attributes = &mut queue.attributes;
                attributes.visibility_timeout = Some(Stated::file(seconds(lock)));
                attributes.retention = Some(Stated::file(seconds(retention)));
                attributes.delivery_delay = Some(Stated::file(seconds(delay)));
                attributes.max_message_size = Some(Stated::file(size));
                if ordered {
                    attributes.ordering = Stated::file(Ordering::PerKey);
                }
                if dedup {
                    let by = if by_id {
                        DeduplicateBy::Id
                    } else {
                        DeduplicateBy::Content
                    };
                    attributes.deduplication = Some(Stated::file(Deduplication {
                        window: seconds(window),
                        by,
                    }));
                }
                attributes.dead_letter = dead.map(|(max_deliveries, retention)| {
                    Stated::file(DeadLetter {
                        max_deliveries,
                        retention: retention.map(seconds),
                        target: DeadLetterTarget::Own,
                    })
                });
                queue
            },
        )
}

proptest! {
    /// Whatever is written differs from what is asked only under a verdict that says so.
    #[test]
    fn nothing_is_clamped_in_silence(queue in attributes(), tier in prop::sample::select(&Tier::ALL[..])) {
        let attributes = &queue.attributes;
        let exact = |attribute| hold(&queue, tier, attribute) == Hold::Exact;
        let asked = |stated: Option<Stated<Duration>>| stated.map(|stated| Value::Duration(stated.value));
        if exact("visibility_timeout") {
            prop_assert_eq!(written(&queue, tier, "LockDuration"), asked(attributes.visibility_timeout));
        }
        if exact("retention") {
            prop_assert_eq!(written(&queue, tier, "DefaultMessageTimeToLive"), asked(attributes.retention));
        }
        if let (true, Some(size)) = (exact("max_message_size"), written(&queue, tier, "MaxMessageSizeInKilobytes")) {
            prop_assert_eq!(size, Value::Bytes(attributes.max_message_size.expect("stated").value));
        }
        let sessions = written(&queue, tier, "RequiresSession");
        let ordered = attributes.ordering.value == Ordering::PerKey;
        prop_assert_eq!(sessions == Some(Value::Bool(true)), ordered && tier != Tier::Basic);
        prop_assert!(ordered || exact("ordering"));
    }

    /// Every verdict names a vendor page, every stated attribute has exactly one verdict, and
    /// dependencies come first.
    #[test]
    fn lowered_is_whole(queue in attributes(), tier in prop::sample::select(&Tier::ALL[..])) {
        let lowered = lower(&queue, tier, "acme");
        let mut names: Vec<_> = lowered.verdicts.iter().map(|verdict| verdict.attribute.clone()).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), count);
        for verdict in &lowered.verdicts {
            let page = verdict.source.as_deref().unwrap_or_default();
            prop_assert!(page.starts_with("https://learn.microsoft.com/"), "{:?}", verdict);
            let silent = verdict.hold == Hold::Exact || !verdict.hold.reason().is_empty();
            prop_assert!(silent, "{:?}", verdict);
        }
        for (index, resource) in lowered.resources.iter().enumerate() {
            for needed in &resource.depends_on {
                prop_assert!(lowered.resources[..index].iter().any(|before| before.id == *needed));
            }
        }
    }
}
