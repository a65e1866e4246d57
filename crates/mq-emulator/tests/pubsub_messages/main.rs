//! Messages through a started emulator, by generated gRPC clients, in a time that stands still
//! until a test moves it.

use std::time::Duration;

use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_iam_v1::google::iam::v1::iam_policy_client::IamPolicyClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as wire;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::publisher_client::PublisherClient;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::subscriber_client::SubscriberClient;
use mq_emulator::{ClockMode, Config, Emulator, Ports, Quirks};
use tokio::sync::mpsc;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

const TOPIC: &str = "projects/acme/topics/orders";
const DEAD_TOPIC: &str = "projects/acme/topics/orders-dlq";
const SUBSCRIPTION: &str = "projects/acme/subscriptions/orders-sub";
const DEAD_SUBSCRIPTION: &str = "projects/acme/subscriptions/orders-dlq-sub";
const SNAPSHOT: &str = "projects/acme/snapshots/before";
const INVALID_ACK_ID: &str = "PERMANENT_FAILURE_INVALID_ACK_ID";
/// Far more than anything here takes: what takes so long hangs.
const HANG: Duration = Duration::from_secs(20);

/// An emulator with a topic and its subscription, and clients of it.
struct World {
    emulator: Emulator,
    publisher: PublisherClient<Channel>,
    subscriber: SubscriberClient<Channel>,
    policies: IamPolicyClient<Channel>,
}

fn plain() -> wire::Subscription {
    wire::Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        ..Default::default()
    }
}

async fn world(subscription: wire::Subscription) -> World {
    world_with(subscription, Quirks::default()).await
}

async fn world_with(subscription: wire::Subscription, quirks: Quirks) -> World {
    let config = Config {
        ports: Ports::free(),
        quirks,
        clock: ClockMode::Manual,
        seed: 1,
        project_number: 4711,
        ..Config::default()
    };
    let emulator = Emulator::start(config).await.expect("an emulator");
    let endpoint = format!("http://{}", emulator.addresses().pubsub);
    let channel = Channel::from_shared(endpoint).expect("an address is a URI");
    let channel = channel.connect().await.expect("an emulator listens");
    let mut world = World {
        emulator,
        publisher: PublisherClient::new(channel.clone()).max_encoding_message_size(usize::MAX),
        subscriber: SubscriberClient::new(channel.clone()).max_decoding_message_size(usize::MAX),
        policies: IamPolicyClient::new(channel),
    };
    for name in [TOPIC, DEAD_TOPIC] {
        let name = name.to_owned();
        let topic = wire::Topic {
            name,
            ..Default::default()
        };
        world.publisher.create_topic(topic).await.expect("a topic");
    }
    let dead = wire::Subscription {
        name: DEAD_SUBSCRIPTION.to_owned(),
        topic: DEAD_TOPIC.to_owned(),
        ..Default::default()
    };
    for subscription in [subscription, dead] {
        let made = world.subscriber.create_subscription(subscription).await;
        made.expect("a subscription");
    }
    world
}

fn text(data: &str) -> wire::PubsubMessage {
    wire::PubsubMessage {
        data: data.as_bytes().to_vec(),
        ..Default::default()
    }
}

fn keyed(data: &str, key: &str) -> wire::PubsubMessage {
    wire::PubsubMessage {
        ordering_key: key.to_owned(),
        ..text(data)
    }
}

fn tagged(data: &str, key: &str, value: &str) -> wire::PubsubMessage {
    wire::PubsubMessage {
        attributes: [(key.to_owned(), value.to_owned())].into(),
        ..text(data)
    }
}

fn data(received: &wire::ReceivedMessage) -> String {
    let message = received.message.as_ref().expect("a message");
    String::from_utf8(message.data.clone()).expect("text")
}

fn all_data(received: &[wire::ReceivedMessage]) -> Vec<String> {
    received.iter().map(data).collect()
}

fn ack_ids(received: &[wire::ReceivedMessage]) -> Vec<String> {
    received.iter().map(|it| it.ack_id.clone()).collect()
}

impl World {
    async fn publish(&mut self, messages: Vec<wire::PubsubMessage>) -> Result<Vec<String>, Status> {
        let topic = TOPIC.to_owned();
        let request = wire::PublishRequest { topic, messages };
        let published = self.publisher.publish(request).await?;
        Ok(published.into_inner().message_ids)
    }

