//! StreamingPull: a conversation in which messages go out as they arrive and as there is room,
//! while acks and extensions come in.
//!
//! <https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1#streamingpullrequest>

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    StreamingPullRequest, StreamingPullResponse, streaming_pull_response as response,
};
use mq_engine::{Delivery, EntityId, Operation, Place, Receive, Settle, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::holders::Holder;
use super::pull::{Subscribed, subscribed};
use super::settle::{Verdicts, extension};
use super::status::{denied, ending};
use super::window::{Limits, Window};
use super::{PubSub, envelope, names};

/// How long a client may say nothing before the stream ends. The service waits a minute, and the
/// clients send an empty request every 30 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// One response: as many messages, and bytes, as keep the answers small for slow readers.
const RESPONSE_MESSAGES_MAX: usize = 1_000;
const RESPONSE_BYTES_MAX: u64 = 1024 * 1024;
/// Responses that wait to be sent to a client which does not read.
const RESPONSES_WAITING_MAX: usize = 2;
const DEADLINE_SECONDS: std::ops::RangeInclusive<i32> = 10..=600;

type Requests = Streaming<StreamingPullRequest>;
type Responses = BoxStream<'static, Result<StreamingPullResponse, Status>>;

/// One stream.
struct Stream {
    pubsub: Arc<PubSub>,
    id: EntityId,
    subscribed: Subscribed,
    lease: Duration,
    holder: Holder,
    window: Arc<Window>,
    /// Whether the client waits for an answer to its heartbeats.
    answers_heartbeats: bool,
    out: mpsc::Sender<Result<StreamingPullResponse, Status>>,
}

/// What happens next on a stream.
enum Event {
    Request(StreamingPullRequest),
    Deliveries(Vec<Delivery>),
    /// Something about some subscription has changed.
    Change,
    /// The client has said all, or is gone.
    Over,
}

/// Begins a stream with its first request, and lets it run.
pub(super) async fn open(pubsub: Arc<PubSub>, mut requests: Requests) -> Result<Responses, Status> {
    let first = tokio::time::timeout(SILENCE_MAX, requests.message());
    let first = first.await.map_err(|_| silent())??;
    let first = first
        .ok_or_else(|| Status::invalid_argument("The first request of the stream is missing."))?;
    let id = names::subscription(&first.subscription)?;
    let lease = deadline(first.stream_ack_deadline_seconds)?;
    check_settlements(&first)?;
    // Before the look at the subscription, so that what changes right after it is not missed.
    let changes = pubsub.changes.subscribe();
    let subscribed = subscribed(&pubsub.shared.engine(), &id)?;
    let (out, responses) = mpsc::channel(RESPONSES_WAITING_MAX);
    let limits = Limits::new(first.max_outstanding_messages, first.max_outstanding_bytes);
    let stream = Stream {
        holder: pubsub.holders.take(&id, &first.client_id),
        pubsub,
        id,
        subscribed,
        lease,
        window: Window::new(limits),
        answers_heartbeats: first.protocol_version > 0,
        out,
    };
    tokio::spawn(stream.run(first, requests, changes));
    let responses = futures::stream::unfold(responses, |mut responses| async move {
        let response = responses.recv().await?;
        Some((response, responses))
    });
    Ok(responses.boxed())
}

impl Stream {
    async fn run(
        mut self,
        first: StreamingPullRequest,
        requests: Requests,
        changes: watch::Receiver<()>,
    ) {
        if let Err(status) = self.converse(first, requests, changes).await {
            // A client that is gone needs no farewell.
            let _ = self.out.send(Err(status)).await;
        }
    }

    async fn converse(
        &mut self,
        first: StreamingPullRequest,
        mut requests: Requests,
        mut changes: watch::Receiver<()>,
    ) -> Result<(), Status> {
        self.answer(self.properties()).await;
        self.settle(first).await?;
        let mut heard = Instant::now();
        loop {
            match self.next(&mut requests, &mut changes, heard).await? {
                Event::Request(request) => {
                    heard = Instant::now();
                    self.pubsub.shared.note_activity();
                    self.hear(request).await?;
                }
                Event::Deliveries(deliveries) => self.deliver(deliveries).await,
                Event::Change => self.look_again().await?,
                Event::Over => return Ok(()),
            }
        }
    }

    async fn next(
        &self,
        requests: &mut Requests,
        changes: &mut watch::Receiver<()>,
        heard: Instant,
    ) -> Result<Event, Status> {
        tokio::select! {
            request = tokio::time::timeout_at(heard + SILENCE_MAX, requests.message()) => {
                let request = request.map_err(|_| silent())??;
                Ok(request.map_or(Event::Over, Event::Request))
            }
            deliveries = self.next_deliveries() => deliveries.map(Event::Deliveries),
            _ = changes.changed() => Ok(Event::Change),
            () = self.pubsub.shutdown.cancelled() => Err(ending()),
            () = self.out.closed() => Ok(Event::Over),
        }
    }

    /// Waits until messages may go out and there are some. Nothing is handed out unless this
    /// returns it, so it may be given up at any time.
    async fn next_deliveries(&self) -> Result<Vec<Delivery>, Status> {
        if self.out.reserve().await.is_err() {
            // Nobody listens; the stream sees that too, and ends.
            return std::future::pending().await;
        }
        let shared = &self.pubsub.shared;
        loop {
            let mut freed = pin!(self.window.freed());
            freed.as_mut().enable();
            if let Some(room) = self.window.room() {
                return self.receive(room).await;
            }
            let until = self.window.next_expiry().unwrap_or(Timestamp::FOREVER);
            tokio::select! {
                () = freed => {}
                () = shared.clock.sleep_until(until) => {
                    self.pubsub.windows.expire(&self.window, shared.now());
                }
            }
        }
    }

    async fn receive(&self, room: Limits) -> Result<Vec<Delivery>, Status> {
        let from = Place::from(self.id.clone());
        let how = Receive {
            max: room.messages.min(RESPONSE_MESSAGES_MAX),
            bytes_max: Some(room.bytes.min(RESPONSE_BYTES_MAX)),
            lease: Some(self.lease),
            holder: Some(self.holder.number()),
            ..Receive::default()
        };
        let receive = || Operation::Receive {
            from: from.clone(),
            how: how.clone(),
        };
        let shared = &self.pubsub.shared;
        let received = shared.receive_until(&from, Timestamp::FOREVER, receive);
        received.await.map_err(|why| self.denied(&why))
    }

    async fn deliver(&self, deliveries: Vec<Delivery>) {
        let (pubsub, now) = (&self.pubsub, self.pubsub.shared.now());
        pubsub.windows.hand_out(&self.window, &deliveries, now);
        let counted = self.subscribed.counted;
        let open = |delivery| envelope::open(delivery, counted);
        self.answer(StreamingPullResponse {
            received_messages: deliveries.into_iter().map(open).collect(),
            subscription_properties: self.properties().subscription_properties,
            ..StreamingPullResponse::default()
        })
        .await;
    }

    async fn hear(&mut self, request: StreamingPullRequest) -> Result<(), Status> {
        check_later(&request)?;
        if request == StreamingPullRequest::default() {
            if self.answers_heartbeats {
                self.answer(self.properties()).await;
            }
            return Ok(());
        }
        if request.stream_ack_deadline_seconds != 0 {
            self.lease = deadline(request.stream_ack_deadline_seconds)?;
        }
        check_settlements(&request)?;
        self.settle(request).await
    }

    /// Does what the request asks for, and confirms it where the subscription does so.
    async fn settle(&self, request: StreamingPullRequest) -> Result<(), Status> {
        let acked = self.settle_all(request.ack_ids, &Settle::Ack)?;
        let mut extended = Verdicts::default();
        let seconds = request.modify_deadline_seconds.into_iter();
        let mut each = request
            .modify_deadline_ack_ids
            .into_iter()
            .zip(seconds)
            .peekable();
        while let Some((ack_id, seconds)) = each.next() {
            let mut alike = vec![ack_id];
            while let Some((ack_id, _)) = each.next_if(|(_, next)| *next == seconds) {
                alike.push(ack_id);
            }
            let more = self.settle_all(alike, &extension(seconds)?)?;
            extended.done.extend(more.done);
            extended.invalid.extend(more.invalid);
        }
        if !self.subscribed.exactly_once || (acked.is_empty() && extended.is_empty()) {
            return Ok(());
        }
        self.answer(StreamingPullResponse {
            acknowledge_confirmation: (!acked.is_empty()).then(|| {
                response::AcknowledgeConfirmation {
                    ack_ids: acked.done,
                    invalid_ack_ids: acked.invalid,
                    ..Default::default()
                }
            }),
            modify_ack_deadline_confirmation: (!extended.is_empty()).then(|| {
                response::ModifyAckDeadlineConfirmation {
                    ack_ids: extended.done,
                    invalid_ack_ids: extended.invalid,
                    ..Default::default()
                }
            }),
            ..self.properties()
        })
        .await;
        Ok(())
    }

    fn settle_all(&self, ack_ids: Vec<String>, how: &Settle) -> Result<Verdicts, Status> {
        if ack_ids.is_empty() {
            return Ok(Verdicts::default());
        }
        self.pubsub.settle(&self.id, self.subscribed, ack_ids, how)
    }

    /// Sees what has become of the subscription, and tells the client what it must know.
    async fn look_again(&mut self) -> Result<(), Status> {
        let now = subscribed(&self.pubsub.shared.engine(), &self.id)?;
        let before = std::mem::replace(&mut self.subscribed, now);
        if before != now {
            self.answer(self.properties()).await;
        }
        Ok(())
    }

    fn properties(&self) -> StreamingPullResponse {
        StreamingPullResponse {
            subscription_properties: Some(response::SubscriptionProperties {
                exactly_once_delivery_enabled: self.subscribed.exactly_once,
                message_ordering_enabled: self.subscribed.ordered,
            }),
            ..StreamingPullResponse::default()
        }
    }

    async fn answer(&self, response: StreamingPullResponse) {
        // When the client is gone the stream sees that by itself; leases bring the messages back.
        let _ = self.out.send(Ok(response)).await;
    }

    fn denied(&self, why: &mq_engine::Denied) -> Status {
        denied(why, &names::full(&self.id))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.pubsub.windows.close(&self.window);
    }
}

fn deadline(seconds: i32) -> Result<Duration, Status> {
    if !DEADLINE_SECONDS.contains(&seconds) {
        return Err(Status::invalid_argument(format!(
            "stream_ack_deadline_seconds must be from {} to {}; it is {seconds}.",
            DEADLINE_SECONDS.start(),
            DEADLINE_SECONDS.end()
        )));
    }
    Ok(Duration::from_secs(seconds.unsigned_abs().into()))
}

/// What only the first request may have.
fn check_later(request: &StreamingPullRequest) -> Result<(), Status> {
    let first_only = [
        (!request.subscription.is_empty(), "subscription"),
        (
            request.max_outstanding_messages != 0,
            "max_outstanding_messages",
        ),
        (request.max_outstanding_bytes != 0, "max_outstanding_bytes"),
        (request.protocol_version != 0, "protocol_version"),
    ];
    match first_only.iter().find(|(given, _)| *given) {
        Some((_, field)) => Err(Status::invalid_argument(format!(
            "{field} can be set in the first request of a stream only."
        ))),
        None => Ok(()),
    }
}

fn check_settlements(request: &StreamingPullRequest) -> Result<(), Status> {
    let (ids, seconds) = (
        &request.modify_deadline_ack_ids,
        &request.modify_deadline_seconds,
    );
    if ids.len() != seconds.len() {
        return Err(Status::invalid_argument(format!(
            "modify_deadline_ack_ids and modify_deadline_seconds must be of one length; they have {} and {}.",
            ids.len(),
            seconds.len()
        )));
    }
    seconds
        .iter()
        .try_for_each(|seconds| extension(*seconds).map(|_| ()))
}

fn silent() -> Status {
    Status::unavailable("The stream was silent for too long: an empty request keeps it open.")
}
