//! Receiving by request.

use std::time::Duration;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{PullRequest, PullResponse};
use mq_engine::{Delivery, Engine, Entity, EntityId, Operation, Place, Receive, Timestamp};
use tonic::Status;

use super::status::{denied, ending};
use super::store::find;
use super::{PubSub, envelope, names};

/// How long a pull waits for a first message. The service does not tell how long it does; it is
/// the machine's time, as with everything that a client's own deadline runs against.
const WAIT: Duration = Duration::from_secs(3);
/// The most that one pull brings.
const MESSAGES_MAX: i32 = 1_000;
/// The same in bytes; one message may go beyond.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

impl PubSub {
    pub(super) async fn pull(&self, request: PullRequest) -> Result<PullResponse, Status> {
        let name = &request.subscription;
        let id = names::subscription(name)?;
        if request.max_messages <= 0 {
            return Err(Status::invalid_argument(format!(
                "max_messages must be greater than 0; it is {}.",
                request.max_messages
            )));
        }
        let subscribed = subscribed(&self.shared.engine(), &id)?;
        let how = Receive {
            max: request
                .max_messages
                .min(MESSAGES_MAX)
                .unsigned_abs()
                .try_into()
                .unwrap_or(usize::MAX),
            bytes_max: Some(BYTES_MAX),
            ..Receive::default()
        };
        #[expect(deprecated, reason = "clients still set it")]
        let wait = if request.return_immediately {
            Duration::ZERO
        } else {
            WAIT
        };
        let deliveries = self.wait_for(Place::from(id), name, how, wait).await?;
        let received_messages = deliveries
            .into_iter()
            .map(|delivery| envelope::open(delivery, subscribed.counted))
            .collect();
        Ok(PullResponse { received_messages })
    }

    async fn wait_for(
        &self,
        from: Place,
        name: &str,
        how: Receive,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Status> {
        let receive = || Operation::Receive {
            from: from.clone(),
            how: how.clone(),
        };
        let received = self
            .shared
            .receive_until(&from, Timestamp::FOREVER, receive);
        tokio::select! {
            // First what is there: after no wait at all it still has one look.
            biased;
            received = received => received.map_err(|why| denied(&why, name)),
            () = self.shutdown.cancelled() => Err(ending()),
            () = tokio::time::sleep(wait) => Ok(Vec::new()),
        }
    }
}

/// What a subscriber has to know of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscribed {
    /// Whether it counts delivery attempts.
    pub(super) counted: bool,
    pub(super) exactly_once: bool,
    pub(super) ordered: bool,
}

/// The subscription, when there is something to receive from it.
pub(super) fn subscribed(engine: &Engine, id: &EntityId) -> Result<Subscribed, Status> {
    let entity = find(engine, id)?;
    if is_detached(entity) {
        return Err(Status::failed_precondition(
            "The subscription is detached from its topic: it has no messages any more.",
        ));
    }
    let settings = &entity.settings;
    Ok(Subscribed {
        counted: settings.max_deliveries.is_some(),
        exactly_once: settings.exactly_once,
        ordered: settings.ordered,
    })
}

/// Looked up in the document without reading it whole: every pull asks.
fn is_detached(subscription: &Entity) -> bool {
    let resource = subscription.document.get("resource");
    let detached = resource.and_then(|resource| resource.get("detached"));
    detached.and_then(serde_json::Value::as_bool) == Some(true)
}
