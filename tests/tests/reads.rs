//! An unchanged run makes no write and few reads, by count.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::collections::BTreeMap;

use mq_core::PlanOptions;
use mq_core::spec::{DeadLetterPatch, QueuePatch, QueueSpec, Setting, Spec};
use mq_tests::specs;
use mq_tests::world::World;

/// Enough for several list pages.
const QUEUES: usize = 250;

fn file(dead_letters: bool) -> Spec {
    let mut patch = QueuePatch::default();
    if dead_letters {
        patch.dead_letter = Setting::Value(DeadLetterPatch {
            max_deliveries: Setting::Value(5),
            ..DeadLetterPatch::default()
        });
    }
    let queues: BTreeMap<String, QueueSpec> = (0..QUEUES)
        .map(|index| {
            (
                format!("queue-{index:04}"),
                QueueSpec {
                    patch: patch.clone(),
                    ..QueueSpec::default()
                },
            )
        })
        .collect();
    Spec {
        stack: "reads".to_owned(),
        queues,
        ..Spec::default()
    }
}

/// The calls of an unchanged run after `identify`.
async fn calls_of_unchanged_run(backend: &str, dead_letters: bool) -> Vec<String> {
    let world = World::start(&[], 0).await;
    let queues = specs::resolve(&file(dead_letters), backend, "s");
    let session = world.session(backend).await.unwrap();
    let outcome = session
        .provision(&queues, &PlanOptions::default())
        .await
        .unwrap();
    assert!(!outcome.partial(), "{:?}", outcome.failures().next());
    world.proxy(backend).heal();
    let outcome = session
        .provision(&queues, &PlanOptions::default())
        .await
        .unwrap();
    assert!(outcome.results.is_empty(), "{:?}", outcome.results);
    assert!(!outcome.endpoints.is_empty());
    let calls = world.proxy(backend).calls();
    assert!(calls.iter().all(|call| !call.writes), "{calls:?}");
    calls.into_iter().map(|call| call.what).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs_takes_at_most_three_reads_a_queue() {
    let calls = calls_of_unchanged_run("aws", true).await;
    // Each queue of the file is two on SQS: itself and its dead-letter queue.
    assert!(calls.len() <= 3 * 2 * QUEUES, "{} calls", calls.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn service_bus_takes_one_list_page_for_a_hundred_queues() {
    let calls = calls_of_unchanged_run("azure", true).await;
    assert!(calls.len() <= QUEUES.div_ceil(100) + 1, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pubsub_takes_one_list_page_for_a_hundred_topics_or_subscriptions() {
    let calls = calls_of_unchanged_run("gcp", false).await;
    assert!(calls.len() <= 2 * (QUEUES.div_ceil(100) + 1), "{calls:?}");
    // Grants are in policies, which no list returns: two reads for each queue with dead letters,
    // and twice as many topics and subscriptions to page through.
    let calls = calls_of_unchanged_run("gcp", true).await;
    let (policies, pages): (Vec<&String>, Vec<&String>) =
        calls.iter().partition(|call| call.contains("IamPolicy"));
    assert!(pages.len() <= 4 * (QUEUES.div_ceil(100) + 1), "{pages:?}");
    assert!(
        policies.len() <= 2 * QUEUES,
        "{} policy reads",
        policies.len()
    );
}
