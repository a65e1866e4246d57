//! What must hold on every subject.

use std::time::Duration;

use mq_core::plan::{Action, RefusalKind};
use mq_core::queue::{DeadLetterTarget, Ordering, Stated};
use mq_core::resource::Role;
use mq_core::{ControlPlane, ErrorKind, PlanOptions, Value};
use mq_emulator::{Config, Emulator, Ports, Quirks};
use serde_json::json;

use crate::session::Place;
use crate::specs::{dead_lettered, owner, plain, rich};
use crate::{Case, OwnCase};

const NO_RELABELLING: &str = "Google's emulator knows no labels in an update mask";
const NO_POLICIES: &str = "Google's emulator keeps no access policies";

macro_rules! case {
    ($name:ident) => {
        case!($name, None)
    };
    ($name:ident, $hole:expr) => {
        Case {
            name: stringify!($name),
            hole: $hole,
            run: |place| Box::pin($name(place)),
        }
    };
}

/// Against any subject.
pub(crate) const CASES: &[Case] = &[
    case!(a_queue_is_provisioned_and_then_settled),
    case!(an_update_in_place_keeps_what_others_set),
    case!(dead_letters_taken_out_of_the_file_are_unlinked),
    case!(a_deleted_topic_is_drift_that_replaces_the_subscription),
    case!(another_ordering_is_another_subscription),
    case!(destroy_twice_spares_what_is_not_ours),
    case!(labels_are_merged, Some(NO_RELABELLING)),
    case!(
        what_is_there_without_a_marker_is_adopted_only_when_told,
        Some(NO_RELABELLING)
    ),
    case!(a_dead_letter_topic_of_someone_else_must_be_there),
    case!(a_shared_dead_letter_queue_takes_from_two),
    case!(native_attributes_are_read_as_they_were_written),
    case!(one_change_made_twice),
    case!(a_hundred_queues_are_listed),
    case!(grants_are_added_among_those_of_others, Some(NO_POLICIES)),
    case!(
        grants_that_are_only_checked_are_refused_with_their_command,
        Some(NO_POLICIES)
    ),
    case!(
        the_project_number_makes_the_agent,
        Some("Google's emulator has no Resource Manager")
    ),
];

/// Against an emulator of their own, for its quirks and its count of requests.
pub(crate) const OWN: &[OwnCase] = &[
    ("own::what_does_not_show_yet_is_waited_for", || {
        Box::pin(what_does_not_show_yet_is_waited_for())
    }),
    ("own::errors_of_the_service_are_outlasted", || {
        Box::pin(errors_of_the_service_are_outlasted())
    }),
    ("own::reading_takes_a_page_for_a_hundred_queues", || {
        Box::pin(reading_takes_a_page_for_a_hundred_queues())
    }),
    ("own::an_agent_of_another_number_is_said", || {
        Box::pin(an_agent_of_another_number_is_said())
    }),
];

const DEFAULT: PlanOptions = PlanOptions {
    adopt: false,
    replace: std::collections::BTreeSet::new(),
    prune: false,
    drop_messages: false,
};

async fn a_queue_is_provisioned_and_then_settled(place: Place) {
    let session = place.session().await;
    let queues = [plain("orders"), rich("requests")];
    let outcome = session.provision(&queues, &DEFAULT).await;
    let mut endpoints: Vec<(Role, String)> = outcome
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.queue == "requests")
        .map(|endpoint| (endpoint.role, endpoint.address.clone()))
        .collect();
    endpoints.sort();
    let project = &place.project;
    assert_eq!(
        endpoints,
        [
            (Role::Send, format!("projects/{project}/topics/requests")),
            (
                Role::Receive,
                format!("projects/{project}/subscriptions/requests-sub")
            ),
            (
                Role::DeadLetter,
                format!("projects/{project}/subscriptions/requests-dlq-sub")
            ),
        ]
    );
    session.settled(&queues).await;

    // As another client reads it.
    let subscription = place.call("GET", "subscriptions/requests-sub", None).await;
    assert_eq!(subscription["ackDeadlineSeconds"], 60);
    assert_eq!(subscription["messageRetentionDuration"], "86400s");
    assert_eq!(
        subscription["expirationPolicy"],
        json!({}),
        "it never expires"
    );
    assert_eq!(subscription["deadLetterPolicy"]["maxDeliveryAttempts"], 5);
    assert_eq!(
        subscription["labels"],
        json!({"team": "a", "mq-stack": "tests", "mq-queue": "requests"})
    );
    let dead = place
        .call("GET", "subscriptions/requests-dlq-sub", None)
        .await;
    assert_eq!(dead["messageRetentionDuration"], "604800s");
    assert_eq!(dead["expirationPolicy"], json!({}));
}

