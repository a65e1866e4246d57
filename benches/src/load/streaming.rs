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
use super::process::{Server, own_processor_seconds};
use super::pubsub_client::{ACK_DEADLINE_SECONDS, Pair, connect, said};
use super::sqs_client::BODY_BYTES;

/// Messages per Publish.
const BATCH: u32 = 100;
/// Messages of a connection that are published and not received.
pub(crate) const WINDOW: usize = 1_000;
const OUTSTANDING_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// After the end, for what is still under way.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// For all that was published before.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(120);
/// Publishes and receives on so many connections at once.
pub(crate) async fn run(server: &Server, connections: usize, span: Span) -> Result<Load, String> {
    let mut tasks = JoinSet::new();
    let (mut pairs, mut tallies) = (Vec::new(), Vec::new());
    for line in open(server, connections, span, WINDOW).await? {
        pairs.push((line.channel.clone(), line.pair.clone()));
        tallies.push(Arc::clone(&line.tally));
        tasks.spawn(async move { line.exchange().await });
    }
    let [server_processor, client_processor, seconds] = tallies[0].watch(server).await;
    let (errors, first_error) = ended(tasks).await;
    delete(pairs).await?;
    let latency = closed_loop::together(&tallies);
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

/// Receives what was published before, so many messages on all connections together. What has
/// waited has no latency.
pub(crate) async fn drain(
    server: &Server,
    connections: usize,
    messages: usize,
) -> Result<Load, String> {
    let over = Span {
        warm_up: Duration::ZERO,
        measured: Duration::ZERO,
    };
    let mut lines = open(server, connections, over, 0).await?;
    let batches = messages.div_ceil(connections * BATCH as usize);
    for line in &mut lines {
        let mut client = PublisherClient::new(line.channel.clone());
        for _ in 0..batches {
            line.publish_batch(&mut client).await?;
        }
    }
    let pairs = lines
        .iter()
        .map(|line| (line.channel.clone(), line.pair.clone()));
    let pairs = pairs.collect();
    let (begun, before) = (Instant::now(), processor_seconds(server));
    let mut tasks = JoinSet::new();
    for line in lines {
        tasks.spawn(async move { line.receive_all().await });
    }
    let (errors, first_error) = ended(tasks).await;
    let (seconds, after) = (begun.elapsed().as_secs_f64(), processor_seconds(server));
    delete(pairs).await?;
    Ok(Load {
        messages: (batches * connections) as u64 * u64::from(BATCH),
        seconds,
        latency: closed_loop::together(&[]),
        errors,
        first_error,
        reconnects: 0,
        server_processor: after[0] - before[0],
        client_processor: after[1] - before[1],
    })
}

/// Connections with a topic and a subscription each.
async fn open(
    server: &Server,
    connections: usize,
    span: Span,
    window: usize,
) -> Result<Vec<Line>, String> {
    let mut opened = Vec::new();
    for index in 0..connections {
        let channel = connect(server.address).await?;
        let pair = Pair::create(&channel, &format!("bench-stream-{connections}-{index}")).await?;
        opened.push((channel, pair));
    }
    // Its time begins with the load, however long the above took.
    let line = |(channel, pair)| Line {
        channel,
        pair,
        tally: Arc::new(Tally::new(span)),
        epoch: Instant::now(),
        window: Semaphore::new(window),
        published: AtomicUsize::new(0),
    };
    Ok(opened.into_iter().map(line).collect())
}

/// How many failed, and how the first of them.
async fn ended(mut tasks: JoinSet<Result<(), String>>) -> (u64, Option<String>) {
    let (mut errors, mut first_error) = (0, None);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.unwrap() {
            errors += 1;
            first_error.get_or_insert(error);
        }
    }
    (errors, first_error)
}

async fn delete(pairs: Vec<(Channel, Pair)>) -> Result<(), String> {
    for (channel, pair) in pairs {
        pair.delete(&channel).await?;
    }
    Ok(())
}

/// Of the server and of this process.
fn processor_seconds(server: &Server) -> [f64; 2] {
    [server.processor_seconds(), own_processor_seconds()]
}

/// What publisher and subscriber of one connection share.
struct Line {
    channel: Channel,
    pair: Pair,
    tally: Arc<Tally>,
    /// The times in the bodies count from here.
    epoch: Instant,
    /// A permit per message that may be published; whatever is received adds one.
    window: Semaphore,
    published: AtomicUsize,
}

impl Line {
    /// Publishes and receives until the time is over and all that was published has come.
    async fn exchange(&self) -> Result<(), String> {
        let work = async {
            self.publish().await?;
            self.come(WINDOW, DRAIN_TIMEOUT).await
        };
        self.receive_during(work).await
    }

    /// Receives all that was published.
    async fn receive_all(&self) -> Result<(), String> {
        let published = self.published.load(Relaxed);
        self.receive_during(self.come(published, RECEIVE_TIMEOUT))
            .await
    }

    async fn receive_during(
        &self,
        work: impl Future<Output = Result<(), String>>,
    ) -> Result<(), String> {
        let mut seen = Seen::default();
        tokio::select! {
            // The stream ends with an error only.
            received = self.subscribe(&mut seen) => received?,
            worked = work => worked?,
        }
        let published = self.published.load(Relaxed);
        match seen.count {
            count if count == published => Ok(()),
            count => Err(format!(
                "{published} messages were published and {count} received"
            )),
        }
    }

    async fn publish(&self) -> Result<(), String> {
        let mut client = PublisherClient::new(self.channel.clone());
        while !self.tally.is_over() {
            let permits = self.window.acquire_many(BATCH).await;
            permits.map_err(|error| error.to_string())?.forget();
            self.publish_batch(&mut client).await?;
        }
        Ok(())
    }

    async fn publish_batch(&self, client: &mut PublisherClient<Channel>) -> Result<(), String> {
        let first = self.published.load(Relaxed);
        let numbers = (first..).take(BATCH as usize);
        let messages: Vec<_> = numbers.map(|number| self.message(number)).collect();
        // Counted before they are sent: they may be received before the call is answered.
        self.published.fetch_add(messages.len(), Relaxed);
        let topic = self.pair.topic.clone();
        let request = PublishRequest { topic, messages };
        client.publish(request).await.map(drop).map_err(said)
    }

    /// Waits until so many permits are there.
    async fn come(&self, permits: usize, timeout: Duration) -> Result<(), String> {
        let permits = u32::try_from(permits).map_err(|error| error.to_string())?;
        match tokio::time::timeout(timeout, self.window.acquire_many(permits)).await {
            Ok(_) => Ok(()),
            Err(_) => Err("messages that were published did not come in time".to_owned()),
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
