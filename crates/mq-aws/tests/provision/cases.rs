//! What must hold on every server.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mq_core::plan::RefusalKind;
use mq_core::queue::{DeduplicateBy, Ordering};
use mq_core::resource::Role;
use mq_core::spec::{
    DeadLetterPatch, DeadLetterQueue, DeduplicationPatch, EncryptionPatch, QueuePatch, Setting,
};
use mq_core::{Action, PlanOptions, Value};
use serde_json::json;

use crate::portability::the_portability_suite;
use crate::vendor_chain::the_vendors_chain_is_honoured;
use crate::world::{Case, World, actions, refusals};

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// Every case, by name.
        pub(crate) const ALL: &[(&str, Case)] = &[$((stringify!($name), {
            fn boxed<'a>(world: &'a World<'a>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
                Box::pin($name(world))
            }
            boxed
        })),*];
    };
}

cases![
    the_quickstart_is_provisioned_once_and_destroyed_twice,
    an_ordered_queue_has_an_ordered_dead_letter_queue,
    a_change_is_made_in_place_and_nothing_else_is_touched,
    a_dead_letter_queue_is_unlinked_and_pruned,
    sources_share_a_dead_letter_queue,
    what_someone_made_is_adopted_only_when_asked,
    what_another_stack_owns_is_refused,
    messages_are_not_lost_unasked,
    a_policy_is_compared_by_meaning,
    encryption_and_native_attributes_are_read_back,
    drift_is_found_and_corrected,
    a_queue_that_someone_else_manages_is_only_compared,
    every_marked_queue_is_listed_for_collection,
    the_vendors_chain_is_honoured,
    the_portability_suite,
];

fn value<T>(value: T) -> Setting<T> {
    Setting::Value(value)
}

fn seconds(count: u64) -> Setting<Duration> {
    Setting::Value(Duration::from_secs(count))
}

fn dead_letter(max_deliveries: u32) -> Setting<DeadLetterPatch> {
    Setting::Value(DeadLetterPatch {
        max_deliveries: value(max_deliveries),
        ..DeadLetterPatch::default()
    })
}

fn quickstart() -> QueuePatch {
    QueuePatch {
        visibility_timeout: seconds(30),
        dead_letter: dead_letter(5),
        labels: BTreeMap::from([("team".to_owned(), value("inference".to_owned()))]),
        ..QueuePatch::default()
    }
}

async fn the_quickstart_is_provisioned_once_and_destroyed_twice(world: &World<'_>) {
    let file = world.file(&[("orders", quickstart())]);
    let (name, dlq) = (world.name("orders"), world.name("orders-dlq"));
    let (plan, outcome) = world.provision(&file, &PlanOptions::default()).await;
    assert_eq!(
        actions(&plan),
        [(dlq.as_str(), Action::Create), (&name, Action::Create)]
    );

    let endpoints: Vec<_> = outcome.endpoints.iter().map(|found| found.role).collect();
    assert_eq!(endpoints, [Role::Queue, Role::DeadLetter]);
    assert!(outcome.endpoints[0].address.ends_with(&format!("/{name}")));
    let url = &outcome.endpoints[0].address;
    let by_url = world.raw().get_queue_attributes().queue_url(url);
    by_url
        .send()
        .await
        .expect("the printed endpoint is the queue's");

    let queue = world.present(&name).await.expect("the queue");
    let lives = |seconds| Value::Duration(Duration::from_secs(seconds));
    assert_eq!(queue.attributes["VisibilityTimeout"], lives(30));
    assert_eq!(queue.attributes["MessageRetentionPeriod"], lives(345_600));
    assert_eq!(queue.attributes["ReceiveMessageWaitTimeSeconds"], lives(20));
    assert_eq!(
        queue.attributes["RedrivePolicy.maxReceiveCount"],
        Value::Integer(5)
    );
    let target = Value::text(&outcome.endpoints[1].details["arn"]);
    assert_eq!(
        queue.attributes["RedrivePolicy.deadLetterTargetArn"],
        target
    );
    let labels = BTreeMap::from([("team".to_owned(), "inference".to_owned())]);
    assert_eq!(queue.attributes["Tags"], Value::Map(labels));
    let dead = world.present(&dlq).await.expect("the dead-letter queue");
    assert_eq!(dead.attributes["MessageRetentionPeriod"], lives(1_209_600));

    let drop_messages = PlanOptions {
        drop_messages: true,
        ..PlanOptions::default()
    };
    let destruction = world.destruction(&file, &drop_messages).await;
    assert_eq!(destruction.tally().destroy, 2);
    world.apply(&destruction).await;
    let again = world.destruction(&file, &drop_messages).await;
    assert!(!again.writes(), "{again:#?}");
    assert_eq!(world.present(&name).await, None);
    // Twice with the plan of before too: what is gone is gone.
    world.apply(&destruction).await;
}