async fn an_update_in_place_keeps_what_others_set(place: Place) {
    let session = place.session().await;
    let mut queue = rich("orders");
    session
        .provision(std::slice::from_ref(&queue), &DEFAULT)
        .await;
    let change = json!({
        "subscription": {"retryPolicy": {"minimumBackoff": "15s"}},
        "updateMask": "retryPolicy",
    });
    place
        .call("PATCH", "subscriptions/orders-sub", Some(change))
        .await;

    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(45)));
    if let Some(dead_letter) = &mut queue.attributes.dead_letter {
        dead_letter.value.max_deliveries = 10;
    }
    let queues = [queue];
    let plan = session.plan(&queues, &DEFAULT).await;
    let tally = plan.tally();
    assert_eq!((tally.add, tally.destroy, tally.refused), (0, 0, 0));
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let subscription = place.call("GET", "subscriptions/orders-sub", None).await;
    assert_eq!(subscription["ackDeadlineSeconds"], 45);
    assert_eq!(subscription["messageRetentionDuration"], "86400s");
    assert_eq!(subscription["retryPolicy"]["minimumBackoff"], "15s");
    assert_eq!(subscription["deadLetterPolicy"]["maxDeliveryAttempts"], 10);
    let topic = format!("projects/{}/topics/orders-dlq", place.project);
    assert_eq!(subscription["deadLetterPolicy"]["deadLetterTopic"], topic);
}

async fn labels_are_merged(place: Place) {
    let session = place.session().await;
    let mut queue = rich("orders");
    session
        .provision(std::slice::from_ref(&queue), &DEFAULT)
        .await;
    let foreign = |field: &str| {
        let labels = json!({"team": "a", "mq-stack": "tests", "mq-queue": "orders", "cost": "x"});
        json!({field: {"labels": labels}, "updateMask": "labels"})
    };
    let paths = [
        ("topic", "topics/orders"),
        ("subscription", "subscriptions/orders-sub"),
    ];
    for (field, path) in paths {
        place.call("PATCH", path, Some(foreign(field))).await;
    }
    queue.attributes.labels = [("team".to_owned(), "b".to_owned())].into();
    session
        .provision(std::slice::from_ref(&queue), &DEFAULT)
        .await;
    session.settled(std::slice::from_ref(&queue)).await;
    for (_, path) in paths {
        let labels = place.call("GET", path, None).await["labels"].clone();
        let merged = json!({"team": "b", "mq-stack": "tests", "mq-queue": "orders", "cost": "x"});
        assert_eq!(labels, merged, "{path}");
    }
}

async fn dead_letters_taken_out_of_the_file_are_unlinked(place: Place) {
    let session = place.session().await;
    session.provision(&[rich("orders")], &DEFAULT).await;
    let queues = [plain("orders")];
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let subscription = place.call("GET", "subscriptions/orders-sub", None).await;
    assert_eq!(subscription.get("deadLetterPolicy"), None);
    place.call("GET", "topics/orders-dlq", None).await;

    let prune = PlanOptions {
        prune: true,
        drop_messages: true,
        ..DEFAULT
    };
    session.provision(&queues, &prune).await;
    let topics = place.call("GET", "topics", None).await;
    assert_eq!(topics["topics"].as_array().unwrap().len(), 1, "{topics}");
}

