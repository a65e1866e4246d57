//! The backend against the emulator's administration API, over a real socket.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::{Cloud, bare, owner, queue, with_dead_letter};
use mq_core::backend::{Access, ControlPlane};
use mq_core::error::ErrorKind;
use mq_core::plan::{Action, PlanOptions, RefusalKind};
use mq_core::queue::{DeadLetterTarget, DeduplicateBy, Deduplication, Ordering, Stated};
use mq_core::resource::{Part, Role};
use mq_core::spec::Target;
use mq_core::value::Value;
use mq_emulator::{Config, Emulator, Ports, Quirks};
use serde_json::json;

const DAY: Duration = Duration::from_secs(86_400);

async fn emulator(quirks: &[&str]) -> (Emulator, Access) {
    let mut on = Quirks::default();
    for quirk in quirks {
        on.parse(quirk).expect("a quirk");
    }
    let emulator = Emulator::start(Config {
        ports: Ports::free(),
        quirks: on,
        seed: 11,
        ..Config::default()
    })
    .await
    .expect("the emulator starts");
    let access = Access::emulator(emulator.env());
    (emulator, access)
}

fn target(settings: &serde_json::Value) -> Target {
    Target {
        settings: settings.as_object().cloned().expect("an object"),
        ..Target::implied("azure")
    }
}

/// Speaks to the administration API beside the backend, as somebody else's tool does.
struct Stranger {
    base: String,
    http: reqwest::Client,
}

impl Stranger {
    fn new(emulator: &Emulator) -> Stranger {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Stranger {
            base: format!("http://{}", emulator.addresses().servicebus_admin),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
        }
    }

    async fn put(&self, name: &str, elements: &str, update: bool) {
        let body = format!(
            "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\"><QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\">{elements}</QueueDescription></content></entry>"
        );
        let mut request = self
            .http
            .put(format!("{}/{name}?api-version=2021-05", self.base))
            .header("authorization", "Bearer a-token")
            .header("ServiceBusDlqSupplementaryAuthorization", "Bearer a-token")
            .header("content-type", "application/atom+xml")
            .body(body);
        if update {
            request = request.header("if-match", "*");
        }
        let answer = request.send().await.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap_or_default()
        );
    }

    async fn get(&self, name: &str) -> String {
        let request = self
            .http
            .get(format!("{}/{name}?api-version=2021-05", self.base))
            .header("authorization", "Bearer a-token");
        request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a text")
    }
}

/// Z2: on every tier the first run makes the queue as asked, and the second writes nothing.
#[tokio::test]
async fn provisioned_twice_on_every_tier() {
    for (quirks, tier) in [
        (&["servicebus-basic-tier"][..], "basic"),
        (&[][..], "standard"),
        (&["servicebus-premium-tier"][..], "premium"),
    ] {
        let (emulator, access) = emulator(quirks).await;
        let cloud = Cloud::reach(&target(&json!({ "tier": tier })), &access).await;
        assert_eq!(cloud.scope.facts["tier"], tier);
        let mut one = with_dead_letter("orders", None);
        one.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(30)));
        one.attributes.labels = BTreeMap::from([("team".to_owned(), "a & b".to_owned())]);
        let queues = [one, queue("plain")];
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        // An update on the same tier, and again.
        let mut queues = queues;
        queues[0].attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(60)));
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        emulator.stop().await;
    }
}

