//! The few calls of Pub/Sub that the load is made of, over gRPC.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    DeleteSubscriptionRequest, DeleteTopicRequest, ListTopicsRequest, PublishRequest,
    PubsubMessage, Subscription, Topic, publisher_client::PublisherClient,
    subscriber_client::SubscriberClient,
};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use super::closed_loop::Client;
use super::sqs_client::BODY_BYTES;

const PROJECT: &str = "projects/bench";
/// How long a message may be worked on.
pub(crate) const ACK_DEADLINE_SECONDS: i32 = 60;
/// Messages of a call that fills a subscription.
const FILL_BATCH: usize = 100;
/// The windows of HTTP/2, as wide as those of Google's own clients, more or less.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection of its own.
pub(crate) async fn connect(address: SocketAddr) -> Result<Channel, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    endpoint
        .map_err(|error| error.to_string())?
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .connect_timeout(CONNECT_TIMEOUT)
        .connect()
        .await
        .map_err(|error| format!("cannot connect: {error}"))
}

/// Whether a server answers at all.
pub(crate) async fn answers(address: SocketAddr) -> bool {
    let Ok(channel) = connect(address).await else {
        return false;
    };
    let request = ListTopicsRequest {
        project: PROJECT.to_owned(),
        ..ListTopicsRequest::default()
    };
    PublisherClient::new(channel)
        .list_topics(request)
        .await
        .is_ok()
}

/// A topic and its one subscription.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// The topic's name.
    pub(crate) topic: String,
    /// The subscription's name.
    pub(crate) subscription: String,
}

impl Pair {
    /// Makes them.
    pub(crate) async fn create(channel: &Channel, name: &str) -> Result<Pair, String> {
        let pair = Pair {
            topic: format!("{PROJECT}/topics/{name}"),
            subscription: format!("{PROJECT}/subscriptions/{name}"),
        };
        let topic = Topic {
            name: pair.topic.clone(),
            ..Topic::default()
        };
        let subscription = Subscription {
            name: pair.subscription.clone(),
            topic: pair.topic.clone(),
            ack_deadline_seconds: ACK_DEADLINE_SECONDS,
            ..Subscription::default()
        };
        PublisherClient::new(channel.clone())
            .create_topic(topic)
            .await
            .map_err(said)?;
        SubscriberClient::new(channel.clone())
            .create_subscription(subscription)
            .await
            .map_err(said)?;
        Ok(pair)
    }

    /// Deletes them with all messages.
    pub(crate) async fn delete(&self, channel: &Channel) -> Result<(), String> {
        let subscription = self.subscription.clone();
        SubscriberClient::new(channel.clone())
            .delete_subscription(DeleteSubscriptionRequest { subscription })
            .await
            .map_err(said)?;
        let topic = self.topic.clone();
        PublisherClient::new(channel.clone())
            .delete_topic(DeleteTopicRequest { topic })
            .await
            .map_err(said)?;
        Ok(())
    }
}

/// What a call came to, in one line.
pub(crate) fn said(status: Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

/// Publish, again and again.
#[derive(Debug)]
pub(crate) struct Publishing {
    client: PublisherClient<Channel>,
    request: PublishRequest,
}

impl Publishing {
    /// So many messages per call, on a connection of its own.
    pub(crate) async fn new(
        address: SocketAddr,
        pair: &Pair,
        batch: usize,
    ) -> Result<Self, String> {
        let message = PubsubMessage {
            data: vec![b'x'; BODY_BYTES],
            ..PubsubMessage::default()
        };
        Ok(Publishing {
            client: PublisherClient::new(connect(address).await?),
            request: PublishRequest {
                topic: pair.topic.clone(),
                messages: vec![message; batch],
            },
        })
    }
}

impl Client for Publishing {
    async fn operate(&mut self) -> Result<(), String> {
        let request = self.request.clone();
        let batch = request.messages.len();
        let answer = self.client.publish(request).await.map_err(said)?;
        match answer.into_inner().message_ids.len() {
            published if published == batch => Ok(()),
            published => Err(format!("Publish took {published} of {batch}")),
        }
    }

    fn opened(&self) -> u64 {
        // tonic connects again by itself and does not tell.
        1
    }
}

/// Publishes so many messages, rounded up to batches, for a subscription to hold, or as many as are
/// taken `within` that time: how many were.
pub(crate) async fn fill(
    address: SocketAddr,
    messages: u64,
    within: Duration,
) -> Result<u64, String> {
    let deadline = Instant::now() + within;
    let channel = connect(address).await?;
    let pair = Pair::create(&channel, "bench-footprint").await?;
    let mut publishing = Publishing::new(address, &pair, FILL_BATCH).await?;
    let mut sent = 0;
    while sent < messages && Instant::now() < deadline {
        publishing.operate().await?;
        sent += FILL_BATCH as u64;
    }
    Ok(sent)
}
