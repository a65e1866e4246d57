//! The gRPC form: one call per operation, found by its path.

use std::future::ready;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    StreamingPullRequest, StreamingPullResponse,
};
use prost::Message;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use super::status::{shown, to_grpc, unimplemented};
use super::{PUBLISH_BYTES_MAX, PubSub, REQUEST_BYTES_MAX, ledger, streaming};

pub(super) async fn serve(pubsub: Arc<PubSub>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let Some(operation) = operation(&path) else {
        return to_grpc(Status::unimplemented(format!(
            "There is no method {}.",
            shown(&path)
        )));
    };
    match operation.split_once('.') {
        Some(("Publisher", _)) => publisher(&pubsub, &operation, request).await,
        Some(("Subscriber", _)) => subscriber(pubsub, &operation, request).await,
        _ => others(&pubsub, &operation, request).await,
    }
}

async fn publisher(pubsub: &PubSub, operation: &str, request: Request) -> Response {
    match operation {
        "Publisher.Publish" => {
            unary_of(PUBLISH_BYTES_MAX, request, |m| ready(pubsub.publish(m))).await
        }
        "Publisher.CreateTopic" => unary(request, |m| pubsub.create_topic(m)).await,
        "Publisher.GetTopic" => unary(request, |m| pubsub.get_topic(m)).await,
        "Publisher.UpdateTopic" => unary(request, |m| pubsub.update_topic(m)).await,
        "Publisher.ListTopics" => unary(request, |m| pubsub.list_topics(m)).await,
        "Publisher.ListTopicSubscriptions" => {
            unary(request, |m| pubsub.list_topic_subscriptions(m)).await
        }
        "Publisher.DeleteTopic" => unary(request, |m| pubsub.delete_topic(m)).await,
        "Publisher.DetachSubscription" => unary(request, |m| pubsub.detach_subscription(m)).await,
        "Publisher.ListTopicSnapshots" => unary(request, |m| pubsub.list_topic_snapshots(m)).await,
        absent => to_grpc(unimplemented(absent)),
    }
}

async fn subscriber(pubsub: Arc<PubSub>, operation: &str, request: Request) -> Response {
    match operation {
        "Subscriber.StreamingPull" => streaming_pull(pubsub, request).await,
        "Subscriber.Pull" => unary_of(REQUEST_BYTES_MAX, request, |m| pubsub.pull(m)).await,
        "Subscriber.Acknowledge" => unary(request, |m| pubsub.acknowledge(m)).await,
        "Subscriber.ModifyAckDeadline" => unary(request, |m| pubsub.modify_ack_deadline(m)).await,
        "Subscriber.Seek" => unary(request, |m| pubsub.seek(m)).await,
        "Subscriber.CreateSnapshot" => unary(request, |m| pubsub.create_snapshot(m)).await,
        "Subscriber.GetSnapshot" => unary(request, |m| pubsub.get_snapshot(m)).await,
        "Subscriber.UpdateSnapshot" => unary(request, |m| pubsub.update_snapshot(m)).await,
        "Subscriber.ListSnapshots" => unary(request, |m| pubsub.list_snapshots(m)).await,
        "Subscriber.DeleteSnapshot" => unary(request, |m| pubsub.delete_snapshot(m)).await,
        "Subscriber.CreateSubscription" => unary(request, |m| pubsub.create_subscription(m)).await,
        "Subscriber.GetSubscription" => unary(request, |m| pubsub.get_subscription(m)).await,
        "Subscriber.UpdateSubscription" => unary(request, |m| pubsub.update_subscription(m)).await,
        "Subscriber.ListSubscriptions" => unary(request, |m| pubsub.list_subscriptions(m)).await,
        "Subscriber.DeleteSubscription" => unary(request, |m| pubsub.delete_subscription(m)).await,
        absent => to_grpc(unimplemented(absent)),
    }
}

async fn others(pubsub: &PubSub, operation: &str, request: Request) -> Response {
    match operation {
        "IAMPolicy.GetIamPolicy" => unary(request, |m| pubsub.get_iam_policy(m)).await,
        "IAMPolicy.SetIamPolicy" => unary(request, |m| pubsub.set_iam_policy(m)).await,
        "IAMPolicy.TestIamPermissions" => unary(request, |m| pubsub.test_iam_permissions(m)).await,
        absent => to_grpc(unimplemented(absent)),
    }
}

/// The ledger's name of the method at this path, if the port knows it.
fn operation(path: &str) -> Option<String> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let service = match service {
        "google.pubsub.v1.Publisher" => "Publisher",
        "google.pubsub.v1.Subscriber" => "Subscriber",
        "google.pubsub.v1.SchemaService" => "SchemaService",
        "google.iam.v1.IAMPolicy" => "IAMPolicy",
        _ => return None,
    };
    let name = format!("{service}.{method}");
    ledger::find(&name).map(|_| name)
}

async fn unary<Q, A, F>(request: Request, mut operation: F) -> Response
where
    Q: Message + Default + Send + 'static,
    A: Message + Default + Send + 'static,
    F: FnMut(Q) -> Result<A, Status> + Send,
{
    unary_of(REQUEST_BYTES_MAX, request, move |m| ready(operation(m))).await
}

/// A call whose request may have so many bytes.
async fn unary_of<Q, A, F, R>(bytes_max: usize, request: Request, mut operation: F) -> Response
where
    Q: Message + Default + Send + 'static,
    A: Message + Default + Send + 'static,
    F: FnMut(Q) -> R + Send,
    R: Future<Output = Result<A, Status>> + Send,
{
    let call = tower::service_fn(move |request: tonic::Request<Q>| {
        let answer = operation(request.into_inner());
        async move { answer.await.map(tonic::Response::new) }
    });
    let codec = ProstCodec::<A, Q>::default();
    let mut grpc = tonic::server::Grpc::new(codec).max_decoding_message_size(bytes_max);
    grpc.unary(call, request).await.map(Body::new)
}

async fn streaming_pull(pubsub: Arc<PubSub>, request: Request) -> Response {
    let call = tower::service_fn(move |request: tonic::Request<Streaming<_>>| {
        let opened = streaming::open(Arc::clone(&pubsub), request.into_inner());
        async move { opened.await.map(tonic::Response::new) }
    });
    let codec = ProstCodec::<StreamingPullResponse, StreamingPullRequest>::default();
    let mut grpc = tonic::server::Grpc::new(codec).max_decoding_message_size(REQUEST_BYTES_MAX);
    grpc.streaming(call, request).await.map(Body::new)
}
