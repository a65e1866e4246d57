//! A message's whole way in Pub/Sub: published, received by StreamingPull, acked on that stream.
//!
//! Each connection has a topic and a subscription of its own, a publisher with a window of
//! messages that are not received yet, and one stream. Every message carries its number and when
//! it was published, so that what is lost or comes twice is an error and the rest a latency.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures::channel::mpsc;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    PublishRequest, PubsubMessage, StreamingPullRequest, publisher_client::PublisherClient,
    subscriber_client::SubscriberClient,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::closed_loop::{self, Load, Span, Tally};
use super::process::Server;
use super::pubsub_client::{ACK_DEADLINE_SECONDS, Pair, connect, said};
use super::sqs_client::BODY_BYTES;

/// Messages per Publish.
const BATCH: u32 = 100;
/// Messages of a connection that are published and not received.
pub(crate) const WINDOW: usize = 1_000;
const OUTSTANDING_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// After the end, for what is still under way.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Runs so many connections at once.
pub(crate) async fn run(server: &Server, connections: usize, span: Span) -> Result<Load, String> {
    let mut lines = Vec::new();
    for index in 0..connections {
        let channel = connect(server.address).await?;
        let pair = Pair::create(&channel, &format!("bench-stream-{connections}-{index}")).await?;
        lines.push((channel, pair));
    }
    let mut tallies = Vec::new();
    let mut tasks = JoinSet::new();
    for (channel, pair) in lines.clone() {
        let tally = Arc::new(Tally::new(span));
        tallies.push(Arc::clone(&tally));
        tasks.spawn(exchange(channel, pair, tally));
    }
    let [server_processor, client_processor, seconds] = tallies[0].watch(server).await;
    let (mut errors, mut first_error) = (0, None);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.unwrap() {
            errors += 1;
            first_error.get_or_insert(error);
        }
    }
    for (channel, pair) in lines {
        pair.delete(&channel).await?;
    }
    let latency = closed_loop::together(tallies);
    Ok(Load {
        messages: latency.len(),
        seconds,
        latency,
        errors,
        first_error,
        reconnects: 0,
        server_processor,
        client_processor,
    })
}

/// What publisher and subscriber of one connection share.
struct Line {
    channel: Channel,
    pair: Pair,
    tally: Arc<Tally>,
    /// The times in the bodies count from here.
    epoch: Instant,
    /// A permit per message that may be published.
    window: Semaphore,
    published: AtomicUsize,
}

/// Publishes and receives until the time is over and all that was published has come.
async fn exchange(channel: Channel, pair: Pair, tally: Arc<Tally>) -> Result<(), String> {
    let line = Line {
        channel,
        pair,
        tally,
        epoch: Instant::now(),
        window: Semaphore::new(WINDOW),
        published: AtomicUsize::new(0),
    };
    let mut seen = Seen::default();
    let received = tokio::select! {
        // It ends only with an error, or where the stream does.
        received = line.subscribe(&mut seen) => received,
        published = async {
            line.publish().await?;
            line.drain().await
        } => published,
    };
    received?;
    let published = line.published.load(Relaxed);
    match seen.count {
        count if count == published => Ok(()),
        count => Err(format!(
            "{published} messages were published and {count} received"
        )),
    }
}

impl Line {
    async fn publish(&self) -> Result<(), String> {
        let mut client = PublisherClient::new(self.channel.clone());
        while !self.tally.is_over() {
            let permits = self.window.acquire_many(BATCH).await;
            permits.map_err(|error| error.to_string())?.forget();
            let first = self.published.load(Relaxed);
            let messages: Vec<_> = (first..)
                .take(BATCH as usize)
                .map(|n| self.message(n))
                .collect();
            // Counted before they are sent: they may be received before the call is answered.
            self.published.fetch_add(messages.len(), Relaxed);
            let topic = self.pair.topic.clone();
            let request = PublishRequest { topic, messages };
            client.publish(request).await.map_err(said)?;
        }
        Ok(())
    }

    /// Waits until the whole window is free again.
    async fn drain(&self) -> Result<(), String> {
        let whole = u32::try_from(WINDOW).unwrap_or(u32::MAX);
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, self.window.acquire_many(whole)).await;
        match drained {
            Ok(_) => Ok(()),
            Err(_) => Err("messages that were published did not come".to_owned()),
        }
    }

    async fn subscribe(&self, seen: &mut Seen) -> Result<(), String> {
        let (acks, requests) = mpsc::unbounded();
        let first = StreamingPullRequest {
            subscription: self.pair.subscription.clone(),
            stream_ack_deadline_seconds: ACK_DEADLINE_SECONDS,
            max_outstanding_messages: i64::try_from(WINDOW).unwrap_or(i64::MAX),
            max_outstanding_bytes: OUTSTANDING_BYTES_MAX,
            client_id: self.pair.subscription.clone(),
            ..StreamingPullRequest::default()
        };
        let closed = |_| "the stream takes no more acks".to_owned();
        acks.unbounded_send(first).map_err(closed)?;
        let mut client = SubscriberClient::new(self.channel.clone());
        let answer = client.streaming_pull(requests).await.map_err(said)?;
        let mut deliveries = answer.into_inner();
        while let Some(delivered) = deliveries.message().await.map_err(said)? {
            let messages = delivered.received_messages;
            let count = messages.len();
            let mut ack_ids = Vec::with_capacity(count);
            for message in messages {
                self.take(message.message.as_ref(), seen)?;
                ack_ids.push(message.ack_id);
            }
            let request = StreamingPullRequest {
                ack_ids,
                ..StreamingPullRequest::default()
            };
            acks.unbounded_send(request).map_err(closed)?;
            self.window.add_permits(count);
        }
        Err("the server ended the stream".to_owned())
    }

    /// A body with its number and the time in it.
    fn message(&self, number: usize) -> PubsubMessage {
        let mut data = vec![b'x'; BODY_BYTES];
        let nanos = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        data[..8].copy_from_slice(&(number as u64).to_le_bytes());
        data[8..16].copy_from_slice(&nanos.to_le_bytes());
        PubsubMessage {
            data,
            ..PubsubMessage::default()
        }
    }

    fn take(&self, message: Option<&PubsubMessage>, seen: &mut Seen) -> Result<(), String> {
        let data = message.map_or(&[][..], |message| &message.data);
        let number = |at: usize| {
            let bytes = data.get(at..at + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        let (Some(index), Some(nanos)) = (number(0), number(8)) else {
            return Err("a message came without its body".to_owned());
        };
        seen.mark(usize::try_from(index).map_err(|error| error.to_string())?)?;
        self.tally.record(self.epoch + Duration::from_nanos(nanos));
        Ok(())
    }
}

/// Which numbers have come.
#[derive(Debug, Default)]
struct Seen {
    numbers: Vec<bool>,
    count: usize,
}

impl Seen {
    fn mark(&mut self, number: usize) -> Result<(), String> {
        if number >= self.numbers.len() {
            self.numbers.resize(number + 1, false);
        }
        if std::mem::replace(&mut self.numbers[number], true) {
            return Err(format!("message {number} came twice"));
        }
        self.count += 1;
        Ok(())
    }
}