    async fn publish_all(&mut self, messages: &[&str]) {
        let messages = messages.iter().map(|data| text(data)).collect();
        self.publish(messages).await.expect("published");
    }

    async fn pull_from(
        &mut self,
        subscription: &str,
        max_messages: i32,
        at_once: bool,
    ) -> Result<Vec<wire::ReceivedMessage>, Status> {
        #[expect(deprecated, reason = "the test does not want to wait")]
        let request = wire::PullRequest {
            subscription: subscription.to_owned(),
            max_messages,
            return_immediately: at_once,
        };
        let pulled = self.subscriber.pull(request).await?;
        Ok(pulled.into_inner().received_messages)
    }

    /// What is there now.
    async fn pull(&mut self) -> Vec<wire::ReceivedMessage> {
        let pulled = self.pull_from(SUBSCRIPTION, 100, true).await;
        pulled.expect("a pull")
    }

    async fn ack(&mut self, ack_ids: Vec<String>) -> Result<(), Status> {
        let request = wire::AcknowledgeRequest {
            subscription: SUBSCRIPTION.to_owned(),
            ack_ids,
        };
        self.subscriber.acknowledge(request).await.map(|_| ())
    }

    async fn extend(&mut self, ack_ids: Vec<String>, seconds: i32) -> Result<(), Status> {
        let request = wire::ModifyAckDeadlineRequest {
            subscription: SUBSCRIPTION.to_owned(),
            ack_ids,
            ack_deadline_seconds: seconds,
        };
        let extended = self.subscriber.modify_ack_deadline(request).await;
        extended.map(|_| ())
    }

    fn advance(&self, seconds: u64) {
        let by = Duration::from_secs(seconds);
        self.emulator.advance(by).expect("a manual clock");
    }

    async fn stream(&mut self, first: wire::StreamingPullRequest) -> Result<Pull, Status> {
        let (requests, mut received) = mpsc::channel(8);
        let requests_out = futures::stream::poll_fn(move |context| received.poll_recv(context));
        requests.send(first).await.expect("room");
        let opened = self.subscriber.streaming_pull(requests_out).await?;
        Ok(Pull {
            requests,
            responses: opened.into_inner(),
        })
    }

    /// What it answers to a stream that begins like this.
    async fn refused(&mut self, first: wire::StreamingPullRequest) -> Status {
        match self.stream(first).await {
            Err(status) => status,
            Ok(mut pull) => pull.end().await,
        }
    }
}

/// One stream.
struct Pull {
    requests: mpsc::Sender<wire::StreamingPullRequest>,
    responses: Streaming<wire::StreamingPullResponse>,
}

fn first() -> wire::StreamingPullRequest {
    wire::StreamingPullRequest {
        subscription: SUBSCRIPTION.to_owned(),
        stream_ack_deadline_seconds: 10,
        ..Default::default()
    }
}

impl Pull {
    async fn say(&self, request: wire::StreamingPullRequest) {
        self.requests.send(request).await.expect("an open stream");
    }

    async fn response(&mut self) -> Result<wire::StreamingPullResponse, Status> {
        let response = tokio::time::timeout(HANG, self.responses.message());
        let response = response.await.expect("a response in time")?;
        Ok(response.expect("the stream ended without a status"))
    }

    /// The next so many messages.
    async fn messages(&mut self, count: usize) -> Vec<wire::ReceivedMessage> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.extend(self.response().await.expect("a response").received_messages);
        }
        messages
    }

    async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.response().await {
                return status;
            }
        }
    }

    async fn ack(&self, ack_ids: Vec<String>) {
        self.say(wire::StreamingPullRequest {
            ack_ids,
            ..Default::default()
        })
        .await;
    }

    async fn extend(&self, ack_ids: Vec<String>, seconds: i32) {
        self.say(wire::StreamingPullRequest {
            modify_deadline_seconds: vec![seconds; ack_ids.len()],
            modify_deadline_ack_ids: ack_ids,
            ..Default::default()
        })
        .await;
    }

    /// Returns when what was said before is done.
    async fn settled(&mut self) {
        self.say(wire::StreamingPullRequest::default()).await;
        let answered = self.response().await.expect("an answer to the heartbeat");
        assert_eq!(answered.received_messages, []);
    }
}

mod delivering;
mod exactly_once;
mod going_back;
mod keeping_order;
mod publishing;
mod streaming;
