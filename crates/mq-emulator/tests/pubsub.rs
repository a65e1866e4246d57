//! The vendor's own clients against a started emulator: the official Rust administration clients,
//! which speak REST, and generated gRPC clients on a plain channel.

use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_iam_v1::model::{Binding, Policy};
use google_cloud_pubsub::client::{SchemaService, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{DeadLetterPolicy, ExpirationPolicy, RetryPolicy, Subscription};
use google_cloud_wkt::{Duration, FieldMask};
use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_iam_v1::google::iam::v1::iam_policy_client::IamPolicyClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as wire;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::publisher_client::PublisherClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::subscriber_client::SubscriberClient;
use mq_emulator::{Config, Emulator, Ports, Quirks};
use tonic::Code;
use tonic::transport::Channel;

type Error = Box<dyn std::error::Error>;

const TOPIC: &str = "projects/acme/topics/orders";
const DEAD_TOPIC: &str = "projects/acme/topics/orders-dlq";
const SUBSCRIPTION: &str = "projects/acme/subscriptions/orders-sub";
const AGENT: &str = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";

/// A started emulator and the address of its Pub/Sub.
async fn start(quirks: Quirks) -> (Emulator, String) {
    let config = Config {
        ports: Ports::free(),
        quirks,
        seed: 1,
        project_number: 4711,
        ..Config::default()
    };
    let emulator = Emulator::start(config)
        .await
        .expect("an emulator on free ports");
    let endpoint = format!("http://{}", emulator.addresses().pubsub);
    (emulator, endpoint)
}

fn credentials() -> Credentials {
    anonymous::Builder::new().build()
}

/// The clients build their TLS settings even for plain http.
fn prepare_tls() {
    // Only the first of the tests' threads sets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn admins(endpoint: &str) -> Result<(TopicAdmin, SubscriptionAdmin), Error> {
    prepare_tls();
    let topics = TopicAdmin::builder()
        .with_endpoint(endpoint)
        .with_credentials(credentials())
        .build()
        .await?;
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(endpoint)
        .with_credentials(credentials())
        .build()
        .await?;
    Ok((topics, subscriptions))
}

fn code(error: &google_cloud_pubsub::Error) -> String {
    let status = error.status();
    status.map_or_else(
        || format!("no status: {error:?}"),
        |status| status.code.name().to_owned(),
    )
}

async fn channel(endpoint: &str) -> Channel {
    let endpoint = Channel::from_shared(endpoint.to_owned()).expect("an address is a URI");
    endpoint
        .connect()
        .await
        .expect("a started emulator listens")
}

/// Two topics, and a subscription that states every attribute that a queue may have.
async fn provision(
    topics: &TopicAdmin,
    subscriptions: &SubscriptionAdmin,
) -> Result<Subscription, Error> {
    for name in [TOPIC, DEAD_TOPIC] {
        let topic = topics
            .create_topic()
            .set_name(name)
            .set_labels([("mq-stack", "pipeline")])
            .send()
            .await?;
        assert_eq!(topic.name, name);
    }
    let dead_letter = DeadLetterPolicy::new()
        .set_dead_letter_topic(DEAD_TOPIC)
        .set_max_delivery_attempts(5);
    let retry = RetryPolicy::new().set_minimum_backoff(Duration::clamp(1, 500_000_000));
    let made = subscriptions
        .create_subscription()
        .set_name(SUBSCRIPTION)
        .set_topic(TOPIC)
        .set_ack_deadline_seconds(30)
        .set_message_retention_duration(Duration::clamp(345_600, 0))
        .set_expiration_policy(ExpirationPolicy::new())
        .set_enable_message_ordering(true)
        .set_enable_exactly_once_delivery(true)
        .set_filter("attributes:tier")
        .set_dead_letter_policy(dead_letter)
        .set_retry_policy(retry)
        .set_labels([("mq-queue", "orders")])
        .send()
        .await?;
    Ok(made)
}

#[tokio::test]
async fn the_official_clients_provision_a_queue_with_dead_letters() -> Result<(), Error> {
    let (emulator, endpoint) = start(Quirks::default()).await;
    let (topics, subscriptions) = admins(&endpoint).await?;
    let made = provision(&topics, &subscriptions).await?;
    assert_eq!(
        (made.name.as_str(), made.topic.as_str()),
        (SUBSCRIPTION, TOPIC)
    );
    assert_eq!(made.ack_deadline_seconds, 30);
    assert_eq!(
        made.message_retention_duration,
        Some(Duration::clamp(345_600, 0))
    );
    assert_eq!(made.expiration_policy, Some(ExpirationPolicy::new()));
    assert!(made.enable_message_ordering && made.enable_exactly_once_delivery);
    assert_eq!(made.filter, "attributes:tier");
    let dead_letter = made.dead_letter_policy.clone().unwrap();
    assert_eq!(
        (
            dead_letter.dead_letter_topic.as_str(),
            dead_letter.max_delivery_attempts
        ),
        (DEAD_TOPIC, 5)
    );
    let retry = made.retry_policy.clone().unwrap();
    assert_eq!(retry.minimum_backoff, Some(Duration::clamp(1, 500_000_000)));
    assert_eq!(retry.maximum_backoff, Some(Duration::clamp(600, 0)));
    let seen = subscriptions
        .get_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await?;
    assert_eq!(seen, made);
    emulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_official_clients_change_list_and_delete() -> Result<(), Error> {
    let (emulator, endpoint) = start(Quirks::default()).await;
    let (topics, subscriptions) = admins(&endpoint).await?;
    let made = provision(&topics, &subscriptions).await?;
    let changed = subscriptions
        .update_subscription()
        .set_subscription(made.set_ack_deadline_seconds(60).set_filter("ignored"))
        .set_update_mask(FieldMask::default().set_paths(["ack_deadline_seconds"]))
        .send()
        .await?;
    assert_eq!(
        (changed.ack_deadline_seconds, changed.filter.as_str()),
        (60, "attributes:tier")
    );

    let listed = topics
        .list_topics()
        .set_project("projects/acme")
        .send()
        .await?;
    assert_eq!(listed.topics.len(), 2);
    let attached = topics
        .list_topic_subscriptions()
        .set_topic(TOPIC)
        .send()
        .await?;
    assert_eq!(attached.subscriptions, [SUBSCRIPTION]);
    topics.delete_topic().set_topic(TOPIC).send().await?;
    let orphan = subscriptions
        .get_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await?;
    assert_eq!(orphan.topic, "_deleted-topic_");
    topics
        .detach_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await?;
    subscriptions
        .delete_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await?;
    let gone = subscriptions
        .get_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&gone), "NOT_FOUND");
    emulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_official_clients_see_typed_errors() -> Result<(), Error> {
    let (emulator, endpoint) = start(Quirks::default()).await;
    let (topics, subscriptions) = admins(&endpoint).await?;
    topics.create_topic().set_name(TOPIC).send().await?;
    let again = topics
        .create_topic()
        .set_name(TOPIC)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&again), "ALREADY_EXISTS");
    let short = subscriptions
        .create_subscription()
        .set_name(SUBSCRIPTION)
        .set_topic(TOPIC)
        .set_ack_deadline_seconds(5)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&short), "INVALID_ARGUMENT");
    assert!(
        short.status().unwrap().message.contains("from 10 to 600"),
        "{short:?}"
    );
    let seek = subscriptions
        .seek()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&seek), "INVALID_ARGUMENT", "a seek to nowhere");
    emulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_official_client_adds_a_grant_by_read_modify_write() -> Result<(), Error> {
    let (emulator, endpoint) = start(Quirks {
        pubsub_iam_required: true,
        ..Quirks::default()
    })
    .await;
    let (topics, subscriptions) = admins(&endpoint).await?;
    let policies = SchemaService::builder()
        .with_endpoint(&endpoint)
        .with_credentials(credentials())
        .build()
        .await?;
    topics.create_topic().set_name(TOPIC).send().await?;
    subscriptions
        .create_subscription()
        .set_name(SUBSCRIPTION)
        .set_topic(TOPIC)
        .send()
        .await?;
    for (resource, role) in [
        (TOPIC, "roles/pubsub.publisher"),
        (SUBSCRIPTION, "roles/pubsub.subscriber"),
    ] {
        let read = policies
            .get_iam_policy()
            .set_resource(resource)
            .send()
            .await?;
        assert!(read.bindings.is_empty() && !read.etag.is_empty());
        let grant = Binding::new().set_role(role).set_members([AGENT]);
        let wanted: Policy = read.clone().set_bindings([grant]);
        let written = policies
            .set_iam_policy()
            .set_resource(resource)
            .set_policy(wanted.clone())
            .send()
            .await?;
        assert_eq!(written.bindings, wanted.bindings);
        assert_ne!(written.etag, read.etag);
        let stale = policies
            .set_iam_policy()
            .set_resource(resource)
            .set_policy(wanted)
            .send()
            .await
            .unwrap_err();
        assert_eq!(code(&stale), "ABORTED");
    }
    emulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn grpc_clients_share_the_port_and_the_resources() {
    let (emulator, endpoint) = start(Quirks::default()).await;
    let channel = channel(&endpoint).await;
    let mut publisher = PublisherClient::new(channel.clone());
    let mut subscriber = SubscriberClient::new(channel.clone());
    let mut policies = IamPolicyClient::new(channel);
    let topic = wire::Topic {
        name: TOPIC.to_owned(),
        ..wire::Topic::default()
    };
    publisher.create_topic(topic.clone()).await.unwrap();
    let exists = publisher.create_topic(topic).await.unwrap_err();
    assert_eq!(exists.code(), Code::AlreadyExists);
    let given = wire::Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        expiration_policy: Some(wire::ExpirationPolicy { ttl: None }),
        ..wire::Subscription::default()
    };
    let made = subscriber
        .create_subscription(given)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (made.ack_deadline_seconds, made.expiration_policy),
        (10, Some(wire::ExpirationPolicy { ttl: None }))
    );
    let update = wire::UpdateSubscriptionRequest {
        subscription: Some(wire::Subscription {
            ack_deadline_seconds: 45,
            ..made
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["ack_deadline_seconds".to_owned()],
        }),
    };
    let changed = subscriber
        .update_subscription(update)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(changed.ack_deadline_seconds, 45);
    let request = iam::GetIamPolicyRequest {
        resource: TOPIC.to_owned(),
        options: None,
    };
    assert!(
        policies
            .get_iam_policy(request)
            .await
            .unwrap()
            .into_inner()
            .bindings
            .is_empty()
    );

    // The same resource over REST, in the vendor's words.
    let (_, subscriptions) = admins(&endpoint).await.unwrap();
    let seen = subscriptions
        .get_subscription()
        .set_subscription(SUBSCRIPTION)
        .send()
        .await
        .unwrap();
    assert_eq!(seen.ack_deadline_seconds, 45);
    emulator.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_unimplemented() {
    let (emulator, endpoint) = start(Quirks::default()).await;
    let mut subscriber = SubscriberClient::new(channel(&endpoint).await);
    let pushed = subscriber
        .modify_push_config(wire::ModifyPushConfigRequest::default())
        .await
        .unwrap_err();
    assert_eq!(pushed.code(), Code::Unimplemented);
    assert!(
        pushed.message().contains("Subscriber.ModifyPushConfig"),
        "{pushed}"
    );
    emulator.stop().await;
}

#[tokio::test]
async fn the_error_rate_is_seen_in_each_wire_form() {
    let (emulator, endpoint) = start(Quirks {
        error_rate: 1.0,
        ..Quirks::default()
    })
    .await;
    let mut publisher = PublisherClient::new(channel(&endpoint).await);
    let failed = publisher
        .list_topics(wire::ListTopicsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    let (topics, _) = admins(&endpoint).await.unwrap();
    let failed = topics
        .delete_topic()
        .set_topic(TOPIC)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&failed), "INTERNAL");
    emulator.stop().await;
}