async fn an_ordered_queue_has_an_ordered_dead_letter_queue(world: &World<'_>) {
    let ordered = QueuePatch {
        ordering: value(Ordering::PerKey),
        deduplication: value(DeduplicationPatch {
            by: value(DeduplicateBy::Content),
            ..DeduplicationPatch::default()
        }),
        dead_letter: dead_letter(3),
        ..QueuePatch::default()
    };
    let file = world.file(&[("billing", ordered)]);
    world.provision(&file, &PlanOptions::default()).await;
    for name in ["billing.fifo", "billing-dlq.fifo"] {
        let queue = world.present(&world.name(name)).await.expect(name);
        assert_eq!(queue.attributes["FifoQueue"], Value::Bool(true), "{name}");
    }
    let queue = world
        .present(&world.name("billing.fifo"))
        .await
        .expect("queue");
    assert_eq!(
        queue.attributes["ContentBasedDeduplication"],
        Value::Bool(true)
    );
}

async fn a_change_is_made_in_place_and_nothing_else_is_touched(world: &World<'_>) {
    let before = QueuePatch {
        delivery_delay: seconds(7),
        ..quickstart()
    };
    let file = world.file(&[("orders", before)]);
    world.provision(&file, &PlanOptions::default()).await;

    let after = QueuePatch {
        visibility_timeout: seconds(60),
        dead_letter: dead_letter(7),
        labels: BTreeMap::from([("tier".to_owned(), value("gold".to_owned()))]),
        ..quickstart()
    };
    let file = world.file(&[("orders", after)]);
    let (plan, _) = world.provision(&file, &PlanOptions::default()).await;
    let update = plan
        .changes
        .iter()
        .find(|change| change.action == Action::Update);
    let mut changed: Vec<&str> = plan
        .changes
        .iter()
        .filter(|change| change.resource.id.name == world.name("orders"))
        .flat_map(|change| change.attributes.iter().map(|part| part.name.as_str()))
        .collect();
    changed.sort_unstable();
    assert_eq!(
        changed,
        ["RedrivePolicy.maxReceiveCount", "Tags", "VisibilityTimeout"]
    );
    assert!(update.is_some());
    let queue = world
        .present(&world.name("orders"))
        .await
        .expect("the queue");
    let seven = Value::Duration(Duration::from_secs(7));
    assert_eq!(
        queue.attributes["DelaySeconds"], seven,
        "no longer stated, so kept"
    );
    let labels = [("team", "inference"), ("tier", "gold")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(queue.attributes["Tags"], Value::Map(BTreeMap::from(labels)));
    assert!(
        queue
            .attributes
            .contains_key("RedrivePolicy.deadLetterTargetArn")
    );
}

async fn a_dead_letter_queue_is_unlinked_and_pruned(world: &World<'_>) {
    let file = world.file(&[("orders", quickstart())]);
    world.provision(&file, &PlanOptions::default()).await;
    let without = QueuePatch {
        dead_letter: Setting::Inherit,
        ..quickstart()
    };
    let file = world.file(&[("orders", without)]);
    world.provision(&file, &PlanOptions::default()).await;
    let queue = world
        .present(&world.name("orders"))
        .await
        .expect("the queue");
    assert!(
        !queue
            .attributes
            .contains_key("RedrivePolicy.deadLetterTargetArn")
    );
    let dlq = world.name("orders-dlq");
    assert!(
        world.present(&dlq).await.is_some(),
        "kept until it is pruned"
    );

    let prune = PlanOptions {
        prune: true,
        ..PlanOptions::default()
    };
    let (plan, _) = world.provision(&file, &prune).await;
    assert!(actions(&plan).contains(&(dlq.as_str(), Action::Delete)));
    assert_eq!(world.present(&dlq).await, None);
}

async fn sources_share_a_dead_letter_queue(world: &World<'_>) {
    let source = || QueuePatch {
        dead_letter: value(DeadLetterPatch {
            queue: value(DeadLetterQueue::InFile(world.name("failures"))),
            ..DeadLetterPatch::default()
        }),
        ..QueuePatch::default()
    };
    let failures = ("failures", QueuePatch::default());
    let file = world.file(&[("orders", source()), failures.clone()]);
    world.provision(&file, &PlanOptions::default()).await;
    let file = world.file(&[("orders", source()), ("refunds", source()), failures]);
    let (_, outcome) = world.provision(&file, &PlanOptions::default()).await;
    let shared = world.name("failures");
    for source in ["orders", "refunds"] {
        let queue = world.present(&world.name(source)).await.expect(source);
        let target = queue.attributes["RedrivePolicy.deadLetterTargetArn"].to_string();
        assert!(target.ends_with(&format!(":{shared}\"")), "{target}");
    }
    let refunds = outcome
        .endpoints
        .iter()
        .filter(|found| found.queue == world.name("refunds"));
    let addresses: Vec<&str> = refunds.map(|found| found.address.as_str()).collect();
    assert_eq!(addresses.len(), 2);
    let real = world.present(&shared).await.expect("the shared queue");
    assert_eq!(addresses[1], real.address["url"]);
}

async fn what_someone_made_is_adopted_only_when_asked(world: &World<'_>) {
    let name = world.name("orders");
    let kept = [("DelaySeconds", "9"), ("VisibilityTimeout", "99")];
    world.made_by_someone(&name, &kept).await;
    let patch = QueuePatch {
        visibility_timeout: seconds(45),
        ..QueuePatch::default()
    };
    let file = world.file(&[("orders", patch)]);
    let refused = world.plan(&file, &PlanOptions::default()).await;
    assert_eq!(
        refusals(&refused),
        [(name.as_str(), RefusalKind::NotAdopted)]
    );
    assert!(!refused.writes());

    let adopt = PlanOptions {
        adopt: true,
        ..PlanOptions::default()
    };
    let (plan, _) = world.provision(&file, &adopt).await;
    assert_eq!(actions(&plan), [(name.as_str(), Action::Adopt)]);
    let queue = world.present(&name).await.expect("ours now");
    let lives = |seconds| Value::Duration(Duration::from_secs(seconds));
    assert_eq!(queue.attributes["VisibilityTimeout"], lives(45));
    assert_eq!(queue.attributes["DelaySeconds"], lives(9));
    assert_eq!(
        queue.attributes["ReceiveMessageWaitTimeSeconds"],
        lives(0),
        "a create-default is for creation"
    );
    let tags = BTreeMap::from([("made-by".to_owned(), "someone".to_owned())]);
    assert_eq!(queue.attributes["Tags"], Value::Map(tags));
}

async fn what_another_stack_owns_is_refused(world: &World<'_>) {
    let file = world.file(&[("orders", QueuePatch::default())]);
    world.provision(&file, &PlanOptions::default()).await;
    let mut theirs = file.clone();
    theirs.stack = "theirs".to_owned();
    let options = PlanOptions {
        adopt: true,
        drop_messages: true,
        ..PlanOptions::default()
    };
    let name = world.name("orders");
    let expected = [(name.as_str(), RefusalKind::NotOurs)];
    assert_eq!(refusals(&world.plan(&theirs, &options).await), expected);
    assert_eq!(
        refusals(&world.destruction(&theirs, &options).await),
        expected
    );
    assert!(world.present(&name).await.is_some());
}

async fn messages_are_not_lost_unasked(world: &World<'_>) {
    let file = world.file(&[("orders", quickstart())]);
    let (_, outcome) = world.provision(&file, &PlanOptions::default()).await;
    let url = &outcome.endpoints[0].address;
    let raw = world.raw();
    for delay in [0, 0, 60] {
        let call = raw.send_message().queue_url(url).message_body("x");
        call.delay_seconds(delay).send().await.expect("sent");
    }
    let received = raw.receive_message().queue_url(url).wait_time_seconds(0);
    received.send().await.expect("received");

    let refused = world.destruction(&file, &PlanOptions::default()).await;
    let kinds: BTreeSet<_> = refusals(&refused)
        .into_iter()
        .map(|(_, kind)| kind as u8)
        .collect();
    assert_eq!(kinds, BTreeSet::from([RefusalKind::HoldsMessages as u8]));
    assert!(
        !refused.writes(),
        "the dead-letter queue stays with its source"
    );
    let name = world.name("orders");
    let counts = refused
        .changes
        .iter()
        .find(|change| change.resource.id.name == name);
    let counts = counts
        .and_then(|change| change.counts.clone())
        .expect("counts");
    assert_eq!(
        (counts.visible, counts.in_flight, counts.delayed),
        (Some(1), Some(1), Some(1))
    );
}

async fn a_policy_is_compared_by_meaning(world: &World<'_>) {
    let scope = world.scope().await;
    let account = &scope.facts["account"];
    let policy = |principal: serde_json::Value, action: serde_json::Value| {
        let statement = json!({
            "Action": action,
            "Principal": { "AWS": principal },
            "Resource": "*",
            "Effect": "Allow",
        });
        let document = json!({ "Statement": statement, "Version": "2012-10-17" });
        let native = ("Policy".to_owned(), value(document));
        let patch = QueuePatch {
            native: BTreeMap::from([native]),
            ..QueuePatch::default()
        };
        world.file(&[("orders", patch)])
    };
    let file = policy(json!(account), json!("sqs:SendMessage"));
    world.provision(&file, &PlanOptions::default()).await;
    let root = format!("arn:aws:iam::{account}:root");
    let same = policy(json!([root]), json!(["SQS:SendMessage"]));
    let plan = world.plan(&same, &PlanOptions::default()).await;
    assert!(!plan.pending(), "{:#?}", plan.changes);
    let other = policy(json!(account), json!("sqs:ReceiveMessage"));
    let (plan, _) = world.provision(&other, &PlanOptions::default()).await;
    assert_eq!(
        actions(&plan),
        [(world.name("orders").as_str(), Action::Update)]
    );
}

async fn encryption_and_native_attributes_are_read_back(world: &World<'_>) {
    let key = "alias/orders".to_owned();
    let native = [("KmsDataKeyReusePeriodSeconds".to_owned(), value(json!(600)))];
    let patch = QueuePatch {
        encryption: value(EncryptionPatch {
            key: BTreeMap::from([("aws".to_owned(), value(key))]),
        }),
        native: BTreeMap::from(native),
        dead_letter: dead_letter(5),
        max_message_size: value(2_048),
        ..QueuePatch::default()
    };
    let file = world.file(&[("orders", patch)]);
    world.provision(&file, &PlanOptions::default()).await;
    for name in ["orders", "orders-dlq"] {
        let queue = world.present(&world.name(name)).await.expect(name);
        assert_eq!(
            queue.attributes["KmsMasterKeyId"],
            Value::text("alias/orders")
        );
    }
    let queue = world
        .present(&world.name("orders"))
        .await
        .expect("the queue");
    let reuse = Value::Duration(Duration::from_secs(600));
    assert_eq!(queue.attributes["KmsDataKeyReusePeriodSeconds"], reuse);
    assert_eq!(queue.attributes["MaximumMessageSize"], Value::Bytes(2_048));
}

async fn drift_is_found_and_corrected(world: &World<'_>) {
    let file = world.file(&[("orders", quickstart())]);
    let (_, outcome) = world.provision(&file, &PlanOptions::default()).await;
    let url = &outcome.endpoints[0].address;
    let by_hand = world.raw().set_queue_attributes().queue_url(url);
    let by_hand = by_hand
        .attributes("VisibilityTimeout".into(), "99")
        .attributes("ReceiveMessageWaitTimeSeconds".into(), "3");
    by_hand.send().await.expect("changed by hand");
    let plan = world.plan(&file, &PlanOptions::default()).await;
    let drifted: Vec<&str> = plan
        .changes
        .iter()
        .flat_map(|change| change.attributes.iter().map(|part| part.name.as_str()))
        .collect();
    assert_eq!(drifted, ["VisibilityTimeout"], "only what the file states");
    world.provision(&file, &PlanOptions::default()).await;
    let queue = world
        .present(&world.name("orders"))
        .await
        .expect("the queue");
    let three = Value::Duration(Duration::from_secs(3));
    assert_eq!(queue.attributes["ReceiveMessageWaitTimeSeconds"], three);
}

async fn a_queue_that_someone_else_manages_is_only_compared(world: &World<'_>) {
    let patch = QueuePatch {
        visibility_timeout: seconds(60),
        ..QueuePatch::default()
    };
    let mut file = world.file(&[("orders", patch)]);
    let name = world.name("orders");
    file.queues.get_mut(&name).expect("the queue").unmanaged = true;
    let missing = world.plan(&file, &PlanOptions::default()).await;
    assert_eq!(refusals(&missing), [(name.as_str(), RefusalKind::Missing)]);
    let hint = missing
        .refusals()
        .next()
        .map(|(_, refusal)| refusal.hint.clone());
    assert_eq!(
        hint,
        Some(format!("aws sqs create-queue --queue-name {name}"))
    );

    world
        .made_by_someone(&name, &[("VisibilityTimeout", "30")])
        .await;
    let plan = world.plan(&file, &PlanOptions::default()).await;
    assert!(!plan.writes());
    assert!(plan.changes[0].drifts_unmanaged());
}

async fn every_marked_queue_is_listed_for_collection(world: &World<'_>) {
    let file = world.file(&[("orders", quickstart())]);
    world.provision(&file, &PlanOptions::default()).await;
    world.made_by_someone(&world.name("foreign"), &[]).await;
    let listed = world.control().list_owned(None).await.expect("a listing");
    let mine: Vec<_> = listed
        .iter()
        .filter(|owned| owned.resource.id.name.starts_with(&world.stack))
        .collect();
    let names: BTreeSet<&str> = mine
        .iter()
        .map(|owned| owned.resource.id.name.as_str())
        .collect();
    let (name, dlq) = (world.name("orders"), world.name("orders-dlq"));
    assert_eq!(names, BTreeSet::from([name.as_str(), dlq.as_str()]));
    let source = mine
        .iter()
        .find(|owned| owned.resource.id.name == name)
        .expect("queue");
    assert_eq!(source.resource.depends_on.len(), 1);
    assert_eq!(source.resource.depends_on[0].name, dlq);
    let dead = mine
        .iter()
        .find(|owned| owned.resource.id.name == dlq)
        .expect("dead letters");
    assert_eq!(dead.resource.part, mq_core::resource::Part::DeadLetter);
}