#[tokio::test]
async fn everything_that_standard_has() {
    let (emulator, access) = emulator(&[]).await;
    let cloud = Cloud::reach(&target(&json!({ "namespace": "acme-prod" })), &access).await;
    let mut ordered = with_dead_letter("ordered", None);
    ordered.attributes.ordering = Stated::file(Ordering::PerKey);
    ordered.attributes.retention = Some(Stated::file(14 * DAY));
    ordered.attributes.deduplication = Some(Stated::file(Deduplication {
        window: Duration::from_secs(300),
        by: DeduplicateBy::Id,
    }));
    ordered.attributes.native = BTreeMap::from([
        ("EnableBatchedOperations".to_owned(), json!(false)),
        ("AutoDeleteOnIdle".to_owned(), json!("1h")),
        ("MaxSizeInMegabytes".to_owned(), json!(2048)),
        ("Status".to_owned(), json!("Active")),
    ]);
    let mut kept = with_dead_letter("kept", Some(14 * DAY));
    kept.attributes.labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let mut partitioned = queue("partitioned");
    partitioned.attributes.native = BTreeMap::from([
        ("EnablePartitioning".to_owned(), json!(true)),
        ("MaxSizeInMegabytes".to_owned(), json!(1024)),
    ]);
    let mut sharing = with_dead_letter("sharing", None);
    let shared = queue("shared");
    if let Some(wanted) = &mut sharing.attributes.dead_letter {
        wanted.value.target = DeadLetterTarget::Shared(shared.reference());
    }
    let queues = [ordered, kept, partitioned, sharing, shared];
    let outcome = cloud.provision(&queues).await;
    assert_eq!(outcome.applied(), 6);
    cloud.assert_settled(&queues).await;
    let host = &emulator.addresses().servicebus_admin.port().to_string();
    let mut seen: Vec<_> = outcome
        .endpoints
        .iter()
        .map(|endpoint| {
            let (_, path) = endpoint
                .address
                .split_once(host.as_str())
                .expect("the port is there");
            (endpoint.queue.as_str(), endpoint.role, path)
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            ("kept", Role::Queue, "/kept"),
            ("kept", Role::DeadLetter, "/kept-dlq"),
            ("ordered", Role::Queue, "/ordered"),
            ("ordered", Role::DeadLetter, "/ordered/$DeadLetterQueue"),
            ("partitioned", Role::Queue, "/partitioned"),
            (
                "partitioned",
                Role::DeadLetter,
                "/partitioned/$DeadLetterQueue"
            ),
            ("shared", Role::Queue, "/shared"),
            ("shared", Role::DeadLetter, "/shared/$DeadLetterQueue"),
            ("sharing", Role::Queue, "/sharing"),
            ("sharing", Role::DeadLetter, "/shared"),
        ]
    );
}

/// An update keeps what others wrote, in the description and in the text of its metadata.
#[tokio::test]
async fn an_update_keeps_what_others_wrote() {
    let (emulator, access) = emulator(&[]).await;
    let stranger = Stranger::new(&emulator);
    stranger
        .put(
            "orders",
            "<LockDuration>PT45S</LockDuration><MaxDeliveryCount>7</MaxDeliveryCount><EnableBatchedOperations>false</EnableBatchedOperations><UserMetadata>see wiki/42</UserMetadata>",
            false,
        )
        .await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    let mut mine = queue("orders");
    mine.attributes.retention = Some(Stated::file(2 * DAY));
    let plan = cloud.plan(&[mine.clone()], &PlanOptions::default()).await;
    let refused = plan.refusals().next().map(|(_, refusal)| refusal.kind);
    assert_eq!(refused, Some(RefusalKind::NotAdopted));
    let options = PlanOptions {
        adopt: true,
        ..PlanOptions::default()
    };
    let plan = cloud.plan(&[mine.clone()], &options).await;
    assert_eq!(plan.changes[0].action, Action::Adopt);
    cloud.apply_whole(&plan).await;
    cloud.assert_settled(&[mine]).await;
    let text = stranger.get("orders").await;
    for kept in [
        "<LockDuration>PT45S<",
        "<MaxDeliveryCount>7<",
        "<EnableBatchedOperations>false<",
        "<DefaultMessageTimeToLive>P2D<",
        "see wiki/42",
        "mq-stack",
    ] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
}

/// An unchanged run reads a page for every hundred queues, and writes nothing.
#[tokio::test]
async fn an_unchanged_run_of_a_thousand_queues_reads_ten_pages() {
    let (emulator, access) = emulator(&[]).await;
    let queues: Vec<_> = (0..1000)
        .map(|index| with_dead_letter(&format!("queue-{index:04}"), None))
        .collect();
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    cloud.provision(&queues).await;
    let before = emulator.requests();
    cloud.assert_settled(&queues).await;
    assert_eq!(emulator.requests() - before, 10);
    // Few queues of many are read one by one.
    let before = emulator.requests();
    cloud.assert_settled(&queues[500..503]).await;
    assert_eq!(emulator.requests() - before, 3);
    // More than a few: never more than twice what the better way takes.
    let before = emulator.requests();
    cloud.assert_settled(&queues[990..998]).await;
    let calls = emulator.requests() - before;
    assert!(calls <= 16, "{calls}");
}

