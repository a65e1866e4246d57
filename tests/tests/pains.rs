//! What users of other provisioning tools suffer, row by row of the list of complaints, and what
//! `mq` does instead: on the emulator, with what the clouds really do switched on.
//!
//! The letters and numbers are the rows of that list. A4, A5, A6, A7, Z3, Z4 and G7 are about
//! comparing by meaning and stand beside the code that reads: `mq-aws`, `mq-azure`, `mq-gcp`. X1
//! is `convergence.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use mq_core::plan::RefusalKind;
use mq_core::provisioner::{FindingKind, Outcome};
use mq_core::{Action, ControlPlane, PlanOptions};
use mq_tests::world::World;
use mq_tests::{files, raw};
use serde_json::json;

const DEAD_LETTERS: &str = "  jobs: { dead_letter: { max_deliveries: 5 } }";

fn default() -> PlanOptions {
    PlanOptions::default()
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert!(!outcome.partial(), "{:?}", outcome.results);
    assert!(outcome.unproved.is_none(), "{:?}", outcome.unproved);
    let different = outcome
        .findings
        .iter()
        .find(|finding| finding.kind == FindingKind::Different);
    assert!(different.is_none(), "{different:?}");
}

/// Provisions `yaml` on a fresh emulator.
async fn provisioned(quirks: &[&str], backend: &str, yaml: &str) -> World {
    let world = World::start(quirks, 0).await;
    let session = world.session(backend).await.unwrap();
    done(
        &session
            .provision(&files::with(yaml, backend), &default())
            .await
            .unwrap(),
    );
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_a_name_that_was_deleted_recently_is_waited_for() {
    let world = World::start(&["sqs-deleted-recently=200ms"], 0).await;
    let session = world.hurried_session("aws").await.unwrap();
    let queues = files::with("  jobs: {}", "aws");
    done(&session.provision(&queues, &default()).await.unwrap());
    let plan = session.plan_destroy(&queues, &default()).await.unwrap();
    done(&session.apply(&plan).await);
    world.proxy("aws").heal();
    done(&session.provision(&queues, &default()).await.unwrap());
    let creates = world
        .proxy("aws")
        .calls()
        .iter()
        .filter(|call| call.what.ends_with("CreateQueue"))
        .count();
    assert!(creates > 1, "the emulator never refused the name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_waiting_for_a_name_ends_with_the_way_out() {
    let world = World::start(&["sqs-deleted-recently=60s"], 0).await;
    let session = world.session("aws").await.unwrap();
    let queues = files::with("  jobs: {}", "aws");
    done(&session.provision(&queues, &default()).await.unwrap());
    let plan = session.plan_destroy(&queues, &default()).await.unwrap();
    done(&session.apply(&plan).await);
    let outcome = session.provision(&queues, &default()).await.unwrap();
    let (_, error) = outcome
        .failures()
        .next()
        .expect("the name is kept for a minute of real time");
    assert!(error.to_string().contains("60 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_a3_an_attribute_that_lags_is_named_and_not_an_error_and_the_next_run_writes_nothing() {
    let world = World::start(&["sqs-attribute-lag=1s"], 0).await;
    let session = world.session("aws").await.unwrap();
    done(
        &session
            .provision(
                &files::with("  jobs: { visibility_timeout: 30s }", "aws"),
                &default(),
            )
            .await
            .unwrap(),
    );
    let changed = files::with("  jobs: { visibility_timeout: 45s }", "aws");
    let outcome = session.provision(&changed, &default()).await.unwrap();
    done(&outcome);
    let [finding] = &outcome.findings[..] else {
        panic!("{:?}", outcome.findings)
    };
    assert_eq!(finding.attribute.as_deref(), Some("VisibilityTimeout"));
    assert!(
        matches!(
            finding.kind,
            FindingKind::NotYetVisible { within_seconds: 60 }
        ),
        "{finding:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a9_a_policy_is_changed_in_place() {
    let policy = |effect: &str| {
        format!(
            "  jobs: {{ overrides: {{ aws: {{ native: {{ Policy: '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"{effect}\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}}]}}' }} }} }} }}"
        )
    };
    let world = provisioned(&[], "aws", &policy("Allow")).await;
    let session = world.session("aws").await.unwrap();
    world.proxy("aws").heal();
    done(
        &session
            .provision(&files::with(&policy("Deny"), "aws"), &default())
            .await
            .unwrap(),
    );
    let writes: Vec<_> = world
        .proxy("aws")
        .calls()
        .into_iter()
        .filter(|call| call.writes)
        .collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(writes[0].what, "POST SetQueueAttributes");
    let attributes = raw::queue_attributes(&world, "jobs").await;
    assert!(
        attributes["Policy"].as_str().unwrap().contains("Deny"),
        "{attributes}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_deleting_what_is_gone_is_done() {
    for (backend, queue) in [("aws", "jobs"), ("azure", "jobs"), ("gcp", "jobs")] {
        let world = provisioned(&[], backend, "  jobs: {}").await;
        let session = world.session(backend).await.unwrap();
        let options = PlanOptions {
            drop_messages: true,
            ..default()
        };
        let queues = files::with("  jobs: {}", backend);
        let plan = session.plan_destroy(&queues, &options).await.unwrap();
        // Someone else is faster.
        let url = if backend == "aws" {
            raw::queue_url(&world, queue).await
        } else {
            String::new()
        };
        let status = match backend {
            "aws" => {
                raw::sqs(&world, "DeleteQueue", json!({ "QueueUrl": url })).await;
                200
            }
            "azure" => raw::atom(&world, "DELETE", queue, None).await.0,
            _ => {
                raw::pubsub(&world, "DELETE", "subscriptions/jobs-sub", None)
                    .await
                    .0
            }
        };
        assert_eq!(status, 200, "{backend}");
        done(&session.apply(&plan).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_source_and_dead_letter_queue_name_each_other_after_one_run() {
    let world = provisioned(&[], "aws", DEAD_LETTERS).await;
    let source = raw::queue_attributes(&world, "jobs").await;
    let dead = raw::queue_attributes(&world, "jobs-dlq").await;
    let redrive: serde_json::Value =
        serde_json::from_str(source["RedrivePolicy"].as_str().unwrap()).unwrap();
    assert_eq!(redrive["deadLetterTargetArn"], dead["QueueArn"]);
    let allow: serde_json::Value =
        serde_json::from_str(dead["RedriveAllowPolicy"].as_str().unwrap()).unwrap();
    assert_eq!(allow["redrivePermission"], "byQueue");
    assert_eq!(allow["sourceQueueArns"], json!([source["QueueArn"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_max_deliveries_is_the_services_number_without_an_offset() {
    let world = provisioned(&[], "aws", DEAD_LETTERS).await;
    let source = raw::queue_attributes(&world, "jobs").await;
    let redrive: serde_json::Value =
        serde_json::from_str(source["RedrivePolicy"].as_str().unwrap()).unwrap();
    assert_eq!(redrive["maxReceiveCount"], 5);
    let world = provisioned(&[], "azure", DEAD_LETTERS).await;
    let (_, entry) = raw::atom(&world, "GET", "jobs", None).await;
    assert!(
        entry.contains("<MaxDeliveryCount>5</MaxDeliveryCount>"),
        "{entry}"
    );
    let world = provisioned(&[], "gcp", DEAD_LETTERS).await;
    let (_, subscription) = raw::pubsub(&world, "GET", "subscriptions/jobs-sub", None).await;
    assert_eq!(subscription["deadLetterPolicy"]["maxDeliveryAttempts"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn z1_the_size_that_standard_echoes_is_never_written_back() {
    let world = provisioned(&[], "azure", "  jobs: { visibility_timeout: 30s }").await;
    let (_, entry) = raw::atom(&world, "GET", "jobs", None).await;
    assert!(
        entry.contains("<MaxMessageSizeInKilobytes>256<"),
        "the emulator does not echo it: {entry}"
    );
    let session = world.session("azure").await.unwrap();
    done(
        &session
            .provision(
                &files::with("  jobs: { visibility_timeout: 45s }", "azure"),
                &default(),
            )
            .await
            .unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn z2_basic_takes_the_second_deployment_too() {
    let world = provisioned(
        &["servicebus-basic-tier"],
        "azure",
        "  jobs: { visibility_timeout: 30s }",
    )
    .await;
    let session = world.session("azure").await.unwrap();
    let plan = session
        .plan(
            &files::with("  jobs: { visibility_timeout: 30s }", "azure"),
            &default(),
        )
        .await
        .unwrap();
    assert!(!plan.pending(), "{:?}", plan.changes);
    done(
        &session
            .provision(
                &files::with("  jobs: { visibility_timeout: 45s }", "azure"),
                &default(),
            )
            .await
            .unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn z5_z6_another_operation_in_progress_is_tried_again() {
    let yaml = (0..20)
        .map(|index| format!("  jobs-{index}: {{}}\n"))
        .collect::<String>();
    let world = World::start(&["servicebus-40901=0.4"], 7).await;
    let session = world.session("azure").await.unwrap();
    world.proxy("azure").heal();
    done(
        &session
            .provision(&files::with(&yaml, "azure"), &default())
            .await
            .unwrap(),
    );
    let puts = world
        .proxy("azure")
        .calls()
        .iter()
        .filter(|call| call.what.starts_with("PUT"))
        .count();
    assert!(puts > 20, "the emulator never said 40901");
}

#[tokio::test(flavor = "multi_thread")]
async fn z6_someone_elses_queue_is_told_apart_from_a_busy_one() {
    let world = World::start(&[], 0).await;
    let entry = r#"<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"></QueueDescription></content></entry>"#;
    let (status, answer) = raw::atom(&world, "PUT", "jobs", Some(entry)).await;
    assert_eq!(status, 201, "{answer}");
    let session = world.session("azure").await.unwrap();
    let plan = session
        .plan(&files::with("  jobs: {}", "azure"), &default())
        .await
        .unwrap();
    let (_, refusal) = plan.refusals().next().expect("it is not ours");
    assert_eq!(refusal.kind, RefusalKind::NotAdopted);
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_an_answer_of_500_after_the_work_was_done_converges() {
    for backend in ["aws", "azure", "gcp"] {
        let world = World::start(&["error-rate=0.3"], 3).await;
        let queues = files::with(DEAD_LETTERS, backend);
        let mut last = None;
        for _ in 0..5 {
            let Ok(session) = world.session(backend).await else {
                continue;
            };
            let Ok(outcome) = session.provision(&queues, &default()).await else {
                continue;
            };
            last = Some(outcome);
            if last.as_ref().is_some_and(|outcome| !outcome.partial()) {
                break;
            }
        }
        done(&last.expect("five runs"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z8_the_namespace_is_never_written() {
    let world = World::start(&[], 0).await;
    let session = world.session("azure").await.unwrap();
    world.proxy("azure").heal();
    let queues = files::with(DEAD_LETTERS, "azure");
    done(&session.provision(&queues, &default()).await.unwrap());
    let plan = session
        .plan_destroy(
            &queues,
            &PlanOptions {
                drop_messages: true,
                ..default()
            },
        )
        .await
        .unwrap();
    done(&session.apply(&plan).await);
    for call in world
        .proxy("azure")
        .calls()
        .iter()
        .filter(|call| call.writes)
    {
        assert!(call.what.ends_with("/jobs"), "{call:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g1_both_grants_are_made_and_others_are_kept() {
    let world = provisioned(&[], "gcp", "  jobs: {}").await;
    let other = json!({ "policy": { "bindings": [{ "role": "roles/pubsub.viewer", "members": ["user:someone@example.org"] }] } });
    let (status, _) = raw::pubsub(
        &world,
        "POST",
        "subscriptions/jobs-sub:setIamPolicy",
        Some(other),
    )
    .await;
    assert_eq!(status, 200);
    let session = world.session("gcp").await.unwrap();
    let queues = files::with(DEAD_LETTERS, "gcp");
    done(&session.provision(&queues, &default()).await.unwrap());
    let agent = |policy: &serde_json::Value, role: &str| {
        policy["bindings"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|binding| {
                binding["role"] == role
                    && binding["members"]
                        .to_string()
                        .contains("@gcp-sa-pubsub.iam.gserviceaccount.com")
            })
    };
    let (_, topic) = raw::pubsub(&world, "GET", "topics/jobs-dlq:getIamPolicy", None).await;
    let (_, subscription) =
        raw::pubsub(&world, "GET", "subscriptions/jobs-sub:getIamPolicy", None).await;
    assert!(agent(&topic, "roles/pubsub.publisher"), "{topic}");
    assert!(
        agent(&subscription, "roles/pubsub.subscriber"),
        "{subscription}"
    );
    assert!(
        subscription.to_string().contains("someone@example.org"),
        "{subscription}"
    );
    // Taken away by someone: the next plan gives it again.
    let (_, _) = raw::pubsub(
        &world,
        "POST",
        "topics/jobs-dlq:setIamPolicy",
        Some(json!({ "policy": {} })),
    )
    .await;
    let plan = session.plan(&queues, &default()).await.unwrap();
    assert_eq!(plan.tally().add, 1, "{:?}", plan.tally());
}

#[tokio::test(flavor = "multi_thread")]
async fn g2_the_dead_letter_topic_has_a_subscription() {
    let world = provisioned(&[], "gcp", DEAD_LETTERS).await;
    let (status, subscription) =
        raw::pubsub(&world, "GET", "subscriptions/jobs-dlq-sub", None).await;
    assert_eq!(status, 200);
    assert!(
        subscription["topic"]
            .as_str()
            .unwrap()
            .ends_with("/topics/jobs-dlq"),
        "{subscription}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g3_no_subscription_ever_expires() {
    let world = provisioned(&[], "gcp", DEAD_LETTERS).await;
    for name in ["jobs-sub", "jobs-dlq-sub"] {
        let (_, subscription) =
            raw::pubsub(&world, "GET", &format!("subscriptions/{name}"), None).await;
        assert!(
            subscription["expirationPolicy"].get("ttl").is_none(),
            "{subscription}"
        );
    }
    let patch = json!({ "subscription": { "expirationPolicy": { "ttl": "2678400s" } }, "updateMask": "expirationPolicy" });
    let (status, body) = raw::pubsub(&world, "PATCH", "subscriptions/jobs-sub", Some(patch)).await;
    assert_eq!(status, 200, "{body}");
    let session = world.session("gcp").await.unwrap();
    let plan = session
        .plan(&files::with(DEAD_LETTERS, "gcp"), &default())
        .await
        .unwrap();
    assert_eq!(
        plan.tally().change,
        1,
        "an expiry that someone set is corrected"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g4_ordering_is_fixed_at_creation_and_replaced_only_by_name() {
    let world = provisioned(&[], "gcp", "  jobs: {}").await;
    let session = world.session("gcp").await.unwrap();
    let ordered = files::with("  jobs: { ordering: per-key }", "gcp");
    let plan = session.plan(&ordered, &default()).await.unwrap();
    let (_, refusal) = plan.refusals().next().expect("not without --replace");
    assert_eq!(refusal.kind, RefusalKind::Immutable);
    assert!(refusal.hint.contains("--replace jobs"), "{refusal:?}");
    let named = PlanOptions {
        replace: ["jobs".to_owned()].into(),
        ..default()
    };
    let plan = session.plan(&ordered, &named).await.unwrap();
    assert_eq!(
        plan.refusals().next().unwrap().1.kind,
        RefusalKind::HoldsMessages
    );
    let both = PlanOptions {
        drop_messages: true,
        ..named
    };
    done(&session.provision(&ordered, &both).await.unwrap());
    let (_, subscription) = raw::pubsub(&world, "GET", "subscriptions/jobs-sub", None).await;
    assert_eq!(subscription["enableMessageOrdering"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn g5_a_resource_that_is_not_found_after_its_creation_is_waited_for() {
    let world = provisioned(&["pubsub-not-found-after-create=3"], "gcp", DEAD_LETTERS).await;
    let session = world.session("gcp").await.unwrap();
    let plan = session
        .plan(&files::with(DEAD_LETTERS, "gcp"), &default())
        .await
        .unwrap();
    assert!(!plan.pending(), "{:?}", plan.changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_a_topic_deleted_by_someone_is_seen_as_a_subscription_to_replace() {
    let world = provisioned(&[], "gcp", DEAD_LETTERS).await;
    raw::pubsub(&world, "DELETE", "topics/jobs", None).await;
    let session = world.session("gcp").await.unwrap();
    let queues = files::with(DEAD_LETTERS, "gcp");
    let plan = session.plan(&queues, &default()).await.unwrap();
    let replaced = plan
        .changes
        .iter()
        .find(|change| change.action == Action::Replace)
        .expect("a replacement");
    assert_eq!(replaced.resource.id.name, "jobs-sub");
    assert!(replaced.attributes.iter().any(|change| {
        change
            .from
            .as_ref()
            .is_some_and(|from| from.to_string().contains("_deleted-topic_"))
    }));
    // With the subscription goes its grant: both are made again, in one run.
    let options = PlanOptions {
        replace: ["jobs".to_owned()].into(),
        drop_messages: true,
        ..default()
    };
    done(&session.provision(&queues, &options).await.unwrap());
    let plan = session.plan(&queues, &default()).await.unwrap();
    assert!(!plan.pending(), "{:?}", plan.changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn x2_an_existing_queue_is_corrected_where_the_file_speaks_and_left_alone_elsewhere() {
    let world = provisioned(&[], "aws", "  jobs: { visibility_timeout: 30s }").await;
    let url = raw::queue_url(&world, "jobs").await;
    let drift = json!({ "QueueUrl": url, "Attributes": { "VisibilityTimeout": "77", "DelaySeconds": "5" } });
    raw::sqs(&world, "SetQueueAttributes", drift).await;
    let session = world.session("aws").await.unwrap();
    let queues = files::with("  jobs: { visibility_timeout: 30s }", "aws");
    done(&session.provision(&queues, &default()).await.unwrap());
    let attributes = raw::queue_attributes(&world, "jobs").await;
    assert_eq!(attributes["VisibilityTimeout"], "30");
    assert_eq!(attributes["DelaySeconds"], "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_make_one_queue() {
    for backend in ["aws", "azure", "gcp"] {
        let world = World::start(&[], 0).await;
        let queues = files::with(DEAD_LETTERS, backend);
        let (one, two) = (
            world.session(backend).await.unwrap(),
            world.session(backend).await.unwrap(),
        );
        let options = default();
        let (first, second) = tokio::join!(
            one.provision(&queues, &options),
            two.provision(&queues, &options)
        );
        done(&first.unwrap());
        done(&second.unwrap());
        let plan = one.plan(&queues, &default()).await.unwrap();
        assert!(!plan.pending(), "{backend}: {:?}", plan.changes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_another_stack_or_origin_is_spared() {
    for backend in ["aws", "azure", "gcp"] {
        let world = provisioned(&[], backend, "  jobs: {}").await;
        let session = world.session(backend).await.unwrap();
        for (file, kind) in [
            (
                "version: 1\nstack: other\nqueues: { jobs: {} }",
                RefusalKind::NotOurs,
            ),
            (
                "version: 1\nstack: pains\norigin: elsewhere\nqueues: { jobs: {} }",
                RefusalKind::OtherOrigin,
            ),
        ] {
            let queues = files::queues(file, backend);
            let plan = session.plan(&queues, &default()).await.unwrap();
            assert_eq!(plan.refusals().next().unwrap().1.kind, kind, "{backend}");
            let plan = session
                .plan_destroy(
                    &queues,
                    &PlanOptions {
                        drop_messages: true,
                        ..default()
                    },
                )
                .await
                .unwrap();
            assert!(!plan.writes(), "{backend}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gc_believes_the_expiry_and_nothing_else() {
    let file = "version: 1\nstack: ci\nstages: { run: { name: 'run-{name}', expires: 1h }, keep: { name: 'keep-{name}' } }\nqueues: { jobs: { dead_letter: { max_deliveries: 5 } } }";
    for backend in ["aws", "azure", "gcp"] {
        let world = World::start(&[], 0).await;
        let session = world.session(backend).await.unwrap();
        let spec = files::load(file);
        for stage in ["run", "keep"] {
            let queues = mq_tests::specs::resolve(&spec, backend, stage);
            done(&session.provision(&queues, &default()).await.unwrap());
        }
        let options = PlanOptions {
            drop_messages: true,
            ..default()
        };
        let owner = spec.owner(None);
        let early = session
            .plan_collection(&owner, 1_800_000_000 + 3599, &options)
            .await
            .unwrap();
        assert!(early.changes.is_empty(), "{backend}");
        let due = session
            .plan_collection(&owner, 1_800_000_000 + 3600, &options)
            .await
            .unwrap();
        assert!(due.writes(), "{backend}");
        done(&session.apply(&due).await);
        let left = session.control.list_owned(None).await.unwrap();
        assert!(!left.is_empty(), "{backend}");
        for owned in left {
            assert_eq!(
                owned
                    .observed
                    .present
                    .unwrap()
                    .marker
                    .unwrap()
                    .owner
                    .stage
                    .as_deref(),
                Some("keep")
            );
        }
    }
}