async fn a_deleted_topic_is_drift_that_replaces_the_subscription(place: Place) {
    // G6.
    let session = place.session().await;
    let queues = [plain("orders")];
    session.provision(&queues, &DEFAULT).await;
    place.call("DELETE", "topics/orders", None).await;
    let plan = session.plan(&queues, &DEFAULT).await;
    let (resource, refusal) = plan.refusals().next().expect("a refusal");
    assert_eq!(resource.id.name, "orders-sub");
    assert_eq!(refusal.kind, RefusalKind::Immutable);
    let replace = PlanOptions {
        replace: ["orders".to_owned()].into(),
        drop_messages: true,
        ..DEFAULT
    };
    session.provision(&queues, &replace).await;
    session.settled(&queues).await;
}

async fn another_ordering_is_another_subscription(place: Place) {
    // G4.
    let session = place.session().await;
    let mut queue = plain("orders");
    session
        .provision(std::slice::from_ref(&queue), &DEFAULT)
        .await;
    queue.attributes.ordering = Stated::file(Ordering::PerKey);
    let queues = [queue];
    let plan = session.plan(&queues, &DEFAULT).await;
    assert_eq!(plan.refusals().count(), 1);
    let replace = PlanOptions {
        replace: ["orders".to_owned()].into(),
        drop_messages: true,
        ..DEFAULT
    };
    session.provision(&queues, &replace).await;
    session.settled(&queues).await;
    let subscription = place.call("GET", "subscriptions/orders-sub", None).await;
    assert_eq!(subscription["enableMessageOrdering"], true);
}