/// Taking `dead_letter` out of the file undoes the forwarding that `mq` wrote, and no other.
#[tokio::test]
async fn dead_letters_are_unlinked_when_they_left_the_file() {
    let (emulator, access) = emulator(&[]).await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    cloud
        .provision(&[with_dead_letter("orders", Some(7 * DAY))])
        .await;
    let plain = [queue("orders")];
    let options = PlanOptions {
        prune: true,
        ..PlanOptions::default()
    };
    let plan = cloud.plan(&plain, &options).await;
    let actions: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.resource.id.name.as_str(), change.action))
        .collect();
    assert_eq!(
        actions,
        [("orders", Action::Update), ("orders-dlq", Action::Delete)]
    );
    cloud.apply_whole(&plan).await;
    cloud.assert_settled(&plain).await;
    // Somebody else's link is theirs.
    let stranger = Stranger::new(&emulator);
    stranger.put("elsewhere", "", false).await;
    let metadata = "{\"mq-stack\":\"shop\",\"mq-queue\":\"orders\"}";
    let host = emulator.addresses().servicebus_admin;
    let elements = format!(
        "<UserMetadata>{metadata}</UserMetadata><ForwardDeadLetteredMessagesTo>http://{host}/elsewhere</ForwardDeadLetteredMessagesTo>"
    );
    stranger.put("linked", &elements, false).await;
    let mut linked = queue("orders");
    linked.names.queue = Some("linked".to_owned());
    cloud.assert_settled(&[linked]).await;
}

#[tokio::test]
async fn destroyed_twice_and_what_is_not_ours_stays() {
    let (emulator, access) = emulator(&[]).await;
    let stranger = Stranger::new(&emulator);
    stranger.put("theirs", "", false).await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    let queues = [with_dead_letter("orders", Some(DAY)), queue("plain")];
    cloud.provision(&queues).await;
    let owned = cloud
        .control
        .list_owned(Some(&owner()))
        .await
        .expect("a list");
    let mut parts: Vec<_> = owned
        .iter()
        .map(|part| {
            (
                part.resource.id.name.as_str(),
                part.resource.part,
                part.resource.depends_on.len(),
            )
        })
        .collect();
    parts.sort_by_key(|part| part.0);
    assert_eq!(
        parts,
        [
            ("orders", Part::Queue, 1),
            ("orders-dlq", Part::DeadLetter, 0),
            ("plain", Part::Queue, 0)
        ]
    );
    let plan = cloud.destroy(&queues).await;
    assert_eq!(plan.tally().destroy, 3);
    cloud.apply_whole(&plan).await;
    // The same plan again: what is absent is done.
    cloud.apply_whole(&plan).await;
    assert_eq!(cloud.destroy(&queues).await.tally().destroy, 0);
    assert!(stranger.get("theirs").await.contains("QueueDescription"));
}

#[tokio::test]
async fn what_is_fixed_at_creation_is_refused_and_replaced_on_demand() {
    let (_emulator, access) = emulator(&[]).await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    let mut queues = [queue("orders")];
    cloud.provision(&queues).await;
    queues[0].attributes.ordering = Stated::file(Ordering::PerKey);
    let plan = cloud.plan(&queues, &PlanOptions::default()).await;
    let refused = plan.refusals().next().map(|(_, refusal)| refusal.kind);
    assert_eq!(refused, Some(RefusalKind::Immutable));
    let options = PlanOptions {
        replace: ["orders".to_owned()].into(),
        ..PlanOptions::default()
    };
    let plan = cloud.plan(&queues, &options).await;
    cloud.apply_whole(&plan).await;
    cloud.assert_settled(&queues).await;
}

/// Z5, Z6: another operation in progress is waited out; Z7: an error of the service that may have
/// worked all the same does no harm.
#[tokio::test]
async fn it_converges_on_a_service_that_stumbles() {
    for quirks in [
        &["servicebus-40901=0.5"][..],
        &["error-rate=0.3"],
        &[
            "servicebus-40901=0.2",
            "error-rate=0.2",
            "servicebus-basic-tier",
        ],
    ] {
        let (_emulator, access) = emulator(quirks).await;
        let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
        let retention = (cloud.scope.facts["tier"] != "basic").then_some(DAY);
        let mut queues: Vec<_> = (0..12)
            .map(|index| with_dead_letter(&format!("queue-{index}"), retention))
            .collect();
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        for queue in &mut queues {
            queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(77)));
        }
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        let plan = cloud.destroy(&queues).await;
        cloud.apply_whole(&plan).await;
        assert_eq!(
            cloud.destroy(&queues).await.tally().destroy,
            0,
            "{quirks:?}"
        );
    }
}

#[tokio::test]
async fn another_tier_than_stated_is_said_before_anything_is_done() {
    let (_emulator, access) = emulator(&["servicebus-basic-tier"]).await;
    let backend = bare(&target(&json!({ "tier": "premium" })), &access);
    let error = backend
        .control()
        .identify()
        .await
        .expect_err("another tier");
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    let text = error.to_string();
    assert!(text.contains("premium") && text.contains("basic"), "{text}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("servicebus-premium-tier")),
        "{error:?}"
    );
}

