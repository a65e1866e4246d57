//! Google Cloud Pub/Sub: topics, subscriptions, snapshots and their IAM policies, and messages.
//!
//! - [`grpc`] and [`rest`] are the two wire forms, on one port. Both come to the same protobuf
//!   request message and the same operation. Those of the administration are in [`topics`],
//!   [`subscriptions`] and [`policies`].
//! - Messages come in by [`publish`] and go out by [`pull`] and [`streaming`], in the [`envelope`]
//!   that both share; [`settle`] does with them what a subscriber wants. [`snapshots`] go back.
//! - [`rules`] say what a resource may be and fill in defaults; [`mask`] lays an update over it.
//! - [`json`] and [`messages`] are the JSON form, which is also what the engine keeps ([`store`]).

mod ack_id;
mod effects;
mod envelope;
mod exactly_once;
mod filter;
mod grpc;
mod holders;
mod json;
mod ledger;
mod mask;
mod messages;
mod names;
mod page;
mod policies;
mod publish;
mod pull;
mod rest;
mod rules;
mod settle;
mod snapshots;
mod status;
mod store;
mod streaming;
mod subscriptions;
#[cfg(test)]
mod tests;
mod topics;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use mq_engine::EntityId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

pub(crate) use filter::SubscriptionFilters;
pub(crate) use ledger::LEDGER;

use crate::shared::Shared;

/// The largest request of any kind but one. Of the administration's, the largest, a policy with
/// its 1,500 members, has a quarter of that.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// The largest publish request on the wire: in JSON, base64 makes it a third longer.
pub(crate) const PUBLISH_BYTES_MAX: usize = 14 * 1024 * 1024;
/// The path of the call that stays open.
pub(crate) const STREAMING_PULL: &str = "/google.pubsub.v1.Subscriber/StreamingPull";

/// Where the emulated service is.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The number that every project has, as in its service agent's address.
    pub(crate) project_number: u64,
}

/// The service behind both wire forms.
struct PubSub {
    shared: Arc<Shared>,
    scope: Scope,
    /// How many resources were made so far.
    made: AtomicU64,
    /// How many more reads do not see a new resource, under `pubsub-not-found-after-create`.
    unseen: Mutex<BTreeMap<EntityId, u32>>,
    /// The projects that have, or had, subscriptions.
    projects: Mutex<BTreeSet<String>>,
    /// Told when something about any subscription has changed, for the streams.
    changes: watch::Sender<()>,
    windows: window::Windows,
    holders: holders::Holders,
    /// Cancelled when the emulator stops: who waits for messages is told so.
    shutdown: CancellationToken,
}

/// Serves gRPC and REST. The listener must speak HTTP/1 and HTTP/2 with prior knowledge.
pub(crate) fn router(shared: Arc<Shared>, scope: Scope, shutdown: CancellationToken) -> Router {
    Router::new()
        .fallback(serve)
        .with_state(Arc::new(PubSub::new(shared, scope, shutdown)))
}

/// The service's internal error, in the form that the request's client understands.
pub(crate) fn internal_error(head: &Parts) -> Response {
    let status = Status::internal("Internal error encountered.");
    if is_grpc(&head.headers) {
        status::to_grpc(status)
    } else {
        status::to_rest(&status)
    }
}

async fn serve(State(pubsub): State<Arc<PubSub>>, request: Request) -> Response {
    if is_grpc(request.headers()) {
        grpc::serve(pubsub, request).await
    } else {
        rest::serve(&pubsub, request).await
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}