async fn destroy_twice_spares_what_is_not_ours(place: Place) {
    let session = place.session().await;
    place.call("PUT", "topics/foreign", Some(json!({}))).await;
    let queues = [rich("orders")];
    session.provision(&queues, &DEFAULT).await;
    assert_eq!(
        session
            .control
            .list_owned(Some(&owner()))
            .await
            .unwrap()
            .len(),
        4
    );
    let outcome = session.destroy(&queues).await;
    assert_eq!((outcome.applied(), outcome.failures().count()), (4, 0));
    let again = session.destroy(&queues).await;
    assert_eq!((again.applied(), again.failures().count()), (0, 0));
    let topics = place.call("GET", "topics", None).await;
    assert_eq!(topics["topics"].as_array().unwrap().len(), 1, "{topics}");
    let subscriptions = place.call("GET", "subscriptions", None).await;
    assert!(
        subscriptions["subscriptions"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
}

async fn what_is_there_without_a_marker_is_adopted_only_when_told(place: Place) {
    let session = place.session().await;
    let topic = format!("projects/{}/topics/orders", place.project);
    place
        .call(
            "PUT",
            "topics/orders",
            Some(json!({"labels": {"cost": "x"}})),
        )
        .await;
    place
        .call(
            "PUT",
            "subscriptions/orders-sub",
            Some(json!({"topic": topic})),
        )
        .await;
    let queues = [plain("orders")];
    let plan = session.plan(&queues, &DEFAULT).await;
    let kinds: Vec<RefusalKind> = plan.refusals().map(|(_, refusal)| refusal.kind).collect();
    assert_eq!(kinds, [RefusalKind::NotAdopted, RefusalKind::NotAdopted]);
    let adopt = PlanOptions {
        adopt: true,
        ..DEFAULT
    };
    session.provision(&queues, &adopt).await;
    session.settled(&queues).await;
    let topic = place.call("GET", "topics/orders", None).await;
    assert_eq!(
        topic["labels"],
        json!({"cost": "x", "mq-stack": "tests", "mq-queue": "orders"})
    );
    let subscription = place.call("GET", "subscriptions/orders-sub", None).await;
    assert_eq!(
        subscription["ackDeadlineSeconds"], 10,
        "unstated, so it stays"
    );
    assert_eq!(
        subscription["expirationPolicy"],
        json!({}),
        "but it never expires"
    );
}

async fn a_dead_letter_topic_of_someone_else_must_be_there(place: Place) {
    let session = place.session().await;
    let topic = format!("projects/{}/topics/failures", place.project);
    let queues = [dead_lettered(
        plain("orders"),
        DeadLetterTarget::External(topic),
    )];
    let plan = session.plan(&queues, &DEFAULT).await;
    assert!(
        plan.refusals().any(|(resource, refusal)| {
            resource.id.name == "failures" && refusal.kind == RefusalKind::Missing
        }),
        "{:?}",
        plan.refusals().collect::<Vec<_>>()
    );
    place.call("PUT", "topics/failures", Some(json!({}))).await;
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    session.destroy(&queues).await;
    place.call("GET", "topics/failures", None).await;
}

async fn a_shared_dead_letter_queue_takes_from_two(place: Place) {
    let session = place.session().await;
    let failures = plain("failures");
    let shared = || DeadLetterTarget::Shared(failures.reference());
    let queues = [
        dead_lettered(plain("a-orders"), shared()),
        dead_lettered(plain("b-orders"), shared()),
        failures.clone(),
    ];
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let outcome = session.destroy(&queues).await;
    assert_eq!((outcome.applied(), outcome.failures().count()), (6, 0));
}

async fn native_attributes_are_read_as_they_were_written(place: Place) {
    let session = place.session().await;
    let mut queue = plain("orders");
    queue.attributes.native = [
        ("enableExactlyOnceDelivery", json!(true)),
        ("retainAckedMessages", json!(true)),
        ("retryPolicy.minimumBackoff", json!("10s")),
        ("retryPolicy.maximumBackoff", json!("90s")),
        ("filter", json!("attributes:tier")),
        ("topic.messageRetentionDuration", json!("1d")),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let queues = [queue];
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let subscription = place.call("GET", "subscriptions/orders-sub", None).await;
    assert_eq!(subscription["retryPolicy"]["maximumBackoff"], "90s");
    assert_eq!(subscription["filter"], "attributes:tier");
    let topic = place.call("GET", "topics/orders", None).await;
    assert_eq!(topic["messageRetentionDuration"], "86400s");
}

async fn one_change_made_twice(place: Place) {
    let session = place.session().await;
    let queues = [plain("orders")];
    let plan = session.plan(&queues, &DEFAULT).await;
    for change in &plan.changes {
        session.control.apply(change).await.unwrap();
        let made = session.control.observe(&[&change.resource]).await.unwrap();
        let present = made[0].present.as_ref().expect("it is there");
        assert!(present.marker.is_some());
        let error = session
            .control
            .apply(change)
            .await
            .expect_err("it is there already");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}");
    }
    for change in plan.changes.iter().rev() {
        let mut change = change.clone();
        change.action = Action::Delete;
        for _ in 0..2 {
            session.control.apply(&change).await.unwrap();
        }
    }
    for name in ["orders", "orders-sub"] {
        assert!(session.present(&queues[0], name).await.is_none());
    }
}

async fn a_hundred_queues_are_listed(place: Place) {
    let session = place.session().await;
    let queues: Vec<_> = (0..100).map(|n| plain(&format!("q-{n:03}"))).collect();
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
}

async fn grants_are_added_among_those_of_others(place: Place) {
    // G1.
    let session = place.session().await;
    let topic = json!({"labels": {"mq-stack": "tests", "mq-queue": "orders"}});
    place.call("PUT", "topics/orders-dlq", Some(topic)).await;
    let other = json!({"role": "roles/pubsub.publisher", "members": ["user:a@example.com"]});
    let policy = json!({"policy": {"bindings": [other]}});
    place
        .call("POST", "topics/orders-dlq:setIamPolicy", Some(policy))
        .await;
    let queues = [rich("orders")];
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let agent = format!("serviceAccount:{}", session.scope.facts["service_agent"]);
    let policy = place
        .call("GET", "topics/orders-dlq:getIamPolicy", None)
        .await;
    let members = policy["bindings"][0]["members"].as_array().unwrap();
    assert_eq!(members.len(), 2, "{policy}");
    assert!(members.contains(&json!("user:a@example.com")), "{policy}");
    assert!(members.contains(&json!(agent)), "{policy}");
    let policy = place
        .call("GET", "subscriptions/orders-sub:getIamPolicy", None)
        .await;
    assert_eq!(
        policy["bindings"],
        json!([{"role": "roles/pubsub.subscriber", "members": [agent]}])
    );
}

async fn grants_that_are_only_checked_are_refused_with_their_command(place: Place) {
    let session = place.session_with(json!({"grants": "check"})).await;
    let queues = [rich("orders")];
    let plan = session.plan(&queues, &DEFAULT).await;
    let commands: Vec<&str> = plan
        .refusals()
        .map(|(_, refusal)| {
            assert_eq!(refusal.kind, RefusalKind::Missing);
            refusal.hint.as_str()
        })
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(
        commands
            .iter()
            .all(|command| command.starts_with("gcloud pubsub "))
    );
    place.session().await.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
}

async fn the_project_number_makes_the_agent(place: Place) {
    let session = place.session().await;
    let number = &session.scope.facts["project_number"];
    assert!(number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty());
    assert_eq!(
        session.scope.facts["service_agent"],
        format!("service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com")
    );
    let stated = place.session_with(json!({"project_number": "42"})).await;
    assert_eq!(stated.scope.facts["project_number"], "42");
}

async fn emulator(quirks: &[&str], seed: u64) -> (Emulator, Place) {
    let mut switched = Quirks::default();
    for quirk in quirks {
        switched.parse(quirk).unwrap();
    }
    let emulator = Emulator::start(Config {
        ports: Ports::free(),
        quirks: switched,
        seed,
        ..Config::default()
    })
    .await
    .unwrap();
    let place = Place::own(&emulator, "mq-emulator");
    (emulator, place)
}

async fn what_does_not_show_yet_is_waited_for() {
    // G5.
    let (_emulator, place) = emulator(&["pubsub-not-found-after-create=3"], 1).await;
    let session = place.session().await;
    let queues = [rich("orders")];
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
}

async fn errors_of_the_service_are_outlasted() {
    for seed in 0..5 {
        let (_emulator, place) = emulator(&["error-rate=0.2"], seed).await;
        let session = place.session().await;
        let queues = [rich("orders"), rich("requests")];
        session.provision(&queues, &DEFAULT).await;
        session.settled(&queues).await;
    }
}

async fn reading_takes_a_page_for_a_hundred_queues() {
    let (emulator, place) = emulator(&[], 1).await;
    let session = place.session().await;
    let queues: Vec<_> = (0..100).map(|n| plain(&format!("q-{n:03}"))).collect();
    let reads = async |queues: &[_]| {
        let before = emulator.requests();
        session.plan(queues, &DEFAULT).await;
        emulator.requests() - before
    };
    assert_eq!(
        reads(&queues).await,
        2,
        "one page of topics and one of subscriptions"
    );
    session.provision(&queues, &DEFAULT).await;
    assert_eq!(reads(&queues).await, 2);
    assert_eq!(
        reads(&queues[..1]).await,
        2,
        "one topic and one subscription"
    );
    assert_eq!(
        reads(&[rich("requests")]).await,
        4,
        "what is absent has no policy to read"
    );
    session.provision(&[rich("requests")], &DEFAULT).await;
    assert_eq!(reads(&[rich("requests")]).await, 6, "and two policies");
}

async fn an_agent_of_another_number_is_said() {
    let (_emulator, place) = emulator(&["pubsub-iam-required"], 1).await;
    let session = place.session_with(json!({"project_number": "42"})).await;
    let queues = [rich("orders")];
    let outcome = session.apply(&session.plan(&queues, &DEFAULT).await).await;
    let failed: Vec<_> = outcome.failures().collect();
    assert_eq!(failed.len(), 2, "both grants: {failed:?}");
    for (_, error) in failed {
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("`project_number`"), "{hint}");
    }
    // The queue itself is there, and the right number mends it.
    let session = place.session().await;
    session.provision(&queues, &DEFAULT).await;
    session.settled(&queues).await;
    let expiry = session.present(&queues[0], "orders-sub").await.unwrap();
    assert_eq!(expiry.attributes["expirationPolicy.ttl"], Value::Never);
}