#[tokio::test]
async fn counts_of_an_empty_queue_and_of_none() {
    let (_emulator, access) = emulator(&[]).await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    let queues = [queue("orders")];
    cloud.provision(&queues).await;
    let plan = cloud.plan(&queues, &PlanOptions::default()).await;
    let counts = cloud
        .control
        .counts(&plan.changes[0].observed)
        .await
        .expect("counts");
    assert_eq!(counts.total(), Some(0));
    assert_eq!(counts.unknown_because, None);
    assert_eq!(counts.dead_lettered, Some(0));
    let destroy = cloud.destroy(&queues).await;
    cloud.apply_whole(&destroy).await;
    let gone = cloud
        .control
        .counts(&plan.changes[0].observed)
        .await
        .expect("counts");
    assert_eq!(gone.total(), Some(0));
}

/// What is written is what is read, by the words of the service.
#[tokio::test]
async fn attributes_are_read_back_as_they_mean() {
    let (_emulator, access) = emulator(&["servicebus-premium-tier"]).await;
    let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
    let mut big = queue("big");
    big.attributes.max_message_size = Some(Stated::file(4 << 20));
    let queues = [big];
    cloud.provision(&queues).await;
    let plan = cloud.plan(&queues, &PlanOptions::default()).await;
    let present = plan.changes[0]
        .observed
        .present
        .clone()
        .expect("it is there");
    let value = |name: &str| present.attributes.get(name).cloned();
    assert_eq!(
        value("MaxMessageSizeInKilobytes"),
        Some(Value::Bytes(4 << 20))
    );
    assert_eq!(
        value("LockDuration"),
        Some(Value::Duration(Duration::from_secs(30)))
    );
    assert_eq!(
        value("DefaultMessageTimeToLive"),
        Some(Value::Duration(4 * DAY))
    );
    assert_eq!(value("AutoDeleteOnIdle"), Some(Value::Never));
    assert_eq!(
        value("MaxDeliveryCount"),
        Some(Value::Integer(i64::from(i32::MAX)))
    );
    assert_eq!(
        value("EnablePartitioning"),
        None,
        "a Premium namespace decides it"
    );
    assert_eq!(value("SizeInBytes"), None);
}

/// Queues with every combination of these values, whether or not a tier has them.
fn combinations() -> Vec<mq_core::queue::ResolvedQueue> {
    let mut queues = Vec::new();
    for index in 0..96_u64 {
        let pick = |divisor: u64, count: u64| (index / divisor) % count;
        let dead_letter = match pick(1, 3) {
            0 => None,
            1 => Some(None),
            _ => Some(Some(DAY)),
        };
        let name = format!("combination-{index}");
        let mut made = match dead_letter {
            None => queue(&name),
            Some(retention) => with_dead_letter(&name, retention),
        };
        let attributes = &mut made.attributes;
        if pick(3, 2) == 1 {
            attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(5)));
        }
        if pick(6, 2) == 1 {
            attributes.retention = Some(Stated::file(Duration::from_secs(90)));
        }
        if pick(12, 2) == 1 {
            attributes.ordering = Stated::file(Ordering::PerKey);
        }
        if pick(24, 2) == 1 {
            let window = Duration::from_secs(20);
            let by = DeduplicateBy::Content;
            attributes.deduplication = Some(Stated::file(Deduplication { window, by }));
        }
        if pick(48, 2) == 1 {
            attributes.max_message_size = Some(Stated::file(2 << 20));
            attributes.labels = BTreeMap::from([("team".to_owned(), "ä \"b\" <c>".to_owned())]);
            attributes.native = BTreeMap::from([
                ("EnableBatchedOperations".to_owned(), json!(false)),
                ("AutoDeleteOnIdle".to_owned(), json!("2h")),
                ("EnablePartitioning".to_owned(), json!(true)),
                ("MaxSizeInMegabytes".to_owned(), json!(3072)),
            ]);
        }
        queues.push(made);
    }
    queues
}

/// Whatever a file asks for, what is made on a tier is what a second run finds, and an update of
/// one attribute leaves nothing else to do.
#[tokio::test]
async fn every_combination_settles_on_every_tier() {
    for quirks in [
        &["servicebus-basic-tier"][..],
        &[],
        &["servicebus-premium-tier"],
    ] {
        let (_emulator, access) = emulator(quirks).await;
        let cloud = Cloud::reach(&Target::implied("azure"), &access).await;
        let mut queues = combinations();
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        for queue in &mut queues {
            queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(45)));
        }
        cloud.provision(&queues).await;
        cloud.assert_settled(&queues).await;
        let plan = cloud.destroy(&queues).await;
        cloud.apply_whole(&plan).await;
        let left = cloud.control.list_owned(None).await.expect("a list");
        assert!(left.is_empty(), "{left:#?}");
    }
}
